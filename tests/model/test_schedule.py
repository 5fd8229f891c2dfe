"""When an event takes place."""

# ruff: noqa: DTZ001 -- a local time has no zone of its own

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import islice

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cirahub_sync.model.schedule import (
    DAYS,
    Frequency,
    Recurrence,
    Schedule,
    ScheduleError,
    parse,
)
from cirahub_sync.model.zone import instant

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
BERLIN = "Europe/Berlin"
NINE = datetime(2026, 11, 24, 9)  # a Tuesday
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

zones = st.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(
    lambda when: when.replace(microsecond=0, fold=0)
)


def meeting(recurrence: Recurrence | None = None, start: datetime = NINE) -> Schedule:
    return Schedule(start=start, end=start + HOUR, zone=BERLIN, recurrence=recurrence)


def all_day(start: date, days: int = 1, recurrence: Recurrence | None = None) -> Schedule:
    first = datetime.combine(start, datetime.min.time())
    return Schedule(start=first, end=first + days * DAY, recurrence=recurrence)


def days_of(schedule: Schedule, number: int) -> list[str]:
    return [f"{start:%Y-%m-%d}" for start in islice(schedule.starts(), number)]


@st.composite
def rules(draw: st.DrawFn, start: datetime) -> Recurrence:
    """One that begins at `start`."""
    today = DAYS[start.weekday()]
    frequency = draw(st.sampled_from(Frequency))
    rule = Recurrence(frequency=frequency, interval=draw(st.integers(1, 5)))
    if frequency is Frequency.WEEKLY:
        others = draw(st.lists(st.sampled_from(DAYS), max_size=3))
        rule = msgspec.structs.replace(
            rule,
            by_day=tuple(day for day in DAYS if day in {today, *others}),
            week_start=draw(st.sampled_from(["MO", "SU"])) if rule.interval > 1 else "MO",
        )
    elif frequency is not Frequency.DAILY:
        month = start.month if frequency is Frequency.YEARLY else 0
        if start.day <= 28 and draw(st.booleans()):
            rule = msgspec.structs.replace(
                rule, by_month=month, by_day=(today,), position=(start.day + 6) // 7
            )
        else:
            short = start.day > 28 and month in (0, 2)
            rule = msgspec.structs.replace(
                rule,
                by_month=month,
                by_month_day=start.day,
                clamped=short and draw(st.booleans()),
            )
    ending = draw(st.integers(0, 2))
    if ending == 1:
        rule = msgspec.structs.replace(rule, count=draw(st.integers(1, 20)))
    elif ending == 2:
        until = start.date() + draw(st.integers(0, 900)) * DAY
        rule = msgspec.structs.replace(rule, until=until)
    return rule


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    start = draw(moments)
    if draw(st.booleans()):
        start = start.replace(hour=0, minute=0, second=0)
        end, zone = start + draw(st.integers(1, 10)) * DAY, ""
    else:
        end, zone = start + draw(st.integers(5, 2000)) * timedelta(minutes=60), draw(zones)
    recurrence = draw(rules(start)) if draw(st.booleans()) else None
    return Schedule(start=start, end=end, zone=zone, recurrence=recurrence)


@UNHURRIED
@given(schedules())
def test_what_is_written_is_read_again(schedule: Schedule) -> None:
    assert parse(schedule.text()) == schedule


@UNHURRIED
@given(schedules())
def test_a_series_begins_with_its_start_and_has_one_occurrence_a_day(schedule: Schedule) -> None:
    starts = list(islice(schedule.starts(), 30))

    assert starts[0] == schedule.start
    assert len({start.date() for start in starts}) == len(starts)
    assert starts == sorted(starts)
    if schedule.recurrence is not None:
        assert all(schedule.has(f"{start:%Y-%m-%d}") for start in starts)


