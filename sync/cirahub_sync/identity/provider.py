"""From a connection's `auth` to access tokens.

    Kubernetes token -> Entra (federated assertion) -> Key Vault -> secret, certificate -> Entra

`WorkloadIdentityAuth` takes the first step only and asks for the token at once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from cirahub_sync.configuration import (
    Auth,
    ClientCertificateAuth,
    ClientSecretAuth,
    Cloud,
    EntraAuth,
    PasswordAuth,
    WorkloadIdentityAuth,
)
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.identity.base import CredentialSource
from cirahub_sync.identity.entra import EntraClient
from cirahub_sync.identity.grants import (
    Federated,
    Handed,
    Kept,
    Place,
    held_certificate,
    held_secret,
)
from cirahub_sync.identity.host_proof import HostProof
from cirahub_sync.identity.host_token import HostToken
from cirahub_sync.identity.password import HostPassword
from cirahub_sync.identity.tokens import CachedTokens, Grants
from cirahub_sync.origins import Origins

AUDIENCES: Mapping[Cloud, str] = {
    Cloud.GLOBAL: "api://AzureADTokenExchange",
    Cloud.US_GOV: "api://AzureADTokenExchangeUSGov",
    Cloud.US_GOV_DOD: "api://AzureADTokenExchangeUSGov",
    Cloud.CHINA: "api://AzureADTokenExchangeChina",
}
"""https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust"""


def provider(
    auth: EntraAuth,
    cloud: Cloud,
    origins: Origins,
    credentials: CredentialSource,
    *,
    name: str,
    clock: Callable[[], float] = time.time,
    jitter: Callable[[], float] = random.random,
) -> CachedTokens:
    """The tokens of one `auth`, for all endpoints that use it. `name` is the connection's, for
    messages. Sends nothing yet. Raises ConfigurationError."""
    who = f"connection {name}"
    making = _Making(cloud, origins, credentials, who=who, clock=clock, jitter=jitter)
    match auth:
        case WorkloadIdentityAuth():
            return making.cached(making.federated(auth))
        case ClientSecretAuth():
            return making.cached(making.kept(auth, "clientSecret"))
        case ClientCertificateAuth():
            return making.cached(making.kept(auth, "clientCertificate"))


def host_proof(
    auth: Auth,
    cloud: Cloud,
    origins: Origins,
    credentials: CredentialSource,
    *,
    host: str,
    name: str,
    clock: Callable[[], float] = time.time,
    jitter: Callable[[], float] = random.random,
) -> HostProof:
    """What one `auth` shows to the server `host`, and to no other; else as `provider`."""
    if not isinstance(auth, PasswordAuth):
        tokens = provider(auth, cloud, origins, credentials, name=name, clock=clock, jitter=jitter)
        return HostToken(tokens, host, name=name)
    making = _Making(
        cloud, origins, credentials, who=f"connection {name}", clock=clock, jitter=jitter
    )
    place, where = making.place(auth, "basic")
    return HostPassword(
        place, host, what=f"connection {name}: the password in {where}", clock=clock
    )


class _Making:
    """What all parts of one provider have in common."""

    def __init__(
        self,
        cloud: Cloud,
        origins: Origins,
        credentials: CredentialSource,
        *,
        who: str,
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._cloud = cloud
        self._origins = origins
        self._credentials = credentials
        self._who = who
        self._clock = clock
        self._jitter = jitter

    def cached(self, grants: Grants) -> CachedTokens:
        return CachedTokens(grants, clock=self._clock, jitter=self._jitter)

    def federated(self, auth: WorkloadIdentityAuth, of: str = "") -> Federated:
        entra = self._entra(auth.tenant_id, auth.client_id, f"{self._who}{of}")
        return Federated(auth, AUDIENCES[self._cloud], entra, self._credentials)

    def kept(self, auth: ClientSecretAuth | ClientCertificateAuth, kind: str) -> Kept:
        place, where = self.place(auth, kind)
        certificate = isinstance(auth, ClientCertificateAuth)
        return Kept(
            kind,
            place,
            held_certificate if certificate else held_secret,
            self._entra(auth.tenant_id, auth.client_id, self._who),
            what=f"{self._who}: the {'certificate' if certificate else 'client secret'} in {where}",
            clock=self._clock,
        )

    def place(
        self, auth: ClientSecretAuth | ClientCertificateAuth | PasswordAuth, kind: str
    ) -> tuple[Place, str]:
        """And its name."""
        reference, secret = auth.key_vault, auth.secret
        if secret is not None and reference is None:
            return Handed(self._credentials, secret), secret.origin
        if reference is None or secret is not None:
            raise ConfigurationError(
                f"{self._who}: auth.{kind} takes exactly one of keyVault and secretRef"
            )
        if auth.vault_identity is None:
            raise ConfigurationError(
                f"{self._who}: nobody is named who may read the key vault; give a workload identity"
            )
        # Not at the top: Azure's client is large, and a Connection without a vault needs none.
        from cirahub_sync.identity.vault import VaultSecret

        vault = VaultSecret(
            reference,
            self.cached(self.federated(auth.vault_identity, ", key vault")),
            tenant_id=auth.vault_identity.tenant_id,
            cloud=self._cloud,
            origins=self._origins,
            name=self._who,
        )
        return vault, f"the vault's secret {reference.name}"

    def _entra(self, tenant: str, client: str, who: str) -> EntraClient:
        return EntraClient(
            tenant_id=tenant, client_id=client, cloud=self._cloud, origins=self._origins, name=who
        )
