"""Signing in, finding address books, and where the password goes."""

from __future__ import annotations

import base64

import pytest
from tests.endpoints.contract.place import creates, push_all, read_all
from tests.endpoints.contract.samples import ADDRESS_BOOKS as SAMPLES

from cirahub_sync.configuration import AddressBookTarget
from cirahub_sync.endpoints.base import Result
from cirahub_sync.endpoints.carddav import wire
from cirahub_sync.endpoints.carddav.session import CardDavSession
from cirahub_sync.errors import (
    ConfigurationError,
    CredentialError,
    EndpointUnavailableError,
    FolderNotFoundError,
    RedirectRefusedError,
    TargetNotFoundError,
)
from cirahub_sync.origins import Origins

from .conftest import Desk
from .radicale import ACCOUNT, ORIGIN, PASSWORD


async def test_the_password_signs_in_by_basic(desk: Desk, session: CardDavSession) -> None:
    await session.sign_in()
    known_as = base64.b64encode(f"{ACCOUNT}:{PASSWORD}".encode()).decode()
    assert {one["authorization"] for one in desk.server.headers} == {f"Basic {known_as}"}


async def test_a_wrong_password_is_tried_once_until_another_is_kept(
    desk: Desk, session: CardDavSession
) -> None:
    desk.kept.value = "wrong"
    for _ in range(2):
        with pytest.raises(CredentialError, match="was refused by") as refused:
            await desk.endpoint(session).open(create=False)
        assert "wrong" not in str(refused.value)
    assert session.answers["401"] == 1
    desk.kept.value = PASSWORD
    await session.sign_in()


async def test_a_password_for_another_host_is_sent_nowhere(
    desk: Desk, session: CardDavSession
) -> None:
    desk.kept.hosts = frozenset({"dav.fabrikam.example"})
    with pytest.raises(CredentialError, match="is not for") as refused:
        await session.sign_in()
    assert refused.value.reason == "HostNotNamed"
    assert desk.server.headers == []


@pytest.mark.parametrize(
    "link",
    ["https://dav.fabrikam.example/ada/", "//dav.fabrikam.example/", "http://dav.contoso.example/"],
)
async def test_the_password_follows_no_link_to_another_origin(
    desk: Desk, session: CardDavSession, link: str
) -> None:
    desk.server.habits.sent_on = link
    with pytest.raises(RedirectRefusedError, match="the password was not sent"):
        await desk.endpoint(session).open(create=False)
    assert session.requests == 1


@pytest.mark.parametrize("link", ["/ada/", f"{ORIGIN}/ada/", "../ada/"])
async def test_a_link_on_the_same_origin_is_followed(
    desk: Desk, session: CardDavSession, link: str
) -> None:
    desk.server.habits.sent_on = link
    desk.server.make("Team", "team")
    target = await desk.endpoint(session).open(create=False)
    assert target.folder == "%2Fada%2Fteam%2F"


async def test_a_server_that_sends_on_in_circles_is_left(
    desk: Desk, session: CardDavSession
) -> None:
    desk.server.habits.sent_on = "/.well-known/carddav"
    with pytest.raises(RedirectRefusedError, match="in circles"):
        await session.sign_in()


async def test_a_redirect_anywhere_else_is_refused(desk: Desk, session: CardDavSession) -> None:
    desk.server.habits.sent_on = "/ada/"
    with pytest.raises(RedirectRefusedError):
        await session.find("/.well-known/carddav", [wire.TYPE], what="it", lane="x")


async def test_an_address_book_is_found_by_its_name_or_its_path(
    desk: Desk, session: CardDavSession
) -> None:
    desk.server.make("Team", "some-id")
    by_name = await desk.endpoint(session, "Team").open(create=False)
    by_path = await desk.endpoint(session, path="/ada/some-id").open(create=False)
    assert by_name == by_path
    with pytest.raises(FolderNotFoundError, match="no such address book"):
        await desk.endpoint(session, "team").open(create=False)
    with pytest.raises(FolderNotFoundError):
        await desk.endpoint(session, path="/ada/other/").open(create=False)


async def test_a_connection_may_say_where_to_look(desk: Desk) -> None:
    desk.server.make("Team", "some-id")
    async with desk.session(path="/ada/") as session:
        assert (await desk.endpoint(session).open(create=False)).folder == "%2Fada%2Fsome-id%2F"
        assert session.requests == 2


async def test_two_of_one_name_are_told_apart_by_their_paths_only(
    desk: Desk, session: CardDavSession
) -> None:
    desk.server.make("Team", "one")
    desk.server.make("Team", "two")
    with pytest.raises(TargetNotFoundError, match="2 address books of that name"):
        await desk.endpoint(session).open(create=True)
    await desk.endpoint(session, path="/ada/two/").open(create=True)


async def test_what_is_no_address_book_is_not_taken_for_one(
    desk: Desk, session: CardDavSession
) -> None:
    calendar = desk.server.make("Team", "calendar") / ".Radicale.props"
    calendar.write_text('{"tag": "VCALENDAR"}')
    with pytest.raises(TargetNotFoundError, match="no address book"):
        await desk.endpoint(session, path="/ada/calendar/").open(create=True)


async def test_a_book_by_its_path_is_made_there(desk: Desk, session: CardDavSession) -> None:
    endpoint = desk.endpoint(session, path="/ada/Äpfel-und-Birnen/")
    await endpoint.open(create=True)
    outcomes = await push_all(endpoint, creates(endpoint, SAMPLES, 2))
    assert {one.result for one in outcomes} == {Result.DONE}
    assert len(await read_all(endpoint)) == 1
    assert [one.name for one in desk.server.books()] == ["Äpfel-und-Birnen"]


async def test_certificates_that_are_none_are_told_of(desk: Desk) -> None:
    with pytest.raises(ConfigurationError, match="trustedCertificates"):
        async with desk.session(trusted="-----BEGIN CERTIFICATE-----\nx"):
            pass


async def test_a_named_certificate_is_trusted_and_no_other(desk: Desk) -> None:
    pem = desk.server.ca_file.read_text()
    unknown = Origins(desk.server.trusted.origins)  # without the CA of the endpoints file
    async with desk.session(unknown, trusted=pem) as session:
        await session.sign_in()
    async with desk.session(unknown) as session:
        with pytest.raises(EndpointUnavailableError, match="trustedCertificates") as raised:
            await session.sign_in()
    assert raised.value.reason == "CertificateNotTrusted"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Sign in</body></html>",
        b"<d:multistatus xmlns:d='DAV:'><d:response>",
        b"<!DOCTYPE d [<!ENTITY a 'x'>]><d:multistatus xmlns:d='DAV:'/>",
        b"<!DOCTYPE d [<!ENTITY a SYSTEM '/etc/passwd'>]><d:prop xmlns:d='DAV:'>&a;</d:prop>",
    ],
)
def test_an_answer_that_is_none_is_not_read(body: bytes) -> None:
    with pytest.raises(wire.UnreadableError):
        wire.read(body)


def test_a_target_says_which_one_it_is() -> None:
    assert AddressBookTarget(name="Team").told == "address book 'Team'"
    assert AddressBookTarget(path="/ada/x/").told == "address book '/ada/x/'"
