"""Copies of the database, taken and put back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.engine.conftest import Scene, remove_database


def backup(scene: Scene, target: Path) -> None:
    """A consistent copy of the database as it is now, beside whoever uses it."""
    with closing(sqlite3.connect(scene.database)) as source, closing(sqlite3.connect(target)) as to:
        source.backup(to)


async def restore(scene: Scene, source: Path) -> None:
    """A new process on the copy."""

    def put_back(database: Path) -> None:
        remove_database(database)
        database.write_bytes(source.read_bytes())

    await scene.restart(before=put_back)
