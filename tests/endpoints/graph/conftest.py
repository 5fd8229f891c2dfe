"""A small tenant in the simulator, on real sockets, and an endpoint into one of its mailboxes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import get_args, get_type_hints

import pytest

from cirahub_simulator.directory import Application, Tenant, User
from cirahub_simulator.entra.token import GRAPH
from cirahub_simulator.faults import Rule
from cirahub_simulator.graph.body import read_contact
from cirahub_simulator.graph.contact import Contact as Held
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.server import Simulator
from cirahub_simulator.switches import Switches
from cirahub_simulator.world import World
from cirahub_sync.configuration import ClientSecretAuth, ConnectionConfig, MailboxTarget, SecretFile
from cirahub_sync.endpoints.attempts import Patience
from cirahub_sync.endpoints.graph.endpoint import GraphEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.identity.base import AccessToken
from cirahub_sync.origins import Origins

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
CUSTOM = ("EmployeeId",)
FOLDER = "Team/Vertrieb"


class IssuedTokens:
    """A token provider that asks the simulator's authority directly, without signing in."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._token = ""
        self.issued = 0
        self.scopes: set[str] = set()

    async def token(self, scope: str) -> AccessToken:
        self.scopes.add(scope)
        if not self._token:
            self.issued += 1
            directory = self._cloud.world.directory
            tenant, application = directory.tenant(TENANT), directory.application(CLIENT)
            assert tenant is not None
            assert application is not None
            self._token = self._cloud.simulator.tokens.issue(tenant, application, GRAPH, GRAPH, "1")
        return AccessToken(self._token, self._cloud.world.clock.time() + 3600)

    async def invalidate(self) -> None:
        self._token = ""

    async def close(self) -> None:
        self._token = ""


def open_fence(_seconds: float) -> None:
    """Nobody else writes."""


class Cloud:
    """The simulator with one tenant, one application and users made when they are named."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.simulator = Simulator(world)
        self.application = Application(
            client_id=CLIENT,
            display_name="cirahub",
            home_tenant_id=TENANT,
            granted={TENANT: {"Contacts.ReadWrite", "Calendars.ReadWrite", "User.ReadBasic.All"}},
        )
        world.directory.add_tenant(Tenant(TENANT, "contoso.example", "Contoso"))
        world.directory.add_application(self.application)
        self.tokens = IssuedTokens(self)
        self.connection = ConnectionConfig(
            "uid", "default/contoso", ClientSecretAuth(TENANT, CLIENT, secret=SecretFile("test"))
        )
        self.add_user("ada")

    def add_user(self, name: str, *, mailbox: bool = True) -> User:
        address = f"{name}@contoso.example"
        user = User(
            id=f"00000000-0000-4000-8000-{len(self.world.directory.users()):012d}",
            tenant_id=TENANT,
            user_principal_name=address,
            display_name=name,
            mail=address,
            has_mailbox=mailbox,
        )
        self.world.directory.add_user(user)
        return user

    def mailbox(self, name: str = "ada") -> Mailbox:
        user = self.world.directory.find_user(f"{name}@contoso.example")
        assert user is not None
        return self.simulator.graph.mailbox(user)

    def held(self, folder: str = "") -> list[Held]:
        """What a folder of Ada's mailbox really holds."""
        path = tuple(folder.split("/")) if folder else ()
        found = self.mailbox().folder_at(path)
        return list(found.contacts.values()) if found else []

    def user_adds(self, body: bytes, folder: str = "") -> Held:
        """As if the mailbox's owner made a contact."""
        mailbox = self.mailbox()
        found = mailbox.folder_at(tuple(folder.split("/")) if folder else ())
        assert found is not None
        return mailbox.create_contact(found, read_contact(body, self.world.switches))

    tenant = TENANT
    an_hour = timedelta(hours=1)

    def delete_folder(self, path: str) -> None:
        mailbox = self.mailbox()
        found = mailbox.folder_at(tuple(path.split("/")))
        assert found is not None
        mailbox.delete_folder(found)

    def endpoint(self, session: GraphSession, folder: str = FOLDER) -> GraphEndpoint:
        target = MailboxTarget("ada@contoso.example", folder)
        return GraphEndpoint(session, target, open_fence, custom_names=CUSTOM)

    def fault(self, **rule: object) -> None:
        self.world.faults.add(Rule(**rule))  # type: ignore[arg-type]

    def origins(self) -> Origins:
        endpoints = self.simulator.endpoints
        return Origins(endpoints.origins, endpoints.ca_file)

    def session(
        self, patience: Patience | None = None, origins: Origins | None = None
    ) -> GraphSession:
        return GraphSession(
            self.connection,
            self.tokens,
            origins or self.origins(),
            patience=patience or Patience(pause=0.001, attempts=3, answer=5.0),
        )


@pytest.fixture
def switches(request: pytest.FixtureRequest) -> Switches:
    """The setting of everything that documents leave open; see `settings`."""
    chosen = getattr(request, "param", None)
    return chosen if isinstance(chosen, Switches) else Switches()


def answers(*names: str) -> dict[str, Switches]:
    """Every value of these switches that is not the default, one at a time."""
    default = Switches()
    hints = get_type_hints(Switches)
    return {
        f"{name}={value}": replace(default, **{name: value})
        for name in names
        for value in get_args(hints[name]) or (False, True)
        if value != getattr(default, name)
    }


def settings(*names: str) -> list[object]:
    """The defaults, and each of `answers`, as parameters."""
    chosen = {"default": Switches()} | answers(*names)
    return [pytest.param(switches, id=name) for name, switches in chosen.items()]


@pytest.fixture
async def cloud(switches: Switches) -> AsyncIterator[Cloud]:
    cloud = Cloud(World(switches=switches))
    async with cloud.simulator:
        yield cloud


@pytest.fixture
async def session(cloud: Cloud) -> AsyncIterator[GraphSession]:
    async with cloud.session() as session:
        yield session


@pytest.fixture
async def endpoint(cloud: Cloud, session: GraphSession) -> AsyncIterator[GraphEndpoint]:
    """Opened on a folder of its own."""
    endpoint = cloud.endpoint(session)
    await endpoint.open(create=True)
    yield endpoint
    await endpoint.close()
