"""What becomes of writes to a calendar: one outcome each, nothing twice, and mail to nobody."""

from __future__ import annotations

import msgspec
import pytest
from tests.endpoints.graph.calendars.conftest import (
    INVITED,
    LONE,
    NINE,
    SERIES,
    TEN,
    WEEKLY,
    Diary,
    at,
    here,
    made,
    push_all,
    shared,
    update,
    weekly,
)
from tests.endpoints.graph.conftest import Cloud, settings

from cirahub_sync.endpoints.base import Create, Delete, Operation, Result, Update
from cirahub_sync.endpoints.graph import GraphSession
from cirahub_sync.endpoints.graph.calendars import CalendarEndpoint
from cirahub_sync.model.event import Event, Occurrence

BATCH = r"\$batch$"
WRITTEN = settings(
    "if_match_on_patch", "event_body", "zone_names", "batch_order", "events_list_exceptions"
)


@pytest.mark.parametrize("switches", WRITTEN, indirect=True)
@pytest.mark.parametrize("content", [LONE, SERIES], ids=["lone", "series"])
async def test_what_is_made_is_stamped_and_comes_back_whole(
    calendar: CalendarEndpoint, diary: Diary, content: Event
) -> None:
    item = await made(calendar, content)

    assert shared(item.content) == content
    assert item.stamp == "i/h/x/s/1"
    assert await here(calendar, item.id) == item
    (held,) = diary.held()
    assert held.immutable_id == item.id
    assert held.transaction_id
    assert not held.fields.is_reminder_on


async def test_forty_five_creates_take_three_requests(
    calendar: CalendarEndpoint, diary: Diary, session: GraphSession
) -> None:
    before = session.requests
    operations = [Create(key=f"i/h/{n}/s/1", body=calendar.encode(LONE)) for n in range(45)]

    outcomes = await push_all(calendar, operations)

    assert {each.result for each in outcomes} == {Result.DONE}
    assert len(diary.held()) == 45
    assert session.requests - before <= 2 * 3


@pytest.mark.parametrize("switches", WRITTEN, indirect=True)
async def test_an_update_changes_what_it_names_and_keeps_the_rest(
    calendar: CalendarEndpoint, diary: Diary
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


@pytest.mark.parametrize("switches", WRITTEN, indirect=True)
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
        item.content,
        schedule=WEEKLY.replace("T090000", "T080000"),
        subject="Early stand-up",
    )

    (outcome,) = await push_all(calendar, [update(calendar, item, after)])

    assert (outcome.result, outcome.missing) == (Result.DONE, None)
    assert outcome.item is not None
    assert outcome.item.content == after


async def test_without_knowledge_of_what_is_there_a_series_becomes_what_it_is_to_be(
    calendar: CalendarEndpoint,
) -> None:
    item = await made(calendar, SERIES)
    after = Event(
        subject="Stand-up",
        body="Notes",
        schedule=WEEKLY,
        exceptions=(SERIES.exceptions[1], Occurrence("2026-12-29", subject="Nobody is here")),
    )
    body = calendar.encode_changes(None, after)

    (outcome,) = await push_all(calendar, [Update(id=item.id, etag=item.etag, body=body)])

    assert (outcome.result, outcome.missing) == (Result.DONE, None)
    assert outcome.item is not None
    assert shared(outcome.item.content) == after


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
    calendar: CalendarEndpoint, diary: Diary, cloud: Cloud, moment: str
) -> None:
    cloud.fault(kind="status", batched=True, method="PATCH", status=503, moment=moment, count=9)

    (outcome,) = await push_all(calendar, [Create(key="i/h/x/s/1", body=calendar.encode(SERIES))])

    assert (outcome.result, outcome.missing) == (Result.DONE, Result.RETRY)
    assert outcome.item is not None
    assert len(diary.held()) == 1
    cloud.world.faults.clear()
    (again,) = await push_all(calendar, [update(calendar, outcome.item, SERIES)])
    assert (again.result, again.missing) == (Result.DONE, None)
    assert again.item is not None
    assert shared(again.item.content) == SERIES


