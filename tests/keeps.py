"""Where a test's store is kept: in a file of SQLite's, or in a database of PostgreSQL's.

A pytest plugin, too: what is marked `every_database` runs on each of them, `only_database` on the
one that it names; anything else on SQLite, or on what CIRAHUB_TEST_DATABASE names.

SQL Server comes in no package: it is one of them where CIRAHUB_TEST_SQLSERVER has the URL of one,
`mssql://USER:PASSWORD@HOST/master?untested=accepted`, with a user who may make databases.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, NullPool, Select, create_engine, make_url, text

from cirahub_sync.store.database import Database
from cirahub_sync.store.sqlserver import SQLServer
from postgres import Server

SERVER_GIVEN = "CIRAHUB_TEST_SQLSERVER"
DATABASES = ("sqlite", "postgresql", *(("sqlserver",) if SERVER_GIVEN in os.environ else ()))


class Keep(ABC):
    """One database, and copies of it."""

    url: str

    @abstractmethod
    def exists(self) -> bool: ...

    @abstractmethod
    def make(self) -> None:
        """One of the newest schema that nothing has been written to."""

    @abstractmethod
    def empty(self) -> None:
        """One without any schema takes its place."""

    @abstractmethod
    def lose(self) -> None:
        """It is there no more, whoever is connected."""

    @abstractmethod
    def save(self, copy: Path) -> None:
        """What is committed now, beside whoever uses it."""

    @abstractmethod
    def put_back(self, copy: Path) -> None:
        """The copy takes its place."""

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """Past the store, as somebody at a shell would be; what is written is committed."""
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.begin() as connection:
            yield connection
        engine.dispose()

    def rows(self, query: str | Select[Any], **values: object) -> list[tuple[Any, ...]]:
        asked = text(query) if isinstance(query, str) else query
        with self.connected() as connection:
            return [tuple(row) for row in connection.execute(asked, values)]

    def change(self, statement: str, **values: object) -> None:
        with self.connected() as connection:
            connection.execute(text(statement), values)


class SQLiteKeep(Keep):
    def __init__(self, folder: Path) -> None:
        self.path = folder / "store.sqlite3"
        self.url = f"sqlite:///{self.path}"

    def exists(self) -> bool:
        return self.path.exists()

    def make(self) -> None:
        self.path.write_bytes(_blank())

    def empty(self) -> None:
        self.lose()  # SQLite makes the file itself.

    def lose(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    def save(self, copy: Path) -> None:
        with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(copy)) as to:
            source.backup(to)

    def put_back(self, copy: Path) -> None:
        self.lose()
        shutil.copy(copy, self.path)


class PostgreSQLKeep(Keep):
    def __init__(self, server: Server) -> None:
        self.server = server
        self.name = f"t{uuid4().hex[:12]}"
        self.url = server.url(self.name)

    def exists(self) -> bool:
        return self.name in self.server.databases()

    def make(self) -> None:
        self.server.create(self.name, template=_template(self.server))

    def empty(self) -> None:
        self.lose()
        self.server.create(self.name)

    def lose(self) -> None:
        self.server.drop(self.name)

    def save(self, copy: Path) -> None:
        self.server.dump(self.name, copy)

    def put_back(self, copy: Path) -> None:
        self.empty()
        self.server.restore(self.name, copy)


class SQLServerKeep(Keep):
    """On the server that is given. Azure SQL has another way to copy a database, and no backups to
    a file."""

    def __init__(self, server: str) -> None:
        self.name = f"t{uuid4().hex[:12]}"
        self.server = make_url(server)
        self.url = self.server.set(database=self.name).render_as_string(hide_password=False)
        self.azure = str(self._master("SELECT SERVERPROPERTY('EngineEdition')")) == "5"

    def exists(self) -> bool:
        return self._master(f"SELECT DB_ID('{self.name}')") is not None

    def make(self) -> None:
        self._create()
        Database.open(self.url).close()

    def empty(self) -> None:
        self.lose()
        self._create()

    def lose(self) -> None:
        if self.exists():
            if not self.azure:
                self._alter("SINGLE_USER WITH ROLLBACK IMMEDIATE")
            self._master(f"DROP DATABASE {self.name}")

    def save(self, copy: Path) -> None:
        kept = f"{self.name}_{uuid4().hex[:8]}"
        if self.azure:
            self._master(f"CREATE DATABASE {kept} AS COPY OF {self.name}")
        else:
            self._master(f"BACKUP DATABASE {self.name} TO DISK = '{kept}.bak' WITH COPY_ONLY")
        copy.write_text(kept)

    def put_back(self, copy: Path) -> None:
        kept = copy.read_text()
        self.lose()
        if self.azure:
            self._master(f"CREATE DATABASE {self.name} AS COPY OF {kept}")
        else:
            self._master(f"RESTORE DATABASE {self.name} FROM DISK = '{kept}.bak'")

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        backend = SQLServer.connect(make_url(self.url))
        with backend.engine.begin() as connection:
            yield connection
        backend.close()

    def _create(self) -> None:
        self._master(f"CREATE DATABASE {self.name}")
        self._alter("ALLOW_SNAPSHOT_ISOLATION ON")
        self._alter("READ_COMMITTED_SNAPSHOT ON")

    def _alter(self, option: str) -> None:
        self._master(f"ALTER DATABASE {self.name} SET {option}")

    def _master(self, statement: str) -> object:
        """Its first value, if it has any; outside of a transaction, and to the end of what it
        answers with: a backup is cut short before."""
        backend = SQLServer.connect(self.server)
        raw = backend.engine.raw_connection()
        driver: Any = raw.dbapi_connection
        driver.autocommit = True
        found = None
        with closing(driver.cursor()) as cursor:
            cursor.execute(statement)
            while True:
                if cursor.description and found is None:
                    found = cursor.fetchone()[0]
                if not cursor.nextset():
                    break
        raw.close()
        backend.close()
        return found


@cache
def _blank() -> bytes:
    """Made once: to migrate a database takes as long as several passes."""
    with tempfile.TemporaryDirectory(prefix="cirahub-blank-") as folder:
        path = Path(folder) / "store.sqlite3"
        Database.open(f"sqlite:///{path}").close()
        return path.read_bytes()


@cache
def _template(server: Server) -> str:
    server.create("blank")
    Database.open(server.url("blank")).close()
    return "blank"


MakeKeep = Callable[[Path], Keep]
"""Of a folder, in which SQLite's file goes."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        usual = os.environ.get("CIRAHUB_TEST_DATABASE", DATABASES[0])
        only = metafunc.definition.get_closest_marker("only_database")
        every = metafunc.definition.get_closest_marker("every_database") is not None
        if usual not in DATABASES:
            raise pytest.UsageError(f"CIRAHUB_TEST_DATABASE is none of {', '.join(DATABASES)}")
        named = only.args if only else DATABASES if every else (usual,)
        kinds = [kind for kind in named if kind in DATABASES]
        metafunc.parametrize(
            "database_kind",
            [pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in kinds],
            ids=kinds if len(kinds) > 1 else [pytest.HIDDEN_PARAM],
        )


@pytest.fixture
def make_keep(database_kind: str, request: pytest.FixtureRequest) -> Iterator[MakeKeep]:
    """What was made is lost at the end, where it would stay."""
    if database_kind == "sqlite":
        yield SQLiteKeep
        return
    made: list[Keep] = []
    kept: Callable[[], Keep]
    if database_kind == "sqlserver":
        kept = partial(SQLServerKeep, os.environ[SERVER_GIVEN])
    else:
        kept = partial(PostgreSQLKeep, request.getfixturevalue("postgresql"))

    def make(_folder: Path) -> Keep:
        made.append(kept())
        return made[-1]

    yield make
    for keep in made:
        keep.lose()


@pytest.fixture
def keep(make_keep: MakeKeep, tmp_path: Path) -> Keep:
    """An empty one."""
    made = make_keep(tmp_path)
    made.make()
    return made
