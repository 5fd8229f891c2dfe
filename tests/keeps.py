"""Where a test's store is kept: in a file of SQLite's, or in a database of PostgreSQL's.

A pytest plugin, too: what is marked `every_database` runs on each of them, `only_database` on the
one that it names; anything else on SQLite, or on what CIRAHUB_TEST_DATABASE names.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, NullPool, create_engine, text

from cirahub_sync.store.database import Database
from postgres import Server

DATABASES = ("sqlite", "postgresql")


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

    def rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        with self.connected() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

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
        kinds = only.args if only else DATABASES if every else (usual,)
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
    server: Server = request.getfixturevalue("postgresql")
    made: list[Keep] = []

    def make(_folder: Path) -> Keep:
        made.append(PostgreSQLKeep(server))
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