@pytest.mark.parametrize("switches", settings("if_match_on_patch"), indirect=True)
async def test_what_its_user_has_changed_since_is_stale(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    """Whether or not the service compares."""
    lone, series = await made(calendar), await made(calendar, SERIES, "i/h/y/s/1")
    first, second = diary.held()
    diary.changes(first, subject="Theirs")
    diary.changes(diary.occurrence(second, "2027-01-05"), subject="Theirs")

    outcomes = await push_all(
        calendar,
        [
            update(calendar, lone, LONE),
            update(calendar, series, msgspec.structs.replace(SERIES, body="Ours")),
        ],
    )

    assert [each.result for each in outcomes] == [Result.STALE, Result.STALE]
    assert [one.fields.subject for one in diary.held()] == ["Theirs", "Stand-up"]


async def test_a_permanent_deletion_skips_the_bin(
    calendar: CalendarEndpoint, diary: Diary, cloud: Cloud
) -> None:
    one, two = await made(calendar), await made(calendar, SERIES, "i/h/y/s/1")

    outcomes = await push_all(
        calendar,
        [Delete(id=one.id, etag=one.etag), Delete(id=two.id, etag="", permanent=True)],
    )

    assert {each.result for each in outcomes} == {Result.DONE}
    assert diary.held() == []
    assert list(cloud.mailbox().calendars.bin) == [one.id]


async def test_what_is_gone_is_gone(calendar: CalendarEndpoint) -> None:
    item = await made(calendar)
    await push_all(calendar, [Delete(id=item.id, etag="", permanent=True)])

    outcomes = await push_all(
        calendar, [Delete(id=item.id, etag=""), update(calendar, item, LONE, "x")]
    )

    assert [each.result for each in outcomes] == [Result.DONE, Result.GONE]


def operations(calendar: CalendarEndpoint, item: str) -> list[Operation]:
    """Everything that could be done to an event, each as if it were all right."""
    after = msgspec.structs.replace(LONE, subject="Ours", schedule=TEN)
    return [
        Update(id=item, etag="", body=calendar.encode_changes(LONE, after)),
        Update(id=item, etag="", body=calendar.encode_changes(None, SERIES)),
        Delete(id=item, etag=""),
        Delete(id=item, etag="", permanent=True),
    ]


@pytest.mark.parametrize("switches", settings("if_match_on_patch", "purge_cancels"), indirect=True)
@pytest.mark.parametrize("which", ["organised", "series", "one occurrence", "copy"])
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

    for operation in operations(calendar, held.immutable_id):
        (outcome,) = await push_all(calendar, [operation])
        assert outcome.result is Result.REJECTED
        assert "attendees" in outcome.error

    assert diary.sent() == sent
    assert len(diary.held()) == 1


async def test_people_who_are_invited_between_the_look_and_the_write_are_not_written_to(
    calendar: CalendarEndpoint,
    diary: Diary,
    session: GraphSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the service compares etags. Where it does not, nothing can."""
    item = await made(calendar)
    really = session.write_batch
    sent = []

    async def late(*arguments: object, **options: object) -> object:
        diary.changes(diary.held()[0], attendees=INVITED)
        sent.extend(diary.sent())
        return await really(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(session, "write_batch", late)
    operation = operations(calendar, item.id)[0]

    (outcome,) = await push_all(calendar, [operation])

    assert outcome.result is Result.STALE
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


async def test_what_exchange_cannot_say_is_rejected_alone_and_not_sent(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    skipping = Event(
        schedule="DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270101\n"
        "RRULE:FREQ=MONTHLY;BYMONTHDAY=31"
    )
    bodies = [calendar.encode(one) for one in (LONE, skipping, LONE)]

    outcomes = await push_all(
        calendar, [Create(key=f"i/h/{n}/s/1", body=body) for n, body in enumerate(bodies)]
    )

    assert [each.result for each in outcomes] == [Result.DONE, Result.REJECTED, Result.DONE]
    assert len(diary.held()) == 2


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", ["drop", "truncate", "status"])
async def test_a_lost_answer_is_unknown_and_nothing_is_sent_again(
    calendar: CalendarEndpoint, diary: Diary, cloud: Cloud, kind: str, moment: str
) -> None:
    cloud.fault(kind=kind, path=BATCH, moment=moment, status=504, keep_bytes=400)
    cloud.world.journal.clear()
    creates = [Create(key=f"i/h/{n}/s/1", body=calendar.encode(LONE)) for n in range(3)]

    outcomes = await push_all(calendar, creates)

    assert {each.result for each in outcomes} == {Result.UNKNOWN}
    batches = [one for one in cloud.world.journal.entries() if one.path == "/$batch"]
    assert len(batches) == 1
    took_effect = moment == "after" or kind == "truncate"
    assert len(diary.held()) == (3 if took_effect else 0)
    cloud.world.faults.clear()
    found = await calendar.find([each.key for each in creates])
    assert [len(found[each.key]) for each in creates] == [1 if took_effect else 0] * 3


@pytest.mark.parametrize("switches", settings("duplicate_transaction"), indirect=True)
async def test_one_key_makes_one_event(calendar: CalendarEndpoint, diary: Diary) -> None:
    """Were a create sent twice, by whatever lies between."""
    create = Create(key="i/h/x/s/1", body=calendar.encode(LONE))

    await push_all(calendar, [create])
    await push_all(calendar, [create])

    assert len(diary.held()) == 1


async def test_times_are_written_with_names_that_windows_has(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    await made(calendar, msgspec.structs.replace(LONE, schedule=NINE.replace("Berlin", "Vienna")))

    (held,) = diary.held()
    assert held.fields.start.zone == at("")["timeZone"]
