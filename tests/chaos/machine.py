"""A hub whose users, administrators, service and machine do what comes to Hypothesis' mind, beside
the reference: whenever all is quiet again, the mailboxes have to be as that says."""

from __future__ import annotations

import asyncio
import copy
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.chaos.backup import backup, restore
from tests.chaos.beginnings import Beginnings
from tests.chaos.comparison import PREFIXES, TURNS, UnconvergedError, compare, plain
from tests.chaos.dawn import Dawn
from tests.chaos.hasty import HastyLoop
from tests.chaos.reference import ANCHORS, FIELDS, Place, Reference, Way
from tests.chaos.story import NotQuietError, TwoTenants, number_of
from tests.chaos.tape import Boundary, Moment, killed, recording
from tests.chaos.town import VERIFIED, problems
from tests.chaos.trouble import FAULTS

from cirahub_sync.configuration import (
    Condition,
    DeletionLimits,
    Direction,
    Filter,
    Flow,
    MappingRule,
    OnUserDelete,
    Operator,
)

PASSES = 16
FOLDERS = {"cy": "Team"}
ELSEWHERE = {name: ["Attic"] for name in ("ada", "ben", "cy", "dee", "eve", "lea")}
places = st.sampled_from(sorted(ELSEWHERE))
picks = st.integers(0, 7)
persons = st.integers(1, 6)
fields = st.sampled_from(FIELDS)


