"""Hub keys, wrapped by the key-encryption key (AES key wrap with AES-256-GCM)."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import bindparam, select

from cirahub_sync.errors import KeyUnavailableError
from cirahub_sync.store.crypto import KEY_BYTES, Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Prepared
from cirahub_sync.store.tables import hubs, key_check

_CHECK = b"cirahub key check"
_FIRST_VERSION = 1
_WRAPPED = Prepared(
    select(hubs.c.wrapped_key, hubs.c.key_version).where(hubs.c.uid == bindparam("hub"))
)


class Keyring:
    """Opens the hubs' keys with one key-encryption key."""

    def __init__(self, key_encryption_key: bytes) -> None:
        self._aead = AESGCM(key_encryption_key)

    def verify(self, database: Database) -> None:
        """Raises KeyUnavailableError if the store was written under another key. A store that has
        never been used takes this key as its own."""
        with database.write() as connection:
            sealed = connection.execute(select(key_check.c.sealed)).scalar()
            if sealed is None:
                if connection.execute(select(hubs.c.uid)).first() is not None:
                    raise KeyUnavailableError(
                        "the store holds hubs but its key check is missing; restore the database "
                        "and its key-encryption key from the same backup"
                    )
                made = {"id": 1, "sealed": self._seal(_CHECK, "key_check")}
                database.insert_new(connection, key_check, made)
                sealed = connection.execute(select(key_check.c.sealed)).scalar_one()
        self._open(sealed, "key_check")

    def knows(self, database: Database, hub: str) -> bool:
        with database.read() as connection:
            return (
                connection.execute(select(hubs.c.uid).where(hubs.c.uid == hub)).first() is not None
            )

    def cipher(self, database: Database, hub: str) -> Cipher:
        """The hub's cipher; a hub that is new gets a key and its row."""
        with database.write() as connection:
            found = _WRAPPED.rows(connection, hub=hub)
            if not found:
                made = {
                    "uid": hub,
                    "wrapped_key": self._seal(os.urandom(KEY_BYTES), hub),
                    "key_version": _FIRST_VERSION,
                }
                database.insert_new(connection, hubs, made)
                found = _WRAPPED.rows(connection, hub=hub)
        (row,) = found
        return Cipher(self._open(row.wrapped_key, hub), row.key_version)

    def _seal(self, plaintext: bytes, identity: str) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._aead.encrypt(nonce, plaintext, identity.encode())

    def _open(self, sealed: bytes, identity: str) -> bytes:
        try:
            return self._aead.decrypt(sealed[:12], sealed[12:], identity.encode())
        except InvalidTag as error:
            raise KeyUnavailableError(
                "the key-encryption key is not the one this store was written under; give the "
                "right --key-file, nothing was changed"
            ) from error
