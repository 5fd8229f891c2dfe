"""A namespace that is deleted takes its credentials along, and never waits for longer than the
erase timeout. With Kubernetes' own namespace controller."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from cluster import Cluster
from cluster.controlplane import ControlPlane

from .conftest import QUICK, Operate
from .scripted import ScriptedEngine
from .stage import Stage, connection, hub, spoke
from .test_leaving import FOUR_REMAIN

pytestmark = pytest.mark.usefixtures("namespace_controller")


@pytest.fixture
def namespace_controller(control_plane: Cluster) -> None:
    if isinstance(control_plane, ControlPlane) and not control_plane.has_controllers:
        pytest.skip("needs kube-controller-manager")


async def delete_namespace(stage: Stage) -> None:
    await asyncio.to_thread(
        stage.plane.kubectl, "delete", "namespace", stage.namespace, "--wait=false"
    )


async def namespace_gone(stage: Stage) -> None:
    async def gone() -> bool:
        path = f"/api/v1/namespaces/{stage.namespace}"
        return await asyncio.to_thread(stage.plane.get, path) is None

    # The namespace controller looks again after growing pauses of its own.
    explain = f"namespace {stage.namespace} still exists"
    await stage.until(gone, lambda: explain, within=180.0)


async def test_a_namespace_is_erased_before_it_goes_whatever_the_grace_period(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"), spoke("bob"))
        await delete_namespace(stage)
        await namespace_gone(stage)
    assert not engine.jobs
    assert not engine.known
    assert engine.erased


async def test_a_namespace_goes_after_the_erase_timeout_although_copies_remain(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.erasure = FOUR_REMAIN
    async with operate(timing=replace(QUICK, erase_timeout=4.0)) as operation:
        await stage.synced(connection(), hub(), spoke("ann"))
        await delete_namespace(stage)
        await stage.comes("connection", "contoso", "False", "InUse")
        await namespace_gone(stage)
        tries = len(engine.erased)
        await stage.until(lambda: len(engine.erased) > tries)
        labels = f'{{hub="staff",namespace="{stage.namespace}"}}'
        await stage.meters(operation.metrics, f"cirahub_erasure_copies_remaining{labels} 4.0")
    assert [job.whole_hub for job in engine.jobs.values()] == [True]


async def test_who_left_before_is_erased_with_the_namespace_and_not_after_its_grace_period(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"))
        await stage.leaves("hub", "staff")
        await stage.leaves("spoke", "ann")
        assert engine.erased == []
        await delete_namespace(stage)
        await namespace_gone(stage)
    assert engine.erased == ["erase hub staff"]
    assert not engine.jobs
