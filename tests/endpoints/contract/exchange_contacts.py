"""A contact folder of a mailbox on an Exchange Server, and a public folder there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import msgspec
from tests.endpoints.exchange.conftest import FOLDER, Office

from cirahub_simulator.graph.body import read_contact, read_contact_changes
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_sync.endpoints.base import Create, Endpoint, Fence
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.origins import Origins

from .place import Counting, open_fence


class ExchangeContactsSession:
    def __init__(self, office: Office, session: ExchangeSession, *, public: bool) -> None:
        self._office = office
        self._session = session
        self._public = public
        self._count = Counting(office.world, "ews")

    @property
    def requests(self) -> int:
        return self._count()

    def endpoint(self, *, elsewhere: bool = False, fence: Fence = open_fence) -> Endpoint:
        folder = "Team/Elsewhere" if elsewhere else FOLDER
        return self._office.endpoint(self._session, folder, public=self._public, fence=fence)


class ExchangeContacts:
    create_fault: Mapping[str, Any] = {"service": "ews", "operation": "CreateItem"}
    read_fault: Mapping[str, Any] = {"service": "ews", "operation": "GetItem"}
    busy: Mapping[str, Any] = {"status": 500, "code": "ErrorServerBusy"}
    public = False

    def __init__(self) -> None:
        self._office = Office()
        self.world = self._office.world

    async def __aenter__(self) -> Self:
        self._office.public()
        await self._office.simulator.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._office.simulator.stop()

    @asynccontextmanager
    async def session(
        self, origins: Origins | None = None
    ) -> AsyncIterator[ExchangeContactsSession]:
        async with self._office.session(origins=origins) as session:
            yield ExchangeContactsSession(self._office, session, public=self.public)

    @property
    def origins(self) -> Mapping[str, str]:
        return self._office.simulator.endpoints.origins

    def broken(self, endpoint: Endpoint, key: str) -> Create:
        # FileAsMapping is an enumeration, ItemClass of another kind of item: refused alone.
        body = (
            "<t:Contact><t:ItemClass>IPM.Note</t:ItemClass><!--stamp-->"
            "<t:GivenName>Péson</t:GivenName></t:Contact>"
        )
        return Create(key=key, body=body.encode())

    def held(self) -> int:
        return len(self._office.held(public=self.public))

    def binned(self) -> int:
        # What is deleted from a public folder has a bin of its own in Exchange; here, the same.
        return len(self._mailbox().bin)

    def _mailbox(self) -> Mailbox:
        return self._office.public() if self.public else self._office.mailbox()

    def _folder(self) -> Folder:
        found = self._office.folder(public=self.public)
        assert found is not None
        return found

    def user_adds(self, number: int) -> None:
        body = msgspec.json.encode({"givenName": f"native {number}"})
        self._mailbox().create_contact(self._folder(), read_contact(body, self.world.switches))

    def user_edits(self, job_title: str) -> None:
        body = msgspec.json.encode({"jobTitle": job_title})
        held = self._office.held(public=self.public)[0]
        self._mailbox().update_contact(held, read_contact_changes(body, self.world.switches))

    def user_moves_away(self) -> None:
        above = self._folder().parent
        assert above is not None
        self._mailbox().move_contact(self._office.held(public=self.public)[0], above)

    def folder_goes(self) -> None:
        self._mailbox().purge_folder(self._folder())

    def cursors_expire(self) -> None:
        self._mailbox().expire_delta_tokens()

    async def stop(self) -> None:
        await self._office.simulator.stop()


class PublicContacts(ExchangeContacts):
    public = True
