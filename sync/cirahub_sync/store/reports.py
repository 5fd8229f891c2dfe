"""The reports of a hub's last passes, as bytes."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, insert, select

from cirahub_sync.store.listed import Prepared
from cirahub_sync.store.tables import passes

_KEPT = 20
_LAST = Prepared(
    select(passes.c.report)
    .where(passes.c.hub == bindparam("hub"))
    .order_by(passes.c.started.desc())
    .limit(1)
)
_OLDEST = (
    select(passes.c.started)
    .where(passes.c.hub == bindparam("hub"))
    .order_by(passes.c.started.desc())
    .offset(_KEPT)
    .limit(1)
)
_FORGET = Prepared(
    delete(passes).where(
        passes.c.hub == bindparam("hub"), passes.c.started <= _OLDEST.scalar_subquery()
    )
)


class ReportTable:
    def __init__(self, connection: Connection, hub: str) -> None:
        self._connection = connection
        self._hub = hub

    def last(self) -> bytes | None:
        found: bytes | None = _LAST.value(self._connection, hub=self._hub)
        return found

    def add(self, started: float, report: bytes) -> None:
        """The oldest go."""
        self._connection.execute(
            insert(passes).values(hub=self._hub, started=started, report=report)
        )
        _FORGET.run(self._connection, hub=self._hub)
