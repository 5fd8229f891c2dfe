"""New secrets and certificates are taken up by themselves, and what ends is known ahead."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from cirahub_simulator.directory import ClientSecret
from cirahub_sync.errors import CredentialError, EndpointUnavailableError

from . import test_certificate as certificates
from .authority import KeyPair
from .conftest import SCOPE, SECRET, SignIn, handed, vaulted, workload

NEW = "the-new~secret"
DAY = 86_400


def given(sign_in: SignIn, value: str) -> None:
    """Entra knows another secret."""
    later = datetime.now(UTC) + timedelta(days=400)
    sign_in.application.secrets.append(ClientSecret(value, later))


def taken(sign_in: SignIn, value: str) -> None:
    sign_in.application.secrets = [one for one in sign_in.application.secrets if one.value != value]


async def test_a_new_secret_is_taken_up_before_the_old_one_ends(sign_in: SignIn) -> None:
    """Both are valid for a while; by its next sign-in the new one is used, and so the old one can
    be deleted without anything failing."""
    tokens = sign_in.provider(vaulted())
    await tokens.token(SCOPE)
    given(sign_in, NEW)
    sign_in.vault.put("graph", NEW, 0)
    await tokens.renew(SCOPE)
    refused_before = sign_in.refusals()
    taken(sign_in, SECRET)
    sign_in.cluster.clock = sign_in.world.clock.time
    for _ in range(3):
        sign_in.world.clock.advance(timedelta(minutes=55))
        await tokens.token(SCOPE)
    assert sign_in.refusals() == refused_before == 0


async def test_a_secret_that_was_revoked_is_replaced_by_the_next_sign_in(sign_in: SignIn) -> None:
    tokens = sign_in.provider(vaulted())
    await tokens.token(SCOPE)
    given(sign_in, NEW)
    taken(sign_in, SECRET)
    sign_in.vault.put("graph", NEW, 0)
    assert (await tokens.renew(SCOPE)).token


async def test_a_kubernetes_secret_that_was_changed_is_read_again(sign_in: SignIn) -> None:
    tokens = sign_in.provider(handed())
    await tokens.token(SCOPE)
    given(sign_in, NEW)
    taken(sign_in, SECRET)
    sign_in.cluster.secrets["secret client/value"] = NEW
    assert (await tokens.renew(SCOPE)).token


async def test_a_new_version_that_entra_does_not_know_yet_does_no_harm(sign_in: SignIn) -> None:
    tokens = sign_in.provider(vaulted())
    await tokens.token(SCOPE)
    sign_in.vault.put("graph", NEW, 0)
    assert (await tokens.renew(SCOPE)).token
    given(sign_in, NEW)
    taken(sign_in, SECRET)
    assert (await tokens.renew(SCOPE)).token


@pytest.mark.parametrize("switch", ["ignored", "enforced"])
async def test_a_version_that_starts_later_is_not_tried_before(
    sign_in: SignIn, switch: str
) -> None:
    sign_in.switch(vault_expiry=switch)
    tokens = sign_in.provider(vaulted())
    await tokens.token(SCOPE)
    given(sign_in, NEW)
    start = int(time.time()) + DAY
    sign_in.vault.put("graph", NEW, 0, not_before=start, expires=start + DAY)
    await tokens.renew(SCOPE)
    assert tokens.credential.expires_at is None, "the old one, which has no end"
    assert sign_in.refusals() == 0
    taken(sign_in, SECRET)
    if switch == "ignored":
        assert (await tokens.renew(SCOPE)).token, "the old one is refused, so the new one is tried"


async def test_while_the_vault_is_away_the_secret_that_worked_serves(sign_in: SignIn) -> None:
    tokens = sign_in.provider(vaulted())
    await tokens.token(SCOPE)
    sign_in.fault(kind="status", service="keyvault", status=503)
    assert (await tokens.renew(SCOPE)).token


async def test_a_vault_that_is_away_from_the_start_is_unreachable(sign_in: SignIn) -> None:
    sign_in.fault(kind="drop", service="keyvault")
    with pytest.raises(EndpointUnavailableError) as caught:
        await sign_in.provider(vaulted()).token(SCOPE)
    assert caught.value.reason == "VaultUnreachable"
    assert "corp.vault.azure.net" in str(caught.value)


async def test_a_secret_that_was_disabled_is_not_used_any_more(sign_in: SignIn) -> None:
    """Its owner said so, although Entra would still take it."""
    tokens = sign_in.provider(vaulted())
    await tokens.token(SCOPE)
    sign_in.vault.versions("graph")[-1].enabled = False
    with pytest.raises(CredentialError) as caught:
        await tokens.renew(SCOPE)
    assert caught.value.reason == "SecretDisabled"


async def test_a_new_certificate_is_taken_up_and_the_old_one_can_go(sign_in: SignIn) -> None:
    old = certificates.registered(sign_in, KeyPair())
    sign_in.vault.import_certificate("signing", old.pfx(), 0)
    tokens = sign_in.provider(certificates.vaulted())
    await tokens.token(SCOPE)
    new = KeyPair(1, ends=200)
    sign_in.vault.import_certificate("signing", new.pfx(), 0)
    await tokens.renew(SCOPE)
    certificates.registered(sign_in, new)
    sign_in.application.certificates.remove(old.der)
    assert (await tokens.renew(SCOPE)).token
    ends = new.certificate.not_valid_after_utc.timestamp()
    assert tokens.credential.expires_at == pytest.approx(ends, abs=1)


async def test_the_end_of_a_secret_is_the_vaults_attribute(sign_in: SignIn) -> None:
    sign_in.vault.put("graph", SECRET, 0, expires=2_000_000_000)
    tokens = sign_in.provider(vaulted())
    await tokens.token(SCOPE)
    assert tokens.credential.kind == "clientSecret"
    assert tokens.credential.expires_at == 2_000_000_000


async def test_the_end_of_a_certificate_is_whatever_comes_first(sign_in: SignIn) -> None:
    pair = certificates.registered(sign_in, KeyPair())
    sooner = int(time.time()) + 5 * DAY
    made = sign_in.vault.import_certificate("signing", pair.pfx(), 0)
    tokens = sign_in.provider(certificates.vaulted())
    await tokens.token(SCOPE)
    ends = pair.certificate.not_valid_after_utc.timestamp()
    assert tokens.credential.expires_at == pytest.approx(ends, abs=1)
    made.expires = sooner
    await tokens.renew(SCOPE)
    assert tokens.credential.expires_at == sooner


@pytest.mark.parametrize("auth", [workload(), vaulted(), handed()])
async def test_an_end_that_nobody_tells_is_unknown(sign_in: SignIn, auth: object) -> None:
    tokens = sign_in.provider(auth)  # type: ignore[arg-type]
    await tokens.token(SCOPE)
    assert tokens.credential.expires_at is None
