"""`Hub`: the one merged collection."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cirahub_operator.api.conflict import ConflictSpec
from cirahub_operator.api.duration import between
from cirahub_operator.api.meta import (
    AGE_COLUMN,
    API_VERSION,
    APPROVE,
    READY_COLUMNS,
    Column,
    Kind,
    Model,
    Resource,
    Rule,
    Status,
    StatusModel,
)
from cirahub_operator.api.photo import PhotoSpec
from cirahub_operator.api.text import Matching, Region
from cirahub_sync.configuration import (
    Approval,
    ConflictPolicy,
    DeletedBy,
    ItemKind,
)

WORST_SPOKES = 10
"""How many failing spokes a Hub's status names."""
LEAVING_SPOKES = 10
"""How many of those that leave it names."""
STAGED_SPOKES = 10
"""How many of those whose first sync waits for its next stage it names."""


class DeletionPolicy(StrEnum):
    """What becomes of the copies when the object that made them is deleted."""

    ERASE = "Erase"
    RETAIN = "Retain"


class RunnerKind(StrEnum):
    """Where a pass does what it does at mailboxes."""

    INLINE = "Inline"
    JOB = "Job"


MatchKey = Annotated[
    str,
    Matching(
        pattern="^(email|phone|nameAndCompany|custom:.{1,64})$",
        message="match on email, phone, nameAndCompany or custom:NAME",
        max_length=80,
    ),
]


AdmittedNamespace = Annotated[
    str,
    Matching(
        pattern="^([*]|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$",
        message="write the name of a namespace, or * for all of them",
        max_length=63,
    ),
]


class DailyDeletionSpec(Model):
    """How many deletions may go in a day without anybody being asked."""

    max_count: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(
        default=None,
        description="Deletions in one receiver in any 24 hours above which they wait for approval. "
        "Default: twice `maxCount`.",
    )
    max_percent: Annotated[int, Field(ge=0, le=100)] | None = Field(
        default=None,
        description="The same, in percent of the copies that the receiver had before. Default: "
        "twice `maxPercent`.",
    )


class DeletionSpec(Model):
    """How deletions travel: late, and never too many at once."""

    allowed_by: DeletedBy = Field(
        default=DeletedBy.ALL_CONTRIBUTORS,
        description="Whose deletion an item dies of. AllContributors: it lives as long as anybody "
        "contributes it. AnyContributor: it dies as soon as one who contributes it deletes it, and "
        "goes from TwoWay mailboxes to their bin, also where it is their own. Never: it stays "
        "although nobody contributes it any more.",
    )
    keep_for: Annotated[str, between("0s", "8760h")] = Field(
        default="720h",
        description="How long what a mailbox's user deleted or changed can be brought back with "
        "`cirahub restore`; never less than `gracePeriod`.",
    )
    grace_period: Annotated[str, between("0s", "8760h")] = Field(
        default="24h",
        description="How long after an item's last contribution is gone its copies are deleted; "
        "and how long a deleted Spoke, or the deleted Hub, can be created again before it is "
        "erased.",
    )
    max_count: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=50,
        description="Deletions in one receiver and pass above which they wait for approval.",
    )
    max_percent: Annotated[int, Field(ge=0, le=100)] = Field(
        default=20,
        description="Deletions, in percent of a receiver's copies, above which they wait for "
        "approval.",
    )
    per_day: DailyDeletionSpec = Field(
        default=DailyDeletionSpec(),
        description="The limits over 24 hours, so that many small passes can't empty a mailbox. "
        "What was approved is not counted.",
    )


class WindowSpec(Model):
    """How far a Hub of events looks."""

    past: Annotated[str, between("0s", "87600h")] = Field(
        default="720h", description="How far back, in hours; 720h is 30 days."
    )
    future: Annotated[str, between("24h", "87600h")] = Field(
        default="8760h", description="How far ahead, in hours; 8760h is 365 days."
    )


