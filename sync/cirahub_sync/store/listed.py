"""Statements about lists of ids, and rows by the hundred, without SQLAlchemy's work on each.

SQLAlchemy says what a statement is in the database's own words, once; SQLite's driver is handed it,
and the values as they are, within the transaction that SQLAlchemy has open: 5 µs for a row that is
asked for, not 52. Other drivers want values by name (PostgreSQL's) or with their types (SQL
Server's), and SQLAlchemy does it all. Measured by benchmarks/merge.py and fanout.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from operator import itemgetter
from typing import Any, Protocol, cast

import msgspec
from sqlalchemy import (
    BindParameter,
    Connection,
    Delete,
    Dialect,
    Select,
    Update,
    bindparam,
)
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert

_LENGTHS = (1, 8, 24, 64, 512)
"""Of the lists that statements are prepared for: the last id fills them up. A batch of writes has
20 ids. Well under SQLite's 32,766 parameters."""

Statement = Select[*tuple[Any, ...]] | Update | Delete
Ids = Sequence[str] | Sequence[bytes] | Sequence[int]


class Found(Protocol):
    """A row, whoever fetched it: its columns by their names. Booleans may come as 0 and 1."""

    def __getattr__(self, name: str, /) -> Any: ...


class Listed:
    """A statement about ids. `make` is given what stands for them, for `in_`; its other values are
    named by `bindparam`."""

    def __init__(self, make: Callable[[Sequence[BindParameter[Any]]], Statement]) -> None:
        self._make = make
        self._made: dict[tuple[str, int], _Compiled] = {}

    def rows(self, connection: Connection, ids: Ids, **values: object) -> Iterator[Found]:
        """Of a SELECT; none for no ids."""
        for compiled, bound in self._parts(connection.dialect, ids, values):
            yield from compiled.rows(connection, bound)

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
                compiled = self._made[dialect.name, length] = self._compiled(dialect, length)
            bound: dict[str, object] = dict(zip(_NAMES, part, strict=False))
            for name in _NAMES[len(part) : length]:
                bound[name] = part[-1]
            bound.update(values)
            yield compiled, bound

    def _compiled(self, dialect: Dialect, length: int) -> _Compiled:
        """What stands for one id is what stands for each: a statement with 512 of them takes
        SQLAlchemy ten milliseconds, and its words alone none."""
        if not _direct(dialect):
            return _Compiled(self._make([bindparam(name) for name in _NAMES[:length]]), dialect)
        compiled = _Compiled(self._make([bindparam(_NAMES[0])]), dialect)
        compiled.repeat(_NAMES[0], _NAMES[:length])
        return compiled


