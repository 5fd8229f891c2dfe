"""`cirahub operator` as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from .stage import Stage, connection, hub, spoke

Launch = Callable[..., AbstractAsyncContextManager[asyncio.subprocess.Process]]
CIRAHUB = [sys.executable, "-c", "from cirahub_operator.cli import main; main()", "operator"]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def launch(stage: Stage, tmp_path: Path) -> Launch:
    @asynccontextmanager
    async def launched(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        here = {"XDG_STATE_HOME": str(tmp_path), "KUBECONFIG": str(stage.plane.kubeconfig)}
        process = await asyncio.create_subprocess_exec(
            *CIRAHUB,
            "--dev",
            "--namespace",
            stage.namespace,
            "--metrics-port",
            "0",
            *arguments,
            env=os.environ | here,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return launched


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly_within_seconds(
    stage: Stage, launch: Launch, signum: signal.Signals
) -> None:
    port = free_port()
    async with launch("--health-port", str(port)) as process, aiohttp.ClientSession() as session:

        async def ready() -> bool:
            try:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await stage.until(ready)
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("connection", "contoso", "False", "ServiceAccountNotFound")
        began = time.monotonic()
        process.send_signal(signum)
        assert await process.wait() == 0
        assert time.monotonic() - began < 4.5


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