class HubSpec(Model):
    """The merged collection, and how its contents are kept."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="!has(self.photos) || self.itemKind == 'Contact'",
            message="photos are of contacts: leave them out where itemKind is Event",
            holds=lambda self: self.photos is None or self.item_kind is ItemKind.CONTACT,
        ),
        Rule(
            rule="!has(self.photos) || self.approval == 'Automatic'",
            message="a plan does not show photos, so none is written where writes wait for its "
            "approval: leave photos out, or set approval to Automatic",
            holds=lambda self: self.photos is None or self.approval is Approval.AUTOMATIC,
        ),
        Rule(
            rule="!has(self.window) || self.itemKind == 'Event'",
            message="window is for a Hub of events: set itemKind to Event, or leave it out",
            holds=lambda self: self.window is None or self.item_kind is ItemKind.EVENT,
        ),
        Rule(
            rule="(self.conflictPolicy != 'Priority' && !(has(self.conflicts) && "
            "has(self.conflicts.fields) && self.conflicts.fields.exists(one, has(one.policy) && "
            "one.policy == 'Priority'))) || (has(self.conflicts) && has(self.conflicts.priority) "
            "&& size(self.conflicts.priority) > 0)",
            message="Priority wants to know whom to prefer: name Spokes in conflicts.priority",
            holds=lambda self: (
                bool(self.conflicts.priority)
                or ConflictPolicy.PRIORITY
                not in {self.conflict_policy, *(one.policy for one in self.conflicts.fields)}
            ),
        ),
    )
    field_rules: ClassVar[dict[str, tuple[Rule, ...]]] = {
        "itemKind": (
            Rule(
                rule="self == oldSelf",
                message="itemKind can't be changed: create another Hub for items of another kind",
            ),
        ),
    }

    item_kind: ItemKind = Field(
        default=ItemKind.CONTACT,
        description="What the hub holds: Contact, from Spokes with a mailbox; or Event, from "
        "Spokes with a calendar.",
    )
    window: WindowSpec | None = Field(
        default=None,
        description="With Event: which events are looked at, as seen from now; it moves by whole "
        "days. What is outside is left as it is: nothing is deleted for it, and no copies are made "
        "before an event comes in.",
    )
    interval: Annotated[str, between("5s", "168h")] = Field(
        default="5m",
        description="Time between passes, like 5m or 1h30m; from 5s to 168h. A tenth of it is "
        "random.",
    )
    group_interval: Annotated[str, between("1m", "168h")] = Field(
        default="15m",
        description="How old what is known of a group may be that a filter names, before a pass "
        "reads it again; from 1m to 168h.",
    )
    photos: PhotoSpec | None = Field(
        default=None,
        description="Sync photos of contacts, between mailboxes of Microsoft 365. Without it, none "
        "is read, kept or written.",
    )
    suspend: bool = Field(
        default=False, description="Stop syncing until this is false again. Nothing is deleted."
    )
    runner: RunnerKind = Field(
        default=RunnerKind.INLINE,
        description="Where a pass reads mailboxes and writes to them. Inline: in the operator. "
        "Job: in pods of Jobs, each with some of the mailboxes, for hubs whose passes take long. "
        "That needs PostgreSQL, an operator that was given a worker template, and credentials that "
        "are kept in no Secret of the cluster.",
    )
    match_on: Annotated[tuple[MatchKey, ...], Field(min_length=1, max_length=8)] = Field(
        default=("email",),
        description="What makes items of different spokes the same one, at first sight, in this "
        "order: `email`, `phone`, `nameAndCompany`, `custom:NAME`. Ambiguous ones stay apart. "
        "Events are the same by their iCalendar UID, whatever stands here.",
    )
    conflict_policy: ConflictPolicy = Field(
        default=ConflictPolicy.NEWEST,
        description="Whose value wins when two spokes change one field, unaware of each other: "
        "the Newest, the one the Hub has already, by Priority that of the spoke that "
        "`conflicts.priority` names first; or, with Manual, the one that a person chooses by "
        "`cirahub conflicts` (until then, the one the Hub has). The other is kept in the conflict "
        "record. A change applies to what is there, too.",
    )
    conflicts: ConflictSpec = Field(
        default=ConflictSpec(),
        description="Who is preferred, and what is different about certain fields.",
    )
    deletion: DeletionSpec = Field(
        default=DeletionSpec(), description="How deletions travel: late, and never too many."
    )
    approval: Approval = Field(
        default=Approval.AUTOMATIC,
        description="Automatic: a pass writes what it finds to be due. Manual: it reads and "
        "merges, and what it would write waits as a plan (`status.plan`) until the annotation "
        f"{APPROVE} names the plan's id. Erasing what somebody put in waits for nobody.",
    )
    plan_expiry: Annotated[str, between("1m", "8760h")] = Field(
        default="24h",
        description="With `approval: Manual`: how long a plan can be approved, and how long its "
        "approval counts for what could not be written at once.",
    )
    default_region: Region = Field(
        default="US",
        description="ISO 3166 region in which phone numbers without a country code are read, when "
        "they are compared, where neither Spoke nor Connection names one. Values keep their "
        "spelling.",
    )
    allowed_namespaces: Annotated[tuple[AdmittedNamespace, ...], Field(max_length=64)] = Field(
        default=(),
        description="Other namespaces whose Spokes may name this Hub in `hubRef.namespace`, by "
        "name; `*` is all of them. Spokes of this namespace always may. Taking a name away stops "
        "the sync of its Spokes and keeps what they contributed; deleting them erases that.",
    )
    deletion_policy: DeletionPolicy = Field(
        default=DeletionPolicy.ERASE,
        description="When this Hub is deleted: Erase the copies that it made in mailboxes, or "
        "Retain them there.",
    )


class WorstSpoke(StatusModel):
    """A spoke that is not ready."""

    name: str = Field(
        description="The Spoke's metadata.name; of another namespace: `namespace/name`."
    )
    reason: str = Field(description="The reason of its condition Ready.")


class SpokeCounts(StatusModel):
    """How the hub's spokes are."""

    total: int = Field(default=0, description="Spokes that name this hub.")
    ready: int = Field(default=0, description="Of these, how many are ready.")
    summary: str = Field(default="", description="`ready/total`, for kubectl get.")
    worst: Annotated[tuple[WorstSpoke, ...], Field(max_length=WORST_SPOKES)] = Field(
        default=(), description="At most ten of those that are not ready, stalled ones first."
    )


