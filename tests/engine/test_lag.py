"""How old the oldest change is that did not reach a receiver, and where a pass's time goes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cirahub_sync.configuration import DeletionLimits, Direction
from cirahub_sync.engine import judging
from cirahub_sync.engine.plan import Judgement, judge
from cirahub_sync.engine.report import UNCONSIDERED, PassReport, PendingReason, Phase

from .conftest import Scene

pytestmark = pytest.mark.every_database

CREATES: dict[str, Any] = {"service": "graph", "method": "POST", "path": "/contacts$"}
FAILED, GRACE, REJECTED = (
    PendingReason.FAILED.value,
    PendingReason.GRACE.value,
    PendingReason.REJECTED.value,
)


@pytest.fixture
async def two(scene: Scene) -> Scene:
    """Ada's contact is at Ben's, too."""
    scene.configure(deletion=DeletionLimits(grace_period=3600.0, max_count=50, max_percent=100))
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    return scene


def _since(report: PassReport, name: str = "ben") -> dict[str, float]:
    found = report.spokes[f"spoke-{name}"].waiting_since
    assert found is not None
    return found


async def _after(scene: Scene, seconds: float) -> PassReport:
    scene.advance(seconds)
    return await scene.sync()


async def test_where_everything_arrived_nothing_lags(two: Scene) -> None:
    assert _since(await two.sync()) == {}


async def test_what_is_not_delivered_waits_from_the_pass_that_saw_it_until_it_is(
    two: Scene,
) -> None:
    """Whatever else becomes of it meanwhile: other tries, another reason, another change."""
    two.admin.add_rule("status", status=503, moment="before", **CREATES)
    bob = two.add("ada", displayName="Bob", email="bob@example.org")
    first = await two.sync()
    assert _since(first) == {FAILED: first.finished}
    assert _since(await _after(two, 600)) == {FAILED: first.finished}

    two.admin.clear_rules()
    two.admin.add_rule("status", status=400, code="ErrorInvalid", moment="before", **CREATES)
    two.edit("ada", bob, jobTitle="Baker")
    assert _since(await _after(two, 90_000)) == {REJECTED: first.finished}

    two.admin.clear_rules()
    two.edit("ada", bob, jobTitle="Butcher")
    assert _since(await _after(two, 600)) == {}
    assert two.names("ben") == ["Ann", "Bob"]


async def test_what_came_later_makes_nothing_younger(two: Scene) -> None:
    two.admin.add_rule("status", status=503, moment="before", **CREATES)
    two.add("ada", displayName="Bob", email="bob@example.org")
    first = await two.sync()
    two.add("ada", displayName="Cyd", email="cyd@example.org")
    assert _since(await _after(two, 60)) == {FAILED: first.finished}


async def test_a_deletion_lags_from_the_end_of_its_grace_on(two: Scene) -> None:
    two.remove("ada", two.the("ada", "Ann")["id"])
    first = await two.sync()
    assert _since(first) == {GRACE: first.finished}
    two.configure(deletion=msgspec.structs.replace(two.hub.deletion, max_count=0, max_percent=0))

    held = await _after(two, 3700)

    assert _since(held) == {PendingReason.GUARDED.value: held.finished}


async def test_who_lets_us_in_no_more_lags_since_the_first_change_that_it_missed(
    two: Scene,
) -> None:
    ben = two.simulator.world.directory.find_user(two.mailbox("ben"))
    assert ben is not None
    two.admin.add_rule("status", status=403, service="graph", path=f"/users/{ben.id}")
    two.add("ada", displayName="Bob", email="bob@example.org")
    first = await two.sync()
    two.add("ada", displayName="Cyd", email="cyd@example.org")
    report = await _after(two, 600)
    assert report.finished - first.finished > 500
    assert _since(report) == {UNCONSIDERED: first.finished}


async def test_who_joins_lags_since_then_and_not_since_the_hub_was_made(two: Scene) -> None:
    two.advance(86_400)
    two.admin.add_rule("status", status=403, service="graph", path="/users/cy")
    two.connect("cy", Direction.RECEIVE)
    report = await two.sync()
    assert report.started <= _since(report, "cy")[UNCONSIDERED] <= report.finished


async def test_a_pass_says_how_long_it_was_in_each_phase(
    two: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judging happens amid the push, and is no part of it."""

    def slowly(*what: Any, **how: Any) -> Judgement:
        two.advance(60)
        return judge(*what, **how)

    monkeypatch.setattr(judging, "judge", slowly)
    two.add("ada", displayName="Bob", email="bob@example.org")
    two.admin.latency(0.3)
    report = await two.sync()
    two.admin.latency(0.0)
    assert set(report.phases) == {one.value for one in Phase}
    assert min(report.phases[Phase.PULL], report.phases[Phase.PUSH]) >= 0.3
    assert report.phases[Phase.PLAN] >= 60 > report.phases[Phase.PUSH]
    assert sum(report.phases.values()) <= report.finished - report.started


async def test_a_pass_tells_its_requests_by_api(two: Scene) -> None:
    await two.sync()
    two.forget()
    two.add("ada", displayName="Bob", email="bob@example.org")
    two.admin.add_rule("status", status=429, retry_after=1, count=1, **CREATES)
    report = await two.sync()
    assert report.traffic.keys() == {two.connection.name}
    (traffic,) = report.traffic[two.connection.name].values()
    sent = two.admin.requests(service="graph", batch="no")
    assert sum(traffic.answers.values()) == len(sent)
    assert traffic.throttled_seconds == report.spokes["spoke-ben"].throttled_seconds > 0
    assert set(report.traffic[two.connection.name]) == {"graph"}
