"""A password goes to the server that it names, and is tried no more often than it has to be."""

from __future__ import annotations

import asyncio

import pytest

from cirahub_simulator.ews.gate import AccountGate
from cirahub_simulator.keyvault.vault import Vault
from cirahub_simulator.wire import Response
from cirahub_sync.configuration import SignInScheme
from cirahub_sync.endpoints.exchange.session import Seat
from cirahub_sync.errors import CredentialError
from cirahub_sync.identity.base import hosts_in

from .conftest import HOST, PASSWORD, Office

SEAT = Seat("sign-in")
ASKED = b'<m:GetServerTimeZones ReturnFullTimeZoneData="false"/>'


def sign_ins(office: Office) -> int:
    """Requests that reached the server, refused ones and those without a credential included."""
    return sum(
        count for name, count in office.world.journal.counters.items() if name.startswith("ews ")
    )


@pytest.mark.parametrize("scheme", list(SignInScheme))
@pytest.mark.parametrize("username", [r"ADATUM\svc-cirahub", "svc-cirahub@adatum.example"])
async def test_an_account_signs_in(office: Office, scheme: SignInScheme, username: str) -> None:
    connection = office.connection(scheme=scheme, username=username)
    async with office.session(connection) as session:
        await session.sign_in()
        assert sign_ins(office) > 0


@pytest.mark.parametrize(
    "hosts", ["", "other.example", "adatum.example", f"{HOST}.evil.example", f"{HOST}:8443"]
)
async def test_a_password_that_does_not_name_the_server_is_sent_nowhere(
    office: Office, hosts: str
) -> None:
    office.kept.hosts = hosts_in(hosts)
    async with office.session() as session:
        with pytest.raises(CredentialError, match=HOST) as refused:
            await session.sign_in()
        with pytest.raises(CredentialError):
            await session.ask(SEAT, ASKED, what="test")
    assert refused.value.reason == "HostNotNamed"
    assert PASSWORD not in str(refused.value)
    assert sign_ins(office) == 0


async def test_a_password_may_name_several_servers(office: Office) -> None:
    office.kept.hosts = hosts_in(f"other.example, {HOST.upper()} third.example")
    async with office.session() as session:
        await session.sign_in()
        assert sign_ins(office) > 0


async def test_a_wrong_password_is_tried_once_until_another_is_kept(
    office: Office,
) -> None:
    """However many ask at the same time: a server locks the account of who tries too often."""
    office.kept.value = "wrong"
    async with office.session(office.connection(scheme=SignInScheme.BASIC)) as session:
        asked = [session.ask(SEAT, ASKED, what="test") for _ in range(12)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(answer) for answer in answers} == {CredentialError}
        assert sign_ins(office) == 1
        with pytest.raises(CredentialError) as refused:
            await session.ask(SEAT, ASKED, what="test")
        assert "wrong" not in str(refused.value).replace("wrong one", "")
        assert sign_ins(office) == 1
        office.kept.value = PASSWORD
        await session.sign_in()


async def test_a_password_that_was_changed_is_taken_up_at_once(office: Office) -> None:
    async with office.session() as session:
        await session.sign_in()
        account = office.server.accounts[office.users["svc-cirahub"].id]
        account.password = office.kept.value = "another"
        office.world.clock.advance(office.hour)
        await session.ask(SEAT, ASKED, what="test")
        account.password = office.kept.value = "a third"
        session._hang_up()  # NTLM had signed the connection in
        await session.ask(SEAT, ASKED, what="test")


async def test_a_server_that_asks_for_basic_does_not_get_the_password(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the manifest says NTLM."""
    offered = Response(401, {}, challenges=('Basic realm="x"',))
    monkeypatch.setattr(AccountGate, "_refuse", lambda *_: offered)
    async with office.session() as session:
        with pytest.raises(CredentialError, match="Basic") as refused:
            await session.sign_in()
    assert refused.value.reason == "SchemeNotOffered"
    assert sign_ins(office) == 1


async def test_a_vault_s_tag_names_the_hosts() -> None:
    vault = Vault("contoso", "tenant")
    vault.put("exchange-password", "x", 0, tags={"cirahub-hosts": HOST})
    assert hosts_in(vault.versions("exchange-password")[-1].tags["cirahub-hosts"]) == {HOST}
