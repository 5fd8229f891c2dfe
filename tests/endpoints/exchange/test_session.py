"""Requests: threads that never hold the loop up, answers that are told apart, nothing twice."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import time
from collections.abc import Callable

import pytest
import trustme
from tests.endpoints.contract.place import creates, key, push_all
from tests.endpoints.contract.samples import CONTACTS

from cirahub_simulator.faults import Rule
from cirahub_sync.configuration import MailboxRights, SignInScheme
from cirahub_sync.endpoints.attempts import Patience
from cirahub_sync.endpoints.base import Create, Result
from cirahub_sync.endpoints.exchange.session import LINES, ExchangeSession, Seat
from cirahub_sync.errors import (
    AccessDeniedError,
    AddressRefusedError,
    ConfigurationError,
    EndpointUnavailableError,
    TargetNotFoundError,
)
from cirahub_sync.model.contact import Contact
from cirahub_sync.network import Route
from cirahub_sync.origins import Origins

from .conftest import OLGA, Office, open_fence

SEAT = Seat("sign-in")
ASKED = b'<m:GetServerTimeZones ReturnFullTimeZoneData="false"/>'


async def test_the_loop_goes_on_while_the_server_takes_its_time(
    office: Office, session: ExchangeSession
) -> None:
    await session.sign_in()
    office.world.latency = 0.4
    ticks: list[float] = []

    async def tick() -> None:
        while True:
            ticks.append(time.monotonic())
            await asyncio.sleep(0.01)

    ticking = asyncio.create_task(tick())
    await asyncio.gather(*(session.ask(Seat(str(n)), ASKED, what="t") for n in range(3)))
    ticking.cancel()
    assert len(ticks) > 10


async def test_there_are_never_more_threads_than_lines(
    office: Office, session: ExchangeSession
) -> None:
    await session.sign_in()
    office.world.latency = 0.05
    asked = [session.ask(Seat(str(n)), ASKED, what="t") for n in range(3 * LINES)]
    await asyncio.gather(*asked)
    named = [one for one in threading.enumerate() if one.name.startswith("exchange")]
    assert 1 <= len(named) <= LINES


async def until(what: Callable[[], bool]) -> None:
    for _ in range(6000):
        if what():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come")


async def test_who_gives_up_waiting_leaves_no_thread_behind(office: Office) -> None:
    """Cancelled or closed: the socket is cut, so that the thread ends."""
    office.world.faults.add(
        Rule(kind="delay", delay=30.0, service="ews", operation="GetServerTimeZones")
    )
    async with office.session(office.connection(scheme=SignInScheme.BASIC)) as session:
        asked = asyncio.create_task(session.ask(SEAT, ASKED, what="t"))
        await until(lambda: bool(office.world.faults.listing()[0][2]))
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
    for thread in threading.enumerate():
        if thread.name.startswith("exchange"):
            await asyncio.to_thread(thread.join, 20.0)
            assert not thread.is_alive()


async def test_a_write_that_takes_too_long_is_given_up_and_unknown(office: Office) -> None:
    patience = Patience(pause=0.001, attempts=3, answer=20.0, write=0.5)
    async with office.session(
        office.connection(scheme=SignInScheme.BASIC), patience=patience
    ) as session:
        endpoint = office.endpoint(session)
        opened = office.endpoint(session, fence=open_fence)
        office.mailbox().create_folder(office.mailbox().default_folder, "Team")
        team = office.folder("Team")
        assert team is not None
        office.mailbox().create_folder(team, "Vertrieb")
        await opened.open(create=False)
        await endpoint.open(create=False)
        office.fault(kind="delay", delay=5.0, operation="CreateItem", moment="after")
        (outcome,) = await push_all(endpoint, creates(endpoint, CONTACTS, 1))
        assert outcome.result is Result.UNKNOWN
        assert len(office.held()) == 1
        office.world.faults.clear()
        found = await endpoint.find([key(0)])
        assert len(found[key(0)]) == 1


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ErrorServerBusy", Result.RETRY),
        ("ErrorExceededConnectionCount", Result.RETRY),
        ("ErrorTooManyObjectsOpened", Result.RETRY),
        ("ErrorMailboxStoreUnavailable", Result.RETRY),
        ("ErrorQuotaExceeded", Result.RETRY),
        ("ErrorInternalServerError", Result.UNKNOWN),
        ("ErrorInternalServerTransientError", Result.UNKNOWN),
        ("ErrorTimeoutExpired", Result.UNKNOWN),
    ],
)
async def test_each_refusal_of_a_request_is_one_and_nothing_is_sent_again(
    office: Office, session: ExchangeSession, code: str, expected: Result
) -> None:
    """exchangelib would: at once, after a pause, or in another version of the schema."""
    endpoint = office.endpoint(session)
    await endpoint.open(create=True)
    office.fault(kind="status", status=500, code=code, operation="CreateItem")
    (outcome,) = await push_all(endpoint, creates(endpoint, CONTACTS, 1))
    assert outcome.result is expected
    assert code in outcome.error
    assert "request" in outcome.error
    assert [fired for _, _, fired in office.world.faults.listing()] == [1]


@pytest.mark.parametrize("code", ["ErrorInvalidRequest", "ErrorInvalidServerVersion"])
async def test_a_request_that_the_server_does_not_understand_is_sent_once(
    office: Office, session: ExchangeSession, code: str
) -> None:
    endpoint = office.endpoint(session)
    await endpoint.open(create=True)
    office.fault(kind="status", status=500, code=code, operation="CreateItem")
    with pytest.raises(EndpointUnavailableError, match=code):
        await push_all(endpoint, creates(endpoint, CONTACTS, 1))
    assert [fired for _, _, fired in office.world.faults.listing()] == [1]


async def test_who_may_not_impersonate_is_told_how(office: Office) -> None:
    office.server.impersonators.clear()
    async with office.session() as session:
        with pytest.raises(AccessDeniedError, match="ApplicationImpersonation"):
            await office.endpoint(session).open(create=True)


async def test_a_delegate_needs_full_access(office: Office) -> None:
    office.server.impersonators.clear()
    async with office.session(office.connection(rights=MailboxRights.DELEGATE)) as session:
        endpoint = office.endpoint(session)
        with pytest.raises(AccessDeniedError, match="Full Access"):
            await endpoint.open(create=True)
        office.server.full_access[office.users["olga"].id] = {office.users["svc-cirahub"].id}
        await endpoint.open(create=True)
        body = endpoint.encode(CONTACTS.one(1))
        (outcome,) = await push_all(endpoint, [Create(key="i/h/1/s/1", body=body)])
        assert outcome.result is Result.DONE
        assert len(office.held()) == 1


async def test_a_mailbox_is_the_same_target_through_either_right_and_any_spelling(
    office: Office, session: ExchangeSession
) -> None:
    office.server.full_access[office.users["olga"].id] = {office.users["svc-cirahub"].id}
    impersonated = await office.endpoint(session).open(create=True)
    assert await office.endpoint(session, address=OLGA.upper()).open(create=True) == impersonated
    async with office.session(office.connection(rights=MailboxRights.DELEGATE)) as other:
        assert await office.endpoint(other).open(create=True) == impersonated
    assert OLGA not in str(impersonated)


async def test_a_mailbox_that_is_not_there_is_told(
    office: Office, session: ExchangeSession
) -> None:
    with pytest.raises(TargetNotFoundError) as told:
        await office.endpoint(session, address="nobody@adatum.example").open(create=True)
    assert "nobody" not in str(told.value)


async def test_a_name_that_leads_to_this_machine_gets_no_request(office: Office) -> None:
    """Unless the endpoints file puts it there."""
    office.kept.hosts = frozenset({"localhost.example"})
    port = office.simulator.endpoints.origins["https://mail.adatum.example"].rpartition(":")[2]
    office.kept.hosts = frozenset({f"127.0.0.1.nip.example:{port}", f"localhost:{port}"})
    connection = office.connection(host=f"localhost:{port}")
    origins = Origins({}, office.simulator.endpoints.ca_file)
    async with office.session(connection, origins=origins) as session:
        with pytest.raises(AddressRefusedError, match="loopback"):
            await session.sign_in()
    assert not office.world.journal.counters


async def test_certificates_that_are_none_are_told_before_anything_is_sent(office: Office) -> None:
    connection = office.connection(host="mail.other.example", trusted="-----BEGIN CERTIFICATE-----")
    with pytest.raises(ConfigurationError, match="trustedCertificates"):
        async with office.session(connection):
            raise AssertionError("there is no session")


def test_the_authority_of_the_manifest_is_trusted_and_no_other() -> None:
    authority = trustme.CA().cert_pem.bytes().decode()
    system = Route("https://mail.adatum.example", Origins(), "test")
    own = Route("https://mail.adatum.example", Origins(), "test", trusted=authority)
    (trusted,) = own.trust.get_ca_certs()
    assert trusted not in system.trust.get_ca_certs()
    assert own.trust.verify_mode is ssl.CERT_REQUIRED
    assert own.trust.check_hostname


async def test_nothing_of_an_item_or_a_password_reaches_the_log(
    office: Office, session: ExchangeSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint = office.endpoint(session)
    await endpoint.open(create=True)
    canary = Contact(given_name="Kanarienvogel", display_name="Kanarienvogel", file_as="K")
    body = endpoint.encode(canary)
    await push_all(endpoint, [Create(key="i/h/1/s/1", body=body)])
    office.fault(kind="drop", operation="CreateItem")
    (outcome,) = await push_all(endpoint, [Create(key="i/h/2/s/1", body=body)])
    assert outcome.result is Result.UNKNOWN
    told = caplog.text + outcome.error
    for word in ("Kanarienvogel", "wörd", OLGA, "Authorization", "Basic "):
        assert word not in told
