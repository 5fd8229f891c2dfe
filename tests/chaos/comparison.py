"""What mailboxes hold, compared with what the reference says of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.chaos.reference import FIELDS, Place, Reference, Way
from tests.chaos.story import number_of

PREFIXES = ("", "Mr ", "Dear ")
"""Of a job title, by a mapping."""
TURNS = {
    "ben": (Way.TWO_WAY, Way.CONTRIBUTE, Way.RECEIVE),
    "cy": (Way.TWO_WAY, Way.RECEIVE),
    "dee": (Way.RECEIVE, Way.TWO_WAY),
}


class DuplicateError(AssertionError):
    """A mailbox has more of a person than it should."""


class LostError(AssertionError):
    """A mailbox lacks somebody, or what its own user wrote."""


class UnconvergedError(AssertionError):
    """A mailbox shows what it should not, or it does not come to rest."""


def compare(reference: Reference, held: dict[str, list[dict[str, Any]]]) -> None:
    """`held`: the contacts of each mailbox. Raises DuplicateError, LostError, UnconvergedError."""
    for name, place in reference.places.items():
        _own(place, held[name])
        _people(reference, place, held[name])
        _values(reference, place, held[name])
    _agreement(reference, held)


def plain(contact: dict[str, Any], name: str) -> str:
    """Without what a mapping puts before it."""
    value = str(contact[name] or "")
    while name == "jobTitle" and value.startswith(PREFIXES[1:]):
        value = value.partition(" ")[2]
    return value


def _own(place: Place, held: list[dict[str, Any]]) -> None:
    by_id = {contact["immutableId"]: contact for contact in held}
    for remote, own in place.own.items():
        if own.away:
            continue
        if remote not in by_id:
            raise LostError(f"{place.name}: its own item of {own.person} is gone")
        if place.way is Way.TWO_WAY or place.name in TURNS:
            continue
        found = {name: by_id[remote][name] or "" for name in FIELDS}
        if place.name != "lea" and found != {n: own.fields.get(n, "") for n in FIELDS}:
            raise LostError(f"{place.name}: its own item of {own.person} reads {found}")


def _people(reference: Reference, place: Place, held: list[dict[str, Any]]) -> None:
    found = Counter(number_of(contact) for contact in held)
    for person in sorted({*reference.people(), *found}):
        expected = reference.expected(place, person)
        if found[person] > expected.most:
            raise DuplicateError(f"{place.name}: {person} is there {found[person]} times")
        if found[person] < expected.least:
            raise LostError(f"{place.name}: {person} is there {found[person]} times")


def _values(reference: Reference, place: Place, held: list[dict[str, Any]]) -> None:
    for contact in held:
        person = number_of(contact)
        if _has_a_say(place, contact):
            continue
        for name in FIELDS:
            value = plain(contact, name)
            if value not in reference.may_show(person, name):
                raise UnconvergedError(
                    f"{place.name}: {person}'s {name} is {value!r}, which nobody wrote"
                )


def _agreement(reference: Reference, held: dict[str, list[dict[str, Any]]]) -> None:
    shown: dict[tuple[int, str], dict[str, str]] = {}
    for where, contacts in held.items():
        place = reference.places[where]
        if not place.receives:
            continue
        for contact in contacts:
            person = number_of(contact)
            aside = person in reference.wild or person in place.unsure
            if aside or _has_a_say(place, contact) or not reference.givers(person):
                continue
            if person % 2 and (place.keeps_odd or place.refuses_odd):
                continue
            for name in FIELDS:
                if (person, name) in reference.frozen:
                    continue
                shown.setdefault((person, name), {})[where] = plain(contact, name)
    for (person, name), by_place in shown.items():
        if len(set(by_place.values())) > 1:
            raise UnconvergedError(f"{person}'s {name} differs: {by_place}")
        due = reference.due.get((person, name))
        if due is not None and set(by_place.values()) != {due}:
            raise LostError(f"{person}'s {name} should be {due!r}: {by_place}")


def _has_a_say(place: Place, contact: dict[str, Any]) -> bool:
    """Whether what it shows is its own user's affair, and nobody else's."""
    mine = contact["immutableId"] in place.own
    person = number_of(contact)
    if mine and place.keeps_odd and person % 2:
        return True
    return person in place.edited or (mine and not place.contributes)
