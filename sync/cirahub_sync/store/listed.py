"""Statements about lists of ids, and rows by the hundred, without SQLAlchemy's work on each value.

SQLAlchemy says what a statement is in the database's own words, once; the values go to the driver
as they are. Where a driver wants them by name and not by place (PostgreSQL's) SQLAlchemy does it
all. Measured by benchmarks/merge.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    CursorResult,
    Delete,
    Dialect,
    Row,
    Select,
    Update,
    bindparam,
)
from sqlalchemy.sql.dml import Insert

_LENGTHS = (1, 8, 24, 64, 512)
"""Of the lists that statements are prepared for: the last id fills them up. A batch of writes has
20 ids. Well under SQLite's 32,766 parameters."""

Statement = Select[Any] | Update | Delete
Ids = Sequence[str] | Sequence[bytes] | Sequence[int]


class Listed:
    """A statement about ids. `make` is given what stands for them, for `in_`; its other values are
    named by `bindparam`. Booleans of rows may come as 0 and 1."""

    def __init__(self, make: Callable[[Sequence[BindParameter[Any]]], Statement]) -> None:
        self._make = make
        self._made: dict[tuple[str, int], _Compiled] = {}

    def rows(
        self, connection: Connection, ids: Ids, **values: object
    ) -> Iterator[Row[tuple[Any, ...]]]:
        """Of a SELECT; none for no ids."""
        for compiled, bound in self._parts(connection.dialect, ids, values):
            yield from compiled.run(connection, bound).all()

    def run(self, connection: Connection, ids: Ids, **values: object) -> None:
        """An UPDATE or a DELETE."""
        for compiled, bound in self._parts(connection.dialect, ids, values):
            compiled.run(connection, bound)

    def _parts(
        self, dialect: Dialect, ids: Ids, values: Mapping[str, object]
    ) -> Iterator[tuple[_Compiled, dict[str, object]]]:
        for start in range(0, len(ids), _LENGTHS[-1]):
            part = ids[start : start + _LENGTHS[-1]]
            length = next(one for one in _LENGTHS if one >= len(part))
            compiled = self._made.get((dialect.name, length))
            if compiled is None:
                statement = self._make([bindparam(name) for name in _NAMES[:length]])
                compiled = self._made[dialect.name, length] = _Compiled(statement, dialect)
            bound: dict[str, object] = dict(zip(_NAMES, part, strict=False))
            for name in _NAMES[len(part) : length]:
                bound[name] = part[-1]
            bound.update(values)
            yield compiled, bound


class Prepared:
    """A statement without a list, that runs in every transaction or for every batch. Its values are
    named by `bindparam`. Booleans of rows may come as 0 and 1."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._made: dict[str, _Compiled] = {}

    def run(self, connection: Connection, **values: object) -> CursorResult[Any]:
        dialect = connection.dialect
        compiled = self._made.get(dialect.name)
        if compiled is None:
            compiled = self._made[dialect.name] = _Compiled(self._statement, dialect)
        return compiled.run(connection, values)


_NAMES = tuple(f"one_{number}" for number in range(_LENGTHS[-1]))


class _Compiled:
    def __init__(self, statement: Statement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._statement = statement
        self._text = str(compiled) if dialect.positional else ""
        self._order: Sequence[str] = compiled.positiontup or ()
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}

    def run(self, connection: Connection, bound: dict[str, object]) -> CursorResult[Any]:
        if not self._text:
            return connection.execute(self._statement, bound)
        values = {**self._fixed, **bound}
        return connection.exec_driver_sql(self._text, tuple([values[one] for one in self._order]))


class Inserts:
    """INSERTs of many rows, by the names of their columns."""

    def __init__(self) -> None:
        self._made: dict[object, tuple[Insert, str, Callable[[Any], Any]]] = {}

    def run(
        self,
        connection: Connection,
        key: object,
        make: Callable[[], Insert],
        rows: Sequence[Mapping[str, Any]],
    ) -> None:
        """`key` is the statement's that `make` makes. All rows have the same columns, and as many
        as the statement has: no default is filled in."""
        dialect = connection.dialect
        key = (dialect.name, key, *rows[0])
        made = self._made.get(key)
        if made is None:
            statement = make()
            compiled = statement.compile(dialect=dialect, column_keys=list(rows[0]))
            order = compiled.positiontup or ()
            direct = dialect.positional and len(order) > 1 and set(order) == set(rows[0])
            made = self._made[key] = (
                statement,
                str(compiled) if direct else "",
                itemgetter(*order) if direct else tuple,
            )
        statement, text, values = made
        if text:
            connection.exec_driver_sql(text, [values(row) for row in rows])
        else:
            connection.execute(statement, rows)
