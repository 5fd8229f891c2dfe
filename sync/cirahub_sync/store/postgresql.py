"""PostgreSQL: how it is connected to, what holds for each session, and what its errors mean.

Sources: PostgreSQL's documentation, "Client Connection Defaults", libpq's "Database Connection
Control Functions" and "Error Codes".
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import SetTableComment
from sqlalchemy.sql.dml import Insert

from cirahub_sync.errors import ConfigurationError, StoreError
from cirahub_sync.store import (
    backend,
    login,
    notification_tables,  # noqa: F401 (adds its tables)
    photo_tables,  # noqa: F401 (adds its tables)
    set_tables,  # noqa: F401 (adds its tables)
    shard_tables,  # noqa: F401 (adds its tables)
    tally_tables,  # noqa: F401 (adds its tables)
)
from cirahub_sync.store.backend import Merged, Served
from cirahub_sync.store.login import Secret
from cirahub_sync.store.tables import DEAD, erasures, hubs, items, metadata

DRIVER = "postgresql+psycopg"
_IDLE_IN_TRANSACTION_MS = 45_000
"""A process that was stopped within a transaction holds its hub's row. Well below a lease: who
takes the hub over finds the row free."""
_STATEMENT_TIMEOUT_MS = 300_000
_PATIENCE: Mapping[str, str] = {
    "application_name": "cirahub",
    "connect_timeout": "10",
    # A server that is gone without a word is noticed after half a minute.
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_WHERE = ("PGHOST", "PGHOSTADDR")
"""Variables by which libpq finds a server, beside PGSERVICE."""
_MIGRATION_LOCK = 0x6369_7261_6875_6201
"""Any number, the same in every version: `cirahub` and 1."""

for _index in items.indexes:
    if _index.dialect_options["sqlite"]["where"] is not None:
        _index.dialect_options["postgresql"]["where"] = DEAD


class PostgreSQL(Served):
    @classmethod
    def connect(cls, url: URL, token: Secret | None = None) -> PostgreSQL:
        """Raises ConfigurationError for a parameter of the URL that nobody knows, or that can't
        be meant."""
        secret = login.secret_of(url, token)
        if secret is not None and secret is token and not _proved(url):
            raise ConfigurationError(
                f"the database URL has sslmode={url.query['sslmode']} and login={login.ENTRA}; a "
                "token goes to no server that has not proved who it is: leave sslmode out, and "
                "name the file of its CA by sslrootcert"
            )
        url = url.difference_update_query(login.PARAMETERS)
        known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
        if unknown := sorted(set(url.query) - known):
            raise ConfigurationError(
                f"the database URL has {', '.join(unknown)}, which libpq does not know; see its "
                "connection parameters"
            )
        query = {**_PATIENCE, **_verified(url), **url.query}
        engine = create_engine(
            url.set(drivername=DRIVER, query=query),
            pool_pre_ping=True,  # the server may have been restarted since
            pool_size=backend.CONNECTIONS,
            max_overflow=backend.MORE_CONNECTIONS,
            pool_recycle=1800,
            hide_parameters=True,
        )
        _prepare(engine)
        made = cls(engine)
        if secret is not None:
            made.log_in_with(secret, lambda told, known: told.update(password=known))
        return made

    @property
    def name(self) -> str:
        url = self.engine.url
        return f"{url.database} on {' or '.join(_hosts(url)) or 'this machine'}"

    @contextmanager
    def connected(self, *, reading: bool) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            if reading:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def replacing(
        self, table: Table, _given: Sequence[str], merged: Merged | None, *, shared: bool
    ) -> Insert:
        return backend.on_conflict(insert(table), merged)

    def giving_way(self, table: Table, _given: Sequence[str]) -> Insert:
        return insert(table).on_conflict_do_nothing()

    def opened(self, connection: Connection) -> None:
        """How it is encoded, the only thing that matters, is for good: see `alone`."""

    def alone(self, connection: Connection) -> None:
        """Raises ConfigurationError for a database that can't hold every text."""
        encoding = connection.execute(text("SHOW server_encoding")).scalar()
        if encoding != "UTF8":
            raise ConfigurationError(
                f"the database {self.name} is encoded in {encoding}; make it anew with "
                "ENCODING 'UTF8'"
            )
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})

    def migrated(self, connection: Connection) -> None:
        """Ids are no words of any language: sorted as such, by rules that change with the libraries
        of the machine, an index finds nothing any more. See "Collation Support" there."""
        sorted_as_words = connection.execute(
            text(
                "SELECT table_name, column_name, character_maximum_length AS length "
                "FROM information_schema.columns WHERE table_schema = current_schema() "
                "AND data_type = 'character varying' AND collation_name IS DISTINCT FROM 'C'"
            )
        ).all()
        for table in metadata.sorted_tables:
            changes = [
                f'ALTER "{row.column_name}" TYPE varchar{f"({row.length})" if row.length else ""} '
                'COLLATE "C"'
                for row in sorted_as_words
                if row.table_name == table.name
            ]
            if changes:
                connection.exec_driver_sql(f"ALTER TABLE {table.name} {', '.join(changes)}")
            connection.execute(SetTableComment(table))

    def _is_secondary(self, error: DBAPIError) -> bool:
        return _state(error) == "25006"

    def upgraded(self) -> None:
        """Nothing is left to do: what is erased has been rewritten."""

    def shed(self) -> None:
        self._rewrite(hubs.name, erasures.name)

    def rewrite(self) -> None:
        self._rewrite(*(table.name for table in metadata.sorted_tables))

    def _rewrite(self, *tables: str) -> None:
        """What is deleted is not overwritten, so the tables are written anew without it. Waits for
        whoever reads them, as `pg_dump` does."""
        try:
            with self.engine.connect() as connection:
                alone = connection.execution_options(isolation_level="AUTOCOMMIT")
                alone.exec_driver_sql("SET statement_timeout = 0")
                try:
                    alone.exec_driver_sql(f"VACUUM (FULL) {', '.join(tables)}")
                finally:
                    alone.exec_driver_sql(f"SET statement_timeout = {_STATEMENT_TIMEOUT_MS}")
        except DBAPIError as error:
            raise StoreError(
                self._told(error, "could not be cleared of what was deleted")
            ) from error

    def _told(self, error: DBAPIError, what: str) -> str:
        state = _state(error)
        if state:
            known = (_WHY.get(state[:length]) for length in (5, 3, 2))
            unknown = f"{type(error.orig).__name__}; look at the server's log"
            why = next(filter(None, known), unknown)
        else:
            why = _connecting(str(error.orig))
        return f"the database {self.name} {what}: {why}"


