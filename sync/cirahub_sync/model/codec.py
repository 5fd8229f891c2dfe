"""The bytes of items and edits as the store keeps them, and the form that fingerprints cover.

A leading byte names the form; MessagePack follows. Contacts and events are maps without their
blank fields, in the order of the struct; edits are arrays.
"""

from __future__ import annotations

import msgspec

from cirahub_sync.errors import StoreError
from cirahub_sync.model.contact import Contact
from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.model.event import Event
from cirahub_sync.model.kind import EVENTS, Content, without

_VERSION = b"\x01"
"""Of contacts and edits."""
_EVENT = b"\x02"
_encode = msgspec.msgpack.Encoder().encode
_contact = msgspec.msgpack.Decoder(Contact).decode
_event = msgspec.msgpack.Decoder(Event).decode
_OWN_AFFAIR = EVENTS.inbound | EVENTS.local
_own = msgspec.msgpack.Decoder(OwnEdits).decode


def _body(data: bytes) -> memoryview:
    if data[:1] != _VERSION:
        raise StoreError(
            "a stored item is of a form this version does not know; run the version that wrote it"
        )
    return memoryview(data)[1:]


def encode_item(item: Content) -> bytes:
    return (_VERSION if type(item) is Contact else _EVENT) + _encode(item)


def decode_item(data: bytes) -> Content:
    """Raises StoreError when the bytes are not an item of a known form."""
    try:
        if data[:1] == _EVENT:
            return _event(memoryview(data)[1:])
        return _contact(_body(data))
    except msgspec.MsgspecError:
        raise StoreError("a stored item is damaged") from None


def encode_own(own: OwnEdits) -> bytes:
    return _VERSION + _encode(own)


def decode_own(data: bytes) -> OwnEdits:
    """Raises StoreError when the bytes are not edits of a known version."""
    try:
        return _own(_body(data))
    except msgspec.MsgspecError:
        raise StoreError("stored edits are damaged") from None


def fingerprint_bytes(item: Content) -> bytes:
    """A canonical form: equal exactly when two items would be shown the same. What each mailbox has
    for itself of an event, and what only says whose it is, does not count.

    Spelling counts. Order counts where it decides a slot: e-mails, instant messaging addresses,
    and phones and addresses within their kind. It does not between kinds, nor for categories,
    children and custom fields.
    """
    return _contact_form(item) if type(item) is Contact else _event_form(item)


def _event_form(item: Content) -> bytes:
    return encode_item(without(item, _OWN_AFFAIR))


def _contact_form(contact: Contact) -> bytes:
    changes: dict[str, object] = {}
    if len(contact.phones) > 1:
        changes["phones"] = tuple(sorted(contact.phones, key=lambda p: p.kind))
    if len(contact.addresses) > 1:
        changes["addresses"] = tuple(sorted(contact.addresses, key=lambda a: a.kind))
    if len(contact.categories) > 1:
        changes["categories"] = tuple(sorted(contact.categories))
    if len(contact.children) > 1:
        changes["children"] = tuple(sorted(contact.children))
    if len(contact.custom) > 1:
        changes["custom"] = tuple(sorted(contact.custom, key=lambda c: (c.name, c.value)))
    return encode_item(msgspec.structs.replace(contact, **changes) if changes else contact)
