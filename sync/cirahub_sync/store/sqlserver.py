"""SQL Server and Azure SQL: how they are connected to, what holds for each session, and what their
errors mean. Untested: nobody has run it against either (docs/database.md says against what), and
who gives such a URL has to say that they know.

Sources, of learn.microsoft.com/sql: "DSN and connection string keywords and attributes" of the ODBC
driver, "Use Microsoft Entra ID with the ODBC driver" (the token before a connection), "SET
LOCK_TIMEOUT", "sp_getapplock", "sp_clean_db_free_space" (not on Azure SQL Database), "SET
TRANSACTION ISOLATION LEVEL", "DB_ID" (another than sys.databases' there), "Database Engine events
and errors".
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql.dml import Insert

from cirahub_sync.errors import ConfigurationError, StoreError
from cirahub_sync.store import backend, login, transact_sql
from cirahub_sync.store.backend import Merged, Served
from cirahub_sync.store.listed import Ready
from cirahub_sync.store.login import Secret
from cirahub_sync.store.tables import DEAD, items, metadata

_LOGIN_SECONDS = 10
_STATEMENT_SECONDS = 300
_TOKEN = 1256
"""`SQL_COPT_SS_ACCESS_TOKEN`."""
_PATIENCE: Mapping[str, str] = {
    # A server that is gone without a word is noticed after a minute (nine probes, as Linux has it),
    # within a statement after five.
    "KeepAlive": "15",
    "KeepAliveInterval": "5",
    # Else the driver would connect anew without a word, and what was committed before may be lost:
    # see `Backend.interruptions`.
    "ConnectRetryCount": "0",
}
_PROVED: Mapping[str, str] = {"Encrypt": "yes", "TrustServerCertificate": "no"}
_LEVEL = "cirahub_level"
UNTESTED, ACCEPTED = "untested", "accepted"
_KNOWN = (
    *_PATIENCE,
    *_PROVED,
    "HostnameInCertificate",
    "ServerCertificate",
    "MultiSubnetFailover",
    "IpAddressPreference",
    "PacketSize",
)
"""Parameters that a URL may have, beside ours."""
_MIGRATION_LOCK = "cirahub: schema"

for _index in items.indexes:
    if _index.dialect_options["sqlite"]["where"] is not None:
        _index.dialect_options["mssql"]["where"] = DEAD


class SQLServer(Served):
    @classmethod
    def connect(cls, url: URL, token: Secret | None = None) -> SQLServer:
        """Raises ConfigurationError for a parameter of the URL that nobody knows, or that can't
        be meant."""
        secret = login.secret_of(url, token)
        given = parameters(url)
        by_token = secret is not None and secret is token
        if not (by_token or url.username):
            raise ConfigurationError(
                "the database URL of SQL Server names no user; write it like "
                f"mssql://cirahub@db.example/cirahub?{UNTESTED}={ACCEPTED}, or say "
                f"login={login.ENTRA}"
            )
        if by_token and url.host not in backend.LOOPBACK and not _proves(given):
            raise ConfigurationError(
                f"the database URL has login={login.ENTRA} and lets the server go without a proof "
                "of who it is; a token goes to no such one: leave Encrypt and "
                "TrustServerCertificate out"
            )
        engine = create_engine(
            URL.create(
                transact_sql.DRIVER,
                username=None if by_token else url.username,
                password=None if secret else url.password,
                host=url.host,
                port=url.port,
                database=url.database,
                query=given,
            ),
            connect_args={"timeout": _LOGIN_SECONDS},
            paramstyle="qmark",
            pool_pre_ping=True,  # the server may have been restarted since
            pool_size=backend.CONNECTIONS,
            max_overflow=backend.MORE_CONNECTIONS,
            pool_recycle=1800,
            hide_parameters=True,
        )
        _prepare(engine)
        made = cls(engine)
        if secret is not None:
            made.log_in_with(secret, _by_token if by_token else _by_password)
        return made

    @property
    def name(self) -> str:
        url = self.engine.url
        return f"{url.database} on {url.host or 'this machine'}"

    @contextmanager
    def connected(self, *, reading: bool) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            self._at(connection, "SNAPSHOT" if reading else "READ COMMITTED")
            yield connection

    def _at(self, connection: Connection, level: str) -> None:
        """Have the session's next transactions be of that level. It is said outside of any: one
        that has begun keeps its own."""
        if connection.info.get(_LEVEL) == level:
            return
        words = f"SET TRANSACTION ISOLATION LEVEL {level}"
        with self._outside(connection, words) as driver:
            _drained(driver, words)
        connection.info[_LEVEL] = level

    @contextmanager
    def _outside(self, connection: Connection, words: str) -> Iterator[Any]:
        """The driver's connection, outside of any transaction and without SQLAlchemy, as whose
        error one is told."""
        driver = connection.connection.dbapi_connection
        assert driver is not None
        errors = connection.dialect.loaded_dbapi.Error
        try:
            driver.autocommit = True
            yield driver
            driver.autocommit = False
        except errors as error:
            connection.invalidate(error)
            raise DBAPIError.instance(
                words, None, error, errors, hide_parameters=True, dialect=connection.dialect
            ) from error

    def replacing(
        self, table: Table, given: Sequence[str], merged: Merged | None, *, shared: bool
    ) -> Ready:
        return transact_sql.replacing(table, given, merged, shared=shared)

    def giving_way(self, table: Table, given: Sequence[str]) -> Insert | Ready:
        return transact_sql.giving_way(table, given)

    def opened(self, connection: Connection) -> None:
        """Raises ConfigurationError for a database whose readers and writers would wait for each
        other."""
        state = connection.execute(
            text(
                "SELECT snapshot_isolation_state AS snapshots, is_read_committed_snapshot_on AS "
                "committed FROM sys.databases WHERE name = DB_NAME()"
            )
        ).one()
        if not (state.snapshots and state.committed):
            raise ConfigurationError(
                f"readers of the database {self.name} would wait for writers; as its owner, with "
                f"nobody else in it, say ALTER DATABASE [{self.engine.url.database}] SET "
                "ALLOW_SNAPSHOT_ISOLATION ON and the same with READ_COMMITTED_SNAPSHOT"
            )

    def alone(self, connection: Connection) -> None:
        self._patient(connection, 0)
        got = connection.execute(
            text(
                "DECLARE @got int; EXEC @got = sp_getapplock @Resource = :lock, "
                "@LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = :patience; "
                "SELECT @got"
            ),
            {"lock": _MIGRATION_LOCK, "patience": backend.LOCK_TIMEOUT_MS},
        ).scalar_one()
        if got < 0:
            raise StoreError(
                f"another process has been bringing the database {self.name} forward for "
                f"{backend.LOCK_TIMEOUT_MS / 1000:.0f} s; comes right by itself once it is done"
            )

    def migrated(self, connection: Connection) -> None:
        self._patient(connection, _STATEMENT_SECONDS)
        there = connection.execute(text("SELECT name FROM sys.indexes")).scalars().all()
        for table in metadata.sorted_tables:
            for index in transact_sql.unique_where_filled(table):
                if index.name not in there:
                    connection.execute(CreateIndex(index))

    def _is_secondary(self, error: DBAPIError) -> bool:
        return bool(_READ_ONLY.search(str(error.orig)))

    def upgraded(self) -> None:
        """Nothing is left to do: what is erased has been overwritten."""

    def shed(self) -> None:
        self.rewrite()

    def rewrite(self) -> None:
        """What is deleted stays in its page until another row needs the place: the pages are
        written anew without it. Azure SQL Database has nothing that does that, and builds the
        tables anew: what they were made of is free there, on disks that are encrypted. Wants the
        database's owner."""
        what = "could not be cleared of what was deleted"
        try:
            with self.engine.connect() as connection:
                edition = connection.execute(text("SELECT SERVERPROPERTY('EngineEdition')"))
                azure = str(edition.scalar_one()) == _AZURE_SQL_DATABASE
                connection.rollback()
                for words in _BUILD_ANEW if azure else _CLEAN:
                    self._patient(connection, 0)
                    with self._outside(connection, words) as driver:
                        code = _drained(driver, words)
                    self._patient(connection, _STATEMENT_SECONDS)
                    if code:
                        raise StoreError(
                            f"the database {self.name} {what}: {_CLEANING} answered {code}; look "
                            "at the server's log"
                        )
        except DBAPIError as error:
            raise StoreError(self._told(error, what)) from error

    def _patient(self, connection: Connection, seconds: int) -> None:
        """How long the session's next statements may take; 0: as long as they like."""
        driver: Any = connection.connection.dbapi_connection
        driver.timeout = seconds

    def _told(self, error: DBAPIError, what: str) -> str:
        said = str(error.orig)
        why = next((why for sign, why in _WHY.items() if re.search(sign, said)), "")
        if error.connection_invalidated and not why:
            why = _CUT_OFF
        why = why or f"{type(error.orig).__name__}; look at the server's log"
        return f"the database {self.name} {what}: {why}"


