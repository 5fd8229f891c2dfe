"""A database server that goes away, and comes back: passes fail, say why, and go on unaided."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Iterator

import pytest
from tests.chaos.conftest import striking
from tests.keeps import PostgreSQLKeep

from cirahub_sync.configuration import Direction
from cirahub_sync.engine.report import PassReport
from postgres import Server

from .conftest import Scene

pytestmark = pytest.mark.only_database("postgresql")

PEOPLE = 30


@pytest.fixture
def server(scene: Scene) -> Iterator[Server]:
    assert isinstance(scene.keep, PostgreSQLKeep)
    server = scene.keep.server
    yield server
    if server.pid is None:
        server.start()


@pytest.fixture
async def pair(scene: Scene) -> Scene:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    for number in range(PEOPLE):
        scene.add("ada", displayName=f"P{number:02}", email=f"p{number}@example.org")
    return scene


def said(report: PassReport) -> str:
    assert report.problem is not None
    assert report.problem.reason == "StoreUnavailable"
    assert not report.problem.stalled
    return report.problem.message


def assert_whole(scene: Scene) -> None:
    assert scene.names("ben") == [f"P{number:02}" for number in range(PEOPLE)]


async def test_a_server_that_was_restarted_between_two_passes_is_not_noticed(
    pair: Scene, server: Server
) -> None:
    await pair.settle()
    server.stop()
    server.start()
    await pair.settle()
    assert_whole(pair)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["shutdown", "crash"])
async def test_a_server_that_ends_within_a_pass_ends_the_pass_and_the_next_one_goes_on(
    pair: Scene, server: Server, how: signal.Signals
) -> None:
    """Where it crashes, its last commits are lost with it, as where a stand-by takes over."""
    rule = pair.admin.add_rule(
        "delay", service="graph", method="POST", path=r"/\$batch$", count=1, delay=1.0
    )
    held = striking(pair, rule)
    work = asyncio.create_task(pair.sync())
    await held.wait()
    server.stop(how)
    assert re.search("cannot be reached|connection was lost", said(await work))
    assert "cannot be reached" in said(await pair.sync())
    server.start()
    pair.advance(100.0)
    await pair.settle()
    assert_whole(pair)


async def test_a_server_that_takes_no_writes_is_told_apart(pair: Scene, server: Server) -> None:
    assert isinstance(pair.keep, PostgreSQLKeep)
    await pair.settle()
    switch = f"ALTER DATABASE {pair.keep.name} SET default_transaction_read_only = "
    server.run(switch + "on")
    server.stop()
    server.start()
    assert "it is a stand-by" in said(await pair.sync())
    server.run(switch + "off")
    pair.add("ada", displayName="Q", email="q@example.org")
    await pair.settle()
    assert pair.names("ben")[-1] == "Q"
