"""The reports of a hub's last passes, as bytes."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from cirahub_sync.store.tables import passes

_KEPT = 20


class ReportTable:
    def __init__(self, connection: Connection, hub: str) -> None:
        self._connection = connection
        self._hub = hub

    def last(self) -> bytes | None:
        return self._connection.execute(
            select(passes.c.report)
            .where(passes.c.hub == self._hub)
            .order_by(passes.c.started.desc())
            .limit(1)
        ).scalar()

    def add(self, started: float, report: bytes) -> None:
        """The oldest go."""
        self._connection.execute(
            insert(passes).values(hub=self._hub, started=started, report=report)
        )
        oldest = (
            select(passes.c.started)
            .where(passes.c.hub == self._hub)
            .order_by(passes.c.started.desc())
            .offset(_KEPT)
            .limit(1)
        )
        self._connection.execute(
            delete(passes).where(
                passes.c.hub == self._hub, passes.c.started <= oldest.scalar_subquery()
            )
        )
