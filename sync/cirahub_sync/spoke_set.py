"""Sets of spokes: one template for many mailboxes, whose members live in the store as rows.

A member takes part in a pass as a spoke like any other, made of the template and of its row. Its
uid comes from the hub, the set, the tenant and the mailbox's object id, so that it stays when the
mailbox is renamed and when the set is declared anew.
"""

from __future__ import annotations

import math
import uuid
from enum import StrEnum

import msgspec

from cirahub_sync.configuration import SpokeConfig

_UIDS = uuid.UUID("a7d0b7de-3f5b-4c1c-9d0e-6f3c7a2a5b18")


class MemberSource(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who the members are: everybody whom one of `mailboxes`, `groups` and `filter` names, but for
    those that the others keep out."""

    mailboxes: tuple[str, ...] = ()
    """User principal names or primary addresses."""
    groups: tuple[str, ...] = ()
    """Ids or addresses; of nested groups, too."""
    filter: str = ""
    """An OData `$filter` over the directory's users."""
    excluding: tuple[str, ...] = ()
    """Addresses, or object ids."""
    opt_in: str = ""
    """A group; if there is one, only its members are members."""
    opt_out: str = ""
    """A group whose members are none."""

    @property
    def by_group(self) -> bool:
        """Whether any group has to be read for it."""
        return bool(self.groups or self.opt_in or self.opt_out)


class LeaverLimits(msgspec.Struct, frozen=True, omit_defaults=True):
    """What protects members from a reading that is wrong."""

    grace_period: float = 86_400.0
    """Seconds between leaving and being erased."""
    max_count: int = 50
    max_percent: int = 20
    """Of the members, at one reading; more wait for approval. Twice as many in 24 hours."""

    def allowance(self, members: int) -> int:
        """How many of so many may leave at once; one always may."""
        return min(self.max_count, max(1, math.ceil(members * self.max_percent / 100)))


class SpokeSetConfig(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    uid: str
    name: str
    """`namespace/name`."""
    source: MemberSource
    template: SpokeConfig
    """With a target that has no address, and the set's own uid and name."""
    interval: float = 900.0
    """Seconds between two readings of who the members are."""
    suspend: bool = False
    retain: bool = False
    """Whether the copies of who leaves stay."""
    leavers: LeaverLimits = LeaverLimits()
    asked: str = ""
    """When it changes, the members are read now, and all that fail are tried again."""


class MemberState(StrEnum):
    PENDING = "Pending"
    """Not synced yet, or something of it waits."""
    READY = "Ready"
    FAILED = "Failed"
    """Left alone for now: its reason says why."""
    SUSPENDED = "Suspended"
    """By a person."""
    LEAVING = "Leaving"
    """No member any more, and erased when its grace period is over."""


class ToldMember(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A member as a person with access to the store may see it: personal data."""

    set: str
    """`namespace/name`."""
    id: str
    addresses: tuple[str, ...]
    state: MemberState
    reason: str = ""
    message: str = ""
    joined_at: float = 0.0
    retry_at: float = 0.0
    """POSIX seconds; until then it is left alone."""


def member_uid(hub: str, one: SpokeSetConfig, member: str) -> str:
    """Of the spoke that the member is."""
    tenant = one.template.connection.tenant_id.lower()
    return str(uuid.uuid5(_UIDS, f"{hub}\0{one.uid}\0{tenant}\0{member}"))


def member_config(one: SpokeSetConfig, member: str, uid: str, address: str) -> SpokeConfig:
    """`address`: what leads to the mailbox; its object id, unless that is not known."""
    return msgspec.structs.replace(
        one.template,
        uid=uid,
        name=f"{one.name}/{member}",
        target=msgspec.structs.replace(one.template.target, address=address),
    )
