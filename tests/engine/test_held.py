"""Work under a lease, when neither can go on."""

from __future__ import annotations

import asyncio
import gc
from types import SimpleNamespace
from typing import cast

import pytest

from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.held import Stage, held
from cirahub_sync.engine.report import Problem
from cirahub_sync.errors import StoreError
from cirahub_sync.lease_terms import LeaseTerms


def context() -> PassContext:
    """One whose lease can't be renewed."""

    def renew() -> None:
        raise StoreError("the renewal")

    store = SimpleNamespace(terms=LeaseTerms(3.0), renew=renew)
    return cast("PassContext", SimpleNamespace(store=store, runs=()))


def failing(error: Exception) -> Stage:
    """Work that fails when it is ended."""

    async def lane() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise error

    async def stages(_: PassContext) -> None:
        async with asyncio.TaskGroup() as lanes:
            lanes.create_task(lane())

    return stages


async def test_what_work_fails_with_while_it_is_ended_is_not_left_to_a_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The database is gone for both: the renewal says so first."""
    problem = await held(context(), failing(StoreError("the lane")))

    gc.collect()
    assert problem is not None
    assert problem.message == "the renewal"
    assert not [one.getMessage() for one in caplog.records if one.name == "asyncio"]


async def test_what_work_fails_with_as_it_is_told_to_stop_is_not_left_to_a_log_either(
    caplog: pytest.LogCaptureFixture,
) -> None:
    started: list[asyncio.Future[Problem | None]] = []

    async def stages(_: PassContext) -> None:
        started[0].cancel()
        raise StoreError("at the same time")

    started.append(asyncio.ensure_future(held(context(), stages)))
    with pytest.raises(asyncio.CancelledError):
        await started[0]

    started.clear()
    await asyncio.sleep(0)  # the loop lets go of it, too
    gc.collect()
    assert not [one.getMessage() for one in caplog.records if one.name == "asyncio"]


async def test_a_bug_that_shows_while_work_is_ended_goes_on_up() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        await held(context(), failing(KeyError("a bug")))

    assert raised.group_contains(KeyError)
