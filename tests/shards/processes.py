"""Workers and coordinators in processes of their own, over a scene."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from tests.chaos.runner import Spec
from tests.engine.conftest import SECRET, Scene
from tests.shards.runner import Lot

ROOT = Path(__file__).parents[2]
LEASE = 90.0


class Process:
    """One of them, and what it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []

    async def says(self, beginning: str) -> str:
        """The next line that begins so."""
        assert self._process.stdout is not None
        while line := (await self._process.stdout.readline()).decode().rstrip("\n"):
            self.lines.append(line)
            if line.startswith(beginning):
                return line
        raise AssertionError(f"ended without {beginning!r}: {self.lines}")

    async def ends(self) -> int:
        """Its exit code, when it has ended by itself."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(line.decode().rstrip("\n"))
        return await self._process.wait()

    def send(self, signum: signal.Signals) -> None:
        self._process.send_signal(signum)

    async def kill(self) -> None:
        if self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)
        await self._process.communicate()


@asynccontextmanager
async def started(
    scene: Scene, role: str, *, shard_size: int = 2, lease: float = LEASE
) -> AsyncIterator[Process]:
    """`role`: worker, coordinator, or PASS/ERRAND/PART, for that shard alone."""
    endpoints = scene.simulator.endpoints
    spec = Spec(
        database=scene.keep.url,
        key_file=str(scene.folder / "key"),
        installation=scene.installation,
        origins=endpoints.origins,
        ca_file=endpoints.ca_file,
        secret=SECRET,
        hub=scene.hub,
        spokes=list(scene.spokes.values()),
        ahead=scene.moved,
    )
    lot = Lot(spec=spec, lease=lease, shard_size=shard_size)
    file = scene.folder / f"{role.replace('/', '-')}.json"
    file.write_bytes(msgspec.json.encode(lot))
    process = Process(
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.shards.runner",
            str(file),
            role,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    )
    try:
        await process.says("ready")
        yield process
    finally:
        await process.kill()
