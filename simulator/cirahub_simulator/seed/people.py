"""People of public life and their offices, as JSON Lines: a contact for each of them.

A line is a person with a list of offices. Every value of it goes unchanged into one field:

| person | contact | office | contact |
| --- | --- | --- | --- |
| `id` | CustomId | `id` of the person, `/` and a number | CustomId |
| `display` (or given and family) | `displayName` | `display` of the person | `companyName` |
| `given`, `middle` | `givenName`, `middleName` | that and the city | `displayName` |
| `family` | `surname` | | |
| `nickname`, `suffix` | `nickName`, `generation` | `address` | `businessAddress.street` |
| `birthday` | `birthday`, at midnight UTC | `city`, `state` | of `businessAddress` |
| `chamber` | `companyName` | `zip` | `businessAddress.postalCode` |
| `district` | `department` | `suite` | `officeLocation` |
| `party` | `categories` | `building` | `department` |
| `state`, `address` | `businessAddress.state`, `.street` | `phone` | `businessPhones` |
| `phone`, `fax` | `businessPhones`, BusinessFax | `fax` | BusinessFax |
| `url` | `businessHomePage` | `hours` | a line of `personalNotes` |
| `office` | `officeLocation` | | |
| `twitter` | `imAddresses` | | |
| `term_start`, `term_end` | lines of `personalNotes` | | |

CustomId and BusinessFax are single-value extended properties: Graph's contact has no field for
them (https://learn.microsoft.com/graph/api/resources/extended-properties-overview; PidTag
BusinessFaxNumber of [MS-OXPROPS] is 0x3A24).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from cirahub_simulator.graph.seed import add_contacts
from cirahub_simulator.seed.loader import SeedError
from cirahub_simulator.world import World

CUSTOM_ID = "String {00020329-0000-0000-C000-000000000046} Name CustomId"
BUSINESS_FAX = "String 0x3A24"


class Office(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A place where a person can be met."""

    address: str | None = None
    suite: str | int | None = None
    building: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    phone: str | None = None
    fax: str | None = None
    hours: str | None = None


class Person(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A line of the file."""

    id: str
    given: str
    family: str
    middle: str | None = None
    display: str | None = None
    nickname: str | None = None
    suffix: str | None = None
    birthday: str | None = None
    chamber: str | None = None
    state: str | None = None
    district: int | str | None = None
    party: str | None = None
    term_start: str | None = None
    term_end: str | None = None
    url: str | None = None
    address: str | None = None
    phone: str | None = None
    fax: str | None = None
    office: str | None = None
    twitter: str | None = None
    offices: list[Office] = []


def read_people(lines: Iterable[bytes], source: str) -> Iterator[Person]:
    """The people of a file. Raises SeedError, which names line and field."""
    decoder = msgspec.json.Decoder(Person)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield decoder.decode(line)
        except msgspec.MsgspecError as error:
            raise SeedError(f"{source}, line {number}: {error}") from error


def contacts_of(person: Person) -> list[dict[str, object]]:
    """The person's contact, then one for each office, as Graph's JSON."""
    name = person.display or f"{person.given} {person.family}"
    return [
        _person(person, name),
        *(_office(person, name, number, place) for number, place in enumerate(person.offices, 1)),
    ]


def load_people(world: World, path: Path, mailbox: str, folder: list[str]) -> int:
    """Put everybody into a folder of a mailbox (id or userPrincipalName).

    Returns how many contacts that made. Raises SeedError, and OSError when the file can't be read.
    """
    user = world.directory.find_user(mailbox)
    if user is None or not user.has_mailbox:
        raise SeedError(f"no mailbox {mailbox} to load {path} into")
    contacts = [
        contact
        for person in read_people(path.read_bytes().splitlines(), str(path))
        for contact in contacts_of(person)
    ]
    add_contacts(world, user.id, folder, contacts)
    return len(contacts)


def _person(person: Person, name: str) -> dict[str, object]:
    return _without_gaps(
        {
            "displayName": name,
            "givenName": person.given,
            "middleName": person.middle,
            "surname": person.family,
            "nickName": person.nickname,
            "generation": person.suffix,
            "birthday": None if person.birthday is None else f"{person.birthday}T00:00:00Z",
            "companyName": person.chamber,
            "department": None if person.district is None else str(person.district),
            "officeLocation": person.office,
            "businessHomePage": person.url,
            "businessPhones": _list(person.phone),
            "imAddresses": _list(person.twitter),
            "categories": _list(person.party),
            "businessAddress": _without_gaps({"street": person.address, "state": person.state}),
            "personalNotes": _notes(term_start=person.term_start, term_end=person.term_end),
            "singleValueExtendedProperties": _extended(person.id, person.fax),
        }
    )


def _office(person: Person, name: str, number: int, place: Office) -> dict[str, object]:
    where = place.city or place.building or place.address or str(number)
    return _without_gaps(
        {
            "displayName": f"{name} ({where})",
            "companyName": name,
            "department": place.building,
            "officeLocation": None if place.suite is None else str(place.suite),
            "businessPhones": _list(place.phone),
            "businessAddress": _without_gaps(
                {
                    "street": place.address,
                    "city": place.city,
                    "state": place.state,
                    "postalCode": place.zip,
                }
            ),
            "personalNotes": _notes(hours=place.hours),
            "singleValueExtendedProperties": _extended(f"{person.id}/{number}", place.fax),
        }
    )


def _extended(custom_id: str, fax: str | None) -> list[dict[str, str]]:
    properties = [{"id": CUSTOM_ID, "value": custom_id}]
    if fax is not None:
        properties.append({"id": BUSINESS_FAX, "value": fax})
    return properties


def _list(value: str | None) -> list[str] | None:
    return None if value is None else [value]


def _notes(**values: str | None) -> str | None:
    lines = [f"{name}: {value}" for name, value in values.items() if value is not None]
    return "\n".join(lines) or None


def _without_gaps(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value not in (None, {})}
