"""What happened in one folder, in order: the source of delta answers.

A delta token is a position in here, which is all it has to be: the entries after it are the changes
since. An entry that a later one supersedes is passed over, so each object appears once in a round,
unless it changes while the round is being paged.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")
Written = TypeVar("Written", covariant=True)  # noqa: PLC0105 - the type of what was written


class Change(NamedTuple, Generic[Written]):
    """One write."""

    sequence: int
    """Grows through the whole mailbox."""
    time: float
    """Seconds since the epoch, on the simulator's clock."""
    item: Written
    """The object written, or what it was before it was removed."""
    id: str
    """The regular id that the object had then."""
    removed: bool = False
    returned: bool = False
    """The object had left this folder before, and came back with this write."""
    placed: bool = False
    """The object came into this folder with this write."""
    parent_id: str = ""
    """Of a folder that was removed: where it was."""


class ChangeLog(Generic[Item]):
    """An append-only list of changes."""

    def __init__(self) -> None:
        self._changes: list[Change[Item]] = []
        self._sequences: list[int] = []

    def append(self, change: Change[Item]) -> None:
        """Add a change; its sequence number is higher than all before it."""
        self._changes.append(change)
        self._sequences.append(change.sequence)

    def after(self, sequence: int) -> int:
        """The index of the first change after a sequence number."""
        return bisect_right(self._sequences, sequence)

    def __iter__(self) -> Iterator[Change[Item]]:
        return iter(self._changes)

    def __len__(self) -> int:
        return len(self._changes)

    def __getitem__(self, index: int) -> Change[Item]:
        return self._changes[index]
