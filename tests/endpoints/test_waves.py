"""Outcomes are handed on together, but none waits for long, and none is lost with an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing

import pytest

from cirahub_sync.endpoints import waves
from cirahub_sync.endpoints.base import Create, Delete, Operation, Outcome, Result
from cirahub_sync.endpoints.waves import Indexed, Sent, alike, in_waves
from cirahub_sync.errors import AccessDeniedError

Batch = Sequence[Indexed]
Answering = Callable[[Batch], Awaitable[Sent]]


def creates(count: int) -> list[Operation]:
    return [Create(key=str(number), body=b"") for number in range(count)]


def by_two(wave: Batch) -> Iterator[Batch]:
    return (wave[start : start + 2] for start in range(0, len(wave), 2))


async def at_once(batch: Batch) -> Sent:
    return done(batch)


def done(batch: Batch) -> Sent:
    return Sent(alike(batch, Result.DONE, ""))


def sending(
    operations: Sequence[Operation], send: Answering, *, most: int = 1
) -> AsyncGenerator[Sequence[Outcome], None]:
    async def coroutine(batch: Batch) -> Sent:
        return await send(batch)

    return in_waves(operations, by_two, coroutine, most=most)


def indexes(outcomes: Sequence[Outcome]) -> list[int]:
    return [one.index for one in outcomes]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six are enough to be handed on."""
    monkeypatch.setattr(waves, "HELD", 6)


async def test_outcomes_come_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waves, "HELD_FOR", 600.0)
    found = [indexes(some) async for some in sending(creates(14), at_once)]
    assert found == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11], [12, 13]]


async def test_an_outcome_does_not_wait_for_what_takes_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second batch is not answered before the outcomes of the first one were handed on."""
    monkeypatch.setattr(waves, "HELD_FOR", 0.01)
    handed_on = asyncio.Event()

    async def send(batch: Batch) -> Sent:
        if batch[0][0] > 0:
            await handed_on.wait()
        return done(batch)

    found = []
    async for some in sending(creates(4), send):
        found.append(indexes(some))
        handed_on.set()
    assert found == [[0, 1], [2, 3]]


async def test_what_is_on_its_way_goes_on_while_outcomes_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waves, "HELD_FOR", 600.0)
    running, highest = 0, 0

    async def send(batch: Batch) -> Sent:
        nonlocal running, highest
        running += 1
        highest = max(highest, running)
        await asyncio.sleep(0)
        running -= 1
        return done(batch)

    found = [index async for some in sending(creates(20), send, most=3) for index in indexes(some)]
    assert sorted(found) == list(range(20))
    assert highest == 3


async def test_outcomes_that_wait_come_before_the_error_that_ends_it() -> None:
    """Also those of the batches that were on their way with the one that met it."""
    refused = AccessDeniedError("no")

    async def send(batch: Batch) -> Sent:
        return Sent((), refused) if batch[0][0] == 2 else done(batch)

    found: list[int] = []

    async def take() -> None:
        async for some in sending(creates(10), send, most=3):
            found.extend(indexes(some))

    with pytest.raises(AccessDeniedError):
        await take()
    assert sorted(found) == [0, 1, 4, 5], "nothing was sent after it"


@pytest.mark.parametrize("most", [1, 3])
async def test_outcomes_that_wait_come_before_an_error_of_ours_that_is_raised(most: int) -> None:
    """As by a fence; what is on its way with it is waited for."""

    async def send(batch: Batch) -> Sent:
        if batch[0][0] == 2:
            raise AccessDeniedError("no")
        await asyncio.sleep(0)
        return done(batch)

    found: list[int] = []

    async def take() -> None:
        async for some in sending(creates(10), send, most=most):
            found.extend(indexes(some))

    with pytest.raises(AccessDeniedError):
        await take()
    assert sorted(found) == {1: [0, 1], 3: [0, 1, 4, 5]}[most]


async def test_outcomes_that_wait_come_before_an_error_that_nobody_expected() -> None:
    async def send(batch: Batch) -> Sent:
        if batch[0][0] == 2:
            raise KeyError
        return done(batch)

    found: list[int] = []

    async def take() -> None:
        async for some in sending(creates(6), send):
            found.extend(indexes(some))

    with pytest.raises(KeyError):
        await take()
    assert found == [0, 1]


async def test_who_is_stopped_is_kept_by_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """To note what has come may take as long as a database is waited for."""
    monkeypatch.setattr(waves, "HELD_FOR", 600.0)
    waits = asyncio.Event()
    ended = []

    async def send(batch: Batch) -> Sent:
        if batch[0][0] < 2:
            return done(batch)
        waits.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(batch[0][0])
        return done(batch)

    found: list[int] = []

    async def take() -> None:
        async for some in sending(creates(6), send):
            found.extend(indexes(some))

    taking = asyncio.create_task(take())
    await waits.wait()
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert (found, ended) == ([], [2])


async def test_nothing_more_leaves_once_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waves, "HELD", 2)
    sent = []

    async def send(batch: Batch) -> Sent:
        sent.append(batch[0][0])
        return done(batch)

    async with aclosing(sending(creates(10), send)) as outcomes:
        await anext(outcomes)
    assert sent == [0]


async def test_two_operations_of_one_item_are_never_on_their_way_together() -> None:
    operations: list[Operation] = [Delete(id=one, etag="") for one in ("a", "b", "a", "a")]
    together = []

    async def send(batch: Batch) -> Sent:
        ids = [each.id for _, each in batch if isinstance(each, Delete)]
        together.append(ids)
        return done(batch)

    found = [index async for some in sending(operations, send, most=4) for index in indexes(some)]
    assert sorted(found) == [0, 1, 2, 3]
    assert together == [["a", "b"], ["a"], ["a"]]