def _drained(driver: Any, words: str) -> int:
    """The last value of all that a statement answers with; it would be cut short before."""
    last = 0
    with closing(driver.cursor()) as cursor:
        cursor.execute(words)
        while True:
            if cursor.description:
                last = cursor.fetchall()[-1][0]
            if not cursor.nextset():
                return int(last or 0)


_AZURE_SQL_DATABASE = "5"
_CLEANING = "sp_clean_db_free_space"
_CLEAN = [
    "SET NOCOUNT ON; DECLARE @name sysname = DB_NAME(), @code int; EXEC @code = "
    + _CLEANING
    + " @dbname = @name; SELECT @code"
]
_BUILD_ANEW = [
    f"SET NOCOUNT ON; ALTER TABLE {name} REBUILD; ALTER INDEX ALL ON {name} REBUILD; SELECT 0"
    for name in (f"[{table.name}]" for table in metadata.sorted_tables)
]
_CUT_OFF = (
    "the connection was lost; what was being committed may be committed or not. Comes right by "
    "itself once the server can be reached"
)
_READ_ONLY = re.compile("database is read-only|read-only secondary")
_WHY: Mapping[str, str] = {
    "Failed to load the driver": "this machine lacks what its ODBC driver is linked with; install "
    "that (Debian: libltdl7 and libgssapi-krb5-2)",
    "Cannot open database": "there is no database of that name, or the user may not use it; make "
    "it: CREATE DATABASE, and CREATE USER in it",
    "Login failed for user": "it refuses the user, its password or its token, or has no such "
    "database; check them, and with login=entra that CREATE USER … FROM EXTERNAL PROVIDER was said "
    "for the identity",
    "is not allowed to access the server": "its firewall does not let this address in; add a rule "
    "there",
    "SSL Provider": "nobody who is trusted vouches for its certificate, or it is for another host; "
    "name a file of CAs, the system's and its own, by the variable SSL_CERT_FILE, or the host in "
    "it by HostnameInCertificate in the URL",
    "Lock request time out": f"somebody else held the lock for {backend.LOCK_TIMEOUT_MS / 1000:.0f}"
    " s. See sys.dm_tran_locks for who does (an open query window) and end that",
    "deadlock": "its locks crossed those of another process; comes right by itself",
    "snapshot isolation is not allowed": "it does not let readers go past writers any more; say "
    "ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON",
    "Cannot insert duplicate key": "another process wrote the same rows at this moment; comes "
    "right by itself",
    f"would be truncated|{transact_sql.REFUSED}|exceeds the maximum length": "a service gave an "
    "id, a version or an address that is longer than the store holds",
    "permission was denied|does not have permission": "the user lacks a privilege; make it the "
    "owner of the database (db_owner)",
    "Invalid object name": "a table is missing; restore the database from a backup, or give "
    "another, empty one",
    _READ_ONLY.pattern: "it takes no writes: it is a secondary, or was the primary until a moment "
    "ago. Name the primary, or the listener of the failover group",
    "Could not allocate space|log for database .* is full|size quota": "it is full; make room, or "
    "raise its limit",
    "limit for the database|service is currently busy|not currently available": "it has too much "
    "to do for its size; comes right by itself, or give it more",
    "Query timeout expired": "a statement took five minutes; look at the server's load",
    "Login timeout expired|unable to establish connection": "it cannot be reached; check that it "
    "runs and listens where the URL says",
    "consistency-based I/O error|torn page": "the server found its own data damaged; look at its "
    "log",
    "Communication link failure|forcibly closed": _CUT_OFF,
}
"""By what the server says in English, the first that fits. What it says has values in it, and is
never told."""


