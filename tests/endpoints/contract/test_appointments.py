"""What becomes of writes to a calendar: series with their exceptions, and mail to nobody."""

from __future__ import annotations

import msgspec
import pytest
from tests.endpoints.diary import INVITED, LONE, SERIES, TEN, Diary, weekly

from cirahub_simulator.faults import Rule
from cirahub_sync.endpoints.base import Create, Delete, Endpoint, Operation, Result, Update
from cirahub_sync.model.event import Event, Occurrence
from cirahub_sync.model.kind import as_event

from .people import CalendarPeople
from .place import here, key, made, push_all, update
from .places import in_calendars, in_calendars_with
from .samples import NINE, WEEKLY, shared_event

in_calendars_written_anyhow = in_calendars_with(
    "if_match_on_patch", "event_body", "zone_names", "batch_order", "events_list_exceptions"
)
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


@pytest.fixture
def diary(place: CalendarPeople) -> Diary:
    return place.diary


async def comes_back_whole(
    endpoint: Endpoint, place: CalendarPeople, diary: Diary, content: Event
) -> None:
    item = await made(endpoint, content, key(1))

    assert shared_event(item.content) == content
    assert item.stamp == key(1)
    assert await here(endpoint, item.id) == item
    (held,) = diary.held()
    assert place.shown(held) == item.id
    assert not held.fields.is_reminder_on


@in_calendars_written_anyhow
@pytest.mark.parametrize("content", [LONE, SERIES], ids=["lone", "series"])
async def test_what_is_made_is_stamped_and_comes_back_whole(
    endpoint: Endpoint, place: CalendarPeople, diary: Diary, content: Event
) -> None:
    await comes_back_whole(endpoint, place, diary, content)


@in_calendars
@pytest.mark.parametrize(
    "content", [DAY_OFF, MONTHLY, FREE_DAYS], ids=["days", "monthly", "series of days"]
)
async def test_whole_days_and_rules_come_back_whole(
    endpoint: Endpoint, place: CalendarPeople, diary: Diary, content: Event
) -> None:
    await comes_back_whole(endpoint, place, diary, content)


@in_calendars
async def test_what_a_mapping_gives_a_copy_comes_along(endpoint: Endpoint, diary: Diary) -> None:
    local = {"show_as": "outOfOffice", "reminder": "30", "sensitivity": "private"}
    content = msgspec.structs.replace(LONE, categories=("Red", "Blå & <b>"), **local)

    item = await made(endpoint, content)

    assert msgspec.structs.replace(as_event(item.content), uid="", response="") == content
    assert diary.held()[0].fields.show_as == "oof"


@in_calendars_written_anyhow
async def test_an_event_that_is_moved_keeps_what_is_not_named(endpoint: Endpoint) -> None:
    item = await made(endpoint, msgspec.structs.replace(LONE, show_as="free", categories=("Red",)))
    after = msgspec.structs.replace(
        as_event(item.content), subject="Later", location="", schedule=TEN
    )

    (outcome,) = await push_all(endpoint, [update(endpoint, item, after)])

    assert outcome.result is Result.DONE
    assert outcome.item is not None
    assert outcome.item.content == after
    assert outcome.item.etag != item.etag
    assert outcome.item.stamp == item.stamp
    assert await here(endpoint, item.id) == outcome.item


