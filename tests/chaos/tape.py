"""What a process does to the world, counted: its commits and its requests to Graph. They are the
moments at which it can be made to die, and the states of its database that a backup may have
caught."""

from __future__ import annotations

import asyncio
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import pytest
from sqlalchemy import Connection

from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.store.database import Database


class Killed(BaseException):
    """The process is gone. Like KeyboardInterrupt, nothing in the engine may hold it up."""


class Moment(StrEnum):
    """When a process dies, as its commit or request sees it."""

    BEFORE = "before"
    """The commit is rolled back; the request never leaves."""
    DURING = "during"
    """The request took effect, its answer is lost. A commit has no such moment: it is whole or it
    is not."""
    AFTER = "after"
    """The commit is the last; the answer came, and the process dies at what it does next."""
    LATE = "late"
    """The request is on its way when the process dies, and takes effect after the first pass of
    the next one: after recovery has looked for it."""
    LAST = "last"
    """The same, when everything is quiet again."""


@dataclass(frozen=True, slots=True)
class Boundary:
    kind: Literal["commit", "request"]
    number: int
    moment: Moment

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}:{self.moment.value}"

    @classmethod
    def parse(cls, text: str) -> Boundary:
        """Raises ValueError for what `str` does not make."""
        kind, number, moment = text.split(":")
        if kind not in ("commit", "request"):
            raise ValueError(f"{kind!r} is neither commit nor request")
        return cls("commit" if kind == "commit" else "request", int(number), Moment(moment))


@dataclass(frozen=True, slots=True)
class OnItsWay:
    """A request that has left and has not arrived."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    def arrive(self, ca_file: str) -> None:
        """Nobody is left to read the answer."""
        request = urllib.request.Request(self.url, self.body, self.headers, method=self.method)
        context = ssl.create_default_context(cafile=ca_file)
        try:
            urllib.request.urlopen(request, timeout=60, context=context).close()
        except urllib.error.HTTPError as refused:
            refused.close()


class Tape:
    """While in force, counts every commit to any store and every request of this process."""

    def __init__(self) -> None:
        self.commits = 0
        self.requests = 0
        self.writes: list[int] = []
        """The numbers of the requests that write."""
        self.dies_before: int | None = None
        """The number of the commit that is rolled back, as the process dies before it."""
        self.dies_after: int | None = None
        """The number of the last commit."""
        self.dies_at: Boundary | None = None
        self.committed: Callable[[int], None] = lambda number: None
        self.requested: Callable[[int], None] = lambda number: None
        """Called before a request leaves."""
        self.died = False
        self.on_its_way: OnItsWay | None = None
        self._doomed = False

    def rewind(self) -> None:
        """Count from nothing."""
        self.commits = self.requests = 0
        self.writes = []

    def revive(self) -> None:
        """A new process takes over; it lives."""
        self.died = self._doomed = False
        self.dies_before = self.dies_after = self.dies_at = None

    @contextmanager
    def write(
        self, original: Callable[[Database], Iterator[Connection]], database: Database
    ) -> Iterator[Connection]:
        self._live()
        number = self.commits
        with contextmanager(original)(database) as connection:
            yield connection
            if self.dies_before == number or self._dies("commit", number, Moment.BEFORE):
                self._die()
        self.commits += 1
        self.committed(number)
        if self.dies_after == number or self._dies("commit", number, Moment.AFTER):
            self._die()

    async def send(
        self,
        original: Callable[..., Any],
        session: GraphSession,
        method: str,
        path: str,
        *arguments: Any,
        fence: object,
    ) -> Any:
        """`arguments` are those of the original: headers, body and token."""
        self._live()
        number = self.requests
        self.requests += 1
        if fence is not None:
            self.writes.append(number)
        self.requested(number)
        if self._dies("request", number, Moment.BEFORE):
            self._die()
        if self._dies("request", number, Moment.LATE) or self._dies("request", number, Moment.LAST):
            headers, body, token = arguments
            headers = headers | {"Authorization": f"Bearer {token}"}
            self.on_its_way = OnItsWay(method, session.origin + path, headers, body)
            self._die()
        answer = await original(session, method, path, *arguments, fence=fence)
        self._live()
        if self._dies("request", number, Moment.DURING):
            self._die()
        self._doomed = self._doomed or self._dies("request", number, Moment.AFTER)
        return answer

    def _dies(self, kind: str, number: int, moment: Moment) -> bool:
        death = self.dies_at
        return death is not None and (death.kind, death.number, death.moment) == (
            kind,
            number,
            moment,
        )

    def _live(self) -> None:
        if self.died or self._doomed:
            self._die()

    def _die(self) -> None:
        self.died = True
        raise Killed


@contextmanager
def recording() -> Iterator[Tape]:
    """A tape in force."""
    made = Tape()
    write = Database.write.__wrapped__  # type: ignore[attr-defined]
    send = GraphSession._send

    async def sending(session: GraphSession, *arguments: Any, **options: Any) -> Any:
        return await made.send(send, session, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "write", lambda database: made.write(write, database))
        patch.setattr(GraphSession, "_send", sending)
        yield made


@pytest.fixture
def tape() -> Iterator[Tape]:
    with recording() as made:
        yield made


def killed(error: BaseException) -> bool:
    """Whether this is the process's own death, and nothing else that went wrong."""
    if isinstance(error, BaseExceptionGroup):
        return any(killed(inner) for inner in error.exceptions)
    return isinstance(error, Killed | asyncio.CancelledError)
