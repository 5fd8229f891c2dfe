"""Each of Microsoft's clouds has its own hosts, scopes and audiences; a tenant lives in one."""

from __future__ import annotations

import jwt
import pytest

from cirahub_simulator.clouds import CLOUDS, CloudName
from cirahub_simulator.directory import FederatedCredential, Tenant
from cirahub_sync.configuration import (
    ClientSecretAuth,
    Cloud,
    ConnectionConfig,
    EntraAuth,
    KeyVaultReference,
)
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import CredentialError
from cirahub_sync.identity.provider import AUDIENCES
from cirahub_sync.origins import HOSTS

from .conftest import CLIENT, ISSUER, READER, SUBJECT, TENANT, SignIn, handed, workload

ELSEWHERE = [Cloud.US_GOV, Cloud.US_GOV_DOD, Cloud.CHINA]


def scope(cloud: Cloud) -> str:
    return f"{HOSTS[cloud].graph}/.default"


async def moved(sign_in: SignIn, cloud: CloudName) -> None:
    """The tenant, its vault and its federated credentials are in another cloud."""
    tenant = sign_in.world.directory.tenant(TENANT)
    assert tenant is not None
    tenant.cloud = sign_in.vault.cloud = cloud
    for application in (sign_in.application, sign_in.reader):
        application.federated = [FederatedCredential(ISSUER, SUBJECT, (AUDIENCES[Cloud(cloud)],))]
    await sign_in.simulator.open_tenants()


def vaulted(cloud: Cloud) -> ClientSecretAuth:
    url = f"https://corp{HOSTS[cloud].vault_suffix}"
    return ClientSecretAuth(TENANT, CLIENT, KeyVaultReference(url, "graph"), workload(READER))


def test_our_hosts_are_the_simulators() -> None:
    """Each side has them from the documents by itself."""
    assert {cloud.value for cloud in HOSTS} == CLOUDS.keys()
    for cloud, hosts in HOSTS.items():
        documented = CLOUDS[cloud.value]
        assert hosts.authority == documented.authority
        assert hosts.graph == documented.graph
        assert hosts.vault_suffix == documented.vault_suffix


@pytest.mark.parametrize("cloud", list(Cloud))
@pytest.mark.parametrize("way", ["workload", "secret", "vault"])
async def test_each_cloud_signs_in(sign_in: SignIn, cloud: Cloud, way: str) -> None:
    await moved(sign_in, cloud.value)
    sign_in.application.granted[TENANT].add("User.Read.All")
    ways: dict[str, EntraAuth] = {
        "workload": workload(),
        "secret": handed(),
        "vault": vaulted(cloud),
    }
    auth = ways[way]
    tokens = sign_in.provider(auth, cloud=cloud)

    token = await tokens.token(scope(cloud))

    claims = jwt.decode(token.token, options={"verify_signature": False})
    assert (claims["aud"], claims["tid"]) == (HOSTS[cloud].graph, TENANT)
    config = ConnectionConfig("uid", "team/contoso", auth, cloud)
    async with GraphSession(config, tokens, sign_in.origins()) as graph:
        answer = await graph.ask("x", "/v1.0/users/nobody", what="user", role="")
    assert answer.status == 404, "Graph of that cloud accepts the token"


@pytest.mark.parametrize("cloud", ELSEWHERE)
@pytest.mark.parametrize("code", [900382, 900432, 900439, 90038])
async def test_a_tenant_of_another_cloud_is_said_to_be_there(
    sign_in: SignIn, cloud: Cloud, code: int
) -> None:
    await moved(sign_in, cloud.value)
    sign_in.switch(cross_cloud_code=code)
    with pytest.raises(CredentialError) as caught:
        await sign_in.provider(handed()).token(scope(Cloud.GLOBAL))
    assert caught.value.reason == "WrongCloud"
    assert f"AADSTS{code}" in str(caught.value)
    assert "cloud" in str(caught.value)


@pytest.mark.parametrize(
    ("cloud", "named"),
    [
        (Cloud.US_GOV, "USGov or USGovDoD"),
        (Cloud.US_GOV_DOD, "USGov or USGovDoD"),
        (Cloud.CHINA, "China"),
    ],
)
async def test_a_configuration_that_leads_to_another_cloud_names_it_and_gets_no_secret(
    sign_in: SignIn, cloud: Cloud, named: str
) -> None:
    await moved(sign_in, cloud.value)
    sign_in.switch(other_clouds="named")
    with pytest.raises(CredentialError, match=named) as caught:
        await sign_in.provider(handed()).token(scope(Cloud.GLOBAL))
    assert caught.value.reason == "WrongCloud"
    assert sign_in.asked("entra") == 0


@pytest.mark.parametrize("cloud", ELSEWHERE)
async def test_a_tenant_that_this_cloud_does_not_know(sign_in: SignIn, cloud: Cloud) -> None:
    await moved(sign_in, cloud.value)
    sign_in.switch(other_clouds="unknown")
    with pytest.raises(CredentialError) as caught:
        await sign_in.provider(handed()).token(scope(Cloud.GLOBAL))
    assert caught.value.reason == "TenantNotFound"
    assert "cloud" in str(caught.value)


async def test_a_global_tenant_in_a_connection_of_another_cloud(sign_in: SignIn) -> None:
    other = Tenant("44444444-4444-4444-8444-444444444444", "gov.example", "Gov", cloud="USGov")
    sign_in.world.directory.add_tenant(other)
    await sign_in.simulator.open_tenants()
    with pytest.raises(CredentialError) as caught:
        await sign_in.provider(handed(), cloud=Cloud.US_GOV).token(scope(Cloud.US_GOV))
    assert caught.value.reason == "TenantNotFound"
    assert "cloud" in str(caught.value)


async def test_the_two_clouds_of_the_us_government_differ_in_graph(sign_in: SignIn) -> None:
    await moved(sign_in, "USGovDoD")
    with pytest.raises(CredentialError) as caught:
        await sign_in.provider(handed(), cloud=Cloud.US_GOV).token(scope(Cloud.US_GOV))
    assert caught.value.reason == "ResourceNotFound"
    assert "cloud" in str(caught.value)
