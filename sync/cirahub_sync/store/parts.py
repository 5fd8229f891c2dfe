"""Long lists of ids, in parts that a statement can bind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

_Id = TypeVar("_Id", str, bytes)

_BOUND = 500
"""Well under SQLite's 32,766 parameters."""


def parts(ids: Sequence[_Id]) -> Iterator[Sequence[_Id]]:
    for start in range(0, len(ids), _BOUND):
        yield ids[start : start + _BOUND]
