"""A store that an earlier version wrote goes on with this one, and forgets what that one left."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from tests.keeps import Keep, SQLiteKeep

from cirahub_sync.model.codec import encode_item
from cirahub_sync.model.contact import Contact
from cirahub_sync.model.kind import as_contact
from cirahub_sync.store import database as module
from cirahub_sync.store.crypto import load_key
from cirahub_sync.store.database import Database, head, revisions
from cirahub_sync.store.keyring import Keyring
from cirahub_sync.store.opening import Store
from cirahub_sync.store.postgresql import PostgreSQL
from cirahub_sync.store.sqlite import SQLite

MIGRATIONS = Path(module.__file__).with_name("migrations")

Row = dict[str, Any]

ADDED: Mapping[tuple[str, str], Any] = {
    ("spokes", "joined_at"): 0.0,
    # Who has been brought anything had its first sync before there were stages.
    ("spokes", "allowed"): lambda row: 0 if row["mark"] == 0 else None,
    ("pending", "since"): 0.0,
    ("replicas", "attempt"): "",
}
"""What is in a column that a later schema added, for a row from before; nothing, if not here."""


@pytest.fixture
def bare(keep: Keep) -> Keep:
    """A database that nobody has made a schema in."""
    keep.empty()
    return keep


@contextmanager
def reached(keep: Keep) -> Iterator[Engine]:
    engine = create_engine(keep.url, poolclass=NullPool)
    if isinstance(keep, SQLiteKeep):

        @event.listens_for(engine, "connect")
        def _as_it_was(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA secure_delete=OFF")

    yield engine
    engine.dispose()


THAT_EARLIER_VERSIONS_HAD = pytest.mark.only_database("sqlite", "postgresql")
"""None of them kept a store in SQL Server."""


def upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def written_by(revision: str, keep: Keep, key_file: Path) -> None:
    """A store as the version of that schema left it: one hub with one item."""
    with reached(keep) as engine:
        with engine.begin() as connection:
            upgrade(connection, revision)
        kind = SQLite if isinstance(keep, SQLiteKeep) else PostgreSQL
        database = Database(kind(engine))
        keyring = Keyring(load_key(key_file))
        keyring.verify(database)
        cipher = keyring.cipher(database, "hub-1")
    content = cipher.seal(encode_item(Contact(display_name="Ann")), "items/hub-1/item-1")
    keep.change(
        "INSERT INTO items (hub, id, seq, alive, erased, fingerprint, content)"
        " VALUES ('hub-1', 'item-1', 1, :true, :false, :fingerprint, :content)",
        true=True,
        false=False,
        fingerprint=bytes(16),
        content=content,
    )


@THAT_EARLIER_VERSIONS_HAD
def test_a_store_of_the_first_schema_goes_on(bare: Keep, key_file: Path) -> None:
    written_by("0001", bare, key_file)
    store = Store.open(bare.url, key_file, lambda: 0.0)
    with store.database.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == head()
    with store.hub("hub-1").read() as tx:
        (item,) = tx.items.after(0, 10)
    assert (as_contact(item.content).display_name, item.died_of) == ("Ann", None)
    assert store.leavers() == []
    store.close()


def made(column: sa.Column[Any], revision: str, *, full: bool) -> Any:
    """A value that no other row of its table has, where it is to tell rows apart. Of a row that is
    not full: as little as the column takes."""
    if not full and column.nullable:
        return None
    tells = column.primary_key or bool(column.foreign_keys)
    plain = full or tells
    match column.type:
        case sa.Boolean():
            return full
        case sa.Integer():
            return int(revision) * 10 + full if plain else 0
        case sa.Float():
            return int(revision) + 0.5 if plain else 0.0
    (parent,) = column.foreign_keys or (None,)
    name = column.name if parent is None else parent.column.name
    text = f"{name}-{revision}-{'full' if full else 'bare'}" if plain else ""
    if isinstance(column.type, sa.LargeBinary):
        return text.encode()[:16]
    assert isinstance(column.type, sa.String), f"{column.table.name}.{column.name}"
    return text[: column.type.length]


def filled(connection: Connection, revision: str) -> dict[str, list[Row]]:
    """Two rows in each table that there is, by table."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    rows: dict[str, list[Row]] = {}
    for table in metadata.sorted_tables:
        if table.name == "alembic_version":
            continue
        rows[table.name] = [
            {column.name: made(column, revision, full=full) for column in table.c}
            for full in (True, False)
        ]
        connection.execute(table.insert(), rows[table.name])
    return rows


