"""The database: opening, migrating, and transactions.

SQLite runs in WAL mode with one writer; a write transaction begins IMMEDIATE, so that it never
fails half-way for a lock. See https://www.sqlite.org/wal.html and lang_transaction.html.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.sql.dml import Insert

from cirahub_sync.errors import ConfigurationError, StoreError
from cirahub_sync.store.listed import Inserts

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_MIGRATIONS = Path(__file__).with_name("migrations")
_NOTED = "alembic_version"
_BUSY_TIMEOUT_MS = 30_000


def head() -> str:
    """The newest revision of the schema: files are named REVISION_what_it_does.py."""
    names = sorted(path.name for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))
    return names[-1].partition("_")[0]


class Database:
    """One engine. Used from one thread at a time; transactions are short and never span an
    await."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._inserts = Inserts()

    @classmethod
    def open(cls, url: str) -> Database:
        """Connect, and migrate the schema forward if it is older. Raises ConfigurationError for
        an URL that is none, StoreError when the database can't be used."""
        try:
            parsed = make_url(url)
        except SQLAlchemyError as error:
            raise ConfigurationError(
                "the database URL cannot be read; write it like sqlite:////var/lib/cirahub/store.db"
            ) from error
        try:
            if parsed.get_backend_name() == "sqlite":
                if parsed.database:
                    folder = Path(parsed.database).parent
                    folder.mkdir(parents=True, exist_ok=True)
                    # Where SQLite puts what does not fit into memory: sqlite.org/tempfiles.html.
                    os.environ.setdefault("SQLITE_TMPDIR", str(folder.resolve()))
                engine = create_engine(parsed, connect_args={"check_same_thread": False})
                _prepare_sqlite(engine)
            else:
                engine = create_engine(parsed, pool_pre_ping=True)
            database = cls(engine)
            database.migrate()
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(
                f"the database ({parsed.get_backend_name()}) cannot be opened: "
                f"{type(error).__name__}; check that it is reachable, writable and not damaged"
            ) from error
        return database

    def migrate(self) -> None:
        current = self._revision()
        if current == head():
            return
        # Not at the top: what migrates takes ten megabytes, and almost never is there anything to.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with self.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        if current is not None:
            self.rewrite()

    def _revision(self) -> str | None:
        """Of the schema, as Alembic notes it; None if there is none yet."""
        with self.engine.connect() as connection:
            if not inspect(connection).has_table(_NOTED):
                return None
            noted: str | None = connection.execute(
                text(f"SELECT version_num FROM {_NOTED}")  # noqa: S608 (a constant)
            ).scalar()
            return noted

    def shed(self) -> None:
        """Leave nothing of what was deleted in the write-ahead log. Raises StoreError, also if
        somebody reads the database for longer than is waited for: the log stays as it is then."""
        if self.engine.dialect.name == "sqlite":
            with self._raw() as cursor:
                # The answer tells of that, no error does: sqlite.org/pragma.html.
                busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if busy:
                    raise sqlite3.OperationalError

    def rewrite(self) -> None:
        """Leave nothing of what was deleted in the file: rows that moved to another page stay
        behind in the gaps of the one they were on, which `secure_delete` does not overwrite. Takes
        as long as copying the file twice, and its size again on disk. Raises StoreError."""
        if self.engine.dialect.name == "sqlite":
            with self._raw() as cursor:
                cursor.execute("PRAGMA temp_store=FILE")
                try:
                    cursor.execute("VACUUM")
                finally:
                    cursor.execute("PRAGMA temp_store=MEMORY")
            self.shed()

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

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block, or not at all."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except DatabaseError as error:
            if _locked(error.orig):
                raise StoreError(
                    "the database is locked by another process, and was for "
                    f"{_BUSY_TIMEOUT_MS / 1000:.0f} s; nothing was written. See what keeps it (a "
                    "backup, an open shell) and end that"
                ) from error
            raise StoreError(
                f"the database refused a transaction: {type(error.orig).__name__}; nothing of it "
                "was written. Check that it is reachable and its disk writable, with room left"
            ) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        try:
            with (
                self.engine.connect().execution_options(cirahub_read=True) as connection,
                connection.begin(),
            ):
                yield connection
        except DatabaseError as error:
            raise StoreError(
                f"the database could not be read: {type(error.orig).__name__}; check that it is "
                "reachable and not damaged"
            ) from error

    def upsert(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Insert rows, replacing those with the same primary key."""
        if not rows:
            return
        dialect = connection.dialect.name
        if dialect not in {"sqlite", "postgresql"}:
            # SQL Server has no ON CONFLICT; MERGE is known for races, so delete, then insert.
            keys = [column.name for column in table.primary_key]
            condition = [table.c[key] == row[key] for row in rows[:1] for key in keys]
            for row in rows:
                condition = [table.c[key] == row[key] for key in keys]
                connection.execute(table.delete().where(*condition))
            connection.execute(table.insert(), rows)
            return

        def make() -> Insert:
            insert = _inserting(dialect, table)
            keys = [column.name for column in table.primary_key]
            others = [column.name for column in table.c if column.name not in keys]
            return insert.on_conflict_do_update(
                index_elements=keys, set_={name: insert.excluded[name] for name in others}
            )

        self._inserts.run(connection, ("upsert", table.name), make, rows)

    def insert(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Insert rows that are not there yet."""
        if rows:
            self._inserts.run(connection, ("insert", table.name), table.insert, rows)

    def close(self) -> None:
        self.engine.dispose()


def _locked(error: BaseException | None) -> bool:
    """https://www.sqlite.org/rescode.html#busy; the low byte is the primary result code."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF == sqlite3.SQLITE_BUSY


def _inserting(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Not at the top: what the other database is spoken to in takes three megabytes."""
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as into_sqlite

        return into_sqlite(table)
    from sqlalchemy.dialects.postgresql import insert as into_postgresql

    return into_postgresql(table)


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours: see _begin
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        # A power cut may undo the last commits, never damage the file; that is a store restored
        # from a moment ago, which the engine copes with (invariant 16).
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA temp_store=MEMORY")
        # What is deleted is overwritten, so that an erasure leaves nothing in the file.
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        read = connection.get_execution_options().get("cirahub_read", False)
        connection.exec_driver_sql("BEGIN" if read else "BEGIN IMMEDIATE")
