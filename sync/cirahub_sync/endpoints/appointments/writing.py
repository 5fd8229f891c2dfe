"""Writing appointments, whichever service takes them: looked at before, and followed up after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec

from cirahub_sync.endpoints.appointments.series import Goal
from cirahub_sync.endpoints.base import Delete, Outcome, RemoteItem, Result, Unreadable, Update
from cirahub_sync.errors import CirahubError


class Held(Protocol):
    """An appointment as the mailbox has it; of a series, with its exceptions."""

    @property
    def etag(self) -> str: ...

    @property
    def item(self) -> RemoteItem | Unreadable: ...

    @property
    def attended(self) -> bool | None:
        """Whether it has attendees, or an exception of it has. None: one of those could not be
        read."""
        ...


Some = TypeVar("Some", bound=Held)


def obstacle(
    index: int, operation: Update | Delete, got: Held | Unreadable | None
) -> Outcome | None:
    """Of an operation that is not sent, after a look at what it is about."""
    if got is None:
        return Outcome.gone(index, operation, "not found")
    if isinstance(got, Unreadable):
        return Outcome(index=index, result=Result.REJECTED, error=got.why)
    if got.attended:
        return Outcome(index=index, result=Result.REJECTED, error="it has attendees")
    if got.attended is None:
        return Outcome(index=index, result=Result.RETRY, error="an exception can't be read")
    permanent = isinstance(operation, Delete) and operation.permanent
    if operation.etag not in ("", got.etag) and not permanent:
        return Outcome(index=index, result=Result.STALE, error="it has changed")
    return None


def as_it_is(index: int, got: Held) -> Outcome:
    """Of an update that changes nothing but occurrences, which follow."""
    if isinstance(got.item, Unreadable):
        return Outcome(index=index, result=Result.REJECTED, error=got.item.why)
    return Outcome(index=index, result=Result.DONE, item=got.item)


async def followed_up(
    outcomes: Sequence[Outcome],
    ids: Mapping[int, str],
    goals: Mapping[int, Goal],
    *,
    held: Callable[[Sequence[str]], Awaitable[Mapping[str, Some | Unreadable | None]]],
    occurrences: Callable[[Some, Goal], Awaitable[Result]],
) -> Sequence[Outcome]:
    """The outcomes of appointments that were written, when their occurrences are, too, and with
    what is there after that. `ids`: of those that are looked at once more, by their outcomes'
    index; `goals`: of the series that were written. `held` reads, `occurrences` writes."""
    missing: dict[int, Result] = {}
    try:
        there = await held(list(ids.values()))
        for index, event in ids.items():
            goal, got = goals.get(index), there[event]
            if goal is not None and got is not None and not isinstance(got, Unreadable):
                result = await occurrences(got, goal)
                if result is not Result.DONE:
                    missing[index] = result
        if goals:
            there = await held(list(ids.values()))
    except CirahubError as error:
        return [
            Outcome(index=each.index, result=Result.UNKNOWN, error=str(error))
            if each.index in ids
            else each
            for each in outcomes
        ]
    return [
        _complete(each, there[ids[each.index]], missing.get(each.index))
        if each.index in ids
        else each
        for each in outcomes
    ]


def _complete(outcome: Outcome, got: Held | Unreadable | None, missing: Result | None) -> Outcome:
    """What is there after all. What went away meanwhile was there: the next delta tells."""
    item = got.item if got is not None and not isinstance(got, Unreadable) else got
    if isinstance(item, RemoteItem):
        return msgspec.structs.replace(outcome, item=item, missing=missing)
    if item is None:
        return outcome
    return Outcome(index=outcome.index, result=Result.UNKNOWN, error=item.why)
