"""The client credentials grant, by MSAL, blocking.

An application object is made for each token (one an hour): MSAL would hand out its cached token
again where a new one is wanted. Imported only when a token is asked for: MSAL is large.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msal  # type: ignore[import-untyped]
import msgspec
import requests

from cirahub_sync.errors import CirahubError, EndpointUnavailableError, ProtocolError
from cirahub_sync.identity import aadsts
from cirahub_sync.identity.entra import Certificate, Granted, Proof, Secret
from cirahub_sync.network import Route

if TYPE_CHECKING:
    from cirahub_sync.identity.entra import EntraClient

_TIMEOUTS = (10.0, 30.0)
"""Seconds to connect, and between bytes of an answer."""


class Answer(msgspec.Struct, frozen=True):
    result: Granted | CirahubError
    date: float | None = None
    """When the answer was made, by Entra's clock; POSIX seconds. None if it did not say."""


def send(client: EntraClient, scope: str, proof: Proof) -> Answer:
    """Raises what is wrong before Entra has answered; its own refusal is a result."""
    with _Session(client.route) as http:
        try:
            application = msal.ConfidentialClientApplication(
                client.client_id,
                authority=client.authority,
                client_credential=_credential(proof),
                http_client=http,
                instance_discovery=False,
            )
            client.check(application.authority.token_endpoint)
            answer = application.acquire_token_for_client([scope])
        except requests.RequestException as error:
            error.request = None  # Its body is the credential.
            raise _unavailable(client, error) from error
        except OSError as error:
            raise _unavailable(client, error) from error
        except (ValueError, KeyError, msal.exceptions.MsalError) as error:
            if http.garbled:
                raise _garbled(client, "no JSON object") from None
            raise _discovery_failed(client, error) from None
        except (AttributeError, TypeError, RecursionError, RuntimeError) as error:
            # MSAL takes an answer's shape for granted; such an error's text may quote it.
            raise _garbled(client, type(error).__name__) from None
    if http.garbled:
        raise _garbled(client, "no JSON object")
    try:
        return Answer(_result(client, answer), http.date)
    except (ValueError, TypeError, AttributeError, msgspec.ValidationError) as error:
        raise _garbled(client, type(error).__name__) from None


def _result(client: EntraClient, answer: dict[str, object]) -> Granted | CirahubError:
    token = answer.get("access_token")
    if token is None:
        return aadsts.failure(msgspec.convert(_plain(answer), aadsts.Refusal), client.who)
    if not isinstance(token, str):
        raise TypeError
    return Granted(token, float(str(answer.get("expires_in", 0))))


def _credential(proof: Proof) -> object:
    """As MSAL takes it. With `public_certificate` and no `thumbprint`, it signs with PS256 and
    names the certificate by its SHA-256 thumbprint."""
    if isinstance(proof, Secret):
        return proof.value
    if isinstance(proof, Certificate):
        return {"private_key": proof.key, "public_certificate": proof.certificate}
    return {"client_assertion": lambda: proof.token}


def _unavailable(client: EntraClient, error: Exception) -> EndpointUnavailableError:
    return EndpointUnavailableError(
        f"{client.who}: Entra at {urlsplit(client.authority).netloc} cannot be reached "
        f"({type(error).__name__}); check name resolution, proxies, firewalls and the "
        "certificate authority"
    )


def _garbled(client: EntraClient, how: str) -> ProtocolError:
    return ProtocolError(
        f"{client.who}: the answer of {urlsplit(client.authority).netloc} is none of Entra's "
        f"({how}); will be tried again. If it persists, check the network in between"
    )


def _discovery_failed(client: EntraClient, error: Exception) -> CirahubError:
    """MSAL puts the answer's text into a ValueError below its own: only codes are taken."""
    told = f"{error} {error.__context__}"
    refusal = aadsts.Refusal("invalid_tenant", aadsts.codes_in(told))
    if refusal.error_codes:
        return aadsts.failure(refusal, client.who)
    return EndpointUnavailableError(
        f"{client.who}: the tenant's configuration at {urlsplit(client.authority).netloc} "
        "cannot be read; will be tried again. If it persists, check tenantID and cloud"
    )


class _Session(requests.Session):
    """Without redirects, and without what the environment presets: `REQUESTS_CA_BUNDLE` would
    override the certificate authority, `.netrc` the credentials."""

    def __init__(self, route: Route) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = route.ca_file or True
        self.proxies = {"https": route.proxy} if route.proxy else {}
        self.date: float | None = None
        """Of the last answer (RFC 9110 6.6.1)."""
        self.garbled = False
        """Whether an answer was no JSON object."""
        self.adapters.clear()
        self.mount("https://", route.adapter(retries=1))

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        options |= {"allow_redirects": False, "timeout": _TIMEOUTS}
        response = super().send(request, **options)
        try:
            self.date = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
        except ValueError:
            self.date = None
        if response.status_code < 500 and not _is_object(response.content):
            # MSAL would write the answer's text into the log.
            self.garbled = True
            response._content = b"{}"
        return response


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(body), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


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
