"""Pulling and looking things up: every change once at least, whole, and for few requests."""

from __future__ import annotations

import asyncio

import pytest

from cirahub_simulator.faults import Rule
from cirahub_sync.endpoints.base import (
    Create,
    Delete,
    Endpoint,
    Removed,
    Result,
    Whereabouts,
)
from cirahub_sync.errors import (
    CursorExpiredError,
    EndpointUnavailableError,
    FolderNotFoundError,
    TargetNotFoundError,
)
from cirahub_sync.origins import Origins

from .place import (
    Place,
    Session,
    cursor,
    items,
    key,
    made,
    opened,
    push_all,
    read_all,
    stocked,
)
from .places import (
    everywhere,
    in_collections,
    where_changes_are_told,
    where_dates_are_told,
    where_we_write,
)

MANY = 620
"""As many as two pages have no room for (`Place.plenty`)."""


@where_we_write
@pytest.mark.parametrize("count", [0, 3, MANY])
async def test_a_round_from_nothing_brings_every_item_whole(
    endpoint: Endpoint, place: Place, count: int
) -> None:
    expected = {
        item.id: item
        for item in await stocked(endpoint, place, place.plenty if count == MANY else count)
    }
    item = await made(endpoint, place.samples.full)
    expected[item.id] = item
    assert items(await read_all(endpoint)) == expected


@where_changes_are_told
@pytest.mark.parametrize("count", [0, 3, MANY])
async def test_what_people_have_there_is_told_and_found(
    endpoint: Endpoint, place: Place, count: int
) -> None:
    count = place.plenty if count == MANY else count
    for number in range(count):
        place.user_adds(number)
    pages = await read_all(endpoint)
    cursor(pages)
    told = items(pages)
    names = [place.samples.called(item.content) for item in told.values()]
    assert sorted(names) == sorted(f"native {number}" for number in range(count))
    assert {item.stamp for item in told.values()} <= {""}
    assert await endpoint.fetch(list(told)) == told


@where_changes_are_told
async def test_a_delta_without_changes_costs_one_request(
    endpoint: Endpoint, place: Place, session: Session
) -> None:
    await stocked(endpoint, place, 30)
    resume = cursor(await read_all(endpoint))
    before = session.requests
    pages = await read_all(endpoint, resume)
    assert [list(page.changes) for page in pages] == [[]]
    assert session.requests - before == 1


@in_collections
async def test_our_own_echo_is_not_completed(
    endpoint: Endpoint, place: Place, session: Session
) -> None:
    resume = cursor(await read_all(endpoint))
    etags = {item.id: item.etag for item in await stocked(endpoint, place, 30)}
    before = session.requests
    pages = [page async for page in endpoint.changes(resume, known=lambda _: etags)]
    assert {each: item.etag for each, item in items(pages).items()} == etags
    assert session.requests - before == 1


@where_changes_are_told
async def test_a_round_can_be_taken_up_at_any_page(endpoint: Endpoint, place: Place) -> None:
    expected = {item.id: item for item in await stocked(endpoint, place, place.plenty)}
    whole = await read_all(endpoint)
    assert len(whole) > 1
    rest = await read_all(endpoint, whole[0].next)
    assert items([whole[0], *rest]) == expected


@where_changes_are_told
async def test_a_user_s_edit_is_told_whole(endpoint: Endpoint, place: Place) -> None:
    [item] = await stocked(endpoint, place, 1)
    resume = cursor(await read_all(endpoint))
    place.user_edits("Bäcker")
    place.user_adds(7)
    told = items(await read_all(endpoint, resume))
    assert len(told) == 2
    edited = told.pop(item.id)
    assert edited.stamp == item.stamp
    assert edited.etag != item.etag
    assert edited.content == place.samples.edited(item.content, "Bäcker")
    (added,) = told.values()
    assert (place.samples.called(added.content), added.stamp) == ("native 7", "")


@where_dates_are_told
async def test_an_item_tells_when_it_was_made_and_changed(endpoint: Endpoint, place: Place) -> None:
    [item] = await stocked(endpoint, place, 1)
    assert item.created is not None
    assert item.modified is not None
    assert abs(item.created - place.world.clock.time()) < 3600
    assert item.created <= item.modified


@where_changes_are_told
async def test_a_deletion_is_told(endpoint: Endpoint, place: Place) -> None:
    [item] = await stocked(endpoint, place, 1)
    resume = cursor(await read_all(endpoint))
    place.user_purges()
    (page,) = await read_all(endpoint, resume)
    assert list(page.changes) == [Removed(item.id)]
    assert await endpoint.locate([item.id]) == {item.id: Whereabouts.GONE}
    assert await endpoint.fetch([item.id]) == {item.id: None}


