"""An Exchange Server in the simulator, on real sockets, and a session with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from cirahub_simulator.directory import Account, ExchangeServer, User
from cirahub_simulator.faults import Rule
from cirahub_simulator.graph.contact import Contact as Held
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.seed import mailbox_of, public_folders_of
from cirahub_simulator.server import Simulator
from cirahub_simulator.world import World
from cirahub_sync.configuration import (
    ConnectionConfig,
    MailboxRights,
    MailboxTarget,
    PasswordAuth,
    PublicFolderTarget,
    SecretFile,
    SignInScheme,
)
from cirahub_sync.configuration import ExchangeServer as ServerConfig
from cirahub_sync.endpoints.attempts import Patience
from cirahub_sync.endpoints.base import Fence
from cirahub_sync.endpoints.exchange.capabilities import CAPABILITIES
from cirahub_sync.endpoints.exchange.endpoint import ExchangeEndpoint
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.errors import CredentialError
from cirahub_sync.identity.base import AccessToken, Material
from cirahub_sync.identity.provider import host_proof
from cirahub_sync.origins import Origins

SERVER = "ada70000-0000-4000-8000-000000000005"
HOST = "mail.adatum.example"
OLGA = "olga@adatum.example"
ACCOUNT = r"ADATUM\svc-cirahub"
PASSWORD = "pä55 wörd of-the-service"
FOLDER = "Team/Vertrieb"
CUSTOM = ("EmployeeId",)


class Kept:
    """The password, as it would be read from a Kubernetes Secret."""

    def __init__(self) -> None:
        self.value = PASSWORD
        self.hosts = frozenset({HOST})
        self.reads = 0

    async def secret(self, reference: SecretFile) -> Material:
        self.reads += 1
        if not self.value:
            raise CredentialError(f"{reference.origin} does not exist", reason="SecretNotFound")
        return Material(value=self.value, hosts=self.hosts)

    async def service_account_token(self, service_account: str, audience: str) -> AccessToken:
        raise AssertionError("no token is asked for with a password")


def open_fence(_seconds: float) -> None:
    """Nobody else writes."""


class Office:
    """The simulator with one Exchange Server, two mailboxes and a service account."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.simulator = Simulator(self.world)
        self.server = ExchangeServer(
            id=SERVER,
            domain="adatum.example",
            host=HOST,
            netbios_domain="ADATUM",
            display_name="A. Datum",
        )
        self.world.directory.add_exchange_server(self.server)
        self.users = {
            name: self._add(number, name)
            for number, name in enumerate(("olga", "paul", "svc-cirahub"))
        }
        self.server.impersonators.add(self.users["svc-cirahub"].id)
        self.kept = Kept()

    hour = timedelta(hours=1)

    def _add(self, number: int, name: str) -> User:
        address = f"{name}@adatum.example"
        user = User(
            id=f"00000000-0000-4000-8000-{number:012d}",
            tenant_id=SERVER,
            user_principal_name=address,
            display_name=name,
            mail=address,
        )
        self.world.directory.add_user(user)
        secret = PASSWORD if name == "svc-cirahub" else f"{name}-password"
        self.server.accounts[user.id] = Account(name, secret)
        return user

    def mailbox(self, name: str = "olga") -> Mailbox:
        return mailbox_of(self.world, self.users[name].id)

    def public(self) -> Mailbox:
        return public_folders_of(self.world, SERVER)

    def folder(self, path: str = FOLDER, *, public: bool = False) -> Folder | None:
        mailbox = self.public() if public else self.mailbox()
        folder: Folder | None = (
            mailbox.distinguished["publicfoldersroot"] if public else mailbox.default_folder
        )
        for name in path.split("/") if path else ():
            folder = None if folder is None else folder.child(name)
        return folder

    def held(self, path: str = FOLDER, *, public: bool = False) -> Sequence[Held]:
        found = self.folder(path, public=public)
        return list(found.contacts.values()) if found else []

    def fault(self, **rule: object) -> None:
        self.world.faults.add(Rule(service="ews", **rule))  # type: ignore[arg-type]

    def connection(
        self,
        *,
        scheme: SignInScheme = SignInScheme.NTLM,
        rights: MailboxRights = MailboxRights.IMPERSONATION,
        username: str = ACCOUNT,
        host: str = HOST,
        trusted: str = "",
    ) -> ConnectionConfig:
        return ConnectionConfig(
            "uid",
            "default/adatum",
            PasswordAuth(username, scheme, secret=SecretFile("Secret default/ews, key password")),
            exchange_server=ServerConfig(host, rights, trusted),
        )

    def origins(self) -> Origins:
        endpoints = self.simulator.endpoints
        return Origins(endpoints.origins, endpoints.ca_file)

    @asynccontextmanager
    async def session(
        self,
        connection: ConnectionConfig | None = None,
        *,
        patience: Patience | None = None,
        origins: Origins | None = None,
        clock: Callable[[], float] | None = None,
    ) -> AsyncIterator[ExchangeSession]:
        config = connection or self.connection()
        assert config.exchange_server is not None
        origins = origins or self.origins()
        kept = host_proof(
            config.auth,
            config.cloud,
            origins,
            self.kept,
            host=config.exchange_server.host,
            name=config.name,
            clock=clock or self.world.clock.time,
        )
        async with ExchangeSession(
            config,
            kept,
            origins,
            answers=Counter(),
            patience=patience or Patience(pause=0.001, attempts=3, answer=10.0),
        ) as session:
            yield session
        await kept.close()

    def endpoint(
        self,
        session: ExchangeSession,
        folder: str = FOLDER,
        *,
        public: bool = False,
        address: str = OLGA,
        fence: Fence = open_fence,
    ) -> ExchangeEndpoint:
        target = PublicFolderTarget(folder) if public else MailboxTarget(address, folder)
        return ExchangeEndpoint(
            session, target, fence, capabilities=CAPABILITIES, custom_names=CUSTOM
        )


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    office = Office()
    async with office.simulator:
        yield office


@pytest.fixture
async def session(office: Office) -> AsyncIterator[ExchangeSession]:
    async with office.session() as session:
        yield session
