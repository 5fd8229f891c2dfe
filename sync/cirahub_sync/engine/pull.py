"""Pull: each spoke's own delta, page by page, into staging with the link that continues it.

A round that starts from nothing is marked, so that what it does not show can be inferred to be
gone once it is complete. Nothing here changes an item: that is the merge's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import uuid4

import msgspec

from cirahub_sync.endpoints.base import (
    Change,
    Endpoint,
    RemoteItem,
    Removed,
    Stamp,
    Unreadable,
    Whereabouts,
)
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.lanes import each
from cirahub_sync.engine.unshown import still_there
from cirahub_sync.errors import CursorExpiredError, ManagedElsewhereError
from cirahub_sync.store.rows import Cursor, Staged, StagedKind

CONCURRENT_PULLS = 16
RETRIES_PER_PASS = 200
_STAGED = 1000


async def pull(context: PassContext, runs: Sequence[SpokeRun]) -> None:
    """Stage the changes of these spokes, several at a time."""

    async def one(run: SpokeRun) -> None:
        try:
            with context.isolate(run):
                await _pull_spoke(context, run)
        finally:
            await run.close()

    await each([run for run in runs if not run.failed], one, lanes=CONCURRENT_PULLS)


async def _pull_spoke(context: PassContext, run: SpokeRun) -> None:
    with context.store.read() as tx:
        cursor = tx.cursors.get(run.uid)
    if cursor.staged is not None:
        return  # staged completely by an earlier pass that did not get to merge it
    endpoint = await run.endpoint(context)
    with context.store.read() as tx:
        cursor = tx.cursors.get(run.uid)  # opening it may have taken over another's
    if cursor.staged is not None:
        return
    try:
        await _round(context, run, endpoint, cursor)
    except CursorExpiredError:
        context.say(f"{run.config.name}: the delta token is of no use any more, reading everything")
        with context.store.write() as tx:
            tx.staging.clear(run.uid)
            cursor = Cursor(rounds=cursor.rounds)
            tx.cursors.put(run.uid, cursor)
        await _round(context, run, endpoint, cursor)


async def _round(context: PassContext, run: SpokeRun, endpoint: Endpoint, cursor: Cursor) -> None:
    resume = cursor.next or cursor.cursor or None
    run.afresh = cursor.next is None
    if resume is None:
        cursor = msgspec.structs.replace(cursor, round=uuid4().hex)
    known = _Acknowledged(context, run)
    retried = await _retry(context, run, endpoint)
    async for page in endpoint.changes(resume, known=known):
        run.report.counts.pulled += len(page.changes)
        changes = page.changes
        if cursor.round is None:
            etags = known([change.id for change in changes])
            changes = [change for change in changes if not _echo(change, etags)]
        staged = await _resolve(context, run, endpoint, changes)
        if page.next is None and cursor.round is not None:
            staged += await _unshown(context, run, endpoint, [*retried, *staged])
        if page.next is not None:
            cursor = msgspec.structs.replace(cursor, next=page.next)
        else:
            cursor = msgspec.structs.replace(cursor, next=None, staged=page.cursor)
        quiet = not staged and not retried and cursor.round is None and cursor.staged is not None
        with context.store.write() as tx:
            if quiet and not tx.staging.any(run.uid):
                # Nothing changed: there is nothing for a merge to do, so this is where it ends.
                cursor = Cursor(cursor=cursor.staged, rounds=cursor.rounds)
                run.row.verified_at = context.clock()
                tx.update_spoke(run.uid, verified_at=run.row.verified_at)
                if run.afresh:
                    context.verified.add(run.uid)
            tx.staging.add(run.uid, [*retried, *staged])
            tx.cursors.put(run.uid, cursor)
            if page.next is None and run.uid in context.notified:
                tx.notified.handled({run.uid: context.notified[run.uid]})
        retried = []
        if page.next is not None:
            context.say(f"{run.config.name}: {run.report.counts.pulled} changes read so far")


def _echo(change: Change, etags: Mapping[str, str]) -> bool:
    """Our own write, coming back as a change (invariant 7)."""
    return isinstance(change, RemoteItem) and etags.get(change.id) == change.etag


async def _unshown(
    context: PassContext, run: SpokeRun, endpoint: Endpoint, last: Sequence[Staged]
) -> list[Staged]:
    """What the round over a calendar did not show although it is there. `last`: not staged yet."""
    if context.span is None:
        return []
    shown = {row.remote for row in last}
    position = 0
    with context.store.read() as tx:
        while rows := tx.staging.after(run.uid, position, _STAGED):
            shown |= {row.remote for row in rows}
            position = rows[-1].position
    return [_staged(one) for one in await still_there(context, run, endpoint, shown)]


class _Acknowledged:
    """The etags that this spoke last acknowledged, asked for while pages are being read."""

    def __init__(self, context: PassContext, run: SpokeRun) -> None:
        self._context = context
        self._run = run

    def __call__(self, remotes: Sequence[str]) -> Mapping[str, str]:
        if not remotes:
            return {}
        with self._context.store.read() as tx:
            etags = tx.replicas.etags(self._run.uid, remotes)
            if self._run.config.direction.contributes:
                etags |= tx.shadows.etags(self._run.uid, remotes)
        return etags


async def _retry(context: PassContext, run: SpokeRun, endpoint: Endpoint) -> list[Staged]:
    """Items that could not be read earlier and are due again."""
    with context.store.read() as tx:
        due = tx.pull_retry.due(run.uid, context.clock(), RETRIES_PER_PASS)
    if not due:
        return []
    fetched = await endpoint.fetch([remote for remote, _ in due])
    return [
        _staged(found) if found is not None else Staged(remote=remote, kind=StagedKind.REMOVED)
        for remote, found in fetched.items()
    ]


async def _resolve(
    context: PassContext, run: SpokeRun, endpoint: Endpoint, changes: Sequence[Change]
) -> list[Staged]:
    """Staged rows for a page. What is called removed is looked for by its id: if it is still in
    the folder it was no removal, and its present state is staged instead."""
    for change in changes:
        if isinstance(change, RemoteItem) and change.stamp:
            _refuse_foreign(context, run, change.stamp)
    removed = [change.id for change in changes if isinstance(change, Removed)]
    if not removed:
        return [_staged(change) for change in changes]
    with context.store.read() as tx:
        ours = {
            *tx.shadows.by_remote(run.uid, removed),
            *tx.replicas.by_remote(run.uid, removed),
        }
    where = await endpoint.locate(sorted(ours)) if ours else {}
    here = [remote for remote, place in where.items() if place is Whereabouts.HERE]
    present = await endpoint.fetch(here) if here else {}
    staged: list[Staged] = []
    for change in changes:
        found = present.get(change.id) if isinstance(change, Removed) else None
        staged.append(_staged(found if found is not None else change))
    return staged


def _refuse_foreign(context: PassContext, run: SpokeRun, text: str) -> None:
    stamp = Stamp.parse(text)
    if stamp is not None and stamp.installation != context.installation:
        raise ManagedElsewhereError(
            f"spoke {run.config.name}: the folder holds copies made by another cirahub "
            f"installation ({stamp.installation[:36]!r}); two installations must not share a "
            "folder: remove the spoke there or give this one another folder"
        )


def _staged(change: Change) -> Staged:
    if isinstance(change, Removed):
        return Staged(remote=change.id, kind=StagedKind.REMOVED)
    if isinstance(change, Unreadable):
        return Staged(remote=change.id, kind=StagedKind.UNREADABLE)
    return Staged(
        remote=change.id,
        kind=StagedKind.ITEM,
        etag=change.etag,
        stamp=change.stamp,
        created=change.created,
        modified=change.modified,
        content=change.content,
    )