class HubMachine(RuleBasedStateMachine):
    beginnings: ClassVar[Beginnings]
    reference: Reference
    finished: ClassVar[Callable[[], None]] = staticmethod(lambda: None)
    """Called for every example that was told to its end."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._folder = Path(tempfile.mkdtemp(prefix="cirahub-chaos-"))
        self._stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self.loop = self._stack.enter_context(asyncio.Runner(loop_factory=HastyLoop))
        self.tape = self._stack.enter_context(recording())
        self._words = 0
        self._kept: Path | None = None
        self._backups = 0
        self._prefix: dict[str, str] = {}
        self._fresh: set[tuple[str, int]] = set()
        """Whose own items of whom were written this very moment: no delta may show them yet."""

    # The beginning and the end

    @initialize(
        ahead=st.sampled_from((0.0, 300.0, -300.0, 86_400.0)),
        grace=st.sampled_from((0.0, 600.0)),
    )
    def begin(self, ahead: float, grace: float) -> None:
        told = self.beginnings.told.get((ahead, grace))
        self.grace = grace
        self.beginnings.clear()
        if told is None:
            self._begin(ahead, grace)
            folder = self.beginnings.folder / str(len(self.beginnings.told))
            dawn = Dawn.of(self.scene, folder)
            kept = (dawn, copy.deepcopy(self.reference), self._words)
            self.beginnings.told[ahead, grace] = kept
        else:
            dawn, reference, self._words = told
            dawn.lay(self._folder)
            self.reference = copy.deepcopy(reference)
            self._open()
            dawn.rise(self.scene)

    def _open(self) -> None:
        self.scene = TwoTenants(self.beginnings.simulator, self._folder)
        self.scene.abroad = frozenset({"eve"})

    def _begin(self, ahead: float, grace: float) -> None:
        self.beginnings.night.fall(self.beginnings.simulator.world)
        self._open()
        self.scene.advance(ahead)
        self.scene.configure(
            deletion=DeletionLimits(grace_period=grace, max_count=500, max_percent=100)
        )
        self.reference = Reference(
            {
                "ada": Place("ada", Way.CONTRIBUTE),
                "ben": Place("ben", Way.TWO_WAY),
                "cy": Place("cy", Way.TWO_WAY),
                "dee": Place("dee", Way.RECEIVE),
                "eve": Place("eve", Way.RECEIVE, restores=True),
                "lea": Place("lea", Way.TWO_WAY),
            }
        )
        for number, place in enumerate(self.reference.places.values()):
            self._connect(place)
            mailbox = self.scene.mailbox(place.name)
            body = self._body(99, {})
            self.scene.admin.import_contacts(mailbox, [body], ELSEWHERE[place.name])
            self._add(place, ANCHORS + 2 * number)
        self._add(self.reference.places["ada"], 1)
        self._add(self.reference.places["ben"], 1)
        self._add(self.reference.places["ada"], 2)
        self.rest()

    def teardown(self) -> None:
        try:
            if hasattr(self, "scene"):
                self.rest()
                type(self).finished()
        finally:
            try:
                if hasattr(self, "scene"):
                    self.loop.run(self.scene.worker.close())
            finally:
                self._stack.close()

    # What users do

    @rule(name=places, person=persons)
    def add(self, name: str, person: int) -> None:
        place = self.reference.places[name]
        there = person in [number_of(contact) for contact in self._held(place)]
        if there or place.way is Way.RECEIVE or place.has(person):
            return
        self._add(place, person)

    @rule(name=places, pick=picks, field=fields, blank=st.integers(0, 5))
    def edit(self, name: str, pick: int, field: str, blank: int) -> None:
        self._edit(name, pick, field, blank=blank == 0)

    @rule(name=places, pick=picks)
    def delete(self, name: str, pick: int) -> None:
        place = self.reference.places[name]
        contact = self._pick(place, pick)
        if contact is None:
            return
        note(f"{name} deletes {number_of(contact)}")
        self._tick()
        self.scene.remove(name, contact["id"])
        place.own.pop(contact["immutableId"], None)
        self.reference.departed(place, number_of(contact))

    @rule(name=places, pick=picks)
    def move_away(self, name: str, pick: int) -> None:
        place = self.reference.places[name]
        contact = self._pick(place, pick)
        own = place.own.get(contact["immutableId"]) if contact is not None else None
        if contact is None or own is None:
            return
        note(f"{name} moves {own.person} away")
        self._tick()
        mailbox = self.scene.mailbox(name)
        self.scene.admin.move_contact(mailbox, contact["id"], ELSEWHERE[name])
        own.away = True
        self.reference.departed(place, own.person)

    @rule(name=places)
    def move_back(self, name: str) -> None:
        place = self.reference.places[name]
        there = {number_of(contact) for contact in self._held(place)}
        for remote, own in place.own.items():
            if own.away and own.person not in there and place.way is not Way.RECEIVE:
                note(f"{name} moves {own.person} back")
                self._tick()
                mailbox = self.scene.mailbox(name)
                path = _path(FOLDERS.get(name, ""))
                self.scene.admin.move_contact(mailbox, remote, path)
                own.away = False
                self.reference.unsettle(own.person)
                if self.scene.simulator.world.switches.delta_loses_returned_items:
                    # Nothing tells that it is back until its next change.
                    self._tick()
                    (back,) = [c for c in self._held(place) if c["immutableId"] == remote]
                    self._write(place, back, "department", self._word(name))
                return

    @rule(name=places, pick=picks, field=fields, request=st.integers(0, 25))
    def edit_during_a_pass(self, name: str, pick: int, field: str, request: int) -> None:
        """What a push sends is stale then."""

        def strike(number: int) -> None:
            if number == request:
                self._edit(name, pick, field)
                self._unnoticed()
                self.reference.forget_due()

        self.tape.rewind()
        self.tape.requested = strike
        try:
            self._sync()
        finally:
            self.tape.requested = lambda number: None

    @rule(
        names=st.permutations(("ben", "cy", "dee", "lea")),
        pick=picks,
        field=fields,
        turns=st.integers(2, 7),
    )
    def quarrel(self, names: list[str], pick: int, field: str, turns: int) -> None:
        """Two tools put a field right, each in its own way, whenever the other has done so."""
        both = [self.reference.places[name] for name in names[:2]]
        contact = self._pick(both[0], pick)
        if contact is None:
            return
        person = number_of(contact)
        words = {place.name: self._word(place.name) for place in both}
        for turn in range(turns):
            place = both[turn % 2]
            found = [one for one in self._held(place) if number_of(one) == person]
            if not found:
                return
            self._tick()
            self._write(place, found[0], field, words[place.name])
            self.reference.quarrelled(person, field)
            self._sync()

    # What administrators do

    @rule(name=st.sampled_from(sorted(TURNS)), turn=st.integers(0, 2))
    def redirect(self, name: str, turn: int) -> None:
        place = self.reference.places[name]
        way = TURNS[name][turn % len(TURNS[name])]
        if way is place.way or place.gone:
            return
        note(f"{name} becomes {way}")
        self.reference.turned(place, way)
        self._connect(place)
        self.reference.absorb(self._shown([place]))

    @rule(name=places, keeps=st.booleans(), refuses=st.booleans())
    def filter(self, name: str, keeps: bool, refuses: bool) -> None:
        place = self.reference.places[name]
        if place.gone:
            return
        note(f"{name} keeps odd people: {keeps}, refuses them: {refuses}")
        self.reference.filtered(place, keeps=keeps, refuses=refuses)
        self._connect(place)

    @rule(name=st.sampled_from(("dee", "eve", "cy")), prefix=st.sampled_from(PREFIXES))
    def map(self, name: str, prefix: str) -> None:
        note(f"{name} calls people {prefix!r}")
        self._prefix[name] = prefix
        self.reference.forget_due()
        self._connect(self.reference.places[name])

    @precondition(lambda self: not self.reference.places["lea"].gone)
    @rule(rested=st.booleans())
    def erase(self, rested: bool) -> None:
        if rested:
            self.rest()
        note("lea is erased")
        place = self.reference.places["lea"]
        report = self.loop.run(self.scene.erase("lea"))
        for _ in range(PASSES):
            if report.complete:
                break
            self._tick()
            spokes = list(self.scene.spokes.values())
            report = self.loop.run(self.scene.worker.erase("spoke-lea", spokes=spokes))
        if not report.complete:
            raise UnconvergedError(f"lea is not erased: {report}")
        self._kept = None  # a backup from before brings back what was erased
        self.reference.erased(place)

    # What goes wrong

    @rule(what=st.sampled_from(sorted(FAULTS)), skip=st.integers(0, 12), count=st.integers(1, 4))
    def fault(self, what: str, skip: int, count: int) -> None:
        self.scene.admin.add_rule(service="graph", skip=skip, count=count, **FAULTS[what])
        self._sync()
        self._tick()
        self._sync()
        self.scene.admin.clear_rules()

    @rule(name=places)
    def expire_delta_token(self, name: str) -> None:
        self.scene.admin.expire_delta_tokens(self.scene.mailbox(name))

    @rule(
        kind=st.sampled_from(("commit", "request")),
        number=st.integers(0, 40),
        moment=st.sampled_from(sorted(Moment)),
    )
    def die(self, kind: str, number: int, moment: Moment) -> None:
        self.tape.rewind()
        self.tape.dies_at = Boundary("commit" if kind == "commit" else "request", number, moment)
        try:
            self._sync()
        except BaseException as error:
            if not (self.tape.died and killed(error)):
                raise
        died = self.tape.died
        self.tape.revive()
        late, self.tape.on_its_way = self.tape.on_its_way, None
        if not died:
            return
        note(f"dies at {kind} {number} {moment}")
        self.loop.run(self.scene.restart())
        self._tick(200.0)
        if late is not None:
            self._sync()
            late.arrive(self.scene.simulator.endpoints.ca_file)
            # Nobody learns of it: an update that comes late is its user's, as far as one can see.
            self.reference.absorb(self._shown())

    @rule()
    def lose_the_store(self) -> None:
        note("the store is lost")
        self._kept = None
        self.loop.run(self.scene.lose_store())
        self._tick(200.0)
        self.reference.forgot(self._shown())

    @rule()
    def back_up(self) -> None:
        self._backups += 1
        self._kept = self._folder / f"backup-{self._backups}"
        backup(self.scene, self._kept)

    @precondition(lambda self: self._kept is not None)
    @rule()
    def put_back(self) -> None:
        assert self._kept is not None
        note("a backup is put back")
        self.loop.run(restore(self.scene, self._kept))
        self._tick(200.0)
        self.reference.forgot(self._shown())

    # Time

    @rule(seconds=st.sampled_from((1.0, 60.0, 700.0, VERIFIED)))
    def sync(self, seconds: float) -> None:
        self._tick(seconds)
        self._sync()

    @rule()
    def rest(self) -> None:
        """Until all is quiet, also after the next verification; then everything is looked at."""
        self._quiet()
        self._tick(VERIFIED)
        self._quiet()
        note("quiet")
        self._check()
        self.reference.rest()

    def _quiet(self) -> None:
        calm = 0
        for _ in range(PASSES):
            self._tick(61.0 if calm else max(61.0, self.grace + 1.0))
            report = self._sync()
            still = not problems(report) and not report.written and not report.pending
            calm = calm + 1 if still else 0
            if calm == 2:
                return
        raise UnconvergedError(
            f"not quiet after {PASSES} passes: {report.written} written, {report.pending} "
            f"pending, {problems(report)}"
        )

    # What has to hold

    def _check(self) -> None:
        places = self.reference.places
        compare(self.reference, {name: self._held(place) for name, place in places.items()})

    # How it is done

    def _add(self, place: Place, person: int) -> None:
        values = {name: self._word(place.name) for name in FIELDS[:2]}
        body = self._body(person, values)
        note(f"{place.name} adds {person}: {values}")
        self._tick()
        mailbox = self.scene.mailbox(place.name)
        before = {contact["immutableId"] for contact in self._held(place)}
        path = _path(FOLDERS.get(place.name, ""))
        self.scene.admin.import_contacts(mailbox, [body], path)
        (made,) = [c for c in self._held(place) if c["immutableId"] not in before]
        self._fresh.add((place.name, person))
        self.reference.added(place, made["immutableId"], person, values)

    def _edit(self, name: str, pick: int, field: str, *, blank: bool = False) -> None:
        place = self.reference.places[name]
        contact = self._pick(place, pick)
        if contact is not None:
            self._tick()
            self._write(place, contact, field, "" if blank else self._word(name))

    def _write(self, place: Place, contact: dict[str, Any], field: str, value: str) -> None:
        person = number_of(contact)
        note(f"{place.name} writes {person}'s {field}: {value!r}")
        self.scene.edit(place.name, contact["immutableId"], **{field: value})
        if contact["immutableId"] in place.own:
            self._fresh.add((place.name, person))
        self.reference.edited(place, contact["immutableId"], person, field, value)

    def _pick(self, place: Place, pick: int) -> dict[str, Any] | None:
        """One of those that may be touched."""
        found = sorted(
            (contact for contact in self._held(place) if number_of(contact) < ANCHORS),
            key=lambda contact: (number_of(contact), contact["immutableId"] not in place.own),
        )
        return found[pick % len(found)] if found else None

    def _held(self, place: Place) -> list[dict[str, Any]]:
        return self.scene.held(place.name, FOLDERS.get(place.name, ""))

    def _shown(self, of: list[Place] | None = None) -> Iterator[tuple[Place, int, str, str]]:
        for place in of if of is not None else self.reference.places.values():
            for contact in self._held(place):
                for name in FIELDS:
                    yield place, number_of(contact), name, plain(contact, name)

    def _word(self, name: str) -> str:
        self._words += 1
        return f"{name}-{self._words}"

    def _body(self, person: int, values: dict[str, str]) -> dict[str, Any]:
        address = f"person{person}@example.org"
        return {
            "displayName": f"Person {person:03}",
            "givenName": "Odd" if person % 2 else "Even",
            "surname": f"{person:03}",
            "emailAddresses": [{"address": address, "name": address}],
            **values,
        }

    def _connect(self, place: Place) -> None:
        odd = Filter(none=(Condition("givenName", Operator.IN, ("Odd",)),))
        prefix = self._prefix.get(place.name, "")
        mapping = (MappingRule(field="jobTitle", prefix=prefix),) if prefix else ()
        if place.gone:
            return
        self.scene.connect(
            place.name,
            Direction(place.way.value),
            folder=FOLDERS.get(place.name, ""),
            on_user_delete=OnUserDelete.RESTORE if place.restores else OnUserDelete.REMEMBER,
            contributes=Flow(filter=odd if place.keeps_odd else Filter()),
            receives=Flow(filter=odd if place.refuses_odd else Filter(), mapping=mapping),
        )

    def _tick(self, seconds: float = 7.0) -> None:
        """Longer than any delta takes to show a change."""
        self.scene.tick(seconds)
        self._fresh.clear()

    def _unnoticed(self) -> None:
        if self.scene.simulator.world.switches.delta_delay != "none":
            self.reference.unnoticed(self._fresh)

    def _sync(self) -> Any:
        self._unnoticed()
        return self.loop.run(self.scene.sync())


def _path(folder: str) -> list[str]:
    return folder.split("/") if folder else []


__all__ = ["HubMachine", "NotQuietError"]
