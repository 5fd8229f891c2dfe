"""Another team's vault secret: the operator's own identity opens what it was granted for and no
more, and a namespace's own identity is what the vault lets in or not."""

from __future__ import annotations

import dataclasses

import pytest
from tests.identity.conftest import CLIENT, READER, SCOPE, SECRET, SignIn, vaulted, workload
from tests.operator import objects

from cirahub_operator.places import UnresolvedError
from cirahub_operator.resolver import GrantedTrust, connection_config
from cirahub_operator.settings import OwnIdentity
from cirahub_simulator.directory import Application, FederatedCredential
from cirahub_sync.configuration import ClientSecretAuth
from cirahub_sync.errors import CredentialError

from .conftest import TENANT

OTHER = "44444444-4444-4444-8444-444444444444"
VAULT = {"vaultURL": "https://corp.vault.azure.net", "name": "graph"}
GRANT = OwnIdentity(namespace="team-a", tenant=TENANT, vaults=frozenset({"corp.vault.azure.net"}))


def _opened(namespace: str, grant: OwnIdentity, **identity: str) -> ClientSecretAuth:
    auth = {
        "clientSecret": {
            "clientID": CLIENT,
            "keyVault": VAULT,
            "workloadIdentity": {"clientID": READER, **identity},
        }
    }
    made = objects.connection(metadata={"namespace": namespace}, auth=auth)
    resolved = connection_config(made, trust=GrantedTrust([grant])).auth
    assert isinstance(resolved, ClientSecretAuth)
    return resolved


def test_who_was_granted_it_uses_the_operators_identity() -> None:
    identity = _opened("team-a", GRANT).vault_identity
    assert identity is not None
    assert identity.service_account == ""


@pytest.mark.parametrize(
    ("namespace", "grant"),
    [
        ("team-b", GRANT),
        ("team-a", dataclasses.replace(GRANT, vaults=frozenset())),
        ("team-a", dataclasses.replace(GRANT, vaults=frozenset({"other.vault.azure.net"}))),
        ("team-a", dataclasses.replace(GRANT, tenant=OTHER)),
        ("team-a2", GRANT),
        ("team", GRANT),
    ],
    ids=["namespace", "no vault", "another vault", "another tenant", "longer", "shorter"],
)
def test_nobody_else_does(namespace: str, grant: OwnIdentity) -> None:
    with pytest.raises(UnresolvedError) as refused:
        _opened(namespace, grant)
    assert refused.value.problem.reason == "OwnIdentityNotAllowed"
    assert refused.value.problem.stalled


def test_a_namespace_s_own_identity_is_one_of_that_namespace() -> None:
    identity = _opened("team-b", GRANT, serviceAccountName="sync").vault_identity
    assert identity is not None
    assert identity.service_account == "team-b/sync"


async def test_the_vault_does_not_let_another_team_s_identity_in(sign_in: SignIn) -> None:
    """Team B names team A's vault and secret, with an application of its own."""
    federated = FederatedCredential("https://cluster.example", "system:serviceaccount:team-b:sync")
    sign_in.world.directory.add_application(
        Application(
            client_id=OTHER,
            display_name="team b",
            home_tenant_id=TENANT,
            federated=[federated],
            granted={TENANT: set()},
        )
    )
    theirs = vaulted()
    attack = ClientSecretAuth(
        TENANT,
        CLIENT,
        key_vault=theirs.key_vault,
        vault_identity=workload(OTHER, account="team-b/sync"),
    )
    with pytest.raises(CredentialError) as refused:
        await sign_in.provider(attack).token(SCOPE)
    assert refused.value.reason == "VaultForbidden"
    assert SECRET not in str(refused.value)
    token = await sign_in.provider(theirs).token(SCOPE)
    assert token.token


async def test_nor_does_entra_take_one_team_s_token_for_the_other(sign_in: SignIn) -> None:
    """Team B names team A's application, which trusts team A's ServiceAccount."""
    attack = workload(READER, account="team-b/sync")
    auth = ClientSecretAuth(TENANT, CLIENT, key_vault=vaulted().key_vault, vault_identity=attack)
    with pytest.raises(CredentialError) as refused:
        await sign_in.provider(auth).token(SCOPE)
    assert refused.value.reason.startswith("Assertion")
    assert SECRET not in str(refused.value)
