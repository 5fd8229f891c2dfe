"""An event keeps its content on the way to Graph and back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cirahub_sync.endpoints.appointments.series import Goal
from cirahub_sync.endpoints.appointments.times import as_shown
from cirahub_sync.endpoints.graph import properties
from cirahub_sync.endpoints.graph.calendars import codec
from cirahub_sync.endpoints.graph.calendars.wire import EVENT
from cirahub_sync.model.event import INITIAL, Event, Occurrence, Role, Sensitivity, ShowAs
from cirahub_sync.model.schedule import Frequency, Recurrence, Schedule, parse
from cirahub_sync.model.zone import iana, instant, local_time

NINE = "DTSTART;TZID=Europe/Berlin:20261201T090000\nDTEND;TZID=Europe/Berlin:20261201T100000"
DAILY = f"{NINE}\nRRULE:FREQ=DAILY"
ALL_DAY = "DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261203"
TWICE = (
    "DTSTART;TZID=Europe/Berlin;X-FOLD=1:20261025T023000\nDTEND;TZID=Europe/Berlin:20261025T040000"
)
DOCUMENT = (
    "<html><head><title>x</title></head><body><div>One &amp; <b>two</b></div>"
    "<p>Three<br>four</p></body></html>"
)

line = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Z"]), max_size=12)
zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC", "Pacific/Apia"])
times = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(  # noqa: DTZ001 -- local
    lambda when: when.replace(microsecond=0, fold=0)
)
ranges: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.integers(1, 50).map(lambda count: {"count": count}),
    st.dates(date(2036, 1, 1), date(2040, 1, 1)).map(lambda day: {"until": day}),
)


@st.composite
def rules(draw: st.DrawFn, start: datetime) -> Recurrence:
    """Rules that Exchange has, whose first occurrence is on that day."""
    frequency = draw(st.sampled_from(Frequency))
    day = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[start.weekday()]
    interval = draw(st.integers(1, 5))
    more = draw(ranges) | {"interval": interval}
    if frequency is Frequency.DAILY:
        return Recurrence(frequency=frequency, **more)
    if frequency is Frequency.WEEKLY:
        others = draw(st.sets(st.sampled_from(["MO", "WE", "SU"])))
        first = draw(st.sampled_from(["MO", "SU"]))
        week_start = first if interval > 1 else "MO"
        days = tuple(sorted({day, *others}))
        return Recurrence(frequency=frequency, by_day=days, week_start=week_start, **more)
    if frequency is Frequency.YEARLY:
        more["by_month"] = start.month
    if draw(st.booleans()) and start.day <= 28:
        position = (start.day - 1) // 7 + 1
        return Recurrence(frequency=frequency, by_day=(day,), position=position, **more)
    clamped = start.day > 28 and more.get("by_month", 0) in (0, 2)
    return Recurrence(frequency=frequency, by_month_day=start.day, clamped=clamped, **more)


@st.composite
def schedules(draw: st.DrawFn, *, recurring: bool = False) -> str:
    start = draw(times)
    zone = draw(st.just("") | zones)
    if not zone:
        start = start.replace(hour=0, minute=0, second=0)
        end = start + timedelta(days=draw(st.integers(1, 9)))
    else:
        # A time that the clocks skip is not one that comes back.
        assume(local_time(instant(start, zone), zone) == start)
        end = local_time(instant(start, zone) + draw(st.integers(0, 200_000)), zone)
        assume(not end.fold)
    rule = draw(rules(start)) if recurring or draw(st.booleans()) else None
    return Schedule(start=start, end=end, zone=zone, recurrence=rule).text()


def answered(body: bytes) -> dict[str, Any]:
    """What a service that keeps what it was sent answers: times in UTC, the zone beside them."""
    sent: dict[str, Any] = msgspec.json.decode(bytes(codec.sending(body).event))
    whole: dict[str, Any] = {**sent, "id": "e1", "originalStartTimeZone": sent["start"]["timeZone"]}
    for name in ("start", "end"):
        zone = iana(sent[name]["timeZone"])
        seconds = instant(datetime.fromisoformat(sent[name]["dateTime"]), zone)
        whole[name] = {
            "dateTime": datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000"),
            "timeZone": "UTC",
        }
    return whole


def read(whole: dict[str, Any]) -> Event:
    return codec.decode(EVENT.decode(msgspec.json.encode(whole)))


@given(
    schedule=schedules(),
    subject=line,
    body=line,
    location=line,
    show_as=st.sampled_from(["", *(one.value for one in ShowAs)]),
    reminder=st.sampled_from(["", "0", "15"]),
    sensitivity=st.sampled_from(["", "personal", "private", "confidential"]),
    categories=st.lists(line.filter(bool), max_size=3).map(tuple),
)
def test_what_is_made_comes_back_as_it_was(**fields: Any) -> None:
    event = Event(**fields)
    assert read(answered(codec.encode(event))) == event


@given(schedule=schedules(), before=schedules())
def test_a_change_of_time_says_all_of_it(schedule: str, before: str) -> None:
    assume(schedule != before)
    body = codec.encode_changes(Event(schedule=before), Event(schedule=schedule))
    assert read(answered(body)).schedule == schedule


@pytest.mark.parametrize("body", [codec.encode, lambda event: codec.encode_changes(None, event)])
def test_nothing_that_is_written_can_invite(body: Any) -> None:
    """Invariant 10."""
    event = Event(subject="Review", schedule=NINE, uid="u1", role="organizer", response="accepted")
    sent = msgspec.json.decode(bytes(codec.sending(body(event)).event))
    assert not {name.lower() for name in sent} & {
        "attendees",
        "organizer",
        "responserequested",
        "responsestatus",
        "isonlinemeeting",
        "onlinemeeting",
        "iscancelled",
    }


def test_an_update_names_what_has_changed_and_nothing_else() -> None:
    before = Event(subject="Review", body="Notes", schedule=NINE, show_as="busy", uid="u1")
    after = msgspec.structs.replace(before, location="Room 1", show_as="free", uid="u2")
    sending = codec.sending(codec.encode_changes(before, after))
    assert msgspec.json.decode(bytes(sending.event)) == {"location": {"displayName": "Room 1"}}
    assert sending.goal is None


def test_without_knowledge_of_what_is_there_the_fields_of_the_mapping_are_written() -> None:
    after = Event(subject="Busy", body="", schedule=NINE, categories=("Red",), reminder="15")
    sending = codec.sending(codec.encode_changes(None, after, {"subject", "body", "reminder"}))
    assert msgspec.json.decode(bytes(sending.event)) == {
        "subject": "Busy",
        "body": {"contentType": "text", "content": ""},
    }


def test_a_copy_is_given_what_a_mapping_gives_it_and_reminds_nobody_otherwise() -> None:
    plain = msgspec.json.decode(bytes(codec.sending(codec.encode(Event(schedule=NINE))).event))
    assert plain["isReminderOn"] is False
    assert not plain.keys() & {"showAs", "sensitivity", "categories"}
    given_all = Event(
        schedule=NINE, show_as="outOfOffice", reminder="5", sensitivity="private", categories=("A",)
    )
    back = read(answered(codec.encode(given_all)))
    assert {name: getattr(back, name) for name in INITIAL} == {
        name: getattr(given_all, name) for name in INITIAL
    }


def test_a_create_carries_its_stamp_and_an_id_for_the_transaction() -> None:
    event = codec.sending(codec.encode(Event(schedule=NINE))).event
    first = msgspec.json.decode(codec.with_stamp(event, "i/h/1/s/1"))
    again = msgspec.json.decode(codec.with_stamp(event, "i/h/1/s/1"))
    other = msgspec.json.decode(codec.with_stamp(event, "i/h/1/s/2"))
    (stamp,) = first["singleValueExtendedProperties"]
    assert stamp == {"id": properties.STAMP, "value": "i/h/1/s/1"}
    assert first["transactionId"] == again["transactionId"] != other["transactionId"]


@pytest.mark.parametrize(
    ("attendees", "organizer", "role"),
    [
        ([], True, ""),
        ([], None, ""),
        ([{"emailAddress": {"address": "ben@x.example"}}], True, Role.ORGANIZER),
        ([{"emailAddress": {"address": "ben@x.example"}}], False, Role.ATTENDEE),
        ([], False, Role.ATTENDEE),
    ],
)
def test_who_has_attendees_or_is_somebody_elses_is_read_only(
    attendees: list[object], organizer: bool | None, role: str
) -> None:
    whole = answered(codec.encode(Event(schedule=NINE)))
    assert read({**whole, "attendees": attendees, "isOrganizer": organizer}).role == role


def series(rule: str = DAILY, **more: object) -> dict[str, Any]:
    event = Event(subject="Stand-up", body="Notes", location="Room", schedule=rule)
    return {**answered(codec.encode(event)), "type": "seriesMaster", **more}


def exception(day: str, start: str, end: str, **more: object) -> dict[str, Any]:
    """As a master shows one; times in UTC."""
    return {
        "id": f"o{day}",
        "type": "exception",
        "originalStart": day,
        "start": {"dateTime": start, "timeZone": "UTC"},
        "end": {"dateTime": end, "timeZone": "UTC"},
        "subject": "Stand-up",
        "body": {"contentType": "text", "content": "Notes\r\n"},
        "location": {"displayName": "Room"},
        **more,
    }


def test_exceptions_are_told_by_what_differs_from_their_series() -> None:
    """09:00 in Berlin is 08:00 in UTC, and 07:00 once the clocks there have changed."""
    moved = exception("2026-12-02T08:00:00Z", "2026-12-02T10:00:00", "2026-12-02T11:00:00")
    retitled = exception(
        "2027-04-01T07:00:00Z", "2027-04-01T07:00:00", "2027-04-01T08:00:00", subject="Review"
    )
    as_it_was = exception("2026-12-05T08:00:00Z", "2026-12-05T08:00:00", "2026-12-05T09:00:00")
    whole = series(
        exceptionOccurrences=[retitled, moved, as_it_was],
        cancelledOccurrences=["OID.m1.2026-12-04"],
    )
    assert read(whole).exceptions == (
        Occurrence("2026-12-02", start="2026-12-02T11:00:00", end="2026-12-02T12:00:00"),
        Occurrence("2026-12-04", cancelled=True),
        Occurrence("2027-04-01", subject="Review"),
    )


def test_an_exception_with_attendees_makes_its_series_read_only() -> None:
    invited = exception(
        "2026-12-02T08:00:00Z",
        "2026-12-02T08:00:00",
        "2026-12-02T09:00:00",
        attendees=[{"emailAddress": {"address": "ben@x.example"}}],
    )
    assert read(series(exceptionOccurrences=[invited])).role == Role.ORGANIZER


def test_exceptions_of_whole_days_are_told_as_days() -> None:
    daily = "DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261202\nRRULE:FREQ=DAILY"
    moved = exception(
        "2026-12-02T00:00:00Z", "2026-12-12T00:00:00", "2026-12-13T00:00:00", isAllDay=True
    )
    shortened = exception("2026-12-04T00:00:00Z", "2026-12-05T09:00:00", "2026-12-05T10:00:00")
    assert read(series(daily, exceptionOccurrences=[moved, shortened])).exceptions == (
        Occurrence("2026-12-02", start="2026-12-12", end="2026-12-13"),
        Occurrence("2026-12-04", start="2026-12-05", end="2026-12-06"),
    )


def test_an_occurrence_is_changed_in_what_it_is_to_say_otherwise() -> None:
    goal = Goal(
        as_shown(DAILY),
        (Occurrence("2026-12-02", start="2026-12-02T11:00:00", end="2026-12-02T12:00:00"),),
        subject="Stand-up",
        body="Notes",
    )
    zone = "W. Europe Standard Time"
    assert codec.occurrence_changes(Occurrence("2026-12-02"), goal, "2026-12-02") == {
        "start": {"dateTime": "2026-12-02T11:00:00", "timeZone": zone},
        "end": {"dateTime": "2026-12-02T12:00:00", "timeZone": zone},
    }
    there = Occurrence("2026-12-03", subject="Review", location="Elsewhere")
    assert codec.occurrence_changes(there, goal, "2026-12-03") == {
        "subject": "Stand-up",
        "location": {"displayName": ""},
    }


@pytest.mark.parametrize(
    ("schedule", "shown"),
    [
        (NINE, NINE),
        (NINE.replace("Berlin", "Vienna"), NINE),
        (ALL_DAY, ALL_DAY),
        (f"{NINE.replace('Berlin', 'Vienna')}\nRRULE:FREQ=DAILY", DAILY),
        # No zone of Windows goes as Troll's clocks do: a lone event is at a moment all the same.
        (
            NINE.replace("Europe/Berlin", "Antarctica/Troll"),
            "DTSTART;TZID=UTC:20261201T090000\nDTEND;TZID=UTC:20261201T100000",
        ),
        # The second of two equal times can be said in UTC alone.
        (
            TWICE,
            "DTSTART;TZID=UTC:20261025T013000\nDTEND;TZID=UTC:20261025T030000",
        ),
    ],
)
def test_a_zone_comes_back_as_the_one_that_windows_means(schedule: str, shown: str) -> None:
    event = Event(schedule=schedule)
    assert codec.LIMITS.schedule is not None
    assert codec.LIMITS.schedule(schedule) == shown
    assert read(answered(codec.encode(event))).schedule == shown


@pytest.mark.parametrize(
    "schedule",
    [
        f"{NINE.replace('Europe/Berlin', 'Antarctica/Troll')}\nRRULE:FREQ=DAILY",
        "DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270101\nRRULE:FREQ=MONTHLY;BYMONTHDAY=31",
    ],
)
def test_what_exchange_cannot_say_is_refused_and_not_said_otherwise(schedule: str) -> None:
    for body in (
        codec.encode(Event(schedule=schedule)),
        codec.encode_changes(Event(schedule=NINE), Event(schedule=schedule)),
    ):
        assert codec.sending(body).refused
        assert bytes(codec.sending(body).event) == b"{}"


@pytest.mark.parametrize(
    ("named", "zone"),
    [
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Europe/Vienna", "Europe/Vienna"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("tzone://Microsoft/Custom", "UTC"),
        (None, "UTC"),
    ],
)
def test_a_zone_is_known_by_each_of_its_names(named: str | None, zone: str) -> None:
    whole = {**answered(codec.encode(Event(schedule=NINE))), "originalStartTimeZone": named}
    assert parse(read(whole).schedule).zone == zone


def test_a_series_of_a_zone_without_a_name_has_that_of_its_rule_or_can_not_be_read() -> None:
    whole = series(originalStartTimeZone="tzone://Microsoft/Custom")
    assert parse(read(whole).schedule).zone == "Europe/Berlin"
    whole["recurrence"]["range"]["recurrenceTimeZone"] = "tzone://Microsoft/Custom"
    with pytest.raises(codec.UNREADABLE):
        read(whole)


def test_an_all_day_event_is_on_its_days_wherever_its_midnight_is_told() -> None:
    whole = answered(codec.encode(Event(schedule=ALL_DAY)))
    assert read(whole).schedule == ALL_DAY
    whole |= {
        "originalStartTimeZone": "W. Europe Standard Time",
        "start": {"dateTime": "2026-11-30T23:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-12-02T23:00:00", "timeZone": "UTC"},
    }
    assert read(whole).schedule == ALL_DAY


def test_a_series_begins_with_its_first_occurrence() -> None:
    """The first of December is a Tuesday."""
    whole = series(f"{NINE}\nRRULE:FREQ=WEEKLY;BYDAY=TU")
    whole["recurrence"]["pattern"]["daysOfWeek"] = ["thursday"]
    when = parse(read(whole).schedule)
    assert (when.start.date(), when.end.date()) == (date(2026, 12, 3), date(2026, 12, 3))


@pytest.mark.parametrize(
    "broken",
    [
        {"start": None},
        {"start": {"dateTime": "yesterday", "timeZone": "UTC"}},
        {"end": {"dateTime": "2026-12-01T00:00:00", "timeZone": "UTC"}},
        {"start": {"dateTime": "2026-12-01T08:00:00", "timeZone": "Middle-earth"}},
        {"recurrence": {"pattern": {"type": "lunar"}, "range": {"type": "noEnd"}}},
        {"recurrence": {"pattern": {"type": "daily"}, "range": {"type": "until it ends"}}},
        {"recurrence": {"pattern": {"type": "daily", "interval": 0}, "range": {"type": "noEnd"}}},
        {"cancelledOccurrences": ["OID.m1.someday"]},
        {"exceptionOccurrences": [{"id": "o1"}]},
    ],
)
def test_what_can_not_be_told_is_unreadable_and_quotes_nothing(broken: dict[str, Any]) -> None:
    with pytest.raises(codec.UNREADABLE) as raised:
        read({**series(), **broken})
    assert not any(text in str(raised.value) for text in ("yesterday", "Middle-earth", "lunar"))


@pytest.mark.parametrize(
    ("uid", "known_as", "original_start"),
    [
        ("abc@google.com", "abc@google.com", ""),
        (f"040000008200E00074C5B7101A82E008{'0' * 8}AA", None, ""),
        (
            "040000008200E00074C5B7101A82E00807EA0C02AABB",
            f"040000008200E00074C5B7101A82E008{'0' * 8}AABB",
            "2026-12-02",
        ),
    ],
)
def test_one_occurrence_of_a_series_elsewhere_is_known_by_its_day(
    uid: str, known_as: str | None, original_start: str
) -> None:
    event = read({**answered(codec.encode(Event(schedule=NINE))), "iCalUId": uid})
    assert (event.uid, event.original_start) == (known_as or uid, original_start)


@pytest.mark.parametrize(
    ("content_type", "content", "text"),
    [
        ("text", "One\r\nTwo\r\n\r\n", "One\nTwo"),
        ("html", "<html><head><style>p{}</style></head><body>\r\n</body></html>", ""),
        (
            "html",
            DOCUMENT,
            "One & two\nThree\nfour",
        ),
    ],
)
def test_a_body_is_its_text(content_type: str, content: str, text: str) -> None:
    whole = answered(codec.encode(Event(schedule=NINE)))
    body = {"contentType": content_type, "content": content}
    assert read({**whole, "body": body}).body == text


def test_normal_is_no_sensitivity() -> None:
    whole = answered(codec.encode(Event(schedule=NINE)))
    assert read({**whole, "sensitivity": Sensitivity.NORMAL.value}).sensitivity == ""
