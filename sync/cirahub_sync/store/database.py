"""The database: opening, migrating, and transactions, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, ColumnElement, Connection, Engine, Table, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.sql import ColumnCollection
from sqlalchemy.sql.dml import Insert

from cirahub_sync.errors import CirahubError, ConfigurationError, StoreError
from cirahub_sync.store import schema
from cirahub_sync.store.backend import Backend, unopened
from cirahub_sync.store.listed import Inserts
from cirahub_sync.store.login import Secret
from cirahub_sync.store.sqlite import SQLite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_MIGRATIONS = Path(__file__).with_name("migrations")

Excluded = ColumnCollection[str, Any]
Merged = Callable[[Excluded], dict[str, ColumnElement[Any]]]
"""Of the new row: what columns of the row that is there become."""


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
                "postgresql, or install it"
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
    ) -> None:
        """Insert rows, replacing those with the same primary key. `merged`, the same for a table
        every time, gives what columns of those become instead of what the new row has."""
        if not rows:
            return

        def make() -> Insert:
            insert = _inserting(connection.dialect.name, table)
            keys = [column.name for column in table.primary_key]
            others = [column.name for column in table.c if column.name not in keys]
            return insert.on_conflict_do_update(
                index_elements=keys,
                set_={name: insert.excluded[name] for name in others}
                | ({} if merged is None else merged(insert.excluded)),
            )

        self._inserts.run(connection, ("upsert", table.name), make, rows)

    def insert(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Insert rows that are not there yet."""
        if rows:
            self._inserts.run(connection, ("insert", table.name), table.insert, rows)

    def insert_new(self, connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
        """Unless a row of its primary key is there, or comes from somebody else this moment."""
        insert = _inserting(connection.dialect.name, table)
        connection.execute(insert.on_conflict_do_nothing(), row)

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
    if name == "mssql":
        raise ConfigurationError(
            "mssql isn't supported yet: a store can't be kept in SQL Server or Azure SQL "
            "(docs/database.md says why); give one of PostgreSQL, like "
            "postgresql://USER@HOST/DATABASE"
        )
    raise ConfigurationError(
        f"the database URL names {url.drivername}, which a store can't be kept in; write "
        "sqlite:///FILE or postgresql://USER@HOST/DATABASE"
    )


def _inserting(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Not at the top: what the other database is spoken to in takes three megabytes."""
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as into_sqlite

        return into_sqlite(table)
    from sqlalchemy.dialects.postgresql import insert as into_postgresql

    return into_postgresql(table)
