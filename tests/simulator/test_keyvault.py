"""Key Vault, with Microsoft's own client."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient

from cirahub_simulator.client import AdminClient
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.seed.generate import CIRAHUB, TENANTS, VAULT_SECRET

from .conftest import GRAPH_SCOPE, VAULT_SCOPE, SignIn

VAULT = "contoso-cirahub"


@pytest.fixture
def credential(simulator: EmbeddedSimulator) -> Iterator[ClientSecretCredential]:
    with ClientSecretCredential(
        TENANTS[0].id,
        CIRAHUB,
        "simulated-contoso-secret",
        authority=simulator.endpoints.entra,
        disable_instance_discovery=True,
        connection_verify=simulator.endpoints.ca_file,
    ) as found:
        yield found


@pytest.fixture
def vault(
    simulator: EmbeddedSimulator, credential: ClientSecretCredential
) -> Iterator[SecretClient]:
    with SecretClient(
        simulator.endpoints.vault(VAULT),
        credential,
        connection_verify=simulator.endpoints.ca_file,
        verify_challenge_resource=False,
        retry_total=0,
    ) as client:
        yield client


@pytest.fixture
def writable(admin: AdminClient) -> None:
    admin.set_vault_access(VAULT, CIRAHUB, ["get", "list", "set"])


def test_a_secret_is_read(vault: SecretClient) -> None:
    secret = vault.get_secret(VAULT_SECRET)

    assert secret.value == "simulated-contoso-secret"
    assert secret.properties.enabled
    assert secret.properties.version


async def test_a_secret_is_read_asynchronously(
    simulator: EmbeddedSimulator, tls: ssl.SSLContext
) -> None:
    ca = simulator.endpoints.ca_file
    async with (
        AsyncClientSecretCredential(
            TENANTS[0].id,
            CIRAHUB,
            "simulated-contoso-secret",
            authority=simulator.endpoints.entra,
            disable_instance_discovery=True,
            connection_verify=ca,
        ) as credential,
        AsyncSecretClient(
            simulator.endpoints.vault(VAULT),
            credential,
            connection_verify=ca,
            verify_challenge_resource=False,
        ) as client,
    ):
        assert (await client.get_secret(VAULT_SECRET)).value == "simulated-contoso-secret"


def test_a_request_without_a_token_is_challenged(simulator: EmbeddedSimulator) -> None:
    answer = requests.get(
        f"{simulator.endpoints.vault(VAULT)}/secrets/{VAULT_SECRET}?api-version=7.6",
        verify=simulator.endpoints.ca_file,
        timeout=30,
    )

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer authorization="https://login.microsoftonline.com/{TENANTS[0].id}", '
        'resource="https://vault.azure.net"'
    )
    assert answer.json()["error"]["code"] == "Unauthorized"


@pytest.mark.usefixtures("writable")
def test_every_set_makes_a_version_and_the_last_is_current(vault: SecretClient) -> None:
    first = vault.set_secret("rotating", "one", content_type="text/plain", tags={"by": "test"})
    second = vault.set_secret("rotating", "two")

    assert vault.get_secret("rotating").value == "two"
    assert vault.get_secret("rotating", first.properties.version).value == "one"
    assert first.properties.tags == {"by": "test"}
    versions = {p.version for p in vault.list_properties_of_secret_versions("rotating")}
    assert versions == {first.properties.version, second.properties.version}


@pytest.mark.usefixtures("writable")
def test_a_long_list_comes_in_pages(vault: SecretClient) -> None:
    kept = {properties.name for properties in vault.list_properties_of_secrets()}
    made = {vault.set_secret(f"secret-{number}", "x").name for number in range(30)}

    found = [properties.name for properties in vault.list_properties_of_secrets()]

    assert len(found) == len(set(found))
    assert set(found) == kept | made


def test_an_unknown_secret_is_not_found(vault: SecretClient) -> None:
    with pytest.raises(ResourceNotFoundError) as raised:
        vault.get_secret("nothing")

    assert raised.value.error is not None
    assert raised.value.error.code == "SecretNotFound"


@pytest.mark.usefixtures("writable")
def test_a_disabled_secret_is_forbidden(vault: SecretClient) -> None:
    made = vault.set_secret("off", "x")
    vault.update_secret_properties("off", made.properties.version, enabled=False)

    with pytest.raises(HttpResponseError, match="disabled secret") as raised:
        vault.get_secret("off")

    assert raised.value.status_code == 403


@pytest.mark.usefixtures("writable")
@pytest.mark.parametrize("enforced", [False, True])
def test_an_expired_secret_is_read_unless_the_switch_says_otherwise(
    vault: SecretClient, admin: AdminClient, enforced: bool
) -> None:
    admin.switch(vault_expiry="enforced" if enforced else "ignored")
    vault.set_secret("old", "x", expires_on=datetime.now(UTC) - timedelta(days=1))

    if enforced:
        with pytest.raises(HttpResponseError, match="expired secret"):
            vault.get_secret("old")
    else:
        assert vault.get_secret("old").value == "x"


def test_a_client_may_do_only_what_the_vaults_policy_says(
    vault: SecretClient, admin: AdminClient
) -> None:
    with pytest.raises(HttpResponseError, match="does not have secrets set permission"):
        vault.set_secret("new", "x")
    admin.set_vault_access(VAULT, CIRAHUB, [])

    with pytest.raises(HttpResponseError) as raised:
        vault.get_secret(VAULT_SECRET)

    assert raised.value.status_code == 403
    assert raised.value.error is not None
    assert raised.value.error.code == "Forbidden"


def test_a_token_of_another_tenant_is_refused(
    simulator: EmbeddedSimulator, credential: ClientSecretCredential
) -> None:
    token = credential.get_token(VAULT_SCOPE).token

    answer = get(simulator, "fabrikam-cirahub", token)

    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith("AKV10032")


def test_a_token_for_graph_is_refused(simulator: EmbeddedSimulator, sign_in: SignIn) -> None:
    answer = get(simulator, VAULT, sign_in.token(scope=GRAPH_SCOPE))

    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith("AKV10022")


def test_an_expired_token_is_refused(
    simulator: EmbeddedSimulator, sign_in: SignIn, admin: AdminClient
) -> None:
    token = sign_in.token(scope=VAULT_SCOPE)
    admin.advance(3600)

    assert get(simulator, VAULT, token).status_code == 401


def test_a_wrong_secret_fails_in_the_credential(simulator: EmbeddedSimulator) -> None:
    ca = simulator.endpoints.ca_file
    with (
        ClientSecretCredential(
            TENANTS[0].id,
            CIRAHUB,
            "wrong",
            authority=simulator.endpoints.entra,
            disable_instance_discovery=True,
            connection_verify=ca,
        ) as credential,
        SecretClient(
            simulator.endpoints.vault(VAULT),
            credential,
            connection_verify=ca,
            verify_challenge_resource=False,
        ) as client,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000215"),
    ):
        client.get_secret(VAULT_SECRET)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"secrets/{VAULT_SECRET}", 400),
        ("secrets/with_underscore?api-version=7.6", 400),
        ("keys?api-version=7.6", 404),
        ("secrets?api-version=7.6&maxresults=26", 403),
    ],
)
def test_bad_requests_get_their_status(
    simulator: EmbeddedSimulator, sign_in: SignIn, path: str, status: int
) -> None:
    answer = requests.get(
        f"{simulator.endpoints.vault(VAULT)}/{path}",
        headers={"Authorization": f"Bearer {sign_in.token(scope=VAULT_SCOPE)}"},
        verify=simulator.endpoints.ca_file,
        timeout=30,
    )

    assert answer.status_code == status


def get(simulator: EmbeddedSimulator, vault: str, token: str) -> requests.Response:
    return requests.get(
        f"{simulator.endpoints.vault(vault)}/secrets/{VAULT_SECRET}?api-version=7.6",
        headers={"Authorization": f"Bearer {token}"},
        verify=simulator.endpoints.ca_file,
        timeout=30,
    )
