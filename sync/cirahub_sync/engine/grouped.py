"""Which groups a spoke's filters name, and in which directory each is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from cirahub_sync.configuration import (
    ConnectionConfig,
    Filter,
    MailContactsTarget,
    SpokeConfig,
)
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.filter import asks_for_groups
from cirahub_sync.model.group import GroupRef, groups_of


class Groups(msgspec.Struct, frozen=True):
    """Keys of groups: the same for spokes that read one group through one connection. What one
    connection may read, nobody learns through another."""

    keys: Mapping[GroupRef, str] = {}
    contributes: frozenset[str] = frozenset()
    """Those that the filter of what it contributes names."""
    receives: frozenset[str] = frozenset()

    @property
    def any(self) -> bool:
        return bool(self.keys)


NO_GROUPS = Groups()
_NO_FILTER = Filter()


def groups_asked(config: SpokeConfig) -> Groups:
    """Of the flows that the spoke's direction has, and of what it hides. Raises
    ConfigurationError."""
    sides = (
        _named(config.contributes.filter) if config.direction.contributes else (),
        (*_named(config.receives.filter), *_named(hidden_by(config) or _NO_FILTER))
        if config.direction.receives
        else (),
    )
    if not any(sides):
        return NO_GROUPS
    keys = {ref: _key(directory_of(config, ref), ref) for side in sides for ref in side}
    into, out = (frozenset(keys[ref] for ref in side) for side in sides)
    return Groups(keys, into, out)


def hidden_by(config: SpokeConfig) -> Filter | None:
    """Which of the spoke's copies address lists don't show. None: it says nothing about that."""
    return config.target.hide if isinstance(config.target, MailContactsTarget) else None


def directories_asked(config: SpokeConfig) -> tuple[ConnectionConfig, ...]:
    """The connections in whose directories the spoke's filters look. Raises ConfigurationError."""
    found = [directory_of(config, ref) for ref in groups_asked(config).keys]
    return tuple(dict.fromkeys(found))


def directory_of(config: SpokeConfig, ref: GroupRef) -> ConnectionConfig:
    """The connection through which the group is read. Raises ConfigurationError."""
    if not ref.connection or ref.connection == config.connection.name:
        return config.connection
    for connection in config.directories:
        if connection.name == ref.connection:
            return connection
    raise ConfigurationError(
        f"filter: group: there is no connection {ref.connection} whose directory could be asked"
    )


def _named(named: Filter) -> Sequence[GroupRef]:
    return tuple(groups_of(named)) if asks_for_groups(named) else ()


def _key(connection: ConnectionConfig, ref: GroupRef) -> str:
    parts = (connection.uid, connection.tenant_id.lower(), ref.group)
    return hashlib.blake2b(msgspec.msgpack.encode(parts), digest_size=16).hexdigest()
