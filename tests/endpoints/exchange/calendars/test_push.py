"""What becomes of writes to a calendar: one outcome each, nothing twice, and mail to nobody."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from tests.endpoints.exchange.calendars.conftest import (
    INVITED,
    LONE,
    NINE,
    SERIES,
    TEN,
    WEEKLY,
    Diary,
    asked,
    here,
    made,
    push_all,
    shared,
    update,
    weekly,
)
from tests.endpoints.exchange.conftest import Office

from cirahub_simulator.ews.identifiers import ews_id
from cirahub_sync.endpoints.base import Create, Delete, Operation, Result, Update
from cirahub_sync.endpoints.exchange.calendars.endpoint import CalendarEndpoint
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.model.event import Event, Occurrence

DAY_OFF = Event(
    subject="Day off", schedule="DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261203"
)
MONTHLY = Event(
    subject="Review",
    schedule="DTSTART;TZID=America/New_York:20261130T090000\n"
    "DTEND;TZID=America/New_York:20261130T093000\n"
    "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    exceptions=(Occurrence("2026-12-31", subject="Closing"),),
)
FREE_DAYS = Event(
    subject="Closed",
    schedule="DTSTART;VALUE=DATE:20261205\nDTEND;VALUE=DATE:20261206\n"
    "RRULE:FREQ=WEEKLY;BYDAY=SA;UNTIL=20270130",
    exceptions=(
        Occurrence("2026-12-12", start="2026-12-13", end="2026-12-14"),
        Occurrence("2026-12-19", cancelled=True),
    ),
)
CONTENTS = {
    "lone": LONE,
    "series": SERIES,
    "days": DAY_OFF,
    "monthly": MONTHLY,
    "series of days": FREE_DAYS,
}


@pytest.mark.parametrize("which", CONTENTS)
async def test_what_is_made_is_stamped_and_comes_back_whole(
    calendar: CalendarEndpoint, diary: Diary, which: str
) -> None:
    item = await made(calendar, CONTENTS[which])

    assert shared(item.content) == CONTENTS[which]
    assert item.stamp == "i/h/x/s/1"
    assert await here(calendar, item.id) == item
    (held,) = diary.held()
    assert ews_id(held.id) == item.id
    assert not held.fields.is_reminder_on


async def test_what_a_mapping_gives_a_copy_comes_along(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    local = {"show_as": "outOfOffice", "reminder": "30", "sensitivity": "private"}
    content = msgspec.structs.replace(LONE, categories=("Red", "Blå & <b>"), **local)

    item = await made(calendar, content)

    assert msgspec.structs.replace(item.content, uid="", response="") == content
    assert diary.held()[0].fields.show_as == "oof"


async def test_many_creates_take_few_requests(
    calendar: CalendarEndpoint, diary: Diary, office: Office
) -> None:
    operations = [Create(key=f"i/h/{n}/s/1", body=calendar.encode(LONE)) for n in range(45)]

    outcomes = await push_all(calendar, operations)

    assert {each.result for each in outcomes} == {Result.DONE}
    assert len(diary.held()) == 45
    assert asked(office, "CreateItem") == 2
    assert asked(office, "GetItem") == 2


async def test_an_update_changes_what_it_names_and_keeps_the_rest(
    calendar: CalendarEndpoint,
) -> None:
    item = await made(calendar, msgspec.structs.replace(LONE, show_as="free", categories=("Red",)))
    after = msgspec.structs.replace(item.content, subject="Later", location="", schedule=TEN)

    (outcome,) = await push_all(calendar, [update(calendar, item, after)])

    assert outcome.result is Result.DONE
    assert outcome.item is not None
    assert outcome.item.content == after
    assert outcome.item.etag != item.etag
    assert outcome.item.stamp == item.stamp
    assert await here(calendar, item.id) == outcome.item


@pytest.mark.parametrize(
    "exceptions",
    [
        (),
        (
            Occurrence("2026-12-01", location="Kitchen"),
            Occurrence("2026-12-08", start="2026-12-09T11:00:00", end="2026-12-09T12:00:00"),
            Occurrence("2026-12-15", cancelled=True),
            Occurrence("2026-12-22", cancelled=True),
            Occurrence("2027-01-05", subject="First one"),
        ),
    ],
)
async def test_exceptions_become_what_they_are_to_be(
    calendar: CalendarEndpoint, exceptions: tuple[Occurrence, ...]
) -> None:
    item = await made(calendar, SERIES)
    kept = Occurrence("2026-12-15", cancelled=True)  # which nothing can undo
    wanted = {one.original: one for one in (kept, *exceptions)}
    after = msgspec.structs.replace(
        item.content, exceptions=tuple(wanted[day] for day in sorted(wanted))
    )

    (outcome,) = await push_all(calendar, [update(calendar, item, after)])

    assert (outcome.result, outcome.missing) == (Result.DONE, None)
    assert outcome.item is not None
    assert outcome.item.content == after
    assert await here(calendar, item.id) == outcome.item


async def test_a_series_that_is_moved_keeps_its_exceptions(calendar: CalendarEndpoint) -> None:
    """The service drops them."""
    item = await made(calendar, SERIES)
    after = msgspec.structs.replace(
        item.content, schedule=WEEKLY.replace("T090000", "T080000"), subject="Early stand-up"
    )

    (outcome,) = await push_all(calendar, [update(calendar, item, after)])

    assert (outcome.result, outcome.missing) == (Result.DONE, None)
    assert outcome.item is not None
    assert outcome.item.content == after


async def test_a_lone_event_becomes_a_series_and_one_again(calendar: CalendarEndpoint) -> None:
    item = await made(calendar)
    for schedule in (WEEKLY, NINE):
        after = msgspec.structs.replace(item.content, schedule=schedule)
        (outcome,) = await push_all(calendar, [update(calendar, item, after)])
        assert outcome.item is not None
        assert outcome.item.content == after
        item = outcome.item


async def test_an_occurrence_that_is_cancelled_is_not_had_back_and_that_is_told(
    calendar: CalendarEndpoint,
) -> None:
    item = await made(calendar, SERIES)
    after = msgspec.structs.replace(item.content, exceptions=(SERIES.exceptions[0],))

    (outcome,) = await push_all(calendar, [update(calendar, item, after)])

    assert (outcome.result, outcome.missing) == (Result.DONE, Result.REJECTED)
    assert outcome.item is not None
    assert shared(outcome.item.content).exceptions == SERIES.exceptions[:2]


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_exceptions_that_do_not_get_through_are_told_as_missing(
    calendar: CalendarEndpoint, diary: Diary, office: Office, moment: str
) -> None:
    office.fault(kind="status", operation="UpdateItem", status=503, moment=moment, count=9)

    (outcome,) = await push_all(calendar, [Create(key="i/h/x/s/1", body=calendar.encode(SERIES))])

    assert (outcome.result, outcome.missing) == (Result.DONE, Result.RETRY)
    assert outcome.item is not None
    assert len(diary.held()) == 1
    office.world.faults.clear()
    (again,) = await push_all(calendar, [update(calendar, outcome.item, SERIES)])
    assert (again.result, again.missing) == (Result.DONE, None)
    assert again.item is not None
    assert shared(again.item.content) == SERIES


async def test_days_stay_midnights_of_where_they_were_made(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    """In another zone Outlook shows them on two days."""
    zone = "W. Europe Standard Time"
    native = diary.adds(
        isAllDay=True,
        start={"dateTime": "2026-12-01T00:00:00", "timeZone": zone},
        end={"dateTime": "2026-12-02T00:00:00", "timeZone": zone},
    )
    item = await here(calendar, ews_id(native.id))
    assert shared(item.content).schedule == (
        "DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261202"
    )
    after = msgspec.structs.replace(item.content, schedule=DAY_OFF.schedule)

    (outcome,) = await push_all(calendar, [update(calendar, item, after)])

    assert outcome.item is not None
    assert outcome.item.content == after
    (held,) = diary.held()
    assert (held.fields.start.zone, f"{held.fields.end.local:%d %H:%M}") == (zone, "03 00:00")


async def test_what_its_user_has_changed_since_is_stale(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    lone, series = await made(calendar), await made(calendar, SERIES, "i/h/y/s/1")
    first, second = diary.held()
    diary.changes(first, subject="Theirs")
    diary.changes(diary.occurrence(second, "2027-01-05"), subject="Theirs")

    outcomes = await push_all(
        calendar,
        [
            update(calendar, lone, LONE),
            update(calendar, series, msgspec.structs.replace(SERIES, body="Ours")),
            Delete(id=lone.id, etag=lone.etag),
        ],
    )

    assert {each.result for each in outcomes} == {Result.STALE}
    assert [one.fields.subject for one in diary.held()] == ["Theirs", "Stand-up"]


async def test_a_permanent_deletion_skips_the_bin(
    calendar: CalendarEndpoint, diary: Diary, office: Office
) -> None:
    one, two = await made(calendar), await made(calendar, SERIES, "i/h/y/s/1")

    outcomes = await push_all(
        calendar,
        [Delete(id=one.id, etag=one.etag), Delete(id=two.id, etag="", permanent=True)],
    )

    assert {each.result for each in outcomes} == {Result.DONE}
    assert diary.held() == []
    assert len(office.mailbox().calendars.bin) == 1


async def test_what_is_gone_is_gone(calendar: CalendarEndpoint) -> None:
    item = await made(calendar)
    await push_all(calendar, [Delete(id=item.id, etag="", permanent=True)])

    outcomes = await push_all(
        calendar, [Delete(id=item.id, etag=""), update(calendar, item, LONE, "x")]
    )

    assert [each.result for each in outcomes] == [Result.DONE, Result.GONE]
    assert (await calendar.fetch([item.id]))[item.id] is None


def operations(calendar: CalendarEndpoint, item: str) -> Sequence[Operation]:
    body = calendar.encode_changes(LONE, msgspec.structs.replace(LONE, subject="Ours"))
    return (
        Update(id=item, etag="", body=body),
        Delete(id=item, etag=""),
        Delete(id=item, etag="", permanent=True),
    )


@pytest.mark.parametrize("which", ["lone", "series", "one occurrence", "copy"])
async def test_who_has_attendees_is_left_alone_whoever_put_them_there(
    calendar: CalendarEndpoint, diary: Diary, which: str
) -> None:
    """Invariant 10."""
    if which == "copy":
        await made(calendar)
        (held,) = diary.held()
        diary.changes(held, attendees=INVITED)
    elif which == "one occurrence":
        held = diary.adds(**weekly())
        diary.changes(diary.occurrence(held, "2026-12-08"), attendees=INVITED)
    else:
        held = diary.adds(attendees=INVITED, **(weekly() if which == "series" else {}))
    sent = diary.sent()
    assert sent, "its user invited somebody"

    for operation in operations(calendar, ews_id(held.id)):
        (outcome,) = await push_all(calendar, [operation])
        assert outcome.result is Result.REJECTED
        assert "attendees" in outcome.error

    assert diary.sent() == sent
    assert len(diary.held()) == 1


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_people_who_are_invited_between_the_look_and_the_write_are_told_nothing(
    calendar: CalendarEndpoint,
    diary: Diary,
    session: ExchangeSession,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    item = await made(calendar)
    really = session.write
    sent = []

    async def late(*arguments: object, **options: object) -> object:
        diary.changes(diary.held()[0], attendees=INVITED)
        sent.extend(diary.sent())
        return await really(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(session, "write", late)

    (outcome,) = await push_all(calendar, [operations(calendar, item.id)[number]])

    # DeleteItem compares no change keys.
    assert outcome.result is (Result.STALE if number == 0 else Result.DONE)
    assert sent
    assert diary.sent() == sent


async def test_no_write_of_ours_sends_anything_to_anybody(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    """Invariant 10, for what is ours: it has nobody to write to."""
    lone, series = await made(calendar), await made(calendar, SERIES, "i/h/y/s/1")
    moved = msgspec.structs.replace(SERIES, schedule=WEEKLY.replace("T090000", "T080000"))
    await push_all(
        calendar, [update(calendar, lone, Event(schedule=TEN)), update(calendar, series, moved)]
    )
    for item in (lone, series):
        await push_all(calendar, [Delete(id=item.id, etag="", permanent=item is series)])

    assert diary.sent() == []
    assert all(not held.fields.attendees for held in diary.held())


@pytest.mark.parametrize(
    "rule",
    [
        "DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270101\nRRULE:FREQ=MONTHLY;BYMONTHDAY=31",
        f"{NINE}\nRRULE:FREQ=YEARLY;INTERVAL=2;BYMONTH=12;BYMONTHDAY=1",
        f"{NINE}\nRRULE:FREQ=MONTHLY;BYDAY=TU,WE;BYSETPOS=1",
    ],
)
async def test_what_exchange_cannot_say_is_rejected_alone_and_not_sent(
    calendar: CalendarEndpoint, diary: Diary, rule: str
) -> None:
    bodies = [calendar.encode(one) for one in (LONE, Event(schedule=rule), LONE)]

    outcomes = await push_all(
        calendar, [Create(key=f"i/h/{n}/s/1", body=body) for n, body in enumerate(bodies)]
    )

    assert [each.result for each in outcomes] == [Result.DONE, Result.REJECTED, Result.DONE]
    assert len(diary.held()) == 2


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", ["drop", "truncate", "status"])
async def test_a_lost_answer_is_unknown_and_nothing_is_sent_again(
    calendar: CalendarEndpoint, diary: Diary, office: Office, kind: str, moment: str
) -> None:
    office.fault(
        kind=kind, operation="CreateItem", moment=moment, status=504, keep_bytes=400, count=9
    )
    creates = [Create(key=f"i/h/{n}/s/1", body=calendar.encode(LONE)) for n in range(3)]

    outcomes = await push_all(calendar, creates)

    assert {each.result for each in outcomes} == {Result.UNKNOWN}
    assert asked(office, "CreateItem") == 1
    took_effect = moment == "after" or kind == "truncate"
    assert len(diary.held()) == (3 if took_effect else 0)
    office.world.faults.clear()
    found = await calendar.find([each.key for each in creates])
    assert [len(found[each.key]) for each in creates] == [1 if took_effect else 0] * 3
