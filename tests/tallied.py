"""Whether what a store says each spoke has is what is there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

MISCOUNTED = """
SELECT spoke FROM tallies
WHERE copies <> (SELECT count(*) FROM replicas
                 WHERE replicas.spoke = tallies.spoke AND state = 'live' AND NOT native)
   OR own <> (SELECT count(*) FROM shadows
              WHERE shadows.spoke = tallies.spoke AND native AND admitted)
"""
"""The spokes of whom it is not, on any database."""


def miscounted(path: Path) -> list[str]:
    """The same in a file of SQLite's."""
    with closing(sqlite3.connect(path)) as connection:
        return [spoke for (spoke,) in connection.execute(MISCOUNTED)]