def test_the_text_is_made_of_icalendar_lines() -> None:
    rule = Recurrence(
        frequency=Frequency.WEEKLY, interval=2, by_day=("TU", "TH"), until=date(2027, 1, 31)
    )

    assert meeting(rule).text() == (
        "DTSTART;TZID=Europe/Berlin:20261124T090000\n"
        "DTEND;TZID=Europe/Berlin:20261124T100000\n"
        "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;WKST=MO;UNTIL=20270131"
    )
    assert all_day(date(2026, 11, 24)).text() == (
        "DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261125"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DTSTART;TZID=Europe/Berlin:20261124T090000",
        "DTSTART;TZID=Europe/Berlin:20261124T090000\nDTEND;TZID=UTC:20261124T100000",
        "DTEND;TZID=UTC:20261124T100000\nDTSTART;TZID=UTC:20261124T090000",
        "DTSTART;TZID=UTC:20261124T100000\nDTEND;TZID=UTC:20261124T090000",
        "DTSTART;TZID=UTC:20261324T090000\nDTEND;TZID=UTC:20261324T100000",
        "DTSTART;TZID=Mars/Olympus:20261124T090000\nDTEND;TZID=Mars/Olympus:20261124T100000",
        "DTSTART;TZID=../etc/passwd:20261124T090000\nDTEND;TZID=../etc/passwd:20261124T100000",
        "DTSTART;TZID=UTC;X-FOLD=1:20261124T090000\nDTEND;TZID=UTC:20261124T100000",
        "DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261124",
        "DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261125\nRRULE:FREQ=HOURLY",
        "DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261125\nRRULE:FREQ=DAILY;INTERVAL=0",
        "DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261125\nRRULE:INTERVAL=2;FREQ=DAILY",
        "DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261125\nRRULE:FREQ=DAILY\n",
        "DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261125\nEXDATE:20261125",
    ],
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError):
        parse(text)


@pytest.mark.parametrize(
    "rule",
    [
        Recurrence(frequency=Frequency.WEEKLY),
        Recurrence(frequency=Frequency.WEEKLY, by_day=("XX",)),
        Recurrence(frequency=Frequency.WEEKLY, by_day=("MO",)),
        Recurrence(frequency=Frequency.DAILY, by_month_day=24),
        Recurrence(frequency=Frequency.DAILY, count=3, until=date(2027, 1, 1)),
        Recurrence(frequency=Frequency.DAILY, until=date(2026, 11, 23)),
        Recurrence(frequency=Frequency.DAILY, interval=10**6),
        Recurrence(frequency=Frequency.MONTHLY),
        Recurrence(frequency=Frequency.MONTHLY, by_month_day=25),
        Recurrence(frequency=Frequency.MONTHLY, by_month_day=24, clamped=True),
        Recurrence(frequency=Frequency.MONTHLY, by_day=("TU",), position=1),
        Recurrence(frequency=Frequency.MONTHLY, by_day=("TU",), position=5),
        Recurrence(frequency=Frequency.YEARLY, by_month_day=24),
        Recurrence(frequency=Frequency.YEARLY, by_month=2, by_month_day=31),
    ],
)
def test_a_rule_that_can_not_be_or_does_not_begin_at_the_start_is_refused(rule: Recurrence) -> None:
    with pytest.raises(ScheduleError):
        meeting(rule).text()


def test_a_month_without_the_day_has_no_occurrence_or_its_last_day_as_the_rule_says() -> None:
    """RFC 5545 leaves it out; Exchange takes the last day."""
    last = date(2027, 1, 31)
    left_out = Recurrence(frequency=Frequency.MONTHLY, by_month_day=31)
    clamped = msgspec.structs.replace(left_out, clamped=True)

    assert days_of(all_day(last, recurrence=left_out), 3) == [
        "2027-01-31",
        "2027-03-31",
        "2027-05-31",
    ]
    assert days_of(all_day(last, recurrence=clamped), 4) == [
        "2027-01-31",
        "2027-02-28",
        "2027-03-31",
        "2027-04-30",
    ]
    assert all_day(last, recurrence=left_out).text() != all_day(last, recurrence=clamped).text()


def test_a_clamped_series_may_begin_in_a_short_month() -> None:
    rule = Recurrence(frequency=Frequency.MONTHLY, by_month_day=30, clamped=True, count=3)

    schedule = all_day(date(2027, 2, 28), recurrence=rule)

    assert days_of(schedule, 9) == ["2027-02-28", "2027-03-30", "2027-04-30"]
    assert parse(schedule.text()) == schedule


def test_the_29th_of_february_is_the_28th_in_other_years_if_the_rule_says_so() -> None:
    rule = Recurrence(frequency=Frequency.YEARLY, by_month=2, by_month_day=29)
    leap = date(2028, 2, 29)

    clamped = msgspec.structs.replace(rule, clamped=True)

    assert days_of(all_day(leap, recurrence=rule), 2) == ["2028-02-29", "2032-02-29"]
    assert days_of(all_day(leap, recurrence=clamped), 2) == ["2028-02-29", "2029-02-28"]


