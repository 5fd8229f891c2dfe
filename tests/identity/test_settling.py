"""What was changed a moment ago takes minutes to count in Entra: refusals are not final at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cirahub_simulator.directory import FederatedCredential
from cirahub_sync.configuration import EntraAuth
from cirahub_sync.errors import CredentialError

from .conftest import ISSUER, SCOPE, SUBJECT, SignIn, handed, vaulted, workload
from .test_provider import UNKNOWN


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("federation", "AssertionRejected"),
        ("application", "ClientNotFound"),
        ("vault", "VaultForbidden"),
    ],
)
async def test_a_refusal_is_final_only_after_ten_minutes(
    sign_in: SignIn, case: str, reason: str
) -> None:
    if case == "federation":
        sign_in.application.federated = []
    if case == "vault":
        sign_in.vault.access.clear()
    ways: dict[str, EntraAuth] = {
        "federation": workload(),
        "application": handed(client=UNKNOWN),
        "vault": vaulted(),
    }
    tokens = sign_in.provider(ways[case])

    async def stalled() -> bool:
        with pytest.raises(CredentialError) as caught:
            await tokens.renew(SCOPE)
        assert caught.value.reason == reason
        return caught.value.stalled

    assert not await stalled()
    sign_in.world.clock.advance(timedelta(minutes=9))
    assert not await stalled()
    sign_in.world.clock.advance(timedelta(minutes=2))
    assert await stalled()


async def test_a_refusal_on_the_way_to_a_vault_is_told_to_pass_once(sign_in: SignIn) -> None:
    sign_in.reader.federated = []

    with pytest.raises(CredentialError) as caught:
        await sign_in.provider(vaulted()).token(SCOPE)

    assert caught.value.reason == "AssertionRejected"
    assert not caught.value.stalled
    assert str(caught.value).count("taken for final") == 1


async def test_the_time_begins_anew_after_a_sign_in_that_worked(sign_in: SignIn) -> None:
    tokens = sign_in.provider(workload())
    sign_in.application.federated = []
    with pytest.raises(CredentialError):
        await tokens.renew(SCOPE)
    sign_in.world.clock.advance(timedelta(minutes=11))
    sign_in.application.federated = [FederatedCredential(ISSUER, SUBJECT)]
    sign_in.cluster.clock = sign_in.world.clock.time
    await tokens.renew(SCOPE)
    sign_in.application.federated = []
    with pytest.raises(CredentialError) as caught:
        await tokens.renew(SCOPE)
    assert not caught.value.stalled


async def test_a_wrong_secret_is_final_at_once(sign_in: SignIn) -> None:
    sign_in.secret.value = "another"
    with pytest.raises(CredentialError) as caught:
        await sign_in.provider(handed()).token(SCOPE)
    assert caught.value.stalled


@pytest.mark.parametrize("trouble", ["absent", "disabled"])
async def test_the_vaults_reader_is_not_taken_for_the_application(
    sign_in: SignIn, trouble: str
) -> None:
    """A consent to the application would not help."""
    if trouble == "absent":
        sign_in.world.directory.remove_application(sign_in.reader.client_id)
    else:
        sign_in.reader.enabled = False
    with pytest.raises(CredentialError) as caught:
        await sign_in.provider(vaulted()).token(SCOPE)
    assert caught.value.reason == "VaultIdentityRejected"
    assert sign_in.reader.client_id in str(caught.value)
