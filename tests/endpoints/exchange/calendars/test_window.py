"""What changed in a calendar, in its window; where things are; and which calendar it is."""

from __future__ import annotations

import pytest
from tests.endpoints.contract.place import cursor, key, made, push_all, read_all
from tests.endpoints.contract.samples import NINE, WEEKLY, shared_event
from tests.endpoints.diary import (
    CHANGES,
    INVITED,
    LONE,
    NAME,
    SERIES,
    WINDOW,
    Diary,
    at,
    last_of,
    weekly,
)
from tests.endpoints.exchange.calendars.conftest import asked, calendar_endpoint, operations
from tests.endpoints.exchange.conftest import Office

from cirahub_simulator.ews.identifiers import ews_id
from cirahub_sync.endpoints.base import Delete, RemoteItem, Removed, Whereabouts
from cirahub_sync.endpoints.exchange.calendars.endpoint import CalendarEndpoint
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.errors import ConfigurationError, CursorExpiredError, TargetNotFoundError
from cirahub_sync.model.event import Event, Role
from cirahub_sync.model.window import Span

_DAY = 86_400.0
LONG_AGO = NINE.replace("202612", "202412")


async def test_a_round_shows_each_event_and_each_series_once_and_whole(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    lone, series = await made(calendar, LONE, key(1)), await made(calendar, SERIES, key(2))
    native = diary.adds(**weekly())

    changes = last_of(await read_all(calendar))

    assert changes.keys() == {lone.id, series.id, ews_id(native.id)}
    assert changes[lone.id] == lone
    assert changes[series.id] == series
    found = changes[ews_id(native.id)]
    assert isinstance(found, RemoteItem)
    assert shared_event(found.content) == Event(subject="Native", schedule=WEEKLY)
    assert found.stamp == ""


async def test_nothing_changed_is_one_request_and_no_change(
    calendar: CalendarEndpoint, office: Office
) -> None:
    await made(calendar, SERIES)
    resume = cursor(await read_all(calendar))
    office.world.journal.clear()

    pages = await read_all(calendar, resume)

    assert last_of(pages) == {}
    assert operations(office) == ["SyncFolderItems"]


@pytest.mark.parametrize("what", CHANGES)
async def test_a_change_of_one_occurrence_is_one_of_its_series(
    calendar: CalendarEndpoint, diary: Diary, what: str
) -> None:
    held = diary.adds(**weekly())
    resume = cursor(await read_all(calendar))
    change, exceptions = CHANGES[what]
    change(diary, held)

    changes = last_of(await read_all(calendar, resume))

    (found,) = changes.values()
    assert isinstance(found, RemoteItem)
    assert shared_event(found.content).exceptions == exceptions


async def test_an_echo_is_not_read_again(calendar: CalendarEndpoint, office: Office) -> None:
    resume = cursor(await read_all(calendar))
    item = await made(calendar, SERIES)
    office.world.journal.clear()

    known = {item.id: item.etag}
    pages = [page async for page in calendar.changes(resume, known=lambda _: known)]

    (found,) = last_of(pages).values()
    assert isinstance(found, RemoteItem)
    assert found.etag == item.etag
    assert asked(office, "GetItem") == 0


async def test_what_is_out_of_the_window_is_passed_over_unread(
    calendar: CalendarEndpoint, diary: Diary, office: Office
) -> None:
    old = {"start": at("2024-12-01T09:00:00"), "end": at("2024-12-01T10:00:00")}
    for _ in range(3):
        diary.adds(**old)
    office.world.journal.clear()

    assert last_of(await read_all(calendar)) == {}
    assert asked(office, "GetItem") == 0


async def test_a_series_that_has_ended_before_the_window_is_passed_over(
    session: ExchangeSession, calendar: CalendarEndpoint, diary: Diary
) -> None:
    diary.adds(**weekly())
    later = calendar_endpoint(
        session, span=Span(WINDOW.last + 300 * _DAY, WINDOW.last + 400 * _DAY)
    )
    await later.open(create=False)

    assert last_of(await read_all(later)) == {}


async def test_what_is_known_is_told_wherever_it_has_moved_to(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    item = await made(calendar, LONE)
    resume = cursor(await read_all(calendar))
    (held,) = diary.held()
    diary.changes(held, start=at("2024-12-01T09:00:00"), end=at("2024-12-01T10:00:00"))

    pages = [page async for page in calendar.changes(resume, known=lambda _: {item.id: item.etag})]

    (found,) = last_of(pages).values()
    assert isinstance(found, RemoteItem)
    assert shared_event(found.content).schedule == LONG_AGO


async def test_the_token_of_another_window_or_calendar_has_expired(
    session: ExchangeSession, calendar: CalendarEndpoint
) -> None:
    resume = cursor(await read_all(calendar))
    moved = calendar_endpoint(session, span=Span(WINDOW.first + _DAY, WINDOW.last + _DAY))
    other = calendar_endpoint(session, "Another")
    for endpoint in (moved, other):
        await endpoint.open(create=True)
        with pytest.raises(CursorExpiredError):
            await read_all(endpoint, resume)


async def test_what_was_deleted_is_told_and_is_in_none_of_its_places(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    gone, binned, kept = [await made(calendar, LONE, key(n)) for n in range(3)]
    resume = cursor(await read_all(calendar))
    await push_all(
        calendar, [Delete(id=gone.id, etag="", permanent=True), Delete(id=binned.id, etag="")]
    )

    changes = last_of(await read_all(calendar, resume))

    assert changes == {each.id: Removed(each.id) for each in (gone, binned)}
    where = await calendar.locate([gone.id, binned.id, kept.id])
    assert where == {
        gone.id: Whereabouts.GONE,
        binned.id: Whereabouts.GONE,
        kept.id: Whereabouts.HERE,
    }


async def test_an_event_with_attendees_says_whose_it_is(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    held = diary.adds(attendees=INVITED)

    (found,) = last_of(await read_all(calendar)).values()

    assert isinstance(found, RemoteItem)
    assert isinstance(found.content, Event)
    assert found.content.role == Role.ORGANIZER
    assert found.content.uid == held.ical_uid


async def test_stamps_are_found_and_listed(calendar: CalendarEndpoint, diary: Diary) -> None:
    diary.adds()
    items = [await made(calendar, SERIES, key(n)) for n in range(2)]

    found = await calendar.find([key(0), key(9)])
    listed = [each async for each in calendar.stamped()]

    assert found == {key(0): [items[0]], key(9): []}
    assert listed == items


async def test_a_calendar_is_made_once_and_found_by_its_name(
    session: ExchangeSession, office: Office
) -> None:
    missing = calendar_endpoint(session)
    with pytest.raises(TargetNotFoundError):
        await missing.open(create=False)
    first = await missing.open(create=True)
    again = await calendar_endpoint(session, NAME.upper()).open(create=True)
    assert first == again
    assert [one.name for one in office.mailbox().calendars.all()].count(NAME) == 1
    default = await calendar_endpoint(session, "").open(create=False)
    assert default != first


async def test_two_calendars_of_a_name_are_refused(
    session: ExchangeSession, office: Office
) -> None:
    mailbox = office.mailbox()
    for parent in ("msgfolderroot", "calendar"):
        mailbox.create_folder(mailbox.distinguished[parent], NAME, folder_class="IPF.Appointment")

    with pytest.raises(ConfigurationError):
        await calendar_endpoint(session).open(create=True)
