"""What the suite needs to know of an endpoint besides the protocol: one object for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from cirahub_simulator.world import World
from cirahub_sync.endpoints.base import Create, Endpoint, Fence, Operation, Outcome, Page
from cirahub_sync.model.contact import Contact
from cirahub_sync.origins import Origins

CUSTOM = ("EmployeeId",)


def open_fence(_seconds: float) -> None:
    """Nobody else writes."""


class Session(Protocol):
    """A way there, over real sockets."""

    @property
    def requests(self) -> int:
        """HTTP requests so far, whatever became of them."""
        ...

    def endpoint(self, *, elsewhere: bool = False, fence: Fence = open_fence) -> Endpoint:
        """Into the folder that tests write to, or into another one of the same place. Neither is
        there before it is opened with `create`."""
        ...


class Place(Protocol):
    """A folder for contacts in a simulator of its own."""

    world: World
    create_fault: Mapping[str, Any]
    """What a fault rule says to meet the requests that create items."""
    read_fault: Mapping[str, Any]
    """The same of those that read by id."""
    busy: Mapping[str, Any]
    """How a rule has the service say that it is busy; without for how long."""

    @property
    def origins(self) -> Mapping[str, str]:
        """Where the simulator stands for which origin."""
        ...

    def session(self, origins: Origins | None = None) -> Any:
        """A context manager that gives a Session."""
        ...

    def broken(self, endpoint: Endpoint, key: str) -> Create:
        """A create that the service refuses, and that has the word `Péson` in it."""
        ...

    def held(self) -> int:
        """Items that the folder really holds."""
        ...

    def binned(self) -> int: ...

    def user_adds(self, number: int) -> None:
        """As if its owner made a contact."""
        ...

    def user_edits(self, job_title: str) -> None:
        """The first one there."""
        ...

    def user_moves_away(self) -> None:
        """The first one there, into another folder."""
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


def nothing_known(_id: str) -> str | None:
    return None


async def read_all(endpoint: Endpoint, resume: str | None = None) -> list[Page]:
    return [page async for page in endpoint.changes(resume, known=nothing_known)]


async def push_all(endpoint: Endpoint, operations: Sequence[Operation]) -> list[Outcome]:
    """The outcomes in the order of the operations."""
    outcomes = [each async for some in endpoint.push(operations) for each in some]
    assert len({each.index for each in outcomes}) == len(outcomes)
    return sorted(outcomes, key=lambda each: each.index)


def contact(number: int) -> Contact:
    return Contact(
        display_name=f"Péson {number} 人",
        given_name="Péson",
        surname=str(number),
        file_as=f"{number}, Péson",
    )


def creates(endpoint: Endpoint, count: int, *, start: int = 0) -> list[Create]:
    return [
        Create(key=f"i/h/{at}/s/1", body=endpoint.encode(contact(at)))
        for at in range(start, start + count)
    ]


@asynccontextmanager
async def opened(place: Place, *, elsewhere: bool = False) -> AsyncIterator[Endpoint]:
    async with place.session() as session:
        endpoint = session.endpoint(elsewhere=elsewhere)
        await endpoint.open(create=True)
        yield endpoint
