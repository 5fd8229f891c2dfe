"""A tenant in the simulator, on real sockets, and an endpoint into its address list."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

import pytest

from cirahub_simulator.directory import Application, Tenant
from cirahub_simulator.entra.token import OUTLOOK
from cirahub_simulator.faults import Rule
from cirahub_simulator.mail_contacts import MailContact
from cirahub_simulator.server import Simulator
from cirahub_simulator.switches import Switches
from cirahub_simulator.world import World
from cirahub_sync.configuration import ClientSecretAuth, ConnectionConfig, SecretFile
from cirahub_sync.endpoints.attempts import Patience
from cirahub_sync.endpoints.base import Create, Operation, Outcome, Stamp
from cirahub_sync.endpoints.exchange_admin import AdminSession, MailContactsEndpoint
from cirahub_sync.identity.base import AccessToken
from cirahub_sync.model.contact import (
    AddressKind,
    Contact,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)
from cirahub_sync.origins import Origins

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
ADA = Contact(
    display_name="Ada Lovelace",
    given_name="Ada",
    surname="Lovelace",
    company="Analytical Engines",
    job_title="Countess",
    notes="First\nof all",
    emails=(Email("ada@fabrikam.example"),),
    phones=(Phone(PhoneKind.BUSINESS, "+44 20 1"), Phone(PhoneKind.MOBILE, "+44 77 2")),
    addresses=(PostalAddress(AddressKind.BUSINESS, "1 Square", "London", "", "W1", "France"),),
)


class Tokens:
    """Issued by the simulator's authority directly."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def token(self, scope: str) -> AccessToken:
        assert scope == f"{OUTLOOK}/.default"
        held = self._directory
        text = held.simulator.tokens.issue(held.tenant, held.application, OUTLOOK, OUTLOOK, "1")
        return AccessToken(text, held.world.clock.time() + 3600)

    async def invalidate(self) -> None:
        """Each is a new one."""

    async def close(self) -> None:
        """Nothing is open."""


class Directory:
    """The simulator with one tenant, and an endpoint for one hub."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.simulator = Simulator(world)
        self.tenant = Tenant(TENANT, "contoso.example", "Contoso")
        self.application = Application(
            client_id=CLIENT,
            display_name="cirahub",
            home_tenant_id=TENANT,
            granted={TENANT: {"Exchange.ManageAsApp"}},
            directory_roles={TENANT: {"Exchange Recipient Administrator"}},
        )
        world.directory.add_tenant(self.tenant)
        world.directory.add_application(self.application)
        self.connection = ConnectionConfig(
            "uid", "default/contoso", ClientSecretAuth(TENANT, CLIENT, secret=SecretFile("test"))
        )
        self.answers: Counter[str] = Counter()

    def session(self, origins: Origins | None = None) -> AdminSession:
        endpoints = self.simulator.endpoints
        return AdminSession(
            self.connection,
            Tokens(self),
            origins or Origins(endpoints.origins, endpoints.ca_file),
            answers=self.answers,
            patience=Patience(pause=0.001, attempts=3, answer=5.0),
        )

    def endpoint(self, session: AdminSession, hub: str = "hub-1") -> MailContactsEndpoint:
        return MailContactsEndpoint(
            session,
            self.connection,
            lambda _: None,
            installation="test",
            hub=hub,
            spoke="spoke-gal",
        )

    def held(self) -> list[MailContact]:
        return self.world.mail_contacts.of(TENANT)

    def run(self, cmdlet: str, **parameters: object) -> None:
        """As an administrator of the tenant does."""
        self.simulator.exchange_admin.run(TENANT, cmdlet, parameters)

    def fault(self, **rule: object) -> None:
        self.world.faults.add(Rule(service="exchange-admin", **rule))  # type: ignore[arg-type]

    def cmdlets(self) -> list[str]:
        """What was run, in order; each in a batch by itself."""
        return [one.operation for one in self.world.journal.entries() if one.operation]


@pytest.fixture
def switches(request: pytest.FixtureRequest) -> Switches:
    chosen = getattr(request, "param", None)
    return chosen if isinstance(chosen, Switches) else Switches()


@pytest.fixture
async def directory(switches: Switches) -> AsyncIterator[Directory]:
    made = Directory(World(switches=switches))
    async with made.simulator:
        yield made


@pytest.fixture
async def session(directory: Directory) -> AsyncIterator[AdminSession]:
    made = directory.session()
    yield made
    await made.close()


@pytest.fixture
def endpoint(directory: Directory, session: AdminSession) -> MailContactsEndpoint:
    return directory.endpoint(session)


def key(number: int = 1, *, attempt: str = "a1", hub: str = "hub-1") -> str:
    return str(Stamp("test", hub, f"{number:032x}", "spoke-gal", attempt))


def create(
    endpoint: MailContactsEndpoint, contact: Contact = ADA, number: int = 1, attempt: str = "a1"
) -> Create:
    return Create(key=key(number, attempt=attempt), body=endpoint.encode(contact))


async def push(endpoint: MailContactsEndpoint, *operations: Operation) -> list[Outcome]:
    """Outcomes by the operations' order."""
    outcomes: list[Outcome] = []
    async with aclosing(endpoint.push(operations)) as sent:
        async for some in sent:
            outcomes += some
    return sorted(outcomes, key=lambda one: one.index)


def person(number: int) -> Contact:
    return Contact(
        display_name=f"Person {number}", emails=(Email(f"person-{number}@fabrikam.example"),)
    )


async def listed(endpoint: MailContactsEndpoint) -> Sequence[str]:
    """Ids of a round."""
    return [
        change.id
        async for page in endpoint.changes(None, known=lambda _: {})
        for change in page.changes
    ]