class LeavingSpoke(StatusModel):
    """A Spoke that was deleted, or a member that left its SpokeSet, and is erased unless it comes
    back."""

    name: str = Field(
        description="Its metadata.name; of a member `SPOKESET/ID`; with the namespace before it if "
        "it is of another one."
    )
    erase_at: datetime = Field(
        description="Until then a Spoke on the same mailbox and folder takes up where it stopped."
    )


class LeavingSpokes(StatusModel):
    """Who was deleted and is not erased yet."""

    total: int = Field(default=0, description="Spokes that are leaving.")
    spokes: Annotated[tuple[LeavingSpoke, ...], Field(max_length=LEAVING_SPOKES)] = Field(
        default=(), description="At most ten of them, the next to be erased first."
    )


class PlanStatus(StatusModel):
    """What a pass would write, and does not before it is approved."""

    id: str = Field(description=f"The value to give the annotation {APPROVE}.")
    creates: int = Field(default=0, description="Copies that it would make.")
    updates: int = Field(default=0, description="Items and copies that it would change.")
    deletes: int = Field(default=0, description="Copies that it would delete.")
    expires_at: datetime = Field(description="From then on it is another plan, with another id.")


class StagedSpoke(StatusModel):
    """A spoke whose first sync waits for its next stage."""

    name: str = Field(
        description="The Spoke's metadata.name; of another namespace: `namespace/name`."
    )
    stage: int = Field(description="The stage that it is in, from 1.")
    stages: int = Field(description="How many there are.")
    arrived: int = Field(default=0, description="Items that were let in so far.")
    waiting: int = Field(default=0, description="Items that wait for the next stages.")
    approval: str = Field(
        description=f"The value to give the annotation {APPROVE} to let the next stage in; "
        "several are joined by commas."
    )


