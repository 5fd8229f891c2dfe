"""The table of what each spoke has."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, Table

from cirahub_sync.store.tables import ID, metadata

tallies = Table(
    "tallies",
    metadata,
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), primary_key=True),
    Column("copies", Integer, nullable=False),
    Column("own", Integer, nullable=False),
    comment="copies: of replicas, the live ones that are no own items. own: of shadows, the own "
    "items that count. A spoke without a row is counted when it is asked for.",
)
