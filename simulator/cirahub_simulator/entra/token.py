"""Access tokens: issued by the token endpoint, verified by every service.

Claims follow https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
Graph and Key Vault take v1.0 tokens, whose issuer is `https://sts.windows.net/{tenant}/`.
"""

from __future__ import annotations

import base64
import hashlib
import uuid

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from cirahub_simulator.clock import Clock
from cirahub_simulator.clouds import CLOUDS
from cirahub_simulator.directory import Application, Principal, Tenant

GRAPH = "https://graph.microsoft.com"
VAULT = "https://vault.azure.net"
OUTLOOK = "https://outlook.office365.com"
OUTLOOK_ROLES = frozenset(("Exchange.ManageAsApp", "full_access_as_app"))
"""App roles of Exchange Online; every other role is Graph's."""
GRAPH_ID = "00000003-0000-0000-c000-000000000000"
VAULT_ID = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
DATABASES_ID = "123cd850-d9df-40bd-94d5-c9f07b7fa203"
"""Azure OSSRDBMS Database."""
SQL_ID = "022907d3-0f1b-48f7-badc-1ba6abab6d66"
"""Azure SQL Database."""

RESOURCES: dict[str, str] = {
    **{cloud.graph: GRAPH_ID for cloud in CLOUDS.values()},
    **{cloud.vault: VAULT_ID for cloud in CLOUDS.values()},
    **{cloud.databases: DATABASES_ID for cloud in CLOUDS.values()},
    **{cloud.sql: SQL_ID for cloud in CLOUDS.values()},
    OUTLOOK: "00000002-0000-0ff1-ce00-000000000000",
}
"""Resource and its application id.

https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in
"""

ROLE_TEMPLATES = {
    "Exchange Administrator": "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "Exchange Recipient Administrator": "31392ffb-586c-42d1-9346-e59415a2cc4e",
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
}
"""Roles of Entra ID and their template ids, which a token's `wids` holds.

https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference and
https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

LIFETIME = 3599
"""Seconds; the `expires_in` of the documented example of the client credentials grant.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

CACHED = 4096


class InvalidTokenError(Exception):
    """A token that a service doesn't accept."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        """`malformed`, `signature`, `expired`, `early` or `audience`."""


class _Verified:
    __slots__ = ("audience", "expires", "not_before", "principal")

    def __init__(self, principal: Principal, claims: dict[str, object]) -> None:
        self.principal = principal
        self.audience = str(claims["aud"])
        self.expires = float(str(claims["exp"]))
        self.not_before = float(str(claims["nbf"]))


class TokenAuthority:
    """The signing key, and the tokens signed with it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self._key.public_key().public_numbers()
        modulus = _base64(numbers.n.to_bytes(256, "big"))
        self.kid = _base64(hashlib.sha256(modulus.encode()).digest())[:27]
        self._jwk = {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": modulus,
            "e": _base64(numbers.e.to_bytes(3, "big")),
        }
        self.lifetime = LIFETIME
        self._verified: dict[str, _Verified] = {}

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public key, as the discovery document's `jwks_uri` serves it (RFC 7517)."""
        return {"keys": [self._jwk]}

    def issue(
        self, tenant: Tenant, application: Application, resource: str, audience: str, acr: str
    ) -> str:
        """An app-only token. `acr` is `1` for a secret and `2` for a certificate or federation.

        `roles` holds what is granted at this moment: a role revoked later stays in the token until
        it expires (https://learn.microsoft.com/graph/auth/auth-concepts, access tokens).
        """
        now = int(self._clock.time())
        object_id = str(uuid.uuid5(uuid.UUID(tenant.id), application.client_id))
        issuer = f"{CLOUDS[tenant.cloud].issuer}{tenant.id}/"
        claims: dict[str, object] = {
            "aud": audience,
            "iss": issuer,
            "iat": now,
            "nbf": now,
            "exp": now + self.lifetime,
            "app_displayname": application.display_name,
            "appid": application.client_id,
            "appidacr": acr,
            "idp": issuer,
            "idtyp": "app",
            "oid": object_id,
            "sub": object_id,
            "tid": tenant.id,
            "uti": _base64(uuid.uuid4().bytes),
            "ver": "1.0",
        }
        granted = application.granted.get(tenant.id, set())
        roles: set[str] = set()
        if RESOURCES[resource] == GRAPH_ID:
            roles = granted - OUTLOOK_ROLES
        elif resource == OUTLOOK:
            roles = granted & OUTLOOK_ROLES
        if roles:
            claims["roles"] = sorted(roles)
        assigned = application.directory_roles.get(tenant.id, set())
        if assigned:
            claims["wids"] = sorted(ROLE_TEMPLATES[role] for role in assigned)
        return jwt.encode(
            claims, self._key, algorithm="RS256", headers={"kid": self.kid, "x5t": self.kid}
        )

    def verify(self, token: str, resource: str) -> Principal:
        """The caller of a token meant for this resource. Raises InvalidTokenError.

        The signature is checked once for each token; its times, by the simulator's clock, always.
        """
        verified = self._verified.get(token)
        if verified is None:
            verified = self._check(token)
            if len(self._verified) >= CACHED:
                self._verified.clear()
            self._verified[token] = verified
        now = self._clock.time()
        if now >= verified.expires:
            raise InvalidTokenError("expired", "Lifetime validation failed, the token is expired.")
        if now < verified.not_before - 300:
            raise InvalidTokenError(
                "early", "Lifetime validation failed, the token is not yet valid."
            )
        if verified.audience.rstrip("/") not in (resource, RESOURCES.get(resource, resource)):
            raise InvalidTokenError("audience", verified.audience)
        return verified.principal

    def _check(self, token: str) -> _Verified:
        try:
            claims = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=["RS256"],
                options={
                    "verify_aud": False,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidSignatureError as error:
            raise InvalidTokenError("signature", "Signature validation failed.") from error
        except jwt.InvalidTokenError as error:
            raise InvalidTokenError("malformed", "JWT is not well formed.") from error
        principal = Principal(
            tenant_id=str(claims["tid"]),
            client_id=str(claims["appid"]),
            roles=frozenset(str(role) for role in claims.get("roles", ())),
        )
        return _Verified(principal, claims)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
