"""A Connection stays for as long as something that leaves is to be erased through it."""

from __future__ import annotations

from dataclasses import replace

from .conftest import QUICK, Operate
from .scripted import ERASED, ScriptedEngine
from .stage import NO_GRACE, Stage, connection, hub, spoke
from .test_leaving import FOUR_REMAIN, NOW, UNREACHABLE


async def test_a_connection_is_held_while_a_leaving_spoke_needs_it(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = UNREACHABLE
    async with operate():
        await stage.synced(connection(), hub(deletion=NO_GRACE), spoke())
        await stage.comes("connection", "contoso", "True", "SignedIn")
        await stage.delete("connection", "contoso")
        await stage.delete("spoke", "ann")
        await stage.comes("connection", "contoso", "False", "InUse")
        message = await stage.message("connection", "contoso")
        assert message.startswith("held until Spoke ann is erased, at most until 2")
        engine.erasure = ERASED
        await stage.goes("spoke", "ann")
        await stage.goes("connection", "contoso")
    assert [one.name for one in engine.erase_calls[-1].connections] == [
        f"{stage.namespace}/contoso"
    ]


async def test_a_connection_is_held_through_a_grace_period_unless_it_is_annotated(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"), spoke("bob"))
        await stage.leaves("spoke", "ann")
        await stage.delete("connection", "contoso")
        await stage.comes("connection", "contoso", "False", "InUse")
        (job,) = engine.jobs.values()
        message = await stage.message("connection", "contoso")
        assert "the grace period ends at 2" in message
        assert f"kubectl annotate connection contoso -n {stage.namespace} {NOW}" in message
        assert engine.erased == []
        await stage.annotate("connection", "contoso", NOW)
        await stage.goes("connection", "contoso")
    assert engine.erased == ["erase spoke ann"]
    assert job.id == engine.erase_calls[0].job


async def test_an_annotation_on_a_connection_that_stays_hastens_nothing(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"))
        await stage.annotate("connection", "contoso", NOW)
        await stage.leaves("spoke", "ann")
        await stage.says("hub", "staff", "1 spoke is leaving until ")
    assert engine.erased == []


async def test_a_connection_is_held_for_a_hub_without_an_object(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"))
        await stage.leaves("hub", "staff")
        await stage.delete("connection", "contoso")
        await stage.says("connection", "contoso", "held until Hub staff is erased")
        await stage.annotate("connection", "contoso", NOW)
        await stage.goes("connection", "contoso")
    assert engine.erased == ["erase hub staff"]


async def test_a_connection_is_let_go_after_the_erase_timeout_with_a_warning(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = FOUR_REMAIN
    async with operate(timing=replace(QUICK, erase_timeout=4.0)):
        await stage.synced(connection(), hub(deletion={"gracePeriod": "2s"}), spoke("ann"))
        await stage.leaves("spoke", "ann")
        await stage.delete("connection", "contoso")
        await stage.comes("connection", "contoso", "False", "InUse")
        await stage.goes("connection", "contoso")
        await stage.told("ErasureIncomplete", "Connection", "Spoke ann")
        tries = len(engine.erased)
        await stage.until(lambda: len(engine.erased) > tries)
    assert engine.jobs
    assert engine.erase_calls[-1].connections == ()


async def test_a_connection_that_nothing_needs_any_more_goes(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    """Who had left comes back elsewhere than through the Connection that was held for them."""
    async with operate():
        await stage.synced(connection(), connection("other"), hub(), spoke("ann"))
        await stage.leaves("spoke", "ann")
        await stage.leaves("connection", "other")
        await stage.delete("connection", "contoso")
        await stage.comes("connection", "contoso", "False", "InUse")
        found = await stage.get("connection", "contoso")
        assert found is not None
        assert found["metadata"]["finalizers"] == ["cirahub.io/finalizer"]
