"""Statements about lists of ids of any length, and rows by the hundred, on a real database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError
from tests.keeps import Keep

from cirahub_sync.errors import StoreError
from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Inserts, Listed, Prepared, Ready
from cirahub_sync.store.tables import hubs, pull_retry, withdrawals

NAMED = Listed(
    lambda items: (
        select(withdrawals.c.item, withdrawals.c.seq)
        .where(withdrawals.c.job == bindparam("job"), withdrawals.c.item.in_(items))
        .order_by(withdrawals.c.seq)
    )
)
EVEN = Listed(
    lambda seqs: (
        update(withdrawals)
        .where(withdrawals.c.job == bindparam("of_job"), withdrawals.c.seq.in_(seqs))
        .values(seq=bindparam("to_seq"))
    )
)
MOVED = Prepared(
    update(withdrawals)
    .where(withdrawals.c.job == bindparam("of_job"), withdrawals.c.seq < bindparam("below"))
    .values(seq=bindparam("to_seq"))
)
GONE = Listed(lambda items: delete(withdrawals).where(withdrawals.c.item.in_(items)))


pytestmark = pytest.mark.every_database


@pytest.fixture
def database(keep: Keep) -> Iterator[Database]:
    made = Database.open(keep.url)
    yield made
    made.close()


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.write() as connection:
        connection.execute(insert(hubs).values(uid="hub", wrapped_key=b"", key_version=1))
        rows = [
            {"job": job, "item": f"item-{number}", "hub": "hub", "seq": number}
            for job in ("one", "two")
            for number in range(1500)
        ]
        database.insert(connection, withdrawals, rows)
        yield connection


@pytest.mark.parametrize("count", [0, 1, 2, 8, 9, 64, 511, 512, 513, 1024, 1400])
def test_every_id_of_a_list_is_asked_for_once(connection: Connection, count: int) -> None:
    wanted = [f"item-{number}" for number in range(count)]
    found = [row.item for row in NAMED.rows(connection, wanted, job="one")]
    assert found == wanted


def test_nothing_but_the_list_is_found(connection: Connection) -> None:
    rows = list(NAMED.rows(connection, ["item-7", "nobody", "item-3"], job="two"))
    assert [(row.item, row.seq) for row in rows] == [("item-3", 3), ("item-7", 7)]


def test_nothing_but_the_list_is_changed_or_removed(connection: Connection) -> None:
    EVEN.run(connection, [number for number in range(1000) if number % 2], of_job="one", to_seq=0)
    everything = [f"item-{number}" for number in range(1500)]
    seqs = [row.seq for row in NAMED.rows(connection, everything, job="one")]
    assert seqs.count(0) == 501
    assert len([row for row in NAMED.rows(connection, everything, job="two") if not row.seq]) == 1
    GONE.run(connection, everything[:700])
    assert len(list(NAMED.rows(connection, everything, job="one"))) == 800
    assert len(list(NAMED.rows(connection, everything, job="two"))) == 800


def test_a_statement_without_a_list_takes_its_values_anew_each_time(
    connection: Connection,
) -> None:
    assert MOVED.run(connection, of_job="one", below=3, to_seq=7) == 3
    assert MOVED.run(connection, of_job="one", below=5, to_seq=9) == 2
    found = NAMED.rows(connection, ["item-0", "item-4", "item-5"], job="one")
    assert [(row.item, row.seq) for row in found] == [("item-5", 5), ("item-0", 7), ("item-4", 9)]


def test_an_upsert_replaces_what_has_its_key(database: Database, connection: Connection) -> None:
    rows = [{"job": "one", "item": f"item-{number}", "hub": "hub", "seq": -1} for number in (3, 4)]
    database.upsert(connection, withdrawals, [*rows, {**rows[0], "item": "new"}])
    database.upsert(connection, withdrawals, [])
    found = NAMED.rows(connection, ["item-3", "item-4", "item-5", "new"], job="one")
    assert sorted((row.item, row.seq) for row in found) == [
        ("item-3", -1),
        ("item-4", -1),
        ("item-5", 5),
        ("new", -1),
    ]


def test_columns_that_are_not_given_have_their_defaults(
    database: Database, connection: Connection
) -> None:
    connection.execute(
        text(
            "INSERT INTO spokes (uid, hub, rank, place, contributes_key, receives_key, mark, "
            "verified_at) VALUES ('spoke', 'hub', 0, '', '', '', 0, 0)"
        )
    )
    row = {"spoke": "spoke", "remote": "r", "why": "unreadable", "due_at": 1.0}
    database.upsert(connection, pull_retry, [row])
    assert connection.execute(select(pull_retry.c.attempts)).scalar_one() == 0


def test_rows_that_the_database_refuses_are_told_of_without_what_they_hold(
    database: Database,
) -> None:
    row = {"job": "one", "item": "given@contoso.example", "hub": "hub", "seq": 1}
    with pytest.raises(StoreError) as told, database.write() as connection:
        database.insert(connection, withdrawals, [row, row])
    assert isinstance(told.value.__cause__, IntegrityError)
    assert "contoso" not in str(told.value)


def test_nothing_is_left_of_a_transaction_that_failed_and_the_next_one_goes_well(
    database: Database,
) -> None:
    def make(*uids: str) -> None:
        with database.write() as connection:
            for uid in uids:
                connection.execute(insert(hubs).values(uid=uid, wrapped_key=b"", key_version=1))

    with pytest.raises(StoreError):
        make("first", "first")
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(hubs)).scalar() == 0
    make("second")
    with database.read() as connection:
        assert connection.execute(select(hubs.c.uid)).scalars().all() == ["second"]


@pytest.mark.only_database("sqlite")
def test_of_rows_with_the_same_key_the_next_finds_what_the_one_before_made(
    connection: Connection,
) -> None:
    """As where a database has no statement that does both."""
    kept = Table(
        "kept", MetaData(), Column("name", String(9), primary_key=True), Column("n", Integer)
    )
    kept.create(connection)
    new = "(SELECT ? AS name, ? AS n) AS new"
    texts = (
        f"UPDATE kept SET n = kept.n + new.n FROM {new} WHERE kept.name = new.name",
        f"INSERT INTO kept SELECT name, n FROM {new} WHERE name NOT IN (SELECT name FROM kept)",
    )
    ready = Ready(texts, order=("name", "n"), keys=("name",), sizes=())
    rows = [{"name": name, "n": n} for name, n in (("a", 1), ("b", 10), ("a", 2), ("a", 4))]
    Inserts().run(connection, "kept", lambda: ready, rows)
    Inserts().run(connection, "kept", lambda: ready, rows[:1])
    found = connection.execute(select(kept).order_by(kept.c.name)).all()
    assert [tuple(row) for row in found] == [("a", 8), ("b", 10)]
