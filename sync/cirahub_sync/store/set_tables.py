"""The tables of sets and their members, as those of `tables`."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)

from cirahub_sync.store.tables import ID, metadata

spoke_sets = Table(
    "spoke_sets",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("set_uid", ID, primary_key=True),
    Column("name", String(512), nullable=False),
    Column("added_at", Float, nullable=False),
    Column("read_at", Float, nullable=False),
    Column("source_key", String(64), nullable=False),
    Column("asked", String(256), nullable=False),
    Column("held", String(64), nullable=False),
    Column("held_count", Integer, nullable=False),
    Column("emptied", Boolean, nullable=False),
    Column("left_since", Float, nullable=False),
    Column("left_count", Integer, nullable=False),
    comment="Sets of spokes. read_at: when it was read last who their members are. source_key: "
    "digest of what they were read by. held: what to approve, if leavers are held back. "
    "left_count: who has left since left_since without anybody being asked.",
)

members = Table(
    "members",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("set_uid", ID, primary_key=True),
    Column("id", ID, primary_key=True),
    Column("uid", ID, nullable=False),
    Column("joined_at", Float, nullable=False),
    Column("resolved", Boolean, nullable=False),
    Column("leaving", Boolean, nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("yields_to", ID, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(128), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("retry_at", Float, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index(None, "uid"),
    comment="Members of sets. id: the mailbox's object id. uid: of the spoke that the member is. "
    "sealed: addresses, and why it fails. yields_to: a spoke that has the same target.",
)
