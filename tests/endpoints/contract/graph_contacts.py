"""A contact folder over Microsoft Graph."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import msgspec
from tests.endpoints.graph.conftest import CUSTOM as NAMES
from tests.endpoints.graph.conftest import FOLDER, Cloud

from cirahub_simulator.graph.body import read_contact_changes
from cirahub_simulator.world import World
from cirahub_sync.configuration import MailboxTarget
from cirahub_sync.endpoints.base import Create, Endpoint, Fence
from cirahub_sync.endpoints.graph import GraphSession, open_endpoint
from cirahub_sync.origins import Origins

from .place import open_fence

BATCH = r"\$batch$"


class GraphContactsSession:
    def __init__(self, cloud: Cloud, session: GraphSession) -> None:
        self._cloud = cloud
        self._session = session

    @property
    def requests(self) -> int:
        return self._session.requests

    def endpoint(self, *, elsewhere: bool = False, fence: Fence = open_fence) -> Endpoint:
        target = MailboxTarget("ada@contoso.example", "Team/Elsewhere" if elsewhere else FOLDER)
        return open_endpoint(
            self._cloud.connection, target, self._session, fence, custom_names=NAMES
        )


class GraphContacts:
    create_fault: Mapping[str, Any] = {"service": "graph", "path": BATCH}
    read_fault: Mapping[str, Any] = {"service": "graph", "path": BATCH}
    busy: Mapping[str, Any] = {"status": 429}

    def __init__(self) -> None:
        self.world = World()
        self._cloud = Cloud(self.world)

    async def __aenter__(self) -> Self:
        await self._cloud.simulator.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._cloud.simulator.stop()

    @asynccontextmanager
    async def session(self, origins: Origins | None = None) -> AsyncIterator[GraphContactsSession]:
        async with self._cloud.session(origins=origins) as session:
            yield GraphContactsSession(self._cloud, session)

    @property
    def origins(self) -> Mapping[str, str]:
        return self._cloud.simulator.endpoints.origins

    def broken(self, endpoint: Endpoint, key: str) -> Create:
        body = b'{"nonsense":"P\xc3\xa9son","singleValueExtendedProperties":[]}'
        return Create(key=key, body=body)

    def held(self) -> int:
        return len(self._cloud.held(FOLDER))

    def binned(self) -> int:
        return len(self._cloud.mailbox().bin)

    def user_adds(self, number: int) -> None:
        self._cloud.user_adds(f'{{"givenName":"native {number}"}}'.encode(), FOLDER)

    def user_edits(self, job_title: str) -> None:
        body = msgspec.json.encode({"jobTitle": job_title})
        mailbox = self._cloud.mailbox()
        mailbox.update_contact(
            self._cloud.held(FOLDER)[0], read_contact_changes(body, self.world.switches)
        )

    def user_moves_away(self) -> None:
        mailbox = self._cloud.mailbox()
        mailbox.move_contact(self._cloud.held(FOLDER)[0], mailbox.default_folder)

    def folder_goes(self) -> None:
        self._cloud.delete_folder(FOLDER)

    def cursors_expire(self) -> None:
        self._cloud.mailbox().expire_delta_tokens()

    async def stop(self) -> None:
        await self._cloud.simulator.stop()
