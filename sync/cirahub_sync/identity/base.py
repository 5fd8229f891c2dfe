"""The seam between identity and endpoints: something that yields access tokens."""

from __future__ import annotations

from typing import Protocol

import msgspec


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
