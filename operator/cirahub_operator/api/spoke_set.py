"""`SpokeSet`: one Spoke's template for many mailboxes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cirahub_operator.api.behaviour import (
    Behaviour,
    MailboxCalendar,
    MailboxFolder,
)
from cirahub_operator.api.duration import between
from cirahub_operator.api.hub import DeletionPolicy
from cirahub_operator.api.meta import (
    AGE_COLUMN,
    API_VERSION,
    APPROVE,
    READY_COLUMNS,
    Column,
    Kind,
    Model,
    Reference,
    Resource,
    Rule,
    Status,
    StatusModel,
)
from cirahub_operator.api.spoke import ChangeCounts, HubReference, MailboxAddress
from cirahub_operator.api.text import Matching
from cirahub_sync.configuration import ItemKind

WORST_MEMBERS = 10

GroupName = Annotated[
    str,
    Matching(
        pattern=r"^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[^@\s/]+@[^@\s/]+)$",
        message="write a group's object id (a GUID; in the Entra admin centre under Groups), or "
        "its e-mail address",
        max_length=320,
    ),
]


class MembersSpec(Model):
    """Who the members are: everybody whom `mailboxes`, `groups` or `filter` names, but for those
    whom the others keep out."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="(has(self.mailboxes) && size(self.mailboxes) > 0) || "
            "(has(self.groups) && size(self.groups) > 0) || has(self.filter)",
            message="members: say who they are: set mailboxes, groups or filter",
            holds=lambda self: bool(self.mailboxes or self.groups or self.filter),
        ),
    )

    mailboxes: Annotated[tuple[MailboxAddress, ...], Field(max_length=256)] = Field(
        default=(), description="Mailboxes by their user principal names or primary addresses."
    )
    groups: Annotated[tuple[GroupName, ...], Field(max_length=16)] = Field(
        default=(),
        description="Groups of the Connection's directory, by object id or address: their users "
        "are members, those of nested groups too. Guests and contacts have no mailbox there, and "
        "are none.",
    )
    filter: (
        Annotated[
            str,
            Matching(
                pattern=r"^[^\r\n]*[^\s][^\r\n]*$",
                message="write a filter on one line, like department eq 'Sales'",
                max_length=1024,
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="A `$filter` of Microsoft Graph over the directory's users, like `department "
        "eq 'Sales' and accountEnabled eq true`. It is sent as an advanced query: `ne`, `not`, "
        "`endsWith` and the like may be used, and the index that answers may lag by minutes.",
    )
    excluding: Annotated[
        tuple[
            Annotated[
                str,
                Matching(
                    pattern=r"^[^\s/]+$",
                    message="write an address or an object id, without spaces",
                    max_length=320,
                ),
            ],
            ...,
        ],
        Field(max_length=256),
    ] = Field(
        default=(),
        description="Who is no member all the same: any of their addresses, or object ids.",
    )
    opt_in: GroupName | None = Field(
        default=None, description="A group: who is not in it is no member."
    )
    opt_out: GroupName | None = Field(
        default=None, description="A group: who is in it is no member."
    )


class LeavingMembersSpec(Model):
    """How members leave: late, and never too many at once."""

    grace_period: Annotated[str, between("0s", "8760h")] = Field(
        default="24h",
        description="How long after leaving a member is erased; who comes back before goes on "
        "where they stopped.",
    )
    max_count: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=50,
        description="Members gone at one reading above which they wait for approval; twice as many "
        "in 24 hours.",
    )
    max_percent: Annotated[int, Field(ge=0, le=100)] = Field(
        default=20, description="The same in percent of the members; one always may leave."
    )


class SpokeTemplate(Behaviour):
    """What a Spoke has besides the address of its mailbox."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="[has(self.mailbox), has(self.calendar)].exists_one(x, x)",
            message="say what to sync: set mailbox for a Hub of contacts, or calendar for a Hub of "
            "events",
            holds=lambda self: (self.mailbox is None) != (self.calendar is None),
        ),
        Rule(
            rule="has(self.calendar) == has(oldSelf.calendar)",
            message="a SpokeSet can't change between mailboxes and calendars: delete this SpokeSet "
            "and create another one",
        ),
        *Behaviour.rules,
    )
    field_rules: ClassVar[dict[str, tuple[Rule, ...]]] = {
        name: (
            Rule(
                rule="self == oldSelf",
                message=f"template.{name} can't be changed, since what the members hold hangs on "
                "it: delete this SpokeSet and create another one",
            ),
        )
        for name in ("mailbox", "calendar")
    }

    mailbox: MailboxFolder | None = Field(
        default=None,
        description="For a Hub of contacts: the folder in each mailbox; `{}` for the "
        "default contact folder.",
    )
    calendar: MailboxCalendar | None = Field(
        default=None, description="For a Hub of events: the calendar in each mailbox."
    )


class SpokeSetSpec(Model):
    """One Spoke's template for many mailboxes."""

    field_rules: ClassVar[dict[str, tuple[Rule, ...]]] = {
        name: (
            Rule(
                rule="self == oldSelf",
                message=f"{name} can't be changed, since what the members hold hangs on it: delete "
                "this SpokeSet and create another one",
            ),
        )
        for name in ("hubRef", "connectionRef")
    }

    hub_ref: HubReference = Field(description="The Hub that the members belong to.")
    connection_ref: Reference = Field(
        description="The Connection of this namespace that leads to the tenant of the members."
    )
    members: MembersSpec = Field(description="Who the members are.")
    template: SpokeTemplate = Field(
        description="What each member is: a Spoke without the address of its mailbox."
    )
    interval: Annotated[str, between("1m", "168h")] = Field(
        default="15m",
        description="How often it is read who the members are; from 1m to 168h. In between, passes "
        "ask nothing of the directory.",
    )
    suspend: bool = Field(
        default=False,
        description="Stop syncing all members until this is false again. Nobody joins or leaves, "
        "and nothing is deleted. `cirahub members` suspends one of them.",
    )
    leaving: LeavingMembersSpec = Field(
        default=LeavingMembersSpec(),
        description="How members leave: late, and never too many at once.",
    )
    deletion_policy: DeletionPolicy = Field(
        default=DeletionPolicy.ERASE,
        description="When a mailbox is no member any more, or this SpokeSet is deleted: Erase the "
        "copies there and what it contributed elsewhere, or Retain both.",
    )

    @property
    def directories(self) -> frozenset[str]:
        """The names of the Connections in whose directories filters of the template look for
        groups."""
        return self.template.directories_beside(self.connection_ref.name)

    @property
    def asks_for_groups(self) -> bool:
        """Whether who the members are hangs on groups."""
        members = self.members
        return bool(members.groups or members.opt_in or members.opt_out)

    @property
    def item_kind(self) -> ItemKind:
        """Of the items that the members hold."""
        return ItemKind.CONTACT if self.template.calendar is None else ItemKind.EVENT


class WorstMember(StatusModel):
    """A member that fails."""

    id: str = Field(
        description="The object id of the mailbox's user; `unknown-…` for an address that the "
        "directory does not know. `cirahub members` tells who it is."
    )
    reason: str = Field(description="Why, as the reason of a Spoke's condition Ready.")


class MemberCounts(StatusModel):
    """How the members are."""

    total: int = Field(default=0, description="Members.")
    ready: int = Field(default=0, description="Of these, how many are in sync.")
    pending: int = Field(
        default=0, description="How many are new, or have something that is not delivered yet."
    )
    failed: int = Field(default=0, description="How many are left alone for now, for a reason.")
    suspended: int = Field(default=0, description="How many a person has suspended.")
    leaving: int = Field(default=0, description="Who is no member any more, and is not erased yet.")
    summary: str = Field(default="", description="`ready/total`, for kubectl get.")
    worst: Annotated[tuple[WorstMember, ...], Field(max_length=WORST_MEMBERS)] = Field(
        default=(), description="At most ten of those that fail, who has failed most often first."
    )


class SpokeSetStatus(Status):
    """How the members are. Written when it changes, and when they were read."""

    last_read_time: datetime | None = Field(
        default=None, description="When it was read last who the members are."
    )
    last_change_time: datetime | None = Field(
        default=None, description="When a pass last changed something at members."
    )
    last_change: ChangeCounts | None = Field(
        default=None, description="What that pass did, at all of them together."
    )
    members: MemberCounts | None = Field(default=None, description="How the members are.")
    items: int | None = Field(default=None, description="Items that the members contribute.")
    copies: int | None = Field(default=None, description="Copies of the hub's items at members.")
    approval: str | None = Field(
        default=None,
        description="Set while members that are to leave are held back: the value to give the "
        f"Hub's annotation {APPROVE} to let exactly these go.",
    )


class SpokeSet(Resource):
    """One Spoke's template for many mailboxes: those of a group, of a filter, of a list. Members
    are kept in the store, and are no objects of the cluster."""

    definition: ClassVar[Kind] = Kind(
        kind="SpokeSet",
        plural="spokesets",
        singular="spokeset",
        short=("cset",),
        columns=(
            *READY_COLUMNS,
            Column(name="Hub", path=".spec.hubRef.name", description="The hub they belong to."),
            Column(
                name="Direction",
                path=".spec.template.direction",
                description="Contribute, TwoWay or Receive.",
            ),
            Column(
                name="Members",
                path=".status.members.summary",
                description="Members in sync, of all.",
            ),
            Column(
                name="Failed",
                path=".status.members.failed",
                type="integer",
                description="Members that are left alone for now.",
            ),
            Column(
                name="Leaving",
                path=".status.members.leaving",
                type="integer",
                wide=True,
                description="Who is no member any more, and is not erased yet.",
            ),
            Column(
                name="Connection",
                path=".spec.connectionRef.name",
                wide=True,
                description="The connection that leads there.",
            ),
            Column(
                name="Last Read",
                path=".status.lastReadTime",
                type="date",
                description="When it was read last who the members are.",
            ),
            AGE_COLUMN,
        ),
    )

    api_version: Literal["cirahub.io/v1alpha1"] = API_VERSION
    kind: Literal["SpokeSet"] = "SpokeSet"
    spec: SpokeSetSpec
    status: SpokeSetStatus = SpokeSetStatus()

    @property
    def hub_namespace(self) -> str:
        """Of the Hub that it names."""
        return self.spec.hub_ref.namespace or self.metadata.namespace

    @property
    def label(self) -> str:
        """What its Hub calls it: `SpokeSet` and its name, by which no Spoke is called; from another
        namespace, with that."""
        foreign = self.hub_namespace != self.metadata.namespace
        return f"SpokeSet {self.metadata.key if foreign else self.metadata.name}"

    @property
    def synced(self) -> bool:
        """Whether its status tells of a pass that it took part in."""
        return self.status.members is not None