_WHY: Mapping[str, str] = {
    "08": "the connection was lost; what was being committed may be committed or not. Comes right "
    "by itself once the server can be reached",
    "22": "a service gave an id or a version that is longer than 512 characters, or no text",
    "23": "another process wrote the same rows at this moment; comes right by itself",
    "25P03": "this process was stopped for so long that the server gave its transaction up; comes "
    "right by itself",
    "25006": "the server takes no writes: it is a stand-by, or was the primary until a moment ago. "
    "Name the primary, or all of them with target_session_attrs=read-write in the URL",
    "28": "the server lets this user in no more; see the user, its password and pg_hba.conf",
    "40": "its locks crossed those of another process; comes right by itself",
    "42501": "the user lacks a privilege; make it the owner of the database",
    "42P01": "a table is missing; restore the database from a backup, or give another, empty one",
    "53100": "the server's disk is full; make room there",
    "53200": "the server is out of memory",
    "53300": "the server has too many connections; raise max_connections, or end others'",
    "55P03": f"somebody else held the lock for {backend.LOCK_TIMEOUT_MS / 1000:.0f} s. See "
    "pg_stat_activity for who does (a backup, an open shell) and end that",
    "57014": "a statement was cancelled, or took five minutes; look at the server's load",
    "57P": "the server was shut down or is starting; comes right by itself once it is back",
    "XX": "the server found its own data damaged; look at its log",
}
_CONNECTING: Mapping[str, str] = {
    "password authentication failed": "it refuses the user or the password; check both. "
    "With login=entra the user is the name that pgaadauth_create_principal was given",
    "no password supplied": "it wants a password; give one in CIRAHUB_DATABASE or PGPASSWORD, or "
    "name password_file or login=entra in the URL",
    "no pg_hba.conf entry": "its pg_hba.conf lets this user and address not in; add them there",
    "database .* does not exist": "there is no database of that name; make it: CREATE DATABASE",
    "role .* does not exist": "there is no such user; make it: CREATE ROLE … LOGIN",
    "too many connections|connection slots": "it has too many connections; raise max_connections, "
    "or end others'",
    "does not support SSL": "it speaks no TLS; set it up there, or put sslmode=disable into the "
    "URL where the network is trusted with a password",
    "root certificate": "the file of sslrootcert cannot be read; name the one of the server's CA",
    "certificate verify failed": "nobody who is trusted vouches for its certificate; name the "
    "file of its CA by sslrootcert in the URL",
    "does not match host name": "its certificate is for another host; use the name that is in it",
    "starting up|shutting down|recovery": "it is not ready; comes right by itself",
    "resolve": "nobody knows a host of that name; check the URL",
}
"""By what libpq says, and the server in the language that it is set to: of another one the words
are told that fit whatever it is."""


