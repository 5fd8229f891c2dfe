"""What the watches don't tell, on a real API server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from cirahub_operator import relist
from cirahub_operator.api import Resource, Spoke
from cirahub_operator.cluster import Cluster, Known
from cirahub_operator.errors import ClusterUnreachableError
from cirahub_operator.wakes import Wakes

from .conftest import QUICK, Operate
from .scripted import ScriptedEngine
from .stage import Stage, connection, hub, spoke

Event = tuple[type[Resource], str | None, Mapping[str, Any]]


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Event], bool]], None]:
    """`deaf(to)`: events that `to` is true for are lost on their way from the watch."""
    through = Wakes.event

    def lose(to: Callable[[Event], bool]) -> None:
        def told(
            self: Wakes, kind: type[Resource], event: str | None, body: Mapping[str, Any]
        ) -> None:
            if not to((kind, event, body)):
                through(self, kind, event, body)

        monkeypatch.setattr(Wakes, "event", told)

    return lose


async def test_no_hub_is_synced_with_a_part_of_its_spokes(
    stage: Stage, engine: ScriptedEngine, operate: Operate, deaf: Any
) -> None:
    names = [f"spoke-{number}" for number in range(20)]
    await stage.apply(connection(), hub(), *map(spoke, names))
    deaf(lambda event: event[0] is Spoke and event[2]["metadata"]["name"] > "spoke-15")
    async with operate():
        await stage.until(lambda: engine.passes)
        await stage.comes("hub", "staff", "True", "Synced")
    assert [one.names for one in engine.passes if len(one.spokes) != 20] == []
    assert engine.passes[0].names == sorted(names)


async def test_nothing_is_synced_while_the_spokes_can_not_be_listed(
    stage: Stage, engine: ScriptedEngine, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Cluster.known
    refusals: list[object] = []

    async def refused(self: Cluster, kind: type[Resource], namespace: str | None) -> Known:
        if kind is Spoke and len(refusals) < 3:
            assert engine.passes == []
            refusals.append(kind)
            raise ClusterUnreachableError("no answer")
        return await known(self, kind, namespace)

    monkeypatch.setattr(Cluster, "known", refused)
    monkeypatch.setattr(relist, "RETRY", 0.2)
    await stage.apply(connection(), hub(), spoke())
    async with operate():
        await stage.comes("hub", "staff", "True", "Synced")
    assert len(refusals) == 3
    assert engine.passes[0].names == ["ann"]


async def test_a_change_that_no_watch_told_of_is_found(
    stage: Stage, engine: ScriptedEngine, operate: Operate, deaf: Any
) -> None:
    async with operate(timing=replace(QUICK, relist_interval=0.2)):
        await stage.apply(
            connection(), hub(deletion={"gracePeriod": "0s"}), spoke("ann"), spoke("bob")
        )
        await stage.comes("hub", "staff", "True", "Synced")
        await stage.comes("spoke", "bob", "True", "Synced")
        deaf(lambda event: event[0] is Spoke)
        await stage.leaves("spoke", "ann")
        await stage.until(lambda: engine.passes[-1].names == ["bob"])
    assert engine.erased == ["erase spoke ann"]


async def test_a_deletion_that_no_watch_told_of_is_found(
    stage: Stage, engine: ScriptedEngine, operate: Operate, deaf: Any
) -> None:
    """As after a watch that was broken off for long: what is listed again is all that is told."""
    async with operate(timing=replace(QUICK, relist_interval=0.2)):
        await stage.apply(connection(), hub(), spoke("ann"), spoke("bob"))
        await stage.comes("spoke", "bob", "True", "Synced")
        await stage.comes("hub", "staff", "True", "Synced")
        deaf(lambda event: event[0] is Spoke)
        await stage.kubectl(
            "patch", "spoke", "ann", "--type=merge", "-p", '{"metadata":{"finalizers":null}}'
        )
        await stage.delete("spoke", "ann")
        await stage.until(lambda: engine.passes[-1].names == ["bob"])
    assert engine.erased == []


async def test_a_status_written_a_moment_ago_is_what_the_next_look_sees(
    stage: Stage, engine: ScriptedEngine, operate: Operate, deaf: Any
) -> None:
    """Though the watch has not told of it: else each look would write the same once more."""
    async with operate():
        await stage.synced(connection(), hub(), spoke())
        deaf(lambda event: event[0] is Spoke)
        await stage.apply(hub(suspend=True))
        await stage.comes("spoke", "ann", "False", "Suspended")
        before = await stage.get("spoke", "ann")
        await asyncio.sleep(1.1)  # lastTransitionTime, in whole seconds, would be another one
        await stage.apply(hub(suspend=True, interval="2h"))

        async def observed() -> bool:
            return bool((await stage.status("hub", "staff"))["observedGeneration"] == 3)

        await stage.until(observed)
        assert await stage.get("spoke", "ann") == before
        await stage.apply(hub(suspend=False))
        await stage.comes("spoke", "ann", "True", "Synced")
