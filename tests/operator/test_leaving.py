"""Without a grace period, what is deleted is erased first, and held only as long as that is
possible."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from cirahub_sync.engine.report import Counts, PassReport, SpokeReport
from cirahub_sync.erasure import ErasureReport
from cirahub_sync.errors import EndpointUnavailableError, KeyUnavailableError

from .conftest import QUICK, Operate
from .scripted import ERASED, ScriptedEngine
from .stage import NO_GRACE, Stage, connection, hub, spoke

UNREACHABLE = EndpointUnavailableError("graph.microsoft.com does not answer")
FOUR_REMAIN = ErasureReport(copies_deleted=0, items_erased=0, items_changed=0, copies_remaining=4)
NOW = "cirahub.io/erase=now"


async def test_a_deleted_spoke_is_erased_and_goes(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate() as operation:
        await stage.synced(connection(), hub(deletion=NO_GRACE), spoke("ann"), spoke("bob"))
        await stage.leaves("spoke", "ann")
        await stage.until(lambda: engine.passes[-1].names == ["bob"])
        await stage.comes("hub", "staff", "True", "Synced")
        await stage.told("Erased", "Spoke")
        await stage.told("Erased", "Hub", "Spoke ann: 3 copies deleted, 2 items erased")
        await stage.meters(
            operation.metrics,
            'cirahub_erasures_completed_total{kind="Spoke"} 1.0',
            absent="cirahub_erasures_open{",
        )
    assert engine.erased == ["erase spoke ann"]
    assert [one.name for one in engine.erase_calls[0].spokes or ()] == [f"{stage.namespace}/bob"]
    assert (await stage.status("hub", "staff"))["spokes"]["total"] == 1


async def test_an_annotation_on_the_spoke_takes_its_grace_period_away(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = FOUR_REMAIN
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"))
        await stage.annotate("spoke", "ann", NOW)
        await stage.delete("spoke", "ann")
        await stage.comes("spoke", "ann", "False", "ErasurePending")
        engine.erasure = ERASED
        await stage.goes("spoke", "ann")
        await stage.until(lambda: not engine.jobs)


async def test_an_annotation_on_the_hub_takes_its_spokes_grace_period_away(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = FOUR_REMAIN
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"))
        await stage.annotate("hub", "staff", NOW)
        await stage.delete("spoke", "ann")
        await stage.comes("spoke", "ann", "False", "ErasurePending")
        engine.erasure = ERASED
        await stage.goes("spoke", "ann")


async def test_a_retained_spoke_goes_without_being_erased(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(), spoke(deletionPolicy="Retain"))
        await stage.leaves("spoke", "ann")
    assert engine.erased == ["retain spoke ann"]


async def test_a_spoke_that_cannot_be_reached_says_so_and_is_erased_once_it_can(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = UNREACHABLE
    async with operate():
        await stage.synced(connection(), hub(deletion=NO_GRACE), spoke())
        await stage.delete("spoke", "ann")
        await stage.comes("spoke", "ann", "False", "ErasurePending")
        assert "does not answer" in await stage.message("spoke", "ann")
        await stage.comes("hub", "staff", "True", "CopiesUnreachable", of="ErasureIncomplete")
        engine.erasure = ERASED
        await stage.goes("spoke", "ann")
        await stage.comes("hub", "staff", "", "", of="ErasureIncomplete")


async def test_a_spoke_is_let_go_after_the_erase_timeout_and_its_erasure_goes_on(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = FOUR_REMAIN
    async with operate(timing=replace(QUICK, erase_timeout=2.0)) as operation:
        await stage.synced(connection(), hub(deletion=NO_GRACE), spoke())
        await stage.leaves("spoke", "ann")
        await stage.meters(operation.metrics, 'cirahub_erasures_incomplete_total{kind="Spoke"} 1.0')
        await stage.told("ErasureIncomplete", "Spoke", "4 copies remain")
        tries = len(engine.erased)
        await stage.until(lambda: len(engine.erased) > tries + 1)
        message = await stage.says("hub", "staff", "4 copies remain", of="ErasureIncomplete")
        assert message.startswith("Spoke ann: ")
        assert "cirahub erase --resume" in message
        await stage.comes("hub", "staff", "True", "NoSpokes")
        labels = f'{{hub="staff",namespace="{stage.namespace}"}}'
        await stage.meters(
            operation.metrics,
            f"cirahub_erasures_open{labels} 1.0",
            f"cirahub_erasure_copies_remaining{labels} 4.0",
            'cirahub_erasures_incomplete_total{kind="Spoke"} 1.0',
        )
        engine.erasure = ERASED
        await stage.comes("hub", "staff", "", "", of="ErasureIncomplete")
        await stage.meters(operation.metrics, absent="cirahub_erasures_open{")


async def test_asking_for_a_reconcile_tries_an_erasure_at_once(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = FOUR_REMAIN
    async with operate(timing=replace(QUICK, retry_first=3600.0, retry_most=3600.0)):
        await stage.synced(connection(), hub(deletion=NO_GRACE), spoke())
        await stage.delete("spoke", "ann")
        await stage.comes("spoke", "ann", "False", "ErasurePending")
        assert len(engine.erased) == 1
        engine.erasure = ERASED
        await stage.annotate("hub", "staff", "reconcile.cirahub.io/requestedAt=now")
        await stage.goes("spoke", "ann")
    assert len(engine.erased) == 2


async def test_an_erasure_is_tried_at_once_when_its_connection_can_sign_in_again(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    """Nobody names the Connection any more but the erasure."""
    quick = replace(
        QUICK, erase_timeout=1.0, erase_retry_most=3600.0, retry_most=3600.0, retry_first=3600.0
    )
    engine.erasure = FOUR_REMAIN
    async with operate(timing=quick):
        await stage.synced(connection(), hub(deletion=NO_GRACE), spoke())
        await stage.leaves("spoke", "ann")
        engine.check_error = UNREACHABLE
        await stage.annotate("connection", "contoso", "reconcile.cirahub.io/requestedAt=1")
        await stage.comes("connection", "contoso", "False", "EndpointUnavailable")
        engine.check_error = None
        engine.erasure = ERASED
        await stage.annotate("connection", "contoso", "reconcile.cirahub.io/requestedAt=2")
        await stage.comes("hub", "staff", "", "", of="ErasureIncomplete")
        await stage.until(lambda: not engine.jobs)


async def test_a_spoke_that_never_synced_is_let_go_without_its_connection(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(hub(), spoke("ann"))
        await stage.comes("spoke", "ann", "False", "ConnectionNotFound")
        await stage.leaves("spoke", "ann")
    assert engine.erased == []


async def test_what_never_synced_leaves_nothing_to_be_erased_to_a_store_that_knows_no_hub(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection(), hub(suspend=True), spoke("ann"), spoke("bob"))
        await stage.comes("spoke", "ann", "False", "Suspended")
        await stage.leaves("spoke", "ann")
        await stage.leaves("hub", "staff")
    assert not engine.jobs


async def test_what_a_lost_store_does_not_know_is_erased_all_the_same(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    def copies(report: PassReport) -> None:
        for one in report.spokes.values():
            one.counts.copies = 3

    engine.shape = copies
    async with operate():
        await stage.synced(connection(), hub(suspend=False), spoke("ann"))
        await stage.apply(hub(suspend=True))
        await stage.comes("spoke", "ann", "False", "Suspended")
        engine.hubs.clear()
        engine.known.clear()
        await stage.leaves("spoke", "ann")
    assert [job.name for job in engine.jobs.values()] == [f"{stage.namespace}/ann"]


async def test_what_never_synced_is_let_go_although_the_store_cannot_be_opened(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.pass_error = engine.store_error = KeyUnavailableError("there is no key")
    async with operate():
        await stage.apply(connection(), hub(), spoke("ann"), spoke("bob"))
        await stage.comes("spoke", "ann", "False", "KeyUnavailable")
        await stage.leaves("spoke", "ann")
        await stage.leaves("hub", "staff")
        await stage.leaves("spoke", "bob")


async def test_what_synced_waits_for_the_store_at_most_for_the_erase_timeout(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate(timing=replace(QUICK, erase_timeout=4.0)):
        await stage.synced(connection(), hub(), spoke("ann"), spoke("bob"))
        engine.store_error = KeyUnavailableError("there is no key")
        await stage.delete("spoke", "ann")
        await stage.comes("spoke", "ann", "False", "ErasurePending")
        assert "there is no key" in await stage.message("spoke", "ann")
        await stage.goes("spoke", "ann")
        await stage.told("ErasureIncomplete", "Spoke", "there is no key")
        engine.store_error = None
        await stage.leaves("spoke", "bob")
        assert [job.name for job in engine.jobs.values()] == [f"{stage.namespace}/bob"]


async def test_a_spoke_whose_connection_is_gone_is_erased_by_what_the_store_knows_of_it(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(deletion=NO_GRACE), spoke())
        await stage.leaves("connection", "contoso")
        await stage.leaves("spoke", "ann")
    assert engine.erased == ["erase spoke ann"]
    assert engine.erase_calls[0].connections == ()


async def test_a_deleted_hub_is_erased_and_its_spokes_miss_it(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = FOUR_REMAIN
    async with operate() as operation:
        await stage.synced(connection(), hub(deletion=NO_GRACE), spoke())
        await stage.delete("hub", "staff")
        await stage.comes("hub", "staff", "False", "ErasurePending")
        engine.erasure = ERASED
        await stage.goes("hub", "staff")
        await stage.comes("spoke", "ann", "False", "HubNotFound")
        await stage.told("Erased", "Hub", "Hub staff: 3 copies deleted")
        await stage.meters(operation.metrics, 'cirahub_erasures_completed_total{kind="Hub"} 1.0')
    assert engine.erased[-1] == "erase hub staff"


async def test_a_hub_is_let_go_after_the_erase_timeout_and_its_erasure_goes_on_without_it(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = FOUR_REMAIN
    async with operate(timing=replace(QUICK, erase_timeout=2.0)) as operation:
        await stage.synced(connection(), hub(deletion=NO_GRACE), spoke())
        await stage.leaves("hub", "staff")
        await stage.told("ErasureIncomplete", "Hub", "4 copies remain")
        await stage.says("spoke", "ann", "the one that was deleted is being erased")
        tries = len(engine.erased)
        await stage.until(lambda: len(engine.erased) > tries)
        assert engine.erase_calls[-1].spokes is None
        assert [one.name for one in engine.erase_calls[-1].connections] == [
            f"{stage.namespace}/contoso"
        ]
        await stage.meters(operation.metrics, "cirahub_erasures_open{")
        engine.erasure = ERASED
        await stage.says("spoke", "ann", "create it, or delete this Spoke")
        await stage.meters(operation.metrics, absent="cirahub_erasures_open{")


async def test_a_hub_is_not_synced_before_the_one_of_its_name_is_erased(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = FOUR_REMAIN
    async with operate(timing=replace(QUICK, erase_timeout=1.0)):
        await stage.synced(connection(), hub(deletion=NO_GRACE), spoke())
        await stage.leaves("hub", "staff")
        passes = len(engine.passes)
        await stage.apply(hub())
        await stage.comes("hub", "staff", "False", "ErasurePending")
        assert "4 copies remain" in await stage.message("hub", "staff")
        await stage.comes("spoke", "ann", "False", "ErasurePending")
        assert len(engine.passes) == passes
        engine.erasure = ERASED
        await stage.comes("hub", "staff", "True", "Synced")
        await stage.comes("spoke", "ann", "True", "Synced")


async def test_a_retained_hub_goes_once_the_spokes_that_left_it_are_erased(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(deletionPolicy="Retain"), spoke("ann"), spoke("bob"))
        await stage.leaves("spoke", "ann")
        assert engine.erased == []
        await stage.leaves("hub", "staff")
    assert engine.erased == ["erase spoke ann", "retain hub staff"]


async def test_a_retained_spoke_keeps_its_copies_when_it_is_deleted_with_its_hub(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"), spoke("bob", deletionPolicy="Retain"))
    await stage.delete("spoke", "bob")
    await stage.delete("hub", "staff")
    async with operate():
        await stage.goes("hub", "staff")
        await stage.goes("spoke", "bob")
    assert engine.erased == ["retain spoke bob"]


async def test_everything_deleted_together_is_erased(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(deletion=NO_GRACE), spoke("ann"), spoke("bob"))
        await stage.kubectl("delete", "connections,hubs,spokes", "--all", "--timeout=120s")
        await stage.until(lambda: not engine.jobs)
    assert not engine.known


async def test_a_spoke_deleted_while_nobody_looked_is_erased_later(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(deletion=NO_GRACE), spoke())
    await stage.delete("spoke", "ann")
    assert await stage.get("spoke", "ann") is not None
    async with operate():
        await stage.goes("spoke", "ann")
    assert engine.erased == ["erase spoke ann"]


async def test_an_operator_that_is_stopped_while_erasing_goes_on_when_it_is_back(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(deletion=NO_GRACE), spoke())
        engine.erasing_hangs = True
        await stage.delete("spoke", "ann")
        await stage.until(lambda: engine.erased)
    assert engine.stopped
    assert await stage.get("spoke", "ann") is not None
    engine.erasing_hangs = False
    async with operate():
        await stage.goes("spoke", "ann")
    assert not engine.jobs


async def test_deleting_a_spoke_stops_the_pass_that_runs(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"), spoke("bob"))
        engine.hanging = True
        count = len(engine.passes)
        await stage.annotate("hub", "staff", "reconcile.cirahub.io/requestedAt=again")
        await stage.until(lambda: len(engine.passes) > count)
        await stage.leaves("spoke", "ann")
    assert engine.stopped


async def test_deleting_a_spoke_stops_the_erasure_of_another_that_hangs(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"), spoke("bob"))
        engine.erasing_hangs = True
        await stage.annotate("spoke", "ann", NOW)
        await stage.delete("spoke", "ann")
        await stage.until(lambda: engine.erased)
        await stage.leaves("spoke", "bob")
        assert await stage.get("spoke", "ann") is not None
    assert engine.stopped


async def test_what_an_erasure_does_at_the_others_counts_among_their_changes(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate() as operation:
        await stage.synced(connection(), hub(deletion=NO_GRACE), spoke("ann"), spoke("bob"))
        reports = {
            config.uid: SpokeReport(config.uid, config.name, counts=Counts(deleted=2))
            for config in engine.passes[-1].spokes
        }
        assert len(reports) == 2
        engine.erasure = msgspec.structs.replace(ERASED, spokes=reports)
        await stage.leaves("spoke", "ann")
        await stage.meters(operation.metrics, 'result="deleted"')
        deleted = [
            line
            for line in operation.metrics.text().decode().splitlines()
            if line.startswith("cirahub_spoke_changes_total{") and 'result="deleted"' in line
        ]
    assert len(deleted) == 1
    assert 'spoke="bob"' in deleted[0]
    assert deleted[0].endswith(" 2.0")
