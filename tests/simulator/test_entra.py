"""Sign-in of applications, with the clients that operators use."""

from __future__ import annotations

import ssl
from typing import Any

import jwt
import msal  # type: ignore[import-untyped]
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential

from cirahub_simulator.client import AdminClient
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.seed.generate import CIRAHUB, ELSEWHERE, READ_ONLY, TENANTS

from .conftest import GRAPH_SCOPE, VAULT_SCOPE, GraphClient, SignIn

CONTOSO = TENANTS[0].id


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def test_a_client_secret_gives_a_token_that_carries_the_granted_roles(sign_in: SignIn) -> None:
    claims = claims_of(sign_in.token())

    assert claims["roles"] == ["Contacts.ReadWrite", "User.Read.All"]
    assert claims["tid"] == CONTOSO
    assert claims["appid"] == CIRAHUB
    assert claims["aud"] == "https://graph.microsoft.com"
    assert claims["iss"] == f"https://sts.windows.net/{CONTOSO}/"
    assert claims["exp"] - claims["nbf"] == 3599


def test_a_token_is_signed_with_a_published_key(
    simulator: EmbeddedSimulator, sign_in: SignIn, tls: ssl.SSLContext
) -> None:
    token = sign_in.token()
    keys = jwt.PyJWKClient(
        f"{simulator.endpoints.entra}/{CONTOSO}/discovery/v2.0/keys", ssl_context=tls
    )

    key = keys.get_signing_key_from_jwt(token)

    jwt.decode(token, key, algorithms=["RS256"], audience="https://graph.microsoft.com")


def test_a_vault_token_carries_no_graph_roles(sign_in: SignIn) -> None:
    claims = claims_of(sign_in.token(scope=VAULT_SCOPE))

    assert claims["aud"] == "https://vault.azure.net"
    assert "roles" not in claims


@pytest.mark.parametrize("secret", ["contoso", "fabrikam", "northwind"])
def test_every_secret_of_an_application_works(sign_in: SignIn, secret: str) -> None:
    assert sign_in.token(f"simulated-{secret}-secret")


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        ({"credential": "wrong"}, 7000215, "invalid_client"),
        ({"credential": "simulated-expired-secret"}, 7000222, "invalid_client"),
        (
            {"client_id": "00000000-0000-0000-0000-000000000001"},
            700016,
            "unauthorized_client",
        ),
        (
            {"client_id": ELSEWHERE, "credential": "simulated-elsewhere-secret"},
            700016,
            "unauthorized_client",
        ),
        ({"scope": "https://graph.microsoft.com/Contacts.Read"}, 1002012, "invalid_scope"),
        ({"scope": "https://nothing.example/.default"}, 500011, "invalid_resource"),
    ],
)
def test_a_refusal_has_the_documented_code_and_body(
    sign_in: SignIn, arguments: dict[str, str], code: int, error: str
) -> None:
    answer = sign_in.ask(**arguments)

    assert answer["error"] == error
    assert answer["error_codes"] == [code]
    assert answer["error_description"].startswith(f"AADSTS{code}: ")
    assert {"timestamp", "trace_id", "correlation_id"} <= answer.keys()


@pytest.mark.parametrize("error", ["interaction_required", "invalid_grant"])
def test_conditional_access_blocks_an_application_in_its_home_tenant(
    sign_in: SignIn, admin: AdminClient, error: str
) -> None:
    admin.switch(blocked_error=error)
    admin.block_application(CIRAHUB, True)
    try:
        answer = sign_in.ask()
        wrong = sign_in.ask("wrong")
        other = sign_in.ask("simulated-fabrikam-secret", tenant="fabrikam.example")
    finally:
        admin.block_application(CIRAHUB, False)
        admin.switch(blocked_error="interaction_required")

    assert (answer["error_codes"], answer["error"]) == ([53003], error)
    assert wrong["error_codes"] == [7000215], "after the credential"
    assert "access_token" in other, "a policy of one tenant is none of another's"
    assert sign_in.token()


def test_a_secret_is_never_repeated_in_a_refusal(sign_in: SignIn) -> None:
    assert "very-secret" not in str(sign_in.ask("very-secret"))


def test_msal_says_that_an_unknown_tenant_does_not_exist(sign_in: SignIn) -> None:
    with pytest.raises(ValueError, match="double check your tenant name"):
        sign_in.application(tenant="nowhere.example")


