"""A reference of hub and spokes that a reader can check by eye: who put whom where, who said what,
and what therefore has to be in each mailbox once all is quiet. It shares no code with the engine
and knows neither folds, nor shadows, nor sequence numbers.

Where the page of semantics leaves a result to a policy, or to an order of events that nobody could
see from outside, the reference does not guess: it says so (`unsure`, `wild`), and only what must
hold in any case is checked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

FIELDS = ("jobTitle", "department", "officeLocation")


class Way(StrEnum):
    CONTRIBUTE = "Contribute"
    TWO_WAY = "TwoWay"
    RECEIVE = "Receive"


@dataclass(slots=True)
class Own:
    """An item that a user put there by themselves, as they left it."""

    person: int
    fields: dict[str, str]
    away: bool = False
    """In another folder, where nobody looks."""


@dataclass(slots=True)
class Place:
    """A spoke."""

    name: str
    way: Way
    restores: bool = False
    """`onUserDelete: Restore`."""
    own: dict[str, Own] = field(default_factory=dict)
    """By immutable id."""
    keeps_odd: bool = False
    """Its `contributes` filter passes no odd person."""
    refuses_odd: bool = False
    """Its `receives` filter passes no odd person."""
    declined: set[int] = field(default_factory=set)
    """Of whom its user deleted our copy, or their own item while others have the person."""
    unsure: set[int] = field(default_factory=set)
    """Of whom it may have a copy."""
    edited: set[int] = field(default_factory=set)
    """Whose copies its user changed, in a spoke that contributes nothing."""
    gone: bool = False

    @property
    def contributes(self) -> bool:
        return self.way is not Way.RECEIVE and not self.gone

    @property
    def receives(self) -> bool:
        return self.way is not Way.CONTRIBUTE and not self.gone

    def has(self, person: int) -> bool:
        return any(item.person == person and not item.away for item in self.own.values())

    def gives(self, person: int) -> bool:
        """Whether the hub has the person from here."""
        return self.contributes and self.has(person) and not (self.keeps_odd and person % 2)

    def admits(self, person: int) -> bool:
        return not (self.refuses_odd and person % 2)


@dataclass(frozen=True, slots=True)
class Expected:
    """How many items of a person a mailbox holds."""

    least: int
    most: int


@dataclass(slots=True)
class Reference:
    places: dict[str, Place]
    said: dict[tuple[int, str], dict[str, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    """By person and field: what the users of each place have written."""
    due: dict[tuple[int, str], str] = field(default_factory=dict)
    """What everybody has to show next: said once since all was quiet, by who saw the hub."""
    contested: set[tuple[int, str]] = field(default_factory=set)
    """Said more than once since then, or by who did not."""
    wild: set[int] = field(default_factory=set)
    """Who may have become several people: an item of theirs was in a mailbox that had one already
    ("two contacts of one mailbox are never merged")."""
    frozen: set[tuple[int, str]] = field(default_factory=set)
    """What two tools changed back and forth: it may be frozen for the two of them, and then they
    show what they say themselves."""
    settled: dict[int, set[str]] = field(default_factory=dict)
    """Who had given each person when all was quiet last."""

    # What users do

    def added(self, place: Place, remote: str, person: int, values: Mapping[str, str]) -> None:
        place.own[remote] = Own(person, dict(values))
        if place.receives and person in place.unsure:
            self.wild.add(person)  # a copy may be on its way
        for name, value in values.items():
            self._say(place, person, name, value, aware=False)

    def edited(self, place: Place, remote: str, person: int, name: str, value: str) -> None:
        own = place.own.get(remote)
        if own is not None:
            own.fields[name] = value
        if not place.contributes:
            if own is None:
                place.edited.add(person)
            return  # nobody else hears of it
        aware = place.way is Way.TWO_WAY and not place.keeps_odd and person not in place.unsure
        self._say(place, person, name, value, aware=aware and person in self.settled)

    def quarrelled(self, person: int, name: str) -> None:
        self.frozen.add((person, name))
        self.due.pop((person, name), None)

    def departed(self, place: Place, person: int) -> None:
        """An item of the person is not in this folder any more."""
        others = {name for name in self.givers(person) if name != place.name}
        if place.receives and not place.restores:
            if others & self.settled.get(person, set()):
                place.declined.add(person)
            else:
                place.unsure.add(person)
        self.withdrew(person)

    def withdrew(self, person: int) -> None:
        """Somebody does not give the person any more. Who had declined a copy of an item that is
        no more may get one of the next."""
        self.unsettle(person)
        if not self.givers(person) & self.settled.get(person, set()):
            for place in self.places.values():
                if person in place.declined:
                    place.declined.discard(person)
                    place.unsure.add(person)

    def unnoticed(self, written: Iterable[tuple[str, int]]) -> None:
        """A pass runs that may not be shown yet what users have written of these people, by their
        places' names. Who gets a copy beside an own item that the hub does not know is two."""
        for name, person in written:
            place = self.places[name]
            if place.receives and name not in self.settled.get(person, set()):
                self.wild.add(person)

    # What administrators do

    def erased(self, place: Place) -> None:
        given = [person for person in self.people() if place.gives(person)]
        place.gone = True
        for values in self.said.values():
            values.pop(place.name, None)
        for person in given:
            self.withdrew(person)
        self.forget_due()

    def turned(self, place: Place, way: Way) -> None:
        before = [person for person in self.people() if place.gives(person)]
        if place.way is not way:
            self.wild |= {item.person for item in place.own.values() if item.person < ANCHORS}
            if Way.CONTRIBUTE in (place.way, way):
                place.unsure |= self.people()
        place.way = way
        place.edited |= self.people()  # what it shows of its time as another is its own
        for person in before:
            self.withdrew(person)
        self.forget_due()

    def filtered(self, place: Place, *, keeps: bool, refuses: bool) -> None:
        before = [person for person in self.people() if place.gives(person)]
        if place.keeps_odd != keeps and place.way is Way.TWO_WAY:
            self.wild |= {item.person for item in place.own.values() if item.person % 2}
        place.keeps_odd, place.refuses_odd = keeps, refuses
        for person in before:
            self.withdrew(person)
        self.forget_due()

    # What befalls the store

    def forgot(self, shown: Iterable[tuple[Place, int, str, str]]) -> None:
        """The store is lost, or from before: what two-way mailboxes show is taken for what they
        say themselves, and what was declined may come again."""
        self.absorb(shown)
        for place in self.places.values():
            place.unsure |= place.declined
            place.declined.clear()
        self.settled.clear()

    def absorb(self, shown: Iterable[tuple[Place, int, str, str]]) -> None:
        for place, person, name, value in shown:
            if place.contributes:
                self.said[person, name][place.name].add(value)
        self.forget_due()

    # What has to be

    def people(self) -> set[int]:
        return {item.person for place in self.places.values() for item in place.own.values()}

    def givers(self, person: int) -> set[str]:
        return {place.name for place in self.places.values() if place.gives(person)}

    def expected(self, place: Place, person: int) -> Expected:
        own = sum(item.person == person and not item.away for item in place.own.values())
        if person in self.wild:
            return Expected(own, 99)
        if place.gone:
            return Expected(own, own)
        if person in place.unsure:
            return Expected(own, max(own, 1) if place.contributes else own + 1)
        copy = (
            place.receives
            and bool(self.givers(person))
            and place.admits(person)
            and not (place.contributes and own)
            and (place.restores or person not in place.declined)
        )
        return Expected(own + copy, own + copy)

    def may_show(self, person: int, name: str) -> set[str]:
        """Every value is one that some spoke's people wrote themselves."""
        values = self.said.get((person, name), {})
        return {"", *(value for said in values.values() for value in said)}

    def rest(self) -> None:
        """All is quiet."""
        self.settled = {person: self.givers(person) for person in self.people()}
        self.forget_due()
        self.contested.clear()

    def unsettle(self, person: int) -> None:
        for name in FIELDS:
            self.due.pop((person, name), None)
            self.contested.add((person, name))

    def forget_due(self) -> None:
        self.contested |= {(person, name) for person in self.people() for name in FIELDS}
        self.due.clear()

    def _say(self, place: Place, person: int, name: str, value: str, *, aware: bool) -> None:
        self.said[person, name][place.name].add(value)
        known = self.contested | self.frozen | self.due.keys()
        if aware and (person, name) not in known:
            self.due[person, name] = value
        else:
            self.due.pop((person, name), None)
            self.contested.add((person, name))


ANCHORS = 80
"""From this number on: people that never go, one of each mailbox's own, so that none of them ever
reads empty and stops for that."""
