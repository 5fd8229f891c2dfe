"""What mailboxes hold, as their users see it: read from the simulator's admin endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from cirahub_simulator.client import AdminClient, AdminRefusedError
from demo.resources import Spoke

STAMP = "Name CiraHubItem"
"""The end of the name of the extended property by which our copies are known."""
CUSTOM_ID = "Name CustomId"
OF_THE_SERVICE = frozenset(
    (
        "@odata.etag",
        "changeKey",
        "createdDateTime",
        "id",
        "immutableId",
        "lastModifiedDateTime",
        "parentFolderId",
        "singleValueExtendedProperties",
    )
)
"""What a mailbox says about an item of its own accord; the rest is its content."""


class _Address(msgspec.Struct, frozen=True):
    address: str = ""


class _Property(msgspec.Struct, frozen=True):
    id: str
    value: str


class _Known(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    immutable_id: str
    change_key: str
    display_name: str | None = ""
    email_addresses: tuple[_Address, ...] = ()
    single_value_extended_properties: tuple[_Property, ...] = ()


class _Entry(msgspec.Struct, frozen=True):
    folder: tuple[str, ...]
    contact: dict[str, object]


@dataclass(frozen=True, slots=True)
class Held:
    """A contact in a mailbox."""

    folder: tuple[str, ...]
    id: str
    immutable_id: str
    version: str
    """Changes with every change."""
    name: str
    emails: frozenset[str]
    """Lower case."""
    is_copy: bool
    """Whether it carries our stamp."""
    custom_id: str
    content: dict[str, object]
    """Every field and extended property, the stamp apart. Blank ones are left out: to Graph, a
    missing text and a blank one are the same."""
    item: str = ""
    """Of the hub, by the stamp; blank of what is no copy."""


class Mailboxes:
    def __init__(self, admin: AdminClient) -> None:
        self._admin = admin

    def contacts(self, mailbox: str) -> list[Held]:
        """All that a mailbox holds, the bin apart."""
        entries = msgspec.convert(self._admin.contacts(mailbox), list[_Entry])
        return [_held(entry) for entry in entries]

    def at(self, spoke: Spoke) -> list[Held]:
        """What is in the spoke's folder itself."""
        return [held for held in self.contacts(spoke.mailbox) if held.folder == spoke.folder]

    def change(self, mailbox: str, contact: Held, fields: dict[str, object]) -> None:
        """As the mailbox's user."""
        self._admin.update_contact(mailbox, contact.id, fields)

    def found_anywhere(self, mailbox: str, contacts: Sequence[Held]) -> Iterator[Held]:
        """Those that the mailbox still has, be it in the bin: an immutable id stays the same
        while a contact moves within its mailbox."""
        for held in contacts:
            try:
                self._admin.call("GET", f"/graph/v1.0/users/{mailbox}/contacts/{held.immutable_id}")
            except AdminRefusedError as error:
                if error.status != 404:
                    raise
            else:
                yield held


def _held(entry: _Entry) -> Held:
    known = msgspec.convert(entry.contact, _Known)
    extended = {one.id: one.value for one in known.single_value_extended_properties}
    stamps = [value for name, value in extended.items() if name.endswith(STAMP)]
    custom = [value for name, value in extended.items() if name.endswith(CUSTOM_ID)]
    content = {
        name: _without_blanks(value)
        for name, value in entry.contact.items()
        if name not in OF_THE_SERVICE
    }
    content |= {name: value for name, value in extended.items() if not name.endswith(STAMP)}
    return Held(
        folder=entry.folder,
        id=known.id,
        immutable_id=known.immutable_id,
        version=known.change_key,
        name=known.display_name or "",
        emails=frozenset(one.address.lower() for one in known.email_addresses if one.address),
        is_copy=bool(stamps),
        custom_id=custom[0] if custom else "",
        content={name: value for name, value in content.items() if value not in _BLANK},
        item=stamps[0].split("/")[2] if stamps else "",
    )


_BLANK: tuple[object, ...] = (None, "", [], {})


def _without_blanks(value: object) -> object:
    if isinstance(value, dict):
        return {name: inner for name, inner in value.items() if inner not in _BLANK}
    return value
