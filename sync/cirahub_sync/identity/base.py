"""The seam between identity and endpoints: something that yields access tokens."""

from __future__ import annotations

from typing import Protocol

import msgspec

from cirahub_sync.configuration import SecretFile


class AccessToken(msgspec.Struct, frozen=True):
    """A bearer token. Its text never reaches a log or an exception."""

    token: str
    expires_on: float
    """POSIX seconds."""

    def __repr__(self) -> str:
        return f"AccessToken(expires_on={self.expires_on})"


class TokenProvider(Protocol):
    async def token(self, scope: str) -> AccessToken:
        """A token for `scope` (`https://graph.microsoft.com/.default`), cached and renewed before
        it expires. Raises CredentialError, or EndpointUnavailableError when it may come right."""
        ...

    async def invalidate(self) -> None:
        """Forget cached tokens and secrets: the service answered 401 to one of them."""
        ...

    async def close(self) -> None: ...


class CredentialSource(Protocol):
    """What only the surroundings can hand over: on a cluster, its Secrets and TokenRequests; on a
    laptop, files."""

    async def secret(self, reference: SecretFile) -> str:
        """The secret's value. Raises CredentialError(reason="SecretNotFound")."""
        ...

    async def service_account_token(self, service_account: str, audience: str) -> AccessToken:
        """A token of the Kubernetes ServiceAccount `namespace/name` (TokenRequest), or, for a
        blank name, the one projected into our own pod. Raises CredentialError."""
        ...
