"""Which rows are of a hub's spokes, for statements about all of them at once: with thousands of
spokes, a statement for each would take seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    bindparam,
    func,
    select,
    update,
)

from cirahub_sync.store.listed import Found, Listed, Prepared
from cirahub_sync.store.rows import Spoke
from cirahub_sync.store.tables import erasures, spokes

_RANKS = Listed(
    lambda uids: select(spokes.c.uid, spokes.c.rank).where(
        spokes.c.hub == bindparam("hub"), spokes.c.uid.in_(uids)
    )
)
_ALL = Prepared(select(spokes).where(spokes.c.hub == bindparam("hub")).order_by(spokes.c.rank))


def of_hub(spoke: Column[str], hub: str | BindParameter[str]) -> ColumnElement[bool]:
    return spoke.in_(select(spokes.c.uid).where(spokes.c.hub == hub))


def all_of(connection: Connection, hub: str) -> dict[str, Spoke]:
    """The rows of a hub's spokes by uid, in the order in which they joined."""
    return {row.uid: _row(row) for row in _ALL.rows(connection, hub=hub)}


def one(connection: Connection, uid: str) -> Spoke:
    return _row(connection.execute(select(spokes).where(spokes.c.uid == uid)).one())


_CHANGES: dict[tuple[str, ...], Prepared] = {}
"""By what columns they change."""


def change(connection: Connection, uid: str, values: Mapping[str, str | float | None]) -> None:
    """See `hub.Transaction.update_spoke`. Every receiver of a pass is changed."""
    names = tuple(values)
    prepared = _CHANGES.get(names)
    if prepared is None:
        new = {name: bindparam(f"new_{name}", type_=spokes.c[name].type) for name in names}
        of_spoke = spokes.c.uid == bindparam("of_spoke")
        prepared = _CHANGES[names] = Prepared(update(spokes).where(of_spoke).values(new))
    prepared.run(
        connection, of_spoke=uid, **{f"new_{name}": value for name, value in values.items()}
    )


def ranks(connection: Connection, hub: str, uids: Sequence[str]) -> dict[str, int]:
    """See `hub.Transaction.ranks`."""
    return {row.uid: row.rank for row in _RANKS.rows(connection, uids, hub=hub)}


def owner_of(connection: Connection, target: str) -> str | None:
    """See `hub.Transaction.target_owner`."""
    return connection.execute(select(spokes.c.uid).where(spokes.c.target == target)).scalar()


def leaves_at(connection: Connection, uid: str) -> float | None:
    """See `hub.Transaction.leaves_at`."""
    hub = select(spokes.c.hub).where(spokes.c.uid == uid).scalar_subquery()
    return connection.execute(
        select(func.min(erasures.c.erase_at)).where(
            erasures.c.finished_at.is_(None),
            (erasures.c.job == uid) | (erasures.c.whole_hub.is_(True) & (erasures.c.hub == hub)),
        )
    ).scalar()


def _row(row: Found) -> Spoke:
    return Spoke(**{name: getattr(row, name) for name in Spoke.__struct_fields__})
