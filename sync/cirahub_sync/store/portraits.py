"""Whose photo an item has, and the pictures themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, delete, select

from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.parts import parts
from cirahub_sync.store.photo_tables import photos, pictures, portraits
from cirahub_sync.store.photos import same_contact
from cirahub_sync.store.tables import shadows


class Portrait(msgspec.Struct, frozen=True):
    """The photo of an item."""

    digest: bytes
    spoke: str
    """Whose it is."""


class Claim(msgspec.Struct, frozen=True):
    """A photo that a user put on a contact of an item."""

    item: str
    spoke: str
    remote: str
    digest: bytes


class PortraitTable:
    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def claims(self) -> list[Claim]:
        """Every photo that people have put on a contact that counts."""
        rows = self._connection.execute(
            select(shadows.c.item, photos.c.spoke, photos.c.remote, photos.c.digest)
            .join(shadows, same_contact(shadows))
            .where(
                photos.c.hub == self._hub,
                photos.c.digest.is_not(None),
                shadows.c.item.is_not(None),
                shadows.c.admitted.is_(True),
            )
        )
        return [Claim(*row) for row in rows]

    def all(self) -> dict[str, Portrait]:
        """By item."""
        rows = self._connection.execute(select(portraits).where(portraits.c.hub == self._hub))
        return {row.item: Portrait(row.digest, row.spoke) for row in rows}

    def get(self, ids: Sequence[str]) -> dict[str, Portrait]:
        return {
            row.item: Portrait(row.digest, row.spoke)
            for part in parts(ids)
            for row in self._connection.execute(
                select(portraits).where(portraits.c.hub == self._hub, portraits.c.item.in_(part))
            )
        }

    def of_spoke(self, spoke: str) -> list[str]:
        """Items whose photo is the spoke's."""
        return list(
            self._connection.execute(
                select(portraits.c.item).where(
                    portraits.c.hub == self._hub, portraits.c.spoke == spoke
                )
            ).scalars()
        )

    def put(self, found: Mapping[str, Portrait | None]) -> None:
        """None: the item has no photo any more."""
        self._database.upsert(
            self._connection,
            portraits,
            [
                {"hub": self._hub, "item": item, "digest": one.digest, "spoke": one.spoke}
                for item, one in found.items()
                if one is not None
            ],
        )
        for part in parts([item for item, one in found.items() if one is None]):
            self._connection.execute(
                delete(portraits).where(portraits.c.hub == self._hub, portraits.c.item.in_(part))
            )


class PictureTable:
    """Normalised photos by their keyed digests."""

    def __init__(
        self, connection: Connection, database: Database, hub: str, cipher: Cipher
    ) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub
        self._cipher = cipher

    def keep(self, picture: bytes) -> bytes:
        """Its digest."""
        digest = self._cipher.fingerprint(picture)
        known = select(pictures.c.digest).where(
            pictures.c.hub == self._hub, pictures.c.digest == digest
        )
        if self._connection.execute(known).first() is None:
            sealed = self._cipher.seal(picture, self._identity(digest))
            row = {"hub": self._hub, "digest": digest, "sealed": sealed}
            self._database.insert(self._connection, pictures, [row])
        return digest

    def get(self, digest: bytes) -> bytes | None:
        sealed = self._connection.execute(
            select(pictures.c.sealed).where(
                pictures.c.hub == self._hub, pictures.c.digest == digest
            )
        ).scalar()
        return None if sealed is None else self._cipher.open(sealed, self._identity(digest))

    def purge(self) -> None:
        """Forget pictures that nobody puts in any more."""
        said = select(photos.c.digest).where(
            photos.c.hub == pictures.c.hub, photos.c.digest == pictures.c.digest
        )
        self._connection.execute(
            delete(pictures).where(pictures.c.hub == self._hub, ~said.exists())
        )

    def any(self) -> bool:
        """Whether any is kept."""
        found = select(pictures.c.digest).where(pictures.c.hub == self._hub).limit(1)
        return self._connection.execute(found).first() is not None

    def clear(self) -> None:
        self._connection.execute(delete(pictures).where(pictures.c.hub == self._hub))

    def _identity(self, digest: bytes) -> str:
        return f"pictures/{self._hub}/{digest.hex()}"