def as_it_should_be(table: str, row: Row, columns: list[str]) -> list[Any]:
    """The values of a row from before, with those that have been added since."""
    added = {name: ADDED.get((table, name)) for name in columns if name not in row}
    whole = row | {name: one(row) if callable(one) else one for name, one in added.items()}
    return [whole[name] for name in columns]


@THAT_EARLIER_VERSIONS_HAD
def test_each_row_of_each_earlier_schema_is_there_after_the_upgrade(bare: Keep) -> None:
    expected: dict[str, list[Row]] = {}
    with reached(bare) as engine:
        for revision in revisions()[:-1]:
            with engine.begin() as connection:
                upgrade(connection, revision)
                for table, rows in filled(connection, revision).items():
                    expected.setdefault(table, []).extend(rows)
    Database.open(bare.url).close()
    assert expected.keys() >= {"hubs", "items", "shadows", "replicas", "members", "photos"}
    with bare.connected() as connection:
        metadata = sa.MetaData()
        metadata.reflect(connection)
        for name, rows in expected.items():
            columns = list(metadata.tables[name].c.keys())
            found = [list(row) for row in connection.execute(metadata.tables[name].select())]
            assert sorted(found, key=repr) == sorted(
                (as_it_should_be(name, row, columns) for row in rows), key=repr
            ), (name, columns)


def test_what_an_earlier_version_had_deleted_is_not_in_the_file_any_more(
    bare: Keep, key_file: Path
) -> None:
    assert isinstance(bare, SQLiteKeep)
    left = b"deleted by the earlier version"
    written_by("0001", bare, key_file)
    with reached(bare) as engine, engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO passes (hub, started, report) VALUES ('hub-1', 1.0, ?)", (left,)
        )
        connection.exec_driver_sql("DELETE FROM passes")

    def files() -> bytes:
        return b"".join(one.read_bytes() for one in bare.path.parent.glob(f"{bare.path.name}*"))

    assert left in files()
    Store.open(bare.url, key_file, lambda: 0.0).close()
    assert left not in files()


def described(keep: Keep) -> dict[str, Any]:
    """All of a schema that rows notice, but the order of columns."""
    with keep.connected() as connection:
        seen = sa.inspect(connection)
        return {
            table: {
                "columns": {
                    one["name"]: (str(one["type"]), one["nullable"])
                    for one in seen.get_columns(table)
                },
                "primary key": seen.get_pk_constraint(table)["constrained_columns"],
                "foreign keys": sorted(
                    (
                        one["constrained_columns"],
                        one["referred_table"],
                        one["referred_columns"],
                        one["options"],
                    )
                    for one in seen.get_foreign_keys(table)
                ),
                "unique": sorted(one["column_names"] for one in seen.get_unique_constraints(table)),
                "indexes": sorted(
                    (one["name"], one["column_names"], bool(one["unique"]))
                    for one in seen.get_indexes(table)
                    if "duplicates_constraint" not in one
                ),
                "checks": sorted(one["sqltext"] for one in seen.get_check_constraints(table)),
            }
            for table in seen.get_table_names()
        }


@THAT_EARLIER_VERSIONS_HAD
def test_a_schema_made_at_once_is_the_one_that_migrations_lead_to(bare: Keep) -> None:
    Database.open(bare.url).close()
    at_once = described(bare)
    bare.empty()
    with reached(bare) as engine, engine.begin() as connection:
        upgrade(connection, revisions()[-2])
    Database.open(bare.url).close()
    assert at_once == described(bare)
    assert "alembic_version" in at_once


def test_the_newest_revision_is_the_one_that_alembic_finds() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert head() == ScriptDirectory.from_config(config).get_current_head()


def test_a_schema_that_is_current_is_opened_without_what_migrates(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    Database.open(url).engine.dispose()
    program = (
        "import sys; from cirahub_sync.store.database import Database; "
        f"Database.open({url!r}).engine.dispose(); sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
