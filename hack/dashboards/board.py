"""What a dashboard is made of, as far as we need it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """By Grafana's names."""

    NUMBER = "stat"
    LINES = "timeseries"
    TABLE = "table"
    STATES = "state-timeline"


class Unit(StrEnum):
    """By Grafana's ids."""

    COUNT = "short"
    SECONDS = "s"
    AGE = "dtdurations"
    """Seconds, told as days and hours."""
    BYTES = "bytes"
    SHARE = "percentunit"
    FLAG = "bool_yes_no"
    PER_SECOND = "ops"
    PER_MINUTE = "opm"


@dataclass(frozen=True)
class Query:
    expression: str
    legend: str = ""
    """With labels in double braces. Blank: of a table, or of a series that the title names."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    title: str
    about: str
    """What it shows, and what to make of it. A sentence begins with `Empty` where that is how it
    looks while all is well."""
    queries: Sequence[Query]
    kind: Kind = Kind.LINES
    unit: Unit = Unit.COUNT
    width: int = 8
    """Of 24."""
    stacked: bool = False
    warns_at: float | None = None
    """From this value on it is orange."""
    bad_below: float | None = None
    """Below this value it is red."""
    leads_to: str = ""
    """A column of the table whose values lead to the dashboard of their hub."""


@dataclass(frozen=True)
class Row:
    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Variable:
    """What the viewer chooses, from the values of a label of its name."""

    name: str
    label: str
    selector: str
    several: bool = False
    """Whether several can be chosen, and all are at first."""


@dataclass(frozen=True, kw_only=True)
class Board:
    uid: str
    title: str
    about: str
    here: str
    """The matchers that `HERE` stands for in expressions."""
    variables: Sequence[Variable]
    rows: Sequence[Row]

    @property
    def panels(self) -> Iterator[Panel]:
        for row in self.rows:
            yield from row.panels

    def expression(self, query: Query) -> str:
        return query.expression.replace("HERE", self.here)


def picture(board: Board, row: Row) -> str:
    """The name of its file in `docs/pictures`."""
    words = re.findall(r"\w+", row.title.lower())
    return "-".join((board.uid.removeprefix("cirahub-"), *words)) + ".svg"
