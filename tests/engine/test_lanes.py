"""Many subjects, a few at a time."""

from __future__ import annotations

import asyncio
import time

import pytest

from cirahub_sync.engine import lanes
from cirahub_sync.engine.deliver import CHUNK
from cirahub_sync.engine.errands import IN_HAND, chunk_of
from cirahub_sync.engine.lanes import LOOK, each
from cirahub_sync.throttle import IN_FLIGHT


async def test_no_more_run_at_a_time_than_there_are_lanes_and_none_is_left_out() -> None:
    running = most = 0
    done: list[int] = []

    async def work(number: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        done.append(number)

    await each(range(100), work, lanes=7)
    assert most == 7
    assert sorted(done) == list(range(100))


async def test_there_are_no_more_tasks_than_lanes() -> None:
    before = len(asyncio.all_tasks())
    tasks: list[int] = []

    async def work(_: int) -> None:
        tasks.append(len(asyncio.all_tasks()) - before)
        await asyncio.sleep(0)

    await each(range(1000), work, lanes=3)
    assert max(tasks) <= 3


async def test_what_one_raises_stops_the_others() -> None:
    begun: list[int] = []

    async def work(number: int) -> None:
        begun.append(number)
        if number == 1:
            raise ValueError("one")
        await asyncio.sleep(3600)

    with pytest.raises(ExceptionGroup) as caught:
        await each(range(10), work, lanes=2)
    assert [str(one) for one in caught.value.exceptions] == ["one"]
    assert begun == [0, 1]


async def test_nothing_to_do_is_done_at_once() -> None:
    async def work(_: int) -> None:
        raise AssertionError

    await each([], work, lanes=4)


@pytest.mark.looptime
async def test_there_are_more_lanes_while_answers_are_waited_for() -> None:
    running = most = 0

    async def work(number: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(1)
        running -= 1

    await each(range(100), work, lanes=7, most=20)
    assert most == 20
    assert asyncio.get_running_loop().time() < 1 + 100 / 20 + 4 * LOOK


async def test_there_are_no_more_lanes_while_the_process_itself_is_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lanes, "LOOK", 0.05)
    monkeypatch.setattr(lanes, "BUSY", 0.02)
    running = most = 0

    async def work(number: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.1)  # noqa: ASYNC251 - keeps the loop from all else, and its timer late
        await asyncio.sleep(0)
        running -= 1

    await each(range(6), work, lanes=1, most=20)
    assert most == 1


@pytest.mark.looptime
async def test_lanes_that_were_not_needed_keep_nobody_waiting() -> None:
    await each(range(100), lambda _: asyncio.sleep(0), lanes=7, most=20)
    assert asyncio.get_running_loop().time() == 0


def test_what_a_pass_has_in_hand_does_not_grow_with_its_receivers() -> None:
    assert chunk_of(1) == chunk_of(64) == CHUNK
    for receivers in (500, IN_FLIGHT, 100_000):
        assert 40 <= chunk_of(receivers) <= IN_HAND / min(receivers, IN_FLIGHT)
