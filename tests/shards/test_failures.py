"""What fails in a shard, or fails to be worked on, concerns its spokes alone."""

from __future__ import annotations

import re

import msgspec
import pytest
from tests.chaos.town import SMALL
from tests.engine.conftest import TENANT, Scene
from tests.shards.crew import Here

from cirahub_sync.configuration import Approval, ClientSecretAuth, Direction, SecretFile
from cirahub_sync.engine.report import PassReport
from cirahub_sync.engine.shard import Errand
from cirahub_sync.engine.shared import Call
from cirahub_sync.errors import EndpointUnavailableError

pytestmark = pytest.mark.every_database


class Absent(Here):
    """Does what it is asked to, but nothing of one errand."""

    def __init__(self, scene: Scene, errand: Errand, error: Exception | None = None) -> None:
        super().__init__(2, scene._open)
        self._errand = errand
        self._error = error

    async def work(self, call: Call) -> None:
        if call.errand != self._errand:
            await super().work(call)
        elif self._error is not None:
            raise self._error
        elif len(call.parts["connection-1"]) > 1:
            only_first = {uid: parts[:1] for uid, parts in call.parts.items()}
            await super().work(msgspec.structs.replace(call, parts=only_first))


def failing(report: PassReport) -> dict[str, str]:
    assert report.problem is None
    return {
        one.name.removeprefix("default/"): one.problem.reason
        for one in report.spokes.values()
        if one.problem is not None
    }


async def test_credentials_that_are_refused_fail_their_spokes_only(scene: Scene) -> None:
    SMALL.settle_in(scene)
    abroad = msgspec.structs.replace(
        scene.connection,
        uid="connection-2",
        name="default/fabrikam",
        auth=ClientSecretAuth(
            TENANT, "99999999-9999-4999-8999-999999999999", secret=SecretFile("test")
        ),
    )
    refused = ("cy", "eve")
    for name in refused:
        scene.spokes[name] = msgspec.structs.replace(scene.spokes[name], connection=abroad)
    crew = Here(1, scene._open)
    report = await scene.sync(crew=crew)
    assert set(failing(report)) == set(refused)
    reports = {one.name: one for one in report.spokes.values()}
    problem = reports["default/cy"].problem
    assert problem is not None
    assert problem.access
    assert {name: len(set(scene.names(name))) for name in ("ben", "dee")} == {"ben": 12, "dee": 12}


@pytest.mark.parametrize("errand", [Errand.READ, Errand.DELIVER])
async def test_a_shard_that_nobody_works_on_fails_its_spokes_and_the_next_pass_goes_on(
    scene: Scene, errand: Errand
) -> None:
    SMALL.settle_in(scene)
    report = await scene.sync(crew=Absent(scene, errand))
    assert 0 < len(failing(report)) < len(scene.spokes)
    assert set(failing(report).values()) == {"ShardFailed"}
    scene.advance(61.0)
    await scene.sync(2, crew=Here(2, scene._open))
    SMALL.assert_whole(scene)


async def test_workers_that_cannot_be_had_are_told_of_at_each_spoke(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", displayName="Ann")
    error = EndpointUnavailableError("no pods may be made here")
    report = await scene.sync(crew=Absent(scene, Errand.DELIVER, error))
    problem = report.spokes["spoke-ben"].problem
    assert problem is not None
    assert "no pods may be made here" in problem.message
    assert "errand deliver, part 0, 0 attempts" in problem.message
    assert failing(report) == {"ben": "ShardFailed"}


async def test_how_far_a_pass_in_parts_is_is_told(scene: Scene) -> None:
    SMALL.settle_in(scene)
    lines: list[str] = []
    await scene.sync(crew=Here(2, scene._open), progress=lines.append)
    for errand in ("read", "deliver"):
        told = [line for line in lines if line.startswith(f"{errand}: ")]
        assert re.fullmatch(rf"{errand}: 0 of (\d) shards, \d under way", told[0])
        assert re.fullmatch(rf"{errand}: (\d) of \1 shards, 0 under way", told[-1])


async def test_where_writes_wait_for_a_person_the_pass_is_one_process_s(scene: Scene) -> None:
    SMALL.settle_in(scene)
    scene.configure(approval=Approval.MANUAL)
    crew = Here(1, scene._open)
    report = await scene.sync(crew=crew)
    assert crew.calls == []
    assert report.plan is not None
