"""How values compare: keys of list elements, equality of scalars, keys that identify a contact.

Normalisation is for comparing only; what is stored and shown keeps its source's spelling. A key
is stable text: equal keys mean the same element, however it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from unicodedata import normalize

from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.contact import (
    Contact,
    CustomField,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)
from cirahub_sync.model.event import Event, Occurrence
from cirahub_sync.model.kind import CONTACTS, Content, Element, Kind

DEFAULT_REGION = "US"
"""ISO 3166 region in which phone numbers without a country code are read by default."""

_SEPARATOR = "\n"
"""Joins a key's parts. Parts have their whitespace collapsed, or the last one is taken whole, so
that no two different elements share a key."""

_MATCHING_PHONES = frozenset(
    {PhoneKind.BUSINESS, PhoneKind.HOME, PhoneKind.MOBILE, PhoneKind.OTHER}
)
SHARED_MAILBOXES = frozenset(
    {"abuse", "ftp", "hostmaster", "info", "marketing", "news", "noc", "postmaster", "sales"}
    | {"security", "support", "usenet", "uucp", "webmaster", "www"}
    | {"admin", "contact", "office", "reception"}
)
"""Names of mailboxes that are a role's, and nobody's in person: those of RFC 2142, "Mailbox Names
for Common Services, Roles and Functions", and four that are as common."""

_CUSTOM = "custom:"
_MATCHED_FIELDS: Mapping[str, frozenset[str]] = {
    "email": frozenset({"emails"}),
    "phone": frozenset({"phones"}),
    "nameAndCompany": frozenset({"given_name", "surname", "display_name", "company"}),
}
_MATCH_ON = ("email", "phone", "nameAndCompany", "custom:NAME")


def caseless(text: str) -> str:
    """Text as it compares when case does not matter: trimmed, canonical caseless (Unicode D145),
    in NFC."""
    if text.isascii():
        return text.strip().lower()
    return normalize("NFC", normalize("NFD", text).casefold()).strip()


def exact(text: str) -> str:
    """Text as it compares when case matters: trimmed, in NFC, with line feeds as line ends
    (services turn them into CR LF)."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.strip() if text.isascii() else normalize("NFC", text).strip()


def folded(text: str) -> str:
    """Text as it compares across systems: compatibility caseless (Unicode D146: full-width and
    ligature forms are their plain letters), in NFKC, with every run of whitespace as one blank."""
    if text.isascii():
        return " ".join(text.lower().split())
    text = normalize("NFKD", normalize("NFKD", normalize("NFD", text).casefold()).casefold())
    return " ".join(normalize("NFKC", text).split())


def collapsed(text: str) -> str:
    """Caseless, with every run of whitespace as one blank."""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(caseless(text).split())


_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")
_PUNCTUATION = str.maketrans("", "", " -.()")


@lru_cache(maxsize=100_000)
def _dialled(number: str, region: str) -> tuple[str, bool]:
    """E.164 with the extension after `;`, or what is left when it cannot be read; and whether it
    is a complete number, with area code, as far as its length can tell."""
    return international(number) or parsed(number, region)


def international(number: str) -> tuple[str, bool] | None:
    """What `parsed` says of a number that begins with `+` and is digits and their usual
    punctuation, for a small part of the work; None if it takes more to tell."""
    if not number.startswith("+"):
        return None
    number = number.translate(_PUNCTUATION)
    if _INTERNATIONAL.fullmatch(number) is None:
        return None
    for end in (2, 3, 4):
        country = _country(number[1:end])
        if country is not None:
            prefix, lengths = country
            national = number[end:]
            # What begins like a prefix for calls within the country may have to go.
            if national[0] == "0" or (prefix is not None and prefix.match(national)):
                return None
            return number, len(national) in lengths
    return None


@cache
def _country(code: str) -> tuple[re.Pattern[str] | None, frozenset[int]] | None:
    """How national prefixes begin, and how long complete numbers are; None for what is no
    country's code."""
    import phonenumbers  # not at the top: a run that meets no number needs none of it

    region = phonenumbers.region_code_for_country_code(int(code))
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    lengths = None if metadata is None else metadata.general_desc
    if metadata is None or lengths is None:
        return None
    prefix = metadata.national_prefix_for_parsing
    return (
        None if prefix is None else re.compile(prefix),
        frozenset(lengths.possible_length) - frozenset(lengths.possible_length_local_only),
    )


def parsed(number: str, region: str) -> tuple[str, bool]:
    """As `_dialled`, of a number in any form."""
    import phonenumbers  # as in `_country`

    try:
        read = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return "".join(c for c in number if c.isdecimal()) or collapsed(number), False
    text = phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164)
    if read.extension:
        text = f"{text};{read.extension}"
    possible = phonenumbers.is_possible_number_with_reason(read)
    return text, possible == phonenumbers.ValidationResult.IS_POSSIBLE


def element_key(field: str, element: Element, region: str = DEFAULT_REGION) -> str:
    """The key of one element within its list field.

    E-mails by address alone (the name beside it is spelling); phones by kind and E.164 number
    with extension; addresses by kind and all parts; custom fields by caseless name and exact
    value; occurrences of a series by the day that the rule has them on; text (categories, instant
    messaging addresses, children) caseless.
    """
    if isinstance(element, str):
        return caseless(element)
    if isinstance(element, Email):
        return caseless(element.address)
    if isinstance(element, Phone):
        return f"{element.kind}:{_dialled(element.number, region)[0]}"
    if isinstance(element, PostalAddress):
        return _SEPARATOR.join(
            (
                element.kind,
                collapsed(element.street),
                collapsed(element.city),
                collapsed(element.state),
                collapsed(element.postal_code),
                collapsed(element.country),
            )
        )
    if isinstance(element, Occurrence):
        return element.original
    return f"{collapsed(element.name)}{_SEPARATOR}{exact(element.value)}"


