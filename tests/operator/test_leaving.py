"""What is deleted is erased first, and held only as long as that is possible."""

from __future__ import annotations

from dataclasses import replace

from cirahub_sync.erasure import ErasureReport
from cirahub_sync.errors import EndpointUnavailableError

from .conftest import QUICK, Operate
from .scripted import ERASED, ScriptedEngine
from .stage import Stage, connection, hub, spoke

UNREACHABLE = EndpointUnavailableError("graph.microsoft.com does not answer")


async def test_a_deleted_spoke_is_erased_and_goes(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection(), hub(), spoke("ann"), spoke("bob"))
        await stage.comes("hub", "staff", "True", "Synced")
        await stage.delete("spoke", "ann")
        await stage.goes("spoke", "ann")
        await stage.until(lambda: engine.passes[-1].names == ["bob"])
        await stage.comes("hub", "staff", "True", "Synced")
    assert engine.erased == ["erase spoke ann"]
    assert (await stage.status("hub", "staff"))["spokes"]["total"] == 1


async def test_a_retained_spoke_goes_without_being_erased(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection(), hub(), spoke(deletionPolicy="Retain"))
        await stage.comes("spoke", "ann", "True", "Synced")
        await stage.delete("spoke", "ann")
        await stage.goes("spoke", "ann")
    assert engine.erased == ["retain spoke ann"]


async def test_a_spoke_that_cannot_be_reached_says_so_and_is_erased_once_it_can(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = UNREACHABLE
    async with operate():
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("spoke", "ann", "True", "Synced")
        await stage.delete("spoke", "ann")
        await stage.comes("spoke", "ann", "False", "ErasurePending")
        status = await stage.status("spoke", "ann")
        assert "does not answer" in status["conditions"][0]["message"]
        engine.erasure = ERASED
        await stage.goes("spoke", "ann")


async def test_a_spoke_is_let_go_after_the_erase_timeout_with_a_warning(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = ErasureReport(
        copies_deleted=0, items_erased=0, items_changed=0, copies_remaining=4
    )
    async with operate(timing=replace(QUICK, erase_timeout=2.0)) as operation:
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("spoke", "ann", "True", "Synced")
        await stage.delete("spoke", "ann")
        await stage.goes("spoke", "ann")
        assert b'cirahub_erasures_incomplete_total{kind="Spoke"} 1.0' in operation.metrics.text()
    events = await stage.kubectl("get", "events", "-o", "jsonpath={.items[*].reason}")
    assert "ErasureIncomplete" in events


async def test_a_spoke_whose_hub_does_not_exist_is_let_go_at_once(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = UNREACHABLE
    async with operate(timing=replace(QUICK, erase_timeout=1.0)):
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("spoke", "ann", "True", "Synced")
        await stage.delete("hub", "staff")
        await stage.goes("hub", "staff")
        await stage.comes("spoke", "ann", "False", "HubNotFound")
    async with operate():
        await stage.delete("spoke", "ann")
        await stage.goes("spoke", "ann")
    assert "erase spoke ann" not in engine.erased


async def test_a_spoke_that_never_synced_is_let_go_without_its_connection(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(hub(), spoke())
        await stage.comes("spoke", "ann", "False", "ConnectionNotFound")
        await stage.delete("spoke", "ann")
        await stage.goes("spoke", "ann")
    assert engine.erased == []


async def test_a_deleted_hub_is_erased_and_its_spokes_miss_it(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("hub", "staff", "True", "Synced")
        await stage.delete("hub", "staff")
        await stage.goes("hub", "staff")
        await stage.comes("spoke", "ann", "False", "HubNotFound")
    assert engine.erased == ["erase hub staff"]


async def test_a_connection_is_held_while_a_leaving_spoke_needs_it(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = UNREACHABLE
    async with operate():
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("spoke", "ann", "True", "Synced")
        await stage.comes("connection", "contoso", "True", "SignedIn")
        await stage.delete("connection", "contoso")
        await stage.delete("spoke", "ann")
        await stage.comes("connection", "contoso", "False", "InUse")
        engine.erasure = ERASED
        await stage.goes("spoke", "ann")
        await stage.goes("connection", "contoso")


async def test_everything_deleted_together_is_erased(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection(), hub(), spoke("ann"), spoke("bob"))
        await stage.comes("hub", "staff", "True", "Synced")
        await stage.kubectl("delete", "connections,hubs,spokes", "--all", "--timeout=25s")
    assert "erase hub staff" in engine.erased


async def test_a_spoke_deleted_while_nobody_looked_is_erased_later(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("spoke", "ann", "True", "Synced")
    await stage.delete("spoke", "ann")
    assert await stage.get("spoke", "ann") is not None
    async with operate():
        await stage.goes("spoke", "ann")
    assert engine.erased == ["erase spoke ann"]


async def test_deleting_a_spoke_stops_the_pass_that_runs(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection(), hub(), spoke("ann"), spoke("bob"))
        await stage.comes("hub", "staff", "True", "Synced")
        engine.hanging = True
        count = len(engine.passes)
        await stage.annotate("hub", "staff", "reconcile.cirahub.io/requestedAt=again")
        await stage.until(lambda: len(engine.passes) > count)
        await stage.delete("spoke", "ann")
        await stage.goes("spoke", "ann")
    assert engine.stopped
