"""Who was in the groups that filters name when they were read last, as keyed digests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, select, update

from cirahub_sync.store.crypto import DIGEST_BYTES, Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Prepared
from cirahub_sync.store.parts import parts
from cirahub_sync.store.tables import group_readings

_KEYS = Prepared(select(group_readings.c.key).where(group_readings.c.hub == bindparam("hub")))


class Reading(msgspec.Struct, frozen=True):
    read_at: float
    """POSIX seconds."""
    members: frozenset[bytes]
    """Keyed digests of addresses."""


class GroupTable:
    def __init__(
        self, connection: Connection, database: Database, hub: str, cipher: Cipher
    ) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub
        self._cipher = cipher

    def keys(self) -> set[str]:
        """Of all groups that are kept."""
        return {row.key for row in _KEYS.rows(self._connection, hub=self._hub)}

    def get(self, keys: Sequence[str]) -> dict[str, Reading]:
        return {
            row.key: Reading(row.read_at, _split(self._cipher.open(row.members, self._id(row.key))))
            for part in parts(keys)
            for row in self._connection.execute(
                select(group_readings).where(
                    group_readings.c.hub == self._hub, group_readings.c.key.in_(part)
                )
            )
        }

    def put(self, readings: Mapping[str, Reading]) -> None:
        self._database.upsert(
            self._connection,
            group_readings,
            [
                {
                    "hub": self._hub,
                    "key": key,
                    "read_at": reading.read_at,
                    "members": self._cipher.seal(b"".join(sorted(reading.members)), self._id(key)),
                }
                for key, reading in readings.items()
            ],
        )

    def touch(self, keys: Sequence[str], read_at: float) -> None:
        """They were read, and are what they were."""
        for part in parts(keys):
            self._connection.execute(
                update(group_readings)
                .where(group_readings.c.hub == self._hub, group_readings.c.key.in_(part))
                .values(read_at=read_at)
            )

    def remove(self, keys: Collection[str]) -> None:
        for part in parts(sorted(keys)):
            self._connection.execute(
                delete(group_readings).where(
                    group_readings.c.hub == self._hub, group_readings.c.key.in_(part)
                )
            )

    def _id(self, key: str) -> str:
        return f"groups/{self._hub}/{key}"


def _split(digests: bytes) -> frozenset[bytes]:
    return frozenset(digests[at : at + DIGEST_BYTES] for at in range(0, len(digests), DIGEST_BYTES))