def custom_name(key: str) -> str:
    """The caseless name in the key of a custom field."""
    return key.partition(_SEPARATOR)[0]


def keyed(
    field: str, elements: Iterable[Element], region: str = DEFAULT_REGION
) -> dict[str, Element]:
    """The elements by key, in order; of two with one key the first stays."""
    found: dict[str, Element] = {}
    for element in elements:
        found.setdefault(element_key(field, element, region), element)
    return found


def element_kind(element: Element) -> str | None:
    """Elements of one kind can be edited into one another: a phone into another of its kind, an
    e-mail, an address of its kind, a custom value of its name. None: what is only ever added and
    removed: text (two categories are two categories), and occurrences (another day is another)."""
    if isinstance(element, Phone | PostalAddress):
        return element.kind.value
    if isinstance(element, CustomField):
        return collapsed(element.name)
    return None if isinstance(element, str | Occurrence) else ""


def same_value(field: str, a: str, b: str) -> bool:
    """Whether two values of a scalar field are the same. A change of case is an edit."""
    return a == b or exact(a) == exact(b)


def validate_match_on(match_on: Sequence[str]) -> None:
    """Raises ConfigurationError for an empty list or a key that is not known."""
    if not match_on:
        raise ConfigurationError(f"matchOn is empty; use one or more of {', '.join(_MATCH_ON)}")
    for rule in match_on:
        if rule in _MATCH_ON[:3] or (rule.startswith(_CUSTOM) and rule[len(_CUSTOM) :].strip()):
            continue
        raise ConfigurationError(f"matchOn: {rule!r} is not known; use {', '.join(_MATCH_ON)}")


@lru_cache
def matched_fields(match_on: tuple[str, ...], kind: Kind = CONTACTS) -> frozenset[str]:
    """The fields that the keys of these rules are made of."""
    if kind is not CONTACTS:
        return kind.identity
    fields: set[str] = set()
    for rule in match_on:
        fields |= _MATCHED_FIELDS.get(rule, {"custom"})
    return frozenset(fields)


def match_keys(
    item: Content,
    match_on: Sequence[str],
    region: str = DEFAULT_REGION,
    regions: Mapping[Phone, str] | None = None,
) -> tuple[str, ...]:
    """The keys under which an item can be recognised at first sight. An event has one, whatever
    the rules: its UID, with the day it is the occurrence of if it is one of a series.

    Of a contact, most trusted first: in the order of `match_on`, within it in the contact's own.
    Letters compare as `folded`.

    An address of `SHARED_MAILBOXES` is a key of a contact that has no other: people of one office
    are not one person.

    Phone numbers without a country code are read in `region`, those of `regions` in theirs.
    `phone` takes complete numbers of any kind but fax and pager, whatever kind each side gave
    them. `nameAndCompany` needs both; given name and surname stand before the display name.
    """
    if isinstance(item, Event):
        return (f"uid:{item.uid}{_SEPARATOR}{item.original_start}",) if item.uid else ()
    if regions:
        return _contact_keys(item, match_on, region, regions)
    named = (item.given_name, item.surname, item.display_name, item.company)
    return _keys(
        item.emails,
        item.phones,
        item.custom,
        named=named,
        match_on=tuple(match_on),
        region=region,
    )


@lru_cache(maxsize=2_000)
def _keys(
    emails: tuple[Email, ...],
    phones: tuple[Phone, ...],
    custom: tuple[CustomField, ...],
    *,
    named: tuple[str, str, str, str],
    match_on: tuple[str, ...],
    region: str,
) -> tuple[str, ...]:
    """Of what a contact is recognised by. A spoke's contact is asked about first, and then, in the
    same chunk, the item that is made of it: mostly they have all of this in common."""
    given_name, surname, display_name, company = named
    contact = Contact(
        emails=emails,
        phones=phones,
        custom=custom,
        given_name=given_name,
        surname=surname,
        display_name=display_name,
        company=company,
    )
    return _contact_keys(contact, match_on, region, None)


def _contact_keys(
    contact: Contact, match_on: Sequence[str], region: str, regions: Mapping[Phone, str] | None
) -> tuple[str, ...]:
    keys: dict[str, None] = {}
    for rule in match_on:
        if rule == "email":
            addresses = [folded(email.address) for email in contact.emails]
            for address in _personal(addresses) or filter(None, addresses):
                keys[f"email:{address}"] = None
        elif rule == "phone":
            for phone in contact.phones:
                if phone.kind in _MATCHING_PHONES:
                    spoken = regions.get(phone, region) if regions else region
                    number, complete = _dialled(phone.number, spoken)
                    if complete:
                        keys[f"phone:{number}"] = None
        elif rule == "nameAndCompany":
            name = folded(f"{contact.given_name} {contact.surname}")
            name = name or folded(contact.display_name)
            company = folded(contact.company)
            if name and company:
                keys[f"nameAndCompany:{name}{_SEPARATOR}{company}"] = None
        elif rule.startswith(_CUSTOM) and contact.custom:
            wanted = folded(rule[len(_CUSTOM) :])
            for custom in contact.custom:
                value = folded(custom.value)
                if value and folded(custom.name) == wanted:
                    keys[f"{_CUSTOM}{wanted}:{value}"] = None
    return tuple(keys)


def _personal(addresses: Iterable[str]) -> list[str]:
    return [one for one in addresses if one and one.partition("@")[0] not in SHARED_MAILBOXES]
