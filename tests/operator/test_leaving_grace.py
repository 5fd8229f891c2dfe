"""With a grace period, a name is free at once, and who comes back in time takes up their place."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime

from cirahub_sync.errors import KeyUnavailableError

from .conftest import QUICK, Operate
from .scripted import ERASED, ScriptedEngine
from .stage import NO_GRACE, Stage, connection, hub, spoke
from .test_leaving import FOUR_REMAIN, NOW, UNREACHABLE

SHORT = {"gracePeriod": "4s"}


async def test_a_deleted_spoke_is_let_go_at_once_and_erased_later(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate() as operation:
        await stage.synced(connection(), hub(deletion=SHORT), spoke("ann"), spoke("bob"))
        before = time.time()
        await stage.leaves("spoke", "ann")
        (job,) = engine.jobs.values()
        assert int(before) + 4 <= job.erase_at <= time.time() + 4
        assert engine.erased == []
        await stage.told("Leaving", "Spoke", "unless it is created again")
        await stage.meters(operation.metrics, "cirahub_erasures_open{")
        await stage.until(lambda: engine.erased == ["erase spoke ann"])
        assert time.time() >= job.erase_at
        await stage.told("Erased", "Hub", "Spoke ann: ")
        assert [one.name for one in engine.erase_calls[0].connections] == [
            f"{stage.namespace}/contoso"
        ]
        await stage.says("hub", "staff", "1 spoke, 7 items")

        async def nobody_leaves() -> bool:
            return "leaving" not in await stage.status("hub", "staff")

        await stage.until(nobody_leaves, lambda: "the hub still lists who is erased")


async def test_the_hub_lists_who_is_leaving_and_until_when(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    names = [f"spoke-{number:02}" for number in range(12)]
    async with operate():
        await stage.apply(connection(), hub(), spoke("ann"), *map(spoke, names))
        await stage.comes("hub", "staff", "True", "Synced")
        await stage.delete("spoke", "ann")
        message = await stage.says("hub", "staff", "1 spoke is leaving until ")
        (job,) = engine.jobs.values()
        leaving = (await stage.status("hub", "staff"))["leaving"]
        assert leaving["total"] == 1
        assert leaving["spokes"][0]["name"] == "ann"
        shown = datetime.fromisoformat(leaving["spokes"][0]["eraseAt"]).timestamp()
        assert shown == job.erase_at
        assert leaving["spokes"][0]["eraseAt"] in message
        await stage.kubectl("delete", "spokes", "--all", "--wait=false")
        await stage.says("hub", "staff", "13 spokes are leaving, the last of them until ")
        leaving = (await stage.status("hub", "staff"))["leaving"]
        assert leaving["total"] == 13
        assert len(leaving["spokes"]) == 10


async def test_a_spoke_that_is_created_again_on_its_target_takes_up_its_place(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"))
        await stage.leaves("spoke", "ann")
        assert engine.jobs
        await stage.synced(spoke("anna", mailbox={"address": "ann@contoso.com"}))
        await stage.says("hub", "staff", "1 spoke, 7 items")
        assert not engine.jobs
        assert "leaving" not in await stage.status("hub", "staff")
    assert engine.erased == []


async def test_who_comes_back_while_nobody_looked_is_synced_before_anything_is_erased(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(deletion=SHORT), spoke("ann"))
        await stage.leaves("spoke", "ann")
    (job,) = engine.jobs.values()
    await stage.apply(spoke("ann"))
    await stage.until(lambda: time.time() > job.erase_at)
    async with operate():
        await stage.comes("spoke", "ann", "True", "Synced")
        await stage.comes("hub", "staff", "True", "Synced")
    assert engine.erased == []


async def test_an_operator_that_starts_after_the_grace_period_erases(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(deletion=SHORT), spoke("ann"))
        await stage.leaves("spoke", "ann")
    (job,) = engine.jobs.values()
    await stage.until(lambda: time.time() > job.erase_at)
    assert engine.erased == []
    async with operate():
        await stage.until(lambda: not engine.jobs)
    assert engine.erased == ["erase spoke ann"]


async def test_annotating_the_hub_ends_the_grace_period_of_who_has_left(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = FOUR_REMAIN
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"))
        await stage.leaves("spoke", "ann")
        assert engine.erased == []
        await stage.annotate("hub", "staff", NOW)
        await stage.until(lambda: len(engine.erased) > 1)
        engine.erasure = ERASED
        await stage.until(lambda: not engine.jobs)


async def test_a_suspended_hub_erases_who_left_it(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(deletion=SHORT), spoke("ann"))
        await stage.apply(hub(deletion=SHORT, suspend=True))
        await stage.comes("hub", "staff", "False", "Suspended")
        await stage.delete("spoke", "ann")
        await stage.until(lambda: engine.erased == ["erase spoke ann"])
        await stage.comes("hub", "staff", "False", "Suspended")


async def test_an_erasure_that_fails_after_the_grace_period_is_told_of_and_tried_on(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = UNREACHABLE
    async with operate(timing=replace(QUICK, erase_timeout=1.0)) as operation:
        await stage.synced(connection(), hub(deletion={"gracePeriod": "1s"}), spoke("ann"))
        await stage.delete("spoke", "ann")
        await stage.comes("hub", "staff", "True", "CopiesUnreachable", of="ErasureIncomplete")
        assert "does not answer" in await stage.message("hub", "staff", of="ErasureIncomplete")
        await stage.comes("hub", "staff", "True", "NoSpokes")
        await stage.told("ErasureIncomplete", "Hub", "Spoke ann is not erased after")
        await stage.meters(operation.metrics, 'cirahub_erasures_incomplete_total{kind="Spoke"} 1.0')
        engine.erasure = ERASED
        await stage.comes("hub", "staff", "", "", of="ErasureIncomplete")


async def test_an_operator_that_restarts_shows_what_is_incomplete_again(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = FOUR_REMAIN
    async with operate():
        await stage.synced(connection(), hub(deletion={"gracePeriod": "1s"}), spoke("ann"))
        await stage.delete("spoke", "ann")
        await stage.comes("hub", "staff", "True", "CopiesUnreachable", of="ErasureIncomplete")
    engine.erasing_hangs = True
    async with operate() as operation:
        await stage.until(lambda: b"cirahub_erasure_copies_remaining{" in operation.metrics.text())
        engine.erasing_hangs = False
        await stage.annotate("hub", "staff", "reconcile.cirahub.io/requestedAt=1")
        await stage.comes("hub", "staff", "True", "CopiesUnreachable", of="ErasureIncomplete")


async def test_a_deleted_hub_is_let_go_at_once_and_resumes_when_it_is_created_again(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"))
        await stage.leaves("hub", "staff")
        message = await stage.says("spoke", "ann", "it is leaving until ")
        assert "create it again to resume" in message
        await stage.comes("spoke", "ann", "False", "HubNotFound")
        assert [job.whole_hub for job in engine.jobs.values()] == [True]
        await stage.synced(hub())
        await stage.comes("spoke", "ann", "True", "Synced")
        assert not engine.jobs
    assert engine.erased == []


async def test_a_hub_that_is_created_again_while_suspended_is_not_erased(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(deletion=SHORT), spoke("ann"))
        await stage.leaves("hub", "staff")
        (job,) = engine.jobs.values()
        await stage.apply(hub(suspend=True))
        await stage.comes("hub", "staff", "False", "Suspended")
        await stage.until(lambda: time.time() > job.erase_at + 1)
        await stage.annotate("hub", "staff", "reconcile.cirahub.io/requestedAt=1")
        await stage.synced(hub(suspend=False))
    assert engine.erased == []


async def test_a_hub_without_an_object_is_erased_when_its_grace_period_is_over(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(deletion=SHORT), spoke("ann"))
        await stage.leaves("hub", "staff")
        assert engine.erased == []
        await stage.until(lambda: not engine.jobs)
        await stage.says("spoke", "ann", "create it, or delete this Spoke")
    assert engine.erased == ["erase hub staff"]


async def test_a_hub_of_which_no_object_is_left_is_erased_by_an_operator_that_starts(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(deletion=SHORT), spoke("ann"))
        await stage.delete("hub", "staff")
        await stage.delete("spoke", "ann")
        await stage.goes("hub", "staff")
        await stage.goes("spoke", "ann")
    assert engine.jobs
    await stage.tear_away("connection", "contoso")
    engine.store_error = KeyUnavailableError("there is no key")
    async with operate() as operation:
        await stage.until(lambda: operation.probes is not None)
        engine.store_error = None
        await stage.until(lambda: not engine.jobs)
    assert engine.erased == ["erase hub staff"]


async def test_a_spoke_deleted_while_its_hub_is_leaving_is_part_of_that(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"))
        await stage.delete("hub", "staff")
        await stage.comes("spoke", "ann", "False", "HubNotFound")
        await stage.leaves("spoke", "ann")
    assert [job.whole_hub for job in engine.jobs.values()] == [True]


async def test_a_spoke_whose_hub_was_torn_away_leaves_by_itself(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    """Nobody has recorded that the hub leaves."""
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"))
    await stage.tear_away("hub", "staff")
    async with operate():
        await stage.comes("spoke", "ann", "False", "HubNotFound")
        await stage.annotate("spoke", "ann", NOW)
        await stage.leaves("spoke", "ann")
        await stage.until(lambda: engine.erased == ["erase spoke ann"])


async def test_a_hub_in_which_nothing_was_synced_goes_without_a_trace(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(hub())
        await stage.comes("hub", "staff", "True", "NoSpokes")
        await stage.leaves("hub", "staff")
    assert not engine.jobs
    assert engine.erased == []


async def test_no_grace_is_what_the_hub_says_when_the_spoke_is_deleted(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    """A grace period that was given keeps running although the Hub's is zero by now."""
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"), spoke("bob"))
        await stage.leaves("spoke", "ann")
        await stage.apply(hub(deletion=NO_GRACE))
        await stage.leaves("spoke", "bob")
    assert engine.erased == ["erase spoke bob"]
    assert [job.name for job in engine.jobs.values()] == [f"{stage.namespace}/ann"]
