"""The database: opening, migrating, and transactions, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cirahub_sync.errors import CirahubError, ConfigurationError, StoreError
from cirahub_sync.store import schema
from cirahub_sync.store.backend import Backend, Merged, unopened
from cirahub_sync.store.listed import Inserts
from cirahub_sync.store.login import Secret
from cirahub_sync.store.sqlite import SQLite

_MIGRATIONS = Path(__file__).with_name("migrations")


def revisions() -> list[str]:
    """Of the schema, the oldest first: files are named REVISION_what_it_does.py."""
    names = sorted(path.name for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))
    return [name.partition("_")[0] for name in names]


def head() -> str:
    return revisions()[-1]


def _revision(connection: Connection) -> str | None:
    """Of the schema, as Alembic notes it; None if there is none yet."""
    if not inspect(connection).has_table(schema.noted.name):
        return None
    return connection.execute(select(schema.noted.c.version_num)).scalar()


def _upgrade(connection: Connection) -> None:
    # Not at the top: what migrates takes ten megabytes, and almost never is there anything to.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


class Database:
    """One engine. Used from one thread at a time; transactions are short and never span an
    await."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.engine: Engine = backend.engine
        self._inserts = Inserts()

    @classmethod
    def open(cls, url: str, token: Secret | None = None, *, migrates: bool = True) -> Database:
        """Connect, and migrate the schema forward if it is older, or refuse it. Raises
        ConfigurationError for an URL that is none, StoreError when the database can't be used."""
        parsed = _parsed(url)
        kind = _kind(parsed)
        backend: Backend | None = None
        try:
            backend = kind.connect(parsed, token)
            database = cls(backend)
            database.migrate(forward=migrates)
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"the Python module {error.name}, by which a database of "
                f"{parsed.get_backend_name()} is spoken to, is not installed; use sqlite or "
                "postgresql, or install it (docs/database.md says how)"
            ) from error
        except (SQLAlchemyError, OSError) as error:
            if backend is None:
                raise StoreError(unopened(parsed.get_backend_name(), error)) from error
            backend.close()
            raise StoreError(backend.closed(error)) from error
        except CirahubError:
            if backend is not None:
                backend.close()
            raise
        return database

    @property
    def interruptions(self) -> int:
        """See `Backend.interruptions`."""
        return self._backend.interruptions

    def migrate(self, *, forward: bool = True) -> None:
        """Raises StoreError for a schema of a version that is newer than this one; unless
        `forward`, of one that is older, too."""
        with self.engine.connect() as connection:
            self._backend.opened(connection)
            current = _revision(connection)
        if current == head():
            return
        if current is not None and current not in revisions():
            raise StoreError(
                f"the database {self._backend.name} has the schema {current} of a newer version; "
                f"this one knows {head()}. Run the version that it was last used with, or restore "
                "the backup from before the upgrade",
                stalled=True,
            )
        if not forward:
            raise StoreError(
                f"the database {self._backend.name} has no schema of this version yet; the "
                "operator that leads brings it forward"
            )
        with self.engine.begin() as connection:
            self._backend.alone(connection)
            if _revision(connection) is None:  # nor has one come meanwhile
                schema.create(connection, head())
            else:
                _upgrade(connection)
            self._backend.migrated(connection)
        if current is not None:
            self._backend.upgraded()

    def shed(self) -> None:
        """Leave nothing of the names and keys that were deleted in the write-ahead log of SQLite,
        or in the tables of PostgreSQL. Raises StoreError, also if somebody reads the database for
        longer than is waited for: it stays as it is then."""
        self._backend.shed()

    def rewrite(self) -> None:
        """Leave nothing of what was deleted in the database's files. Takes as long as copying them
        twice, and their size again on disk. Raises StoreError."""
        self._backend.rewrite()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block, or not at all."""
        try:
            with self._backend.connected(reading=False) as connection, connection.begin():
                yield connection
        except DBAPIError as error:
            raise StoreError(self._backend.refused(error)) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One state of the database, whoever writes meanwhile."""
        try:
            with self._backend.connected(reading=True) as connection, connection.begin():
                yield connection
        except DBAPIError as error:
            raise StoreError(self._backend.unreadable(error)) from error

    def upsert(
        self,
        connection: Connection,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        merged: Merged | None = None,
        shared: bool = False,
    ) -> None:
        """Insert rows, replacing those with the same primary key. `merged`, the same for a table
        every time, gives what columns of those become instead of what the new row has. `shared`:
        others may write the same row meanwhile, since none of us has the lock of its hub's."""
        if not rows:
            return

        given = list(rows[0])
        self._inserts.run(
            connection,
            ("upsert", table.name),
            lambda: self._backend.replacing(table, given, merged, shared=shared),
            rows,
        )

    def insert(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Insert rows that are not there yet."""
        if rows:
            self._inserts.run(connection, ("insert", table.name), table.insert, rows)

    def insert_new(self, connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
        """Unless a row of its primary key is there, or comes from somebody else this moment."""
        self._inserts.run(
            connection,
            ("new", table.name),
            lambda: self._backend.giving_way(table, list(row)),
            [row],
        )

    def close(self) -> None:
        self._backend.close()


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (SQLAlchemyError, ValueError):
        # Not chained: it may repeat what is in the URL.
        raise ConfigurationError(
            "the database URL cannot be read; write it like sqlite:////var/lib/cirahub/store.db or "
            "postgresql://cirahub@db.example/cirahub"
        ) from None


def _kind(url: URL) -> type[Backend]:
    """Not at the top: the driver of PostgreSQL takes megabytes. Raises ConfigurationError."""
    name, _, driver = url.drivername.partition("+")
    if name == "sqlite":
        return SQLite
    if name in {"postgresql", "postgres"} and driver in {"", "psycopg"}:
        from cirahub_sync.store.postgresql import PostgreSQL

        return PostgreSQL
    if name == "mssql" and not driver:
        from cirahub_sync.store.sqlserver import SQLServer

        return SQLServer
    raise ConfigurationError(
        f"the database URL names {url.drivername}, which a store can't be kept in; write "
        "sqlite:///FILE or postgresql://USER@HOST/DATABASE"
    )
