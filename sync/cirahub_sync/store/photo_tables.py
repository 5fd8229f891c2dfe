"""The tables of photos, as those of `tables`."""

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

_REMOTE = String(512)
_DIGEST = LargeBinary(16)

photos = Table(
    "photos",
    metadata,
    Column("spoke", ID, ForeignKey("spokes.uid", ondelete="CASCADE"), primary_key=True),
    Column("remote", _REMOTE, primary_key=True),
    Column("hub", ID, nullable=False),
    Column("contact", _REMOTE, nullable=False),
    Column("etag", _REMOTE, nullable=False),
    Column("own", Boolean, nullable=False),
    Column("digest", _DIGEST),
    Column("written", _DIGEST),
    Column("written_etag", _REMOTE, nullable=False),
    Column("due_at", Float),
    Column("attempts", Integer, nullable=False),
    Index(None, "hub", "due_at"),
    Index(None, "hub", "digest"),
    comment="The photo of a contact in a spoke. contact: the contact's etag when the photo was "
    "looked at. etag: the photo's then; blank: none. own: it is its user's; digest: that photo's, "
    "if it is fit to travel. written: digest of the photo that was sent there last; written_etag: "
    "the etag that it has there; blank: the answer is not known. due_at: when to look, or to try, "
    "again; null: never.",
)

pictures = Table(
    "pictures",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("digest", _DIGEST, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    comment="Photos that people have put in, normalised and sealed, each once. digest: keyed.",
)

portraits = Table(
    "portraits",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("item", ID, primary_key=True),
    Column("digest", _DIGEST, nullable=False),
    Column("spoke", ID, nullable=False),
    Index(None, "hub", "spoke"),
    comment="The photo of an item, and the spoke whose it is. Made of `photos`.",
)
