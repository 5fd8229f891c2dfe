"""The inline runner: a thread of the operator, with an event loop of its own, hosts the engine.

The engine's CPU work then does not hold up Kopf's loop, its watches and the probes (but for the
interpreter's lock), and the store is used from one thread only, as the engine asks. Calls cross
over as tasks of the engine's loop; cancelling one here cancels it there, and waits for its end.

A pass in parts is coordinated here, too: who works on the parts is told by crews.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

import uvloop

from cirahub_operator.errors import RunnerStoppedError
from cirahub_operator.runners.base import Crews, Engine
from cirahub_sync.configuration import ConnectionConfig, HubConfig, SpokeConfig
from cirahub_sync.engine.report import PassReport
from cirahub_sync.engine.shared import Crew
from cirahub_sync.erasure import Erasure, ErasureReport
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.identity.base import CredentialSource, SignIn
from cirahub_sync.needs import READS_CONTACTS, Needs
from cirahub_sync.spoke_set import SpokeSetConfig
from cirahub_sync.worker import Progress, Worker, WorkerSettings

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

OpenEngine = Callable[[WorkerSettings, CredentialSource], Engine]
OpenCredentials = Callable[[], Awaitable["ClosableCredentials"]]
OpenCrews = Callable[[WorkerSettings], Awaitable[Crews]]

BEAT = 1.0
"""Seconds between two signs of life of the engine's loop."""


class ClosableCredentials(CredentialSource, Protocol):
    """A credential source that was made in the engine's loop and ends with it."""

    async def close(self) -> None: ...


