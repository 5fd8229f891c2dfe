"""The seam between identity and endpoints: something that yields access tokens."""

from __future__ import annotations

import re
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


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """What a vault or a Secret holds, and what it says of it. Times are POSIX seconds."""

    value: str
    content_type: str = ""
    not_before: float | None = None
    expires: float | None = None
    hosts: frozenset[str] = frozenset()
    """The servers that it is for, by its own word, in small letters. What is for Entra names
    none."""

    def __repr__(self) -> str:
        return "Material(…)"


HOSTS_TAG = "cirahub-hosts"
"""Of a vault's secret: the servers that a password is for, separated by blanks or commas."""


_HOST = re.compile(r"[a-z0-9.-]{1,253}(:[0-9]{1,5})?")


def hosts_in(text: str | None) -> frozenset[str]:
    """The hosts in a tag's or an annotation's value; what is none is left out."""
    words = (text or "").lower().replace(",", " ").split()
    return frozenset(one for one in words if _HOST.fullmatch(one))


class Credential(msgspec.Struct, frozen=True):
    """What the last sign-in was proved with. `kind` is the field of the manifest's `auth`;
    `expires_at`, in POSIX seconds, is None where nothing expires or nobody says when."""

    kind: str
    expires_at: float | None = None


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that succeeded."""

    credential: Credential
    missing: tuple[str, ...] | None = None
    """Permissions that are needed and that the token does not carry; None if it shows none."""
    excess: tuple[str, ...] = ()
    """Permissions that it carries and that nothing here needs."""
    settling: bool = False
    """What is missing was found to be so only minutes ago; it may have been granted just now."""


class TokenProvider(Protocol):
    async def token(self, scope: str) -> AccessToken:
        """A token for `scope` (`https://graph.microsoft.com/.default`), cached and renewed before
        it expires. Raises CredentialError, or EndpointUnavailableError when it may come right."""
        ...

    async def invalidate(self) -> None:
        """Forget cached tokens: the service answered 401 to one of them."""
        ...

    async def close(self) -> None: ...


class CredentialSource(Protocol):
    """What only the surroundings can hand over: on a cluster, its Secrets and TokenRequests; on a
    laptop, files."""

    async def secret(self, reference: SecretFile) -> Material:
        """The secret, read anew. Raises CredentialError(reason="SecretNotFound")."""
        ...

    async def service_account_token(self, service_account: str, audience: str) -> AccessToken:
        """A token of the Kubernetes ServiceAccount `namespace/name` (TokenRequest), or, for a
        blank name, the one projected into our own pod. Raises CredentialError."""
        ...
