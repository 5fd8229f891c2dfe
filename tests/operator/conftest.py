"""What the operator's tests share: a stage on a real API server, and an operator on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from cirahub_operator.operation import OpenMailroom, Operation, mailroom
from cirahub_operator.runners import InlineRunner, JobCrews
from cirahub_operator.settings import Notifications, Settings, Timing, Workers
from cirahub_sync.configuration import SecretFile
from cirahub_sync.identity.base import AccessToken, Material
from cirahub_sync.worker import WorkerSettings
from cluster import Cluster

from .scripted import ScriptedEngine
from .stage import Stage

ROOT = Path(__file__).parents[2]

QUICK = Timing(
    settle=0.02,
    retry_first=0.1,
    retry_most=0.5,
    erase_retry_most=1.0,
    backlog_interval=0.2,
    release_delay=3.0,
    progress_interval=0.2,
    drain=1.0,
)

Operate = Callable[..., AbstractAsyncContextManager[Operation]]


class NoCredentials:
    """The scripted engine asks for none."""

    async def secret(self, reference: SecretFile) -> Material:
        raise AssertionError(reference)

    async def service_account_token(self, service_account: str, audience: str) -> AccessToken:
        raise AssertionError(service_account)

    async def close(self) -> None:
        return


async def no_credentials() -> NoCredentials:
    return NoCredentials()


async def connections_closed() -> None:
    """Wait for TLS connections that were closed to be so: their end is an exchange, too, and a loop
    that ends before it leaves a socket behind. Source: aiohttp's documentation, "Graceful
    Shutdown"; Kopf leaves it to whoever runs the loop."""
    transports = asyncio.get_running_loop()._transports  # type: ignore[attr-defined]
    async with asyncio.timeout(60):
        while any(one._sock is not None for one in transports.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture(scope="session")
def definitions(control_plane: Cluster) -> None:
    """Our custom resource definitions, applied and served."""
    control_plane.kubectl("apply", "--server-side", "-f", ROOT / "crds")
    control_plane.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=120s")


@pytest.fixture
def stage(control_plane: Cluster, definitions: None, namespace: str) -> Iterator[Stage]:
    stage = Stage(control_plane, namespace)
    yield stage
    stage.leave()


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def operate(
    stage: Stage, engine: ScriptedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Operate:
    """`async with operate() as operation`: an operator that serves the stage's namespace, and
    `also` others, with the scripted engine, which opens no database, and has `workers`, if any."""
    monkeypatch.setenv("KUBECONFIG", str(stage.plane.kubeconfig))

    @asynccontextmanager
    async def started(
        timing: Timing = QUICK,
        also: tuple[str, ...] = (),
        workers: Workers | None = None,
        notifications: Notifications | None = None,
        open_mailroom: OpenMailroom = mailroom,
    ) -> AsyncIterator[Operation]:
        def make_runner(settings: WorkerSettings) -> InlineRunner:
            return InlineRunner(
                settings,
                no_credentials,
                open_engine=lambda *_: engine,
                open_crews=None if workers is None else partial(JobCrews.connect, workers),
            )

        settings = Settings(
            database="sqlite://" if workers is None else "postgresql://db.example/cirahub",
            workers=workers,
            key_file=tmp_path / "key",
            namespaces=(stage.namespace, *also),
            host="127.0.0.1",
            health_port=0,
            metrics_port=0,
            notifications=notifications,
            timing=timing,
        )
        operation = Operation(settings, make_runner=make_runner, open_mailroom=open_mailroom)
        running = asyncio.create_task(operation.run())
        starting = asyncio.create_task(operation.started.wait())
        await asyncio.wait({running, starting}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            starting.cancel()
            await running
        try:
            yield operation
        finally:
            operation.stop()
            await running
            await connections_closed()

    return started
