"""A spoke: its place, and what passes there."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from cirahub_sync.configuration.connection import ConnectionConfig
from cirahub_sync.configuration.flow import Flow
from cirahub_sync.configuration.target import AnyTarget


class Direction(StrEnum):
    CONTRIBUTE = "Contribute"
    TWO_WAY = "TwoWay"
    RECEIVE = "Receive"

    @property
    def contributes(self) -> bool:
        return self is not Direction.RECEIVE

    @property
    def receives(self) -> bool:
        return self is not Direction.CONTRIBUTE


class OnUserDelete(StrEnum):
    REMEMBER = "Remember"
    RESTORE = "Restore"


class Adopt(StrEnum):
    """What becomes of a mailbox's own contacts when they are seen for the first time."""

    MATCH = "Match"
    """One that matches an item of the hub is that item from then on."""
    NEVER = "Never"
    """Each is an item of its own; neither does it match others, nor do others match it."""


class PrivateItems(StrEnum):
    """What a spoke contributes of events that their owner marked private or confidential."""

    SKIP = "Skip"
    """Nothing."""
    MASK = "Mask"
    """When they are."""


class SpokeConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    uid: str
    name: str
    connection: ConnectionConfig
    target: AnyTarget
    direction: Direction = Direction.CONTRIBUTE
    contributes: Flow = Flow()
    receives: Flow = Flow()
    on_user_delete: OnUserDelete = OnUserDelete.REMEMBER
    verify_interval: float = 86_400.0
    """Seconds between looks at a Receive spoke for what its user did to the copies."""
    never_sync: tuple[str, ...] = ()
    """Fields, by their names in manifests, that pass in neither direction and are not kept."""
    adopt: Adopt = Adopt.MATCH
    default_region: str = ""
    """ISO 3166 region in which its phone numbers without a country code are read, for matching and
    by a mapping that formats them; blank: the hub's."""
    private_items: PrivateItems = PrivateItems.SKIP
    stages: tuple[int, ...] = ()
    """Of its first sync, ascending: how many items may have come before a person lets more in.
    After the last of them, all. None: nobody is asked."""
    photos: bool = True
    """Whether photos of contacts are read and written there, where the hub syncs any."""
    directories: tuple[ConnectionConfig, ...] = ()
    """Connections, other than its own, in whose directories its filters look for groups."""
