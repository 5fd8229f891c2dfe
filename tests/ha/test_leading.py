"""That the engine of an operator that takes turns asks before it writes whether it is its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.engine.conftest import Handed, Scene, scene
from tests.operator.conftest import QUICK, connections_closed, engine, no_credentials
from tests.operator.scripted import ScriptedEngine
from tests.operator.stage import Stage

from cirahub_operator import operation
from cirahub_operator.credentials import ClusterCredentials
from cirahub_operator.operation import Operation, inline_runner
from cirahub_operator.runners import InlineRunner
from cirahub_operator.settings import Election, Settings
from cirahub_sync.configuration import Direction
from cirahub_sync.errors import LeaseLostError
from cirahub_sync.worker import WorkerSettings

__all__ = ["engine", "scene"]


class Source(Handed):
    async def close(self) -> None:
        return


async def source() -> Source:
    return Source()


def not_leading() -> None:
    raise LeaseLostError("another operator leads")


async def test_the_engine_asks_whether_this_operator_leads(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ClusterCredentials, "connect", source)
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    store = f"sqlite:///{tmp_path / 'engine.sqlite3'}"
    runner = inline_runner(msgspec.structs.replace(scene.settings, database=store), not_leading)
    runner.start()
    try:
        with pytest.raises(LeaseLostError, match="another operator leads"):
            await runner.run_pass(scene.hub, list(scene.spokes.values()))
    finally:
        await runner.close()
    assert scene.held("ben") == []


async def test_the_operator_tells_its_engine_by_its_lease(
    stage: Stage, engine: ScriptedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(stage.plane.kubeconfig))
    told: list[Callable[[], None]] = []

    def scripted(
        settings: WorkerSettings, leading: Callable[[], None] = lambda: None, workers: object = None
    ) -> InlineRunner:
        assert workers is None
        told.append(leading)
        return InlineRunner(settings, no_credentials, open_engine=lambda *_: engine)

    monkeypatch.setattr(operation, "inline_runner", scripted)
    running = Operation(
        Settings(
            database="sqlite://",
            key_file=tmp_path / "key",
            namespaces=(stage.namespace,),
            host="127.0.0.1",
            health_port=0,
            metrics_port=0,
            election=Election(namespace=stage.namespace),
            timing=QUICK,
        )
    )
    work = asyncio.create_task(running.run())
    await running.started.wait()
    told[0]()
    running.stop()
    await work
    await connections_closed()
    with pytest.raises(LeaseLostError, match=f"Lease {stage.namespace}/cirahub-operator is not"):
        told[0]()
