"""What SQL Server would be told, and where a token goes. None of it runs there: the store's suite
does, where a server is given (`tests/keeps.py`).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import Column, MetaData, String, Table, UniqueConstraint, make_url, select
from sqlalchemy.schema import CreateIndex, CreateTable

from cirahub_sync.errors import ConfigurationError
from cirahub_sync.store import schema
from cirahub_sync.store.database import Database
from cirahub_sync.store.delivery import waiting_since
from cirahub_sync.store.listed import SIZES
from cirahub_sync.store.opening import Store
from cirahub_sync.store.sqlserver import parameters
from cirahub_sync.store.tables import hubs, items, metadata, pending, spokes
from cirahub_sync.store.transact_sql import (
    Dialect,
    giving_way,
    replacing,
    unique_where_filled,
)

DIALECT = Dialect(paramstyle="qmark")  # type: ignore[no-untyped-call]
DIALECT.deprecate_large_types = True  # as of any server since 2012
TABLES = [*metadata.sorted_tables, schema.noted]
CLUSTERED, OTHER = 900, 1700
"""Bytes that a key may have: "Maximum capacity specifications"."""
TOO_LONG = {"uq_spokes_target"}
"""Keys that are refused from 850 characters on: an address that nobody has."""


def definition(table: Table) -> str:
    return " ".join(str(CreateTable(table).compile(dialect=DIALECT)).split())


def width(column: Column[object]) -> int:
    length = getattr(column.type, "length", None)
    return (2 if isinstance(column.type, String) else 1) * length if length else 8


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_text_is_of_any_language_and_told_apart_by_its_bytes(table: Table) -> None:
    said = definition(table)
    texts = [column for column in table.c if isinstance(column.type, String)]
    assert said.count("NVARCHAR") == len(texts)
    assert said.count("COLLATE Latin1_General_100_BIN2") == len(texts)
    assert " VARCHAR" not in said


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_key_is_longer_than_an_index_holds(table: Table) -> None:
    key = sum(map(width, table.primary_key.columns))
    assert key <= OTHER
    assert ("PRIMARY KEY NONCLUSTERED" in definition(table)) == (key > CLUSTERED)
    keys = {str(index.name): [*index.columns] for index in table.indexes}
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            keys[str(constraint.name)] = [*constraint.columns]
    assert [n for n, columns in keys.items() if sum(map(width, columns)) > OTHER] == [
        n for n in keys if n in TOO_LONG
    ]


def test_no_row_goes_by_two_ways_when_what_it_hangs_on_goes() -> None:
    """Which is refused there: "multiple cascade paths"."""
    for table in TABLES:
        assert len(table.foreign_key_constraints) <= 1, table.name


def test_spokes_without_an_address_are_not_taken_for_the_same() -> None:
    assert "UNIQUE" not in definition(spokes)
    (index,) = unique_where_filled(spokes)
    said = str(CreateIndex(index).compile(dialect=DIALECT))
    assert (
        said == "CREATE UNIQUE INDEX uq_spokes_target ON spokes (target) WHERE target IS NOT NULL"
    )
    assert [*unique_where_filled(hubs)] == []


def test_a_constraint_of_what_is_never_empty_stays_one() -> None:
    table = Table("t", MetaData(), Column("a", String(9), nullable=False), UniqueConstraint("a"))
    assert "UNIQUE (a)" in definition(table)
    assert [*unique_where_filled(table)] == []


@pytest.mark.parametrize(("living", "bit"), [(True, 1), (False, 0)])
def test_truth_is_a_bit(living: bool, bit: int) -> None:
    query = select(items.c.id).where(items.c.alive.is_(living), items.c.content.is_(None))
    said = str(query.compile(dialect=DIALECT))
    assert said.endswith(f"items.alive = {bit} AND items.content IS NULL")


@pytest.mark.parametrize("shared", [False, True])
def test_a_row_takes_another_s_place_without_what_hangs_on_it_going(shared: bool) -> None:
    """What only who has the hub's row writes locks nothing of its neighbours'."""
    ready = replacing(pending, [column.name for column in pending.c], waiting_since, shared=shared)
    changed, made = ready.texts
    assert made.startswith("INSERT INTO pending (spoke, item, hub, ")
    same = "pending.spoke = new.spoke AND pending.item = new.item"
    locked = " WITH (UPDLOCK, HOLDLOCK)" if shared else ""
    assert made.endswith(f"WHERE NOT EXISTS (SELECT 1 FROM pending{locked} WHERE {same})")
    assert changed.startswith("UPDATE pending SET hub = new.hub, ")
    assert "since = CASE WHEN (pending.reason IN (" in changed
    assert changed.endswith(f" ON {same}")
    assert f" FROM pending{locked} JOIN (" in changed
    assert {text.count("?") for text in ready.texts} == {len(ready.order)} == {len(ready.sizes)}


def test_a_row_that_gives_way_changes_nothing() -> None:
    (made,) = giving_way(hubs, ["uid", "wrapped_key", "key_version"]).texts
    head, values, *_ = made.splitlines()
    assert (
        head == "INSERT INTO hubs (uid, wrapped_key, key_version, seq, lease_token, lease_expires)"
    )
    assert values == "SELECT new.uid, new.wrapped_key, new.key_version, 0, 0, 0.0"


def test_what_a_row_leaves_out_becomes_what_it_is_by_default() -> None:
    ready = replacing(spokes, ["uid", "hub", "rank", "place", "contributes_key", "receives_key"])
    sets = ready.texts[0].partition(" SET ")[2].partition(" FROM ")[0]
    assert {"joined_at = '0'", "target = NULL", "mark = 0"} <= set(sets.split(", "))


def test_a_row_of_nothing_but_its_key_is_only_made() -> None:
    table = Table("t", MetaData(), Column("a", String(9), primary_key=True))
    assert len(replacing(table, ["a"]).texts) == 1


def test_a_value_is_not_cut_to_what_a_column_holds() -> None:
    for text in replacing(spokes, ["uid", "target"]).texts:
        assert text.count("CAST(? AS NVARCHAR(4000)) COLLATE Latin1_General_100_BIN2") == 2


class Noting:
    """A cursor that notes what it is handed."""

    def __init__(self) -> None:
        self.handed: list[tuple[object, int]] = []
        self._sizes: object = None

    def setinputsizes(self, sizes: object) -> None:
        self._sizes = sizes

    def executemany(self, _statement: str, rows: list[object]) -> None:
        self.handed.append((self._sizes, len(rows)))
        self._sizes = None  # as the driver forgets them


class Sized:
    """What SQLAlchemy knows of a statement, as far as it is asked."""

    execution_options: ClassVar = {SIZES: "sizes"}


def test_many_rows_go_some_at_a_time_each_with_their_types() -> None:
    cursor: Any = Noting()
    context: Any = Sized()
    DIALECT.do_executemany(cursor, "words", [(1,)] * 450, context)
    assert cursor.handed == [("sizes", 200), ("sizes", 200), ("sizes", 50)]


def test_without_the_driver_it_is_said_how_to_get_it(
    key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mssql_python", None)
    with pytest.raises(ConfigurationError, match=r"module mssql_python, .*docs/database\.md says"):
        Store.open("mssql://u@db.example/d?untested=accepted", key_file, time.time)


@pytest.mark.parametrize("weaker", ["Encrypt=optional", "TrustServerCertificate=yes", "encrypt=no"])
def test_a_token_goes_to_no_server_that_has_not_proved_who_it_is(weaker: str) -> None:
    url = f"mssql://db.example/d?untested=accepted&login=entra&{weaker}"
    with pytest.raises(ConfigurationError, match="lets the server go without a proof"):
        Database.open(url, lambda: "token")


def test_the_driver_is_told_to_have_proofs_and_never_to_connect_anew_without_a_word() -> None:
    query = "untested=accepted&login=entra&hostnameincertificate=other"
    told = parameters(make_url(f"mssql://u@db.example/d?{query}"))
    assert told["Encrypt"] == "yes"
    assert told["TrustServerCertificate"] == "no"
    assert told["ConnectRetryCount"] == "0"
    assert told["HostnameInCertificate"] == "other"
    assert {"login", "untested"} & set(told) == set()
