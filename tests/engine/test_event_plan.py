"""What is merged of calendars, and what would be written into them: the real merge over a real
store. No mailbox is asked, since what it said is staged."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from cirahub_sync.configuration import (
    ClientSecretAuth,
    Condition,
    ConnectionConfig,
    DeletedBy,
    DeletionLimits,
    Direction,
    Filter,
    Flow,
    HubConfig,
    ItemKind,
    MailboxTarget,
    MappingRule,
    Operator,
    PrivateItems,
    SecretFile,
    SpokeConfig,
)
from cirahub_sync.endpoints.base import (
    Capabilities,
    Endpoint,
    KnownEtag,
    Limits,
    Page,
    RemoteItem,
    Target,
    Whereabouts,
)
from cirahub_sync.endpoints.masking import masked
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.deliver import Receiver
from cirahub_sync.engine.merge import merge
from cirahub_sync.engine.plan import Encoder, Judgement, Why, judge
from cirahub_sync.engine.pull import pull
from cirahub_sync.engine.registration import register
from cirahub_sync.model.event import Event, Occurrence, Role
from cirahub_sync.model.kind import EVENTS, as_event
from cirahub_sync.store import lookup
from cirahub_sync.store.opening import Store
from cirahub_sync.store.rows import READ_ONLY, Action, Cursor, Item, Staged, StagedKind

EVERYTHING = Flow()
NINE = "DTSTART;TZID=UTC:20261201T090000\nDTEND;TZID=UTC:20261201T100000"
TEN = "DTSTART;TZID=UTC:20261201T100000\nDTEND;TZID=UTC:20261201T110000"
REVIEW = Event(subject="Review", body="Notes", schedule=NINE, uid="u1")
MEETING = msgspec.structs.replace(REVIEW, role=Role.ORGANIZER.value)
INVITED = msgspec.structs.replace(REVIEW, role=Role.ATTENDEE.value)
ALL = Capabilities(
    limits=Limits(fields=frozenset(EVENTS.fields), phones={}, addresses={}),
    permanent_delete=True,
    honours_if_match=False,
    batch=20,
)


class Calendars:
    """A hub of events; `sees` and `loses` are what a pull would have staged."""

    def __init__(self, folder: Path, allowed_by: DeletedBy = DeletedBy.ALL_CONTRIBUTORS) -> None:
        key = folder / "key"
        key.write_bytes(base64.b64encode(os.urandom(32)))
        self.now = 1_795_000_000.0
        self._store = Store.open(f"sqlite:///{folder / 'store.sqlite3'}", key, lambda: self.now)
        self._hub = HubConfig(
            uid="hub",
            name="test/hub",
            item_kind=ItemKind.EVENT,
            deletion=DeletionLimits(grace_period=0.0, allowed_by=allowed_by),
        )
        self._spokes: dict[str, SpokeConfig] = {}
        self._staged: dict[str, list[Staged]] = {}
        self.opened = self._store.hub("hub")

    def close(self) -> None:
        self._store.close()

    def connect(
        self,
        name: str,
        direction: Direction = Direction.CONTRIBUTE,
        contributes: Flow = EVERYTHING,
        receives: Flow = EVERYTHING,
        private_items: PrivateItems = PrivateItems.SKIP,
    ) -> None:
        self._spokes[name] = SpokeConfig(
            uid=name,
            name=f"test/{name}",
            connection=ConnectionConfig(
                uid="connection",
                name="test/connection",
                auth=ClientSecretAuth("tenant", "client", secret=SecretFile("nobody")),
            ),
            target=MailboxTarget(f"{name}@contoso.example"),
            direction=direction,
            contributes=contributes,
            receives=receives,
            private_items=private_items,
        )

    def sees(self, spoke: str, remote: str, event: Event, etag: str = "1") -> None:
        row = Staged(
            remote=remote, kind=StagedKind.ITEM, etag=etag, modified=self.now, content=event
        )
        self._staged.setdefault(spoke, []).append(row)

    def loses(self, spoke: str, remote: str) -> None:
        row = Staged(remote=remote, kind=StagedKind.REMOVED)
        self._staged.setdefault(spoke, []).append(row)

    async def merge(self) -> PassContext:
        self.now += 60
        context = self._context()
        self.opened.acquire()
        try:
            register(context)
            with self.opened.write() as tx:
                context.began = tx.seq
                for run in context.runs:
                    tx.staging.add(run.uid, self._staged.pop(run.uid, []))
                    tx.cursors.put(run.uid, Cursor(staged="delta"))
            await merge(context, context.runs)
            assert [run.report.problem for run in context.runs if run.failed] == []
        finally:
            self.opened.release()
        return context

    async def round(self, spoke: str, calendar: Calendar) -> PassContext:
        """Read the calendar from nothing, and merge it."""
        self.now += 60
        context = self._context(calendar)
        self.opened.acquire()
        try:
            register(context)
            with self.opened.write() as tx:
                context.began = tx.seq
                tx.cursors.put(spoke, Cursor())
            runs = [run for run in context.runs if run.uid == spoke]
            await pull(context, runs)
            await merge(context, runs)
        finally:
            self.opened.release()
        return context

    async def planned(self, spoke: str) -> list[str]:
        """The subjects of what would be written; what needs no request is noted."""
        context = self._context(Calendar([]))
        self.opened.acquire()
        try:
            register(context)
            (run,) = [run for run in context.runs if run.uid == spoke]
            context.verified.add(spoke)
            receiver = Receiver(context, run, Encoder(context.fingerprint))
            planned = await receiver.plan()
            if not planned:
                await receiver.deliver()
            return [as_event(one.judgement.desired).subject for one in planned if not one.held]
        finally:
            self.opened.release()

    def _context(self, calendar: Calendar | None = None) -> PassContext:
        async def opened(*_: object) -> Endpoint:
            assert calendar is not None, "a merge asks no mailbox"
            return calendar  # type: ignore[return-value]

        return PassContext(
            hub=self._hub,
            runs=[
                SpokeRun(spoke, self._hub.default_region, EVENTS) for spoke in self._spokes.values()
            ],
            store=self.opened,
            open_endpoint=opened,
            installation="test",
            clock=lambda: self.now,
            progress=None,
            verified=set(),
        )

    def items(self) -> list[Item]:
        with self.opened.read() as tx:
            return list(tx.items.after(0, 100))

    def item(self) -> Item:
        (one,) = self.items()
        return one

    def event(self) -> Event:
        return as_event(self.item().content)

    def judged(self, context: PassContext, spoke: str) -> Judgement:
        """What would be written of the one item there is."""
        item = self.item()
        (run,) = [run for run in context.runs if run.uid == spoke]
        with self.opened.read() as tx:
            shadows = tx.shadows.by_item([item.id])[item.id]
            return judge(
                run,
                item,
                replica=tx.replicas.by_item(spoke, [item.id]).get(item.id),
                shadow=next((one for one in shadows if one.spoke == spoke), None),
                pending=None,
                limits=self._hub.deletion,
                now=self.now,
                capabilities=ALL,
                encoder=Encoder(context.fingerprint),
            )


@pytest.fixture
def calendars(tmp_path: Path) -> Iterator[Calendars]:
    made = Calendars(tmp_path)
    yield made
    made.close()


def but(event: Event, **changes: object) -> Event:
    return msgspec.structs.replace(event, **changes)


async def test_an_event_is_the_same_in_every_mailbox_that_was_invited(calendars: Calendars) -> None:
    for spoke in ("ada", "ben"):
        calendars.connect(spoke)
    calendars.sees("ada", "a1", MEETING)
    calendars.sees("ben", "b1", INVITED)
    calendars.sees("ben", "b2", but(REVIEW, uid="u2"))
    calendars.sees("ben", "b3", but(REVIEW, original_start="2026-12-01"))

    await calendars.merge()

    uids = sorted(
        (as_event(item.content).uid, as_event(item.content).original_start)
        for item in calendars.items()
    )
    assert uids == [("u1", ""), ("u1", "2026-12-01"), ("u2", "")]


async def test_a_copy_is_a_plain_appointment_without_what_is_a_mailboxes_own(
    calendars: Calendars,
) -> None:
    calendars.connect("ada")
    calendars.connect("cy", Direction.RECEIVE)
    own = but(MEETING, response="organizer", show_as="oof", reminder="15", categories=("Red",))
    calendars.sees("ada", "a1", own)

    judged = calendars.judged(await calendars.merge(), "cy")

    assert judged.action is Action.CREATE
    assert judged.desired == Event(subject="Review", body="Notes", schedule=NINE)


async def test_a_copy_of_free_and_busy_times_tells_nothing_else(calendars: Calendars) -> None:
    series = but(MEETING, schedule=f"{NINE}\nRRULE:FREQ=DAILY")
    moved = Occurrence(
        "2026-12-02", start="2026-12-02T11:00:00", end="2026-12-02T12:00:00", subject="Secret"
    )
    busy = Flow(
        mapping=(MappingRule(field="subject", set_value="Busy"),), exclude=("body", "location")
    )
    calendars.connect("ada")
    calendars.connect("cy", Direction.RECEIVE, receives=busy)
    calendars.sees("ada", "a1", but(series, exceptions=(moved,)))

    judged = calendars.judged(await calendars.merge(), "cy")

    assert judged.desired == Event(
        subject="Busy",
        schedule=series.schedule,
        exceptions=(msgspec.structs.replace(moved, subject=""),),
    )


@pytest.mark.parametrize("event", [MEETING, INVITED])
async def test_nothing_is_written_to_an_event_with_attendees_whatever_became_of_it(
    tmp_path: Path, event: Event
) -> None:
    """Invariant 10. Its user changes it elsewhere, it dies, and any contributor may delete."""
    calendars = Calendars(tmp_path, DeletedBy.ANY_CONTRIBUTOR)
    calendars.connect("ada", Direction.TWO_WAY)
    calendars.connect("ben")
    calendars.sees("ada", "a1", event)
    calendars.sees("ben", "b1", but(REVIEW, subject="Changed"))

    context = await calendars.merge()

    assert calendars.event().subject == "Review"
    assert calendars.judged(context, "ada").why is Why.READ_ONLY
    calendars.loses("ben", "b1")
    context = await calendars.merge()
    assert not calendars.item().alive
    assert calendars.judged(context, "ada") == Judgement(
        item=calendars.item().id, seq=calendars.item().seq, why=Why.READ_ONLY
    )
    calendars.close()


async def test_what_a_filter_keeps_out_is_still_known_to_be_read_only(
    calendars: Calendars,
) -> None:
    only = Flow(filter=Filter(none=(Condition("subject", Operator.CONTAINS, ("secret",)),)))
    calendars.connect("ada", Direction.TWO_WAY, contributes=only)
    calendars.connect("ben")
    calendars.sees("ada", "a1", INVITED)
    calendars.sees("ben", "b1", MEETING)
    await calendars.merge()
    calendars.sees("ada", "a1", but(INVITED, subject="Secret review"), etag="2")

    context = await calendars.merge()

    assert calendars.item().alive
    assert calendars.judged(context, "ada").why is Why.READ_ONLY


async def test_a_plain_appointment_is_kept_in_step_both_ways(calendars: Calendars) -> None:
    for spoke in ("ada", "ben"):
        calendars.connect(spoke, Direction.TWO_WAY)
    calendars.sees("ada", "a1", but(REVIEW, show_as="busy"))
    calendars.sees("ben", "b1", but(REVIEW, show_as="free"))
    await calendars.merge()
    calendars.sees("ben", "b1", but(REVIEW, schedule=TEN, show_as="free"), etag="2")

    judged = calendars.judged(await calendars.merge(), "ada")

    assert judged.action is Action.UPDATE
    assert judged.desired == but(REVIEW, schedule=TEN, show_as="busy")


async def test_what_a_mailbox_has_for_itself_changes_nothing_elsewhere(
    calendars: Calendars,
) -> None:
    for spoke in ("ada", "ben"):
        calendars.connect(spoke, Direction.TWO_WAY)
    calendars.sees("ada", "a1", REVIEW)
    calendars.sees("ben", "b1", REVIEW)
    await calendars.merge()
    before = calendars.item().seq
    own = but(REVIEW, show_as="free", reminder="5", sensitivity="private", categories=("Red",))
    calendars.sees("ada", "a1", but(own, response="accepted"), etag="2")

    context = await calendars.merge()

    assert calendars.item().seq == before
    assert calendars.judged(context, "ben").why is Why.CURRENT


@pytest.mark.parametrize("allowed_by", [DeletedBy.ALL_CONTRIBUTORS, DeletedBy.ANY_CONTRIBUTOR])
async def test_an_event_dies_with_its_organisers_and_not_with_one_of_the_invited(
    tmp_path: Path, allowed_by: DeletedBy
) -> None:
    calendars = Calendars(tmp_path, allowed_by)
    for spoke in ("ada", "ben", "cy"):
        calendars.connect(spoke)
    calendars.sees("ada", "a1", MEETING)
    calendars.sees("ben", "b1", INVITED)
    calendars.sees("cy", "c1", INVITED)
    await calendars.merge()

    calendars.loses("ben", "b1")
    await calendars.merge()
    assert calendars.item().alive
    calendars.loses("ada", "a1")
    await calendars.merge()
    assert not calendars.item().alive
    calendars.sees("cy", "c1", but(INVITED, subject="Cancelled: Review"), etag="2")
    await calendars.merge()
    assert not calendars.item().alive
    calendars.sees("ada", "a2", MEETING)
    await calendars.merge()
    assert calendars.item().alive
    calendars.close()


async def test_nobody_ends_an_event_where_nobody_may_delete(tmp_path: Path) -> None:
    calendars = Calendars(tmp_path, DeletedBy.NEVER)
    for spoke in ("ada", "ben"):
        calendars.connect(spoke)
    calendars.sees("ada", "a1", MEETING)
    calendars.sees("ben", "b1", INVITED)
    await calendars.merge()

    calendars.loses("ada", "a1")
    await calendars.merge()

    assert calendars.item().alive
    calendars.close()


async def test_an_event_without_its_organiser_dies_with_the_last_of_the_invited(
    calendars: Calendars,
) -> None:
    for spoke in ("ben", "cy"):
        calendars.connect(spoke)
    calendars.sees("ben", "b1", INVITED)
    calendars.sees("cy", "c1", INVITED)
    await calendars.merge()

    calendars.loses("ben", "b1")
    await calendars.merge()
    assert calendars.item().alive
    calendars.loses("cy", "c1")
    await calendars.merge()
    assert not calendars.item().alive


async def test_what_somebody_else_says_of_a_meeting_is_kept_as_a_conflict(
    calendars: Calendars,
) -> None:
    for spoke in ("ada", "ben"):
        calendars.connect(spoke)
    calendars.sees("ada", "a1", MEETING)
    calendars.sees("ben", "b1", but(REVIEW, schedule=TEN))

    context = await calendars.merge()

    assert calendars.event().schedule == NINE
    assert context.report.conflicts == 1
    with calendars.opened.read() as tx:
        (conflict,) = lookup.lost(tx, calendars.item().id)
    assert (conflict.field, conflict.winner, conflict.loser) == ("schedule", READ_ONLY, "ben")


@pytest.mark.parametrize("sensitivity", ["private", "confidential"])
async def test_an_event_that_its_owner_keeps_private_is_not_contributed(
    calendars: Calendars, sensitivity: str
) -> None:
    calendars.connect("ada")
    calendars.connect("cy", Direction.RECEIVE)
    calendars.sees("ada", "a1", but(REVIEW, sensitivity="personal"))
    calendars.sees("ada", "a2", but(REVIEW, uid="u2", sensitivity=sensitivity))
    await calendars.merge()
    assert calendars.event().uid == "u1"

    calendars.sees("ada", "a1", but(REVIEW, sensitivity=sensitivity), etag="2")
    context = await calendars.merge()

    assert not calendars.item().alive
    assert calendars.judged(context, "cy").why is Why.DEAD
    with calendars.opened.read() as tx:
        kept = tx.shadows.by_remote("ada", ["a1", "a2"]).values()
    assert [as_event(one.content) for one in kept] == [Event(), Event()]


async def test_of_a_private_event_that_is_masked_only_the_time_is_known_and_it_is_read_only(
    calendars: Calendars,
) -> None:
    calendars.connect("ada", Direction.TWO_WAY, private_items=PrivateItems.MASK)
    calendars.connect("cy", Direction.RECEIVE)
    calendars.connect("dee", Direction.TWO_WAY)
    calendars.sees("ada", "a1", masked(but(REVIEW, sensitivity="private")))

    context = await calendars.merge()

    assert calendars.event() == Event(schedule=NINE, uid="u1")
    assert calendars.judged(context, "cy").desired == Event(schedule=NINE)
    calendars.sees("dee", "d1", but(REVIEW, schedule=TEN))
    context = await calendars.merge()
    assert calendars.event().schedule == NINE
    assert calendars.judged(context, "ada").why is Why.READ_ONLY


class Calendar:
    """What a calendar answers to a pull whose window moved: the items that it shows, and those that
    it has besides. Nothing can be written to it."""

    capabilities = ALL

    def __init__(self, shown: Sequence[RemoteItem], besides: Sequence[RemoteItem] = ()) -> None:
        self._shown = shown
        self._all = {item.id: item for item in (*shown, *besides)}
        self.located: list[str] = []

    async def open(self, *, create: bool, known: Target | None = None) -> Target:
        return known or Target("tenant", "mailbox", "calendar")

    async def changes(self, resume: str | None, *, known: KnownEtag) -> AsyncIterator[Page]:
        yield Page(changes=self._shown, cursor="delta")

    async def locate(self, ids: Sequence[str]) -> Mapping[str, Whereabouts]:
        self.located += ids
        return {
            remote: Whereabouts.HERE if remote in self._all else Whereabouts.GONE for remote in ids
        }

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | None]:
        return {remote: self._all.get(remote) for remote in ids}

    async def close(self) -> None:
        pass


DAY = 86_400.0


def on(day: str, uid: str) -> Event:
    return Event(
        subject=f"On {day}",
        schedule=f"DTSTART;TZID=UTC:{day}T090000\nDTEND;TZID=UTC:{day}T100000",
        uid=uid,
    )


def held(remote: str, event: Event, etag: str = "1") -> RemoteItem:
    return RemoteItem(id=remote, etag=etag, content=event)


async def test_what_leaves_the_window_is_no_deletion_and_what_was_moved_out_is_looked_for(
    calendars: Calendars,
) -> None:
    """The clock stands in November 2026; the window goes from October to the next November."""
    calendars.connect("ada")
    inside, past, moving, gone = (
        on("20261201", "u1"),
        on("20260901", "u2"),
        on("20261202", "u3"),
        on("20261203", "u4"),
    )
    for remote, event in (("in", inside), ("past", past), ("moving", moving), ("gone", gone)):
        calendars.sees("ada", remote, event)
    await calendars.merge()
    later = but(moving, schedule=on("20290101", "u3").schedule)
    calendar = Calendar([held("in", inside)], [held("moving", later, "2"), held("past", past)])

    await calendars.round("ada", calendar)

    assert sorted(calendar.located) == ["gone", "moving"]
    state = {as_event(one.content).uid: one.alive for one in calendars.items()}
    assert state == {"u1": True, "u2": True, "u3": True, "u4": False}
    (one,) = [one for one in calendars.items() if as_event(one.content).uid == "u3"]
    assert as_event(one.content).schedule == later.schedule


async def test_a_calendar_in_which_nothing_is_left_of_what_was_inside_is_not_believed(
    calendars: Calendars,
) -> None:
    calendars.connect("ada")
    for number, day in enumerate(("20261201", "20261202", "20260901")):
        calendars.sees("ada", f"a{number}", on(day, f"u{number}"))
    await calendars.merge()

    context = await calendars.round("ada", Calendar([]))

    assert context.report.spokes["ada"].source_emptied
    assert context.report.spokes["ada"].guarded == 2
    assert all(one.alive for one in calendars.items())


async def test_a_calendar_whose_events_are_all_over_is_not_taken_for_emptied(
    calendars: Calendars,
) -> None:
    calendars.connect("ada")
    calendars.sees("ada", "past", on("20260901", "u1"))
    await calendars.merge()

    context = await calendars.round("ada", Calendar([]))

    assert not context.report.spokes["ada"].source_emptied
    assert calendars.item().alive


async def test_a_copy_is_made_when_its_event_comes_into_the_window(calendars: Calendars) -> None:
    calendars.connect("ada")
    calendars.connect("cy", Direction.RECEIVE)
    calendars.sees("ada", "later", on("20280301", "u1"))
    calendars.sees("ada", "past", on("20260901", "u2"))
    await calendars.merge()

    assert await calendars.planned("cy") == []
    with calendars.opened.read() as tx:
        (waiting,) = tx.pending.due("cy", float("inf"), ["OutsideWindow"], 10)
    assert waiting.due_at > calendars.now + 90 * DAY
    calendars.now = waiting.due_at
    await calendars.merge()
    assert await calendars.planned("cy") == ["On 20280301"]
