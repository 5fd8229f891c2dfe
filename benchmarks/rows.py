"""What the driver alone takes to note what a pass delivered, in the tables that the pass wrote."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from cirahub_sync.engine.deliver import CHUNK
from cirahub_sync.store.database import Database

_KEY = "benchmark/hub-of-the-benchmark/{item}/{spoke}/0123456789abcdef"
"""As long as an intent's."""


def noted(store: Path, empty: Path) -> float:
    """Seconds of the processor for the rows of each delivery in the store: its intent put and taken
    away again, and its replica, as many in a transaction as a pass has in hand, into an empty
    database of the same schema and settings. Nothing is decided, encoded or read."""
    with closing(sqlite3.connect(store)) as connection:
        replicas = connection.execute("SELECT * FROM replicas ORDER BY spoke, rowid").fetchall()
        above = {
            table: connection.execute(f"SELECT * FROM {table}").fetchall()
            for table in ("hubs", "spokes")
        }
    database = Database.open(f"sqlite:///{empty}")
    raw = database.engine.raw_connection()
    cursor = raw.cursor()
    for table, rows in above.items():
        cursor.executemany(_insert(table, len(rows[0])), rows)
    columns = [row[1] for row in cursor.execute("PRAGMA table_info(replicas)")]
    item, hub = columns.index("item"), columns.index("hub")
    chunks = [
        (rows[start : start + CHUNK], spoke)
        for spoke, of_spoke in groupby(replicas, itemgetter(columns.index("spoke")))
        for rows in [list(of_spoke)]
        for start in range(0, len(rows), CHUNK)
    ]
    put, take = _insert("replicas", len(columns)), "DELETE FROM intents WHERE key = ?"
    spent = 0.0
    for rows, spoke in chunks:
        keys = [(_KEY.format(item=row[item], spoke=spoke),) for row in rows]
        intents = [
            (key, row[hub], spoke, row[item], "Create", "", 1, bytes(16), False, 0.0)
            for row, (key,) in zip(rows, keys, strict=True)
        ]
        began = time.process_time()
        cursor.execute("BEGIN IMMEDIATE")
        cursor.executemany(_insert("intents", 10), intents)
        cursor.execute("COMMIT")
        cursor.execute("BEGIN IMMEDIATE")
        cursor.executemany(put, rows)
        cursor.executemany(take, keys)
        cursor.execute("COMMIT")
        spent += time.process_time() - began
    cursor.close()
    raw.close()
    database.close()
    return spent


def _insert(table: str, columns: int) -> str:
    return f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"
