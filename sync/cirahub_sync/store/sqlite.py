"""SQLite: in WAL mode, with one writer. A write transaction begins IMMEDIATE, so that it never
fails half-way for a lock. See https://www.sqlite.org/wal.html and lang_transaction.html.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert

from cirahub_sync.errors import StoreError
from cirahub_sync.store import backend
from cirahub_sync.store.backend import Backend, Merged
from cirahub_sync.store.listed import driven
from cirahub_sync.store.login import Secret

if TYPE_CHECKING:
    from sqlalchemy.dialects import sqlite

_READING = "cirahub_reading"
"""Of a connection's `info`: whether its next transaction only reads. As an execution option that
took a hundredth of a pass in which little changed."""


class SQLite(Backend):
    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._idle: list[Connection] = []
        """Kept out of the pool: to get one from there took four times as long as a transaction."""

    @classmethod
    def connect(cls, url: URL, token: Secret | None = None) -> SQLite:
        """Makes the folder that the file is to be in. Raises OSError."""
        if url.database:
            folder = Path(url.database).parent
            folder.mkdir(parents=True, exist_ok=True)
            # Where SQLite puts what does not fit into memory: sqlite.org/tempfiles.html.
            os.environ.setdefault("SQLITE_TMPDIR", str(folder.resolve()))
        engine = create_engine(url, connect_args={"check_same_thread": False}, hide_parameters=True)
        _prepare(engine)
        return cls(engine)

    @contextmanager
    def connected(self, *, reading: bool) -> Iterator[Connection]:
        connection = self._idle.pop() if self._idle else self.engine.connect()
        connection.info[_READING] = reading
        try:
            yield connection
        except BaseException:
            connection.close()  # nothing of what went wrong is left to the next one
            raise
        self._idle.append(connection)

    def replacing(
        self, table: Table, _given: Sequence[str], merged: Merged | None, *, shared: bool
    ) -> Insert:
        return backend.on_conflict(_insert(table), merged)

    def giving_way(self, table: Table, _given: Sequence[str]) -> Insert:
        return _insert(table).on_conflict_do_nothing()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
        super().close()

    def refused(self, error: DBAPIError) -> str:
        if _locked(error.orig):
            return (
                "the database is locked by another process, and was for "
                f"{backend.LOCK_TIMEOUT_MS / 1000:.0f} s; nothing was written. See what keeps it "
                "(a backup, an open shell) and end that"
            )
        return super().refused(error)

    def shed(self) -> None:
        with self._raw() as cursor:
            # The answer tells of that, no error does: sqlite.org/pragma.html.
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise sqlite3.OperationalError

    def rewrite(self) -> None:
        """Rows that moved to another page stay behind in the gaps of the one they were on, which
        `secure_delete` does not overwrite."""
        with self._raw() as cursor:
            cursor.execute("PRAGMA temp_store=FILE")
            try:
                cursor.execute("VACUUM")
            finally:
                cursor.execute("PRAGMA temp_store=MEMORY")
        self.shed()

    def opened(self, connection: Connection) -> None:
        """It is as we set it up."""

    def alone(self, connection: Connection) -> None:
        """As each transaction that writes: see `_prepare`."""

    def migrated(self, connection: Connection) -> None:
        """Nothing is left to do."""

    def upgraded(self) -> None:
        """Earlier versions left in the file what they had deleted."""
        self.rewrite()

    @contextmanager
    def _raw(self) -> Iterator[Any]:
        """A cursor outside of any transaction."""
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            yield cursor
            cursor.close()
        except sqlite3.Error as error:
            raise StoreError(
                f"the database could not be cleared of what was deleted ({type(error).__name__}); "
                "see that it is not in use for long and that its disk has room"
            ) from error
        finally:
            connection.close()


def _insert(table: Table) -> sqlite.Insert:
    """Not at the top: with PostgreSQL it would be three megabytes for nothing."""
    from sqlalchemy.dialects.sqlite import insert

    return insert(table)


def _locked(error: BaseException | None) -> bool:
    """https://www.sqlite.org/rescode.html#busy; the low byte is the primary result code."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF == sqlite3.SQLITE_BUSY


def _prepare(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours: see _begin
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={backend.LOCK_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        # A power cut may undo the last commits, never damage the file; that is a store restored
        # from a moment ago, which the engine copes with (invariant 16).
        cursor.execute("PRAGMA synchronous=NORMAL")
        # Sixteen megabytes, four times as much as usual: the pages of indexes, which every batch of
        # writes touches, are copied into the file and flushed to the disk that much more seldom.
        cursor.execute("PRAGMA wal_autocheckpoint=4000")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA temp_store=MEMORY")
        # What is deleted is overwritten, so that an erasure leaves nothing in the file.
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.info.pop(_READING, False)
        driven(connection, "BEGIN" if reading else "BEGIN IMMEDIATE")