class Prepared:
    """A statement without a list, that runs in every pass, transaction or batch. Its values are
    named by `bindparam`."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._made: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, **values: object) -> Sequence[Found]:
        """Of a SELECT."""
        return self._compiled(connection.dialect).rows(connection, values)

    def value(self, connection: Connection, **values: object) -> Any:
        """Of a SELECT: the first column of the first row; None if there is none."""
        return self._compiled(connection.dialect).value(connection, values)

    def run(self, connection: Connection, **values: object) -> int:
        """An UPDATE or a DELETE: how many rows it met."""
        return self._compiled(connection.dialect).run(connection, values)

    def _compiled(self, dialect: Dialect) -> _Compiled:
        compiled = self._made.get(dialect.name)
        if compiled is None:
            compiled = self._made[dialect.name] = _Compiled(self._statement, dialect)
        return compiled


_PLACE = "?"
"""What stands for a value (PEP 249, `qmark`)."""
_NAMES = tuple(f"one_{number}" for number in range(_LENGTHS[-1]))


class _Compiled:
    def __init__(self, statement: Statement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._statement = statement
        self._text = str(compiled) if _direct(dialect) else ""
        self._order: Sequence[str] = compiled.positiontup or ()
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self._row: Callable[..., Found] | None = None

    def repeat(self, name: str, names: Sequence[str]) -> None:
        """Have a value be asked for by several names in place of one, with commas between."""
        around = self._text.split(_PLACE)
        assert len(around) == len(self._order) + 1, self._text
        order: list[str] = []
        text = [around[0]]
        for each, after in zip(self._order, around[1:], strict=True):
            these = names if each == name else (each,)
            order += these
            text += (", ".join(_PLACE * len(these)), after)
        self._text, self._order = "".join(text), order

    def rows(self, connection: Connection, bound: dict[str, object]) -> Sequence[Found]:
        if not self._text:
            return connection.execute(self._statement, bound).all()
        cursor, found = driven(connection, self._text, self._values(bound))
        if self._row is None:
            names = [column[0] for column in cursor.description or ()]
            made = msgspec.defstruct("Row", names, frozen=True, gc=False)
            self._row = cast("Callable[..., Found]", made)
        return [*starmap(self._row, found)]

    def value(self, connection: Connection, bound: dict[str, object]) -> Any:
        if not self._text:
            return connection.execute(self._statement, bound).scalar()
        _, found = driven(connection, self._text, self._values(bound))
        return found[0][0] if found else None

    def run(self, connection: Connection, bound: dict[str, object]) -> int:
        if not self._text:
            return connection.execute(self._statement, bound).rowcount
        return driven(connection, self._text, self._values(bound))[0].rowcount

    def _values(self, bound: dict[str, object]) -> tuple[object, ...]:
        if self._fixed:
            bound = {**self._fixed, **bound}
        return tuple([bound[one] for one in self._order])


def driven(
    connection: Connection, text: str, values: Sequence[Any] = (), *, many: bool = False
) -> tuple[DBAPICursor, Sequence[Any]]:
    """The cursor of a statement that has run, and what it found; with `many` values, once for each.
    Raises what SQLAlchemy would, likewise without the values."""
    try:
        cursor = connection.connection.cursor()
        if many:
            cursor.executemany(text, values)
        else:
            cursor.execute(text, values)
        return cursor, cursor.fetchall()
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(
            text,
            None,
            error,
            connection.dialect.loaded_dbapi.Error,
            hide_parameters=True,
            dialect=connection.dialect,
        ) from error


@dataclass(frozen=True)
class Ready:
    """Statements in the database's own words, for a driver that takes values by place: each is run
    for every row, and then the next. Of rows with the same key the next one finds what the one
    before has made."""

    texts: Sequence[str]
    order: Sequence[str]
    """Columns, as their values come."""
    keys: Sequence[str]
    """Columns that tell rows apart."""
    sizes: Sequence[Any]
    """What each value is, as the driver has it: `setinputsizes` of PEP 249."""


SIZES = "cirahub_sizes"
"""Execution option of a statement that was `Ready`."""


class Inserts:
    """INSERTs of many rows, by the names of their columns."""

    def __init__(self) -> None:
        self._made: dict[object, tuple[Insert | Ready, str, Callable[[Any], Any]]] = {}

    def run(
        self,
        connection: Connection,
        key: object,
        make: Callable[[], Insert | Ready],
        rows: Sequence[Mapping[str, Any]],
    ) -> None:
        """`key` is the statement's that `make` makes. All rows have the same columns, and as many
        as the statement has: no default is filled in, where the driver is handed them."""
        dialect = connection.dialect
        key = (dialect.name, key, *rows[0])
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = _made(make(), dialect, rows[0])
        statement, text, values = made
        if isinstance(statement, Ready):
            options = {SIZES: statement.sizes}
            for part in _apart(rows, statement.keys):
                placed = [values(row) for row in part]
                for one in statement.texts:
                    connection.exec_driver_sql(one, placed, execution_options=options)
        elif text:
            driven(connection, text, [values(row) for row in rows], many=True)
        else:
            connection.execute(statement, rows)


def _made(
    statement: Insert | Ready, dialect: Dialect, row: Mapping[str, Any]
) -> tuple[Insert | Ready, str, Callable[[Any], Any]]:
    """Its words, and what makes them a row's values; blank where SQLAlchemy does it."""
    if isinstance(statement, Ready):
        return statement, "", _by_place(statement.order)
    compiled = statement.compile(dialect=dialect, column_keys=list(row))
    order = compiled.positiontup or ()
    if _direct(dialect) and len(order) > 1 and set(order) == set(row):
        return statement, str(compiled), itemgetter(*order)
    return statement, "", tuple


def _apart(
    rows: Sequence[Mapping[str, Any]], keys: Sequence[str]
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """The rows in their order, in parts in which no key comes twice."""
    part: list[Mapping[str, Any]] = []
    met: set[tuple[Any, ...]] = set()
    for row in rows:
        key = tuple(row[name] for name in keys)
        if key in met:
            yield part
            part, met = [], set()
        part.append(row)
        met.add(key)
    yield part


def _by_place(order: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    return lambda row: tuple(row[name] for name in order)


def _direct(dialect: Dialect) -> bool:
    return dialect.name == "sqlite"