@pytest.mark.parametrize(
    ("tenant", "code"), [("nowhere.example", 90002), ("what?", 900023), (CIRAHUB, 90002)]
)
def test_the_token_endpoint_refuses_unknown_tenants(
    simulator: EmbeddedSimulator, tenant: str, code: int
) -> None:
    url = f"{simulator.endpoints.entra}/{tenant.replace('?', '%3F')}/oauth2/v2.0/token"

    answer = requests.post(
        url,
        data={"grant_type": "client_credentials", "client_id": CIRAHUB, "scope": GRAPH_SCOPE},
        verify=simulator.endpoints.ca_file,
        timeout=30,
    )

    assert answer.status_code == 400
    assert answer.json()["error_codes"] == [code]


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, 900144),
        ({"grant_type": "password"}, 70003),
        ({"grant_type": "client_credentials"}, 900144),
        (
            {"grant_type": "client_credentials", "client_id": CIRAHUB, "scope": GRAPH_SCOPE},
            7000218,
        ),
    ],
)
def test_the_token_endpoint_names_what_is_missing(
    simulator: EmbeddedSimulator, form: dict[str, str], code: int
) -> None:
    answer = requests.post(
        f"{simulator.endpoints.entra}/{CONTOSO}/oauth2/v2.0/token",
        data=form,
        verify=simulator.endpoints.ca_file,
        timeout=30,
    )

    assert answer.json()["error_codes"] == [code]


def test_msal_trusts_the_authority_through_instance_discovery(
    simulator: EmbeddedSimulator,
) -> None:
    entra = simulator.endpoints.entra

    application = msal.ConfidentialClientApplication(
        CIRAHUB,
        client_credential="simulated-contoso-secret",
        authority=f"{entra}/contoso.example",
        instance_discovery=f"{entra}/common/discovery/instance",
        verify=simulator.endpoints.ca_file,
    )

    assert "access_token" in application.acquire_token_for_client([GRAPH_SCOPE])


def test_azure_identity_gets_a_token(simulator: EmbeddedSimulator) -> None:
    with ClientSecretCredential(
        CONTOSO,
        CIRAHUB,
        "simulated-contoso-secret",
        authority=simulator.endpoints.entra,
        disable_instance_discovery=True,
        connection_verify=simulator.endpoints.ca_file,
    ) as credential:
        assert claims_of(credential.get_token(GRAPH_SCOPE).token)["appid"] == CIRAHUB


async def test_azure_identity_gets_a_token_asynchronously(simulator: EmbeddedSimulator) -> None:
    async with AsyncClientSecretCredential(
        CONTOSO,
        CIRAHUB,
        "wrong",
        authority=simulator.endpoints.entra,
        disable_instance_discovery=True,
        connection_verify=simulator.endpoints.ca_file,
    ) as credential:
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            await credential.get_token(GRAPH_SCOPE)


def test_a_rotated_secret_takes_over_from_the_old_one(sign_in: SignIn, admin: AdminClient) -> None:
    admin.add_secret(CIRAHUB, "rotated", "new")
    admin.remove_secrets(CIRAHUB, "contoso")

    assert sign_in.token("rotated")
    assert sign_in.ask("simulated-contoso-secret")["error_codes"] == [7000215]


def test_a_disabled_application_is_refused(sign_in: SignIn, admin: AdminClient) -> None:
    admin.enable_application(CIRAHUB, False)

    assert sign_in.ask()["error_codes"] == [7000112]


def test_withdrawn_consent_is_an_unknown_application(sign_in: SignIn, admin: AdminClient) -> None:
    admin.withdraw_consent(CIRAHUB, "fabrikam.example")

    assert sign_in.ask(tenant="fabrikam.example")["error_codes"] == [700016]


def test_a_revoked_role_stays_in_tokens_that_were_issued(
    sign_in: SignIn, admin: AdminClient, graph: GraphClient
) -> None:
    admin.grant(CIRAHUB, "contoso.example", ["User.Read.All"])

    assert graph.call("GET", "/users/anna.bergstrom@contoso.example/contacts").ok
    assert claims_of(sign_in.token())["roles"] == ["User.Read.All"]


def test_a_role_that_is_not_granted_is_enforced(
    simulator: EmbeddedSimulator, sign_in: SignIn
) -> None:
    token = sign_in.token("simulated-read-only-secret", client_id=READ_ONLY)
    reader = GraphClient(simulator, token)
    path = "/users/anna.bergstrom@contoso.example/contacts"

    with reader.session:
        assert reader.call("GET", path).status_code == 200
        refused = reader.call("POST", path, json={"givenName": "New"})

    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "ErrorAccessDenied"
