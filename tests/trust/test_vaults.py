"""A credential for a host that a manifest chose: the one such host is a vault's, and it has to be
a vault of the connection's cloud, named as such and in no other way."""

from __future__ import annotations

import pytest
from aiohttp import web
from tests.identity.conftest import SCOPE, SignIn, vaulted
from tests.operator import objects, stage

from cirahub_operator.cli import manifests
from cirahub_operator.resolver import GrantedTrust, connection_config
from cirahub_operator.settings import OwnIdentity
from cirahub_sync.configuration import Cloud
from cirahub_sync.errors import CirahubError, ConfigurationError
from cirahub_sync.identity.provider import provider

from .conftest import ENTRA, TENANT, VAULT, Serve, trusting

HOSTS = [
    "https://evil.example",
    "https://corp.vault.azure.net.evil.example",
    "https://vault.azure.net",
    "https://.vault.azure.net",
    "https://evil.example/.vault.azure.net",
    "https://evil.example?x.vault.azure.net",
    "https://evil.example#x.vault.azure.net",
    "https://evil.example\\.vault.azure.net",
    "https://corp.vault.azure.net@evil.example",
    "https://someone@corp.vault.azure.net",
    "https://someone:word@corp.vault.azure.net",
    "https://corp.vault.azure.net:8443",
    "https://corp.vault.azure.net:443",
    "https://corp.vault.azure.net.",
    "https://corp.vault.azure.net/secrets/other",
    "https://corp.vault.azure.net/?x=1",
    "https://corp.vault.azure.net/#x",
    "https://corp.vault.azure.net//",
    "https://a.b.vault.azure.net",
    "https://corp.vault.usgovcloudapi.net",
    "https://corp.vault.azure.cn",
    "https://corp.managedhsm.azure.net",
    "http://corp.vault.azure.net",
    "//corp.vault.azure.net",
    "corp.vault.azure.net",
    "https://c\u043erp.vault.azure.net",
    "https://co.vault.azure.net",
    "https://\u212aorp.vault.azure.net",
    "https://corp\u017f.vault.azure.net",
    "https://corp.vault.\u0430zure.net",
    "https://corp.vault.azure\u3002net",
    "https://\uff43orp.vault.azure.net",
    "https://corp_x.vault.azure.net",
    "https://corp%2evault.azure.net",
    "https://corp.vault.azure.net\n",
    "https://corp.vault.azure.net\r\nHost: evil.example",
    "https://corp.vault.azure.net\t",
    " https://corp.vault.azure.net",
    "https://co\trp.vault.azure.net",
    "https://169.254.169.254",
    "https://[::1]",
    "https://[::1/.vault.azure.net",
    "",
]


@pytest.mark.parametrize("url", HOSTS)
async def test_the_engine_takes_no_other_host_for_a_vault(sign_in: SignIn, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"like https://my-vault\.vault\.azure\.net"):
        provider(
            vaulted(url=url),
            Cloud.GLOBAL,
            sign_in.origins(),
            sign_in.cluster,
            name="team/contoso",
        )


@pytest.mark.parametrize("url", HOSTS)
def test_no_manifest_names_another_host(url: str) -> None:
    made = manifests.Manifests()
    mistakes: list[str] = []
    manifests.take(_connection(url), "manifest.yaml", made, mistakes)
    assert mistakes
    assert made.connections == []


@pytest.mark.parametrize(
    "url",
    [
        "https://corp.vault.azure.net",
        "https://corp.vault.azure.net/",
        "https://Corp.vault.azure.net",
    ],
)
async def test_a_vault_is_found_however_its_name_is_written(sign_in: SignIn, url: str) -> None:
    tokens = sign_in.provider(vaulted(url=url))
    assert (await tokens.token(SCOPE)).token


@pytest.mark.parametrize("url", ["https://CORP.vault.azure.net/", "https://corp.vault.azure.net"])
def test_a_grant_counts_for_a_vault_however_it_is_written(url: str) -> None:
    grant = OwnIdentity(namespace="demo", tenant=TENANT, vaults=frozenset({VAULT}))
    config = connection_config(objects.connection(auth=_auth(url)), trust=GrantedTrust([grant]))
    assert config.tenant_id == TENANT


@pytest.mark.parametrize(
    "name", ["../other", "graph/other", "graph?x", "graph%2fother", "gr\u00e4ph", "", "a" * 128]
)
async def test_a_secret_s_name_leads_nowhere_else(sign_in: SignIn, name: str) -> None:
    with pytest.raises(ConfigurationError, match="letters, digits and dashes"):
        provider(
            vaulted(name),
            Cloud.GLOBAL,
            sign_in.origins(),
            sign_in.cluster,
            name="team/contoso",
        )


CHALLENGES = {
    "another tenant": 'authorization="https://login.microsoftonline.com/'
    '99999999-9999-4999-8999-999999999999", resource="https://vault.azure.net"',
    "another authority": 'authorization="{evil}/{tenant}", resource="https://evil.example"',
    "another resource": 'authorization="https://login.microsoftonline.com/{tenant}", '
    'resource="https://graph.microsoft.com"',
    "a scope in a resource's place": 'authorization="https://login.microsoftonline.com/{tenant}", '
    'scope="https://graph.microsoft.com/.default"',
    "the vault itself as resource": 'authorization="https://login.microsoftonline.com/{tenant}", '
    'resource="{own}"',
    "two tenants": 'authorization="https://login.microsoftonline.com/{tenant}/'
    '99999999-9999-4999-8999-999999999999", resource="https://graph.microsoft.com"',
    "nothing": "",
    "no key and value": "authorization, resource",
}


@pytest.mark.parametrize("challenge", CHALLENGES.values(), ids=CHALLENGES)
async def test_a_vault_gets_no_token_but_that_for_vaults_of_our_tenant(
    sign_in: SignIn, serve: Serve, challenge: str
) -> None:
    async def challenging(_: web.Request) -> web.StreamResponse:
        told = challenge.format(evil="https://evil.example", own=vault.origin, tenant=TENANT)
        return web.json_response({}, status=401, headers={"WWW-Authenticate": f"Bearer {told}"})

    async with serve(challenging) as vault:
        origins = {**sign_in.origins().origins, f"https://{VAULT}": vault.origin}
        tokens = provider(
            vaulted(), Cloud.GLOBAL, trusting(origins, sign_in), sign_in.cluster, name="team/x"
        )
        with pytest.raises(CirahubError) as refused:
            await tokens.token(SCOPE)
        await tokens.close()
        assert "team/x" in str(refused.value)
        assert not any("authorization" in each.lower() for each in vault.requests)
        assert ENTRA not in str(refused.value)


def _auth(url: str) -> stage.Manifest:
    return {
        "clientSecret": {
            "clientID": stage.CLIENT,
            "keyVault": {"vaultURL": url, "name": "graph"},
            "workloadIdentity": {"clientID": stage.CLIENT},
        }
    }


def _connection(url: str) -> stage.Manifest:
    return stage.connection(auth=_auth(url))
