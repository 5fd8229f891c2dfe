"""What receivers have to hold, told from what contributors hold and what their Spokes say. Pure.

It shares no code with the engine. Where several mailboxes say different things of one person, which
of them stands is the policy's choice: then it has to be a value that one of them has.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from demo.mailbox import Held
from demo.resources import Spoke, Term
from e2e.errors import EndToEndError

OF_THE_MAILBOX = frozenset({"categories", "fileAs"})
"""What a copy has of its own."""
GRAPH_NAMES = {
    "birthday": {"birthday"},
    "company": {"companyName"},
    "displayName": {"displayName"},
    "emails": {"emailAddresses"},
    "givenName": {"givenName"},
    "jobTitle": {"jobTitle"},
    "notes": {"personalNotes"},
    "phones": {"businessPhones", "homePhones", "mobilePhone"},
    "surname": {"surname"},
}
"""Of the fields that manifests of the example name."""


@dataclass(frozen=True, slots=True)
class Contribution:
    mailbox: str
    held: Held
    said: Mapping[str, object]
    """What of it the hub is told."""


class Expectation:
    def __init__(self, contributors: Mapping[Spoke, Sequence[Held]]) -> None:
        """`contributors`: what their folders hold. Copies among it are passed over."""
        self._told = [
            Contribution(spoke.mailbox, held, _said(spoke, held))
            for spoke, contacts in contributors.items()
            for held in contacts
            if not held.is_copy and not any(_matches(term, held) for term in spoke.filtered_out)
        ]
        self._people = _People(one.held.emails for one in self._told)
        self._by_person: dict[str, list[Contribution]] = defaultdict(list)
        for one in self._told:
            if one.held.emails:
                self._by_person[self._people.of(one.held)].append(one)

    def faults(self, spoke: Spoke, contacts: Sequence[Held]) -> Iterator[str]:
        """Of a receiver's folder, a line each: whom it lacks, has twice or has differently."""
        copies = [held for held in contacts if held.is_copy]
        items = Counter(held.item for held in copies)
        yield from (f"item {item} is there {n} times" for item, n in items.items() if n > 1)
        found: dict[str, list[Held]] = defaultdict(list)
        for copy in copies:
            if spoke.added_categories - set(_listed(copy.content.get("categories"))):
                yield f"{copy.name} lacks a category of this receiver"
            if copy.emails:
                found[self._people.of(copy)].append(copy)
        for person, told in self._by_person.items():
            yield from self._of_person(spoke, told, found.pop(person, []))
        for copy in (one for several in found.values() for one in several):
            yield f"{copy.name} ({_addresses(copy)}) is there, and nobody has it"
        yield from self._without_address(spoke, copies)

    def _of_person(
        self, spoke: Spoke, told: Sequence[Contribution], copies: Sequence[Held]
    ) -> Iterator[str]:
        who = f"{told[0].held.name} ({_addresses(told[0].held)})"
        own = sum(one.mailbox == spoke.mailbox for one in told)
        if not copies and not own:
            yield f"{who} is missing"
        most = 1 if _are_one(told) else len(told)
        if len(copies) + own > most:
            yield f"{who} is there {len(copies) + own} times, and should be {most} times at most"
        for copy in copies:
            alone = len(copies) + own == 1
            for name, problem in _differences(spoke, told, copy, of_all=alone):
                yield f"{who}: {name} is {problem}"

    def _without_address(self, spoke: Spoke, copies: Sequence[Held]) -> Iterator[str]:
        """Nobody is matched by anything else: each has a copy of their own."""
        told = [one for one in self._told if not one.held.emails and one.mailbox != spoke.mailbox]
        wanted = Counter(_text(_shown(spoke, one.said)) for one in told)
        there = Counter(_text(_shown(spoke, one.content)) for one in copies if not one.emails)
        yield from (f"without an address, {one} is missing" for one in wanted - there)
        yield from (f"without an address, {one} is there too often" for one in there - wanted)


class _People:
    """Addresses that some contact has together are one person's."""

    def __init__(self, addresses: Iterable[frozenset[str]]) -> None:
        self._first: dict[str, str] = {}
        for together in addresses:
            roots = sorted({self._root(address) for address in together})
            for root in roots:
                self._first[root] = roots[0]

    def of(self, held: Held) -> str:
        return min(self._root(address) for address in held.emails)

    def _root(self, address: str) -> str:
        while (first := self._first.get(address, address)) != address:
            address = first
        return address


def canonical(held: Held) -> str:
    """The same for two contacts that hold the same."""
    return _text({n: value for n, value in held.content.items() if n not in OF_THE_MAILBOX})


def _said(spoke: Spoke, held: Held) -> Mapping[str, object]:
    kept_back = _graph_names(spoke.spec.contributes.exclude) | OF_THE_MAILBOX
    return {name: value for name, value in held.content.items() if name not in kept_back}


def _shown(spoke: Spoke, content: Mapping[str, object]) -> Mapping[str, object]:
    include = spoke.spec.receives.include
    wanted = _graph_names(include) if include else content.keys()
    return {n: value for n, value in content.items() if n in wanted and n not in OF_THE_MAILBOX}


def _graph_names(fields: Iterable[str]) -> set[str]:
    return {name for one in fields for name in GRAPH_NAMES[one]}


def _matches(term: Term, held: Held) -> bool:
    if (term.field, term.operator) != ("domain", "In"):
        raise EndToEndError(f"The story cannot tell whom {term} leaves out: teach it.")
    return any(address.partition("@")[2] in term.values for address in held.emails)


def _are_one(told: Sequence[Contribution]) -> bool:
    """For certain: several mailboxes know somebody of one name by the same addresses."""
    return (
        len({one.mailbox for one in told}) == len(told)
        and len({one.held.emails for one in told}) == 1
        and len({one.held.name for one in told}) == 1
    )


def _differences(
    spoke: Spoke, told: Sequence[Contribution], copy: Held, *, of_all: bool
) -> Iterator[tuple[str, str]]:
    """Names of fields, and what is there in place of what. Where what mailboxes say did not come to
    be one item (several of one mailbox never do), a copy is not `of_all` of it."""
    said = [_shown(spoke, one.said) for one in told]
    there = _shown(spoke, copy.content)
    for name in sorted({*there, *(name for one in said for name in one)}):
        values = [one[name] for one in said if name in one]
        value = there.get(name)
        if of_all and all(one == values[0] for one in values[1:]):
            if value != (values[0] if values else None):
                yield name, f"{value!r}, not {values[0] if values else None!r}"
        elif value is None:
            if of_all:
                yield name, f"missing, and should be of {values!r}"
        elif not _parts(value) <= {part for one in values for part in _parts(one)}:
            yield name, f"{value!r}, which is of nobody: {values!r}"


def _parts(value: object) -> set[str]:
    """Of which values are put together where several people's are merged."""
    match value:
        case dict():
            address = value.get("address")
            if address is not None:
                return {str(address).lower()}
            return {f"{name}={_text(inner)}" for name, inner in value.items()}
        case list():
            return {part for one in value for part in _parts(one)}
        case _:
            return {_text(value)}


def _listed(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _addresses(held: Held) -> str:
    return ", ".join(sorted(held.emails)) or "no address"


def _text(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()
