"""What one database does differently from another; what is here suits any."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, ColumnElement, Connection, Engine, Table, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ColumnCollection
from sqlalchemy.sql.dml import Insert

from cirahub_sync.errors import CirahubError, StoreError
from cirahub_sync.store.listed import Ready
from cirahub_sync.store.login import Secret

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

Excluded = ColumnCollection[str, Any]
Merged = Callable[[Excluded], dict[str, ColumnElement[Any]]]
"""Of the new row: what columns of the row that is there become."""

LOCK_TIMEOUT_MS = 30_000
"""How long a transaction waits for somebody else's."""
CONNECTIONS = 2
"""To a server, that are kept open; transactions are one after the other, so that one is used
mostly."""
MORE_CONNECTIONS = 2
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""How a URL names this machine."""


class Backend(ABC):
    """Of one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.interruptions = 0
        """How often a connection was lost. What had been committed before may be lost with it: a
        stand-by that takes over may be a moment behind."""

    @classmethod
    @abstractmethod
    def connect(cls, url: URL, token: Secret | None = None) -> Backend:
        """Nothing is opened yet. `token` gives what stands for a password where the URL asks for
        one."""

    @property
    def name(self) -> str:
        """For messages; without user and password."""
        return self.engine.dialect.name

    @abstractmethod
    def connected(self, *, reading: bool) -> AbstractContextManager[Connection]:
        """For a transaction. One that is `reading` sees one state all the time."""

    @abstractmethod
    def replacing(
        self, table: Table, given: Sequence[str], merged: Merged | None, *, shared: bool
    ) -> Insert | Ready:
        """Inserts a row of `given` columns in the place of the one with the same primary key. See
        `Database.upsert`."""

    @abstractmethod
    def giving_way(self, table: Table, given: Sequence[str]) -> Insert | Ready:
        """Inserts a row of `given` columns unless one with the same primary key is there, or comes
        from somebody else this moment."""

    def close(self) -> None:
        self.engine.dispose()

    @abstractmethod
    def opened(self, connection: Connection) -> None:
        """Raises ConfigurationError for a database that can't be used as it is set up."""

    @abstractmethod
    def alone(self, connection: Connection) -> None:
        """Until the transaction's end nobody else migrates."""

    def refused(self, error: DBAPIError) -> str:
        """Why a transaction was not committed, and what to do."""
        return (
            f"the database refused a transaction: {type(error.orig).__name__}; nothing of it "
            "was written. Check that it is reachable and its disk writable, with room left"
        )

    def unreadable(self, error: DBAPIError) -> str:
        return (
            f"the database could not be read: {type(error.orig).__name__}; check that it is "
            "reachable and not damaged"
        )

    def closed(self, error: Exception) -> str:
        """Why it could not be opened, and what to do."""
        return unopened(self.name, error)

    @abstractmethod
    def migrated(self, connection: Connection) -> None:
        """What the migrations of every database leave to do for this one, in their transaction."""

    @abstractmethod
    def upgraded(self) -> None:
        """An earlier version's database has got this one's schema."""

    @abstractmethod
    def shed(self) -> None:
        """See `Database.shed`."""

    @abstractmethod
    def rewrite(self) -> None:
        """See `Database.rewrite`."""


class Served(Backend):
    """One that a server keeps, which may be restarted or give way to a stand-by."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        event.listen(engine, "invalidate", self._lost)

    @abstractmethod
    def _told(self, error: DBAPIError, what: str) -> str:
        """Which database `what` was, why, and what to do."""

    @abstractmethod
    def _is_secondary(self, error: DBAPIError) -> bool:
        """Whether it takes no writes, or not any more."""

    def refused(self, error: DBAPIError) -> str:
        if self._is_secondary(error):
            # Connections to what was the primary are no use any more.
            self.interruptions += 1
            self.engine.dispose()
        return self._told(error, "could not be written")

    def unreadable(self, error: DBAPIError) -> str:
        return self._told(error, "could not be read")

    def closed(self, error: Exception) -> str:
        if isinstance(error, DBAPIError):
            return self._told(error, "cannot be opened")
        return super().closed(error)

    def log_in_with(self, secret: Secret, hand: Callable[[dict[str, Any], str], None]) -> None:
        """It is asked for each new connection; `hand` puts it among what the driver is told."""

        @event.listens_for(self.engine, "do_connect")
        def _with_secret(
            _dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]
        ) -> None:
            try:
                hand(parameters, secret())
            except CirahubError as error:
                raise StoreError(
                    f"the database {self.name} cannot be logged in to: {error}",
                    stalled=error.stalled,
                ) from error

    def _lost(self, *_: object) -> None:
        self.interruptions += 1


def unopened(name: str, error: Exception) -> str:
    return (
        f"the database ({name}) cannot be opened: {type(error).__name__}; check that it is "
        "reachable, writable and not damaged"
    )


def on_conflict(insert: postgresql.Insert | sqlite.Insert, merged: Merged | None) -> Insert:
    """`Backend.replacing` where the database knows `ON CONFLICT`."""
    keys = [column.name for column in insert.table.primary_key]
    others = [column.name for column in insert.table.c if column.name not in keys]
    return insert.on_conflict_do_update(
        index_elements=keys,
        set_={name: insert.excluded[name] for name in others}
        | ({} if merged is None else merged(insert.excluded)),
    )
