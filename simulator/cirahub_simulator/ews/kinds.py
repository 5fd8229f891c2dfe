"""The kinds of items: the element and the properties of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Never, Protocol

from cirahub_simulator.calendar.event import Instance
from cirahub_simulator.ews import calendar_item, contact, contact_item, mapi
from cirahub_simulator.ews.draft import extended_of
from cirahub_simulator.ews.item_properties import AFTER_EXTENDED, NAMES
from cirahub_simulator.ews.markup import Element
from cirahub_simulator.ews.property import Item, Property
from cirahub_simulator.ews.property_path import Path
from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.identifiers import number_of

_DEFAULT = frozenset(("item:ItemId", "item:Subject", "item:Body", "item:HasAttachments"))
_NOT_IN_ALL = frozenset(("item:ConversationId", "item:UniqueBody", "item:Preview", "item:TextBody"))
"""What AllProperties does not mean, and has to be asked for."""
_NOT_FOUND = frozenset(
    f"item:{name}"
    for name in (
        "Attachments",
        "Body",
        "InternetMessageHeaders",
        "NormalizedBody",
        "ResponseObjects",
        "TextBody",
        "UniqueBody",
    )
)
"""What FindItem and SyncFolderItems leave to GetItem."""


class Editor(Protocol):
    """Writes an item, property by property; nothing happens before `save`."""

    def put(self, uri: str, node: Element) -> None: ...
    def put_extended(self, path: Path, value: str | None) -> None: ...
    def put_indexed(self, path: Path, item: Element | None) -> None: ...
    def drop(self, uri: str) -> None: ...
    def append(self, uri: str, node: Element) -> None: ...
    def save(self) -> Item: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of item."""

    element: str
    prefix: str
    """Of the URIs of its own properties."""
    properties: Mapping[str, Property[Never]]
    default: frozenset[str]
    not_found: frozenset[str]

    def base(self, shape: str) -> set[str]:
        """The URIs that a base shape means."""
        if shape == "IdOnly":
            return {"item:ItemId"}
        if shape == "Default":
            return set(self.default)
        return {uri for uri in self.properties if uri not in _NOT_IN_ALL}

    def in_order(self, uris: set[str]) -> tuple[list[str], list[str]]:
        """URIs in the order of the schema: before ExtendedProperty, and after it."""
        ordered = [uri for uri in self.properties if uri in uris]
        early = {f"item:{name}" for name in NAMES[:AFTER_EXTENDED]}
        return [u for u in ordered if u in early], [u for u in ordered if u not in early]


CONTACT = Kind(
    "Contact",
    "contacts",
    contact_item.PROPERTIES,
    _DEFAULT | contact.DEFAULT,
    _NOT_FOUND | {"contacts:CompleteName"},
)
CALENDAR_ITEM = Kind(
    "CalendarItem",
    "calendar",
    calendar_item.PROPERTIES,
    _DEFAULT | calendar_item.DEFAULT,
    _NOT_FOUND | calendar_item.NOT_FOUND,
)
KINDS = (CONTACT, CALENDAR_ITEM)


def kind_of(item: Item) -> Kind:
    """The kind of an item."""
    return CONTACT if isinstance(item, Contact) else CALENDAR_ITEM


def extended_value(item: Item, canonical: str) -> str | None:
    """An extended property's value, also of one that is a field of the item or the store's own."""
    match canonical:
        case mapi.ARTICLE_NUMBER:
            return str(number_of(item.event.id if isinstance(item, Instance) else item.id))
        case mapi.CREATED:
            return item.created
        case mapi.MODIFIED:
            return item.modified
        case mapi.MESSAGE_CLASS:
            default = contact_item.CLASS if isinstance(item, Contact) else calendar_item.CLASS
            return item.extended.get(canonical, default)
    if isinstance(item, Contact):
        return extended_of(item, canonical)
    return item.extended.get(canonical)
