"""What a spoke may be: one collection of one place."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import msgspec

from cirahub_sync.configuration.flow import Filter


class ItemKind(StrEnum):
    """What a hub is a collection of."""

    CONTACT = "Contact"
    EVENT = "Event"


class Listed(StrEnum):
    """What a tenant's directory lists."""

    USERS = "Users"
    CONTACTS = "Contacts"
    """Mail contacts of the organisation."""
    GROUPS = "Groups"
    """Groups that have an address."""


class MailboxTarget(msgspec.Struct, frozen=True, tag="mailbox", omit_defaults=True):
    """A contact folder of a mailbox. `folder` is a path of display names from the mailbox's
    default contact folder, separated by `/` (`Team/External`); blank is the default folder."""

    address: str
    folder: str = ""

    kind: ClassVar[ItemKind] = ItemKind.CONTACT
    """Of the items that it holds."""
    noun: ClassVar[str] = "folder of this mailbox"

    @property
    def identity(self) -> MailboxTarget:
        """What of it never changes."""
        return self


class CalendarTarget(msgspec.Struct, frozen=True, tag="calendar", omit_defaults=True):
    """A calendar of a mailbox, by its display name; blank is the default calendar."""

    address: str
    name: str = ""

    kind: ClassVar[ItemKind] = ItemKind.EVENT
    noun: ClassVar[str] = "calendar of this mailbox"

    @property
    def identity(self) -> CalendarTarget:
        return self


class MoreAddresses(StrEnum):
    """Addresses of somebody in the address list besides the primary one."""

    ALIASES = "Aliases"
    """Others that reach the same mailbox."""
    OTHER_MAILS = "OtherMails"
    """Those that the directory keeps for reaching the person elsewhere."""


class AddressListTarget(msgspec.Struct, frozen=True, tag="globalAddressList", omit_defaults=True):
    """The global address list of the connection's tenant: who of its directory has an address, and
    which of them. What is chosen may change without its being another list."""

    include: tuple[Listed, ...] = (Listed.USERS, Listed.CONTACTS)
    hidden: bool = False
    """Also who is marked as not to be shown."""
    guests: bool = False
    disabled: bool = False
    """Also accounts that can't sign in."""
    more_addresses: tuple[MoreAddresses, ...] = ()

    kind: ClassVar[ItemKind] = ItemKind.CONTACT
    noun: ClassVar[str] = "address list for this hub"

    @property
    def identity(self) -> AddressListTarget:
        return AddressListTarget()


class PublicFolderTarget(msgspec.Struct, frozen=True, tag="publicFolder", omit_defaults=True):
    """A public folder with contacts, by its path of display names below the root, separated by
    `/`."""

    path: str
    content_mailbox: str = ""
    """Address of the public folder mailbox that has its content; blank: the server finds it."""

    address: ClassVar[str] = ""
    kind: ClassVar[ItemKind] = ItemKind.CONTACT
    noun: ClassVar[str] = "public folder"

    @property
    def identity(self) -> PublicFolderTarget:
        return PublicFolderTarget(self.path)


class AddressBookTarget(msgspec.Struct, frozen=True, tag="addressBook", omit_defaults=True):
    """An address book of a CardDAV server: by its display name among those of the account, or by
    its path on the server. One of both is blank."""

    name: str = ""
    path: str = ""

    address: ClassVar[str] = ""
    kind: ClassVar[ItemKind] = ItemKind.CONTACT
    noun: ClassVar[str] = "address book"

    @property
    def identity(self) -> AddressBookTarget:
        return self

    @property
    def told(self) -> str:
        """For messages."""
        return f"address book {(self.name or self.path)!r}"


class MailContactsTarget(msgspec.Struct, frozen=True, tag="mailContacts", omit_defaults=True):
    """The mail contacts that a hub makes in the global address list of the connection's tenant.
    Address lists don't show those that `hide` admits; None: that is administrators' affair."""

    hide: Filter | None = None
    kind: ClassVar[ItemKind] = ItemKind.CONTACT
    noun: ClassVar[str] = "address list for this hub"

    @property
    def identity(self) -> MailContactsTarget:
        return MailContactsTarget()


AnyTarget = (
    MailboxTarget
    | CalendarTarget
    | AddressListTarget
    | MailContactsTarget
    | PublicFolderTarget
    | AddressBookTarget
)
"""What a spoke may be."""
