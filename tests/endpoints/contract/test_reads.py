"""Pulling and looking things up: every change once at least, whole, and for few requests."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from cirahub_simulator.faults import Rule
from cirahub_sync.endpoints.base import (
    Create,
    Delete,
    Endpoint,
    Page,
    RemoteItem,
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
from cirahub_sync.model.contact import Contact, CustomField, Phone, PhoneKind

from .place import Place, Session, contact, creates, push_all, read_all
from .test_writes import made, ordered


def items(pages: list[Page]) -> dict[str, RemoteItem]:
    changes = [change for page in pages for change in page.changes]
    return {change.id: change for change in changes if isinstance(change, RemoteItem)}


def cursor(pages: list[Page]) -> str:
    assert all(page.next and page.cursor is None for page in pages[:-1])
    last = pages[-1]
    assert last.next is None
    assert last.cursor is not None
    return last.cursor


@pytest.mark.parametrize("count", [0, 3, 620])
async def test_a_round_from_nothing_brings_every_item_whole(endpoint: Endpoint, count: int) -> None:
    pager = msgspec.structs.replace(
        contact(0),
        phones=(Phone(PhoneKind.PAGER, "7"),),
        custom=(CustomField("EmployeeId", "007"),),
    )
    outcomes = await push_all(endpoint, creates(endpoint, count))
    expected = {each.item.id: each.item for each in outcomes if each.item is not None}
    item = await made(endpoint, pager)
    expected[item.id] = item
    assert items(await read_all(endpoint)) == expected


async def test_a_delta_without_changes_costs_one_request(
    endpoint: Endpoint, session: Session
) -> None:
    await push_all(endpoint, creates(endpoint, 30))
    resume = cursor(await read_all(endpoint))
    before = session.requests
    pages = await read_all(endpoint, resume)
    assert [list(page.changes) for page in pages] == [[]]
    assert session.requests - before == 1


async def test_our_own_echo_is_not_completed(endpoint: Endpoint, session: Session) -> None:
    resume = cursor(await read_all(endpoint))
    outcomes = await push_all(endpoint, creates(endpoint, 30))
    etags = {each.item.id: each.item.etag for each in outcomes if each.item is not None}
    before = session.requests
    pages = [page async for page in endpoint.changes(resume, known=etags.get)]
    assert {each: item.etag for each, item in items(pages).items()} == etags
    assert session.requests - before == 1


async def test_a_round_can_be_taken_up_at_any_page(endpoint: Endpoint) -> None:
    outcomes = await push_all(endpoint, creates(endpoint, 620))
    whole = await read_all(endpoint)
    assert len(whole) > 1
    rest = await read_all(endpoint, whole[0].next)
    assert items([whole[0], *rest]) == {
        each.item.id: each.item for each in outcomes if each.item is not None
    }


async def test_a_user_s_edit_is_told_whole(endpoint: Endpoint, place: Place) -> None:
    item = await made(endpoint, contact(1))
    resume = cursor(await read_all(endpoint))
    place.user_edits("Bäcker")
    place.user_adds(7)
    pages = await read_all(endpoint, resume)
    told = items(pages)
    assert len(told) == 2
    edited = told.pop(item.id)
    assert edited.stamp == item.stamp
    assert edited.etag != item.etag
    assert edited.content == msgspec.structs.replace(item.content, job_title="Bäcker")
    (added,) = told.values()
    assert isinstance(added.content, Contact)
    assert (added.content.given_name, added.stamp) == ("native 7", "")
    assert added.modified is not None
    assert added.created is not None


async def test_a_deletion_is_told(endpoint: Endpoint) -> None:
    item = await made(endpoint, contact(1))
    resume = cursor(await read_all(endpoint))
    await push_all(endpoint, [Delete(id=item.id, etag="")])
    (page,) = await read_all(endpoint, resume)
    assert list(page.changes) == [Removed(item.id)]


async def test_what_leaves_the_folder_is_told_as_removed_and_is_not_here(
    endpoint: Endpoint, place: Place
) -> None:
    item = await made(endpoint, contact(1))
    resume = cursor(await read_all(endpoint))
    place.user_moves_away()
    (page,) = await read_all(endpoint, resume)
    assert list(page.changes) == [Removed(item.id)]
    where = await endpoint.locate([item.id])
    assert where[item.id] in (Whereabouts.MOVED, Whereabouts.GONE)


async def test_an_expired_cursor_asks_for_a_round_from_nothing(
    endpoint: Endpoint, place: Place
) -> None:
    await push_all(endpoint, creates(endpoint, 2))
    resume = cursor(await read_all(endpoint))
    place.cursors_expire()
    with pytest.raises(CursorExpiredError):
        await read_all(endpoint, resume)
    assert len(items(await read_all(endpoint))) == 2


async def test_a_cursor_is_of_use_for_its_own_folder_only(
    endpoint: Endpoint, session: Session
) -> None:
    resume = cursor(await read_all(endpoint))
    other = session.endpoint(elsewhere=True)
    await other.open(create=True)
    with pytest.raises(CursorExpiredError):
        await read_all(other, resume)


async def test_a_folder_that_went_away_is_no_folder_that_reads_empty(
    endpoint: Endpoint, place: Place
) -> None:
    await push_all(endpoint, creates(endpoint, 2))
    resume = cursor(await read_all(endpoint))
    place.folder_goes()
    with pytest.raises((TargetNotFoundError, CursorExpiredError)):
        await read_all(endpoint, resume)
    with pytest.raises(TargetNotFoundError):
        await read_all(endpoint)


# By stamp and by id


async def test_items_are_found_by_their_stamps(endpoint: Endpoint) -> None:
    operations = creates(endpoint, 45)
    outcomes = await push_all(endpoint, operations)
    found = dict(await endpoint.find([*(each.key for each in operations), "i/h/none/s/1"]))
    assert found.pop("i/h/none/s/1") == []
    assert found == {
        operation.key: [outcome.item]
        for operation, outcome in zip(operations, outcomes, strict=True)
    }


@pytest.mark.parametrize("key", ["o'brien/h/i/s/1", "ü/人/i/s/1", 'a&b=c/#?+%"<i>/i/s/1'])
async def test_a_stamp_may_hold_any_character(endpoint: Endpoint, key: str) -> None:
    item = await made(endpoint, contact(1), key)
    assert await endpoint.find([key]) == {key: [item]}
    assert [each async for each in endpoint.stamped()] == [item]


async def test_a_stamp_of_the_longest_is_found(endpoint: Endpoint) -> None:
    key = "i/h/i/s/".ljust(255, "1")
    item = await made(endpoint, contact(1), key)
    assert await endpoint.find([key]) == {key: [item]}


async def test_a_stamp_in_another_folder_is_not_ours_here(
    endpoint: Endpoint, session: Session
) -> None:
    other = session.endpoint(elsewhere=True)
    await other.open(create=True)
    await made(other, contact(1), "i/h/1/s/1")
    assert await endpoint.find(["i/h/1/s/1"]) == {"i/h/1/s/1": []}


async def test_every_stamped_item_is_listed_and_no_other(endpoint: Endpoint, place: Place) -> None:
    outcomes = await push_all(endpoint, creates(endpoint, 300))
    for number in range(30):
        place.user_adds(number)
    listed = [each async for each in endpoint.stamped()]
    assert len(listed) == 300
    assert {each.id: each for each in listed} == {
        each.item.id: each.item for each in outcomes if each.item is not None
    }


async def test_what_is_there_is_here_and_what_is_gone_is_nothing(
    endpoint: Endpoint,
) -> None:
    one, two = [each.item for each in await push_all(endpoint, creates(endpoint, 2))]
    assert one is not None
    assert two is not None
    await push_all(endpoint, [Delete(id=two.id, etag="", permanent=True)])
    assert await endpoint.locate([one.id, two.id]) == {
        one.id: Whereabouts.HERE,
        two.id: Whereabouts.GONE,
    }
    assert await endpoint.fetch([one.id, two.id]) == {one.id: one, two.id: None}
    assert await endpoint.fetch([]) == {}


# Folders, and services that are busy or away


async def test_a_folder_is_made_once_whoever_comes_first(session: Session) -> None:
    endpoints = [session.endpoint() for _ in range(4)]
    targets = await asyncio.gather(*(one.open(create=True) for one in endpoints))
    assert len(set(targets)) == 1
    await made(endpoints[0], contact(1))
    assert len(items(await read_all(endpoints[3]))) == 1
    assert str(targets[0]).count("/") == 2


async def test_a_folder_that_is_missing_is_not_made_for_who_only_reads(session: Session) -> None:
    with pytest.raises(FolderNotFoundError):
        await session.endpoint().open(create=False)


async def test_a_target_that_is_known_costs_no_request(session: Session) -> None:
    target = await session.endpoint().open(create=True)
    before = session.requests
    again = session.endpoint()
    assert await again.open(create=True, known=target) == target
    assert session.requests == before
    await made(again, contact(1))


async def test_a_folder_whose_creation_was_not_answered_is_found(
    session: Session, place: Place
) -> None:
    rule: dict[str, Any] = {"service": "ews", "operation": "CreateFolder"}
    if place.create_fault["service"] == "graph":
        rule = {"service": "graph", "method": "POST", "path": "(contact|child)Folders"}
    place.world.faults.add(Rule(kind="drop", moment="after", **rule))
    endpoint = session.endpoint()
    await endpoint.open(create=True)
    place.world.faults.clear()
    await made(endpoint, contact(1))
    assert place.held() == 1


async def test_a_read_is_repeated_while_the_service_is_away(
    endpoint: Endpoint, place: Place
) -> None:
    item = await made(endpoint, contact(1))
    for kind in ("drop", "truncate", "status"):
        place.world.faults.add(
            Rule(kind=kind, status=502, keep_bytes=100, count=1, **place.read_fault)
        )
        assert await endpoint.fetch([item.id]) == {item.id: item}
        place.world.faults.clear()


async def test_patience_with_a_service_that_is_away_ends(endpoint: Endpoint, place: Place) -> None:
    item = await made(endpoint, contact(1))
    place.world.faults.add(Rule(kind="drop", **place.read_fault))
    with pytest.raises(EndpointUnavailableError):
        await endpoint.fetch([item.id])


async def test_a_busy_service_is_waited_for(endpoint: Endpoint, place: Place) -> None:
    item = await made(endpoint, contact(1))
    place.world.faults.add(
        Rule(kind="status", retry_after=1, count=1, **place.read_fault, **place.busy)
    )
    assert await endpoint.fetch([item.id]) == {item.id: item}


async def test_what_was_made_through_one_session_is_known_through_another(place: Place) -> None:
    async with place.session() as one, place.session() as two:
        first, second = one.endpoint(), two.endpoint()
        assert await first.open(create=True) == await second.open(create=True)
        item = await made(first, contact(1))
        outcomes = await push_all(second, [Create(key="i/h/2/s/1", body=second.encode(contact(2)))])
        assert [each.result for each in outcomes] == [Result.DONE]
        assert (await second.fetch([item.id]))[item.id] == item
        assert ordered(item.content) == ordered(contact(1))