def parameters(url: URL) -> dict[str, str]:
    """What the driver is told, as it spells that. Raises ConfigurationError, also for who has not
    said that they know it to be untested."""
    if url.query.get(UNTESTED) != ACCEPTED:
        raise ConfigurationError(
            "a store in SQL Server or Azure SQL is untested: nobody has run one on either "
            f"(docs/database.md). Give one of PostgreSQL, or say {UNTESTED}={ACCEPTED} in the URL"
        )
    url = url.difference_update_query([*login.PARAMETERS, UNTESTED])
    spelled = {name.lower(): name for name in _KNOWN}
    if unknown := sorted(name for name in url.query if name.lower() not in spelled):
        raise ConfigurationError(
            f"the database URL has {', '.join(unknown)}, which is no parameter for SQL Server; "
            f"there are {', '.join(sorted(_KNOWN))}"
        )
    found = {**_PROVED, **_PATIENCE}
    for name, value in url.query.items():
        if not isinstance(value, str):
            raise ConfigurationError(f"the database URL has {name} more than once; leave one")
        found[spelled[name.lower()]] = value
    if not url.host or not url.database:
        raise ConfigurationError(
            "the database URL of SQL Server names a host and a database; write it like "
            f"mssql://cirahub@db.example/cirahub?{UNTESTED}={ACCEPTED}"
        )
    return found


def _proves(parameters: Mapping[str, str]) -> bool:
    encrypted = parameters["Encrypt"].lower() in {"yes", "true", "mandatory", "strict"}
    return encrypted and parameters["TrustServerCertificate"].lower() in {"no", "false"}


def _by_password(told: dict[str, Any], password: str) -> None:
    told["pwd"] = password


def _by_token(told: dict[str, Any], token: str) -> None:
    """As the driver takes one: its length, and two bytes for each character."""
    encoded = token.encode("utf-16-le")
    told["attrs_before"] = {_TOKEN: struct.pack("<I", len(encoded)) + encoded}


def _prepare(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.timeout = _STATEMENT_SECONDS
        cursor = connection.cursor()
        cursor.execute(f"SET LOCK_TIMEOUT {backend.LOCK_TIMEOUT_MS}")
        cursor.close()
        connection.commit()
