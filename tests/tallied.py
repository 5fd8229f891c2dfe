"""Whether what a store says each spoke has is what is there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import func, or_, select
from sqlalchemy.dialects import sqlite

from cirahub_sync.store.tables import replicas, shadows
from cirahub_sync.store.tally_tables import tallies

_COPIES = select(func.count()).where(
    replicas.c.spoke == tallies.c.spoke, replicas.c.state == "live", replicas.c.native.is_(False)
)
_OWN = select(func.count()).where(
    shadows.c.spoke == tallies.c.spoke, shadows.c.native.is_(True), shadows.c.admitted.is_(True)
)
MISCOUNTED = select(tallies.c.spoke).where(
    or_(
        tallies.c.copies != _COPIES.scalar_subquery(),
        tallies.c.own != _OWN.scalar_subquery(),
    )
)
"""The spokes of whom it is not, on any database."""


def miscounted(path: Path) -> list[str]:
    """The same in a file of SQLite's."""
    words = MISCOUNTED.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with closing(sqlite3.connect(path)) as connection:
        return [spoke for (spoke,) in connection.execute(str(words))]
