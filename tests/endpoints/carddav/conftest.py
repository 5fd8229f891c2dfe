"""Address books on a Radicale, and a session with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cirahub_sync.configuration import (
    AddressBookTarget,
    CardDavServer,
    ConnectionConfig,
    PasswordAuth,
    SecretFile,
    SignInScheme,
)
from cirahub_sync.endpoints.attempts import Patience
from cirahub_sync.endpoints.base import Fence
from cirahub_sync.endpoints.carddav.endpoint import CardDavEndpoint
from cirahub_sync.endpoints.carddav.session import CardDavSession
from cirahub_sync.errors import CredentialError
from cirahub_sync.identity.base import AccessToken, Material
from cirahub_sync.identity.provider import host_proof
from cirahub_sync.origins import Origins

from .radicale import ACCOUNT, HOST, PASSWORD, Server

CUSTOM = ("EmployeeId",)
PAGE = 10
"""Items of a page: so few that a few make several."""


class Kept:
    """The password, as it would be read from a Kubernetes Secret."""

    def __init__(self) -> None:
        self.value = PASSWORD
        self.hosts = frozenset({HOST})

    async def secret(self, reference: SecretFile) -> Material:
        if not self.value:
            raise CredentialError(f"{reference.origin} does not exist", reason="SecretNotFound")
        return Material(value=self.value, hosts=self.hosts)

    async def service_account_token(self, service_account: str, audience: str) -> AccessToken:
        raise AssertionError("no token is asked for with a password")


def open_fence(_seconds: float) -> None:
    """Nobody else writes."""


class Desk:
    """A Radicale, and ways to it."""

    def __init__(self) -> None:
        self.server = Server()
        self.kept = Kept()

    @asynccontextmanager
    async def session(
        self, origins: Origins | None = None, *, path: str = "", trusted: str = ""
    ) -> AsyncIterator[CardDavSession]:
        connection = ConnectionConfig(
            uid="c",
            name="default/books",
            auth=PasswordAuth(ACCOUNT, SignInScheme.BASIC, secret=SecretFile("default/password/p")),
            card_dav=CardDavServer(HOST, path, trusted),
        )
        origins = self.server.trusted if origins is None else origins
        proofs = host_proof(
            connection.auth, connection.cloud, origins, self.kept, host=HOST, name=connection.name
        )
        session = CardDavSession(
            connection,
            proofs,
            origins,
            patience=Patience(attempts=3, pause=0.01),
            jitter=lambda: 0.5,
        )
        try:
            yield session
        finally:
            await session.close()
            await proofs.close()

    def endpoint(
        self,
        session: CardDavSession,
        name: str = "Team",
        *,
        path: str = "",
        fence: Fence = open_fence,
    ) -> CardDavEndpoint:
        target = AddressBookTarget(path=path) if path else AddressBookTarget(name=name)
        return CardDavEndpoint(session, target, fence, custom_names=CUSTOM, page=PAGE)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    async with desk.server:
        yield desk


@pytest.fixture
async def session(desk: Desk) -> AsyncIterator[CardDavSession]:
    async with desk.session() as session:
        yield session


@pytest.fixture
async def endpoint(desk: Desk, session: CardDavSession) -> CardDavEndpoint:
    """Opened on an address book of its own."""
    endpoint = desk.endpoint(session)
    await endpoint.open(create=True)
    return endpoint