@in_collections
async def test_our_own_deletion_is_told(endpoint: Endpoint, place: Place) -> None:
    [item] = await stocked(endpoint, place, 1)
    resume = cursor(await read_all(endpoint))
    await push_all(endpoint, [Delete(id=item.id, etag="")])
    (page,) = await read_all(endpoint, resume)
    assert list(page.changes) == [Removed(item.id)]


@where_changes_are_told
async def test_what_leaves_the_place_is_told_as_removed_and_is_not_here(
    endpoint: Endpoint, place: Place
) -> None:
    [item] = await stocked(endpoint, place, 1)
    resume = cursor(await read_all(endpoint))
    place.user_moves_away()
    (page,) = await read_all(endpoint, resume)
    assert list(page.changes) == [Removed(item.id)]
    where = await endpoint.locate([item.id])
    assert where[item.id] in (Whereabouts.MOVED, Whereabouts.GONE)


@where_changes_are_told
async def test_an_expired_cursor_asks_for_a_round_from_nothing(
    endpoint: Endpoint, place: Place
) -> None:
    await stocked(endpoint, place, 2)
    resume = cursor(await read_all(endpoint))
    place.cursors_expire()
    with pytest.raises(CursorExpiredError):
        await read_all(endpoint, resume)
    assert len(items(await read_all(endpoint))) == 2


@where_changes_are_told
async def test_a_cursor_is_of_use_for_its_own_place_only(
    endpoint: Endpoint, session: Session
) -> None:
    resume = cursor(await read_all(endpoint))
    other = await opened(session, elsewhere=True)
    with pytest.raises(CursorExpiredError):
        await read_all(other, resume)


@in_collections
async def test_a_folder_that_went_away_is_no_folder_that_reads_empty(
    endpoint: Endpoint, place: Place
) -> None:
    await stocked(endpoint, place, 2)
    resume = cursor(await read_all(endpoint))
    place.folder_goes()
    with pytest.raises((TargetNotFoundError, CursorExpiredError)):
        await read_all(endpoint, resume)
    with pytest.raises(TargetNotFoundError):
        await read_all(endpoint)


# By stamp and by id


@where_we_write
async def test_items_are_found_by_their_stamps(endpoint: Endpoint, place: Place) -> None:
    stock = await stocked(endpoint, place, 45)
    keys = [key(number) for number in range(45)]
    found = dict(await endpoint.find([*keys, key(999)]))
    assert list(found.pop(key(999))) == []
    assert {each: list(some) for each, some in found.items()} == {
        each: [item] for each, item in zip(keys, stock, strict=True)
    }


@in_collections
@pytest.mark.parametrize("stamp", ["o'brien/h/i/s/1", "ü/人/i/s/1", 'a&b=c/#?+%"<i>/i/s/1'])
async def test_a_stamp_may_hold_any_character(endpoint: Endpoint, place: Place, stamp: str) -> None:
    item = await made(endpoint, place.samples.one(1), stamp)
    assert await endpoint.find([stamp]) == {stamp: [item]}
    assert [each async for each in endpoint.stamped()] == [item]


@in_collections
async def test_a_stamp_of_the_longest_is_found(endpoint: Endpoint, place: Place) -> None:
    stamp = "i/h/i/s/".ljust(255, "1")
    item = await made(endpoint, place.samples.one(1), stamp)
    assert await endpoint.find([stamp]) == {stamp: [item]}


@in_collections
async def test_a_stamp_in_another_place_is_not_ours_here(
    endpoint: Endpoint, place: Place, session: Session
) -> None:
    other = await opened(session, elsewhere=True)
    await made(other, place.samples.one(1), key(1))
    assert await endpoint.find([key(1)]) == {key(1): []}


@where_we_write
async def test_every_stamped_item_is_listed_and_no_other(endpoint: Endpoint, place: Place) -> None:
    stock = await stocked(endpoint, place, min(300, place.plenty))
    for number in range(30):
        place.user_adds(number)
    listed = [each async for each in endpoint.stamped()]
    assert len(listed) == len(stock)
    assert {each.id: each for each in listed} == {item.id: item for item in stock}


