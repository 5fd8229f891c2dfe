"""Work under a lease that is held: of the hub, or of a shard of a pass over it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from cirahub_sync.engine.context import PassContext, problem_of
from cirahub_sync.engine.report import Problem
from cirahub_sync.errors import CirahubError, LeaseLostError

Stage = Callable[[PassContext], Awaitable[None]]


async def held(context: PassContext, stages: Stage) -> Problem | None:
    """Run the stages, renewing the lease while requests are waited for; returns what went wrong
    with all of it. Raises LeaseLostError."""
    work = asyncio.ensure_future(stages(context))
    try:
        await _renewing(context, work)
    except (LeaseLostError, BaseExceptionGroup) as error:
        lost = _lost(error)
        if lost is not None:
            raise lost from error
        return _hub_problem(error)
    except CirahubError as error:
        return problem_of(error)
    finally:
        failure = await _ended(work)
        for run in context.runs:
            await run.close()
        if failure is not None:
            # Told is what came first; but a bug goes on up.
            _hub_problem(failure)
    return None


async def _ended(work: asyncio.Future[None]) -> BaseException | None:
    """What it failed with while it was ended, or just before: where the database is gone, it is
    gone for both. Left alone, asyncio logs it later, as nobody's."""
    work.cancel()
    await asyncio.wait([work])
    return None if work.cancelled() else work.exception()


async def _renewing(context: PassContext, work: asyncio.Future[None]) -> None:
    while not work.done():
        await asyncio.wait([work], timeout=context.store.terms.renewal)
        if not work.done():
            context.store.renew()
    await work


def _lost(error: BaseException) -> LeaseLostError | None:
    if isinstance(error, LeaseLostError):
        return error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            found = _lost(inner)
            if found is not None:
                return found
    return None


def _hub_problem(error: BaseException) -> Problem:
    """The problem of the whole hub in a group that the tasks of a stage raised; an exception that
    is none of ours is a bug, and goes on up."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            if isinstance(inner, BaseExceptionGroup | CirahubError):
                return _hub_problem(inner)
    if isinstance(error, CirahubError):
        return problem_of(error)
    raise error
