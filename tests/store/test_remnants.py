"""What SQLite leaves in a file of rows that are deleted: nothing, once the file is rewritten."""

from __future__ import annotations

import random
from pathlib import Path

from cirahub_sync.store.database import Database


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
