"""What was told of gets a pass of its own, soon, and no more of them than it needs.

On a real API server, with the scripted engine: what a pass does that looks only where it was told
to is the engine's, and tested there.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from cirahub_operator.operation import Operation
from cirahub_operator.settings import Notifications
from cirahub_sync.engine.report import PassReport, Problem
from cirahub_sync.errors import StoreError
from cirahub_sync.notifications import Heard, Notification
from cirahub_sync.worker import WorkerSettings

from .conftest import Operate
from .scripted import ScriptedEngine
from .stage import Stage, connection, hub, spoke


@dataclass
class Room:
    """Knows everybody; what it was told waits until a pass looks at it."""

    namespace: str
    left: set[str] = field(default_factory=set)
    """Hubs that a stand-by was told of."""
    settings: list[WorkerSettings] = field(default_factory=list)
    error: StoreError | None = None
    asked: int = 0
    closed: bool = False

    def open(self, settings: WorkerSettings) -> Room:
        self.settings.append(settings)
        return self

    def heard(self, notifications: Sequence[Notification]) -> Heard:
        hubs = frozenset(f"{self.namespace}/{one.subscription}" for one in notifications)
        return Heard(hubs, len(notifications), 0)

    def waiting(self) -> frozenset[str]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return frozenset(f"{self.namespace}/{name}" for name in self.left)

    def close(self) -> None:
        self.closed = True


@dataclass
class Served:
    operation: Operation
    room: Room
    engine: ScriptedEngine
    session: aiohttp.ClientSession

    async def tell(self, hub: str) -> None:
        url = f"http://127.0.0.1:{self.operation.notifications_port}/told"
        body = {"value": [{"subscriptionId": hub, "clientState": "secret"}]}
        async with self.session.post(url, json=body) as answer:
            assert answer.status == 202

    @property
    def kinds(self) -> list[bool]:
        """Of each pass, whether it looks only where it was told to."""
        return [one.notified_only for one in self.engine.passes]


@asynccontextmanager
async def served(
    operate: Operate, stage: Stage, engine: ScriptedEngine, *, pause: float = 0.0
) -> AsyncIterator[Served]:
    room = Room(stage.namespace)
    settings = Notifications(url="https://hub.example/told", port=0, pause=pause, look=0.02)
    async with (
        operate(notifications=settings, open_mailroom=room.open) as operation,
        aiohttp.ClientSession() as session,
    ):
        yield Served(operation, room, engine, session)
    assert not room.settings or room.closed


async def test_what_was_told_of_is_looked_at_soon_and_the_interval_goes_on(
    operate: Operate, stage: Stage, engine: ScriptedEngine
) -> None:
    async with served(operate, stage, engine) as told:
        await stage.synced(connection(), hub(), spoke())
        assert set(told.kinds) == {False}
        regular = len(told.kinds)
        await told.tell("staff")
        await stage.until(lambda: told.kinds[regular:] == [True])
        await told.tell("staff")
        await stage.until(lambda: told.kinds[regular:] == [True, True])
        assert told.room.settings[0].notifications == "https://hub.example/told"


async def test_a_burst_is_one_pass_and_another_waits_for_the_pause(
    operate: Operate, stage: Stage, engine: ScriptedEngine
) -> None:
    async with served(operate, stage, engine, pause=3600.0) as told:
        await stage.synced(connection(), hub(), spoke())
        regular = len(told.kinds)
        for _ in range(5):
            await told.tell("staff")
        asked = told.room.asked
        await stage.until(lambda: told.room.asked > asked + 3)
        # Even the first waits, for the pass before it.
        assert told.kinds[regular:] == []
        await stage.annotate("hub", "staff", "reconcile.cirahub.io/requestedAt=now")
        await stage.until(lambda: told.kinds[regular:] == [False])


async def test_what_a_stand_by_was_told_is_found(
    operate: Operate, stage: Stage, engine: ScriptedEngine
) -> None:
    def looked_at(_: PassReport) -> None:
        # As long as the pass goes on, the store says what it is looking at.
        asked = room.asked
        while room.asked < asked + 3:
            threading.Event().wait(0.01)
        room.left.clear()

    async with served(operate, stage, engine) as told:
        room = told.room
        await stage.synced(connection(), hub(), spoke())
        engine.shape = looked_at
        room.left.add("staff")
        await stage.until(lambda: told.kinds[-1:] == [True])
        count = len(told.kinds)
        asked = room.asked
        await stage.until(lambda: room.asked > asked + 3)
        assert len(told.kinds) == count


async def test_a_store_that_is_away_is_asked_again(
    operate: Operate, stage: Stage, engine: ScriptedEngine
) -> None:
    async with served(operate, stage, engine) as told:
        told.room.error = StoreError("the database is away")
        await stage.synced(connection(), hub(), spoke())
        await stage.until(lambda: told.room.asked > 2)
        told.room.error = None
        told.room.left.add("staff")
        await stage.until(lambda: True in told.kinds)


async def test_a_hub_that_is_suspended_or_not_there_gets_none(
    operate: Operate, stage: Stage, engine: ScriptedEngine
) -> None:
    async with served(operate, stage, engine) as told:
        await stage.apply(connection(), hub(suspend=True), spoke())
        await stage.comes("Hub", "staff", "False", "Suspended")
        for name in ("staff", "nobody"):
            await told.tell(name)
        asked = told.room.asked
        await stage.until(lambda: told.room.asked > asked + 3)
        assert told.kinds == []


async def test_a_pass_that_broke_off_is_retried_and_not_asked_for(
    operate: Operate, stage: Stage, engine: ScriptedEngine
) -> None:
    def broken(report: PassReport) -> None:
        report.problem = Problem("StoreUnavailable", "away")

    async with served(operate, stage, engine) as told:
        engine.shape = broken
        await stage.apply(connection(), hub(), spoke())
        await stage.until(lambda: len(told.kinds) >= 1)
        await told.tell("staff")
        await stage.until(lambda: len(told.kinds) >= 3)
        assert set(told.kinds) == {False}
