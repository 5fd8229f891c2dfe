"""What a refusal of Entra's token endpoint means, and what to do about it.

https://learn.microsoft.com/entra/identity-platform/reference-error-codes. Of an answer only codes
and ids are kept: descriptions are the remote's own words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from cirahub_sync.errors import CirahubError, CredentialError, EndpointUnavailableError


class Refusal(msgspec.Struct, frozen=True):
    """The body of a failed token request (RFC 6749 5.2, with Entra's additions)."""

    error: str = ""
    error_codes: list[int] = []
    trace_id: str = ""
    correlation_id: str = ""


class _Meaning(msgspec.Struct, frozen=True):
    reason: str
    remedy: str


_ASSERTION = _Meaning(
    "AssertionRejected",
    "compare issuer, subject and audience of the application's federated credential with the "
    "cluster's issuer and the ServiceAccount",
)
_TENANT = _Meaning(
    "TenantNotFound",
    "correct tenantID, or create a Connection whose cloud is the tenant's",
)
_CLIENT = _Meaning(
    "ClientNotFound",
    "correct clientID, or have an administrator consent to the application in this tenant",
)
_CONSENT = _Meaning(
    "ConsentMissing", "have an administrator consent to the application in this tenant"
)
_CLOUD = _Meaning(
    "WrongCloud",
    "the tenant lives in another of Microsoft's clouds: create a Connection with its cloud",
)

_MEANINGS: Mapping[int, _Meaning] = {
    90002: _TENANT,
    900023: _TENANT,
    90038: _CLOUD,
    900382: _CLOUD,
    900432: _CLOUD,
    900439: _CLOUD,
    700016: _CLIENT,
    700011: _CLIENT,
    70001: _CLIENT,
    65001: _CONSENT,
    650056: _CONSENT,
    90094: _CONSENT,
    7000112: _Meaning("ClientDisabled", "enable the application in this tenant"),
    7000215: _Meaning(
        "SecretInvalid", "store the client secret's value (not its id) where the connection says"
    ),
    7000222: _Meaning("SecretExpired", "make a new client secret and store it"),
    700027: _Meaning(
        "CertificateRejected",
        "register the certificate's public part with the application, under Certificates & "
        "secrets, or store the one that is registered there",
    ),
    70021: _ASSERTION,
    700211: _ASSERTION,
    700212: _ASSERTION,
    700213: _ASSERTION,
    700214: _ASSERTION,
    7002121: _ASSERTION,
    700023: _ASSERTION,
    50013: _ASSERTION,
    50027: _ASSERTION,
    700024: _Meaning(
        "AssertionExpired", "check the clocks of the cluster and that its tokens are renewed"
    ),
    53003: _Meaning(
        "ConditionalAccess", "exclude the application from the policy that blocks it, or its place"
    ),
    500011: _Meaning("ResourceNotFound", "create a Connection whose cloud is that of the tenant"),
}
_TRANSIENT = frozenset({50000, 90001, 90006, 90012, 90020, 90024, 90033, 50196})
"""Entra's own troubles and time-outs."""
_ISSUER_UNREACHABLE = 90061
"""https://azure.github.io/azure-workload-identity/docs/troubleshooting.html"""
_CODE = re.compile(r"AADSTS(\d{4,8})\b")
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_OAUTH = re.compile(r"[a-z_]{1,40}")


def codes_in(text: str) -> list[int]:
    """The AADSTS codes that a text names, where a client hands over nothing else."""
    return [int(code) for code in _CODE.findall(text)]


def failure(refusal: Refusal, who: str) -> CirahubError:
    """The error that a refusal is. `who` names connection, tenant and client id."""
    parts = [f"AADSTS{code}" for code in refusal.error_codes[:3]]
    if not parts and _OAUTH.fullmatch(refusal.error):
        parts = [refusal.error]
    for name, value in (("trace", refusal.trace_id), ("correlation", refusal.correlation_id)):
        if _ID.fullmatch(value):
            parts.append(f"{name} {value}")
    text = f"{who}: Entra refused to sign in ({', '.join(parts) or 'without a code'})"
    for code in refusal.error_codes:
        meaning = _MEANINGS.get(code)
        if meaning is not None:
            return CredentialError(f"{text}; {meaning.remedy}", reason=meaning.reason)
        if code == _ISSUER_UNREACHABLE:
            return EndpointUnavailableError(
                f"{text}; Entra could not read the cluster's issuer: its discovery document has to "
                "be reachable from the internet"
            )
        if code in _TRANSIENT:
            return EndpointUnavailableError(f"{text}; will be tried again")
    if refusal.error in ("temporarily_unavailable", "server_error"):
        return EndpointUnavailableError(f"{text}; will be tried again")
    return CredentialError(
        f"{text}; look the code up at https://login.microsoftonline.com/error, and check the "
        "application's sign-in log"
    )
