"""What becomes of writes to a calendar over Microsoft Graph alone."""

from __future__ import annotations

import msgspec
import pytest
from tests.endpoints.contract.place import creates, key, made, push_all
from tests.endpoints.contract.samples import EVENTS, NINE
from tests.endpoints.diary import INVITED, LONE, TEN, Diary, at
from tests.endpoints.graph.conftest import settings

from cirahub_sync.endpoints.base import Create, Result, Update
from cirahub_sync.endpoints.graph.calendars import CalendarEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.model.event import Event


async def test_forty_five_creates_take_three_requests(
    calendar: CalendarEndpoint, diary: Diary, session: GraphSession
) -> None:
    before = session.requests

    outcomes = await push_all(calendar, creates(calendar, EVENTS, 45))

    assert {each.result for each in outcomes} == {Result.DONE}
    assert len(diary.held()) == 45
    assert session.requests - before <= 2 * 3


async def test_people_who_are_invited_between_the_look_and_the_write_are_not_written_to(
    calendar: CalendarEndpoint,
    diary: Diary,
    session: GraphSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the service compares etags. Where it does not, nothing can."""
    item = await made(calendar, LONE)
    really = session.write_batch
    sent = []

    async def late(*arguments: object, **options: object) -> object:
        diary.changes(diary.held()[0], attendees=INVITED)
        sent.extend(diary.sent())
        return await really(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(session, "write_batch", late)
    after = msgspec.structs.replace(LONE, subject="Ours", schedule=TEN)
    operation = Update(id=item.id, etag="", body=calendar.encode_changes(LONE, after))

    (outcome,) = await push_all(calendar, [operation])

    assert outcome.result is Result.STALE
    assert diary.sent() == sent


async def test_what_exchange_cannot_say_is_rejected_alone_and_not_sent(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    skipping = Event(
        schedule="DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270101\n"
        "RRULE:FREQ=MONTHLY;BYMONTHDAY=31"
    )
    bodies = [calendar.encode(one) for one in (LONE, skipping, LONE)]

    outcomes = await push_all(
        calendar, [Create(key=key(n), body=body) for n, body in enumerate(bodies)]
    )

    assert [each.result for each in outcomes] == [Result.DONE, Result.REJECTED, Result.DONE]
    assert len(diary.held()) == 2


@pytest.mark.parametrize("switches", settings("duplicate_transaction"), indirect=True)
async def test_one_key_makes_one_event(calendar: CalendarEndpoint, diary: Diary) -> None:
    """Were a create sent twice, by whatever lies between."""
    create = Create(key=key(1), body=calendar.encode(LONE))

    await push_all(calendar, [create])
    await push_all(calendar, [create])

    (held,) = diary.held()
    assert held.transaction_id


async def test_times_are_written_with_names_that_windows_has(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    await made(calendar, msgspec.structs.replace(LONE, schedule=NINE.replace("Berlin", "Vienna")))

    (held,) = diary.held()
    assert held.fields.start.zone == at("")["timeZone"]
