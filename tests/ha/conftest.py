"""Operators as processes of their own, on a real API server, that take turns."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from tests.operator.conftest import definitions, stage
from tests.operator.stage import Stage

__all__ = ["definitions", "stage"]


def program(first: str = "") -> str:
    """The command, in Python; `first` is done before it."""
    return f"import sys\n{first}\nfrom cirahub_operator.cli import main\nmain()"


QUICK = ("--lease-duration", "6s", "--renew-deadline", "4s", "--retry-period", "500ms")
"""Times of the Lease for tests that wait for it to run out."""


class Candidate:
    """One operator process, and what it says of itself."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, port: int) -> None:
        self.process = process
        self.log = log
        self._port = port

    @property
    def pid(self) -> int:
        return self.process.pid

    def said(self, text: str) -> bool:
        return text in self.log.read_text()

    async def answer(self, path: str) -> tuple[int, str]:
        """The status, and the text; 0 while nothing answers."""
        async with aiohttp.ClientSession() as session:
            try:
                async with session.get(f"http://127.0.0.1:{self._port}{path}") as answer:
                    return answer.status, await answer.text()
            except aiohttp.ClientError:
                return 0, ""

    async def leads(self) -> bool:
        found = re.search(
            r"^cirahub_leader (\S+)$", (await self.answer("/metrics"))[1], re.MULTILINE
        )
        return found is not None and float(found[1]) == 1.0

    async def ready(self) -> bool:
        return (await self.answer("/readyz"))[0] == 200


Launch = Callable[..., AbstractAsyncContextManager[Candidate]]


@pytest.fixture
def launch(stage: Stage, tmp_path: Path, unused_tcp_port_factory: Callable[[], int]) -> Launch:
    """`async with launch("one", …) as candidate`: an operator that serves the stage's namespace
    and takes turns with the others launched there, on one store."""

    @asynccontextmanager
    async def launched(
        name: str, *arguments: str, program: str = program()
    ) -> AsyncIterator[Candidate]:
        port = unused_tcp_port_factory()
        here = {"XDG_STATE_HOME": str(tmp_path), "KUBECONFIG": str(stage.plane.kubeconfig)}
        log = tmp_path / f"{name}.log"
        with log.open("wb") as sink:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                program,
                "operator",
                "--dev",
                "--leader-election",
                "--lease-namespace",
                stage.namespace,
                *QUICK,
                "--namespace",
                stage.namespace,
                "--health-port",
                str(port),
                "--metrics-port",
                str(port),
                *arguments,
                env=os.environ | here,
                stderr=sink,
            )
        try:
            yield Candidate(process, log, port)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    return launched