@in_calendars_written_anyhow
@pytest.mark.parametrize(
    "exceptions",
    [
        (),
        (Occurrence("2026-12-15", cancelled=True),),
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
    endpoint: Endpoint, exceptions: tuple[Occurrence, ...]
) -> None:
    item = await made(endpoint, SERIES)
    kept = Occurrence("2026-12-15", cancelled=True)  # which nothing can undo
    wanted = {one.original: one for one in (kept, *exceptions)}
    after = msgspec.structs.replace(
        as_event(item.content), exceptions=tuple(wanted[day] for day in sorted(wanted))
    )

    (outcome,) = await push_all(endpoint, [update(endpoint, item, after)])

    assert (outcome.result, outcome.missing) == (Result.DONE, None)
    assert outcome.item is not None
    assert outcome.item.content == after
    assert await here(endpoint, item.id) == outcome.item


@in_calendars
async def test_a_series_that_is_moved_keeps_its_exceptions(endpoint: Endpoint) -> None:
    """The service drops them."""
    item = await made(endpoint, SERIES)
    after = msgspec.structs.replace(
        as_event(item.content),
        schedule=WEEKLY.replace("T090000", "T080000"),
        subject="Early stand-up",
    )

    (outcome,) = await push_all(endpoint, [update(endpoint, item, after)])

    assert (outcome.result, outcome.missing) == (Result.DONE, None)
    assert outcome.item is not None
    assert outcome.item.content == after


@in_calendars
async def test_without_knowledge_of_what_is_there_a_series_becomes_what_it_is_to_be(
    endpoint: Endpoint,
) -> None:
    item = await made(endpoint, SERIES)
    after = Event(
        subject="Stand-up",
        body="Notes",
        schedule=WEEKLY,
        exceptions=(SERIES.exceptions[1], Occurrence("2026-12-29", subject="Nobody is here")),
    )
    body = endpoint.encode_changes(None, after)

    (outcome,) = await push_all(endpoint, [Update(id=item.id, etag=item.etag, body=body)])

    assert (outcome.result, outcome.missing) == (Result.DONE, None)
    assert outcome.item is not None
    assert shared_event(outcome.item.content) == after


@in_calendars
async def test_a_lone_event_becomes_a_series_and_one_again(endpoint: Endpoint) -> None:
    item = await made(endpoint, LONE)
    for schedule in (WEEKLY, NINE):
        after = msgspec.structs.replace(as_event(item.content), schedule=schedule)
        (outcome,) = await push_all(endpoint, [update(endpoint, item, after)])
        assert outcome.item is not None
        assert outcome.item.content == after
        item = outcome.item


@in_calendars
async def test_an_occurrence_that_is_cancelled_is_not_had_back_and_that_is_told(
    endpoint: Endpoint,
) -> None:
    item = await made(endpoint, SERIES)
    after = msgspec.structs.replace(as_event(item.content), exceptions=(SERIES.exceptions[0],))

    (outcome,) = await push_all(endpoint, [update(endpoint, item, after)])

    assert (outcome.result, outcome.missing) == (Result.DONE, Result.REJECTED)
    assert outcome.item is not None
    assert shared_event(outcome.item.content).exceptions == SERIES.exceptions[:2]


@in_calendars
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_exceptions_that_do_not_get_through_are_told_as_missing(
    endpoint: Endpoint, place: CalendarPeople, diary: Diary, moment: str
) -> None:
    place.world.faults.add(
        Rule(kind="status", status=503, moment=moment, count=9, **place.exception_fault)  # type: ignore[arg-type]
    )

    (outcome,) = await push_all(endpoint, [Create(key=key(1), body=endpoint.encode(SERIES))])

    assert (outcome.result, outcome.missing) == (Result.DONE, Result.RETRY)
    assert outcome.item is not None
    assert len(diary.held()) == 1
    place.world.faults.clear()
    (again,) = await push_all(endpoint, [update(endpoint, outcome.item, SERIES)])
    assert (again.result, again.missing) == (Result.DONE, None)
    assert again.item is not None
    assert shared_event(again.item.content) == SERIES


@in_calendars_with("if_match_on_patch")
async def test_what_its_user_has_changed_since_is_stale(endpoint: Endpoint, diary: Diary) -> None:
    """Whether or not the service compares."""
    lone, series = await made(endpoint, LONE, key(1)), await made(endpoint, SERIES, key(2))
    first, second = diary.held()
    diary.changes(first, subject="Theirs")
    diary.changes(diary.occurrence(second, "2027-01-05"), subject="Theirs")

    outcomes = await push_all(
        endpoint,
        [
            update(endpoint, lone, LONE),
            update(endpoint, series, msgspec.structs.replace(SERIES, body="Ours")),
            Delete(id=lone.id, etag=lone.etag),
        ],
    )

    assert {each.result for each in outcomes} == {Result.STALE}
    assert [one.fields.subject for one in diary.held()] == ["Theirs", "Stand-up"]


def everything(endpoint: Endpoint, item: str) -> list[Operation]:
    """That could be done to an event, each as if it were all right."""
    after = msgspec.structs.replace(LONE, subject="Ours", schedule=TEN)
    return [
        Update(id=item, etag="", body=endpoint.encode_changes(LONE, after)),
        Update(id=item, etag="", body=endpoint.encode_changes(None, SERIES)),
        Delete(id=item, etag=""),
        Delete(id=item, etag="", permanent=True),
    ]


@in_calendars_with("if_match_on_patch", "purge_cancels")
@pytest.mark.parametrize("which", ["organised", "series", "one occurrence", "copy"])
async def test_who_has_attendees_is_left_alone_whoever_put_them_there(
    endpoint: Endpoint, place: CalendarPeople, diary: Diary, which: str
) -> None:
    """Invariant 10."""
    if which == "copy":
        await made(endpoint, LONE)
        (held,) = diary.held()
        diary.changes(held, attendees=INVITED)
    elif which == "one occurrence":
        held = diary.adds(**weekly())
        diary.changes(diary.occurrence(held, "2026-12-08"), attendees=INVITED)
    else:
        held = diary.adds(attendees=INVITED, **(weekly() if which == "series" else {}))
    sent = diary.sent()
    assert sent, "its user invited somebody"

    for operation in everything(endpoint, place.shown(held)):
        (outcome,) = await push_all(endpoint, [operation])
        assert outcome.result is Result.REJECTED
        assert "attendees" in outcome.error

    assert diary.sent() == sent
    assert len(diary.held()) == 1


@in_calendars
async def test_no_write_of_ours_sends_anything_to_anybody(endpoint: Endpoint, diary: Diary) -> None:
    """Invariant 10, for what is ours: it has nobody to write to."""
    lone, series = await made(endpoint, LONE, key(1)), await made(endpoint, SERIES, key(2))
    moved = msgspec.structs.replace(SERIES, schedule=WEEKLY.replace("T090000", "T080000"))
    await push_all(
        endpoint, [update(endpoint, lone, Event(schedule=TEN)), update(endpoint, series, moved)]
    )
    for item in (lone, series):
        await push_all(endpoint, [Delete(id=item.id, etag="", permanent=item is series)])

    assert diary.sent() == []
    assert all(not held.fields.attendees for held in diary.held())
