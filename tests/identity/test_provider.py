"""Every way to a token, over real sockets; and every way in which it is refused."""

import asyncio
import traceback
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from cirahub_sync.configuration import ClientSecretAuth, EntraAuth, KeyVaultReference, SecretFile
from cirahub_sync.errors import (
    CirahubError,
    ConfigurationError,
    CredentialError,
    EndpointUnavailableError,
)

from .conftest import CLIENT, READER, SCOPE, SECRET, TENANT, SignIn, handed, vaulted, workload

UNKNOWN = "99999999-9999-4999-8999-999999999999"


async def refused(sign_in: SignIn, auth: EntraAuth) -> CirahubError:
    """The error of a sign-in, which tells nothing that is secret."""
    with pytest.raises(CirahubError) as caught:
        await sign_in.provider(auth).token(SCOPE)
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told
    assert "eyJ" not in told
    assert "team/contoso" in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "auth", [workload(), vaulted(), handed()], ids=["workload", "vault", "secret"]
)
async def test_each_way_ends_in_a_token_of_the_application(
    sign_in: SignIn, auth: EntraAuth
) -> None:
    token = await sign_in.provider(auth).token(SCOPE)
    claims = jwt.decode(token.token, options={"verify_signature": False})
    assert (claims["appid"], claims["tid"]) == (CLIENT, TENANT)
    assert token.token not in repr(token)
    assert token.expires_on - sign_in.world.clock.time() == pytest.approx(3599, abs=5)


async def test_the_vault_is_opened_with_the_identity_that_the_cluster_vouches_for(
    sign_in: SignIn,
) -> None:
    await sign_in.provider(vaulted()).token(SCOPE)
    assert sign_in.cluster.minted == [("team/sync", "api://AzureADTokenExchange")]


async def test_however_many_wait_one_token_is_asked_for(sign_in: SignIn) -> None:
    tokens = sign_in.provider(handed())
    got = await asyncio.gather(*(tokens.token(SCOPE) for _ in range(20)))
    assert len({each.token for each in got}) == 1
    assert sign_in.asked("entra") == 1


async def test_a_token_is_renewed_ahead_of_its_expiry(sign_in: SignIn) -> None:
    tokens = sign_in.provider(handed())
    first = await tokens.token(SCOPE)
    sign_in.world.clock.advance(timedelta(minutes=40))
    assert await tokens.token(SCOPE) == first
    sign_in.world.clock.advance(timedelta(minutes=3))
    assert await tokens.token(SCOPE) != first
    assert sign_in.asked("entra") == 2


async def test_while_the_renewal_fails_the_old_token_serves_to_its_end(sign_in: SignIn) -> None:
    tokens = sign_in.provider(handed())
    first = await tokens.token(SCOPE)
    sign_in.fault(kind="status", service="entra", status=503)
    sign_in.world.clock.advance(timedelta(minutes=50))
    assert await tokens.token(SCOPE) == first
    sign_in.world.clock.advance(timedelta(minutes=10))
    with pytest.raises(EndpointUnavailableError):
        await tokens.token(SCOPE)


async def test_an_invalidated_token_is_not_given_again(sign_in: SignIn) -> None:
    tokens = sign_in.provider(handed())
    first = await tokens.token(SCOPE)
    await tokens.invalidate()
    assert await tokens.token(SCOPE) != first


async def test_a_token_for_one_resource_is_none_for_another(sign_in: SignIn) -> None:
    tokens = sign_in.provider(handed())
    audiences = []
    for scope in (SCOPE, "https://vault.azure.net/.default", SCOPE):
        token = (await tokens.token(scope)).token
        audiences.append(jwt.decode(token, options={"verify_signature": False})["aud"])
    assert audiences[0] == audiences[2] != audiences[1]
    assert sign_in.asked("entra") == 2


async def test_a_secret_that_was_replaced_in_the_vault_is_read_again(sign_in: SignIn) -> None:
    tokens = sign_in.provider(vaulted())
    await tokens.token(SCOPE)
    sign_in.secret.value = "another~secret"
    sign_in.vault.put("graph", "another~secret", 0)
    sign_in.world.clock.advance(timedelta(minutes=55))
    await tokens.token(SCOPE)


async def test_who_gives_up_waiting_leaves_the_token_to_the_others(sign_in: SignIn) -> None:
    tokens = sign_in.provider(handed())
    impatient = asyncio.create_task(tokens.token(SCOPE))
    patient = asyncio.create_task(tokens.token(SCOPE))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).token
    assert sign_in.asked("entra") == 1


async def test_an_unknown_tenant(sign_in: SignIn) -> None:
    error = await refused(sign_in, handed(tenant=UNKNOWN))
    assert (type(error), error.reason) == (CredentialError, "TenantNotFound")
    assert UNKNOWN in str(error)


async def test_an_unknown_application(sign_in: SignIn) -> None:
    error = await refused(sign_in, handed(client=UNKNOWN))
    assert error.reason == "ClientNotFound"
    assert UNKNOWN in str(error)
    assert "AADSTS700016" in str(error)