@where_we_write
async def test_what_is_there_is_here_and_what_is_gone_is_nothing(
    endpoint: Endpoint, place: Place
) -> None:
    one, two = await stocked(endpoint, place, 2)
    await push_all(endpoint, [Delete(id=two.id, etag="", permanent=True)])
    assert await endpoint.locate([one.id, two.id]) == {
        one.id: Whereabouts.HERE,
        two.id: Whereabouts.GONE,
    }
    assert await endpoint.fetch([one.id, two.id]) == {one.id: one, two.id: None}
    assert await endpoint.fetch([]) == {}


# Folders, and services that are busy or away


@in_collections
async def test_a_folder_is_made_once_whoever_comes_first(session: Session, place: Place) -> None:
    endpoints = [session.endpoint() for _ in range(4)]
    targets = await asyncio.gather(*(one.open(create=True) for one in endpoints))
    assert len(set(targets)) == 1
    await made(endpoints[0], place.samples.one(1))
    assert len(items(await read_all(endpoints[3]))) == 1


@everywhere
async def test_a_target_names_tenant_mailbox_and_folder(session: Session) -> None:
    target = await session.endpoint().open(create=True)
    assert str(target).count("/") == 2
    assert all((target.tenant, target.mailbox, target.folder))
    other = await session.endpoint(elsewhere=True).open(create=True)
    assert other.tenant == target.tenant


@in_collections
async def test_a_folder_that_is_missing_is_not_made_for_who_only_reads(session: Session) -> None:
    with pytest.raises(FolderNotFoundError):
        await session.endpoint().open(create=False)


@everywhere
async def test_a_target_that_is_known_costs_no_request(session: Session, place: Place) -> None:
    target = await session.endpoint().open(create=True)
    before = session.requests
    again = session.endpoint()
    assert await again.open(create=True, known=target) == target
    assert session.requests == before
    await stocked(again, place, 1)


@in_collections
async def test_a_folder_whose_creation_was_not_answered_is_found(
    session: Session, place: Place
) -> None:
    place.world.faults.add(Rule(kind="drop", moment="after", **place.making_fault))
    endpoint = await opened(session)
    assert [fired for _, _, fired in place.world.faults.listing()] != [0]
    place.world.faults.clear()
    await made(endpoint, place.samples.one(1))
    assert place.held() == 1


@everywhere
async def test_a_read_is_repeated_while_the_service_is_away(
    endpoint: Endpoint, place: Place
) -> None:
    [item] = await stocked(endpoint, place, 1)
    for kind in ("drop", "truncate", "status"):
        place.world.faults.add(
            Rule(kind=kind, status=502, keep_bytes=100, count=1, **place.read_fault)
        )
        assert await endpoint.fetch([item.id]) == {item.id: item}
        assert [fired for _, _, fired in place.world.faults.listing()] == [1]
        place.world.faults.clear()


@everywhere
async def test_patience_with_a_service_that_is_away_ends(endpoint: Endpoint, place: Place) -> None:
    [item] = await stocked(endpoint, place, 1)
    place.world.faults.add(Rule(kind="drop", **place.read_fault))
    with pytest.raises(EndpointUnavailableError):
        await endpoint.fetch([item.id])


@everywhere
async def test_a_busy_service_is_waited_for(endpoint: Endpoint, place: Place) -> None:
    [item] = await stocked(endpoint, place, 1)
    place.world.faults.add(
        Rule(kind="status", retry_after=1, count=1, **place.read_fault, **place.busy)
    )
    assert await endpoint.fetch([item.id]) == {item.id: item}
    assert [fired for _, _, fired in place.world.faults.listing()] == [1]


@everywhere
async def test_a_certificate_of_somebody_else_is_not_trusted(place: Place) -> None:
    async def read(session: Session) -> None:
        endpoint = session.endpoint()
        await endpoint.open(create=False)
        await read_all(endpoint)

    async with place.session(Origins(place.origins)) as session:
        with pytest.raises(EndpointUnavailableError, match="certificate"):
            await read(session)


@where_we_write
async def test_what_was_made_through_one_session_is_known_through_another(place: Place) -> None:
    async with place.session() as one, place.session() as two:
        first, second = one.endpoint(), two.endpoint()
        assert await first.open(create=True) == await second.open(create=True)
        content = place.samples.one(1)
        item = await made(first, content)
        outcomes = await push_all(
            second, [Create(key=key(2), body=second.encode(place.samples.one(2)))]
        )
        assert [each.result for each in outcomes] == [Result.DONE]
        assert (await second.fetch([item.id]))[item.id] == item
        assert place.samples.shared(item.content) == place.samples.shared(content)
