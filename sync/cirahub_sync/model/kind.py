"""Kinds of items: what the engine has to know of a contact or an event, as one value.

A hub has items of one kind. What depends on the kind is asked of it, or of the item itself
(`kind_of`); nothing else tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TypeVar

import msgspec

from cirahub_sync.configuration import ItemKind
from cirahub_sync.model import contact as contacts
from cirahub_sync.model import event as events
from cirahub_sync.model.contact import Contact, CustomField, Email, Phone, PostalAddress
from cirahub_sync.model.event import Event, Occurrence

Content = Contact | Event
"""What an item holds."""
Some = TypeVar("Some", bound=Content)
Element = Email | Phone | PostalAddress | CustomField | Occurrence | str
"""One member of a list field."""


class Kind(msgspec.Struct, frozen=True, eq=False, dict=True):
    item: ItemKind
    make: Callable[..., Content]
    blank: Content
    fields: tuple[str, ...]
    """All of them, in the struct's order."""
    lists: frozenset[str]
    """Those with several values, each an Element; the others hold text."""
    identity: frozenset[str] = frozenset()
    """Fields that alone say which item it is, whatever a hub's `matchOn` is."""
    inbound: frozenset[str] = frozenset()
    """Fields of which the hub hears, and which are written nowhere."""
    local: frozenset[str] = frozenset()
    """Fields of which the hub never hears: each mailbox has them for itself."""
    initial: frozenset[str] = frozenset()
    """Local ones that a mapping may give a copy when it is made."""

    telling: frozenset[str] = frozenset()
    """Local ones that say what may be done with the item at all."""
    contested: frozenset[str] = frozenset()
    """Lists in which two versions of one element are a conflict, not two spellings."""
    essential: frozenset[str] = frozenset()
    """Fields without which there is no item: no mapping makes them, and no flow leaves them out."""

    @cached_property
    def ordered_lists(self) -> tuple[str, ...]:
        """`lists`, in the struct's order."""
        return tuple(field for field in self.fields if field in self.lists)

    @cached_property
    def scalars(self) -> frozenset[str]:
        return frozenset(self.fields) - self.lists

    @cached_property
    def withholdable(self) -> frozenset[str]:
        """What a spoke can keep from the hub altogether."""
        return frozenset(self.fields) - self.inbound - self.essential - self.telling

    @cached_property
    def shared(self) -> frozenset[str]:
        """What is merged and shown."""
        return frozenset(self.fields) - self.inbound - self.local


CONTACTS = Kind(
    item=ItemKind.CONTACT,
    make=Contact,
    blank=Contact(),
    fields=contacts.FIELDS,
    lists=contacts.LIST_FIELDS,
)
EVENTS = Kind(
    item=ItemKind.EVENT,
    make=Event,
    blank=Event(),
    fields=events.FIELDS,
    lists=events.LIST_FIELDS,
    identity=frozenset({"uid", "original_start"}),
    inbound=events.INBOUND,
    local=events.LOCAL,
    initial=events.INITIAL,
    telling=frozenset({"sensitivity"}),
    contested=frozenset({"exceptions"}),
    essential=frozenset({"schedule"}),
)
KINDS: dict[ItemKind, Kind] = {kind.item: kind for kind in (CONTACTS, EVENTS)}


def kind_of(content: Content) -> Kind:
    return CONTACTS if type(content) is Contact else EVENTS


def as_contact(content: Content) -> Contact:
    """Where only contacts get."""
    assert isinstance(content, Contact)
    return content


def as_event(content: Content) -> Event:
    """Where only events get."""
    assert isinstance(content, Event)
    return content


def empty(content: Content) -> bool:
    """Whether there is nothing to show: of an event, without a time."""
    if isinstance(content, Event):
        return not content.schedule
    return content == CONTACTS.blank


def read_only(content: Content) -> bool:
    """Whether nothing may be written to that very item where it is: see `event.Role`."""
    return isinstance(content, Event) and bool(content.role)


def kept_out(content: Content) -> Content:
    """What is remembered of an item that a filter keeps out: only whether it is read-only."""
    blank = kind_of(content).blank
    if isinstance(content, Event) and content.role:
        return msgspec.structs.replace(blank, role=content.role)
    return blank


def without(content: Some, fields: Iterable[str]) -> Some:
    """The item with these fields blank: the same object if they are."""
    nothing = kind_of(content).blank
    blank = {field: getattr(nothing, field) for field in fields if getattr(content, field)}
    return msgspec.structs.replace(content, **blank) if blank else content