class InlineRunner:
    def __init__(
        self,
        settings: WorkerSettings,
        credentials: OpenCredentials,
        *,
        open_engine: OpenEngine = Worker.open,
        open_crews: OpenCrews | None = None,
    ) -> None:
        """`open_crews`: for passes in parts, of which there are none without it."""
        self._settings = settings
        self._open_crews = open_crews
        self._crews: Crews | None = None
        self._open_credentials = credentials
        self._open_engine = open_engine
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._host, name="engine", daemon=True)
        self._started = threading.Event()
        self._last_beat = time.monotonic()
        self._engine: Engine | None = None
        self._credentials: ClosableCredentials | None = None
        self._opening: asyncio.Lock | None = None
        self._under_way = 0

    def start(self) -> None:
        self._thread.start()
        self._started.wait()

    @property
    def silent_for(self) -> float:
        """Seconds since the engine's loop last showed a sign of life; infinite if it is gone."""
        if not self._thread.is_alive():
            return float("inf")
        return time.monotonic() - self._last_beat

    @property
    def busy(self) -> bool:
        """Whether the engine has anything to do."""
        return self._under_way > 0

    async def check(self, connection: ConnectionConfig, *, needs: Needs = READS_CONTACTS) -> SignIn:
        return await self._call(lambda engine: engine.check(connection, needs=needs))

    async def run_pass(
        self,
        hub: HubConfig,
        spokes: Sequence[SpokeConfig],
        *,
        sets: Sequence[SpokeSetConfig] = (),
        approved: frozenset[str] = frozenset(),
        absent: int = 0,
        progress: Progress | None = None,
        in_parts: bool = False,
        notified_only: bool = False,
    ) -> PassReport:
        """`progress` is called in the engine's thread."""

        async def run(engine: Engine) -> PassReport:
            crew = self._crew(hub) if in_parts else None
            return await engine.run_pass(
                hub,
                spokes,
                sets=sets,
                approved=approved,
                absent=absent,
                progress=progress,
                crew=crew,
                notified_only=notified_only,
            )

        return await self._call(run)

    async def leave_spoke(
        self, hub: HubConfig, uid: str, *, erase_at: float, spoke: SpokeConfig | None = None
    ) -> bool:
        return await self._call(
            lambda engine: engine.leave_spoke(hub, uid, erase_at=erase_at, spoke=spoke)
        )

    async def leave_set(
        self, hub: HubConfig, uid: str, *, erase_at: float, retain: bool = False
    ) -> Sequence[str]:
        return await self._call(
            lambda engine: engine.leave_set(hub, uid, erase_at=erase_at, retain=retain)
        )

    async def leave_hub(
        self, hub: HubConfig, *, erase_at: float, spokes: Sequence[SpokeConfig] = ()
    ) -> bool:
        return await self._call(
            lambda engine: engine.leave_hub(hub, erase_at=erase_at, spokes=spokes)
        )

    async def erasures(self) -> Sequence[Erasure]:
        return await self._call(lambda engine: engine.erasures())

    async def erase(
        self,
        job: str,
        *,
        spokes: Sequence[SpokeConfig] | None = None,
        connections: Sequence[ConnectionConfig] = (),
        progress: Progress | None = None,
    ) -> ErasureReport:
        """`progress` is called in the engine's thread."""
        return await self._call(
            lambda engine: engine.erase(
                job, spokes=spokes, connections=connections, progress=progress
            )
        )

    async def retain_spoke(self, hub: HubConfig, spoke: SpokeConfig) -> None:
        await self._call(lambda engine: engine.retain_spoke(hub, spoke))

    async def retain_hub(self, hub: HubConfig) -> None:
        await self._call(lambda engine: engine.retain_hub(hub))

    async def close(self) -> None:
        """Close the engine and end the thread. Calls that still run are cancelled."""
        if self._loop is None:
            return
        await self._cross(self._shut_down())
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop = None

    async def _call(self, call: Callable[[Engine], Coroutine[Any, Any, Answer]]) -> Answer:
        async def inside() -> Answer:
            return await call(await self._opened())

        self._under_way += 1
        try:
            return await self._cross(inside())
        finally:
            self._under_way -= 1

    async def _cross(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Run a coroutine in the engine's loop. When cancelled, cancel it there and wait until
        it has come to its end, so that nothing runs on unseen."""
        loop = self._loop
        if loop is None or not self._thread.is_alive():
            work.close()
            raise RunnerStoppedError("the engine is not running; the operator is shutting down")
        here = asyncio.get_running_loop()
        ended = asyncio.Event()
        tasks: list[asyncio.Task[Answer]] = []

        def begin() -> None:
            task = loop.create_task(work)
            tasks.append(task)
            task.add_done_callback(lambda _: here.call_soon_threadsafe(ended.set))

        loop.call_soon_threadsafe(begin)
        try:
            await ended.wait()
        except asyncio.CancelledError:
            loop.call_soon_threadsafe(lambda: tasks[0].cancel())  # noqa: PLW0108 (there is a task only when that runs)
            await ended.wait()
            if not tasks[0].cancelled() and (error := tasks[0].exception()) is not None:
                logger.info("ended by %s while being cancelled", type(error).__name__)
            raise
        if tasks[0].cancelled():
            raise RunnerStoppedError("stopped, because the operator is shutting down")
        return tasks[0].result()

    async def _opened(self) -> Engine:
        """The engine, opened at first use and, as long as that fails, at every further one: a key
        or a database that appears later is found."""
        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:
            if self._credentials is None:
                self._credentials = await self._open_credentials()
            if self._crews is None and self._open_crews is not None:
                self._crews = await self._open_crews(self._settings)
            if self._engine is None:
                self._engine = self._open_engine(self._settings, self._credentials)
            return self._engine

    def _crew(self, hub: HubConfig) -> Crew:
        if self._crews is None:
            raise ConfigurationError(
                f"hub {hub.name}: there are no workers for a pass in parts: start the operator "
                "with --worker-template"
            )
        return self._crews.of(hub)

    async def _shut_down(self) -> None:
        rest = asyncio.all_tasks() - {asyncio.current_task(), self._beating}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        self._beating.cancel()
        if self._engine is not None:
            await self._engine.close()
        for opened in (self._credentials, self._crews):
            if opened is not None:
                await opened.close()

    def _host(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            self._loop = runner.get_loop()
            self._beating = self._loop.create_task(self._beat())
            self._loop.call_soon(self._started.set)
            self._loop.run_forever()

    async def _beat(self) -> None:
        while True:
            self._last_beat = time.monotonic()
            await asyncio.sleep(BEAT)
