"""A vault's state: secrets by name, each a list of versions, and an access policy by client."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass, field
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from cirahub_simulator.clouds import CloudName

Permission = Literal["get", "list", "set"]
"""Secret permissions, as vault access policies name them.

https://learn.microsoft.com/azure/key-vault/general/assign-access-policy
"""


@dataclass(slots=True, kw_only=True)
class SecretVersion:
    """One version of a secret. Times are seconds since the epoch, as Key Vault sends them."""

    value: str = field(repr=False)
    version: str
    created: int
    updated: int
    enabled: bool = True
    not_before: int | None = None
    expires: int | None = None
    content_type: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    certificate: bool = False
    """Whether it is the secret behind a certificate of the same name."""


@dataclass(slots=True)
class Vault:
    """A key vault; its DNS name is `{name}.vault.azure.net` (in the cloud Global)."""

    name: str
    tenant_id: str
    access: dict[str, set[Permission]] = field(default_factory=dict)
    """What each client id may do."""
    cloud: CloudName = "Global"
    """Its tenant's."""
    secrets: dict[str, list[SecretVersion]] = field(default_factory=dict)
    """Versions by secret name, oldest first. Names keep the case of their first use."""

    def put(
        self,
        name: str,
        value: str,
        now: int,
        *,
        enabled: bool = True,
        not_before: int | None = None,
        expires: int | None = None,
        content_type: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> SecretVersion:
        """Add a version; it becomes the current one."""
        version = SecretVersion(
            value=value,
            version=uuid.uuid4().hex,
            created=now,
            updated=now,
            enabled=enabled,
            not_before=not_before,
            expires=expires,
            content_type=content_type,
            tags=dict(tags or {}),
        )
        self.secrets.setdefault(self._stored(name), []).append(version)
        return version

    def import_certificate(self, name: str, value: str, now: int) -> SecretVersion:
        """Add a version of a certificate: what its addressable secret then holds.

        `value` is PEM with the private key, or a PFX without a password in base64. The secret's
        attributes are the certificate's validity. Raises ValueError.
        https://learn.microsoft.com/azure/key-vault/certificates/about-certificates (composition of
        a certificate; attributes mirrored to the addressable key and secret)
        """
        if value.lstrip().startswith("-----BEGIN"):
            content_type = "application/x-pem-file"
            certificate: x509.Certificate | None = x509.load_pem_x509_certificate(value.encode())
        else:
            content_type = "application/x-pkcs12"
            data = base64.b64decode(value, validate=True)
            certificate = pkcs12.load_key_and_certificates(data, None)[1]
        if certificate is None:
            raise ValueError("the PFX holds no certificate")
        made = self.put(
            name,
            value,
            now,
            not_before=int(certificate.not_valid_before_utc.timestamp()),
            expires=int(certificate.not_valid_after_utc.timestamp()),
            content_type=content_type,
        )
        made.certificate = True
        return made

    def versions(self, name: str) -> list[SecretVersion]:
        """All versions, oldest first; empty for an unknown secret. Names ignore case."""
        return self.secrets.get(self._stored(name), [])

    def may(self, client_id: str, permission: Permission) -> bool:
        """Whether the policy lets a client do this."""
        return permission in self.access.get(client_id.lower(), set())

    def allow(self, client_id: str, permissions: set[Permission]) -> None:
        """Replace what a client may do; an empty set locks it out."""
        self.access[client_id.lower()] = set(permissions)

    def _stored(self, name: str) -> str:
        lower = name.lower()
        return next((stored for stored in self.secrets if stored.lower() == lower), name)
