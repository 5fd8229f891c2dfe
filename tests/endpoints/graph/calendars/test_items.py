"""Reading events: by id, by stamp, and where they are."""

from __future__ import annotations

import pytest
from tests.endpoints.contract.place import key, made
from tests.endpoints.diary import LONE, SERIES, Diary, weekly
from tests.endpoints.graph.calendars.conftest import calendar_endpoint
from tests.endpoints.graph.conftest import Cloud, settings

from cirahub_sync.endpoints.base import RemoteItem, Whereabouts
from cirahub_sync.endpoints.graph.calendars import CalendarEndpoint
from cirahub_sync.endpoints.graph.calendars.items import etag_of, if_match
from cirahub_sync.endpoints.graph.calendars.wire import WireEvent
from cirahub_sync.endpoints.graph.session import GraphSession

READ = settings("events_list_exceptions", "events_list", "immutable_id_in_bin", "event_body")


@pytest.mark.parametrize("switches", READ, indirect=True)
async def test_events_are_found_by_their_stamps(calendar: CalendarEndpoint, diary: Diary) -> None:
    lone, series = await made(calendar, LONE, key(1)), await made(calendar, SERIES, key(2))
    diary.adds(**weekly())

    found = await calendar.find([key(1), key(2), key(3)])

    assert found == {key(1): [lone], key(2): [series], key(3): []}


@pytest.mark.parametrize("switches", READ, indirect=True)
async def test_all_that_is_stamped_is_listed_and_nothing_else(
    calendar: CalendarEndpoint, diary: Diary, cloud: Cloud, session: GraphSession
) -> None:
    lone, series = await made(calendar, LONE, key(1)), await made(calendar, SERIES, key(2))
    diary.adds()
    elsewhere = calendar_endpoint(session, "")
    await elsewhere.open(create=False)
    await made(elsewhere, LONE, key(3))

    listed = [item async for item in calendar.stamped()]

    assert sorted(listed, key=lambda item: item.stamp) == [lone, series]


async def test_a_copy_that_its_user_makes_has_the_stamp_and_an_id_of_its_own(
    calendar: CalendarEndpoint, diary: Diary, cloud: Cloud
) -> None:
    item = await made(calendar, LONE)
    (held,) = diary.held()
    copy = cloud.mailbox().calendars.copy_event(held)

    found = (await calendar.find([item.stamp]))[item.stamp]

    assert {one.id for one in found} == {item.id, copy.immutable_id}


@pytest.mark.parametrize("switches", READ, indirect=True)
@pytest.mark.parametrize("series", [False, True])
async def test_where_an_event_is(
    calendar: CalendarEndpoint, diary: Diary, cloud: Cloud, series: bool
) -> None:
    here, moved, binned, purged = (diary.adds(**(weekly() if series else {})) for _ in range(4))
    calendars = cloud.mailbox().calendars
    calendars.move_event(moved, calendars.default)
    diary.deletes(binned)
    calendars.purge_item(purged, send=False)

    where = await calendar.locate([one.immutable_id for one in (here, moved, binned, purged)])

    assert where[here.immutable_id] is Whereabouts.HERE
    assert where[moved.immutable_id] is Whereabouts.MOVED
    assert where[binned.immutable_id] in {Whereabouts.MOVED, Whereabouts.GONE}
    assert where[purged.immutable_id] is Whereabouts.GONE


async def test_an_event_is_fetched_wherever_it_is(
    calendar: CalendarEndpoint, diary: Diary, cloud: Cloud
) -> None:
    moved = diary.adds(**weekly())
    calendars = cloud.mailbox().calendars
    calendars.move_event(moved, calendars.default)

    found = await calendar.fetch([moved.immutable_id, "AAkALgAAAAAAHYQDEapmEc2byACqAC-gone"])

    assert isinstance(found[moved.immutable_id], RemoteItem)


def test_a_series_has_another_etag_when_one_of_its_occurrences_has() -> None:
    """Whether or not its master has."""

    def series(exceptions: list[WireEvent], cancelled: list[str]) -> WireEvent:
        return WireEvent(
            id="m", etag="1", exception_occurrences=exceptions, cancelled_occurrences=cancelled
        )

    plain = series([], [])
    changed = [
        series([WireEvent(id="e", etag="2")], []),
        series([WireEvent(id="e", etag="3")], []),
        series([], ["OID.m.2026-12-15"]),
    ]

    assert etag_of(plain) == "1"
    assert len({etag_of(each) for each in (plain, *changed)}) == 4
    assert {if_match(etag_of(each)) for each in (plain, *changed)} == {"1"}
