"""The photos of a pass: who is looked at, whose photo an item has then, and who is brought it."""

from __future__ import annotations

from collections.abc import Sequence

from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.photo_lane import Room, verifies
from cirahub_sync.engine.photo_look import Looker, verify
from cirahub_sync.engine.photo_memory import PhotoMemory
from cirahub_sync.engine.photo_write import Writer
from cirahub_sync.engine.portrait import portray
from cirahub_sync.engine.report import Counts
from cirahub_sync.model.kind import CONTACTS

FEW = 400
"""Items that a receiver is asked about by name."""
_OFF = "off"


async def sync_photos(context: PassContext) -> None:
    """Where writes wait for a person none is made: a plan says nothing of photos."""
    if context.kind is not CONTACTS or context.gate is not None:
        return
    if context.erasing:
        # Over some of the spokes only, whatever else waits: what is settled is another question.
        await _Photos(context, PhotoMemory()).erase()
        context.photo_memory.settled.clear()
        context.photo_memory.state = None
    elif context.hub.photo_interval is None:
        _put_away(context)
    else:
        await _Photos(context, context.photo_memory).sync()


def _put_away(context: PassContext) -> None:
    """Photos are switched off, or were never on."""
    memory = context.photo_memory
    if memory.state == _OFF:
        return
    with context.store.read() as tx:
        any_left = tx.pictures.any()
    if any_left:
        with context.store.write() as tx:
            tx.pictures.clear()
            tx.photos.reread()
    memory.settled.clear()
    memory.state = _OFF


class _Photos:
    def __init__(self, context: PassContext, memory: PhotoMemory) -> None:
        self._context = context
        self._memory = memory
        self._room = Room(context)
        self._changed: set[str] = set()
        """Items that have another photo than before."""

    async def sync(self) -> None:
        context, memory = self._context, self._memory
        with context.store.read() as tx:
            due = tx.photos.due(self._room.now)
            state = (tx.seq, context.hub.photo_interval, context.hub.priority)
        present = [run for run in context.runs if run.registered and not run.failed]
        stirred = [run for run in present if run.uid in due or self._stirred(run)]
        if not stirred and state == memory.state:
            return
        willing = self._admit(stirred)
        await self._look(willing)
        self._portray()
        behind = await self._write(willing)
        seen = {run.uid for run in context.runs if not run.failed} - self._room.unfinished
        if self._changed:  # whoever was not there for it has it before them
            memory.settled = {uid: of for uid, of in memory.settled.items() if uid in seen}
        for run in (*stirred, *behind):
            memory.settled.pop(run.uid, None)
            if run.uid in seen:
                memory.settled[run.uid] = _terms(run)
        memory.state = state

    async def erase(self) -> None:
        """Whoever shows a photo of somebody who leaves is brought what the item has without."""
        self._portray()
        runs = [run for run in self._context.runs if run.config.direction.receives]
        await self._room.visit(runs, lambda run: Writer(self._room, run).write())

    def _stirred(self, run: SpokeRun) -> bool:
        return self._memory.settled.get(run.uid) != _terms(run) or _moved(run.report.counts)

    def _admit(self, stirred: Sequence[SpokeRun]) -> list[SpokeRun]:
        """Those that photos concern. What the others had put in counts no more."""
        with self._context.store.write() as tx:
            for run in stirred:
                if not run.config.photos:
                    tx.photos.disown(run.uid)
                elif not run.config.direction.contributes:
                    tx.photos.only_receive(run.uid, verified=verifies(run))
                tx.photos.tidy(run.uid)
        return [run for run in stirred if run.config.photos and not run.pristine]

    async def _look(self, willing: Sequence[SpokeRun]) -> None:
        """At people's own contacts first: a photo on a copy may be one of those."""
        contributors = [run for run in willing if run.config.direction.contributes]
        room = self._room
        await room.visit(contributors, lambda run: Looker(room, run, native=True).look())
        both = [run for run in contributors if run.config.direction.receives]
        if both:
            self._portray()
            await room.visit(both, lambda run: Looker(room, run, native=False).look())
        await room.visit([run for run in willing if verifies(run)], lambda run: verify(room, run))

    def _portray(self) -> None:
        if not self._room.moved:
            return
        self._room.moved = False
        with self._context.store.write() as tx:
            self._changed.update(portray(self._context, tx))

    async def _write(self, willing: Sequence[SpokeRun]) -> list[SpokeRun]:
        """To everybody, the items that have another photo now, also where the last one would not
        get through; and to those where anything moved, whatever else they lack. Returns whoever
        holds such items."""
        room = self._room
        with self._context.store.read() as tx:
            holders = tx.photos.holders(sorted(self._changed))
        behind = [
            run
            for run in self._context.runs
            if run.uid in holders
            and run.config.photos
            and run.config.direction.receives
            and not run.failed
        ]
        items = sorted(self._changed) if len(self._changed) <= FEW else None
        await room.visit(behind, lambda run: Writer(room, run).write(items))
        receivers = [run for run in willing if run.config.direction.receives]
        await room.visit(receivers, lambda run: Writer(room, run).write())
        return behind


def _moved(counts: Counts) -> bool:
    return bool(counts.pulled or counts.removed or counts.adopted or counts.written)


def _terms(run: SpokeRun) -> object:
    """What it depends on, besides the items, whether anything is left to do in a spoke."""
    config = run.config
    return config.photos, config.direction, config.on_user_delete, run.row.allowed
