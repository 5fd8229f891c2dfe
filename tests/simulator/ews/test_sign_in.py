"""Who gets in, and as whom: Basic, NTLM, tokens, impersonation, delegates."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from requests_ntlm import HttpNtlmAuth
from tests.simulator.conftest import ANNA, SignIn

from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.seed.generate import CIRAHUB

from .conftest import HOST, OLGA, PATH, PAUL, Bearer, Soap, impersonate
from .test_envelope import GET_CONTACTS

DELEGATED = GET_CONTACTS.replace(
    '"contacts"/>',
    f'"contacts"><t:Mailbox><t:EmailAddress>{PAUL}</t:EmailAddress></t:Mailbox>'
    "</t:DistinguishedFolderId>",
)


def client(simulator: EmbeddedSimulator, auth: Any) -> Soap:
    endpoints = simulator.endpoints
    return Soap(endpoints.exchange(HOST) + PATH, endpoints.ca_file, auth)


def statuses(soap: Soap, body: str = GET_CONTACTS) -> list[int]:
    """The status of a request and of each step before it."""
    from .conftest import envelope

    response = soap.session.post(
        soap.url,
        data=envelope(body).encode(),
        headers={"Content-Type": "text/xml"},
        timeout=30,
    )
    return [*(step.status_code for step in response.history), response.status_code]


@pytest.mark.parametrize(
    "name", ["ADATUM\\olga", "adatum\\OLGA", "adatum.example\\olga", OLGA, "olga"]
)
def test_basic_takes_each_form_of_a_name(simulator: EmbeddedSimulator, name: str) -> None:
    soap = client(simulator, (name, "simulated-olga-password"))
    with soap.session:
        assert soap.done(GET_CONTACTS).text("//t:DisplayName") == "Contacts"


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ADATUM\\olga", "wrong"),
        ("ADATUM\\olga", ""),
        ("OTHER\\olga", "simulated-olga-password"),
        ("ADATUM\\nobody", "simulated-olga-password"),
        ("ADATUM\\paul", "simulated-olga-password"),
    ],
)
@pytest.mark.parametrize("scheme", ["basic", "ntlm"])
def test_wrong_credentials_are_401(
    simulator: EmbeddedSimulator, scheme: str, name: str, password: str
) -> None:
    auth = (name, password) if scheme == "basic" else HttpNtlmAuth(name, password)
    soap = client(simulator, auth)
    with soap.session:
        assert statuses(soap)[-1] == 401


def test_the_ways_to_sign_in_are_offered_each_in_its_own_header(
    simulator: EmbeddedSimulator,
) -> None:
    endpoints = simulator.endpoints
    answer = requests.post(
        endpoints.exchange(HOST) + PATH, data="", verify=endpoints.ca_file, timeout=30
    )
    assert answer.status_code == 401
    ntlm, basic, bearer = answer.raw.headers.getlist("WWW-Authenticate")
    assert (ntlm, basic) == ("NTLM", f'Basic realm="{HOST}"')
    assert bearer.startswith('Bearer client_id="00000002-0000-0ff1-ce00-000000000000", ')
    assert "error=" not in bearer


@pytest.mark.parametrize("name", ["ADATUM\\olga", OLGA])
def test_ntlm_signs_a_connection_in(simulator: EmbeddedSimulator, name: str) -> None:
    soap = client(simulator, HttpNtlmAuth(name, "simulated-olga-password"))
    with soap.session:
        assert statuses(soap)[-1] == 200
        # The connection is signed in: nothing has to be proven again on it.
        soap.session.auth = None
        assert statuses(soap) == [200]
    with requests.Session() as other:
        other.verify = simulator.endpoints.ca_file
        soap.session = other
        assert statuses(soap) == [401]


def test_a_locked_or_disabled_account_gets_nowhere(simulator: EmbeddedSimulator) -> None:
    simulator.admin.lock_account(OLGA, locked=True)
    soap = client(simulator, ("ADATUM\\olga", "simulated-olga-password"))
    with soap.session:
        assert statuses(soap) == [401]
        simulator.admin.lock_account(OLGA, locked=False)
        assert statuses(soap) == [200]
        simulator.admin.set_password(OLGA, "another")
        assert statuses(soap) == [401]
        soap.session.auth = ("ADATUM\\olga", "another")
        assert statuses(soap) == [200]


def test_who_may_impersonate_acts_as_the_other(simulator: EmbeddedSimulator) -> None:
    soap = client(simulator, ("svc-cirahub", "simulated-svc-cirahub-password"))
    with soap.session:
        own = soap.done(GET_CONTACTS).folder_id
        soap.header = impersonate(PAUL)
        paul = soap.done(GET_CONTACTS).folder_id
        assert paul != own
        soap.header = impersonate("nobody@adatum.example")
        assert soap.call(GET_CONTACTS).codes == ["ErrorNonExistentMailbox"]


def test_who_may_not_impersonate_is_told(soap: Soap) -> None:
    soap.header = impersonate(PAUL)
    answer = soap.call(GET_CONTACTS)
    assert (answer.status, answer.codes) == (500, ["ErrorImpersonateUserDenied"])


def test_a_mailbox_of_another_needs_full_access(simulator: EmbeddedSimulator, soap: Soap) -> None:
    assert soap.call(DELEGATED).codes == ["ErrorAccessDenied"]
    simulator.admin.set_full_access(PAUL, [OLGA])
    folder_id = soap.done(DELEGATED).folder_id
    by_id = GET_CONTACTS.replace(
        '<t:DistinguishedFolderId Id="contacts"/>', f'<t:FolderId Id="{folder_id}"/>'
    )
    assert soap.done(by_id).folder_id == folder_id
    simulator.admin.set_full_access(PAUL, [])
    assert soap.call(by_id).codes == ["ErrorFolderNotFound"]


def test_an_application_acts_as_the_user_it_impersonates(online: Soap) -> None:
    refused = online.call(GET_CONTACTS)
    assert refused.status == 500
    assert "must be present" in (refused.text("//faultstring") or "")
    online.header = impersonate(ANNA)
    assert online.done(GET_CONTACTS).text("//t:TotalCount")


def test_a_token_of_another_audience_is_no_token(
    simulator: EmbeddedSimulator, online: Soap, sign_in: SignIn
) -> None:
    online.session.auth = Bearer(sign_in.token())
    assert statuses(online) == [401]
    online.session.auth = None
    assert statuses(online) == [401]


def test_an_application_without_the_role_may_not_impersonate(
    simulator: EmbeddedSimulator, online: Soap, sign_in: SignIn
) -> None:
    simulator.admin.grant(CIRAHUB, "contoso.example", ["Contacts.ReadWrite"])
    online.session.auth = Bearer(sign_in.token(scope="https://outlook.office365.com/.default"))
    online.header = impersonate(ANNA)
    assert online.call(GET_CONTACTS).codes == ["ErrorImpersonateUserDenied"]


def test_the_role_for_exchange_is_not_in_a_token_for_graph(sign_in: SignIn) -> None:
    import jwt

    claims = jwt.decode(sign_in.token(), options={"verify_signature": False})
    assert "full_access_as_app" not in claims["roles"]


def test_a_server_takes_tokens_of_its_tenant_that_are_for_it(
    simulator: EmbeddedSimulator, sign_in: SignIn
) -> None:
    soap = client(simulator, Bearer(sign_in.token(scope=f"https://{HOST}/.default")))
    with soap.session:
        assert soap.call(GET_CONTACTS).codes == ["ErrorInvalidExchangeImpersonationHeaderData"]
        soap.header = impersonate(PAUL)
        assert soap.done(GET_CONTACTS).text("//t:DisplayName") == "Contacts"
        for elsewhere in ("https://graph.microsoft.com", "https://outlook.office365.com"):
            soap.session.auth = Bearer(sign_in.token(scope=f"{elsewhere}/.default"))
            assert statuses(soap) == [401]
