"""The table of shards, as those of `tables`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, LargeBinary, String, Table

from cirahub_sync.store.tables import ID, metadata

shards = Table(
    "shards",
    metadata,
    Column("hub", ID, ForeignKey("hubs.uid", ondelete="CASCADE"), primary_key=True),
    Column("pass_number", BigInteger, primary_key=True, autoincrement=False),
    Column("errand", String(16), primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("connection", ID, nullable=False),
    Column("state", String(16), nullable=False),
    Column("token", Integer, nullable=False),
    Column("holder", String(128)),
    Column("expires", Float, nullable=False),
    Column("handed", LargeBinary, nullable=False),
    Column("outcome", LargeBinary),
    Column("error", String(256), nullable=False),
    comment="What of the pass under way other processes do: some spokes of one connection, in one "
    "errand. pass_number: the token of the lease that the pass holds the hub by. token: how many "
    "have taken it; only the last one may commit. handed: what it is told, sealed; outcome: what "
    "it tells, sealed. Gone with the pass.",
)
