"""How far back and ahead a calendar is looked at."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from cirahub_sync.configuration import Window
from cirahub_sync.model.event import Event, Occurrence
from cirahub_sync.model.window import Span, span

DAY = 86_400.0
NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC).timestamp()
WINDOW = Window(past=7 * DAY, future=30 * DAY)
SPAN = span(WINDOW, NOW)


def event(day: str, rule: str = "", *exceptions: Occurrence) -> Event:
    lines = f"DTSTART;TZID=UTC:{day}T090000\nDTEND;TZID=UTC:{day}T100000"
    return Event(
        schedule=f"{lines}\nRRULE:{rule}" if rule else lines,
        exceptions=exceptions,
    )


def moved(original: str, day: str) -> Occurrence:
    return Occurrence(original, start=f"{day}T09:00:00", end=f"{day}T10:00:00")


def test_the_window_moves_by_whole_days_and_holds_all_that_it_promises() -> None:
    assert span(WINDOW, NOW + 60) == SPAN
    assert span(WINDOW, NOW + DAY) == Span(SPAN.first + DAY, SPAN.last + DAY)
    assert SPAN.first <= NOW - WINDOW.past
    assert SPAN.last >= NOW + WINDOW.future


def test_an_event_is_inside_by_any_of_its_occurrences() -> None:
    weekly = "FREQ=WEEKLY;BYDAY=TU"

    assert SPAN.holds(event("20261201"))
    assert not SPAN.holds(event("20261001"))
    assert not SPAN.holds(event("20270301"))
    assert SPAN.holds(event("20260106", weekly))
    assert not SPAN.holds(event("20260106", f"{weekly};COUNT=3"))
    assert not SPAN.holds(Event(subject="Without a time"))


def test_an_occurrence_that_was_moved_into_the_window_is_inside() -> None:
    ended = "FREQ=WEEKLY;BYDAY=TU;COUNT=3"

    assert SPAN.holds(event("20260106", ended, moved("2026-01-13", "2026-12-01")))
    assert not SPAN.holds(event("20260106", ended, moved("2026-01-13", "2026-02-01")))


def test_an_event_comes_in_when_its_first_occurrence_ahead_does() -> None:
    later = event("20270301")
    begins = datetime(2027, 3, 1, 9, tzinfo=UTC).timestamp()

    assert SPAN.entered_at(later, WINDOW) == begins - WINDOW.future
    assert SPAN.entered_at(event("20261001"), WINDOW) is None
    series = event("20270309", "FREQ=WEEKLY;BYDAY=TU", moved("2027-03-16", "2027-03-01"))
    assert SPAN.entered_at(series, WINDOW) == begins - WINDOW.future


@given(st.integers(31, 4000), st.booleans())
def test_what_is_ahead_is_inside_at_the_time_that_it_is_said_to_come_in(
    days: int, all_day: bool
) -> None:
    day = datetime.fromtimestamp(NOW + days * DAY, UTC)
    one = event(f"{day:%Y%m%d}")
    if all_day:
        following = datetime.fromtimestamp(NOW + (days + 1) * DAY, UTC)
        one = Event(
            schedule=f"DTSTART;VALUE=DATE:{day:%Y%m%d}\nDTEND;VALUE=DATE:{following:%Y%m%d}"
        )
    if SPAN.holds(one):
        return
    entered = SPAN.entered_at(one, WINDOW)

    assert entered is not None
    assert entered > NOW
    assert span(WINDOW, entered).holds(one)
