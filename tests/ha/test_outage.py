"""The API server goes away and comes back: what serves goes on, and what leads doesn't for long."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.operator.conftest import Operate, engine, operate
from tests.operator.scripted import ScriptedEngine
from tests.operator.stage import Stage, connection, hub, spoke

from cirahub_operator.operation import Operation
from cluster.controlplane import ControlPlane

from .conftest import Launch
from .test_silence import health

__all__ = ["engine", "operate"]


@contextmanager
def outage(plane: ControlPlane) -> Iterator[None]:
    """The API server is gone within, and back after it."""
    plane.stop_apiserver()
    try:
        yield
    finally:
        plane.start_apiserver()


async def test_an_operator_outlives_a_restart_and_works_off_what_came_after_it(
    own_control_plane: ControlPlane,
    stage: Stage,
    engine: ScriptedEngine,
    operate: Operate,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with operate() as operation:
        await stage.apply(connection(), hub(interval="5s"), spoke("ann"))
        await stage.comes("hub", "staff", "True", "Synced")
        caplog.clear()
        with caplog.at_level(logging.INFO), outage(own_control_plane):
            await stage.until(lambda: _reachable(operation) == 0.0)
            await asyncio.sleep(8)  # several attempts of every watch, and a retry of the pass
            assert (await health(operation))[0] == 200
        await stage.until(lambda: _reachable(operation) == 1.0)
        await stage.synced(spoke("bob"))
        await stage.says("hub", "staff", "2 spokes, 7 items")
        await stage.leaves("spoke", "ann")
        await stage.until(lambda: engine.passes[-1].names == ["bob"])
    loud = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert sum(one.startswith("the API server does not answer") for one in loud) == 1, loud
    assert sum(one.startswith("the API server answers again, after ") for one in loud) == 1, loud
    # What was under way when the connections broke may say so before anybody knows why.
    assert len(loud) <= 2 + len(("Hub", "Connection")), loud
    assert not [one for one in caplog.records if one.exc_info is not None], "tracebacks"


def _reachable(operation: Operation) -> float | None:
    return operation.metrics.registry.get_sample_value("cirahub_cluster_reachable")


async def test_a_pass_that_runs_when_the_server_goes_is_told_of_when_it_is_back(
    own_control_plane: ControlPlane, stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    over = threading.Event()

    def linger(report: object) -> None:
        assert over.wait(60)

    async with operate():
        await stage.apply(connection(), hub(suspend=True), spoke("ann"))
        await stage.comes("hub", "staff", "False", "Suspended")
        engine.shape = linger
        await stage.apply(hub(suspend=False))
        await asyncio.to_thread(engine.begun.wait)
        with outage(own_control_plane):
            over.set()
            await asyncio.sleep(1)
        await stage.comes("spoke", "ann", "True", "Synced")
        await stage.comes("hub", "staff", "True", "Synced")


async def test_a_leader_keeps_its_lease_over_a_short_outage(
    own_control_plane: ControlPlane, stage: Stage, launch: Launch
) -> None:
    async with launch("leader", "--lease-duration", "60s", "--renew-deadline", "40s") as leader:
        await stage.until(leader.leads)
        with outage(own_control_plane):
            await asyncio.sleep(2)
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("connection", "contoso", "False", "ServiceAccountNotFound")
        assert leader.process.returncode is None
        assert await leader.leads()


async def test_a_leader_that_cannot_renew_ends_and_is_followed_once_the_server_is_back(
    own_control_plane: ControlPlane, stage: Stage, launch: Launch, tmp_path: Path
) -> None:
    async with launch("leader") as leader:
        await stage.until(leader.leads)
        with outage(own_control_plane):
            assert await leader.process.wait() == 1
        assert leader.said("could not be renewed")
        assert not leader.said("Traceback"), (tmp_path / "leader.log").read_text()
    async with launch("next") as follower:
        await stage.until(follower.leads)
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("connection", "contoso", "False", "ServiceAccountNotFound")
