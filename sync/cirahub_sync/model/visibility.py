"""Whether a contact is shown in the address lists of a place that can hide one.

No contact of a hub says it: it is the place's own, and stands in what the place is to hold as a
custom field that only such a place reads and writes.
"""

from __future__ import annotations

import msgspec

from cirahub_sync.model.contact import Contact, CustomField

_HIDDEN = CustomField("HiddenFromAddressLists", "true")


def as_hidden(contact: Contact) -> Contact:
    return msgspec.structs.replace(contact, custom=(*contact.custom, _HIDDEN))


def is_hidden(contact: Contact) -> bool:
    return _HIDDEN in contact.custom
