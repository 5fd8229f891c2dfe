"""Watches that fall silent, and what the liveness probe makes of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from tests.operator.conftest import QUICK, Operate, engine, operate
from tests.operator.stage import Stage, connection, hub, spoke
from yarl import URL

from cirahub_operator.operation import Operation
from cirahub_operator.watch_streams import watch_of

from .interpreter import Interpreter, Watches

__all__ = ["engine", "operate"]

TIMING = replace(QUICK, watch_round=2.0, watch_silence=8.0)


@pytest.fixture
def proxy(
    stage: Stage, operate: Operate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Interpreter]:
    """In a loop of its own: the operator's waits at its end for every connection in it."""
    monkeypatch.setenv("KUBECONFIG", str(stage.plane.kubeconfig))
    made, ready, over = Interpreter(tmp_path), threading.Event(), threading.Event()

    async def serve() -> None:
        async with made:
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="proxy")
    thread.start()
    assert ready.wait(60)
    monkeypatch.setenv("KUBECONFIG", str(made.kubeconfig))
    yield made
    over.set()
    thread.join(60)
    assert not thread.is_alive()


async def health(operation: Operation) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{operation.probes.health_port}/healthz") as answer,
    ):
        return answer.status, await answer.text()


async def test_a_silent_watch_is_told_by_the_probe_though_nothing_happens(
    stage: Stage, operate: Operate, proxy: Interpreter
) -> None:
    async with operate(TIMING) as operation:
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("hub", "staff", "True", "Synced")
        proxy.watches = Watches.SILENT
        found: list[tuple[int, str]] = []

        async def ill() -> bool:
            found[:] = [await health(operation)]
            return found[0][0] == 503

        await stage.until(ill, lambda: f"{found}")
        assert f"the watch of namespaces/{stage.namespace}/" in found[0][1]
        assert "is silent since" in found[0][1]

        proxy.watches = Watches.PASSED_ON

        async def well() -> bool:
            found[:] = [await health(operation)]
            return found[0][0] == 200

        await stage.until(well, lambda: f"{found}")
        await stage.apply(hub("second"))
        await stage.comes("hub", "second", "True", "NoSpokes")


async def test_a_watch_in_which_nothing_happens_is_not_silent(
    stage: Stage, operate: Operate, proxy: Interpreter
) -> None:
    async with operate(TIMING) as operation:
        began = time.monotonic()

        async def looked() -> bool:
            assert await health(operation) == (200, "ok\n")
            return time.monotonic() - began > 1.5 * TIMING.watch_silence

        await stage.until(looked)
        assert proxy.opened > 3


async def test_a_watch_that_is_refused_aloud_is_not_taken_for_deaf(
    stage: Stage, operate: Operate, proxy: Interpreter
) -> None:
    async with operate(TIMING) as operation:
        await stage.until(lambda: proxy.opened >= 3)
        proxy.watches = Watches.REFUSED
        began = time.monotonic()

        async def looked() -> bool:
            assert await health(operation) == (200, "ok\n")
            return time.monotonic() - began > 1.5 * TIMING.watch_silence

        await stage.until(looked)
        proxy.watches = Watches.PASSED_ON


async def test_a_watch_whose_definition_is_gone_is_tried_again_until_it_is_back(
    stage: Stage, operate: Operate, proxy: Interpreter
) -> None:
    async with operate(TIMING) as operation:
        await stage.until(lambda: proxy.opened >= 3)
        proxy.watches = Watches.NOT_FOUND
        opened = proxy.opened
        await stage.until(lambda: proxy.opened >= opened + 6)
        assert await health(operation) == (200, "ok\n")
        proxy.watches = Watches.PASSED_ON
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("hub", "staff", "True", "Synced")


@pytest.mark.parametrize(
    ("url", "watch"),
    [
        ("https://api/apis/cirahub.io/v1alpha1/hubs?watch=true&timeoutSeconds=60", "hubs"),
        (
            "https://api/apis/cirahub.io/v1alpha1/namespaces/a/spokes?watch=true",
            "namespaces/a/spokes",
        ),
        ("https://api/api/v1/namespaces?watch=true", "namespaces"),
        ("https://api/apis/cirahub.io/v1alpha1/hubs?limit=500", None),
    ],
)
def test_a_watch_is_known_by_its_path(url: str, watch: str | None) -> None:
    assert watch_of(URL(url)) == watch
