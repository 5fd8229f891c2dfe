"""An application signs in by a token for this server alone: hybrid modern authentication."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import jwt
import pytest

from cirahub_simulator.directory import Application, ClientSecret, Tenant
from cirahub_simulator.faults import Rule
from cirahub_sync.configuration import ClientSecretAuth, ConnectionConfig, SecretFile
from cirahub_sync.configuration import ExchangeServer as ServerConfig
from cirahub_sync.endpoints.exchange.opening import ExchangeConnection
from cirahub_sync.endpoints.exchange.permissions import ROLE
from cirahub_sync.endpoints.session import Surroundings, no_answers
from cirahub_sync.errors import AccessDeniedError, CredentialError
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.needs import READS_CONTACTS
from cirahub_sync.throttle import Throttle

from .conftest import HOST, OLGA, SERVER, Office

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
SECRET = "a client's söcret"
CONNECTION = ConnectionConfig(
    "uid",
    "default/adatum",
    ClientSecretAuth(TENANT, CLIENT, secret=SecretFile("Secret default/graph, key value")),
    exchange_server=ServerConfig(HOST),
)


@pytest.fixture
async def hybrid() -> AsyncIterator[Office]:
    """The office, whose server takes the tokens of a tenant."""
    office = Office()
    directory = office.world.directory
    directory.add_tenant(Tenant(TENANT, "adatum-online.example", "A. Datum"))
    far = office.world.clock.now() + timedelta(days=365)
    directory.add_application(
        Application(
            client_id=CLIENT,
            display_name="cirahub",
            home_tenant_id=TENANT,
            secrets=[ClientSecret(SECRET, far)],
            granted={TENANT: {ROLE}},
        )
    )
    office.server.hybrid_tenant = TENANT
    office.kept.value = SECRET
    office.kept.hosts = frozenset()
    async with office.simulator:
        yield office


def requests(office: Office, service: str) -> int:
    counters = office.world.journal.counters
    return sum(count for name, count in counters.items() if name.split(" ")[0] == service)


def tokens(office: Office) -> int:
    """That Entra was asked for."""
    entries = office.world.journal.entries()
    return sum(one.service == "entra" and one.path.endswith("/token") for one in entries)


def registered_only(office: Office) -> None:
    """Entra issues tokens for the server, which takes none."""
    twin = replace(office.server, id=SERVER.replace("5", "6"))
    office.world.directory.add_exchange_server(twin)
    office.server.hybrid_tenant = ""


@asynccontextmanager
async def opened(office: Office) -> AsyncIterator[ExchangeConnection]:
    connection = ExchangeConnection(
        CONNECTION,
        Surroundings(
            origins=office.origins(),
            credentials=office.kept,
            clock=office.world.clock.time,
            lease=LeaseTerms(),
            throttle=Throttle(),
            answers=no_answers(),
        ),
    )
    yield connection
    await connection.close()


async def test_an_application_acts_in_the_place_of_a_mailbox_s_owner(hybrid: Office) -> None:
    anchored = Rule(kind="delay", service="ews", header=("X-AnchorMailbox", f"^{OLGA}$"))
    hybrid.world.faults.add(anchored)
    async with hybrid.session(CONNECTION) as session:
        endpoint = hybrid.endpoint(session, "Team")
        await endpoint.open(create=True)
        assert hybrid.folder("Team") is not None
    [(_, matched, _)] = hybrid.world.faults.listing()
    assert matched == requests(hybrid, "ews") > 0
    assert tokens(hybrid) == 1


async def test_a_token_is_for_the_server_and_for_nothing_else(hybrid: Office) -> None:
    async with hybrid.session(CONNECTION) as session:
        proof = await session.sign_in()
    claims = jwt.decode(proof.text, options={"verify_signature": False})
    assert (claims["aud"], claims["tid"], claims["roles"]) == (f"https://{HOST}", TENANT, [ROLE])
    assert proof.text not in repr(proof)


async def test_a_token_that_has_expired_at_the_server_is_renewed_once(hybrid: Office) -> None:
    now = hybrid.world.clock.time()
    async with hybrid.session(CONNECTION, clock=lambda: now) as session:
        endpoint = hybrid.endpoint(session, "")
        await endpoint.open(create=False)
        hybrid.world.clock.advance(timedelta(hours=2))
        assert await endpoint.fetch(["x"]) == {"x": None}
        assert await endpoint.fetch(["x"]) == {"x": None}
        assert tokens(hybrid) == 2
        refused = [one for one in hybrid.world.journal.entries() if one.status == 401]
        assert len(refused) == 1


async def test_a_token_that_stays_refused_is_told_and_not_sent_on_and_on(hybrid: Office) -> None:
    hybrid.server.partner_enabled = False
    async with hybrid.session(CONNECTION) as session:
        endpoint = hybrid.endpoint(session, "")
        with pytest.raises(CredentialError, match="Get-PartnerApplication") as told:
            await endpoint.open(create=False)
        assert told.value.reason == "TokenRefused"
        sent = requests(hybrid, "ews")
        assert sent == 2
        with pytest.raises(CredentialError):
            await endpoint.open(create=False)
        assert requests(hybrid, "ews") == sent
        with pytest.raises(CredentialError):
            await session.sign_in()
        assert requests(hybrid, "ews") > sent, "at checks it is tried again"


async def test_a_server_that_takes_no_tokens_is_told_so(hybrid: Office) -> None:
    registered_only(hybrid)
    async with hybrid.session(CONNECTION) as session:
        with pytest.raises(CredentialError, match="takes no tokens") as told:
            await session.sign_in()
    assert told.value.reason == "SchemeNotOffered"


async def test_a_name_that_is_not_registered_gets_no_token(hybrid: Office) -> None:
    hybrid.server.hybrid_tenant = ""
    async with hybrid.session(CONNECTION) as session:
        with pytest.raises(CredentialError, match=f"register https://{HOST}") as told:
            await session.sign_in()
    assert told.value.reason == "ResourceNotFound"
    assert requests(hybrid, "ews") == 0


async def test_a_check_tells_that_the_role_is_missing(hybrid: Office) -> None:
    application = hybrid.world.directory.application(CLIENT)
    assert application is not None
    async with opened(hybrid) as connection:
        found = await connection.check(READS_CONTACTS)
        assert (found.missing, found.credential.kind) == ((), "clientSecret")
        application.granted[TENANT] = {"Exchange.ManageAsApp"}
        found = await connection.check(READS_CONTACTS)
        assert (found.missing, found.settling) == ((ROLE,), True)


async def test_a_mailbox_that_the_role_does_not_open_is_told_by_its_spoke(hybrid: Office) -> None:
    application = hybrid.world.directory.application(CLIENT)
    assert application is not None
    application.granted[TENANT] = set()
    async with hybrid.session(CONNECTION) as session:
        with pytest.raises(AccessDeniedError, match=ROLE):
            await hybrid.endpoint(session, "").open(create=False)


async def test_after_a_doubt_the_next_request_has_a_new_token(hybrid: Office) -> None:
    """In which a role shows that was granted just now."""
    async with opened(hybrid) as connection:
        await connection.check(READS_CONTACTS)
        asked = tokens(hybrid)
        await connection.doubt()
        assert tokens(hybrid) == asked + 1
