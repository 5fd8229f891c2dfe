"""What changed in a calendar's window, under everything that Microsoft leaves open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from tests.endpoints.contract.place import cursor, key, made, push_all, read_all, update
from tests.endpoints.contract.samples import NINE, WEEKLY, shared_event
from tests.endpoints.diary import (
    CHANGES,
    LONE,
    SERIES,
    WINDOW,
    Diary,
    at,
    last_of,
    weekly,
)
from tests.endpoints.graph.calendars.conftest import calendar_endpoint
from tests.endpoints.graph.conftest import Cloud, settings

from cirahub_simulator.switches import Switches
from cirahub_sync.endpoints.base import RemoteItem, Removed, Unreadable, Whereabouts
from cirahub_sync.endpoints.graph.calendars import CalendarEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import CursorExpiredError, ProtocolError, TargetNotFoundError
from cirahub_sync.model.event import Event
from cirahub_sync.model.window import Span

SWITCHES = (
    "view_delta_masters",
    "view_delta_occurrences",
    "view_delta_series",
    "view_delta_outside",
    "view_delta_select",
    "delta_expand",
    "delta_order",
    "delta_repeats",
    "delta_empty_first_page",
    "event_body",
    "zone_names",
)
SILENT = pytest.param(
    replace(Switches(), view_delta_masters=False, view_delta_series="changed"), id="silent"
)
"""As little as could be told."""
VIEWS = [*settings(*SWITCHES), SILENT]
_DAY = 86_400.0


@pytest.mark.parametrize("switches", VIEWS, indirect=True)
async def test_a_round_shows_each_event_and_each_series_once_and_whole(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    lone, series = await made(calendar, LONE, key(1)), await made(calendar, SERIES, key(2))
    native = diary.adds(**weekly())

    changes = last_of(await read_all(calendar))

    assert changes.keys() == {lone.id, series.id, native.immutable_id}
    assert changes[lone.id] == lone
    assert changes[series.id] == series
    found = changes[native.immutable_id]
    assert isinstance(found, RemoteItem)
    assert shared_event(found.content) == Event(subject="Native", schedule=WEEKLY)
    assert found.stamp == ""


@pytest.mark.parametrize("switches", VIEWS, indirect=True)
async def test_nothing_changed_is_one_request_and_no_change(
    calendar: CalendarEndpoint, session: GraphSession, switches: Switches
) -> None:
    await made(calendar, SERIES)
    resume = cursor(await read_all(calendar))
    before = session.requests

    pages = await read_all(calendar, resume)

    assert last_of(pages) == {}
    assert session.requests - before == (2 if switches.delta_empty_first_page else 1)


@pytest.mark.parametrize("switches", VIEWS, indirect=True)
@pytest.mark.parametrize("what", CHANGES)
async def test_a_change_of_one_occurrence_is_one_of_its_series(
    calendar: CalendarEndpoint, diary: Diary, what: str
) -> None:
    held = diary.adds(**weekly())
    pages = await read_all(calendar)
    before = last_of(pages)[held.immutable_id]
    change, exceptions = CHANGES[what]
    change(diary, held)

    after = last_of(await read_all(calendar, cursor(pages))).get(held.immutable_id)

    assert isinstance(before, RemoteItem)
    assert isinstance(after, RemoteItem)
    assert shared_event(after.content).exceptions == exceptions
    assert after.etag != before.etag


@pytest.mark.parametrize("switches", VIEWS, indirect=True)
async def test_a_series_that_was_deleted_is_removed(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    held, lone = diary.adds(**weekly()), diary.adds()
    resume = cursor(await read_all(calendar))
    diary.deletes(held)
    diary.deletes(lone)

    changes = last_of(await read_all(calendar, resume))

    assert changes[held.immutable_id] == Removed(held.immutable_id)
    assert changes[lone.immutable_id] == Removed(lone.immutable_id)


@pytest.mark.parametrize("switches", VIEWS, indirect=True)
async def test_what_left_the_window_is_told_as_removed_and_found_to_be_here(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    held, gone = diary.adds(), diary.adds()
    resume = cursor(await read_all(calendar))
    diary.changes(held, start=at("2028-01-01T09:00:00"), end=at("2028-01-01T10:00:00"))
    diary.deletes(gone)

    changes = last_of(await read_all(calendar, resume))

    ids = [held.immutable_id, gone.immutable_id]
    assert [changes[each] for each in ids] == [Removed(each) for each in ids]
    where = await calendar.locate(ids)
    assert where[ids[0]] is Whereabouts.HERE
    assert where[ids[1]] is not Whereabouts.HERE


async def test_an_echo_is_known_by_its_etag_and_not_read_again(
    calendar: CalendarEndpoint, session: GraphSession
) -> None:
    items = [await made(calendar, LONE, key(n)) for n in range(30)]
    known = {item.id: item.etag for item in items}
    before = session.requests

    pages = [page async for page in calendar.changes(None, known=lambda _: known)]

    assert session.requests - before == 1
    changes = last_of(pages)
    assert {
        each.id: each.etag for each in changes.values() if isinstance(each, RemoteItem)
    } == known


async def test_the_token_of_another_window_or_calendar_has_expired(
    calendar: CalendarEndpoint, session: GraphSession
) -> None:
    resume = cursor(await read_all(calendar))
    moved = calendar_endpoint(session, span=Span(WINDOW.first + _DAY, WINDOW.last + _DAY))
    other = calendar_endpoint(session, "")
    for endpoint in (moved, other):
        await endpoint.open(create=False)
    before = session.requests

    with pytest.raises(CursorExpiredError, match="the window has moved"):
        await read_all(moved, resume)
    for foreign in ("", "x y", "x y z", resume.split(" ")[0]):
        with pytest.raises(CursorExpiredError):
            await read_all(calendar, foreign)
    with pytest.raises(CursorExpiredError):
        await read_all(other, resume)

    assert session.requests == before


@pytest.mark.parametrize("switches", settings("delta_token_life"), indirect=True)
async def test_a_token_lives_as_long_as_the_service_says(
    calendar: CalendarEndpoint, cloud: Cloud, switches: Switches
) -> None:
    resume = cursor(await read_all(calendar))
    cloud.world.clock.advance(timedelta(days=8))
    if switches.delta_token_life == "unlimited":
        assert await read_all(calendar, resume)
        return
    with pytest.raises(CursorExpiredError):
        await read_all(calendar, resume)


async def test_a_calendar_that_went_away_is_told(
    calendar: CalendarEndpoint, diary: Diary, cloud: Cloud
) -> None:
    resume = cursor(await read_all(calendar))
    cloud.mailbox().calendars.delete_calendar(diary.calendar)
    for token in (resume, None):
        with pytest.raises(TargetNotFoundError):
            await read_all(calendar, token)


async def test_a_long_calendar_is_read_page_by_page(
    calendar: CalendarEndpoint, diary: Diary
) -> None:
    held = [diary.adds(subject=f"Event {number}") for number in range(450)]

    pages = await read_all(calendar)

    assert len(pages) >= 3
    assert last_of(pages).keys() == {one.immutable_id for one in held}
    again = await read_all(calendar, pages[0].next)
    assert last_of(again).keys() | last_of(pages[:1]).keys() == last_of(pages).keys()


async def test_an_event_that_can_not_be_told_stops_no_other(
    calendar: CalendarEndpoint,
    diary: Diary,
    session: GraphSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lone, strange = diary.adds(), diary.adds(**weekly())
    alter(
        session,
        monkeypatch,
        lambda body: body.replace(b"W. Europe Standard Time", b"tzone://Microsoft/Custom"),
    )

    changes = last_of(await read_all(calendar))

    assert isinstance(changes[lone.immutable_id], RemoteItem)
    assert isinstance(changes[strange.immutable_id], Unreadable)


def alter(
    session: GraphSession, monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], bytes]
) -> None:
    """Put something else into whatever Graph answers."""
    really = session._send

    async def send(*arguments: object, **options: object) -> object:
        answer = await really(*arguments, **options)  # type: ignore[arg-type]
        return msgspec.structs.replace(answer, body=change(answer.body))

    monkeypatch.setattr(session, "_send", send)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{}", b'{"value":[{}]}', b'{"value":[]}', b"<html>", b"\xff"]
)
async def test_an_answer_that_is_no_page_is_a_protocol_error(
    calendar: CalendarEndpoint,
    session: GraphSession,
    monkeypatch: pytest.MonkeyPatch,
    body: bytes,
) -> None:
    alter(session, monkeypatch, lambda _: body)
    with pytest.raises(ProtocolError):
        await read_all(calendar)


async def test_our_own_update_comes_back_as_it_was_acknowledged(
    calendar: CalendarEndpoint,
) -> None:
    series = await made(calendar, SERIES)
    resume = cursor(await read_all(calendar))
    after = msgspec.structs.replace(series.content, schedule=f"{NINE}\nRRULE:FREQ=DAILY;COUNT=30")
    (outcome,) = await push_all(calendar, [update(calendar, series, after)])

    changes = last_of(await read_all(calendar, resume))

    assert changes[series.id] == outcome.item
