"""A hub: how it merges, and what it asks people about."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from cirahub_sync.configuration.target import ItemKind


class ConflictPolicy(StrEnum):
    NEWEST = "Newest"
    HUB = "Hub"
    PRIORITY = "Priority"
    MANUAL = "Manual"


class ListPolicy(StrEnum):
    """What becomes of lists that spokes have filled unaware of each other."""

    UNION = "Union"
    SOURCE_WINS = "SourceWins"
    INTERSECT = "Intersect"


class Approval(StrEnum):
    """Whether what a pass would write waits for a person."""

    AUTOMATIC = "Automatic"
    MANUAL = "Manual"


class DeletedBy(StrEnum):
    """Whose deletion an item dies of."""

    ANY_CONTRIBUTOR = "AnyContributor"
    ALL_CONTRIBUTORS = "AllContributors"
    NEVER = "Never"


class DailyLimits(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of a receiver, in any 24 hours; None: twice what one pass may."""

    max_count: int | None = None
    max_percent: int | None = None


class DeletionLimits(msgspec.Struct, frozen=True, omit_defaults=True):
    grace_period: float = 86_400.0
    """Seconds between an item's last contribution going and its copies being deleted."""
    max_count: int = 50
    max_percent: int = 20
    """Of a receiver's copies, in one pass. Deletions above either limit wait for approval."""
    per_day: DailyLimits = DailyLimits()
    allowed_by: DeletedBy = DeletedBy.ALL_CONTRIBUTORS
    keep_for: float = 2_592_000.0
    """Seconds for which what a spoke's user deleted or changed can be brought back."""

    @property
    def kept(self) -> float:
        """For how long it is: never less than a deletion has its grace."""
        return max(self.keep_for, self.grace_period)


class FieldRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is different about one field; `field` as in Condition. None: as for the others."""

    field: str
    policy: ConflictPolicy | None = None
    lists: ListPolicy | None = None


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far back and ahead of now events are looked at, in seconds."""

    past: float = 30 * 86_400.0
    future: float = 365 * 86_400.0


class HubConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    uid: str
    name: str
    match_on: tuple[str, ...] = ("email",)
    """Keys in order: `email`, `phone`, `nameAndCompany`, `custom:NAME`."""
    conflict_policy: ConflictPolicy = ConflictPolicy.NEWEST
    field_rules: tuple[FieldRule, ...] = ()
    priority: tuple[str, ...] = ()
    """Names of spokes, `namespace/name`, that Priority prefers, the first one most."""
    deletion: DeletionLimits = DeletionLimits()
    approval: Approval = Approval.AUTOMATIC
    plan_expiry: float = 86_400.0
    """Seconds for which a plan can be approved, and its approval counts (Manual)."""
    default_region: str = "US"
    """ISO 3166 region of phone numbers without a country code, where a spoke has none itself."""
    item_kind: ItemKind = ItemKind.CONTACT
    window: Window = Window()
    """Of a hub of events."""
    group_interval: float = 900.0
    """Seconds between two readings of a group that a filter names."""
    photo_interval: float | None = None
    """Seconds between two looks at a photo that does not change. None: photos are not synced."""
