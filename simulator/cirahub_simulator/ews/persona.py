"""A contact as a persona: [MS-OXWSPERS] 2.2.4 (PersonaType).

https://learn.microsoft.com/exchange/client-developer/web-service-reference/persona. Exchange makes
one persona of all contacts that it takes for the same person; here each is a persona of its own.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence

from cirahub_simulator.ews.errors import EwsError
from cirahub_simulator.ews.identifiers import ews_id
from cirahub_simulator.ews.item_properties import item_id
from cirahub_simulator.ews.markup import Element, add, boolean, element, find, text_of
from cirahub_simulator.ews.property import Reading
from cirahub_simulator.ews.property_path import Path
from cirahub_simulator.graph.contact import Contact, ContactFields

_KIND = "persona\n"


def persona_id(contact: Contact) -> str:
    """The opaque id of a contact's persona."""
    return b64encode((_KIND + contact.immutable_id).encode()).decode()


def read_persona_id(text: str) -> str:
    """The contact's immutable id of a persona's. Raises EwsError."""
    try:
        plain = b64decode(text, validate=True).decode()
    except (ValueError, Base64Error) as error:
        raise _malformed() from error
    if not plain.startswith(_KIND):
        raise _malformed()
    return plain.removeprefix(_KIND)


def _malformed() -> EwsError:
    return EwsError("ErrorInvalidIdMalformed", "Id is malformed.")


def _last_first(fields: ContactFields) -> str | None:
    return ", ".join(part for part in (fields.surname, fields.given_name) if part) or None


_TEXTS: tuple[tuple[str, Callable[[ContactFields], str | None]], ...] = (
    ("DisplayName", lambda f: f.display_name),
    ("DisplayNameFirstLast", lambda f: f.display_name),
    ("DisplayNameLastFirst", _last_first),
    ("FileAs", lambda f: f.file_as),
    ("DisplayNamePrefix", lambda f: f.title),
    ("GivenName", lambda f: f.given_name),
    ("MiddleName", lambda f: f.middle_name),
    ("Surname", lambda f: f.surname),
    ("Generation", lambda f: f.generation),
    ("Nickname", lambda f: f.nick_name),
    ("Title", lambda f: f.job_title),
    ("Department", lambda f: f.department),
    ("CompanyName", lambda f: f.company_name),
    ("Location", lambda f: f.office_location),
)
_ATTRIBUTED: tuple[tuple[str, Callable[[ContactFields], str | None]], ...] = (
    ("DisplayNames", lambda f: f.display_name),
    ("FileAses", lambda f: f.file_as),
    ("GivenNames", lambda f: f.given_name),
    ("MiddleNames", lambda f: f.middle_name),
    ("Surnames", lambda f: f.surname),
)
_PHONES: tuple[tuple[str, str, Callable[[ContactFields], str | None]], ...] = (
    ("BusinessPhoneNumbers", "Business", lambda f: next(iter(f.business_phones), None)),
    ("HomePhones", "Home", lambda f: next(iter(f.home_phones), None)),
    ("MobilePhones", "Mobile", lambda f: f.mobile_phone),
)


def render(reading: Reading, *, whole: bool, prefix: str = "t") -> Element:
    """A Persona; `whole` with what every source says of it."""
    contact = reading.contact
    fields = contact.fields
    made = element(f"{prefix}:Persona")
    add(made, "t:PersonaId", Id=persona_id(contact))
    add(made, "t:PersonaType", "Person")
    add(made, "t:CreationTime", contact.created)
    for name, read in _TEXTS:
        if value := read(fields):
            add(made, f"t:{name}", value)
    addresses = [one.address for one in fields.email_addresses if one.address]
    if addresses:
        made.append(_address("EmailAddress", fields, addresses[0]))
        held = add(made, "t:EmailAddresses")
        held.extend(_address("Address", fields, address) for address in addresses)
    if whole:
        _attribute(made, reading)
    return made


def values_of(reading: Reading, path: Path) -> Sequence[str]:
    """What a persona has of a property, for a search. Raises EwsError for one of another kind."""
    prefix, _, name = path.uri.partition(":")
    if path.extended or prefix != "persona":
        raise EwsError(
            "ErrorUnsupportedPathForQuery", f"The property can not be used in a search. ({path})"
        )
    found = find(render(reading, whole=True), f"t:{name}")
    if found is None:
        return ()
    address = find(found, "t:EmailAddress")
    leaves = [found] if address is None else [address]
    return [text_of(one) for leaf in leaves for one in leaf.iter() if not len(one)]


def _address(tag: str, fields: ContactFields, address: str) -> Element:
    made = element(f"t:{tag}")
    add(made, "t:Name", fields.display_name or address)
    add(made, "t:EmailAddress", address)
    add(made, "t:RoutingType", "SMTP")
    add(made, "t:MailboxType", "Contact")
    return made


def _attribute(made: Element, reading: Reading) -> None:
    """Say what comes from where: all of it from the one contact."""
    fields = reading.contact.fields
    source = add(add(made, "t:Attributions"), "t:Attribution")
    add(source, "t:Id", "0")
    there = item_id(reading)
    add(source, "t:SourceId", Id=there.get("Id", ""), ChangeKey=there.get("ChangeKey", ""))
    add(source, "t:DisplayName", "Outlook")
    for flag, is_so in (("IsWritable", True), ("IsQuickContact", False), ("IsHidden", False)):
        add(source, f"t:{flag}", boolean(is_so))
    add(source, "t:FolderId", Id=ews_id(reading.folder.id))
    for name, read in _ATTRIBUTED:
        if value := read(fields):
            one = add(add(made, f"t:{name}"), "t:StringAttributedValue")
            add(one, "t:Value", value)
            add(add(one, "t:Attributions"), "t:Attribution", "0")
    for name, kind, read in _PHONES:
        if number := read(fields):
            one = add(add(made, f"t:{name}"), "t:PhoneNumberAttributedValue")
            phone = add(one, "t:Value")
            add(phone, "t:Number", number)
            add(phone, "t:Type", kind)
            add(add(one, "t:Attributions"), "t:Attribution", "0")
