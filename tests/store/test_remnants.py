"""What is left in a database's files of rows that are deleted: nothing, once they are rewritten."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.keeps import Keep, PostgreSQLKeep

from cirahub_sync.errors import StoreError
from cirahub_sync.store import backend
from cirahub_sync.store.database import Database
from cirahub_sync.store.tables import hubs


def test_what_moved_rows_left_behind_in_their_pages_goes_when_the_file_is_rewritten(
    tmp_path: Path,
) -> None:
    """`secure_delete` alone leaves two or three of 1,250 values (SQLite 3.40)."""
    chance = random.Random(1)
    path = tmp_path / "store.sqlite3"
    database = Database.open(f"sqlite:///{path}")
    gone: list[bytes] = []

    def value(*, leaver: bool) -> bytes:
        made = chance.randbytes(chance.randrange(60, 900))
        if leaver:
            gone.append(made)
        return made

    keys: list[tuple[str, bool]] = []
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE t (k TEXT PRIMARY KEY, v BLOB, leaver INTEGER)")
        for _ in range(3000):
            leaver = chance.random() < 0.3
            keys.append((chance.randbytes(8).hex(), leaver))
            row = (keys[-1][0], value(leaver=leaver), leaver)
            connection.exec_driver_sql("INSERT INTO t VALUES (?, ?, ?)", row)
            key, leaver = chance.choice(keys)
            changed = (value(leaver=leaver), key)
            connection.exec_driver_sql("UPDATE t SET v = ? WHERE k = ?", changed)
    database.shed()
    assert sum(one[8:40] in path.read_bytes() for one in gone) > 500
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM t WHERE leaver")
    database.rewrite()
    files = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert [one for one in gone if one[8:40] in files] == []
    database.close()


def _tables_of(keep: PostgreSQLKeep) -> bytes:
    """All files of the database, as they are on the disk."""
    keep.server.run("CHECKPOINT")
    (oid,) = keep.server.run(f"SELECT oid FROM pg_database WHERE datname = '{keep.name}'")
    folder = keep.server.home / "data/base" / str(oid[0])
    return b"".join(one.read_bytes() for one in folder.iterdir())


@pytest.mark.only_database("postgresql")
@pytest.mark.parametrize("all_of_it", [True, False], ids=["an erasure", "a hub's key"])
def test_what_is_deleted_stays_in_the_tables_until_they_are_written_anew(
    keep: Keep, all_of_it: bool
) -> None:
    assert isinstance(keep, PostgreSQLKeep)
    value = random.Random(1).randbytes(64)
    database = Database.open(keep.url)
    with database.write() as connection:
        row = {"uid": "hub", "wrapped_key": value, "key_version": 1}
        database.insert_new(connection, hubs, row)
    with database.write() as connection:
        connection.execute(hubs.delete())
    assert value in _tables_of(keep)
    if all_of_it:
        database.rewrite()
    else:
        database.shed()
    assert value not in _tables_of(keep)
    database.close()


@pytest.mark.only_database("postgresql")
def test_tables_that_somebody_reads_are_waited_for_and_then_told(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "LOCK_TIMEOUT_MS", 50)
    database, backup = Database.open(keep.url), Database.open(keep.url)
    with backup.read() as connection:
        connection.execute(hubs.select()).all()
        with pytest.raises(StoreError, match=r"be cleared .*: somebody else held the lock"):
            database.rewrite()
    database.rewrite()
    database.close()
    backup.close()
