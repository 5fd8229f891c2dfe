"""`cirahub operator` as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import IO

import aiohttp
import pytest

from .stage import Stage, connection, hub, spoke

Launch = Callable[..., AbstractAsyncContextManager[asyncio.subprocess.Process]]
CIRAHUB = "from cirahub_operator.cli import main; main()"
LOUD = f"from cirahub_operator import logs; logs.QUIET = (); {CIRAHUB}"
"""With `--debug`: the libraries' loggers, too."""
NOTHING_HANGS = "Hung tasks stopping is skipped"
"""Said by Kopf when, at the end, none is left of the tasks that it would wait five seconds for."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def launch(stage: Stage, tmp_path: Path) -> Launch:
    @asynccontextmanager
    async def launched(
        *arguments: str, program: str = CIRAHUB, stderr: IO[bytes] | int = asyncio.subprocess.PIPE
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        here = {"XDG_STATE_HOME": str(tmp_path), "KUBECONFIG": str(stage.plane.kubeconfig)}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            program,
            "operator",
            "--dev",
            "--namespace",
            stage.namespace,
            "--metrics-port",
            "0",
            *arguments,
            env=os.environ | here,
            stderr=stderr,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return launched


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly_and_nothing_is_waited_for_in_vain(
    stage: Stage, launch: Launch, tmp_path: Path, signum: signal.Signals
) -> None:
    port = free_port()
    log = tmp_path / "log"
    options = ("--debug", "--health-port", str(port))
    with log.open("wb") as sink:
        async with (
            launch(*options, program=LOUD, stderr=sink) as process,
            aiohttp.ClientSession() as session,
        ):

            async def ready() -> bool:
                try:
                    async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                        return answer.status == 200
                except aiohttp.ClientError:
                    return False

            await stage.until(ready)
            await stage.apply(connection(), hub(), spoke())
            await stage.comes("connection", "contoso", "False", "ServiceAccountNotFound")
            assert NOTHING_HANGS not in log.read_text()
            process.send_signal(signum)
            assert await asyncio.wait_for(process.wait(), 60) == 0
    assert NOTHING_HANGS in log.read_text()


async def test_a_cluster_that_does_not_answer_is_said(
    launch: Launch, stage: Stage, tmp_path: Path
) -> None:
    text = stage.plane.kubeconfig.read_text().replace(stage.plane.url, "https://127.0.0.1:9")
    (tmp_path / "config").write_text(text)
    async with launch("--health-port", "0", "--kubeconfig", str(tmp_path / "config")) as process:
        _, stderr = await process.communicate()
        assert process.returncode == 1
        assert b"no answer from the API server" in stderr


async def test_a_port_that_is_taken_is_said(launch: Launch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with launch("--health-port", str(taken.getsockname()[1])) as process:
            _, stderr = await process.communicate()
            assert process.returncode == 1
            assert b"choose another --health-port" in stderr
