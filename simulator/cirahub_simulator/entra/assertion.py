"""Client assertions: a federated token, or a statement signed with a registered certificate."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.types import Options

from cirahub_simulator.directory import Application, Tenant
from cirahub_simulator.entra import failure
from cirahub_simulator.entra.failure import EntraError
from cirahub_simulator.entra.trust import IssuerUnreachableError
from cirahub_simulator.world import World

LEEWAY = 300
"""Seconds of clock skew that are forgiven."""

_SIGNATURE_ONLY: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
}


async def verify_assertion(
    world: World, tenant: Tenant, application: Application, assertion: str
) -> None:
    """Accept an assertion for an application, or raise EntraError.

    An assertion whose issuer is the client itself is a certificate's
    (https://learn.microsoft.com/entra/identity-platform/certificate-credentials); any other is a
    federated token.
    """
    try:
        header = jwt.get_unverified_header(assertion)
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise failure.malformed_assertion(str(error)) from error
    if str(claims.get("iss", "")).lower() == application.client_id.lower():
        _verify_certificate(world, application, assertion, header)
        if str(claims.get("sub", "")).lower() != application.client_id.lower():
            # RFC 7523 section 3: for client authentication, the subject is the client's id. Which
            # code Entra gives is in no document.
            raise failure.bad_signature("certificate")
        if world.switches.assertion_jti == "required" and not claims.get("jti"):
            raise failure.malformed_assertion("jti is missing.")
        _verify_realm(tenant, claims)
        _verify_time(world, claims)
    else:
        await _verify_federated(world, application, assertion, header, claims)


async def _verify_federated(
    world: World,
    application: Application,
    assertion: str,
    header: dict[str, Any],
    claims: dict[str, Any],
) -> None:
    """Issuer, subject and audience must equal those of one federated credential, by case too.

    https://learn.microsoft.com/graph/api/resources/federatedidentitycredential and
    https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations.
    """
    issuer = str(claims.get("iss", ""))
    subject = str(claims.get("sub", ""))
    audience = claims.get("aud", "")
    audiences = [str(a) for a in audience] if isinstance(audience, list) else [str(audience)]
    _match(world, application, issuer, subject, audiences)
    try:
        key = await world.trust.key(issuer, header.get("kid"))
    except IssuerUnreachableError as error:
        raise failure.issuer_unreachable(issuer, str(error)) from error
    if key is None:
        raise failure.bad_signature("federated")
    try:
        jwt.decode(assertion, key, algorithms=["RS256", "ES256"], options=_SIGNATURE_ONLY)
    except jwt.InvalidTokenError as error:
        raise failure.bad_signature("federated") from error
    _verify_time(world, claims)


def _match(
    world: World, application: Application, issuer: str, subject: str, audiences: list[str]
) -> None:
    switches = world.switches
    error = switches.federation_error
    record = "No matching federated identity record found for presented assertion"
    hint = (
        "Check your federated identity credential Subject, Audience and Issuer against the "
        "presented assertion."
    )
    if not application.federated:
        raise EntraError(
            70021,
            error,
            f"{record}. Assertion Issuer: '{issuer}'. Assertion Subject: '{subject}'. "
            f"Assertion Audience: '{', '.join(audiences)}'.",
        )
    matching = [c for c in application.federated if world.trust.resolve(c.issuer) == issuer]
    if not matching:
        raise EntraError(700211, error, f"{record} issuer '{issuer}'. {hint}")
    matching = [c for c in matching if c.subject == subject]
    if not matching:
        raise EntraError(700213, error, f"{record} subject '{subject}'. {hint}")
    if not any(audience in c.audiences for c in matching for audience in audiences):
        raise EntraError(
            switches.federation_audience_code,
            error,
            f"{record} audience '{', '.join(audiences)}'. {hint}",
        )


def _verify_certificate(
    world: World, application: Application, assertion: str, header: dict[str, Any]
) -> None:
    thumbprint = header.get("x5t#S256")
    digest = "sha256" if thumbprint is not None else "sha1"
    # MSAL pads the value, which RFC 7515 section 4.1.8 has without padding.
    wanted = str(thumbprint or header.get("x5t")).rstrip("=")
    for der in application.certificates:
        if _thumbprint(der, digest) == wanted:
            break
    else:
        raise failure.unusable_certificate("The key was not found.", wanted)
    certificate = x509.load_der_x509_certificate(der)
    now = world.clock.now()
    if now >= certificate.not_valid_after_utc:
        raise failure.unusable_certificate("The key used is expired.", wanted)
    if now < certificate.not_valid_before_utc - timedelta(seconds=LEEWAY):
        raise failure.unusable_certificate("The key used is not yet valid.", wanted)
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise failure.bad_signature("certificate")
    try:
        jwt.decode(assertion, key, algorithms=["RS256", "PS256"], options=_SIGNATURE_ONLY)
    except jwt.InvalidTokenError as error:
        raise failure.bad_signature("certificate") from error


def _verify_realm(tenant: Tenant, claims: dict[str, Any]) -> None:
    audience = str(claims.get("aud", ""))
    names = (tenant.id, tenant.domain)
    if not any(audience.endswith((f"/{n}/oauth2/v2.0/token", f"/{n}/v2.0")) for n in names):
        raise failure.assertion_audience()


def _thumbprint(der: bytes, digest: str) -> str:
    # SHA-1 only names the certificate here; MSAL still sends it for older keys.
    value = hashlib.new(digest, der, usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _verify_time(world: World, claims: dict[str, Any]) -> None:
    now = world.clock.time()
    start, end = float(claims.get("nbf", 0)), float(claims.get("exp", 0))
    if now > end + LEEWAY or now < start - LEEWAY:
        raise failure.assertion_time(
            datetime.fromtimestamp(now, UTC),
            datetime.fromtimestamp(start, UTC),
            datetime.fromtimestamp(end, UTC),
        )
