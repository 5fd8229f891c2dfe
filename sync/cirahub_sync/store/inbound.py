"""What pulling keeps: cursors, staged pages, and items that could not be read yet."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Integer, bindparam, delete, func, select

from cirahub_sync.model.codec import decode_item, encode_item
from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Listed, Prepared
from cirahub_sync.store.membership import of_hub
from cirahub_sync.store.rows import Cursor, Staged, StagedKind
from cirahub_sync.store.tables import cursors, pull_retry, staging

_STAGED_AFTER = Prepared(
    select(staging)
    .where(staging.c.spoke == bindparam("spoke"), staging.c.position > bindparam("after"))
    .order_by(staging.c.position)
    .limit(bindparam("most", type_=Integer))
)
_STAGED = Prepared(select(staging.c.position).where(staging.c.spoke == bindparam("spoke")).limit(1))
_STAGED_OF = Listed(
    lambda remotes: select(staging.c.remote).where(
        staging.c.spoke == bindparam("of_spoke"), staging.c.remote.in_(remotes)
    )
)
_FORGET = Listed(lambda positions: delete(staging).where(staging.c.position.in_(positions)))
_CURSOR = Prepared(select(cursors).where(cursors.c.spoke == bindparam("spoke")))
_DUE = Prepared(
    select(pull_retry.c.remote, pull_retry.c.attempts)
    .where(pull_retry.c.spoke == bindparam("spoke"), pull_retry.c.due_at <= bindparam("now"))
    .order_by(pull_retry.c.due_at)
    .limit(bindparam("most", type_=Integer))
)
_WAITING = Prepared(
    select(func.count()).select_from(pull_retry).where(pull_retry.c.spoke == bindparam("spoke"))
)
_WAITING_OF_HUB = Prepared(
    select(pull_retry.c.spoke, func.count().label("found"))
    .where(of_hub(pull_retry.c.spoke, bindparam("hub")))
    .group_by(pull_retry.c.spoke)
)


class CursorTable:
    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def get(self, spoke: str) -> Cursor:
        for row in _CURSOR.rows(self._connection, spoke=spoke):
            return Cursor(
                cursor=row.cursor,
                next=row.next,
                staged=row.staged,
                round=row.round,
                rounds=row.rounds,
            )
        return Cursor()

    def settled(self) -> frozenset[str]:
        """The hub's spokes that have been read whole, of which nothing read is left to merge."""
        rows = self._connection.execute(
            select(cursors.c.spoke).where(
                of_hub(cursors.c.spoke, self._hub),
                cursors.c.cursor.is_not(None),
                cursors.c.next.is_(None),
                cursors.c.staged.is_(None),
            )
        )
        return frozenset(rows.scalars())

    def put(self, spoke: str, cursor: Cursor) -> None:
        self._database.upsert(
            self._connection,
            cursors,
            [
                {
                    "spoke": spoke,
                    "cursor": cursor.cursor,
                    "next": cursor.next,
                    "staged": cursor.staged,
                    "round": cursor.round,
                    "rounds": cursor.rounds,
                }
            ],
        )


class StagingTable:
    def __init__(self, connection: Connection, database: Database, cipher: Cipher) -> None:
        self._connection = connection
        self._database = database
        self._cipher = cipher

    def add(self, spoke: str, rows: Sequence[Staged]) -> None:
        self._database.insert(
            self._connection,
            staging,
            [
                {
                    "spoke": spoke,
                    "remote": row.remote,
                    "kind": row.kind.value,
                    "etag": row.etag,
                    "stamp": row.stamp,
                    "created": row.created,
                    "modified": row.modified,
                    "content": None
                    if row.content is None
                    else self._cipher.seal(
                        encode_item(row.content), f"staging/{spoke}/{row.remote}"
                    ),
                }
                for row in rows
            ],
        )

    def after(self, spoke: str, position: int, count: int) -> list[Staged]:
        """In the order in which the service yielded them."""
        return [
            Staged(
                position=row.position,
                remote=row.remote,
                kind=StagedKind(row.kind),
                etag=row.etag,
                stamp=row.stamp,
                created=row.created,
                modified=row.modified,
                content=None
                if row.content is None
                else decode_item(self._cipher.open(row.content, f"staging/{spoke}/{row.remote}")),
            )
            for row in _STAGED_AFTER.rows(self._connection, spoke=spoke, after=position, most=count)
        ]

    def remove(self, positions: Sequence[int]) -> None:
        _FORGET.run(self._connection, positions)

    def clear(self, spoke: str) -> None:
        self._connection.execute(delete(staging).where(staging.c.spoke == spoke))

    def holds(self, spoke: str, remotes: Sequence[str]) -> set[str]:
        """Which of these something is staged of. Reads all that is staged of the spoke."""
        rows = _STAGED_OF.rows(self._connection, remotes, of_spoke=spoke)
        return {row.remote for row in rows}

    def any(self, spoke: str) -> bool:
        return _STAGED.value(self._connection, spoke=spoke) is not None


class PullRetryTable:
    """Items that could not be parsed: fetched again until they can be, never lost."""

    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def put(self, spoke: str, remote: str, *, why: str, attempts: int, due_at: float) -> None:
        self._database.upsert(
            self._connection,
            pull_retry,
            [
                {
                    "spoke": spoke,
                    "remote": remote,
                    "why": why[:256],
                    "attempts": attempts,
                    "due_at": due_at,
                }
            ],
        )

    def due(self, spoke: str, now: float, count: int) -> list[tuple[str, int]]:
        """Remote ids with the number of attempts so far."""
        rows = _DUE.rows(self._connection, spoke=spoke, now=now, most=count)
        return [(row.remote, row.attempts) for row in rows]

    def attempts(self, spoke: str, remote: str) -> int:
        return (
            self._connection.execute(
                select(pull_retry.c.attempts).where(
                    pull_retry.c.spoke == spoke, pull_retry.c.remote == remote
                )
            ).scalar()
            or 0
        )

    def remove(self, spoke: str, remotes: Sequence[str]) -> None:
        if remotes:
            self._connection.execute(
                delete(pull_retry).where(
                    pull_retry.c.spoke == spoke, pull_retry.c.remote.in_(remotes)
                )
            )

    def latest(self, spoke: str) -> str | None:
        """The remote id of the one that is fetched again last."""
        return self._connection.execute(
            select(pull_retry.c.remote)
            .where(pull_retry.c.spoke == spoke)
            .order_by(pull_retry.c.due_at.desc())
            .limit(1)
        ).scalar()

    def count(self, spoke: str) -> int:
        return int(_WAITING.value(self._connection, spoke=spoke))

    def counts(self) -> dict[str, int]:
        """The same by spoke, of all of the hub's; who has none is left out."""
        rows = _WAITING_OF_HUB.rows(self._connection, hub=self._hub)
        return {row.spoke: int(row.found) for row in rows}
