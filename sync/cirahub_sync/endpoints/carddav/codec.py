"""A contact's two forms: ours and a vCard's. Pure.

What is written is valid in both versions: dates without hyphens, telephone numbers as text, types
that both have. A property that has no field of ours, and a parameter of any, is never touched; nor
is a field's own property while the field stays as it is. What a vCard has no property for
(`capabilities.LIMITS`) is not shown there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import TypeVar

import msgspec

from cirahub_sync.endpoints.carddav.capabilities import FIELDS
from cirahub_sync.endpoints.carddav.card import Card, Line, escape, made, plain, split, unescape
from cirahub_sync.model.contact import (
    AddressKind,
    Contact,
    CustomField,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)

Element = TypeVar("Element")

STAMP = "X-CIRAHUB-STAMP"

_TEXTS: Mapping[str, str] = {
    "display_name": "FN",
    "nickname": "NICKNAME",
    "job_title": "TITLE",
    "profession": "ROLE",
    "notes": "NOTE",
    "yomi_given_name": "X-PHONETIC-FIRST-NAME",
    "yomi_surname": "X-PHONETIC-LAST-NAME",
    "yomi_company": "X-PHONETIC-ORG",
}
"""Properties of one text. ROLE is somebody's occupation (RFC 2426 3.5.2), TITLE the position. The
phonetic ones are Apple's, which others read too."""
_LISTS = frozenset({"NICKNAME"})
"""Lists of texts, of which we have one: joined by a comma and a blank."""
_NAME = ("surname", "given_name", "middle_name", "title", "generation")
"""In the order of N (RFC 6350 6.2.2)."""
_ORGANISATION = ("company", "department")
"""In the order of ORG; further units are left as they are."""

_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ].*)?")
_NO_YEAR = "X-APPLE-OMIT-YEAR"
_TYPES: Mapping[PhoneKind, str] = {
    PhoneKind.BUSINESS: "work,voice",
    PhoneKind.HOME: "home,voice",
    PhoneKind.MOBILE: "cell",
    PhoneKind.OTHER: "voice",
    PhoneKind.BUSINESS_FAX: "work,fax",
    PhoneKind.HOME_FAX: "home,fax",
    PhoneKind.OTHER_FAX: "fax",
    PhoneKind.PAGER: "pager",
}
_FAXES = {"work": PhoneKind.BUSINESS_FAX, "home": PhoneKind.HOME_FAX}
_VOICES = {
    "pager": PhoneKind.PAGER,
    "cell": PhoneKind.MOBILE,
    "work": PhoneKind.BUSINESS,
    "home": PhoneKind.HOME,
}
"""What decides first."""
_ADDRESSES = {"work": AddressKind.BUSINESS, "home": AddressKind.HOME}
_TOKEN = re.compile(r"[A-Za-z0-9-]{1,60}")
_OWN = re.compile(r"X-(CIRAHUB|PHONETIC|AB|APPLE|ADDRESSBOOKSERVER)", re.IGNORECASE)


class Letter(msgspec.Struct, frozen=True, array_like=True):
    """An update, for the card as it is by then."""

    after: Contact
    fields: tuple[str, ...]
    """Those that it changes."""


_letters = msgspec.msgpack.Decoder(Letter)


def encode(content: Contact, custom_names: Sequence[str]) -> bytes:
    """The properties of a new card, without those that say which one it is (`with_head`)."""
    card = Card(())
    apply(card, content, FIELDS, custom_names)
    for name, value in (("N", ";;;;"), ("FN", escape(_called(content)))):
        if card.first(name) is None:
            # Both have to be there: RFC 2426 3.1.1 and 3.1.2. A name made of the rest is what
            # others would show in its place.
            card.append(made(f"{name}:", value))
    return "".join(f"{line.raw}\r\n" for line in card.lines).encode()


def with_head(body: bytes, *, version: str, uid: str, stamp: str) -> bytes:
    """A whole card: bytes only, nothing is parsed."""
    head = (
        made("VERSION:", version),
        made("PRODID:", "-//cirahub//cirahub//EN"),
        made("UID:", uid),
        made(f"{STAMP}:", escape(stamp)),
    )
    lines = "".join(f"{line.raw}\r\n" for line in head)
    return b"".join((b"BEGIN:VCARD\r\n", lines.encode(), body, b"END:VCARD\r\n"))


def encode_changes(
    before: Contact | None, after: Contact, fields: Collection[str] | None = None
) -> bytes:
    if before is not None:
        fields = [name for name in FIELDS if getattr(before, name) != getattr(after, name)]
    elif fields is None:
        fields = FIELDS
    chosen = tuple(name for name in FIELDS if name in fields)
    return msgspec.msgpack.encode(Letter(after, chosen))


def read_letter(body: bytes) -> Letter:
    return _letters.decode(body)


def stamp_of(card: Card) -> str:
    return card.text(STAMP)


