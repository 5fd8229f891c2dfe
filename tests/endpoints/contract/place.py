"""What the suite needs to know of an endpoint besides the protocol: one object for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, Self

from tests.endpoints.contract.samples import Samples

from cirahub_simulator.world import World
from cirahub_sync.endpoints.base import (
    Create,
    Endpoint,
    Fence,
    Operation,
    Outcome,
    Page,
    RemoteItem,
    Result,
    Update,
)
from cirahub_sync.model.kind import Content
from cirahub_sync.origins import Origins


class Trait(Enum):
    """What a place is, where not all are the same. A test says what it takes; all that is there
    and none but those have to pass it."""

    WRITES = "what is pushed there is made, changed and removed"
    DELTA = "it tells what has changed since a cursor"
    COLLECTION = (
        "a folder or calendar of its own: made when it is missing, gone when somebody deletes it, "
        "with a stamp on each item"
    )
    BIN = "what is deleted there can be had back, unless it is deleted for good"
    DATES = "it says when an item was made"
    CALENDAR = "its items are events, some of them series"


def open_fence(_seconds: float) -> None:
    """Nobody else writes."""


@dataclass(frozen=True)
class Session:
    """A way there, over real sockets."""

    count: Callable[[], int]
    open: Callable[[bool, Fence], Endpoint]
    """`elsewhere`, and the fence."""

    @property
    def requests(self) -> int:
        """HTTP requests so far, whatever became of them."""
        return self.count()

    def endpoint(self, *, elsewhere: bool = False, fence: Fence = open_fence) -> Endpoint:
        """Into the place that tests write to, or into another one beside it. No folder is there
        before it is opened with `create`."""
        return self.open(elsewhere, fence)


class Place(Protocol):
    """A collection of items in a simulator of its own, and the people whose it is."""

    traits: frozenset[Trait]
    samples: Samples
    world: World
    create_fault: Mapping[str, Any]
    """What a fault rule says to meet the requests that create several items."""
    read_fault: Mapping[str, Any]
    """The same of those that read by id."""
    making_fault: Mapping[str, Any]
    """The same of those that make the folder."""
    busy: Mapping[str, Any]
    """How a rule has the service say that it is busy; without for how long."""
    together: bool
    """Whether several creates travel in one request."""
    plenty: int
    """More items than two pages have room for."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *error: object) -> None: ...

    @property
    def origins(self) -> Mapping[str, str]:
        """Where the simulator stands for which origin."""
        ...

    def session(self, origins: Origins | None = None) -> AbstractAsyncContextManager[Session]: ...

    def broken(self, endpoint: Endpoint, key: str) -> Create:
        """A create that the service refuses, and that has the word `Péson` in it."""
        ...

    def held(self) -> int:
        """Items that the place really holds."""
        ...

    def binned(self) -> int: ...

    def user_adds(self, number: int) -> None:
        """As if its owner made an item, called `native` and the number."""
        ...

    def user_edits(self, text: str) -> None:
        """The first one there: its `samples.text`."""
        ...

    def user_purges(self) -> None:
        """The first one there, for good."""
        ...

    def user_moves_away(self) -> None:
        """The first one there, to where it is not of this place any more."""
        ...

    def folder_goes(self) -> None: ...

    def cursors_expire(self) -> None: ...

    async def stop(self) -> None:
        """Nothing answers any more."""
        ...


class Counting:
    """Requests of a service in the simulator's journal; sign-in's own steps are none."""

    def __init__(self, world: World, service: str) -> None:
        self._world = world
        self._service = service

    def __call__(self) -> int:
        return sum(
            count
            for name, count in self._world.journal.counters.items()
            if name.split(" ")[0] == self._service and not name.endswith(" 401")
        )


def nothing_known(_ids: Sequence[str]) -> Mapping[str, str]:
    return {}


async def read_all(endpoint: Endpoint, resume: str | None = None) -> list[Page]:
    return [page async for page in endpoint.changes(resume, known=nothing_known)]


def cursor(pages: Sequence[Page]) -> str:
    assert all(page.next and page.cursor is None for page in pages[:-1])
    last = pages[-1]
    assert last.next is None
    assert last.cursor is not None
    return last.cursor


def items(pages: Sequence[Page]) -> dict[str, RemoteItem]:
    changes = [change for page in pages for change in page.changes]
    return {change.id: change for change in changes if isinstance(change, RemoteItem)}


async def push_all(endpoint: Endpoint, operations: Sequence[Operation]) -> list[Outcome]:
    """The outcomes in the order of the operations."""
    outcomes = [each async for some in endpoint.push(operations) for each in some]
    assert len({each.index for each in outcomes}) == len(outcomes)
    return sorted(outcomes, key=lambda each: each.index)


async def push_into(
    got: list[Outcome], endpoint: Endpoint, operations: Sequence[Operation]
) -> None:
    """So that what came before an error is not lost with it."""
    async for outcomes in endpoint.push(operations):
        got += outcomes


def key(number: int) -> str:
    """A stamp. Its attempt is the one that is told of a mail contact, whose alias names none."""
    return f"i/h/{number:032x}/s/x"


def creates(endpoint: Endpoint, samples: Samples, count: int, *, start: int = 0) -> list[Create]:
    return [
        Create(key=key(at), body=endpoint.encode(samples.one(at)))
        for at in range(start, start + count)
    ]


async def made(endpoint: Endpoint, content: Content, stamp: str = key(999)) -> RemoteItem:
    (outcome,) = await push_all(endpoint, [Create(key=stamp, body=endpoint.encode(content))])
    assert (outcome.result, outcome.missing) == (Result.DONE, None), outcome.error
    assert outcome.item is not None
    return outcome.item


def update(endpoint: Endpoint, item: RemoteItem, after: Content, etag: str = "") -> Update:
    body = endpoint.encode_changes(item.content, after)
    return Update(id=item.id, etag=etag or item.etag, body=body)


async def here(endpoint: Endpoint, item: str) -> RemoteItem:
    found = (await endpoint.fetch([item]))[item]
    assert isinstance(found, RemoteItem)
    return found


async def stocked(endpoint: Endpoint, place: Place, count: int) -> list[RemoteItem]:
    """So many items that are there: made by us, or by its people where we only read."""
    if Trait.WRITES in place.traits:
        outcomes = await push_all(endpoint, creates(endpoint, place.samples, count))
        done = [one.item for one in outcomes if one.item is not None]
    else:
        for number in range(count):
            place.user_adds(number)
        done = list(items(await read_all(endpoint)).values())
    assert len(done) == count
    return done


async def opened(session: Session, *, elsewhere: bool = False) -> Endpoint:
    endpoint = session.endpoint(elsewhere=elsewhere)
    await endpoint.open(create=True)
    return endpoint
