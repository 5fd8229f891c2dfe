"""Looking at photos: what people have put on their contacts, and what became of what we put there.

Only the etag is asked for, 20 contacts in a request; a photo comes whole if its etag is not the one
that is known. One that we wrote is known by the etag that it has there since: a service may keep
other bytes than it was given. Where that etag is not known (the answer was lost, or the store was),
it is known by its bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from cirahub_sync.configuration import OnUserDelete
from cirahub_sync.endpoints.album import NO_PHOTO, Album
from cirahub_sync.engine.context import SpokeRun
from cirahub_sync.engine.photo_lane import Room, several
from cirahub_sync.errors import EndpointUnavailableError
from cirahub_sync.model.photo import Unfit, normalised
from cirahub_sync.store.photos import Photo, Sight
from cirahub_sync.store.portraits import Portrait

CHUNK = 20
"""Contacts, of which as many may have a photo that is fetched."""
FETCHED = 4
"""Photos of a mailbox at a time."""
_replace = msgspec.structs.replace


class Looker:
    """At the contacts of one contributor: its users' own ones, or the copies."""

    def __init__(self, room: Room, run: SpokeRun, *, native: bool) -> None:
        self._room = room
        self._run = run
        self._native = native
        self._store = room.context.store

    async def look(self) -> None:
        after = ""
        while True:
            with self._store.read() as tx:
                sights = tx.photos.unseen(
                    self._run.uid, self._room.now, after, CHUNK, native=self._native
                )
            if not sights:
                return
            after = sights[-1].remote
            album = await self._room.album(self._run)
            if album is None:
                return
            await self._chunk(album, sights)

    async def _chunk(self, album: Album, sights: Sequence[Sight]) -> None:
        etags = await _etags(self._room, self._run, album, sights)
        with self._store.read() as tx:
            portraits = tx.portraits.get([sight.item for sight in sights])
        rows: list[Photo] = []
        unknown: list[Photo] = []
        places = {sight.remote: sight for sight in sights}
        for sight in sights:
            if sight.remote not in etags:
                self._failed()
                continue
            row = _seen(self._room, self._run, sight, etags[sight.remote])
            if row.etag == NO_PHOTO:
                rows.append(_without(row, self._run))
            elif row.written is not None and row.etag == row.written_etag:
                rows.append(_replace(row, own=False, digest=None))
            elif row.own and sight.known is not None and row.etag == sight.known.etag:
                rows.append(row)
            else:
                unknown.append(row)
        fetched: dict[str, bytes | Unfit | None] = {}

        async def fetch(row: Photo) -> None:
            try:
                raw = await album.read(row.remote)
            except EndpointUnavailableError:
                self._failed()  # this photo is looked at again; the others are not held up
                return
            fetched[row.remote] = None if raw is None else await self._normal(raw)

        await several(unknown, fetch, lanes=FETCHED)
        with self._store.write() as tx:
            for row in unknown:
                if row.remote not in fetched:
                    continue
                made = fetched[row.remote]
                if isinstance(made, bytes):
                    digest = self._store.cipher.fingerprint(made)
                    sight = places[row.remote]
                    if self._ours(row, digest, portraits.get(sight.item)):
                        row = _replace(
                            row, own=False, digest=None, written=digest, written_etag=row.etag
                        )
                    else:
                        row = _theirs(row, tx.pictures.keep(made))
                elif made is None:
                    row = _without(_replace(row, etag=NO_PHOTO), self._run)
                else:
                    self._run.report.counts.photos_refused += 1
                    row = _theirs(row, None)
                rows.append(row)
            tx.photos.put(rows)
        for row in rows:
            known = places[row.remote].known
            if row.digest != (None if known is None else known.digest):
                self._room.moved = True

    async def _normal(self, raw: bytes) -> bytes | Unfit:
        self._run.report.counts.photos_read += 1
        async with self._room.decoding:
            return await asyncio.to_thread(normalised, raw)

    def _ours(self, row: Photo, digest: bytes, portrait: Portrait | None) -> bool:
        """Whether these are the bytes that were sent there; or, on a copy, those that its item has
        from somebody else: a store that was lost does not know that it sent them."""
        if row.written == digest:
            return True
        if self._native or portrait is None or portrait.spoke == self._run.uid:
            return False
        return portrait.digest == digest

    def _failed(self) -> None:
        self._run.report.counts.photos_failed += 1
        self._room.leave_unfinished(self._run)


async def verify(room: Room, run: SpokeRun) -> None:
    """Look at the photos that were written to a receiver, so that those that its user replaced or
    took away are written once more."""
    after = ""
    while True:
        with room.context.store.read() as tx:
            sights = tx.photos.unverified(run.uid, room.now, after, CHUNK)
        if not sights:
            return
        after = sights[-1].remote
        album = await room.album(run)
        if album is None:
            return
        etags = await _etags(room, run, album, sights)
        rows: list[Photo] = []
        for sight in sights:
            if sight.remote not in etags:
                run.report.counts.photos_failed += 1
                room.leave_unfinished(run)
                continue
            row = _seen(room, run, sight, etags[sight.remote])
            rows.append(row if row.etag == row.written_etag else _replace(row, written_etag=""))
        with room.context.store.write() as tx:
            tx.photos.put(rows)


async def _etags(
    room: Room, run: SpokeRun, album: Album, sights: Sequence[Sight]
) -> dict[str, str]:
    """Of those that can be asked now. One that can't must not hold up all that come after it."""
    try:
        return dict(await album.etags([sight.remote for sight in sights]))
    except EndpointUnavailableError:
        return {}


def _seen(room: Room, run: SpokeRun, sight: Sight, etag: str) -> Photo:
    first = sight.known is None or sight.known.due_at is None
    return _replace(
        sight.known or Photo(spoke=run.uid, remote=sight.remote),
        contact=sight.contact,
        etag=etag,
        due_at=room.later(run.uid, sight.remote, first=first),
        attempts=0,
    )


def _without(row: Photo, run: SpokeRun) -> Photo:
    """There is no photo. Once people take theirs away, the item's may come; if it was ours that
    they took away, it stays away until the item has another one, as what they delete does."""
    arrived = row.written is not None and row.written_etag != ""
    if row.own or (arrived and run.config.on_user_delete is OnUserDelete.RESTORE):
        return _replace(row, own=False, digest=None, written=None, written_etag="")
    return _replace(row, digest=None)


def _theirs(row: Photo, digest: bytes | None) -> Photo:
    return _replace(row, own=True, digest=digest, written=None, written_etag="")