def is_group(card: Card) -> bool:
    """A list of members, and nobody: KIND of RFC 6350 6.1.4, and Apple's in version 3.0."""
    kind = card.first("KIND") or card.first("X-ADDRESSBOOKSERVER-KIND")
    return kind is not None and kind.value.strip().lower() == "group"


def decode(card: Card, custom_names: Sequence[str] = ()) -> Contact:
    texts = {field: _read_text(card.first(name)) for field, name in _TEXTS.items()}
    surname, given_name, middle_name, title, generation = _components(card, "N", len(_NAME), " ")
    company, department = _components(card, "ORG", len(_ORGANISATION), " ")
    birthday = card.first("BDAY")
    return Contact(
        display_name=texts["display_name"],
        surname=surname,
        given_name=given_name,
        middle_name=middle_name,
        title=title,
        generation=generation,
        nickname=texts["nickname"],
        company=company,
        department=department,
        job_title=texts["job_title"],
        profession=texts["profession"],
        notes=texts["notes"],
        yomi_given_name=texts["yomi_given_name"],
        yomi_surname=texts["yomi_surname"],
        yomi_company=texts["yomi_company"],
        business_home_page=_uri(card.first("URL")),
        birthday="" if birthday is None else _day(birthday),
        emails=_read_all(card.named("EMAIL"), _email),
        phones=_read_all(card.named("TEL"), _phone),
        addresses=_read_all(card.named("ADR"), _address),
        im_addresses=_read_all(card.named("IMPP"), _im_address),
        categories=_categories(card),
        custom=tuple(
            CustomField(name, value)
            for name in custom_names
            if (property_ := property_of(name))
            for line in card.named(property_)
            if (value := unescape(line.value))
        ),
    )


def apply(card: Card, after: Contact, fields: Collection[str], custom_names: Sequence[str]) -> None:
    """Have these fields of the card be those of `after`."""
    for field, name in _TEXTS.items():
        if field in fields:
            text = getattr(after, field) or (_called(after) if name == "FN" else "")
            if _read_text(card.first(name)) != text:
                card.put(name, escape(text))
    _put_components(card, "N", _NAME, after, fields)
    _put_components(card, "ORG", _ORGANISATION, after, fields)
    if "business_home_page" in fields and _uri(card.first("URL")) != after.business_home_page:
        card.put("URL", _one_line(after.business_home_page))
    if "birthday" in fields:
        _put_birthday(card, after.birthday)
    if "emails" in fields:
        emails = [Email(one.address) for one in after.emails]
        card.relist(card.named("EMAIL"), _email, emails, _write_email, type)
    if "phones" in fields:
        card.relist(card.named("TEL"), _phone, after.phones, _write_phone, _kind_of)
    if "addresses" in fields:
        card.relist(card.named("ADR"), _address, after.addresses, _write_address, _kind_of)
    if "im_addresses" in fields:
        uris = [uri for one in after.im_addresses if (uri := _one_line(one))]
        card.relist(card.named("IMPP"), _im_address, uris, _write_uri, _scheme)
    if "categories" in fields and _categories(card) != after.categories:
        for line in card.named("CATEGORIES")[1:]:
            card.replace(line, None)
        card.put("CATEGORIES", ",".join(map(escape, after.categories)))
    if "custom" in fields:
        _put_custom(card, after.custom, custom_names)


def property_of(name: str) -> str:
    """Of a custom field; blank if it can't be one."""
    if not _TOKEN.fullmatch(name):
        return ""
    found = name.upper() if name.upper().startswith("X-") else f"X-{name.upper()}"
    return "" if _OWN.match(found) else found


# Reading


def _read_text(line: Line | None) -> str:
    if line is None:
        return ""
    if line.name in _LISTS:
        return ", ".join(unescape(one) for one in split(line.value, ","))
    return unescape(line.value)


def _read_all(lines: Sequence[Line], read: Callable[[Line], Element | None]) -> tuple[Element, ...]:
    return tuple(element for line in lines if (element := read(line)) is not None)


def _components(card: Card, name: str, count: int, glue: str) -> list[str]:
    """A component may be a list of its own."""
    line = card.first(name)
    parts = split(line.value, ";") if line is not None else []
    parts += [""] * (count - len(parts))
    return [_component(part, glue) for part in parts[:count]]


def _component(part: str, glue: str) -> str:
    if "," not in part:
        return unescape(part)
    return glue.join(one for one in map(unescape, split(part, ",")) if one)


def _uri(line: Line | None) -> str:
    """Some escape URIs as if they were texts."""
    return "" if line is None else unescape(line.value).strip()


def _day(line: Line) -> str:
    """Blank for a birthday without its year, and for one that is told in words."""
    found = _DATE.fullmatch(line.value.strip())
    if found is None or ((omitted := line.parameter(_NO_YEAR)) and omitted == found[1]):
        return ""
    try:
        return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
    except ValueError:
        return ""


