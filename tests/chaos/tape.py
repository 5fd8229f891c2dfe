"""The commits of a process, counted: the moments at which it can be made to die, and the states
of its database that a backup may have caught."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from cirahub_sync.store.database import Database


class Killed(BaseException):
    """The process is gone. Like KeyboardInterrupt, nothing in the engine may hold it up."""


class Tape:
    """While in force, counts every commit to any store of this process."""

    def __init__(self) -> None:
        self.commits = 0
        self.dies_before: int | None = None
        """The number of the commit that is rolled back, as the process dies before it."""
        self.dies_after: int | None = None
        """The number of the last commit."""
        self.committed: Callable[[int], None] = lambda number: None
        self.died = False

    def revive(self) -> None:
        """A new process takes over; it lives."""
        self.died = False
        self.dies_before = self.dies_after = None

    @contextmanager
    def write(
        self, original: Callable[[Database], Iterator[Connection]], database: Database
    ) -> Iterator[Connection]:
        if self.died:
            raise Killed
        number = self.commits
        with contextmanager(original)(database) as connection:
            yield connection
            if self.dies_before == number:
                self.died = True
                raise Killed
        self.commits += 1
        self.committed(number)
        if self.dies_after == number:
            self.died = True
            raise Killed


@pytest.fixture
def tape(monkeypatch: pytest.MonkeyPatch) -> Tape:
    made = Tape()
    original = Database.write.__wrapped__  # type: ignore[attr-defined]
    monkeypatch.setattr(Database, "write", lambda database: made.write(original, database))
    return made
