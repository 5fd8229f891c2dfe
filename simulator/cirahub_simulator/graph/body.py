"""Request bodies: read strictly, refused in Graph's words.

A body that is right is decoded in one step; only one that is not is looked at member by member.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from cirahub_simulator.graph import errors
from cirahub_simulator.graph.contact import FIELDS, SERVER_FIELDS, ContactFields, ExtendedValue
from cirahub_simulator.graph.extended_property import read_values
from cirahub_simulator.graph.own_data import NO_DATA, OwnData, take_own_data
from cirahub_simulator.switches import Switches

MAX_BYTES = 4_000_000
"""Of a request: https://learn.microsoft.com/graph/best-practices-concept and its error 413."""

LIMITS = (
    ("emailAddresses", "email_addresses", 3),
    ("businessPhones", "business_phones", 2),
    ("homePhones", "home_phones", 2),
    ("imAddresses", "im_addresses", 3),
)
"""How many values Outlook has room for.

The first two and the message are reported (github.com/microsoftgraph/microsoft-graph-docs, issue
15276); the others are the numbers of the MAPI fields behind them (MS-OXOCNTC 2.2.1: Home and Home
2; EWS's ImAddress1 to ImAddress3).
"""

_NOT_SIMULATED = frozenset(
    (
        "photo",
        "primaryEmailAddress",
        "secondaryEmailAddress",
        "tertiaryEmailAddress",
    )
)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?(?:Z|[+-]\d\d:\d\d)")
_contact = msgspec.json.Decoder(ContactFields)
_names = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _FolderBody(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    display_name: str | None = None
    single_value_extended_properties: list[ExtendedValue] = []


class ContactBody(NamedTuple):
    """A contact as a request writes it."""

    fields: ContactFields
    names: frozenset[str]
    """Graph's names of the fields that the body has; empty for a create, where it is no matter."""
    extended: dict[str, str | None]
    own: OwnData = NO_DATA


class FolderBody(NamedTuple):
    """A folder as a request writes it."""

    display_name: str | None
    extended: dict[str, str | None]


def check_content(body: bytes, content_type: str) -> None:
    """Refuse what is too large or no JSON by its own declaration.

    https://learn.microsoft.com/graph/errors (413, 415); without any type OData's reader gives up.
    """
    if len(body) > MAX_BYTES:
        raise errors.GraphError(
            413, "RequestEntityTooLarge", "The request size exceeds the maximum limit."
        )
    if not content_type:
        raise errors.bad_request(
            "A missing or empty content type header was found when trying to read a message. "
            "The content type header is required.",
            "RequestBodyRead",
        )
    if not content_type.lower().startswith("application/json"):
        raise errors.GraphError(
            415, "UnsupportedMediaType", f"The media type '{content_type}' is not supported."
        )


def read_contact(body: bytes, switches: Switches) -> ContactBody:
    """A contact to create."""
    own = NO_DATA
    try:
        fields = _contact.decode(body)
    except msgspec.DecodeError:
        fields, own = _read_carefully(body)
    extended = _finish(fields, switches)
    return ContactBody(fields, frozenset(), extended, own)


def read_contact_changes(body: bytes, switches: Switches) -> ContactBody:
    """A contact's fields to update."""
    own = NO_DATA
    try:
        fields = _contact.decode(body)
    except msgspec.DecodeError:
        fields, own = _read_carefully(body)
    names = frozenset(name for name in _names.decode(body) if name in FIELDS)
    extended = _finish(fields, switches)
    return ContactBody(fields, names, extended, own)


def read_folder(body: bytes) -> FolderBody:
    """A folder to create or to update."""
    members = read_members(body)
    for name in ("id", "parentFolderId"):
        members.pop(name, None)
    for name in ("childFolders", "contacts", "multiValueExtendedProperties"):
        if name in members:
            raise errors.not_simulated(f"writing {name} along with a folder")
    for name in members:
        if name not in _FolderBody.__struct_encode_fields__:
            raise errors.unknown_property(name, "microsoft.graph.contactFolder")
    try:
        folder = msgspec.convert(members, _FolderBody)
    except msgspec.ValidationError as error:
        raise invalid(error) from error
    return FolderBody(folder.display_name, read_values(folder.single_value_extended_properties))


def _finish(fields: ContactFields, switches: Switches) -> dict[str, str | None]:
    """Check limits, take out what is no field, and normalise."""
    for name, attribute, limit in LIMITS:
        count = len(getattr(fields, attribute))
        if count > limit:
            raise errors.too_many_values(name[0].upper() + name[1:], count, limit)
    if fields.birthday is not None:
        fields.birthday = _birthday(fields.birthday, switches)
    if switches.email_name == "address":
        for address in fields.email_addresses:
            if address.name is None:
                address.name = address.address
    fields.odata_type = msgspec.UNSET
    values = fields.single_value_extended_properties
    if isinstance(values, msgspec.UnsetType):
        return {}
    fields.single_value_extended_properties = msgspec.UNSET
    return read_values(values)


def _birthday(text: str, switches: Switches) -> str:
    if _DATE_TIME.fullmatch(text) is None:
        raise errors.invalid_value("birthday", f"'{text}' is no Edm.DateTimeOffset")
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise errors.invalid_value("birthday", str(error)) from error
    if switches.birthday == "midnight":
        moment = moment.replace(hour=0, minute=0, second=0)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def read_members(body: bytes) -> dict[str, object]:
    """The members of a JSON object without OData's annotations, at any depth."""
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise errors.unreadable_body() from error
    if not isinstance(value, dict):
        raise errors.unreadable_body()
    return {name: _plain(member) for name, member in value.items() if "@odata." not in name}


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items() if "@odata." not in name}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value


def read_own_data(members: dict[str, object]) -> OwnData:
    """Take own data out of the members of an object. Raises GraphError."""
    try:
        return take_own_data(members)
    except msgspec.ValidationError as error:
        raise invalid(error) from error


def _read_carefully(body: bytes) -> tuple[ContactFields, OwnData]:
    """Drop what a client may send and the server passes over; name what is wrong with the rest.

    Null empties a collection or an address, as it does any other field.
    """
    kept: dict[str, object] = {}
    members = read_members(body)
    own = read_own_data(members)
    for name, value in members.items():
        if name in SERVER_FIELDS:
            continue
        if name in _NOT_SIMULATED:
            raise errors.not_simulated(f"the contact property {name}")
        if name not in FIELDS and name != "singleValueExtendedProperties":
            raise errors.unknown_property(name, "microsoft.graph.contact")
        if value is not None:
            kept[name] = value
    try:
        return msgspec.convert(kept, ContactFields), own
    except msgspec.ValidationError as error:
        raise invalid(error) from error


def invalid(error: msgspec.ValidationError) -> errors.GraphError:
    reason, _, place = str(error).partition(" - at `$.")
    return errors.invalid_value(place.rstrip("`") or "value", reason)
