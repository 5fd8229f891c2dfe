"""The tables of change notifications, as those of `tables`."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table

from cirahub_sync.store.tables import ID, metadata

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), primary_key=True),
    Column("hub", ID, nullable=False),
    Column("connection", ID, nullable=False),
    Column("resource", String(1024), nullable=False),
    Column("url", String(64), nullable=False),
    Column("subscription", String(128), nullable=False),
    Column("secret", LargeBinary(32), nullable=False),
    Column("expires", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("error", String(256), nullable=False),
    Index(None, "hub"),
    Index(None, "subscription"),
    comment="By what a service tells of changes in a spoke. connection: uid of the one that it was "
    "made through. url: digest of where it is told. subscription: the service's id; blank: there "
    "is none. secret: digest of what it proves itself by. due_at: when to renew it, or to try "
    "again. attempts, reason, error: of those since it was refused.",
)

notified = Table(
    "notified",
    metadata,
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), primary_key=True),
    Column("hub", ID, nullable=False),
    Column("times", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "hub"),
    comment="Spokes of which a service has told that something changed, until they are read. "
    "times: how often, so that what is told meanwhile stays. at: when first.",
)
