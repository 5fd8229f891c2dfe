"""Writing photos: what is meant is noted before it is sent, and the etag that it has there after.

A process that dies in between leaves a photo whose etag is not known: it is sent once more, unless
a look finds it by its bytes. A photo is only taken away if it is still the one that was put there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from cirahub_sync.endpoints.album import NO_PHOTO, Album, Sent
from cirahub_sync.endpoints.base import Result
from cirahub_sync.engine.context import SpokeRun
from cirahub_sync.engine.first_sync import under_way
from cirahub_sync.engine.photo_lane import Room, several, verifies
from cirahub_sync.engine.postpone import REJECTED_SECONDS
from cirahub_sync.store.photos import Due, Photo

CHUNK = 20
SENT = 4
"""Photos to a mailbox at a time."""
_replace = msgspec.structs.replace


class Writer:
    """To one receiver."""

    def __init__(self, room: Room, run: SpokeRun) -> None:
        self._room = room
        self._run = run
        self._store = room.context.store
        self._gives = room.interval is not None and run.config.photos
        """Else this is part of an erasure, and only takes away."""
        self._takes = room.context.erasing or not self._gives
        """Also the photo of an item that has another one, if that can't be written."""

    async def write(self, among: Sequence[str] | None = None) -> None:
        """Bring the spoke what it lacks; of these items only, if there are any given."""
        after = ""
        while True:
            with self._store.read() as tx:
                found = tx.photos.undelivered(
                    self._run.uid,
                    self._room.now,
                    after,
                    CHUNK,
                    contributes=self._run.config.direction.contributes,
                    copies_only=under_way(self._run.config, self._run.row),
                    among=among,
                )
            if not found:
                return
            after = found[-1].item
            album = await self._room.album(self._run)
            if album is None:
                return
            await self._bring(album, found)

    async def _bring(self, album: Album, found: Sequence[Due]) -> None:
        with self._store.read() as tx:
            pictures = {
                one.wanted: tx.pictures.get(one.wanted)
                for one in found
                if one.wanted is not None and self._gives
            }
        brought: list[tuple[Photo, bytes]] = []
        emptied: list[Photo] = []
        for one in found:
            row = one.known or Photo(spoke=self._run.uid, remote=one.remote)
            picture = None if one.wanted is None else pictures.get(one.wanted)
            if picture is not None:
                brought.append((_replace(row, written=one.wanted, written_etag=""), picture))
            elif row.written is not None and (one.wanted is None or self._takes):
                emptied.append(row)
            else:
                self._room.leave_unfinished(self._run)  # its own spoke has to be read anew first
        if brought:
            with self._store.write() as tx:
                tx.photos.put([row for row, _ in brought])
            await self._send(album, brought)
        if emptied:
            await self._take_away(album, emptied)

    async def _send(self, album: Album, brought: Sequence[tuple[Photo, bytes]]) -> None:
        sent: dict[str, Sent] = {}

        async def put(one: tuple[Photo, bytes]) -> None:
            sent[one[0].remote] = await album.write(one[0].remote, one[1])

        await several(brought, put, lanes=SENT)
        rows = [row for row, _ in brought]
        done = [row.remote for row in rows if sent[row.remote].result is Result.DONE]
        self._run.report.counts.photos_written += len(done)
        etags = await album.etags(done) if done else {}
        with self._store.write() as tx:
            tx.photos.put([self._written(row, sent[row.remote], etags) for row in rows])

    def _written(self, row: Photo, sent: Sent, etags: Mapping[str, str]) -> Photo:
        if sent.result is not Result.DONE:
            return self._failed(row, sent)
        etag = etags.get(row.remote, NO_PHOTO)
        if etag == NO_PHOTO:  # taken, and not shown (yet)
            return self._failed(row, sent)
        due_at = row.due_at
        if verifies(self._run):
            due_at = self._room.later(row.spoke, row.remote, first=due_at is None)
        elif not self._run.config.direction.contributes:
            due_at = None
        return _replace(row, etag=etag, written_etag=etag, due_at=due_at, attempts=0)

    async def _take_away(self, album: Album, rows: Sequence[Photo]) -> None:
        """The photos that the items have no more, as far as they are what was put there."""
        etags = await album.etags([row.remote for row in rows])
        done: list[Photo] = []

        async def take(row: Photo) -> None:
            etag = etags.get(row.remote)
            if etag is None:
                done.append(self._failed(row, Sent(result=Result.RETRY)))
            elif etag == NO_PHOTO or not await self._is_ours(album, row, etag):
                done.append(_emptied(row))
            else:
                sent = await album.remove(row.remote, etag)
                if sent.result in (Result.DONE, Result.GONE, Result.STALE):
                    self._run.report.counts.photos_removed += sent.result is Result.DONE
                    done.append(_emptied(row))
                else:
                    done.append(self._failed(row, sent))

        await several(rows, take, lanes=SENT)
        with self._store.write() as tx:
            tx.photos.put(done)

    async def _is_ours(self, album: Album, row: Photo, etag: str) -> bool:
        if row.written_etag:
            return etag == row.written_etag
        raw = await album.read(row.remote)
        return raw is not None and self._store.cipher.fingerprint(raw) == row.written

    def _failed(self, row: Photo, sent: Sent) -> Photo:
        counts = self._run.report.counts
        if sent.result is Result.REJECTED:
            counts.photos_refused += 1
            return self._room.retry(row, wait=REJECTED_SECONDS)
        counts.photos_failed += 1
        self._room.leave_unfinished(self._run)
        return self._room.retry(row, wait=sent.retry_after)


def _emptied(row: Photo) -> Photo:
    """Nothing of ours is there any more. What is, if anything, is to be looked at."""
    return _replace(row, contact="", etag="", written=None, written_etag="", attempts=0)
