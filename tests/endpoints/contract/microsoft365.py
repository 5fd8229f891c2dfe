"""Places that Microsoft Graph shows: a folder for contacts, a calendar, an address list."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Self

import msgspec
from tests.endpoints.diary import NAME, WINDOW
from tests.endpoints.graph.address_list.conftest import CIPHER, HUB, Company
from tests.endpoints.graph.conftest import CUSTOM, FOLDER, Cloud

from cirahub_simulator.calendar.event import Event
from cirahub_simulator.directory import User
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.switches import Switches
from cirahub_simulator.world import World
from cirahub_sync.configuration import AddressListTarget, CalendarTarget, Listed, MailboxTarget
from cirahub_sync.endpoints.base import Create, Endpoint, Fence
from cirahub_sync.endpoints.graph.address_list import AddressListEndpoint
from cirahub_sync.endpoints.graph.calendars import CalendarEndpoint
from cirahub_sync.endpoints.graph.calendars import codec as calendar_codec
from cirahub_sync.endpoints.graph.endpoint import GraphEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.origins import Origins

from .people import CalendarPeople, ContactPeople
from .place import Session, Trait
from .samples import CONTACTS, EVENTS

ADA = "ada@contoso.example"
_BATCH: Mapping[str, Any] = {"service": "graph", "path": r"\$batch$"}
_NONSENSE = b'{"nonsense":"P\xc3\xa9son"}'


class _Tenant(ABC):
    create_fault = _BATCH
    read_fault = _BATCH
    busy: Mapping[str, Any] = {"status": 429}
    together = True
    plenty = 620

    def __init__(self, switches: Switches | None = None) -> None:
        self.world = World(switches=switches or Switches())
        self._cloud = Cloud(self.world)

    async def __aenter__(self) -> Self:
        await self._cloud.simulator.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._cloud.simulator.stop()

    @property
    def origins(self) -> Mapping[str, str]:
        return self._cloud.simulator.endpoints.origins

    @asynccontextmanager
    async def session(self, origins: Origins | None = None) -> AsyncIterator[Session]:
        async with self._cloud.session(origins=origins) as session:

            def opened(elsewhere: bool, fence: Fence) -> Endpoint:
                return self._endpoint(session, fence, elsewhere=elsewhere)

            yield Session(lambda: session.requests, opened)

    @abstractmethod
    def _endpoint(self, session: GraphSession, fence: Fence, *, elsewhere: bool) -> Endpoint: ...

    def mailbox(self) -> Mailbox:
        return self._cloud.mailbox()

    async def stop(self) -> None:
        await self._cloud.simulator.stop()


class GraphContacts(_Tenant, ContactPeople):
    traits = frozenset(Trait) - {Trait.CALENDAR}
    samples = CONTACTS
    making_fault: Mapping[str, Any] = {
        "service": "graph",
        "method": "POST",
        "path": "(contact|child)Folders",
    }

    def _endpoint(self, session: GraphSession, fence: Fence, *, elsewhere: bool) -> Endpoint:
        target = MailboxTarget(ADA, "Team/Elsewhere" if elsewhere else FOLDER)
        return GraphEndpoint(session, target, fence, custom_names=CUSTOM)

    def broken(self, endpoint: Endpoint, key: str) -> Create:
        body = b'%b,"singleValueExtendedProperties":[]}' % _NONSENSE[:-1]
        return Create(key=key, body=body)

    def folder(self) -> Folder | None:
        return self.mailbox().folder_at(tuple(FOLDER.split("/")))


class GraphCalendar(_Tenant, CalendarPeople):
    traits = frozenset(Trait)
    samples = EVENTS
    making_fault: Mapping[str, Any] = {"service": "graph", "method": "POST", "path": "/calendars$"}
    exception_fault: Mapping[str, Any] = {"batched": True, "method": "PATCH"}

    def _endpoint(self, session: GraphSession, fence: Fence, *, elsewhere: bool) -> Endpoint:
        target = CalendarTarget(ADA, "Elsewhere" if elsewhere else NAME)
        return CalendarEndpoint(session, target, fence, WINDOW)

    def shown(self, event: Event) -> str:
        return event.immutable_id

    def broken(self, endpoint: Endpoint, key: str) -> Create:
        sending = calendar_codec.Sending(event=msgspec.Raw(_NONSENSE))
        return Create(key=key, body=msgspec.json.encode(sending))


class AddressList(_Tenant):
    """The directory's users, of whom there are none at first."""

    traits = frozenset({Trait.DELTA})
    samples = CONTACTS

    def __init__(self) -> None:
        super().__init__()
        self._company = Company(self._cloud)
        self.world.directory.remove_user(self._company.ada.id)

    def _endpoint(self, session: GraphSession, fence: Fence, *, elsewhere: bool) -> Endpoint:
        kinds = (Listed.USERS, Listed.GROUPS) if elsewhere else (Listed.USERS,)
        target = AddressListTarget(include=kinds)
        return AddressListEndpoint(session, target, HUB, CIPHER.fingerprint)

    def user_adds(self, number: int) -> None:
        self._company.hires(f"native{number}", display_name=f"native {number}")

    def user_edits(self, text: str) -> None:
        self._first().job_title = text

    def user_purges(self) -> None:
        self.world.directory.remove_user(self._first().id)

    def user_moves_away(self) -> None:
        self._first().show_in_address_list = False

    def cursors_expire(self) -> None:
        self.world.clock.advance(timedelta(days=8))

    def _first(self) -> User:
        return self.world.directory.users()[0]
