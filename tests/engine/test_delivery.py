"""Requests that fail, or whose answer is lost: nothing is lost, nothing is sent twice."""

from __future__ import annotations

from typing import Any

import pytest

from cirahub_sync.configuration import ConflictPolicy, Direction, OnUserDelete
from cirahub_sync.engine import errands
from cirahub_sync.engine.report import PassReport

from .conftest import Scene

pytestmark = pytest.mark.every_database

CREATES: dict[str, Any] = {"service": "graph", "method": "POST", "path": "/contacts$"}
BATCHES: dict[str, Any] = {"service": "graph", "method": "POST", "path": r"\$batch"}
PEOPLE = 30


@pytest.fixture
async def two(scene: Scene) -> Scene:
    """Thirty people in one mailbox, and a receiver that has been read once and is empty."""
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.connect("cy", Direction.TWO_WAY)
    await scene.settle()
    for number in range(PEOPLE):
        scene.add("ada", displayName=f"P{number:02}", email=f"p{number}@example.org")
    return scene


def _expected() -> list[str]:
    return [f"P{number:02}" for number in range(PEOPLE)]


async def _quiet(scene: Scene, passes: int = 3) -> PassReport:
    """Passes with an hour between them, after which all is delivered."""
    for _ in range(passes):
        report = await scene.sync()
        scene.advance(3700)
    assert report.pending == 0
    assert scene.names("ben") == _expected()
    assert scene.names("cy") == _expected()
    return report


async def _never(*_: object, **__: object) -> None:
    """What a process does not get to that dies after sending."""


async def test_creates_that_took_effect_but_answered_504_are_adopted(two: Scene) -> None:
    two.admin.add_rule("status", status=504, moment="after", probability=0.4, **CREATES)
    report = await two.sync()
    assert report.problem is None
    assert sum(spoke.counts.adopted for spoke in report.spokes.values()) > 0
    two.admin.clear_rules()
    await _quiet(two)


async def test_creates_that_failed_before_their_effect_are_sent_again(two: Scene) -> None:
    two.admin.add_rule("status", status=503, moment="before", count=10, **CREATES)
    await two.sync()
    two.admin.clear_rules()
    await _quiet(two)


async def test_throttled_creates_wait_and_arrive(two: Scene) -> None:
    two.admin.add_rule("status", status=429, retry_after=1, count=5, **CREATES)
    report = await two.sync()
    assert sum(spoke.throttled_seconds for spoke in report.spokes.values()) > 0
    report = await _quiet(two)
    assert [spoke.throttled_seconds for spoke in report.spokes.values()] == [0, 0, 0]


async def test_what_a_receiver_was_refused_before_anything_left_is_sent_when_it_is_let_in(
    two: Scene,
) -> None:
    refusal = two.admin.add_rule("status", status=403, skip=2, **BATCHES)
    report = await two.sync()
    assert report.spokes["spoke-ben"].problem is not None
    assert two.names("ben") == []
    two.admin.remove_rule(refusal)
    await _quiet(two)


