"""The work queue: one task an object, that nothing but its object's end ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from cirahub_operator.errors import ClusterUnreachableError
from cirahub_operator.metrics import Metrics
from cirahub_operator.settings import Timing
from cirahub_operator.workqueue import Bell, Key, Result, Workqueue, backoff

TIMING = Timing(settle=0.0, retry_first=0.01, retry_most=0.05)
ANN, BOB = Key("demo", "ann"), Key("demo", "bob")


class Work:
    """Reconciles as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.seen: list[Key] = []
        self.do: Callable[[Key, Bell], object] = lambda key, bell: Result()
        self.changed = asyncio.Event()

    async def __call__(self, key: Key, bell: Bell) -> Result:
        self.seen.append(key)
        self.changed.set()
        answer = self.do(key, bell)
        if asyncio.iscoroutine(answer):
            answer = await answer
        assert isinstance(answer, Result)
        return answer

    async def times(self, count: int, key: Key = ANN) -> None:
        """Wait until an object was looked at so many times."""
        async with asyncio.timeout(10):
            while self.seen.count(key) < count:
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
async def queue(work: Work) -> AsyncIterator[Workqueue]:
    made = Workqueue("Hub", work, metrics=Metrics(), timing=TIMING)
    yield made
    await made.stop(drain=0.0)


async def test_a_ring_has_the_object_looked_at(work: Work, queue: Workqueue) -> None:
    queue.ring(ANN)
    queue.ring(ANN)
    await work.times(1)
    queue.ring(ANN)
    await work.times(2)
    assert work.seen == [ANN, ANN]


async def test_a_look_can_ask_for_another(work: Work, queue: Workqueue) -> None:
    work.do = lambda key, bell: Result(after=0.01)
    queue.ring(ANN)
    await work.times(3)


async def test_a_failure_is_tried_again_and_holds_nobody_else(work: Work, queue: Workqueue) -> None:
    def do(key: Key, bell: Bell) -> Result:
        if key == ANN and work.seen.count(ANN) <= 2:
            raise RuntimeError("a bug")
        if key == ANN and work.seen.count(ANN) == 3:
            raise ClusterUnreachableError("no answer")
        return Result()

    work.do = do
    queue.ring(ANN)
    queue.ring(BOB)
    await work.times(1, BOB)
    await work.times(4)


async def test_what_was_cut_off_from_below_is_tried_again(work: Work, queue: Workqueue) -> None:
    async def cut_off() -> Result:
        if len(work.seen) == 1:
            waited_for = asyncio.get_running_loop().create_future()
            waited_for.cancel()
            await waited_for
        return Result()

    work.do = lambda key, bell: cut_off()
    queue.ring(ANN)
    await work.times(2)


async def test_a_ring_during_a_look_has_it_look_again(work: Work, queue: Workqueue) -> None:
    async def do() -> Result:
        if len(work.seen) == 1:
            queue.ring(ANN)
            await asyncio.sleep(0)
        return Result()

    work.do = lambda key, bell: do()
    queue.ring(ANN)
    await work.times(2)


async def test_an_object_that_is_gone_is_forgotten_and_may_come_back(
    work: Work, queue: Workqueue
) -> None:
    work.do = lambda key, bell: Result(gone=True)
    queue.ring(ANN)
    await work.times(1)
    await asyncio.sleep(0.01)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "Hub demo/ann"]
    queue.ring(ANN)
    await work.times(2)


async def test_an_interrupt_reaches_the_look_that_is_going_on(work: Work, queue: Workqueue) -> None:
    async def do(bell: Bell) -> Result:
        await bell.interrupted.wait()
        return Result()

    work.do = lambda key, bell: do(bell)
    queue.ring(ANN)
    await work.times(1)
    queue.ring(ANN, interrupt=True)
    await work.times(2)


async def test_stopping_lets_work_end_and_cancels_what_does_not(work: Work) -> None:
    ended = []

    async def do(key: Key) -> Result:
        await asyncio.sleep(0.05 if key == ANN else 3600)
        ended.append(key)
        return Result()

    work.do = lambda key, bell: do(key)
    queue = Workqueue("Hub", work, metrics=Metrics(), timing=TIMING)
    queue.ring(ANN)
    queue.ring(BOB)
    await work.times(1)
    await work.times(1, BOB)
    async with asyncio.timeout(5):
        await queue.stop(drain=0.5)
    assert ended == [ANN]
    queue.ring(ANN)
    assert work.seen == [ANN, BOB]


def test_back_off_doubles_up_to_its_limit() -> None:
    timing = replace(TIMING, retry_first=1, retry_most=60)
    assert 0.8 <= backoff(1, timing) <= 1
    assert 6.4 <= backoff(4, timing) <= 8
    assert 48 <= backoff(100, timing) <= 60
