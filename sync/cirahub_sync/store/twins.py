"""Twins: living items that have a match key in common and are not one, by what the store keeps."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select

from cirahub_sync.store.listed import Prepared
from cirahub_sync.store.tables import items, match_keys, shadows

_ALIVE = (items.c.hub == match_keys.c.hub) & (items.c.id == match_keys.c.item)
_OWN = (shadows.c.hub == match_keys.c.hub) & (shadows.c.item == match_keys.c.item)


def _living() -> tuple[ColumnElement[bool], ...]:
    return match_keys.c.hub == bindparam("hub"), items.c.alive.is_(True)


def _native() -> tuple[ColumnElement[bool], ...]:
    return shadows.c.native.is_(True), shadows.c.admitted.is_(True)


def _shared() -> Select[tuple[bytes]]:
    """Keys of several items, from their index alone; then those of several living ones, which
    is to look at items. Both computed once. Without statistics, as in a first pass, PostgreSQL
    would do it again for each row that it is held against, which takes minutes for some hundred
    items."""
    common = (
        select(match_keys.c.digest)
        .where(match_keys.c.hub == bindparam("hub"))
        .group_by(match_keys.c.digest)
        .having(func.count() > 1)
        .cte("common")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    shared = (
        select(match_keys.c.digest)
        .join(items, _ALIVE)
        .where(*_living(), match_keys.c.digest.in_(select(common.c.digest)))
        .group_by(match_keys.c.digest)
        .having(func.count() > 1)
        .cte("shared")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    return select(shared.c.digest)


_COUNT = Prepared(
    select(func.count(match_keys.c.item.distinct()))
    .join(items, _ALIVE)
    .where(*_living(), match_keys.c.digest.in_(_shared()))
)
_DOUBLED = (
    select(shadows.c.spoke.label("spoke"), match_keys.c.digest.label("digest"))
    .join(items, _ALIVE)
    .join(shadows, _OWN)
    .where(*_living(), *_native(), match_keys.c.digest.in_(_shared()))
    .group_by(shadows.c.spoke, match_keys.c.digest)
    .having(func.count() > 1)
    .subquery()
)
_COUNTS = Prepared(
    select(_DOUBLED.c.spoke, func.count(match_keys.c.item.distinct()).label("found"))
    .join(match_keys, match_keys.c.digest == _DOUBLED.c.digest)
    .join(items, _ALIVE)
    .join(shadows, _OWN & (shadows.c.spoke == _DOUBLED.c.spoke))
    .where(*_living(), *_native())
    .group_by(_DOUBLED.c.spoke)
)
_GROUPS = Prepared(
    select(match_keys.c.digest, match_keys.c.item)
    .join(items, _ALIVE)
    .where(*_living(), match_keys.c.digest.in_(_shared()))
)


class TwinTable:
    def __init__(self, connection: Connection, hub: str) -> None:
        self._connection = connection
        self._hub = hub

    def count(self) -> int:
        """Items that have a key in common with another."""
        return int(_COUNT.value(self._connection, hub=self._hub))

    def counts(self) -> dict[str, int]:
        """By spoke: of its own contacts those that have a key in common with another of its own.
        Who has none is left out."""
        rows = _COUNTS.rows(self._connection, hub=self._hub)
        return {row.spoke: int(row.found) for row in rows}

    def groups(self) -> list[tuple[str, ...]]:
        """The ids of items that have a key in common, each set of them once."""
        by_key: dict[bytes, set[str]] = {}
        for row in _GROUPS.rows(self._connection, hub=self._hub):
            by_key.setdefault(row.digest, set()).add(row.item)
        return sorted({tuple(sorted(found)) for found in by_key.values()})
