"""The store put together: database, keyring, and hubs opened with their keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from cirahub_sync import steady
from cirahub_sync.errors import CirahubError
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.store.crypto import load_key
from cirahub_sync.store.database import Database
from cirahub_sync.store.hub import HubStore
from cirahub_sync.store.keyring import Keyring
from cirahub_sync.store.lease import Clocks
from cirahub_sync.store.login import Secret
from cirahub_sync.store.tables import erasures, hubs


class Store:
    def __init__(
        self, database: Database, keyring: Keyring, terms: LeaseTerms, clocks: Clocks
    ) -> None:
        self.database = database
        self._keyring = keyring
        self._terms = terms
        self._clocks = clocks

    @classmethod
    def open(
        cls,
        url: str,
        key_file: Path | None,
        clock: Callable[[], float],
        *,
        steadily: Callable[[], float] = steady.now,
        terms: LeaseTerms | None = None,
        token: Secret | None = None,
        migrates: bool = True,
    ) -> Store:
        """Raises ConfigurationError, StoreError, or KeyUnavailableError when the key is missing
        or is not the one that the store was written under: never a fresh start. `token` is for a
        database that is logged in to by one (`login=entra`). Unless it `migrates`, a schema of an
        older version is a StoreError, too."""
        keyring = Keyring(load_key(key_file))
        database = Database.open(url, token, migrates=migrates)
        try:
            keyring.verify(database)
        except CirahubError:
            database.close()
            raise
        return cls(database, keyring, terms or LeaseTerms(), Clocks(clock, steadily))

    def hub(self, uid: str) -> HubStore:
        cipher = self._keyring.cipher(self.database, uid)
        return HubStore(self.database, uid, cipher, self._terms, self._clocks)

    def find(self, uid: str) -> HubStore | None:
        """None for a hub that this store does not know."""
        return self.hub(uid) if self._keyring.knows(self.database, uid) else None

    def hubs(self) -> list[str]:
        with self.database.read() as connection:
            return [row.uid for row in connection.execute(select(hubs.c.uid).order_by(hubs.c.uid))]

    def leavers(self) -> list[tuple[str, str]]:
        """(job, hub) of the open erasures of all hubs, the oldest first."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(erasures.c.job, erasures.c.hub)
                .where(erasures.c.finished_at.is_(None))
                .order_by(erasures.c.requested_at, erasures.c.number)
            )
            return [(row.job, row.hub) for row in rows]

    def close(self) -> None:
        self.database.close()
