"""How much each spoke has, kept up as rows come and go: to count them at the end of every pass took
most of a pass in which nothing had changed."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    bindparam,
    delete,
    func,
    select,
    update,
)

from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Listed, Prepared
from cirahub_sync.store.membership import of_hub
from cirahub_sync.store.rows import ReplicaState
from cirahub_sync.store.tables import replicas, shadows, spokes
from cirahub_sync.store.tally_tables import tallies

_OF_HUB = Prepared(
    select(spokes.c.uid, tallies.c.copies, tallies.c.own)
    .select_from(spokes.outerjoin(tallies, tallies.c.spoke == spokes.c.uid))
    .where(spokes.c.hub == bindparam("hub"))
)
_ADD = Prepared(
    update(tallies)
    .where(tallies.c.spoke == bindparam("of_spoke"))
    .values(copies=tallies.c.copies + bindparam("more"), own=tallies.c.own + bindparam("more_own"))
)
_COPY = (replicas.c.state == ReplicaState.LIVE.value) & replicas.c.native.is_(False)
_OWN = shadows.c.native.is_(True) & shadows.c.admitted.is_(True)
_COPIES_AMONG = Listed(
    lambda ids: select(func.count().label("found")).where(
        replicas.c.spoke == bindparam("spoke"), replicas.c.item.in_(ids), _COPY
    )
)
_OWN_AMONG = Listed(
    lambda remotes: select(func.count().label("found")).where(
        shadows.c.spoke == bindparam("spoke"), shadows.c.remote.in_(remotes), _OWN
    )
)


class Tally(msgspec.Struct, frozen=True):
    """Of one spoke."""

    copies: int = 0
    """Live copies, without the spoke's own items."""
    own: int = 0
    """The spoke's own items that count."""


class TallyTable:
    """A spoke without a row has not been counted since it joined, or since much of it went at
    once: it is counted when it is asked for."""

    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def settle(self) -> dict[str, Tally]:
        """By uid, of all of the hub's spokes. What had to be counted is kept."""
        rows = _OF_HUB.rows(self._connection, hub=self._hub)
        found = {row.uid: Tally(row.copies, row.own) for row in rows if row.copies is not None}
        uncounted = [row.uid for row in rows if row.copies is None]
        if uncounted:
            without = (
                select(spokes.c.uid)
                .outerjoin_from(spokes, tallies, tallies.c.spoke == spokes.c.uid)
                .where(spokes.c.hub == self._hub, tallies.c.spoke.is_(None))
            )
            copies = self._counted(replicas.c.spoke, _COPY & replicas.c.spoke.in_(without))
            own = self._counted(shadows.c.spoke, _OWN & shadows.c.spoke.in_(without))
            new = {uid: Tally(copies.get(uid, 0), own.get(uid, 0)) for uid in uncounted}
            self._database.insert(
                self._connection,
                tallies,
                [{"spoke": uid, "copies": one.copies, "own": one.own} for uid, one in new.items()],
            )
            found |= new
        return found

    def forget(self, spoke: str | None = None) -> None:
        """Of the spoke, or of all of the hub: much has gone."""
        whose = of_hub(tallies.c.spoke, self._hub) if spoke is None else tallies.c.spoke == spoke
        self._connection.execute(delete(tallies).where(whose))

    def own(self) -> dict[str, int]:
        """Of the hub's spokes those that have any, by uid; counted now."""
        return self._counted(shadows.c.spoke, _OWN & of_hub(shadows.c.spoke, self._hub))

    def _counted(self, spoke: Column[str], which: ColumnElement[bool]) -> dict[str, int]:
        """By spoke, all in one go."""
        rows = self._connection.execute(select(spoke, func.count()).where(which).group_by(spoke))
        return {uid: int(count) for uid, count in rows}


def copies_become(
    connection: Connection, rows: Iterable[tuple[str, str, bool]], *, before: int | None = None
) -> None:
    """Asked before rows of replicas are written: of each, the spoke, the item, and whether it is a
    live copy by then. `before`: how many of them are now, if that is known."""
    for spoke, after in _by_spoke(rows).items():
        there = before
        if there is None:
            found = _COPIES_AMONG.rows(connection, list(after), spoke=spoke)
            there = sum(row.found for row in found)
        _add(connection, spoke, copies=sum(after.values()) - there)


def own_become(connection: Connection, rows: Iterable[tuple[str, str, bool]]) -> None:
    """The same before rows of shadows are written: of each, the spoke, the remote id, and whether
    it is an own item that counts by then."""
    for spoke, after in _by_spoke(rows).items():
        before = _OWN_AMONG.rows(connection, list(after), spoke=spoke)
        _add(connection, spoke, own=sum(after.values()) - sum(row.found for row in before))


def _by_spoke(rows: Iterable[tuple[str, str, bool]]) -> dict[str, dict[str, bool]]:
    found: dict[str, dict[str, bool]] = {}
    for spoke, key, counts in rows:
        found.setdefault(spoke, {})[key] = counts
    return found


def _add(connection: Connection, spoke: str, *, copies: int = 0, own: int = 0) -> None:
    if copies or own:
        _ADD.run(connection, of_spoke=spoke, more=copies, more_own=own)