def _email(line: Line) -> Email | None:
    address = unescape(line.value).strip()
    return Email(address) if address else None


def _is_uri(line: Line) -> bool:
    return line.value.lstrip()[:4].lower() == "tel:"


def _phone(line: Line) -> Phone | None:
    # A URI is not escaped (RFC 6350 4).
    number = line.value.strip()[4:] if _is_uri(line) else unescape(line.value)
    number = number.strip()
    if not number:
        return None
    kinds = _FAXES if "fax" in line.types else _VOICES
    other = PhoneKind.OTHER_FAX if "fax" in line.types else PhoneKind.OTHER
    return Phone(next((kind for word, kind in kinds.items() if word in line.types), other), number)


def _address(line: Line) -> PostalAddress | None:
    parts = split(line.value, ";")
    parts += [""] * (7 - len(parts))
    street = _component(parts[2], "\n")
    rest = [_component(part, " ") for part in parts[3:7]]
    if not any((street, *rest)):
        return None
    kinds = _ADDRESSES.items()
    kind = next((kind for word, kind in kinds if word in line.types), AddressKind.OTHER)
    return PostalAddress(kind, street, *rest)


def _im_address(line: Line) -> str | None:
    return _uri(line) or None


def _categories(card: Card) -> tuple[str, ...]:
    parts = [part for line in card.named("CATEGORIES") for part in split(line.value, ",")]
    return tuple(dict.fromkeys(text for part in parts if (text := unescape(part).strip())))


# Writing


def _called(content: Contact) -> str:
    """What stands for a name that is not there."""
    names = (content.title, content.given_name, content.middle_name, content.surname)
    made_up = " ".join(one for one in names if one) or content.nickname or content.company
    if made_up or content.display_name:
        return content.display_name or made_up
    return content.emails[0].address if content.emails else ""


def _put_components(
    card: Card, name: str, fields: Sequence[str], after: Contact, changed: Collection[str]
) -> None:
    """Those of a structured property that changed; the others as they are."""
    if not any(field in changed for field in fields):
        return
    line = card.first(name)
    parts = split(line.value, ";") if line is not None else []
    least = len(fields) if name == "N" else 1
    parts += [""] * (least - len(parts))
    for at, field in enumerate(fields):
        if field not in changed:
            continue
        text = getattr(after, field)
        if at < len(parts) and _component(parts[at], " ") == text:
            continue
        if at < len(parts):
            parts[at] = escape(text)
        elif text:
            parts += [""] * (at - len(parts)) + [escape(text)]
    if name != "N" and (line is None or parts != split(line.value, ";")):
        while len(parts) > 1 and not parts[-1]:
            parts.pop()
    value = ";".join(parts)
    if line is None or line.value != value:
        card.put(name, value)


def _put_birthday(card: Card, day: str) -> None:
    line = card.first("BDAY")
    if line is not None and _day(line) == day:
        return
    if line is not None:
        # Its parameters say of what kind the old value was.
        card.replace(line, None)
    card.put("BDAY", plain(day).replace("-", ""))


def _put_custom(card: Card, wanted: Sequence[CustomField], custom_names: Sequence[str]) -> None:
    for name in custom_names:
        if property_ := property_of(name):
            values = [one.value for one in wanted if one.name == name and one.value]

            def write(value: str, old: Line | None, property_: str = property_) -> Line:
                return _put(old, f"{property_}:", escape(value))

            card.relist(card.named(property_), _text, values, write, type)


def _text(line: Line) -> str | None:
    return unescape(line.value) or None


def _put(old: Line | None, before: str, value: str) -> Line:
    return made(before, value) if old is None else old.with_value(value)


def _write_email(email: Email, old: Line | None) -> Line:
    return _put(old, "EMAIL:", escape(email.address))


def _write_phone(phone: Phone, old: Line | None) -> Line:
    uri = old is not None and _is_uri(old)
    value = f"tel:{_one_line(phone.number)}" if uri else escape(phone.number)
    return _put(old, f"TEL;TYPE={_TYPES[phone.kind]}:", value)


def _write_address(one: PostalAddress, old: Line | None) -> Line:
    """A post office box and an extension have no field of ours."""
    parts = split(old.value, ";")[:2] if old is not None else []
    parts += [""] * (2 - len(parts))
    ours = (one.street, one.city, one.state, one.postal_code, one.country)
    words = {kind: word for word, kind in _ADDRESSES.items()}
    head = f"ADR;TYPE={words[one.kind]}:" if one.kind in words else "ADR:"
    return _put(old, head, ";".join((*parts, *map(escape, ours))))


def _write_uri(uri: str, old: Line | None) -> Line:
    return _put(old, "IMPP:", uri)


def _kind_of(element: Phone | PostalAddress) -> object:
    return element.kind


def _scheme(uri: str) -> str:
    return uri.partition(":")[0].lower()


def _one_line(text: str) -> str:
    return plain(text).replace("\n", " ").strip()
