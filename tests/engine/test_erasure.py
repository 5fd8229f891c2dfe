"""Erasure as a job: what it takes, what it leaves to others, and when it is complete."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from cirahub_sync.configuration import (
    Condition,
    DeletionLimits,
    Direction,
    Filter,
    Flow,
    OnUserDelete,
    Operator,
)
from cirahub_sync.erasure import ErasureReport

from .conftest import Scene

pytestmark = pytest.mark.every_database

CONTRIBUTE, RECEIVE, TWO_WAY = Direction.CONTRIBUTE, Direction.RECEIVE, Direction.TWO_WAY
DAY = 86_400.0
FRIENDS = Flow(filter=Filter(all=(Condition("category", Operator.IN, ("Friend",)),)))


async def _again(scene: Scene, job: str) -> ErasureReport:
    return await scene.worker.erase(job, spokes=list(scene.spokes.values()))


async def test_what_others_deleted_keeps_its_grace_and_its_guard(scene: Scene) -> None:
    scene.configure(deletion=DeletionLimits(grace_period=3600.0, max_count=1, max_percent=100))
    scene.connect("ada")
    scene.connect("ben", TWO_WAY)
    scene.connect("cy", RECEIVE)
    people = [scene.add("ada", displayName=n, email=f"{n}@x.example") for n in ("Ann", "Bob")]
    await scene.settle()
    for person in people:
        scene.remove("ada", person)
    await scene.settle()
    assert (await scene.erase("ben")).complete
    assert scene.names("cy") == ["Ann", "Bob"], "in their grace"
    scene.advance(3700)
    report = await scene.sync()
    assert scene.names("cy") == ["Ann", "Bob"]
    assert report.guarded == 2


async def test_what_the_leaver_had_deleted_itself_does_not_wait_for_its_grace(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", RECEIVE)
    gone = scene.add("ben", displayName="Bob", email="bob@example.org")
    await scene.settle()
    scene.remove("ben", gone)
    await scene.settle()
    assert scene.names("cy") == ["Bob"]
    report = await scene.erase("ben")
    assert (report.complete, report.items_erased, report.copies_deleted) == (True, 1, 1)
    assert {uid: one.counts.deleted for uid, one in report.spokes.items()} == {
        "spoke-ben": 0,
        "spoke-cy": 1,
    }
    assert scene.names("cy") == []


async def test_it_is_not_complete_while_somebody_still_shows_what_the_leaver_put_in(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", RECEIVE)
    scene.connect("dan", TWO_WAY)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("dan", displayName="Ann", email="ann@example.org")
    scene.add("ben", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    assert scene.the("cy", "Ann")["jobTitle"] == scene.the("dan", "Ann")["jobTitle"] == "Baker"
    rule = scene.admin.add_rule("status", method="PATCH", status=503, retry_after=0)
    report = await scene.erase("ben")
    assert (report.complete, report.copies_remaining, report.items_changed) == (False, 2, 1)
    scene.admin.remove_rule(rule)
    report = await _again(scene, "spoke-ben")
    assert (report.complete, report.copies_remaining) == (True, 0), "back-off waits for nobody"
    assert scene.the("cy", "Ann")["jobTitle"] == scene.the("dan", "Ann")["jobTitle"] is None


async def test_an_ordinary_pass_brings_an_erasure_on_too(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ben", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    rule = scene.admin.add_rule("status", method="PATCH", status=503, retry_after=0)
    assert not (await scene.erase("ben")).complete
    scene.admin.remove_rule(rule)
    scene.advance(DAY)
    await scene.settle()
    assert not scene.the("cy", "Ann")["jobTitle"]
    scene.forget()
    assert (await _again(scene, "spoke-ben")).complete
    assert scene.requests() == []


async def test_a_copy_that_was_only_let_in_for_the_leaver_s_sake_goes_at_once(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", RECEIVE, receives=FRIENDS)
    scene.connect("dan", TWO_WAY, receives=FRIENDS)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    own = scene.add("dan", displayName="Ann", email="ann@example.org")
    scene.add(
        "ben",
        displayName="Ann",
        email="ann@example.org",
        jobTitle="Baker",
        categories=["Friend"],
    )
    await scene.settle()
    assert scene.the("dan", "Ann")["jobTitle"] == scene.the("cy", "Ann")["jobTitle"] == "Baker"
    report = await scene.erase("ben")
    assert report.complete, report
    assert list(scene.admin.contacts(scene.mailbox("cy"))) == []
    assert scene.the("dan", "Ann")["id"] == own
    assert not scene.the("dan", "Ann")["jobTitle"]


async def test_who_leaves_as_well_is_rid_of_it_before_its_own_grace_is_over(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    await scene.settle()
    back = await scene.leave("cy", grace=DAY)
    report = await scene.erase("ben")
    assert report.complete, report
    assert scene.names("cy") == ["Ann"]
    assert [job.id for job in await scene.worker.erasures()] == ["spoke-cy"]
    scene.spokes["cy"] = back
    await scene.settle()
    assert scene.names("cy") == ["Ann"]


async def test_a_spoke_that_does_not_receive_any_more_loses_its_copies_of_it(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", TWO_WAY)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    scene.add("cy", displayName="Cat", email="cat@example.org")
    await scene.settle()
    scene.connect("cy", CONTRIBUTE)
    await scene.settle()
    assert scene.names("cy") == ["Ann", "Bob", "Cat"]
    report = await scene.erase("ben")
    assert report.complete, report
    assert scene.names("cy") == ["Ann", "Cat"]


async def test_a_receiver_whose_mailbox_is_no_more_holds_nothing_up(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    await scene.settle()
    user = scene.simulator.world.directory.find_user(scene.mailbox("cy"))
    assert user is not None
    user.has_mailbox = False
    report = await scene.erase("ben")
    assert report.complete, report
    user.has_mailbox = True
    await scene.settle()
    assert scene.names("cy") == ["Ann"], "restored, it is brought up to date"


async def test_what_a_user_made_of_a_copy_stays_theirs_when_an_erasure_is_resumed(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE, on_user_delete=OnUserDelete.RESTORE)
    for name in ("Ann", "Bob"):
        scene.add("ada", displayName=name, email=f"{name}@example.org")
    await scene.settle()
    copied = scene.admin.copy_contact(scene.mailbox("ben"), scene.the("ben", "Ann")["id"])["id"]
    rule = scene.admin.add_rule("status", method="POST", path="permanentDelete", status=503, skip=1)
    await scene.leave("ben")
    await _again(scene, "spoke-ben")
    scene.admin.remove_rule(rule)
    await scene.restart()
    report = await _again(scene, "spoke-ben")
    assert report.complete, report
    assert [contact["id"] for contact in scene.held("ben")] == [copied]


async def test_giving_up_takes_what_is_kept_here_and_counts_what_is_not(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", TWO_WAY)
    scene.connect("cy", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    await scene.settle()
    scene.admin.add_rule("status", service="graph", path="ben", status=403, batched=False)
    user = scene.simulator.world.directory.find_user(scene.mailbox("ben"))
    assert user is not None
    scene.admin.add_rule("status", service="graph", path=user.id, status=403)
    report = await scene.erase("ben")
    assert (report.complete, report.copies_remaining) == (False, 1)
    assert scene.names("cy") == ["Ann"], "what others hold waits for nobody"
    report = await scene.worker.abandon("spoke-ben")
    assert report.copies_remaining == 1
    assert await scene.worker.erasures() == []
    (receipt,) = _receipts(scene)
    assert receipt["abandoned"] == 1
    assert receipt["copies_remaining"] == 1
    assert receipt["content"] is None


async def test_what_stays_of_an_erasure_is_a_receipt_in_numbers(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", RECEIVE)
    scene.add("ben", displayName="Bob", email="bob@example.org")
    await scene.settle()
    assert (await scene.erase("ben")).complete
    assert await scene.worker.leave_hub(scene.hub, erase_at=scene.clock())
    assert (await scene.worker.erase("hub-1")).complete
    spoke, hub = _receipts(scene)
    assert (spoke["job"], spoke["copies_deleted"], spoke["items_erased"]) == ("spoke-ben", 1, 1)
    assert spoke["requested_at"] <= spoke["started_at"] <= spoke["finished_at"]
    assert (hub["job"], hub["whole_hub"], hub["attempts"]) == ("hub-1", 1, 1)
    assert (spoke["content"], hub["content"]) == (None, None)


async def test_a_spoke_whose_configuration_is_unknown_is_taken_out_of_the_hub(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    await scene.settle()
    scene.keep.change("DELETE FROM configurations")
    del scene.spokes["ben"]
    assert await scene.worker.leave_spoke(scene.hub, "spoke-ben", erase_at=scene.clock())
    report = await _again(scene, "spoke-ben")
    assert report.complete, report
    assert scene.names("cy") == ["Ann"]


async def test_a_new_way_in_takes_the_place_of_the_one_that_is_remembered(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", TWO_WAY)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    right = scene.connection
    wrong = msgspec.structs.replace(
        right, auth=msgspec.structs.replace(right.auth, client_id=right.tenant_id)
    )
    scene.spokes["ben"] = msgspec.structs.replace(scene.spokes["ben"], connection=wrong)
    report = await scene.erase("ben")
    assert (report.complete, report.copies_remaining) == (False, 1)
    assert report.problems[0].reason == "ClientNotFound"
    (job,) = await scene.worker.erasures()
    assert job.report == msgspec.structs.replace(report, spokes={})
    report = await scene.worker.erase(
        "spoke-ben", spokes=list(scene.spokes.values()), connections=[right]
    )
    assert report.complete, report
    assert scene.held("ben") == []


async def test_an_attempt_while_a_pass_is_under_way_says_so_and_is_made_later(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    await scene.settle()
    await scene.leave("ben")
    store = scene.worker._store.hub("hub-1")
    store.acquire()
    report = await _again(scene, "spoke-ben")
    assert [problem.reason for problem in report.problems] == ["PassUnderWay"]
    store.release()
    assert (await _again(scene, "spoke-ben")).complete


def _receipts(scene: Scene) -> list[dict[str, Any]]:
    with scene.keep.connected() as connection:
        found = connection.execute(text("SELECT * FROM erasures ORDER BY number"))
        return [dict(row) for row in found.mappings()]
