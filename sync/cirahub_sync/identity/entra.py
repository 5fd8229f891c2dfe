"""One application in one tenant, and what it may prove itself with.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow. MSAL, which
sends the request, is loaded by the first one that is sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from cirahub_sync.configuration import Cloud
from cirahub_sync.errors import CirahubError, CredentialError
from cirahub_sync.network import Route
from cirahub_sync.origins import HOSTS, Origins

CLOCKS_AGREE = 120.0
"""Seconds by which clocks may differ without being blamed for a refusal."""


class Secret(msgspec.Struct, frozen=True):
    """An application's client secret."""

    value: str

    def __repr__(self) -> str:
        return "Secret(…)"


class Assertion(msgspec.Struct, frozen=True):
    """A token of another issuer in a secret's place (RFC 7523 2.2)."""

    token: str

    def __repr__(self) -> str:
        return "Assertion(…)"


class Certificate(msgspec.Struct, frozen=True):
    """An RSA key and the certificate that belongs to it, each in PEM. Times are POSIX seconds."""

    key: str
    certificate: str
    not_before: float
    not_after: float

    def __repr__(self) -> str:
        return f"Certificate(not_after={self.not_after})"


Proof = Secret | Assertion | Certificate


class Granted(msgspec.Struct, frozen=True):
    token: str
    expires_in: float
    """Seconds from now."""

    def __repr__(self) -> str:
        return f"Granted(expires_in={self.expires_in})"


class EntraClient:
    def __init__(
        self,
        *,
        tenant_id: str,
        client_id: str,
        cloud: Cloud,
        origins: Origins,
        name: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` is this machine's, by which MSAL dates its assertions."""
        authority = HOSTS[cloud].authority
        self.tenant_id = tenant_id
        self.client_id = client_id
        self.who = f"{name} (tenant {tenant_id}, client {client_id})"
        """For messages."""
        self.route = Route(authority, origins, self.who)
        self.authority = f"{self.route.url}/{tenant_id}"
        self._clock = clock

    async def acquire(self, scope: str, proof: Proof) -> Granted:
        """A token, by one request and one for the tenant's configuration.

        Raises CredentialError and EndpointUnavailableError.
        """
        return await asyncio.to_thread(self.acquire_now, scope, proof)

    def acquire_now(self, scope: str, proof: Proof) -> Granted:
        """The same, blocking."""
        from cirahub_sync.identity import token_request

        answer = token_request.send(self, scope, proof)
        if isinstance(answer.result, Granted):
            return answer.result
        if answer.result.reason == "AssertionExpired" and answer.date is not None:
            raise self._dated(answer.result, proof, answer.date)
        raise answer.result

    def check(self, endpoint: object) -> None:
        """The tenant's configuration names the token endpoint; a credential goes to no other
        origin than the authority's own. Raises CredentialError."""
        asked, named = urlsplit(self.authority), urlsplit(str(endpoint))
        if (asked.scheme, asked.netloc.lower()) == (named.scheme, named.netloc.lower()):
            return
        clouds = [
            cloud.value
            for cloud, hosts in HOSTS.items()
            if hosts.authority == f"{named.scheme}://{named.netloc.lower()}"
        ]
        if clouds:
            raise CredentialError(
                f"{self.who}: the tenant lives in another of Microsoft's clouds; create a "
                f"Connection with cloud: {' or '.join(clouds)}",
                reason="WrongCloud",
            )
        raise CredentialError(
            f"{self.who}: the tenant's configuration names a token endpoint of another "
            "origin; nothing was sent there. Check the network between here and Entra",
            reason="AuthorityMismatch",
        )

    def _dated(self, error: CirahubError, proof: Proof, entra: float) -> CirahubError:
        """An assertion was refused for its time: whose clock is wrong? `entra` is Entra's."""
        ahead = self._clock() - entra
        whose = "this machine's clock"
        if abs(ahead) <= CLOCKS_AGREE and isinstance(proof, Assertion):
            ahead = _issued(proof, entra) - entra
            whose = "the clock of the cluster's API server"
            if ahead <= CLOCKS_AGREE:
                return error
        if abs(ahead) <= CLOCKS_AGREE:
            return error
        return CredentialError(
            f"{self.who}: {whose} is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} "
            "Entra's, which therefore refuses to sign in (AADSTS700024); set it right, and keep it "
            "so with NTP",
            reason="ClockSkew",
        )


def _issued(proof: Assertion, otherwise: float) -> float:
    """When a token says it was issued."""
    import jwt  # not at the top: it loads the half of cryptography

    try:
        return float(jwt.decode(proof.token, options={"verify_signature": False})["iat"])
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
        return otherwise
