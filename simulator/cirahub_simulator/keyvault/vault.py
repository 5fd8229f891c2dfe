"""A vault's state: secrets by name, each a list of versions, and an access policy by client."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Literal

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


@dataclass(slots=True)
class Vault:
    """A key vault; its DNS name is `{name}.vault.azure.net`."""

    name: str
    tenant_id: str
    access: dict[str, set[Permission]] = field(default_factory=dict)
    """What each client id may do."""
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