def _connecting(said: str) -> str:
    for sign, why in _CONNECTING.items():
        if re.search(sign, said):
            return why
    return "it cannot be reached; check that it runs and listens where the URL says"


def _state(error: DBAPIError) -> str:
    """SQLSTATE; blank if the server said nothing."""
    if isinstance(error.orig, psycopg.Error) and error.orig.sqlstate:
        return error.orig.sqlstate
    return "08" if error.connection_invalidated else ""


def _here(url: URL) -> bool:
    """Whether the server is on this machine, as far as the URL says where it is: what it leaves out
    libpq takes from the environment."""
    named = [*_hosts(url), *_several(url, "hostaddr")]
    if not named:
        named = list(filter(None, map(os.environ.get, _WHERE)))
    if "service" in url.query or (not named and os.environ.get("PGSERVICE")):
        return False
    return all(host.startswith("/") or host in backend.LOOPBACK for host in named)


def _proved(url: URL) -> bool:
    """Whether the server has to prove who it is, or is on this machine."""
    return _here(url) or url.query.get("sslmode", "verify-full") == "verify-full"


def _verified(url: URL) -> Mapping[str, str]:
    """A password goes to a server that has proved who it is, unless the URL says otherwise."""
    if _here(url) or "sslmode" in url.query:
        return {}
    return {
        "sslmode": "verify-full",
        "sslrootcert": ssl.get_default_verify_paths().cafile or "system",
    }


def _hosts(url: URL) -> list[str]:
    """Without ports; none: this machine."""
    hosts = ",".join(filter(None, (url.host, *_several(url, "host")))).split(",")
    return [host if host in backend.LOOPBACK else host.partition(":")[0] for host in hosts if host]


def _several(url: URL, name: str) -> Sequence[str]:
    """What a parameter has, which may be given more than once."""
    given = url.query.get(name, ())
    return given.split(",") if isinstance(given, str) else given


def _prepare(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: psycopg.Connection[Any], _record: object) -> None:
        connection.autocommit = True  # else a rollback would take the settings back
        connection.execute(
            f"SET lock_timeout = {backend.LOCK_TIMEOUT_MS};"
            f"SET idle_in_transaction_session_timeout = {_IDLE_IN_TRANSACTION_MS};"
            f"SET statement_timeout = {_STATEMENT_TIMEOUT_MS}"
        )
        connection.autocommit = False
