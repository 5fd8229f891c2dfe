"""The window of a calendar moves, and says nothing of what it leaves behind."""

from __future__ import annotations

from cirahub_sync.configuration import Direction
from cirahub_sync.endpoints.base import RemoteItem
from cirahub_sync.model.event import Event
from cirahub_sync.model.kind import as_event

from .calendars import Calendar, Calendars, but

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
