"""A contact as an item: what it has of ItemType's properties, and how it is written."""

from __future__ import annotations

from collections.abc import Callable

from cirahub_simulator.ews import contact as contacts
from cirahub_simulator.ews import mapi
from cirahub_simulator.ews.body import append_body, read_body, write_body
from cirahub_simulator.ews.draft import Draft
from cirahub_simulator.ews.errors import EwsError, not_appendable, not_deletable, not_settable
from cirahub_simulator.ews.item_properties import (
    IMPORTANCES,
    SENSITIVITIES,
    item_properties,
    locale_of,
    number_of,
    read_culture,
    read_strings,
    strings,
)
from cirahub_simulator.ews.markup import Element, boolean, element, is_true, text_of
from cirahub_simulator.ews.moments import read_moment
from cirahub_simulator.ews.property import Property, Reading, Value
from cirahub_simulator.ews.property_path import Path
from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox

CLASS = "IPM.Contact"


def _choice(name: str, canonical: str, numbers: dict[str, int], default: str) -> Property[Draft]:
    names = {str(number): choice for choice, number in numbers.items()}

    def write(draft: Draft, node: Element | None) -> None:
        draft.put_extended(canonical, number_of(name, node, numbers))

    return Property(
        f"item:{name}",
        lambda r: names.get(r.contact.extended.get(canonical, ""), default),
        write,
    )


def _stored(
    name: str, canonical: str, keep: Callable[[Element], str], default: str | None = None
) -> Property[Draft]:
    """A property that is kept as the MAPI property that it is."""

    def write(draft: Draft, node: Element | None) -> None:
        draft.put_extended(canonical, None if node is None else keep(node))

    return Property(f"item:{name}", lambda r: r.contact.extended.get(canonical, default), write)


def _write_class(draft: Draft, node: Element | None) -> None:
    text = None if node is None else text_of(node)
    if text is None:
        raise not_deletable("item:ItemClass")
    if not text.upper().startswith(CLASS.upper()):
        raise EwsError("ErrorObjectTypeChanged", "The type of the object changed.")
    draft.put_extended(mapi.MESSAGE_CLASS, None if text == CLASS else text)


def _size(reading: Reading) -> Value:
    """Not Exchange's own arithmetic, but it grows with the item."""
    contact = reading.contact
    return 600 + len(contact.encode(contact.id)) + sum(len(v) for v in contact.extended.values())


def _text_body(reading: Reading) -> Value:
    text = reading.contact.fields.personal_notes
    return element("t:TextBody", text, BodyType="Text") if text else None


PROPERTIES: dict[str, Property[Draft]] = {
    entry.uri: entry
    for entry in (
        *item_properties(
            (
                Property(
                    "item:ItemClass",
                    lambda r: r.contact.extended.get(mapi.MESSAGE_CLASS, CLASS),
                    _write_class,
                ),
                Property(
                    # A contact's subject is its display name unless it was given another.
                    "item:Subject",
                    lambda r: (
                        r.contact.extended.get(mapi.SUBJECT)
                        or r.contact.fields.display_name
                        or None
                    ),
                    lambda draft, node: draft.put_extended(
                        mapi.SUBJECT, None if node is None else text_of(node)
                    ),
                ),
                _choice("Sensitivity", mapi.SENSITIVITY, SENSITIVITIES, "Normal"),
                Property("item:Body", lambda r: read_body(r.contact, r.body_type), write_body),
                Property("item:Size", _size),
                Property(
                    "item:Categories",
                    lambda r: strings(r.contact.fields.categories) or None,
                    lambda draft, node: draft.put("categories", read_strings(node)),
                ),
                _choice("Importance", mapi.IMPORTANCE, IMPORTANCES, "Normal"),
                _stored("InReplyTo", mapi.IN_REPLY_TO, text_of),
                _stored(
                    "ReminderDueBy", mapi.REMINDER_TIME, lambda node: read_moment(text_of(node))
                ),
                _stored(
                    "ReminderIsSet",
                    mapi.REMINDER_SET,
                    lambda node: boolean(is_true(text_of(node))),
                    "false",
                ),
                _stored("ReminderMinutesBeforeStart", mapi.REMINDER_DELTA, text_of, "0"),
                Property(
                    "item:Culture",
                    read_culture,
                    lambda draft, node: draft.put_extended(mapi.LOCALE, locale_of(node)),
                ),
                Property(
                    "item:Preview",
                    lambda r: (r.contact.fields.personal_notes or "")[:255] or None,
                ),
                Property("item:TextBody", _text_body),
            )
        ),
        *contacts.PROPERTIES,
    )
}


class ContactEditor:
    """Writes a contact: a new one into a folder, or one that is there."""

    def __init__(self, mailbox: Mailbox, folder: Folder, contact: Contact | None = None) -> None:
        self._mailbox = mailbox
        self._folder = folder
        self._contact = contact
        self._draft = Draft(contact)

    def put(self, uri: str, node: Element) -> None:
        """Set a property. Raises EwsError."""
        found = PROPERTIES.get(uri)
        if found is None or found.write is None:
            raise not_settable(uri)
        found.write(self._draft, node)

    def put_extended(self, path: Path, value: str | None) -> None:
        """Set an extended property; None deletes it."""
        self._draft.put_extended(path.uri, value)

    def put_indexed(self, path: Path, item: Element | None) -> None:
        """Set an entry from the item that has it alone; None deletes it. Raises EwsError."""
        contacts.write_indexed(self._draft, path.uri, path.key or "", item)

    def drop(self, uri: str) -> None:
        """Delete a property. Raises EwsError."""
        found = PROPERTIES.get(uri)
        if found is None or found.write is None:
            raise not_deletable(uri)
        found.write(self._draft, None)

    def append(self, uri: str, node: Element) -> None:
        """Add to a property. Raises EwsError."""
        if uri != "item:Body":
            raise not_appendable(uri)
        append_body(self._draft, node)

    def save(self) -> Contact:
        """Write it. Raises EwsError, GraphError."""
        body = self._draft.body()
        if self._contact is None:
            contact = self._mailbox.create_contact(self._folder, body)
        else:
            contact = self._mailbox.update_contact(self._contact, body)
        contact.places = self._draft.places()
        return contact
