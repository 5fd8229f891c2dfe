"""What SQL Server is told in its own words: types, keys, and rows that take another's place.

SQLAlchemy speaks Transact-SQL; what this store needs beyond is here. Sources, all of
learn.microsoft.com/sql: "Collation and Unicode support" (a binary collation compares code points,
so that ids are told apart), "Maximum capacity specifications" (900 bytes for the key of a clustered
index, 1,700 for another), "Create filtered indexes", "ODBC programmer's reference: SQL data types".
Of the driver, which nothing here loads: github.com/microsoft/mssql-python, `setinputsizes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    BinaryExpression,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    and_,
    literal,
)
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.mssql.base import MSDDLCompiler, MSSQLCompiler, MSTypeCompiler
from sqlalchemy.dialects.mssql.mssqlpython import MSDialect_mssqlpython
from sqlalchemy.engine.interfaces import BindTyping, DBAPICursor, ExecutionContext, IsolationLevel
from sqlalchemy.sql.elements import False_, True_
from sqlalchemy.sql.schema import DefaultClause, ScalarElementColumnDefault
from sqlalchemy.types import TypeEngine

from cirahub_sync.store.backend import Merged
from cirahub_sync.store.listed import SIZES, Ready

COLLATION = "Latin1_General_100_BIN2"
DRIVER = "mssql+cirahub"
REFUSED = "a value that the driver does not send"
_ROWS = 200
_CLUSTERED_BYTES = 900
_WVARCHAR, _BIT, _BIGINT, _VARBINARY, _DOUBLE = -9, -7, -5, -3, 8
_INLINE_CHARACTERS = 4000
_INLINE_BYTES = 8000
"""Longer ones are `max`, and a value that is as long goes to the server in pieces."""


class _Statements(MSSQLCompiler):
    def visit_is__binary(
        self, binary: BinaryExpression[Any], operator: Callable[..., Any], **kw: Any
    ) -> str:
        """`IS` is for NULL alone there, and truth is a bit."""
        if isinstance(binary.right, True_ | False_):
            return f"{self.process(binary.left, **kw)} = {self.process(binary.right, **kw)}"
        return self._generate_generic_binary(binary, " IS ", **kw)


class _Types(MSTypeCompiler):
    def visit_VARCHAR(self, type_: String, **kw: Any) -> str:  # noqa: N802
        return f"NVARCHAR({type_.length or 'max'}) COLLATE {COLLATION}"


class _Definitions(MSDDLCompiler):
    def visit_primary_key_constraint(self, constraint: PrimaryKeyConstraint, **kw: Any) -> str:
        text = MSDDLCompiler.visit_primary_key_constraint(self, constraint, **kw)  # type: ignore[no-untyped-call]
        if _key_bytes(constraint.columns) <= _CLUSTERED_BYTES:
            return str(text)
        return str(text).replace("PRIMARY KEY ", "PRIMARY KEY NONCLUSTERED ")

    def visit_unique_constraint(  # type: ignore[override]
        self, constraint: UniqueConstraint, **kw: Any
    ) -> str | None:
        """Two that are empty are equal there: see `unique_where_filled`."""
        if any(column.nullable for column in constraint.columns):
            return None
        return str(MSDDLCompiler.visit_unique_constraint(self, constraint, **kw))  # type: ignore[no-untyped-call]


class _Bit(Boolean):
    """The driver wants a truth for a bit, and no number."""

    def bind_processor(self, dialect: object) -> Callable[[object], bool | None]:
        return lambda value: None if value is None else bool(value)


class Dialect(MSDialect_mssqlpython):
    """What is written goes with its column's type: the driver would tell that by the value, text
    without an accent apart from text with one, and NULL by asking the server."""

    statement_compiler = _Statements
    type_compiler_cls = _Types
    ddl_compiler = _Definitions
    colspecs = {**MSDialect_mssqlpython.colspecs, Boolean: _Bit}  # noqa: RUF012 (as SQLAlchemy's)
    supports_statement_cache = True
    bind_typing = BindTyping.SETINPUTSIZES
    default_paramstyle = "qmark"

    def _get_server_version_info(self, connection: Connection) -> tuple[int, ...]:
        """Not out of the sentence that `@@VERSION` is: other servers begin that with their name."""
        version = connection.exec_driver_sql(
            "SELECT CAST(SERVERPROPERTY('ProductVersion') AS VARCHAR(64))"
        ).scalar_one()
        return tuple(int(part) for part in str(version).split("."))

    def get_default_isolation_level(self, dbapi_conn: object) -> IsolationLevel:
        """What a session begins with ("SET TRANSACTION ISOLATION LEVEL")."""
        return "READ COMMITTED"

    def do_set_input_sizes(
        self,
        cursor: DBAPICursor,
        list_of_tuples: Iterable[tuple[str, Any, TypeEngine[Any]]],
        context: ExecutionContext,
    ) -> None:
        """The driver forgets them with each statement: see `do_executemany`."""
        sizes = [_size(kind) for _, _, kind in list_of_tuples]
        if sizes and None not in sizes:
            context.execution_options = context.execution_options.union({SIZES: sizes})

    def do_execute(
        self, cursor: DBAPICursor, statement: str, parameters: Any, context: Any = None
    ) -> None:
        with self._values_refused():
            _sized(cursor, context)
            cursor.execute(statement, parameters)

    def do_executemany(
        self, cursor: DBAPICursor, statement: str, parameters: Any, context: Any = None
    ) -> None:
        """Some at a time: the driver holds 8 KB for each text, however short."""
        with self._values_refused():
            for start in range(0, len(parameters), _ROWS):
                _sized(cursor, context)
                cursor.executemany(statement, parameters[start : start + _ROWS])

    @contextmanager
    def _values_refused(self) -> Iterator[None]:
        """The driver's words for a value that it can't send may have the value in them."""
        try:
            yield
        except (RuntimeError, TypeError, ValueError) as error:
            refused = self.loaded_dbapi.DataError(REFUSED, type(error).__name__)
            raise refused from None


def _sized(cursor: DBAPICursor, context: ExecutionContext | None) -> None:
    if context is not None and SIZES in context.execution_options:
        cursor.setinputsizes(context.execution_options[SIZES])


registry.register(DRIVER.replace("+", "."), __name__, Dialect.__name__)


def unique_where_filled(table: Table) -> Iterator[Index]:
    """What stands for the table's unique constraints that may be empty. They are of no table, so
    that no other database makes them."""
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            empty = [column.name for column in constraint.columns if column.nullable]
            if empty:
                alone = table.to_metadata(MetaData())
                columns = [alone.c[column.name] for column in constraint.columns]
                filled = and_(*(alone.c[name].is_not(None) for name in empty))
                yield Index(str(constraint.name), *columns, unique=True, mssql_where=filled)


_LOCKED = " WITH (UPDLOCK, HOLDLOCK)"
_WORDS = Dialect(paramstyle="qmark")  # type: ignore[no-untyped-call]
_quote = _WORDS.identifier_preparer.quote


def replacing(
    table: Table, given: Sequence[str], merged: Merged | None = None, *, shared: bool = False
) -> Ready:
    """A row, by `given` columns, in the place of the one with the same primary key. `merged` and
    `shared` as for `Database.upsert`.

    What is there is changed, and what is not is made. Of what is `shared` nobody else makes it in
    between: the place where it would be is locked ("Table hints": UPDLOCK, HOLDLOCK), up to the
    next row, which may be another hub's. Hence not of everything. MERGE would do both in one
    statement and wants the same hints; not all that speak Transact-SQL have it."""
    keys = [column.name for column in table.primary_key]
    becomes = {
        column.name: f"new.{_quote(column.name)}" if column.name in given else _default(column)
        for column in table.c
    }
    if merged is not None:
        own = merged(table.alias("new").c)
        becomes |= {name: _plain(value) for name, value in own.items()}
    sets = [f"{_quote(name)} = {value}" for name, value in becomes.items() if name not in keys]
    made = giving_way(table, given, shared=shared)
    if not sets:
        return made
    name = _quote(table.name) + (_LOCKED if shared else "")
    source = f"FROM {name} JOIN {_new(table, given)} ON {_same(table)}"
    change = " ".join(("UPDATE", _quote(table.name), "SET", ", ".join(sets), source))
    return replace(made, texts=(change, *made.texts))


def giving_way(table: Table, given: Sequence[str], *, shared: bool = True) -> Ready:
    """A row, by `given` columns, unless one with the same primary key is there. Of two that make
    the same `shared` row at the same moment one waits, and finds it."""
    values = {name: f"new.{_quote(name)}" for name in given}
    values |= {
        column.name: _default(column)
        for column in table.c
        if column.name not in given and isinstance(column.default, ScalarElementColumnDefault)
    }
    name, filled = _quote(table.name), ", ".join(map(_quote, values))
    there = f"FROM {name}{_LOCKED if shared else ''} WHERE {_same(table)}"
    texts = (
        f"INSERT INTO {name} ({filled})",
        f"SELECT {', '.join(values.values())}",
        f"FROM {_new(table, given)}",
        f"WHERE NOT EXISTS (SELECT 1 {there})",
    )
    sizes = [_size(table.c[name].type) for name in given]
    keys = tuple(column.name for column in table.primary_key)
    return Ready(("\n".join(texts),), tuple(given), keys, sizes)


def _new(table: Table, given: Sequence[str]) -> str:
    values = ", ".join(_cast(table.c[name].type) for name in given)
    return f"(VALUES ({values})) AS new ({', '.join(map(_quote, given))})"


def _same(table: Table) -> str:
    names = (_quote(column.name) for column in table.primary_key)
    return " AND ".join(f"{_quote(table.name)}.{name} = new.{name}" for name in names)


def _plain(value: ColumnElement[Any]) -> str:
    return str(value.compile(dialect=_WORDS, compile_kwargs={"literal_binds": True}))


def _default(column: Column[Any]) -> str:
    if isinstance(column.default, ScalarElementColumnDefault):
        return _plain(literal(column.default.arg, column.type))
    if isinstance(column.server_default, DefaultClause):
        return f"'{column.server_default.arg}'"
    return "NULL"


def _cast(kind: TypeEngine[Any]) -> str:
    """What a value is before it is a column's: never cut off to the column's length, which would
    make an id of another."""
    if isinstance(kind, String):
        length = _INLINE_CHARACTERS if kind.length else "max"
        return f"CAST(? AS NVARCHAR({length})) COLLATE {COLLATION}"
    if isinstance(kind, LargeBinary):
        return f"CAST(? AS VARBINARY({_INLINE_BYTES if kind.length else 'max'}))"
    if isinstance(kind, Boolean):
        return "CAST(? AS BIT)"
    return f"CAST(? AS {'FLOAT' if isinstance(kind, Float) else 'BIGINT'})"


def _size(kind: TypeEngine[Any]) -> tuple[int, int, int] | None:
    """None: it is not known what it is of."""
    if isinstance(kind, String):
        return _WVARCHAR, _INLINE_CHARACTERS, 0
    if isinstance(kind, LargeBinary):
        return _VARBINARY, _INLINE_BYTES, 0
    if isinstance(kind, Boolean):
        return _BIT, 1, 0
    if isinstance(kind, BigInteger | Integer):
        return _BIGINT, 19, 0
    if isinstance(kind, Float):
        return _DOUBLE, 15, 0
    return None


def _key_bytes(columns: Iterable[Column[Any]]) -> int:
    return sum(map(_bytes, columns))


def _bytes(column: Column[Any]) -> int:
    if isinstance(column.type, String):
        return 2 * (column.type.length or _INLINE_BYTES)
    if isinstance(column.type, LargeBinary):
        return column.type.length or _INLINE_BYTES
    return 8
