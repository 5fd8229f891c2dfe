"""The newest schema, for a database that has none yet.

Migrations lead to the same (`tests/store/test_migration.py` compares them): a store that begins is
made at once, and only one that an older version wrote goes the whole way.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert

# Each adds its tables to `metadata`.
from cirahub_sync.store import (
    notification_tables,  # noqa: F401
    photo_tables,  # noqa: F401
    set_tables,  # noqa: F401
    shard_tables,  # noqa: F401
    tally_tables,  # noqa: F401
)
from cirahub_sync.store.tables import metadata

noted = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where Alembic looks for the revision: its own table, as it makes it
(https://alembic.sqlalchemy.org/en/latest/api/runtime.html)."""


def create(connection: Connection, revision: str) -> None:
    """Every table, and the note that it is of this revision."""
    metadata.create_all(connection, checkfirst=False)
    noted.create(connection)
    connection.execute(insert(noted).values(version_num=revision))
