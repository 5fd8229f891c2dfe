"""The mail contacts of a hub in a tenant's address list, over Exchange's commands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

from tests.endpoints.exchange_admin.conftest import Directory

from cirahub_simulator.world import World
from cirahub_sync.endpoints.base import Create, Endpoint, Fence
from cirahub_sync.endpoints.exchange_admin import MailContactsEndpoint
from cirahub_sync.model.contact import Contact, Email
from cirahub_sync.origins import Origins

from .place import Counting, Session, Trait
from .samples import MAIL_CONTACTS


class MailContacts:
    traits = frozenset({Trait.WRITES})
    samples = MAIL_CONTACTS
    create_fault: Mapping[str, Any] = {"service": "exchange-admin", "path": r"\$batch$"}
    read_fault: Mapping[str, Any] = {"service": "exchange-admin", "operation": "Get-MailContact"}
    busy: Mapping[str, Any] = {"status": 429}
    together = True
    plenty = 620

    def __init__(self) -> None:
        self.world = World()
        self._directory = Directory(self.world)

    async def __aenter__(self) -> Self:
        await self._directory.simulator.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._directory.simulator.stop()

    @property
    def origins(self) -> Mapping[str, str]:
        return self._directory.simulator.endpoints.origins

    @asynccontextmanager
    async def session(self, origins: Origins | None = None) -> AsyncIterator[Session]:
        session = self._directory.session(origins)

        def opened(elsewhere: bool, fence: Fence) -> Endpoint:
            return MailContactsEndpoint(
                session,
                self._directory.connection,
                fence,
                installation="i",
                hub="elsewhere" if elsewhere else "h",
                spoke="s",
            )

        yield Session(Counting(self.world, "exchange-admin"), opened)
        await session.close()

    def broken(self, endpoint: Endpoint, key: str) -> Create:
        content = Contact(display_name="Péson", emails=(Email("Péson"),))
        return Create(key=key, body=endpoint.encode(content))

    def held(self) -> int:
        return len(self._directory.held())

    def user_adds(self, number: int) -> None:
        address = f"native-{number}@fabrikam.example"
        self._directory.run(
            "New-MailContact", Name=f"native {number}", ExternalEmailAddress=address
        )

    async def stop(self) -> None:
        await self._directory.simulator.stop()
