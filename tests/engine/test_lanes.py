"""Many subjects, a few at a time."""

from __future__ import annotations

import asyncio

import pytest

from cirahub_sync.engine.lanes import each


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
