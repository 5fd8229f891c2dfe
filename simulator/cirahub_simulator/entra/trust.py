"""Issuers of other people's tokens, and the keys they publish.

https://learn.microsoft.com/entra/workload-id/workload-identity-federation ("How it works"): Entra
reads the issuer's OpenID configuration and checks the token against its keys.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import aiohttp
import jwt
import msgspec

CLUSTER = "cluster"
"""Stands for the issuer of the Kubernetes cluster, which a seed file can't know.

A federated credential of this issuer follows whatever `--cluster-issuer` or the admin endpoint
last said.
"""


class IssuerUnreachableError(Exception):
    """The issuer's discovery document or keys could not be read."""


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """How to reach an issuer."""

    url: str
    ca_pem: str | None = None
    """Certificates that its https is verified against. None: the system's."""
    jwks: str | None = None
    """Its keys as JSON, instead of fetching them."""


class _Configuration(msgspec.Struct):
    issuer: str
    jwks_uri: str


class Trust:
    """The issuers that were declared; keys are fetched once and again when a key id is new."""

    def __init__(self) -> None:
        self._issuers: dict[str, TrustedIssuer] = {}
        self._keys: dict[str, jwt.PyJWKSet] = {}
        self._cluster: str | None = None

    @property
    def cluster(self) -> str | None:
        """URL of the cluster's issuer, if one was declared."""
        return self._cluster

    def declare(self, issuer: TrustedIssuer, *, cluster: bool = False) -> None:
        """Say how to reach an issuer, and whether it is the one that CLUSTER stands for."""
        self._issuers[issuer.url] = issuer
        self._keys.pop(issuer.url, None)
        if cluster:
            self._cluster = issuer.url

    def resolve(self, issuer: str) -> str | None:
        """The URL that a federated credential's issuer means."""
        return self._cluster if issuer == CLUSTER else issuer

    async def key(self, issuer: str, kid: str | None) -> jwt.PyJWK | None:
        """The issuer's key of this id (any, if the token names none). None: it has no such key.

        Raises IssuerUnreachableError.
        """
        known = _find(self._keys.get(issuer), kid)
        if known is not None:
            return known
        keys = await self._fetch(self._issuers.get(issuer) or TrustedIssuer(issuer))
        self._keys[issuer] = keys
        return _find(keys, kid)

    async def _fetch(self, issuer: TrustedIssuer) -> jwt.PyJWKSet:
        if issuer.jwks is not None:
            return _parse(issuer.jwks)
        context = ssl.create_default_context(cadata=issuer.ca_pem)
        url = issuer.url.rstrip("/") + "/.well-known/openid-configuration"
        timeout = aiohttp.ClientTimeout(total=10)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session:
                configuration = msgspec.json.decode(
                    await _get(session, url, context), type=_Configuration
                )
                if configuration.issuer != issuer.url:
                    raise IssuerUnreachableError(
                        f"{url} is the configuration of {configuration.issuer}"
                    )
                return _parse((await _get(session, configuration.jwks_uri, context)).decode())
        except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError) as error:
            raise IssuerUnreachableError(f"{url}: {type(error).__name__}: {error}") from error


async def _get(session: aiohttp.ClientSession, url: str, context: ssl.SSLContext) -> bytes:
    async with session.get(url, ssl=context, allow_redirects=False) as response:
        if response.status != 200:
            raise IssuerUnreachableError(f"{url} answered {response.status}")
        return await response.read()


def _parse(jwks: str) -> jwt.PyJWKSet:
    try:
        return jwt.PyJWKSet.from_json(jwks)
    except (jwt.PyJWTError, ValueError) as error:
        raise IssuerUnreachableError(f"unusable keys: {error}") from error


def _find(keys: jwt.PyJWKSet | None, kid: str | None) -> jwt.PyJWK | None:
    if keys is None:
        return None
    return next((key for key in keys.keys if kid is None or key.key_id == kid), None)