async def test_a_change_does_not_wait_for_first_syncs_of_the_same_hub(
    two: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two.settle()
    for name in ("new", "newer"):
        two.connect(name, Direction.RECEIVE)
    two.spokes = {name: two.spokes[name] for name in ("new", "newer", "ada", "ben", "cy")}
    changed = two.the("ada", "P00")
    two.edit("ada", changed["id"], jobTitle="Baker")
    monkeypatch.setattr(errands, "CONCURRENT_RECEIVERS", 1)
    monkeypatch.setattr(errands, "MOST_RECEIVERS", 1)
    two.forget()
    await two.sync()
    assert [entry["method"] for entry in two.writes()] == ["PATCH"] * 2 + ["POST"] * 2 * PEOPLE


async def test_what_failed_is_pending_until_it_is_delivered(two: Scene) -> None:
    two.admin.add_rule("status", status=503, moment="before", **CREATES)
    report = await two.sync()
    assert report.spokes["spoke-ben"].counts.pending == PEOPLE
    assert two.names("ben") == []
    two.admin.clear_rules()
    await _quiet(two)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_connection_that_drops_around_a_batch_duplicates_nothing(
    two: Scene, moment: str
) -> None:
    two.admin.add_rule("drop", moment=moment, skip=2, count=2, **BATCHES)
    await two.sync()
    await _quiet(two)


async def test_a_batch_whose_answer_is_cut_off_duplicates_nothing(two: Scene) -> None:
    two.admin.add_rule("truncate", keep_bytes=100, skip=2, count=2, **BATCHES)
    await two.sync()
    await _quiet(two)


async def test_a_process_that_dies_after_sending_finds_its_creates_by_their_stamp(
    two: Scene,
) -> None:
    """The answers are lost, and with them the process: nothing but the intents is left."""
    two.admin.add_rule("status", status=504, moment="after", **CREATES)
    find = two.admin.add_rule("status", status=403, method="GET", path="/contacts$")
    await two.sync()
    two.admin.clear_rules()
    assert find
    await two.restart()
    two.forget()
    await two.sync()
    again = [entry for entry in two.writes() if entry["path"].endswith("/contacts")]
    assert again == [], "created again instead of being found"
    await _quiet(two)


async def test_a_rejected_item_holds_back_nothing_else(two: Scene) -> None:
    two.admin.add_rule("status", status=400, moment="before", count=1, **CREATES)
    report = await two.sync()
    delivered = len(two.held("ben")) + len(two.held("cy"))
    assert delivered == 2 * PEOPLE - 1
    assert report.pending == 1
    two.advance(86_401)
    await _quiet(two)


async def test_an_update_whose_answer_was_lost_is_no_edit_of_the_receiver_s_user(
    two: Scene,
) -> None:
    await two.settle()
    source = two.the("ada", "P00")["id"]
    two.edit("ada", source, jobTitle="Baker")
    two.admin.add_rule(
        "status", status=504, moment="after", service="graph", method="PATCH", count=2
    )
    await two.sync()
    two.edit("ada", source, jobTitle="Brewer")
    for _ in range(3):
        report = await two.sync()
        two.advance(3700)
    assert report.conflicts == 0
    assert two.the("cy", "P00")["jobTitle"] == "Brewer"
    assert two.the("ben", "P00")["jobTitle"] == "Brewer"


async def test_what_a_dead_process_wrote_is_settled_before_it_is_read(
    two: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the delta shows it as an edit of the receiver's user, who is preferred here."""
    two.configure(conflict_policy=ConflictPolicy.PRIORITY, priority=("default/cy",))
    await two.settle()
    source = two.the("ada", "P00")["id"]
    two.edit("ada", source, jobTitle="Baker")
    two.admin.add_rule("status", status=504, moment="after", service="graph", method="PATCH")
    with monkeypatch.context() as dying:
        dying.setattr("cirahub_sync.engine.errands.recover", _never)
        await two.sync()
    two.admin.clear_rules()
    assert two.the("cy", "P00")["jobTitle"] == "Baker"
    await two.restart()
    await _quiet(two)
    two.edit("ada", source, jobTitle="Brewer")
    report = await _quiet(two)
    assert report.conflicts == 0
    assert two.the("cy", "P00")["jobTitle"] == "Brewer"


async def test_after_every_failure_a_further_pass_writes_nothing(two: Scene) -> None:
    two.admin.add_rule("status", status=504, moment="after", probability=0.3, **CREATES)
    two.admin.add_rule("status", status=429, retry_after=1, probability=0.1, **CREATES)
    await two.sync()
    two.admin.clear_rules()
    await _quiet(two)
    two.forget()
    report = await two.sync()
    assert two.writes() == []
    assert report.written == 0


async def test_a_copy_found_gone_by_its_update_is_made_again_where_the_spoke_restores(
    scene: Scene,
) -> None:
    scene.admin.switch(immutable_id_in_bin=False)
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE, on_user_delete=OnUserDelete.RESTORE)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.remove("ben", scene.the("ben", "Ann")["id"])
    scene.edit("ada", ann, jobTitle="Brewer")
    report = await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "Brewer"
    assert report.pending == 0
