"""What becomes of writes to a calendar over Exchange Web Services alone."""

from __future__ import annotations

import msgspec
import pytest
from tests.endpoints.contract.place import creates, here, made, push_all, update
from tests.endpoints.contract.samples import EVENTS, NINE, shared_event
from tests.endpoints.diary import INVITED, LONE, Diary
from tests.endpoints.exchange.calendars.conftest import asked
from tests.endpoints.exchange.conftest import Office

from cirahub_simulator.ews.identifiers import ews_id
from cirahub_sync.endpoints.base import Create, Delete, Operation, Result, Update
from cirahub_sync.endpoints.exchange.calendars.endpoint import CalendarEndpoint
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.model.event import Event
from cirahub_sync.model.kind import as_event


async def test_many_creates_take_few_requests(
    calendar: CalendarEndpoint, diary: Diary, office: Office
) -> None:
    outcomes = await push_all(calendar, creates(calendar, EVENTS, 45))

    assert {each.result for each in outcomes} == {Result.DONE}
    assert len(diary.held()) == 45
    assert asked(office, "CreateItem") == 2
    assert asked(office, "GetItem") == 2


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
    assert shared_event(item.content).schedule == (
        "DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261202"
    )
    after = msgspec.structs.replace(
        as_event(item.content), schedule="DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261203"
    )

    (outcome,) = await push_all(calendar, [update(calendar, item, after)])

    assert outcome.item is not None
    assert outcome.item.content == after
    (held,) = diary.held()
    assert (held.fields.start.zone, f"{held.fields.end.local:%d %H:%M}") == (zone, "03 00:00")


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_people_who_are_invited_between_the_look_and_the_write_are_told_nothing(
    calendar: CalendarEndpoint,
    diary: Diary,
    session: ExchangeSession,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    item = await made(calendar, LONE)
    really = session.write
    sent = []

    async def late(*arguments: object, **options: object) -> object:
        diary.changes(diary.held()[0], attendees=INVITED)
        sent.extend(diary.sent())
        return await really(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(session, "write", late)
    renamed = calendar.encode_changes(LONE, msgspec.structs.replace(LONE, subject="Ours"))
    operations: list[Operation] = [
        Update(id=item.id, etag="", body=renamed),
        Delete(id=item.id, etag=""),
        Delete(id=item.id, etag="", permanent=True),
    ]

    (outcome,) = await push_all(calendar, [operations[number]])

    # DeleteItem compares no change keys.
    assert outcome.result is (Result.STALE if number == 0 else Result.DONE)
    assert sent
    assert diary.sent() == sent


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
