"""Signing in to Entra: the client credentials grant, by MSAL in a thread.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow. An
application object is made for each token (one an hour): MSAL would hand out its cached token again
where a new one is wanted.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import msal  # type: ignore[import-untyped]
import msgspec
import requests

from cirahub_sync.configuration import Cloud
from cirahub_sync.errors import CirahubError, CredentialError, EndpointUnavailableError
from cirahub_sync.identity import aadsts
from cirahub_sync.network import Route
from cirahub_sync.origins import HOSTS, Origins

_TIMEOUTS = (10.0, 30.0)
"""Seconds to connect, and between bytes of an answer."""


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


Proof = Secret | Assertion


class Granted(msgspec.Struct, frozen=True):
    token: str
    expires_in: float
    """Seconds from now."""

    def __repr__(self) -> str:
        return f"Granted(expires_in={self.expires_in})"


class EntraClient:
    """One application in one tenant."""

    def __init__(
        self, *, tenant_id: str, client_id: str, cloud: Cloud, origins: Origins, name: str
    ) -> None:
        authority = HOSTS[cloud].authority
        self.tenant_id = tenant_id
        self.who = f"{name} (tenant {tenant_id}, client {client_id})"
        """For messages."""
        self._client_id = client_id
        self._route = Route(authority, origins, self.who)
        self._authority = f"{self._route.url}/{tenant_id}"

    async def acquire(self, scope: str, proof: Proof) -> Granted:
        """A token, by one request and one for the tenant's configuration.

        Raises CredentialError and EndpointUnavailableError.
        """
        return await asyncio.to_thread(self._acquire, scope, proof)

    def _acquire(self, scope: str, proof: Proof) -> Granted:
        with _Session(self._route) as http:
            try:
                application = msal.ConfidentialClientApplication(
                    self._client_id,
                    authority=self._authority,
                    client_credential=(
                        proof.value
                        if isinstance(proof, Secret)
                        else {"client_assertion": lambda: proof.token}
                    ),
                    http_client=http,
                    instance_discovery=False,
                )
                self._check(application.authority.token_endpoint)
                answer = application.acquire_token_for_client([scope])
            except requests.RequestException as error:
                error.request = None  # Its body is the credential.
                raise self._unavailable(error) from error
            except OSError as error:
                raise self._unavailable(error) from error
            except (ValueError, KeyError, msal.exceptions.MsalError) as error:
                raise self._discovery_failed(error) from None
        if "access_token" in answer:
            return Granted(str(answer["access_token"]), float(answer.get("expires_in", 0)))
        raise aadsts.failure(msgspec.convert(_plain(answer), aadsts.Refusal), self.who)

    def _check(self, endpoint: object) -> None:
        """The tenant's configuration names the token endpoint; a credential goes to no other
        origin than the authority's own."""
        asked, named = urlsplit(self._authority), urlsplit(str(endpoint))
        if (asked.scheme, asked.netloc.lower()) != (named.scheme, named.netloc.lower()):
            raise CredentialError(
                f"{self.who}: the tenant's configuration names a token endpoint of another "
                "origin; nothing was sent there. Check the network between here and Entra",
                reason="AuthorityMismatch",
            )

    def _unavailable(self, error: Exception) -> EndpointUnavailableError:
        return EndpointUnavailableError(
            f"{self.who}: Entra at {urlsplit(self._authority).netloc} cannot be reached "
            f"({type(error).__name__}); check name resolution, proxies, firewalls and the "
            "certificate authority"
        )

    def _discovery_failed(self, error: Exception) -> CirahubError:
        """MSAL puts the answer's text into a ValueError below its own: only codes are taken."""
        told = f"{error} {error.__context__}"
        refusal = aadsts.Refusal("invalid_tenant", aadsts.codes_in(told))
        if refusal.error_codes:
            return aadsts.failure(refusal, self.who)
        return EndpointUnavailableError(
            f"{self.who}: the tenant's configuration at {urlsplit(self._authority).netloc} "
            "cannot be read; will be tried again. If it persists, check tenantId and cloud"
        )


class _Session(requests.Session):
    """Without redirects, and without what the environment presets: `REQUESTS_CA_BUNDLE` would
    override the certificate authority, `.netrc` the credentials."""

    def __init__(self, route: Route) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = route.ca_file or True
        self.proxies = {"https": route.proxy} if route.proxy else {}
        self.adapters.clear()
        self.mount("https://", route.adapter(retries=1))

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        options |= {"allow_redirects": False, "timeout": _TIMEOUTS}
        return super().send(request, **options)


def _plain(answer: dict[str, object]) -> dict[str, object]:
    """The members of a refusal, those of another type left out."""
    codes = answer.get("error_codes")
    plain: dict[str, object] = {
        name: answer[name]
        for name in ("error", "trace_id", "correlation_id")
        if isinstance(answer.get(name), str)
    }
    plain["error_codes"] = (
        [code for code in codes if isinstance(code, int)]
        if isinstance(codes, list)
        else aadsts.codes_in(str(answer.get("error_description", "")))
    )
    return plain