class FirstSyncs(StatusModel):
    """Whose first sync waits for its next stage."""

    total: int = Field(default=0, description="Spokes of which a stage waits.")
    arrived: int = Field(default=0, description="Items that were let in there so far.")
    waiting: int = Field(default=0, description="Items that wait there.")
    spokes: Annotated[tuple[StagedSpoke, ...], Field(max_length=STAGED_SPOKES)] = Field(
        default=(), description="At most ten of them, by name."
    )


class HubStatus(Status):
    """How syncing goes."""

    last_sync_time: datetime | None = Field(
        default=None, description="When the last complete pass ended."
    )
    items: int | None = Field(default=None, description="Items in the hub.")
    pending: int | None = Field(
        default=None,
        description="Changes that were considered and not delivered yet: failed, guarded, or in "
        "their grace period.",
    )
    conflicts: int | None = Field(
        default=None, description="Conflicts that the last pass recorded."
    )
    conflicts_pending: int | None = Field(
        default=None,
        description="Set while conflicts wait for a person to decide them (policy Manual, and "
        "fields that two Spokes kept changing back and forth).",
    )
    duplicates: int | None = Field(
        default=None,
        description="Set while items have a key of matchOn in common with another, and stay apart: "
        "how many have. `cirahub duplicates list` names them.",
    )
    approval: str | None = Field(
        default=None,
        description=f"Set while deletions are held back: the value to give the annotation "
        f"{APPROVE} to let exactly these deletions go.",
    )
    plan: PlanStatus | None = Field(
        default=None, description="Set while a plan waits for approval (`approval: Manual`)."
    )
    first_syncs: FirstSyncs | None = Field(
        default=None,
        description="Set while first syncs wait for their next stage (`Spoke.spec.firstSync`).",
    )
    spokes: SpokeCounts | None = Field(default=None, description="How the hub's spokes are.")
    leaving: LeavingSpokes | None = Field(
        default=None, description="Set while Spokes are leaving: deleted and not erased yet."
    )


class Hub(Resource):
    """The merged collection. Spokes name it; they feed it, and some receive what it holds."""

    definition: ClassVar[Kind] = Kind(
        kind="Hub",
        plural="hubs",
        singular="hub",
        short=("chub",),
        columns=(
            *READY_COLUMNS,
            Column(
                name="Spokes",
                path=".status.spokes.summary",
                description="Ready spokes of all that name this hub.",
            ),
            Column(
                name="Items",
                path=".status.items",
                type="integer",
                description="Items in the hub.",
            ),
            Column(
                name="Pending",
                path=".status.pending",
                type="integer",
                wide=True,
                description="Changes not delivered yet.",
            ),
            Column(
                name="Suspended",
                path=".spec.suspend",
                type="boolean",
                wide=True,
                description="Whether syncing is switched off.",
            ),
            Column(
                name="Last Sync",
                path=".status.lastSyncTime",
                type="date",
                description="When the last complete pass ended.",
            ),
            AGE_COLUMN,
        ),
    )

    api_version: Literal["cirahub.io/v1alpha1"] = API_VERSION
    kind: Literal["Hub"] = "Hub"
    spec: HubSpec
    status: HubStatus = HubStatus()

    def admits(self, namespace: str) -> bool:
        """Whether Spokes of that namespace may name this Hub."""
        allowed = self.spec.allowed_namespaces
        return namespace == self.metadata.namespace or namespace in allowed or "*" in allowed
