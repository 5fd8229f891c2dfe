"""Conflicts that wait for a person, and what people decided about conflicts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select

from cirahub_sync.model.decision import Decision, decode_decision, encode_decision
from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Found, Listed, Prepared
from cirahub_sync.store.rows import PERSON
from cirahub_sync.store.tables import conflicts, decisions, undecided

_COUNTS = Prepared(
    select(
        func.count().label("conflicts"), func.count(undecided.c.item.distinct()).label("items")
    ).where(undecided.c.hub == bindparam("hub"))
)
_UNDECIDED_OF = Listed(
    lambda ids: select(undecided).where(
        undecided.c.hub == bindparam("hub"), undecided.c.item.in_(ids)
    )
)
_DECISIONS_OF = Listed(
    lambda ids: (
        select(decisions)
        .where(decisions.c.hub == bindparam("hub"), decisions.c.item.in_(ids))
        .order_by(decisions.c.item, decisions.c.field, decisions.c.slot)
    )
)


class UndecidedTable:
    def __init__(self, connection: Connection, hub: str) -> None:
        self._connection = connection
        self._hub = hub

    def replace(self, found: Mapping[str, Sequence[str]], now: float) -> None:
        """What these items' last fold left undecided, by item; the rest of them is settled."""
        known = {
            (row.item, row.conflict)
            for row in _UNDECIDED_OF.rows(self._connection, list(found), hub=self._hub)
        }
        there = {(item, conflict) for item, conflicts in found.items() for conflict in conflicts}
        for item, conflict in known - there:
            self._connection.execute(
                delete(undecided).where(
                    undecided.c.hub == self._hub,
                    undecided.c.item == item,
                    undecided.c.conflict == conflict,
                )
            )
        if new := sorted(there - known):
            self._connection.execute(
                insert(undecided),
                [
                    {"hub": self._hub, "item": item, "conflict": conflict, "since": now}
                    for item, conflict in new
                ],
            )

    def all(self) -> dict[tuple[str, str], float]:
        """Since when, by item and conflict; the oldest first."""
        rows = self._connection.execute(
            select(undecided)
            .where(undecided.c.hub == self._hub)
            .order_by(undecided.c.since, undecided.c.item, undecided.c.conflict)
        )
        return {(row.item, row.conflict): row.since for row in rows}

    def counts(self) -> tuple[int, int]:
        """Conflicts, and the items that have them."""
        (row,) = _COUNTS.rows(self._connection, hub=self._hub)
        return row.conflicts, row.items


class DecisionTable:
    def __init__(
        self, connection: Connection, database: Database, hub: str, cipher: Cipher
    ) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub
        self._cipher = cipher

    def of_items(self, ids: Sequence[str]) -> dict[str, list[Decision]]:
        """Those that count, by item; items without any are left out."""
        found: dict[str, list[Decision]] = {}
        for item, decided in self.all_of_items(ids).items():
            if counting := [one for one in decided if not one.set_aside]:
                found[item] = counting
        return found

    def all_of_items(self, ids: Sequence[str]) -> dict[str, list[Decision]]:
        """Also those that were set aside."""
        found: dict[str, list[Decision]] = {}
        rows = _DECISIONS_OF.rows(self._connection, ids, hub=self._hub)
        for item, decision in self._opened(rows):
            found.setdefault(item, []).append(decision)
        return found

    def put(self, item: str, decision: Decision) -> None:
        """In the place of an earlier one about the same field (in a list, the same element)."""
        self._database.upsert(
            self._connection,
            decisions,
            [
                {
                    "hub": self._hub,
                    "item": item,
                    "field": decision.field,
                    "slot": self._slot(decision),
                    "sealed": self._cipher.seal(encode_decision(decision), self._identity(item)),
                }
            ],
        )

    def merge(self, keep: str, gone: str, *, without: Collection[str]) -> None:
        """What was decided about `gone` counts for `keep`; of both items, what was decided about
        the fields in `without` does so no more."""
        for item, decision in self._select(decisions.c.item.in_([keep, gone])):
            if decision.field in without or item == gone:
                self._remove(item, decision)
            if decision.field not in without and item == gone:
                self.put(keep, decision)

    def forget(
        self, spoke: str, fields: Collection[str] | None = None, *, item: str | None = None
    ) -> None:
        """Those of `item`, or of any, about `fields` or about any, that go with what a spoke had
        said; in the others nothing names it any more."""
        where: list[ColumnElement[bool]] = []
        where += [] if fields is None else [decisions.c.field.in_(sorted(fields))]
        if item is not None:
            where.append(decisions.c.item == item)
        for decided, decision in self._select(*where):
            if decision.concerns(spoke):
                self._remove(decided, decision)
            elif spoke in decision.among:
                among = tuple(one for one in decision.among if one != spoke)
                self.put(decided, msgspec.structs.replace(decision, among=among))

    def rename(self, old: str, new: str) -> None:
        """A spoke goes on under another uid."""
        for item, decision in self._select():
            if old in (decision.spoke, *decision.among):
                among = tuple(new if one == old else one for one in decision.among)
                spoke = new if decision.spoke == old else decision.spoke
                self.put(item, msgspec.structs.replace(decision, spoke=spoke, among=among))

    def _remove(self, item: str, decision: Decision) -> None:
        """With what is recorded of it: a value that a person gave may have lost later."""
        self._connection.execute(
            delete(decisions).where(
                decisions.c.hub == self._hub,
                decisions.c.item == item,
                decisions.c.field == decision.field,
                decisions.c.slot == self._slot(decision),
            )
        )
        self._connection.execute(
            delete(conflicts).where(
                conflicts.c.hub == self._hub,
                conflicts.c.item == item,
                conflicts.c.field == decision.field,
                (conflicts.c.loser == PERSON) | (conflicts.c.winner == PERSON),
            )
        )

    def _select(self, *where: ColumnElement[bool]) -> list[tuple[str, Decision]]:
        return self._opened(
            self._connection.execute(
                select(decisions)
                .where(decisions.c.hub == self._hub, *where)
                .order_by(decisions.c.item, decisions.c.field, decisions.c.slot)
            )
        )

    def _opened(self, rows: Iterable[Found]) -> list[tuple[str, Decision]]:
        return [
            (row.item, decode_decision(self._cipher.open(row.sealed, self._identity(row.item))))
            for row in rows
        ]

    def _slot(self, decision: Decision) -> bytes:
        return self._cipher.fingerprint(decision.key.encode())

    def _identity(self, item: str) -> str:
        return f"decisions/{self._hub}/{item}"
