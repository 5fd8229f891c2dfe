"""From a connection's `auth` to access tokens.

    Kubernetes token -> Entra (federated assertion) -> Key Vault -> client secret -> Entra -> token

`WorkloadIdentityAuth` takes the first step only and asks for the token at once.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from cirahub_sync.configuration import (
    Auth,
    ClientSecretAuth,
    Cloud,
    SecretFile,
    WorkloadIdentityAuth,
)
from cirahub_sync.errors import ConfigurationError, CredentialError, EndpointUnavailableError
from cirahub_sync.identity.base import AccessToken, CredentialSource, TokenProvider
from cirahub_sync.identity.entra import Assertion, EntraClient, Granted, Secret
from cirahub_sync.identity.vault import VaultSecret
from cirahub_sync.origins import Origins

AUDIENCES: Mapping[Cloud, str] = {
    Cloud.GLOBAL: "api://AzureADTokenExchange",
    Cloud.US_GOV: "api://AzureADTokenExchangeUSGov",
    Cloud.US_GOV_DOD: "api://AzureADTokenExchangeUSGov",
    Cloud.CHINA: "api://AzureADTokenExchangeChina",
}
"""https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust"""


class _Grants(Protocol):
    """Something that signs in anew each time."""

    async def acquire(self, scope: str) -> Granted: ...

    def forget(self) -> None:
        """Drop what signing in was remembered by."""
        ...

    async def close(self) -> None: ...


def provider(
    auth: Auth,
    cloud: Cloud,
    origins: Origins,
    credentials: CredentialSource,
    *,
    name: str,
    clock: Callable[[], float] = time.time,
    jitter: Callable[[], float] = random.random,
) -> TokenProvider:
    """The tokens of one `auth`, for all endpoints that use it. `name` is the connection's, for
    messages. Sends nothing yet. Raises ConfigurationError."""
    who = f"connection {name}"
    match auth:
        case WorkloadIdentityAuth():
            grants: _Grants = _Federated(auth, cloud, origins, credentials, who)
        case ClientSecretAuth(key_vault=None, secret=SecretFile() as secret):
            grants = _WithSecret(auth, cloud, origins, who, _Handed(credentials, secret))
        case ClientSecretAuth(key_vault=reference, secret=None) if reference is not None:
            if auth.vault_identity is None:
                raise ConfigurationError(
                    f"{who}: nobody is named who may read the key vault; give a workload identity"
                )
            reader = CachedTokens(
                _Federated(auth.vault_identity, cloud, origins, credentials, f"{who}, key vault"),
                clock=clock,
                jitter=jitter,
            )
            vault = VaultSecret(
                reference,
                reader,
                tenant_id=auth.vault_identity.tenant_id,
                cloud=cloud,
                origins=origins,
                name=who,
            )
            grants = _WithSecret(auth, cloud, origins, who, _Kept(vault, reader))
        case _:
            raise ConfigurationError(
                f"{who}: auth.clientSecret takes exactly one of keyVault and secretRef"
            )
    return CachedTokens(grants, clock=clock, jitter=jitter)


class _Cached(msgspec.Struct):
    token: AccessToken
    renew_at: float


class CachedTokens:
    """Tokens by scope, asked for once however many wait, and renewed ahead of their expiry.

    The renewal falls between a half and nine tenths of a token's life, at random, so that many
    connections don't come at once; while it fails the old token serves to its end.
    """

    def __init__(
        self,
        grants: _Grants,
        *,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._grants = grants
        self._clock = clock
        self._jitter = jitter
        self._cached: dict[str, _Cached] = {}
        self._asking: dict[str, asyncio.Task[AccessToken]] = {}
        self._running: set[asyncio.Task[AccessToken]] = set()

    async def token(self, scope: str) -> AccessToken:
        cached = self._cached.get(scope)
        now = self._clock()
        if cached is not None and now < cached.renew_at:
            return cached.token
        asking = self._asking.get(scope)
        if asking is None:
            asking = self._asking[scope] = asyncio.create_task(self._ask(scope))
            self._running.add(asking)
            asking.add_done_callback(lambda done: self._asked(scope, done))
        try:
            # Shielded: who gives up waiting must not take the token from the others.
            return await asyncio.shield(asking)
        except EndpointUnavailableError:
            if cached is None or self._clock() >= cached.token.expires_on - _TOO_SHORT:
                raise
            cached.renew_at = self._clock() + _RETRY_RENEWAL
            return cached.token

    async def invalidate(self) -> None:
        self._cached.clear()
        self._asking.clear()
        self._grants.forget()

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.invalidate()
        await self._grants.close()

    async def _ask(self, scope: str) -> AccessToken:
        now = self._clock()
        granted = await self._grants.acquire(scope)
        token = AccessToken(granted.token, now + granted.expires_in)
        if self._asking.get(scope) is asyncio.current_task():
            ahead = granted.expires_in * (0.5 + 0.4 * self._jitter())
            self._cached[scope] = _Cached(token, now + ahead)
        return token

    def _asked(self, scope: str, done: asyncio.Task[AccessToken]) -> None:
        self._running.discard(done)
        if self._asking.get(scope) is done:
            del self._asking[scope]
        if not done.cancelled():
            # Everybody who waited was told; nobody may have waited any more.
            done.exception()


_TOO_SHORT = 30.0
"""Seconds of life that a token needs to be of use."""
_RETRY_RENEWAL = 60.0


class _Federated:
    """A Kubernetes token in a secret's place."""

    def __init__(
        self,
        auth: WorkloadIdentityAuth,
        cloud: Cloud,
        origins: Origins,
        credentials: CredentialSource,
        who: str,
    ) -> None:
        self._auth = auth
        self._audience = AUDIENCES[cloud]
        self._credentials = credentials
        self._entra = EntraClient(
            tenant_id=auth.tenant_id,
            client_id=auth.client_id,
            cloud=cloud,
            origins=origins,
            name=who,
        )

    async def acquire(self, scope: str) -> Granted:
        token = await self._credentials.service_account_token(
            self._auth.service_account, self._audience
        )
        return await self._entra.acquire(scope, Assertion(token.token))

    def forget(self) -> None:
        """Nothing is kept: each sign-in takes a Kubernetes token of its own."""

    async def close(self) -> None:
        """Nothing is open."""


