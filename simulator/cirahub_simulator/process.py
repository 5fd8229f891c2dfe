"""The simulator beside somebody else: a process of its own, or a thread in a test."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from cirahub_simulator.client import AdminClient
from cirahub_simulator.seed.loader import ORGANISATION, load_file
from cirahub_simulator.server import Ports, Simulator
from cirahub_simulator.world import World

PATIENCE = 30.0
"""Seconds to wait for the endpoints file."""


RECORDINGS = "CIRAHUB_SIMULATOR_RECORDINGS"
"""Environment variable: a folder in which every simulator of this module writes its recording.

So that a whole test run's answers can be checked against Graph's contract afterwards.
"""


class SimulatorFailedError(Exception):
    """The process ended, or never became ready; the message has what it wrote."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the simulator is; see `server.Endpoints`."""

    origins: dict[str, str]
    ca_file: str
    admin: str
    graph_http: str | None = None
    proxy: str = ""

    @property
    def entra(self) -> str:
        """Origin that stands for https://login.microsoftonline.com."""
        return self.origins["https://login.microsoftonline.com"]

    @property
    def graph(self) -> str:
        """Origin that stands for https://graph.microsoft.com."""
        return self.origins["https://graph.microsoft.com"]

    @property
    def outlook(self) -> str:
        """Origin that stands for https://outlook.office365.com."""
        return self.origins["https://outlook.office365.com"]

    def exchange(self, host: str) -> str:
        """Origin that stands for an Exchange Server's."""
        return self.origins[f"https://{host}"]

    def vault(self, name: str) -> str:
        """Origin that stands for a vault's."""
        return self.origins[f"https://{name}.vault.azure.net"]


class SimulatorProcess:
    """`with SimulatorProcess("--graph-http") as sim:` … `sim.endpoints`, `sim.admin`.

    Arguments are those of `cirahub simulate`. The process goes when the block ends, and also when
    the parent dies without ending it: it watches its standard input.
    """

    def __init__(self, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self._arguments: Sequence[str] = arguments
        self._environment = environment
        self._directory = tempfile.TemporaryDirectory(prefix="cirahub-simulator-")
        self._process: subprocess.Popen[bytes] | None = None
        self._log = Path(self._directory.name) / "log"
        self.endpoints_file = Path(self._directory.name) / "endpoints.json"

    def start(self) -> Self:
        """Start, and wait until it is ready. Raises SimulatorFailedError."""
        recording = _recording()
        if recording is not None and "--record" not in self._arguments:
            self._arguments = (*self._arguments, "--record", str(recording))
        command = [
            sys.executable,
            "-m",
            "cirahub_simulator",
            "--endpoints-file",
            str(self.endpoints_file),
            "--stop-with-stdin",
            *self._arguments,
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment or dict(os.environ),
            )
        give_up = time.monotonic() + PATIENCE
        while not self.endpoints_file.exists():
            if self._process.poll() is not None or time.monotonic() > give_up:
                written = self.output()
                self.stop()
                raise SimulatorFailedError(f"the simulator did not become ready: {written}")
            time.sleep(0.02)
        self.endpoints = msgspec.json.decode(self.endpoints_file.read_bytes(), type=Endpoints)
        self.admin = AdminClient(self.endpoints.admin)
        return self

    def stop(self) -> None:
        """End the process and remove its files."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        self._directory.cleanup()

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        if self._process is None:
            raise SimulatorFailedError("the simulator is not running")
        return self._process.pid

    def output(self) -> str:
        """What it wrote to its standard output and error."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class EmbeddedSimulator:
    """A simulator in a thread of this process: starts faster, and its `world` can be touched.

    Its own event loop runs in the thread, so blocking clients and any test's loop can talk to it.
    """

    def __init__(self, world: World, *, graph_http: bool = True) -> None:
        self.world = world
        self._ports = Ports(graph_http=0 if graph_http else None)
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._stop: Callable[[], object] = lambda: None

    def _run(self) -> None:
        with ExitStack() as stack:
            recording = _recording()
            if recording is not None:
                self.world.journal.record_to(stack.enter_context(recording.open("wb")))
            stack.enter_context(asyncio.Runner()).run(self._serve())

    async def _serve(self) -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._stop = lambda: loop.call_soon_threadsafe(stopped.set)
        try:
            async with Simulator(self.world, ports=self._ports) as simulator:
                found = simulator.endpoints
                self.endpoints = Endpoints(
                    found.origins, found.ca_file, found.admin, found.graph_http, found.proxy
                )
                self.admin = AdminClient(found.admin)
                self._ready.set_result(None)
                await stopped.wait()
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            raise

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.result(PATIENCE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        self._thread.join(PATIENCE)


def _recording() -> Path | None:
    folder = os.environ.get(RECORDINGS)
    return None if folder is None else Path(folder) / f"{uuid.uuid4().hex}.jsonl"


def shipped_world(**arguments: Any) -> World:
    """A world with the shipped organisation; arguments as `World` takes them."""
    world = World(**arguments)
    load_file(world, ORGANISATION)
    return world
