"""What people ask for, beside all that befalls a hub: users take contacts out of their bins, and
administrators bring back, merge and split."""

from __future__ import annotations

from typing import Any

from hypothesis import note
from hypothesis.stateful import rule
from tests.chaos.comparison import LostError
from tests.chaos.machine import FOLDERS, HubMachine, persons, picks, places
from tests.chaos.reference import FIELDS, Own, Place, Way
from tests.chaos.story import number_of

from cirahub_sync.errors import DecisionError, ItemsChangedError, MergeError


class WishingMachine(HubMachine):
    def __init__(self) -> None:
        super().__init__()
        self._binned: list[tuple[Place, str, int, Own | None]] = []
        """Whose, by which immutable id, of whom, and as it was if it was the user's own."""

    @rule(name=places, pick=picks)
    def delete(self, name: str, pick: int) -> None:
        place = self.reference.places[name]
        contact = self._pick(place, pick)
        if contact is not None:
            remote = contact["immutableId"]
            self._binned.append((place, remote, number_of(contact), place.own.get(remote)))
        super().delete(name, pick)

    @rule(pick=picks)
    def take_out_of_the_bin(self, pick: int) -> None:
        """Of a user's own contacts: a copy that comes back is told from a double by its stamp and
        its attempt, which the reference knows nothing of."""
        own = [one for one in self._binned if one[3] is not None]
        if not own or not self.scene.simulator.world.switches.immutable_id_in_bin:
            return
        chosen = own[pick % len(own)]
        place, remote, person, item = chosen
        there = {number_of(contact) for contact in self._held(place)}
        if item is None or place.way is Way.RECEIVE or place.gone or person in there:
            return
        note(f"{place.name} takes {person} out of the bin")
        self._binned.remove(chosen)
        self._tick()
        folder = FOLDERS.get(place.name, "")
        path = folder.split("/") if folder else []
        self.scene.admin.move_contact(self.scene.mailbox(place.name), remote, path)
        place.own[remote] = item
        self.reference.unsettle(person)
        if place.receives and person in place.unsure:
            self.reference.wild.add(person)  # a copy may be on its way
        if self.scene.simulator.world.switches.delta_loses_returned_items:
            self._tick()  # nothing tells that it is back until its next change
            (back,) = [c for c in self._held(place) if c["immutableId"] == remote]
            self._write(place, back, "department", self._word(place.name))

    @rule(pick=picks)
    def restore(self, pick: int) -> None:
        """What users deleted comes to all that receive, and goes again when that is taken back."""
        self.rest()
        deleted = sorted(
            (one for one in self._run(self.scene.worker.deletions()) if one.deleted_in),
            key=lambda one: one.item,
        )
        if not deleted:
            return
        item, hub = deleted[pick % len(deleted)].item, self.scene.hub.name
        note(f"{item} is brought back")
        before = {name: len(self._held(one)) for name, one in self.reference.places.items()}
        try:
            self._run(self.scene.worker.restore(hub, items=[item]))
        except DecisionError:
            return  # an item that lived and was merged away since
        self._quiet()
        for name, place in self.reference.places.items():
            if len(self._held(place)) < before[name]:
                raise LostError(f"{name} has fewer since something was brought back")
        self._run(self.scene.worker.take_back(hub, [item]))
        self.rest()

    @rule(first=persons, second=persons)
    def merge(self, first: int, second: int) -> None:
        found = [self._items(person) for person in (first, second)]
        if first == second or any(len(items) != 1 for items in found):
            return
        (keep,), (gone,) = found
        if self._asked(self.scene.worker.merge(self.scene.hub.name, keep, gone)):
            note(f"{first} and {second} are one")
            self._mixed(first, second)

    @rule(person=persons, pick=picks)
    def split(self, person: int, pick: int) -> None:
        for one in self._run(self.scene.worker.explain(_address(person))).found:
            natives = sorted(source.spoke for source in one.sources if source.native)
            if one.alive and len(natives) > 1:
                chosen = natives[pick % len(natives)]
                if self._asked(self.scene.worker.split(self.scene.hub.name, one.item, [chosen])):
                    note(f"{person} of {chosen} is somebody else")
                    self._mixed(person)

    def _items(self, person: int) -> list[str]:
        found = self._run(self.scene.worker.explain(_address(person))).found
        return [one.item for one in found if one.alive]

    def _asked(self, wish: Any) -> bool:
        """Whether it is done: it may be none that the hub can do, or not just now."""
        try:
            self._run(wish)
        except (MergeError, ItemsChangedError):
            return False
        return True

    def _mixed(self, *persons: int) -> None:
        """How often each of them is anywhere is nothing that the reference knows from now on, and
        each may show what was said of any."""
        self.reference.wild |= set(persons)
        for name in FIELDS:
            said = [self.reference.said[person, name] for person in persons]
            for one in said:
                for other in said:
                    for place, values in other.items():
                        one[place] |= values
        for person in persons:
            self.reference.unsettle(person)

    def _run(self, work: Any) -> Any:
        return self.loop.run(work)


def _address(person: int) -> str:
    return f"person{person}@example.org"