async def test_a_disabled_application(sign_in: SignIn) -> None:
    sign_in.application.enabled = False
    assert (await refused(sign_in, handed())).reason == "ClientDisabled"


async def test_a_wrong_secret(sign_in: SignIn) -> None:
    sign_in.secret.value = "not the one that was stored"
    assert (await refused(sign_in, handed())).reason == "SecretInvalid"


async def test_an_expired_secret(sign_in: SignIn) -> None:
    sign_in.secret.expires = datetime.now(UTC) - timedelta(days=1)
    assert (await refused(sign_in, handed())).reason == "SecretExpired"


async def test_a_secret_that_nobody_handed_over(sign_in: SignIn) -> None:
    with pytest.raises(CredentialError) as caught:
        await sign_in.provider(handed(origin="missing")).token(SCOPE)
    assert caught.value.reason == "SecretNotFound"


async def test_a_service_account_that_the_application_does_not_trust(sign_in: SignIn) -> None:
    error = await refused(sign_in, workload(account="team/other"))
    assert error.reason == "AssertionRejected"


@pytest.mark.parametrize("error", ["invalid_client", "invalid_request"])
@pytest.mark.parametrize("code", [700212, 7002121])
async def test_an_assertion_for_another_audience(sign_in: SignIn, error: str, code: int) -> None:
    sign_in.switch(federation_error=error, federation_audience_code=code)
    sign_in.cluster.minted.clear()
    sign_in.application.federated = [
        type(sign_in.application.federated[0])(
            sign_in.application.federated[0].issuer,
            sign_in.application.federated[0].subject,
            ("api://Other",),
        )
    ]
    assert (await refused(sign_in, workload())).reason == "AssertionRejected"


async def test_an_assertion_that_is_too_old(sign_in: SignIn) -> None:
    sign_in.cluster.age = 90_000
    assert (await refused(sign_in, workload())).reason == "AssertionExpired"


async def test_a_secret_that_the_vault_does_not_have(sign_in: SignIn) -> None:
    error = await refused(sign_in, vaulted("absent"))
    assert error.reason == "SecretNotFound"
    assert "secret absent in corp.vault.azure.net" in str(error)


async def test_a_disabled_secret(sign_in: SignIn) -> None:
    sign_in.vault.put("off", SECRET, 0, enabled=False)
    assert (await refused(sign_in, vaulted("off"))).reason == "SecretDisabled"


async def test_a_secret_past_its_own_date(sign_in: SignIn) -> None:
    sign_in.switch(vault_expiry="enforced")
    sign_in.vault.put("old", SECRET, 0, expires=1)
    assert (await refused(sign_in, vaulted("old"))).reason == "SecretExpired"


async def test_a_vault_that_does_not_admit_the_reader(sign_in: SignIn) -> None:
    sign_in.vault.access.clear()
    error = await refused(sign_in, vaulted())
    assert error.reason == "VaultForbidden"
    assert "Key Vault Secrets User" in str(error)


async def test_a_vault_that_is_away_comes_right_by_itself(sign_in: SignIn) -> None:
    sign_in.fault(kind="status", service="keyvault", status=503)
    assert isinstance(await refused(sign_in, vaulted()), EndpointUnavailableError)


@pytest.mark.parametrize("kind", ["status", "drop", "truncate"])
async def test_entra_that_is_away_comes_right_by_itself(sign_in: SignIn, kind: str) -> None:
    sign_in.fault(kind=kind, service="entra")
    assert isinstance(await refused(sign_in, handed()), EndpointUnavailableError)


async def test_a_preset_ca_bundle_does_not_override_ours(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent/bundle.pem")
    monkeypatch.setenv("CURL_CA_BUNDLE", "/nonexistent/bundle.pem")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert (await sign_in.provider(vaulted()).token(SCOPE)).token


@pytest.mark.parametrize(
    "url",
    [
        "https://corp.vault.azure.net.evil.example",
        "https://evil.example",
        "http://corp.vault.azure.net",
        "https://corp.vault.azure.cn",
        "https://corp.vault.azure.net:8443",
        "https://corp.vault.azure.net@evil.example",
        "https://corp.vault.azure.net/secrets",
    ],
)
async def test_a_vault_outside_the_cloud_is_refused_before_anything_is_sent(
    sign_in: SignIn, url: str
) -> None:
    with pytest.raises(ConfigurationError):
        sign_in.provider(vaulted(url=url))


async def test_exactly_one_place_of_the_secret(sign_in: SignIn) -> None:
    reference = KeyVaultReference("https://corp.vault.azure.net", "graph")
    for auth in (
        ClientSecretAuth(TENANT, CLIENT),
        ClientSecretAuth(TENANT, CLIENT, reference, workload(READER), SecretFile("x")),
        ClientSecretAuth(TENANT, CLIENT, reference),
    ):
        with pytest.raises(ConfigurationError):
            sign_in.provider(auth)