class _SecretValue(Protocol):
    async def read(self) -> str: ...

    async def close(self) -> None: ...


class _Handed:
    """A secret that the surroundings hand over (`secretRef`, a file)."""

    def __init__(self, credentials: CredentialSource, reference: SecretFile) -> None:
        self._credentials = credentials
        self._reference = reference

    async def read(self) -> str:
        # Files end in a newline more often than secrets do.
        return (await self._credentials.secret(self._reference)).strip()

    async def close(self) -> None:
        """Nothing is open."""


class _Kept:
    """A secret in Key Vault, and the tokens that open it."""

    def __init__(self, vault: VaultSecret, reader: CachedTokens) -> None:
        self._vault = vault
        self._reader = reader

    async def read(self) -> str:
        return await self._vault.read()

    async def close(self) -> None:
        await self._reader.close()


class _WithSecret:
    """A client secret, read when first needed and again when Entra does not like it."""

    def __init__(
        self,
        auth: ClientSecretAuth,
        cloud: Cloud,
        origins: Origins,
        who: str,
        value: _SecretValue,
    ) -> None:
        self._value = value
        self._secret: str | None = None
        self._entra = EntraClient(
            tenant_id=auth.tenant_id,
            client_id=auth.client_id,
            cloud=cloud,
            origins=origins,
            name=who,
        )

    async def acquire(self, scope: str) -> Granted:
        known = self._secret
        if known is not None:
            try:
                return await self._entra.acquire(scope, Secret(known))
            except CredentialError as error:
                if error.reason not in ("SecretInvalid", "SecretExpired"):
                    raise
                self._secret = None
                rejected = error
            secret = await self._value.read()
            if secret == known:
                raise rejected
        else:
            secret = await self._value.read()
        granted = await self._entra.acquire(scope, Secret(secret))
        self._secret = secret
        return granted

    def forget(self) -> None:
        self._secret = None

    async def close(self) -> None:
        await self._value.close()
