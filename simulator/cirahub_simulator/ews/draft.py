"""A contact being written: a copy of its fields, and what becomes of it when it is kept."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from cirahub_simulator.ews.mapi import BIRTHDAY, EMAILS, FIELDS, SLOTS
from cirahub_simulator.graph.body import ContactBody
from cirahub_simulator.graph.contact import FIELDS as GRAPH_FIELDS
from cirahub_simulator.graph.contact import Contact, ContactFields, EmailAddress

_GRAPH_NAMES = {attribute: name for name, attribute in GRAPH_FIELDS.items()}

Value = TypeVar("Value")


def slots_of(contact: Contact, attribute: str) -> dict[int, object]:
    """A list's values by the place that EWS has for each: EmailAddress2 may be without a first.

    Graph knows an order only. What was written through it is numbered by that order.
    """
    values: list[object] = getattr(contact.fields, attribute)
    places = contact.places.get(attribute)
    if places is None or len(places) != len(values):
        places = tuple(range(len(values)))
    return dict(zip(places, values, strict=True))


def extended_of(contact: Contact, canonical: str) -> str | None:
    """An extended property's value, also of one that is a field of the contact."""
    fields = contact.fields
    if (attribute := FIELDS.get(canonical)) is not None:
        value: str | None = getattr(fields, attribute)
        return value or None
    if (slot := SLOTS.get(canonical)) is not None:
        found = slots_of(contact, slot[0]).get(slot[1])
        return None if found is None else str(found)
    if (email := EMAILS.get(canonical)) is not None:
        address = slots_of(contact, "email_addresses").get(email[0])
        return getattr(address, email[1], None)
    if canonical == BIRTHDAY:
        return fields.birthday
    return contact.extended.get(canonical)


class Draft:
    """The fields of a contact that is created (`of=None`) or changed."""

    def __init__(self, of: Contact | None = None) -> None:
        self.fields = (
            ContactFields()
            if of is None
            else msgspec.convert(msgspec.to_builtins(of.fields), ContactFields)
        )
        self.extended: dict[str, str | None] = {}
        self._contact = of
        self._names: set[str] = set()
        self._slots: dict[str, dict[int, object]] = {}

    @property
    def is_new(self) -> bool:
        """Whether the contact is being created."""
        return self._contact is None

    def put(self, attribute: str, value: object) -> None:
        """Set a field of Graph's contact; None empties it."""
        default = getattr(ContactFields(), attribute)
        setattr(self.fields, attribute, default if value is None else value)
        self._names.add(_GRAPH_NAMES[attribute])

    def touch(self, attribute: str) -> None:
        """Note that a field was changed in place."""
        self._names.add(_GRAPH_NAMES[attribute])

    def put_slot(self, attribute: str, place: int, value: object | None) -> None:
        """Set one of the numbered values of a list; None takes it away."""
        slots = self._slots_of(attribute)
        if value is None:
            slots.pop(place, None)
        else:
            slots[place] = value

    def slot(self, attribute: str, place: int) -> object | None:
        """One of the numbered values of a list, as it stands."""
        return self._slots_of(attribute).get(place)

    def put_extended(self, canonical: str, value: str | None) -> None:
        """Set an extended property, also one that is a field of the contact; None removes it."""
        if (attribute := FIELDS.get(canonical)) is not None:
            self.put(attribute, value)
        elif (slot := SLOTS.get(canonical)) is not None:
            self.put_slot(slot[0], slot[1], value)
        elif (email := EMAILS.get(canonical)) is not None:
            old = self.slot("email_addresses", email[0])
            known = old if isinstance(old, EmailAddress) else EmailAddress()
            changed = msgspec.structs.replace(known, **{email[1]: value})
            self.put_slot("email_addresses", email[0], changed if changed.address else None)
        elif canonical == BIRTHDAY:
            self.put("birthday", value)
        else:
            self.extended[canonical] = value

    def places(self) -> dict[str, tuple[int, ...]]:
        """Where the values of the lists stand."""
        kept = {} if self._contact is None else dict(self._contact.places)
        return kept | {name: tuple(sorted(slots)) for name, slots in self._slots.items()}

    def body(self) -> ContactBody:
        """What the mailbox writes."""
        for attribute, slots in self._slots.items():
            self.put(attribute, [slots[place] for place in sorted(slots)])
        return ContactBody(self.fields, frozenset(self._names), self.extended)

    def _slots_of(self, attribute: str) -> dict[int, object]:
        slots = self._slots.get(attribute)
        if slots is None:
            slots = {} if self._contact is None else slots_of(self._contact, attribute)
            self._slots[attribute] = slots
        return slots
