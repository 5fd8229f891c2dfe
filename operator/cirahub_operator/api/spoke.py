"""`Spoke`: one place with one collection, that feeds a hub or is fed by it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from cirahub_operator.api.behaviour import (
    Behaviour,
    MailboxCalendar,
    MailboxFolder,
)
from cirahub_operator.api.flow import ItemFilter
from cirahub_operator.api.hub import DeletionPolicy
from cirahub_operator.api.meta import (
    AGE_COLUMN,
    API_VERSION,
    APPROVE,
    READY_COLUMNS,
    Column,
    Kind,
    Model,
    NamespaceName,
    Reference,
    Resource,
    Rule,
    Status,
    StatusModel,
)
from cirahub_operator.api.text import Matching
from cirahub_sync.configuration import Direction, ItemKind, Listed, MoreAddresses

MailboxAddress = Annotated[
    str,
    Matching(
        pattern=r"^[^@\s/]+@[^@\s/]+$",
        message="write the mailbox's user principal name or address, like ann@contoso.com",
        max_length=320,
    ),
]


class _Addressed(Model):
    address: MailboxAddress = Field(
        description="The mailbox's user principal name or primary address."
    )


class Mailbox(MailboxFolder, _Addressed):
    """A contact folder of a mailbox."""


class PublicFolder(Model):
    """A public folder of an Exchange Server, with contacts."""

    path: Annotated[
        str,
        Matching(
            pattern="^[^/]+(/[^/]+)*$",
            message="write the folder's path without / at its start and end, like Sales/Customers",
            max_length=512,
        ),
    ] = Field(
        description="Its path of display names below the root of the public folders, separated by "
        "`/`, for example Sales/Customers. A receiving spoke's folder is created if it is missing."
    )
    content_mailbox: MailboxAddress | None = Field(
        default=None,
        description="Address of the public folder mailbox that has its content. Without it, the "
        "server finds it.",
    )


class AddressBook(Model):
    """An address book of a CardDAV server."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="has(self.name) != has(self.path)",
            message="say which address book: set exactly one of name and path",
            holds=lambda self: (self.name is None) != (self.path is None),
        ),
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = Field(
        default=None,
        description="Its display name, among the address books of the Connection's account. A "
        "receiving spoke's address book is created if it is missing.",
    )
    path: (
        Annotated[
            str,
            Matching(
                pattern=r"^/[^\s?#%]*[^/\s?#%]/?$",
                message="write its path on the server from / on, unquoted, like /ada/contacts/",
                max_length=512,
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="Its path on the server, where the name does not tell it apart, or where it is "
        "somebody else's that the account may use, for example /ada/contacts/.",
    )


class Calendar(MailboxCalendar, _Addressed):
    """A calendar of a mailbox."""


class GlobalAddressList(Model):
    """The global address list of the Connection's tenant: with `direction: Contribute`, as its
    directory shows it; with Receive, the mail contacts that the hub makes in it, for which `hide`
    alone has a meaning."""

    rules: ClassVar[tuple[Rule, ...]] = tuple(
        Rule(
            rule=f"!has(self.{field}) || "
            f"self.{field}.all(one, self.{field}.exists_one(other, other == one))",
            message=f"{field}: name each once",
            holds=holds,
        )
        for field, holds in (
            ("include", lambda self: len(set(self.include)) == len(self.include)),
            (
                "moreAddresses",
                lambda self: len(set(self.more_addresses)) == len(self.more_addresses),
            ),
        )
    )

    include: Annotated[tuple[Listed, ...], Field(min_length=1, max_length=3)] = Field(
        default=(Listed.USERS, Listed.CONTACTS),
        description="What of the directory is listed, as far as it has an address: Users, Contacts "
        "(the organisation's mail contacts) and Groups.",
    )
    hidden: bool = Field(
        default=False,
        description="Also users whose showInAddressList is false in Entra ID. Exchange's own "
        "switch is shown nowhere in Graph: who is hidden there alone is listed.",
    )
    guests: bool = Field(default=False, description="Also users who are guests of the tenant.")
    disabled: bool = Field(
        default=False,
        description="Also users who can't sign in. Shared mailboxes and rooms are such.",
    )
    more_addresses: Annotated[tuple[MoreAddresses, ...], Field(max_length=2)] = Field(
        default=(),
        description="E-mail addresses besides the primary one. Aliases: all that reach the same "
        "mailbox. OtherMails: those that the directory keeps for users elsewhere, often private "
        "ones.",
    )
    hide: ItemFilter | None = Field(
        default=None,
        description="With direction Receive: items that match are mail contacts which address "
        "lists don't show, though they can be written to; `{}` is all. Without it, nothing is "
        "said: whether a contact is hidden is the tenant's administrators' affair.",
    )


class HubReference(Reference):
    """A Hub: of this namespace, or of another one that it admits Spokes from."""

    namespace: NamespaceName | None = Field(
        default=None,
        description="The Hub's namespace, if it is not this one. That Hub has to list this "
        "namespace in `spec.allowedNamespaces`.",
    )


def _immutable(field: str) -> tuple[Rule, ...]:
    return (
        Rule(
            rule="self == oldSelf",
            message=f"{field} can't be changed, since what this Spoke has put elsewhere hangs on "
            "it: delete this Spoke and create another one",
        ),
    )


class FirstSync(Model):
    """How the hub's items come into a mailbox for the first time."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="self.stages.isSorted() && "
            "self.stages.all(one, self.stages.exists_one(other, other == one))",
            message="stages: name them in order, each allowing more than the one before, like "
            "[10, 100]",
            holds=lambda self: tuple(sorted(set(self.stages))) == self.stages,
        ),
    )

    stages: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...], Field(min_length=1, max_length=8)
    ] = Field(
        description="How many items may have come in all before somebody lets the next stage in, "
        "ascending: with [10, 100] first 10, then up to 100, then all. What waits, and the id to "
        f"give the Hub's annotation {APPROVE}, is in `status.firstSync`.",
    )


class _Place(Model):
    hub_ref: HubReference = Field(description="The Hub that this spoke belongs to.")
    connection_ref: Reference = Field(
        description="The Connection of this namespace that leads there."
    )
    mailbox: Mailbox | None = Field(
        default=None, description="For a Hub of contacts: the mailbox and the folder in it."
    )
    global_address_list: GlobalAddressList | None = Field(
        default=None,
        description="For a Hub of contacts: the global address list of the Connection's tenant.",
    )
    calendar: Calendar | None = Field(
        default=None, description="For a Hub of events: the mailbox and its calendar."
    )
    public_folder: PublicFolder | None = Field(
        default=None, description="For a Hub of contacts: a public folder of an Exchange Server."
    )
    address_book: AddressBook | None = Field(
        default=None, description="For a Hub of contacts: an address book of a CardDAV server."
    )


class SpokeSpec(Behaviour, _Place):
    """One place with one collection."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="[has(self.mailbox), has(self.globalAddressList), has(self.calendar), "
            "has(self.publicFolder), has(self.addressBook)].exists_one(x, x)",
            message="say what to sync: set mailbox, publicFolder, addressBook or globalAddressList "
            "for a Hub of contacts, or calendar for a Hub of events",
            holds=lambda self: (
                [
                    self.mailbox,
                    self.global_address_list,
                    self.calendar,
                    self.public_folder,
                    self.address_book,
                ].count(None)
                == 4
            ),
        ),
        Rule(
            rule="has(self.mailbox) == has(oldSelf.mailbox) && "
            "has(self.calendar) == has(oldSelf.calendar) && "
            "has(self.publicFolder) == has(oldSelf.publicFolder) && "
            "has(self.addressBook) == has(oldSelf.addressBook)",
            message="a Spoke can't change between a mailbox, a public folder, an address book, a "
            "global address list and a calendar: delete this Spoke and create another one",
        ),
        Rule(
            rule="!has(self.globalAddressList) || self.direction != 'TwoWay'",
            message="globalAddressList goes one way, since only mail contacts can be made there: "
            "set direction to Contribute to read it, or to Receive to make mail contacts in it; "
            "for both, create a Spoke for each",
            holds=lambda self: (
                self.global_address_list is None or self.direction is not Direction.TWO_WAY
            ),
        ),
        Rule(
            rule="!has(self.globalAddressList) || !has(oldSelf.globalAddressList) || "
            "self.direction == oldSelf.direction",
            message="the direction of a globalAddressList can't be changed, since people of the "
            "directory and mail contacts are different things: delete this Spoke and create "
            "another one",
        ),
        Rule(
            rule="!has(self.globalAddressList) || !has(self.globalAddressList.hide) || "
            "self.direction == 'Receive'",
            message="globalAddressList.hide is for mail contacts that are made there: leave it "
            "out, or set direction to Receive",
            holds=lambda self: (
                self.global_address_list is None
                or self.global_address_list.hide is None
                or self.direction is Direction.RECEIVE
            ),
        ),
        *Behaviour.rules,
    )
    field_rules: ClassVar[dict[str, tuple[Rule, ...]]] = {
        "hubRef": _immutable("hubRef"),
        "connectionRef": _immutable("connectionRef"),
        "mailbox": _immutable("mailbox"),
        "calendar": _immutable("calendar"),
        "publicFolder": _immutable("publicFolder"),
        "addressBook": _immutable("addressBook"),
    }

    first_sync: FirstSync | None = Field(
        default=None,
        description="Have the first sync into this mailbox come in stages, each let in by a "
        "person. Without it, all comes at once. No effect on a mailbox that has had its first "
        "sync, or that only contributes.",
    )
    deletion_policy: DeletionPolicy = Field(
        default=DeletionPolicy.ERASE,
        description="When this Spoke is deleted: Erase its copies here and what it contributed "
        "elsewhere, or Retain both.",
    )

    @property
    def directories(self) -> frozenset[str]:
        """The names of the Connections in whose directories its filters look for groups."""
        own = self.connection_ref.name
        hide = self.global_address_list.hide if self.global_address_list is not None else None
        return self.directories_beside(own) | (hide.directories(own) if hide else frozenset())

    @property
    def makes_mail_contacts(self) -> bool:
        """Whether it is the address list of a tenant, and written to."""
        return self.global_address_list is not None and self.direction is Direction.RECEIVE

    @property
    def item_kind(self) -> ItemKind:
        """Of the items that it holds."""
        return ItemKind.CONTACT if self.calendar is None else ItemKind.EVENT


class ChangeCounts(StatusModel):
    """What a pass did, as far as this spoke is concerned."""

    pulled: int = Field(default=0, description="Changes that were found here.")
    merged: int = Field(default=0, description="Items of the hub that changed because of them.")
    removed: int = Field(default=0, description="Items that were no longer found here.")
    created: int = Field(default=0, description="Copies created here.")
    updated: int = Field(default=0, description="Items updated here.")
    deleted: int = Field(default=0, description="Copies deleted here.")
    adopted: int = Field(default=0, description="Copies found again by their stamp.")
    failed: int = Field(default=0, description="Writes that failed and are tried again.")


class FirstSyncStatus(StatusModel):
    """A first sync whose next stage waits for a person."""

    stage: int = Field(description="The stage that it is in, from 1.")
    stages: int = Field(description="How many there are, with the last one, which lets all in.")
    arrived: int = Field(default=0, description="Items that were let in so far.")
    waiting: int = Field(default=0, description="Items that wait for the next stages.")
    approval: str = Field(
        description=f"The value to give the Hub's annotation {APPROVE} to let the next stage in."
    )


class SpokeStatus(Status):
    """How this spoke is. Written only when it changes, so not by passes that find nothing to do."""

    last_change_time: datetime | None = Field(
        default=None, description="When a pass last changed something here or because of it."
    )
    last_change: ChangeCounts | None = Field(default=None, description="What that pass did.")
    items: int | None = Field(default=None, description="Items that this spoke contributes.")
    copies: int | None = Field(default=None, description="Copies of the hub's items here.")
    pending: int | None = Field(
        default=None, description="Changes that were considered and not delivered here yet."
    )
    unreadable: int | None = Field(
        default=None, description="Items here that could not be read; they are tried again."
    )
    first_sync: FirstSyncStatus | None = Field(
        default=None, description="Set while the next stage of the first sync waits for approval."
    )
    target: str | None = Field(
        default=None, description="The ids of the tenant, mailbox and folder that were resolved."
    )


class Spoke(Resource):
    """One place with one collection: a contact folder or a calendar of a mailbox, a public folder,
    an address book, or the global address list of a tenant."""

    definition: ClassVar[Kind] = Kind(
        kind="Spoke",
        plural="spokes",
        singular="spoke",
        short=("cspoke",),
        columns=(
            *READY_COLUMNS,
            Column(name="Hub", path=".spec.hubRef.name", description="The hub it belongs to."),
            Column(
                name="Direction",
                path=".spec.direction",
                description="Contribute, TwoWay or Receive.",
            ),
            Column(
                name="Items",
                path=".status.items",
                type="integer",
                description="Items that it contributes.",
            ),
            Column(
                name="Copies",
                path=".status.copies",
                type="integer",
                description="Copies of the hub's items there.",
            ),
            Column(
                name="Connection",
                path=".spec.connectionRef.name",
                wide=True,
                description="The connection that leads there.",
            ),
            Column(
                name="Last Change",
                path=".status.lastChangeTime",
                type="date",
                description="When a pass last changed something there or because of it.",
            ),
            AGE_COLUMN,
        ),
    )

    api_version: Literal["cirahub.io/v1alpha1"] = API_VERSION
    kind: Literal["Spoke"] = "Spoke"
    spec: SpokeSpec
    status: SpokeStatus = SpokeStatus()

    @property
    def hub_namespace(self) -> str:
        """Of the Hub that it names."""
        return self.spec.hub_ref.namespace or self.metadata.namespace

    @property
    def label(self) -> str:
        """What its Hub calls it: its name; from another namespace, `namespace/name`."""
        foreign = self.hub_namespace != self.metadata.namespace
        return self.metadata.key if foreign else self.metadata.name

    @property
    def synced(self) -> bool:
        """Whether its status tells of a pass that it took part in."""
        status = self.status
        return not (status.items is None and status.copies is None and status.target is None)
