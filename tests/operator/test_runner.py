"""The inline runner: an engine in a thread and a loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cirahub_operator.errors import RunnerStoppedError
from cirahub_operator.resolver import FullTrust, connection_config, hub_config
from cirahub_operator.runners import Engine, InlineRunner
from cirahub_sync.errors import CredentialError, KeyUnavailableError
from cirahub_sync.worker import WorkerSettings

from .conftest import no_credentials
from .objects import connection, hub
from .scripted import ScriptedEngine

SETTINGS = WorkerSettings(database="sqlite://", key_file=Path("key"), installation="test")
HUB = hub_config(hub())
CONNECTION = connection_config(connection(), trust=FullTrust())


class Opening:
    """Opens the scripted engine, after as many failures as it is given."""

    def __init__(self, engine: ScriptedEngine) -> None:
        self.engine = engine
        self.failures = 0
        self.threads: list[str] = []

    def __call__(self, *_: object) -> Engine:
        self.threads.append(threading.current_thread().name)
        if self.failures:
            self.failures -= 1
            raise KeyUnavailableError("the key file key does not exist")
        return self.engine


@pytest.fixture
def opening(engine: ScriptedEngine) -> Opening:
    return Opening(engine)


@pytest.fixture
async def runner(opening: Opening) -> AsyncIterator[InlineRunner]:
    made = InlineRunner(SETTINGS, no_credentials, open_engine=opening)
    made.start()
    yield made
    await made.close()


async def test_calls_cross_over_with_answers_and_errors(
    runner: InlineRunner, engine: ScriptedEngine, opening: Opening
) -> None:
    report = await runner.run_pass(HUB, [])
    assert report.items == 7
    engine.check_error = CredentialError("no", reason="SecretExpired")
    with pytest.raises(CredentialError, match="no"):
        await runner.check(CONNECTION)
    assert opening.threads == ["engine"]


async def test_an_engine_that_can_not_be_opened_is_tried_at_every_call(
    runner: InlineRunner, opening: Opening
) -> None:
    opening.failures = 2
    for _ in range(2):
        with pytest.raises(KeyUnavailableError):
            await runner.check(CONNECTION)
    await runner.check(CONNECTION)


async def test_cancelling_a_call_stops_it_over_there_before_it_returns(
    runner: InlineRunner, engine: ScriptedEngine
) -> None:
    engine.hanging = True
    call = asyncio.create_task(runner.run_pass(HUB, []))
    await asyncio.to_thread(engine.begun.wait, 10)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert engine.stopped == 1


async def test_cancelling_a_call_that_has_not_begun_returns_too(runner: InlineRunner) -> None:
    call = asyncio.create_task(runner.run_pass(HUB, []))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(call, 5)


async def test_closing_ends_what_runs_and_refuses_what_comes(
    runner: InlineRunner, engine: ScriptedEngine
) -> None:
    engine.hanging = True
    call = asyncio.create_task(runner.run_pass(HUB, []))
    await asyncio.to_thread(engine.begun.wait, 10)
    await runner.close()
    with pytest.raises(RunnerStoppedError):
        await call
    assert engine.closed
    with pytest.raises(RunnerStoppedError):
        await runner.check(CONNECTION)
    assert runner.silent_for == float("inf")


async def test_a_living_engine_gives_signs_of_life(runner: InlineRunner) -> None:
    await runner.check(CONNECTION)
    assert runner.silent_for < 5