def test_the_nth_weekday_of_a_month() -> None:
    last_friday = Recurrence(frequency=Frequency.MONTHLY, by_day=("FR",), position=-1)
    first_workday = Recurrence(
        frequency=Frequency.MONTHLY, by_day=("MO", "TU", "WE", "TH", "FR"), position=1
    )

    assert days_of(meeting(last_friday, datetime(2026, 11, 27, 9)), 2) == [
        "2026-11-27",
        "2026-12-25",
    ]
    assert days_of(meeting(first_workday, datetime(2026, 11, 2, 9)), 3) == [
        "2026-11-02",
        "2026-12-01",
        "2027-01-01",
    ]


def test_which_day_a_week_begins_with_matters_every_other_week() -> None:
    """The example of RFC 5545, 3.3.10."""
    rule = Recurrence(frequency=Frequency.WEEKLY, interval=2, by_day=("TU", "SU"), count=4)
    sunday = msgspec.structs.replace(rule, week_start="SU")
    start = datetime(1997, 8, 5, 9)

    assert days_of(meeting(rule, start), 9) == [
        "1997-08-05",
        "1997-08-10",
        "1997-08-19",
        "1997-08-24",
    ]
    assert days_of(meeting(sunday, start), 9) == [
        "1997-08-05",
        "1997-08-17",
        "1997-08-19",
        "1997-08-31",
    ]


def test_a_series_keeps_its_local_time_when_the_clocks_change() -> None:
    rule = Recurrence(frequency=Frequency.DAILY, count=3)
    first = datetime(2027, 3, 27, 9)

    starts = list(meeting(rule, first).starts())

    assert [start.hour for start in starts] == [9, 9, 9]
    assert instant(starts[1], BERLIN) - instant(starts[0], BERLIN) == 23 * 3600


def test_a_time_that_comes_twice_says_which_of_the_two_it_is() -> None:
    once = datetime(2026, 10, 25, 2, 30)
    twice = once.replace(fold=1)
    first = Schedule(start=once, end=twice, zone=BERLIN)

    assert first.text() == (
        "DTSTART;TZID=Europe/Berlin:20261025T023000\n"
        "DTEND;TZID=Europe/Berlin;X-FOLD=1:20261025T023000"
    )
    assert parse(first.text()).end.fold == 1
    assert instant(twice, BERLIN) - instant(once, BERLIN) == 3600
    with pytest.raises(ScheduleError):
        Schedule(start=twice, end=once, zone=BERLIN).text()


def test_an_event_touches_the_time_that_it_lasts_into() -> None:
    begin = instant(NINE, BERLIN)
    schedule = meeting()

    assert schedule.touches(begin + 3600, begin + 7200)
    assert schedule.touches(begin - 3600, begin)
    assert not schedule.touches(begin + 3601, begin + 7200)
    assert not schedule.touches(begin - 3600, begin - 1)


def test_a_series_touches_a_time_by_any_occurrence() -> None:
    weekly = meeting(Recurrence(frequency=Frequency.WEEKLY, by_day=("TU",)))
    later = instant(datetime(2036, 11, 25, 9, 30), BERLIN)  # a Tuesday

    assert weekly.touches(later, later + 60)
    assert not weekly.touches(later + 24 * 3600, later + 48 * 3600)
    ended = meeting(Recurrence(frequency=Frequency.WEEKLY, by_day=("TU",), count=5))
    assert not ended.touches(later, later + 60)


def test_an_all_day_event_touches_a_time_wherever_that_day_still_is() -> None:
    schedule = all_day(date(2026, 11, 24))
    midnight = instant(datetime(2026, 11, 24), "UTC")

    assert schedule.touches(midnight - 10 * 3600, midnight - 10 * 3600)
    assert schedule.touches(midnight + 34 * 3600, midnight + 34 * 3600)
    assert not schedule.touches(midnight + 48 * 3600, midnight + 72 * 3600)


def test_only_a_series_has_occurrences() -> None:
    assert not meeting().has("2026-11-24")
    weekly = meeting(Recurrence(frequency=Frequency.WEEKLY, by_day=("TU",)))
    assert weekly.has("2026-12-01")
    assert not weekly.has("2026-12-02")
