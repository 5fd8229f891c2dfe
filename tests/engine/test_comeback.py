"""Who leaves is taken up again where it stopped, until its erasure has started."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from cirahub_sync.configuration import Direction, MailboxTarget, SpokeConfig
from cirahub_sync.engine.report import PassReport, Problem
from cirahub_sync.errors import ConfigurationError

from .conftest import Scene

RECEIVE, TWO_WAY = Direction.RECEIVE, Direction.TWO_WAY
DAY = 86_400.0


async def _leave(scene: Scene) -> SpokeConfig:
    """Ada and Ben share what they know, Cy receives it, and Ben leaves tomorrow."""
    scene.connect("ada")
    scene.connect("ben", TWO_WAY)
    scene.connect("cy", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    await scene.settle()
    return await scene.leave("ben", grace=DAY)


def _again(scene: Scene, leaver: SpokeConfig, **changes: object) -> None:
    scene.spokes["ben"] = msgspec.structs.replace(
        leaver, uid="spoke-ben-again", name="default/ben-again", **changes
    )


def _problem(report: PassReport, uid: str) -> Problem:
    problem = report.spokes[uid].problem
    assert problem is not None
    return problem


async def _jobs(scene: Scene) -> list[str]:
    return [job.id for job in await scene.worker.erasures()]


async def test_during_the_grace_nothing_of_the_leaver_is_touched_and_others_go_on(
    scene: Scene,
) -> None:
    await _leave(scene)
    scene.add("ben", displayName="Bea", email="bea@example.org")
    scene.add("ada", displayName="Cat", email="cat@example.org")
    scene.forget()
    await scene.settle()
    assert scene.names("cy") == ["Ann", "Bob", "Cat"]
    assert scene.names("ben") == ["Ann", "Bea", "Bob"]
    (job,) = await scene.worker.erasures()
    assert (job.id, job.name, job.whole_hub) == ("spoke-ben", "default/ben", False)
    assert job.connections == ("default/contoso",)
    assert job.erase_at == pytest.approx(scene.clock() + DAY, abs=600)
    assert (job.started_at, job.attempts, job.report) == (None, 0, None)


async def test_a_new_spoke_on_the_same_folder_goes_on_where_the_leaver_stopped(
    scene: Scene,
) -> None:
    leaver = await _leave(scene)
    scene.add("ben", displayName="Bea", email="bea@example.org")
    own = scene.the("ben", "Bob")["id"]
    scene.edit("ben", scene.the("ben", "Ann")["id"], jobTitle="Brewer")
    _again(scene, leaver)
    scene.forget()
    report = await scene.settle()
    assert await _jobs(scene) == []
    assert scene.names("cy") == ["Ann", "Bea", "Bob"]
    assert scene.the("cy", "Ann")["jobTitle"] == "Brewer", "an edit of its copy, not a new contact"
    assert scene.names("ben") == ["Ann", "Bea", "Bob"]
    assert scene.the("ben", "Bob")["id"] == own
    assert [w for w in scene.writes() if w["method"] == "DELETE"] == []
    assert report.spokes["spoke-ben-again"].counts.items == 2
    rounds = [request for request in scene.requests() if request["path"].endswith("/delta")]
    assert rounds
    assert all("deltatoken" in request["query"] for request in rounds), "no full read"
    scene.forget()
    await scene.settle()
    assert scene.writes() == []


async def test_a_folder_that_is_written_differently_is_known_when_it_is_resolved(
    scene: Scene,
) -> None:
    leaver = await _leave(scene)
    _again(scene, leaver, target=MailboxTarget(scene.mailbox("ben").upper()))
    scene.forget()
    await scene.sync()
    await scene.settle()
    assert await _jobs(scene) == []
    assert scene.writes() == []
    scene.edit("ada", scene.the("ada", "Ann")["id"], jobTitle="Brewer")
    scene.add("ben", displayName="Bea", email="bea@example.org")
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "Brewer"
    assert scene.names("cy") == ["Ann", "Bea", "Bob"]


async def test_a_create_without_an_answer_is_settled_by_the_one_that_takes_over(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben", TWO_WAY)
    await scene.settle()
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.admin.add_rule(
        "drop", method="POST", path="/contacts$", moment="after", count=1, batched=False
    )
    await scene.sync()
    leaver = await scene.leave("ben", grace=DAY)
    await scene.restart()
    for address in (scene.mailbox("ben"), scene.mailbox("ben").upper()):
        _again(scene, leaver, target=MailboxTarget(address))
        await scene.sync(2)
        await scene.settle()
        assert scene.names("ben") == ["Ann"]


async def test_the_same_spoke_that_is_back_stops_its_own_erasure(scene: Scene) -> None:
    scene.spokes["ben"] = await _leave(scene)
    scene.forget()
    await scene.settle()
    assert await _jobs(scene) == []
    assert scene.writes() == []


async def test_once_started_there_is_no_way_back_until_it_is_complete(scene: Scene) -> None:
    leaver = await _leave(scene)
    rule = scene.admin.add_rule("status", service="graph", status=403, batched=False)
    report = await scene.worker.erase("spoke-ben", spokes=list(scene.spokes.values()))
    assert not report.complete
    scene.admin.remove_rule(rule)
    _again(scene, leaver)
    told = await scene.sync()
    problem = _problem(told, "spoke-ben-again")
    assert (problem.reason, problem.stalled) == ("ErasureUnderWay", False)
    _again(scene, leaver, target=MailboxTarget(scene.mailbox("ben").upper()))
    told = await scene.sync()
    assert _problem(told, "spoke-ben-again").reason == "ErasureUnderWay"
    scene.spokes["ben"] = leaver
    assert _problem(await scene.sync(), "spoke-ben").reason == "ErasureUnderWay"
    del scene.spokes["ben"]
    report = await scene.worker.erase("spoke-ben", spokes=list(scene.spokes.values()))
    assert report.complete, report
    assert scene.names("ben") == ["Bob"]
    _again(scene, leaver)
    await scene.settle()
    assert scene.names("cy") == ["Ann", "Bob"]
    assert scene.names("ben") == ["Ann", "Bob"]


async def test_a_hub_that_is_back_in_time_goes_on(scene: Scene) -> None:
    scene.spokes["ben"] = await _leave(scene)
    assert await scene.worker.leave_hub(scene.hub, erase_at=scene.clock() + DAY)
    assert await _jobs(scene) == ["hub-1"], "the spoke's is part of it"
    scene.forget()
    await scene.settle()
    assert await _jobs(scene) == []
    assert scene.writes() == []


async def test_a_spoke_that_left_before_its_hub_still_leaves_when_the_hub_is_back(
    scene: Scene,
) -> None:
    await _leave(scene)
    assert await scene.worker.leave_hub(scene.hub, erase_at=scene.clock() + DAY)
    await scene.settle()
    assert await _jobs(scene) == ["spoke-ben"]


async def test_a_hub_that_is_back_too_late_waits_and_starts_afresh(scene: Scene) -> None:
    scene.spokes["ben"] = await _leave(scene)
    assert await scene.worker.leave_hub(scene.hub, erase_at=scene.clock())
    rule = scene.admin.add_rule("status", service="graph", status=403, batched=False)
    report = await scene.worker.erase("hub-1")
    assert not report.complete
    told = await scene.sync()
    assert told.problem is not None
    assert (told.problem.reason, told.problem.stalled) == ("ErasureUnderWay", False)
    scene.admin.remove_rule(rule)
    assert (await scene.worker.erase("hub-1")).complete
    assert scene.names("cy") == []
    assert scene.names("ben") == ["Bob"]
    await scene.settle()
    assert scene.names("cy") == scene.names("ben") == ["Ann", "Bob"]


async def test_a_folder_is_free_for_another_hub_when_the_erasure_is_complete(
    scene: Scene,
) -> None:
    leaver = await _leave(scene)
    others = dict(scene.spokes)
    first, scene.spokes = scene.hub, {}
    scene.hub = msgspec.structs.replace(first, uid="hub-2", name="default/other")
    scene.connect("dan")
    scene.add("dan", displayName="Dot", email="dot@example.org")
    _again(scene, leaver)
    problem = _problem(await scene.sync(), "spoke-ben-again")
    assert (problem.reason, problem.stalled) == ("TargetInUse", False)
    assert "is erased from 20" in problem.message
    assert (await scene.worker.erase("spoke-ben", spokes=list(others.values()))).complete
    await scene.settle()
    assert scene.names("ben") == ["Bob", "Dot"]


async def test_the_earlier_of_two_times_counts(scene: Scene) -> None:
    leaver = await _leave(scene)
    now = scene.clock()
    for at, expected in ((now + 2 * DAY, DAY), (now + 60, 60)):
        assert await scene.worker.leave_spoke(scene.hub, leaver.uid, erase_at=at)
        (job,) = await scene.worker.erasures()
        assert job.erase_at == pytest.approx(now + expected, abs=600)


async def test_who_is_not_known_has_nothing_to_erase(scene: Scene) -> None:
    leaver = await _leave(scene)
    stranger = msgspec.structs.replace(leaver, uid="spoke-stranger")
    hub = msgspec.structs.replace(scene.hub, uid="hub-stranger")
    assert not await scene.worker.leave_spoke(scene.hub, "spoke-s", erase_at=0.0)
    assert not await scene.worker.leave_spoke(scene.hub, "spoke-s", erase_at=0.0, spoke=stranger)
    assert not await scene.worker.leave_spoke(hub, "spoke-s", erase_at=0.0)
    assert not await scene.worker.leave_hub(hub, erase_at=0.0)
    with pytest.raises(ConfigurationError, match="spoke-s"):
        await scene.worker.erase("spoke-s")


async def test_configuration_is_written_when_it_changes_and_only_then(scene: Scene) -> None:
    def kept() -> str:
        with scene.worker._store.database.read() as connection:
            rows = connection.exec_driver_sql("SELECT * FROM configurations ORDER BY 1").all()
        assert len(rows) == 1 + len(scene.spokes)
        return hashlib.sha256(repr(rows).encode()).hexdigest()

    scene.connect("ada")
    scene.connect("cy", RECEIVE)
    await scene.settle()
    before = kept()
    await scene.settle()
    assert kept() == before
    scene.connect("cy", TWO_WAY)
    await scene.settle()
    assert kept() != before
