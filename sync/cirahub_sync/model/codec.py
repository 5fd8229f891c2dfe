"""The bytes of contacts and edits as the store keeps them, and the form that fingerprints cover.

A leading byte names the version of the form; MessagePack follows. Contacts are maps without
their blank fields, in the order of the struct; edits are arrays.
"""

from __future__ import annotations

import msgspec

from cirahub_sync.errors import StoreError
from cirahub_sync.model.contact import Contact
from cirahub_sync.model.edit import OwnEdits

_VERSION = b"\x01"
_encode = msgspec.msgpack.Encoder().encode
_contact = msgspec.msgpack.Decoder(Contact).decode
_own = msgspec.msgpack.Decoder(OwnEdits).decode


def _body(data: bytes) -> memoryview:
    if data[:1] != _VERSION:
        raise StoreError(
            "a stored item is of a form this version does not know; run the version that wrote it"
        )
    return memoryview(data)[1:]


def encode_contact(contact: Contact) -> bytes:
    return _VERSION + _encode(contact)


def decode_contact(data: bytes) -> Contact:
    """Raises StoreError when the bytes are not a contact of a known version."""
    try:
        return _contact(_body(data))
    except msgspec.MsgspecError:
        raise StoreError("a stored contact is damaged") from None


def encode_own(own: OwnEdits) -> bytes:
    return _VERSION + _encode(own)


def decode_own(data: bytes) -> OwnEdits:
    """Raises StoreError when the bytes are not edits of a known version."""
    try:
        return _own(_body(data))
    except msgspec.MsgspecError:
        raise StoreError("stored edits are damaged") from None


def fingerprint_bytes(contact: Contact) -> bytes:
    """A canonical form: equal exactly when two contacts would be shown the same.

    Spelling counts. Order counts where it decides a slot: e-mails, instant messaging addresses,
    and phones and addresses within their kind. It does not between kinds, nor for categories,
    children and custom fields.
    """
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
    return encode_contact(msgspec.structs.replace(contact, **changes) if changes else contact)
