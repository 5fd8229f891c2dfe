"""Seeds: the shipped organisation, the format, and people as JSON Lines."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cirahub_simulator.graph.seed import mailbox_of
from cirahub_simulator.process import shipped_world
from cirahub_simulator.seed import generate
from cirahub_simulator.seed.loader import ORGANISATION, SeedError, load
from cirahub_simulator.seed.people import (
    BUSINESS_FAX,
    CUSTOM_ID,
    contacts_of,
    load_people,
    read_people,
)
from cirahub_simulator.seed.record import schema
from cirahub_simulator.world import World

from .conftest import ANNA

CONGRESS = Path(__file__).parents[3] / "shared/data/us-congress-current.jsonl"
PERSON: dict[str, Any] = {
    "id": "X1",
    "given": "Ada",
    "middle": "M.",
    "family": "Example",
    "display": "Ada Example",
    "nickname": "Addie",
    "suffix": "III",
    "birthday": "1950-02-28",
    "chamber": "House",
    "state": "NV",
    "district": 4,
    "party": "Independent",
    "term_start": "2025-01-03",
    "term_end": "2027-01-03",
    "url": "https://ada.example",
    "address": "1 Long Building Town NV 12345",
    "phone": "202-555-0100",
    "fax": "202-555-0101",
    "office": "1 Long Building",
    "twitter": "RepAda",
    "offices": [
        {
            "address": "5 Main St.",
            "suite": 6,
            "building": "Old Bank",
            "city": "Reno",
            "state": "NV",
            "zip": "89501",
            "phone": "775-555-0100",
            "fax": "775-555-0101",
            "hours": "M-F 9-5pm",
        }
    ],
}


def shipped() -> list[dict[str, Any]]:
    return [json.loads(line) for line in ORGANISATION.read_bytes().splitlines()]


def test_the_shipped_organisation_is_what_the_generator_writes() -> None:
    assert generate.main(["--check"]) == 0


def test_it_has_three_tenants_an_exchange_server_and_about_2000_contacts() -> None:
    kinds = Counter(entry["kind"] for entry in shipped())
    mailboxes = [e for e in shipped() if e["kind"] == "user" and e.get("hasMailbox", True)]

    assert kinds["tenant"] == 3
    assert len(mailboxes) == 24
    assert (kinds["exchangeserver"], kinds["account"], kinds["publiccontact"]) == (1, 4, 20)
    assert 2_000 <= kinds["contact"] <= 2_400


def test_it_is_as_messy_as_real_ones_are() -> None:
    contacts = [entry["contact"] for entry in shipped() if entry["kind"] == "contact"]
    phones = [c["mobilePhone"] for c in contacts if "mobilePhone" in c]
    digits = Counter(re.sub(r"^(001|1)(?=\d{10})", "", re.sub(r"\D", "", p)) for p in phones)
    addresses = Counter(e["address"].lower() for c in contacts for e in c.get("emailAddresses", []))

    assert sum(count > 1 for count in addresses.values()) > 100
    assert sum(count > 1 for count in digits.values()) > 50
    assert len({re.sub(r"\d", "9", phone) for phone in phones}) >= 6
    assert any(not c["givenName"].isascii() for c in contacts if "givenName" in c)
    assert any(c.get("jobTitle") == "" for c in contacts)
    assert any(c.get("emailAddresses") == [] for c in contacts)
    assert any(len(c.get("emailAddresses", [])) == 3 for c in contacts)
    assert any(len(c.get("businessPhones", [])) == 2 for c in contacts)


def test_every_line_follows_the_published_schema() -> None:
    published = json.loads(schema())
    validator = jsonschema.Draft202012Validator(published)

    for line in shipped()[:60]:
        validator.validate(line)


def test_every_contact_arrives_in_its_mailbox() -> None:
    world = shipped_world()
    wanted = Counter(e["mailbox"] for e in shipped() if e["kind"] == "contact")

    found = {
        user.user_principal_name: sum(
            len(folder.contacts) for folder in mailbox_of(world, user.id).folders()
        )
        for user in world.directory.users()
        if user.has_mailbox
    }

    assert {name: count for name, count in found.items() if count} == wanted
    (public,) = world.public_folders.values()
    root = public.distinguished["publicfoldersroot"]
    assert sum(len(folder.contacts) for folder in public.folders(root)) == 20


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "seed.jsonl, line 2: "),
        (b'{"kind":"planet"}', "Invalid value 'planet'"),
        (b'{"kind":"tenant","id":"x","domain":"d"}', "missing required field `displayName`"),
        (
            b'{"kind":"tenant","id":"x","domain":"d","displayName":"D","colour":"red"}',
            "unknown field `colour`",
        ),
        (b'{"kind":"contact","mailbox":"x@y","contact":{}}', "mailbox 'x@y' is not"),
        (b'{"kind":"secret","vault":"v","name":"n","value":"x"}', "vault 'v' is not"),
    ],
)
def test_a_bad_line_is_named_with_its_field(line: bytes, message: str) -> None:
    with pytest.raises(SeedError, match=re.escape(message)) as raised:
        load(World(), [b"", line], "seed.jsonl")

    assert "line 2" in str(raised.value)


def strings(value: object) -> set[str]:
    """Every value inside a JSON document, numbers as text, notes by their lines."""
    if isinstance(value, dict):
        return set().union(*(strings(v) for v in value.values()))
    if isinstance(value, list):
        return set().union(*(strings(v) for v in value))
    return {part for line in str(value).splitlines() for part in (line, line.partition(": ")[2])}


def test_every_value_of_a_person_is_in_a_field_unchanged() -> None:
    [person] = read_people([json.dumps(PERSON).encode()], "people.jsonl")

    who, office = contacts_of(person)

    carried = strings(who)
    assert who["birthday"] == "1950-02-28T00:00:00Z"
    own = {k: v for k, v in PERSON.items() if k not in ("offices", "birthday")}
    assert strings(own) - {""} <= carried
    assert strings(PERSON["offices"][0]) - {""} <= strings(office)


def test_a_person_and_an_office_have_ids_of_their_own() -> None:
    [person] = read_people([json.dumps(PERSON).encode()], "people.jsonl")

    who, office = contacts_of(person)

    assert {"id": CUSTOM_ID, "value": "X1"} in who["singleValueExtendedProperties"]  # type: ignore[operator]
    assert {"id": CUSTOM_ID, "value": "X1/1"} in office["singleValueExtendedProperties"]  # type: ignore[operator]
    assert {"id": BUSINESS_FAX, "value": "775-555-0101"} in office["singleValueExtendedProperties"]  # type: ignore[operator]
    assert office["displayName"] == "Ada Example (Reno)"
    assert office["companyName"] == "Ada Example"


def test_all_members_of_congress_and_their_offices_load() -> None:
    if not CONGRESS.exists():
        pytest.skip(f"{CONGRESS.name} of the shared folder is not here")
    people = list(read_people(CONGRESS.read_bytes().splitlines(), CONGRESS.name))
    world = shipped_world()

    count = load_people(world, CONGRESS, ANNA, ["Congress"])

    user = world.directory.find_user(ANNA)
    assert user is not None
    folder = mailbox_of(world, user.id).folder_at(("Congress",))
    assert folder is not None
    stored = {c.extended[CUSTOM_ID.replace("C000", "c000")]: c for c in folder.contacts.values()}
    assert count == len(stored) == len(people) + sum(len(person.offices) for person in people)
    for person in people:
        for sent in contacts_of(person):
            extended = {e["id"]: e["value"] for e in sent.pop("singleValueExtendedProperties")}  # type: ignore[attr-defined]
            kept = stored[extended[CUSTOM_ID]]
            fax = kept.extended.get(BUSINESS_FAX.replace("0x3A24", "0x3a24"))
            assert fax == extended.get(BUSINESS_FAX)
            assert strings(sent) <= strings(kept.to_dict(kept.id))


def test_people_land_in_the_folder_that_was_named(tmp_path: Path) -> None:
    world = shipped_world()
    file = tmp_path / "people.jsonl"
    file.write_text(json.dumps(PERSON) + "\n\n", encoding="utf-8")

    assert load_people(world, file, ANNA, ["Congress"]) == 2

    user = world.directory.find_user(ANNA)
    assert user is not None
    folder = mailbox_of(world, user.id).folder_at(("Congress",))
    assert folder is not None
    assert {c.fields.display_name for c in folder.contacts.values()} == {
        "Ada Example",
        "Ada Example (Reno)",
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shoe_size": 44}, "people.jsonl, line 1: Object contains unknown field `shoe_size`"),
        ({"phone": 5}, "people.jsonl, line 1: Expected `str | null`, got `int` - at `$.phone`"),
        (
            {"offices": [{"city": "Reno"}, {"floor": 3}]},
            "people.jsonl, line 1: Object contains unknown field `floor` - at `$.offices[1]`",
        ),
    ],
)
def test_an_unknown_shape_names_line_and_field(change: dict[str, Any], message: str) -> None:
    line = json.dumps({**PERSON, **change}).encode()

    with pytest.raises(SeedError, match=re.escape(message)):
        list(read_people([line], "people.jsonl"))


def test_calendars_have_what_real_ones_have() -> None:
    world = shipped_world()
    anna = world.directory.find_user(ANNA)
    assert anna is not None
    calendars = mailbox_of(world, anna.id).calendars
    assert [calendar.name for calendar in calendars.all()] == ["Calendar", "Private"]
    meeting = next(iter(calendars.default.events.values()))
    assert meeting.series is not None
    assert len(meeting.series.cancelled) == 1
    assert len(meeting.overrides) == 2
    uids = {
        event.uid
        for user in world.directory.users(anna.tenant_id)
        if user.has_mailbox
        for event in mailbox_of(world, user.id).calendars.default.events.values()
        if event.fields.subject == meeting.fields.subject
    }
    assert uids == {meeting.uid}
    assert {event.fields.sensitivity for event in calendars.default.events.values()} == {
        "normal",
        "private",
    }
    assert world.outbox.messages() == []


def test_an_event_of_nobody_is_refused_by_its_line() -> None:
    line = {"kind": "event", "mailbox": "nobody@contoso.example", "event": {}}
    with pytest.raises(SeedError, match=r"line 1: mailbox 'nobody@contoso\.example'"):
        load(World(), [json.dumps(line).encode()], "test")
