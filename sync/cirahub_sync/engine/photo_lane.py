"""The lane of photos: after everything else of a pass, and for contacts only.

A photo is no field of the fold. Whose it is comes from what people put on their contacts
(`portrait`); looking (`photo_look`) and writing (`photo_write`) each note what they did contact by
contact, so that the lane may end anywhere and goes on there. A spoke where nothing moved, and where
nothing is due, costs no request, and a pass of which this holds for all no more than one query.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from cirahub_sync.configuration import OnUserDelete
from cirahub_sync.endpoints.album import Album
from cirahub_sync.engine.context import PassContext, SpokeRun, problem_of, unexpected
from cirahub_sync.engine.lanes import each
from cirahub_sync.engine.postpone import FIRST_BACKOFF, LONGEST_BACKOFF
from cirahub_sync.errors import (
    AccessDeniedError,
    CirahubError,
    CredentialError,
    KeyUnavailableError,
    LeaseLostError,
    StoreError,
)
from cirahub_sync.store.photos import Photo

log = logging.getLogger(__name__)
Each = TypeVar("Each")

SPOKES = 8
"""At a time: photos are large, and kept in memory while they are on their way."""
EVERYBODYS = (LeaseLostError, StoreError, KeyUnavailableError)
"""Errors that concern more than one spoke."""
DECODERS = 2
"""Photos that are decoded at a time; one takes up to 80 MB for that."""


class Room:
    """What the parts of the lane share in one pass."""

    def __init__(self, context: PassContext) -> None:
        self.context = context
        self.now = context.clock()
        self.interval = context.hub.photo_interval
        self.decoding = asyncio.Semaphore(DECODERS)
        self.moved = True
        """Whether whose photo an item has is to be worked out (anew)."""
        self.unfinished: set[str] = set()
        """The uids of spokes in which something is left to do."""

    def leave_unfinished(self, run: SpokeRun) -> None:
        self.unfinished.add(run.uid)

    def later(self, spoke: str, remote: str, *, first: bool) -> float | None:
        """When to look again. The first interval of a photo is shortened, each by another part, so
        that those that were first seen together are not looked at together ever after."""
        if self.interval is None:
            return None
        spread = (1 + zlib.crc32(f"{spoke}/{remote}".encode())) / 2**32 if first else 1.0
        return self.now + self.interval * spread

    def retry(self, row: Photo, *, wait: float | None = None) -> Photo:
        """Not before a pause that grows, or is `wait`."""
        attempts = row.attempts + 1
        grown = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(attempts - 1, 10))
        due_at = self.now + (grown if wait is None else max(grown, wait))
        return msgspec.structs.replace(row, attempts=attempts, due_at=due_at)

    async def album(self, run: SpokeRun) -> Album | None:
        return (await run.endpoint(self.context)).album

    async def visit(
        self, runs: Sequence[SpokeRun], work: Callable[[SpokeRun], Awaitable[None]]
    ) -> None:
        """Do the work in each of these spokes. What goes wrong stays there, and makes a spoke not
        ready only where its access is missing: people go without a photo meanwhile, nothing else.
        """

        async def one(run: SpokeRun) -> None:
            try:
                await work(run)
            except EVERYBODYS:
                raise
            except (AccessDeniedError, CredentialError) as error:
                run.fail(problem_of(error))
            except CirahubError as error:
                run.report.counts.photos_failed += 1
                log.info("spoke %s: photos wait: %s", run.uid, error)
            except Exception as error:
                run.fail(unexpected(error, f"spoke {run.uid}"))
            else:
                return
            self.leave_unfinished(run)

        await each([run for run in runs if not run.failed], one, lanes=SPOKES)


async def several(
    subjects: Sequence[Each], work: Callable[[Each], Awaitable[None]], *, lanes: int
) -> None:
    """As `each`, for what is done in one spoke: what one raises is raised as it is. What concerns
    the hub or the process goes before the rest."""
    try:
        await each(subjects, work, lanes=lanes)
    except ExceptionGroup as group:
        found = list(_single(group))
        raise next((one for one in found if isinstance(one, EVERYBODYS)), found[0]) from group


def _single(error: Exception) -> Iterator[Exception]:
    if isinstance(error, ExceptionGroup):
        for one in error.exceptions:
            yield from _single(one)
    else:
        yield error


def verifies(run: SpokeRun) -> bool:
    """Whether what a receiver's user does to photos is looked for, to put it right."""
    return not run.config.direction.contributes and (
        run.config.on_user_delete is OnUserDelete.RESTORE
    )
