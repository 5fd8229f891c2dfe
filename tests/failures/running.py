"""The operator with its real engine and store, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.operator.conftest import connections_closed

from cirahub_operator.credentials import ClusterCredentials
from cirahub_operator.operation import Operation
from cirahub_operator.runners import InlineRunner
from cirahub_operator.settings import Election, OwnIdentity, Settings, Timing
from cirahub_sync.origins import Origins
from cirahub_sync.throttle import Throttle
from cirahub_sync.worker import Worker, WorkerSettings

QUICK = Timing(
    settle=0.02,
    retry_first=0.2,
    retry_most=1.0,
    check_interval=1.0,
    release_delay=1.0,
    erase_timeout=4.0,
    progress_interval=0.5,
    drain=1.0,
)
"""The retries and checks by which the operator comes right by itself, made short."""

WITHIN = 180.0


@dataclass(frozen=True, kw_only=True)
class Start:
    """How an operator is started."""

    kubeconfig: Path
    namespaces: tuple[str, ...]
    database: str
    key_file: Path
    origins: Origins
    timing: Timing = QUICK
    installation: str = ""
    own_identity: tuple[OwnIdentity, ...] = ()
    election: Election | None = None
    process: bool = False
    """In a process of its own."""
    clock: float = 0.0
    """By how many seconds that process's clock is wrong."""
    metrics_port: int = 0

    def settings(self) -> Settings:
        return Settings(
            database=self.database,
            key_file=self.key_file,
            installation=self.installation,
            namespaces=self.namespaces,
            origins=self.origins,
            own_identity=self.own_identity,
            election=self.election,
            host="127.0.0.1",
            health_port=0,
            metrics_port=self.metrics_port,
            timing=self.timing,
        )

    def but(self, **changes: object) -> Start:
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass
class Clock:
    """The engine's, which can be moved ahead."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Running:
    """`with Running(start) as operator`."""

    start: Start
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name="operator", daemon=True)
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._end: Callable[[], object] = lambda: None
        self._patch = pytest.MonkeyPatch()
        self.metrics_port = 0

    def __enter__(self) -> Self:
        self._patch.setenv("KUBECONFIG", str(self.start.kubeconfig))
        self._thread.start()
        if not self._ready.wait(WITHIN) or self._error is not None:
            self._patch.undo()
            raise AssertionError(f"the operator did not start: {self._error!r}") from self._error
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._thread.join(WITHIN)
        self._patch.undo()
        assert not self._thread.is_alive(), "the operator did not end"
        if self._error is not None:
            raise AssertionError("the operator failed") from self._error

    def samples(self) -> list[tuple[str, Mapping[str, str], float]]:
        """What a scrape finds."""
        return scraped(self.metrics_port)

    def _run(self) -> None:
        try:
            asyncio.run(self._operate())
        except BaseException as error:
            self._error = error  # told by whoever started it, or ends it
        finally:
            self._ready.set()

    async def _operate(self) -> None:
        operation = Operation(self.start.settings(), make_runner=self._runner)
        loop = asyncio.get_running_loop()
        self._end = lambda: loop.call_soon_threadsafe(operation.stop)
        running = asyncio.create_task(operation.run())
        starting = asyncio.create_task(_listening(operation))
        await asyncio.wait({running, starting}, return_when=asyncio.FIRST_COMPLETED)
        starting.cancel()
        if not running.done():
            self.metrics_port = operation.probes.metrics_port
            self._ready.set()
        await running
        await connections_closed()

    def _runner(self, settings: WorkerSettings) -> InlineRunner:
        return InlineRunner(
            settings,
            ClusterCredentials.connect,
            open_engine=lambda chosen, source: Worker.open(
                chosen,
                source,
                clock=self.clock,
                make_throttle=lambda: Throttle(clock=self.clock),
            ),
        )


async def _listening(operation: Operation) -> None:
    """Wait until metrics can be read."""
    while not operation.probes.metrics_port:  # noqa: ASYNC110 (nobody tells)
        await asyncio.sleep(0.02)


def scraped(port: int) -> list[tuple[str, Mapping[str, str], float]]:
    """Names, labels and values of the metrics on a port of this machine."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=WITHIN) as answer:
        text = answer.read().decode()
    return [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
