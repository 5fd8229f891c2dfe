"""Places on an Exchange Server: a folder for contacts of a mailbox, a public one, a calendar."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import msgspec
from tests.endpoints.diary import NAME, WINDOW
from tests.endpoints.exchange.conftest import FOLDER, OLGA, Office

from cirahub_simulator.calendar.event import Event
from cirahub_simulator.ews.identifiers import ews_id
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_sync.configuration import CalendarTarget
from cirahub_sync.endpoints.base import Create, Endpoint, Fence
from cirahub_sync.endpoints.exchange.calendars import codec as calendar_codec
from cirahub_sync.endpoints.exchange.calendars.endpoint import CalendarEndpoint
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.origins import Origins

from .people import CalendarPeople, ContactPeople
from .place import Counting, Session, Trait
from .samples import CONTACTS, EVENTS


class _Server(ABC):
    create_fault: Mapping[str, Any] = {"service": "ews", "operation": "CreateItem"}
    read_fault: Mapping[str, Any] = {"service": "ews", "operation": "GetItem"}
    making_fault: Mapping[str, Any] = {"service": "ews", "operation": "CreateFolder"}
    busy: Mapping[str, Any] = {"status": 500, "code": "ErrorServerBusy"}
    together = True
    plenty = 620
    traits = frozenset(Trait) - {Trait.CALENDAR}

    def __init__(self) -> None:
        self._office = Office()
        self.world = self._office.world

    async def __aenter__(self) -> Self:
        self._office.public()
        await self._office.simulator.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._office.simulator.stop()

    @property
    def origins(self) -> Mapping[str, str]:
        return self._office.simulator.endpoints.origins

    @asynccontextmanager
    async def session(self, origins: Origins | None = None) -> AsyncIterator[Session]:
        async with self._office.session(origins=origins) as session:

            def opened(elsewhere: bool, fence: Fence) -> Endpoint:
                return self._endpoint(session, fence, elsewhere=elsewhere)

            yield Session(Counting(self.world, "ews"), opened)

    @abstractmethod
    def _endpoint(self, session: ExchangeSession, fence: Fence, *, elsewhere: bool) -> Endpoint: ...

    def mailbox(self) -> Mailbox:
        return self._office.mailbox()

    async def stop(self) -> None:
        await self._office.simulator.stop()


class ExchangeContacts(_Server, ContactPeople):
    samples = CONTACTS
    public = False

    def _endpoint(self, session: ExchangeSession, fence: Fence, *, elsewhere: bool) -> Endpoint:
        folder = "Team/Elsewhere" if elsewhere else FOLDER
        return self._office.endpoint(session, folder, public=self.public, fence=fence)

    def broken(self, endpoint: Endpoint, key: str) -> Create:
        # FileAsMapping is an enumeration, ItemClass of another kind of item: refused alone.
        body = (
            "<t:Contact><t:ItemClass>IPM.Note</t:ItemClass><!--stamp-->"
            "<t:GivenName>Péson</t:GivenName></t:Contact>"
        )
        return Create(key=key, body=body.encode())

    def mailbox(self) -> Mailbox:
        return self._office.public() if self.public else self._office.mailbox()

    def folder(self) -> Folder | None:
        return self._office.folder(public=self.public)


class PublicContacts(ExchangeContacts):
    public = True


class ExchangeCalendar(_Server, CalendarPeople):
    traits = frozenset(Trait)
    samples = EVENTS
    exception_fault: Mapping[str, Any] = {"service": "ews", "operation": "UpdateItem"}

    def _endpoint(self, session: ExchangeSession, fence: Fence, *, elsewhere: bool) -> Endpoint:
        target = CalendarTarget(OLGA, "Elsewhere" if elsewhere else NAME)
        return CalendarEndpoint(session, target, fence, WINDOW)

    def shown(self, event: Event) -> str:
        return ews_id(event.id)

    def broken(self, endpoint: Endpoint, key: str) -> Create:
        early = "<t:ItemClass>IPM.Note</t:ItemClass><t:Subject>Péson</t:Subject>"
        return Create(key=key, body=msgspec.json.encode(calendar_codec.Sending(early=early)))
