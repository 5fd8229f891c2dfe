"""Pulling: every change once at least, whole, and for as few requests as there are changes."""

import msgspec
import pytest
from tests.endpoints.contract.place import creates, cursor, items, made, push_all, read_all
from tests.endpoints.contract.samples import CONTACTS, contact

from cirahub_simulator.switches import Switches
from cirahub_sync.configuration import MailboxTarget
from cirahub_sync.endpoints.base import Delete, RemoteItem, Removed, Unreadable
from cirahub_sync.endpoints.graph.endpoint import GraphEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import CursorExpiredError, ProtocolError, TargetNotFoundError
from cirahub_sync.model.contact import CustomField, Phone, PhoneKind

from .conftest import FOLDER, Cloud, open_fence, settings

EVERY_DELTA = settings(
    "delta_expand", "delta_order", "delta_repeats", "delta_empty_first_page", "delta_delay"
)


@pytest.mark.parametrize("switches", EVERY_DELTA, indirect=True)
@pytest.mark.parametrize("count", [0, 3, 620])
async def test_a_round_from_nothing_brings_every_item_whole(
    endpoint: GraphEndpoint, cloud: Cloud, count: int
) -> None:
    pager = msgspec.structs.replace(
        contact(0),
        phones=(Phone(PhoneKind.PAGER, "7"),),
        custom=(CustomField("EmployeeId", "007"),),
    )
    outcomes = await push_all(endpoint, creates(endpoint, CONTACTS, count))
    expected = {each.item.id: each.item for each in outcomes if each.item is not None}
    item = await made(endpoint, pager)
    expected[item.id] = item
    cloud.world.clock.advance(cloud.an_hour / 60)
    assert items(await read_all(endpoint)) == expected


async def test_a_round_from_nothing_costs_two_requests_for_each_page(
    endpoint: GraphEndpoint, session: GraphSession
) -> None:
    await push_all(endpoint, creates(endpoint, CONTACTS, 400))
    before = session.requests
    pages = await read_all(endpoint)
    assert len(pages) == 1
    assert session.requests - before == 2


async def test_changes_are_completed_twenty_at_a_time(
    endpoint: GraphEndpoint, session: GraphSession
) -> None:
    resume = cursor(await read_all(endpoint))
    outcomes = await push_all(endpoint, creates(endpoint, CONTACTS, 21))
    before = session.requests
    assert items(await read_all(endpoint, resume)) == {
        each.item.id: each.item for each in outcomes if each.item is not None
    }
    assert session.requests - before == 1 + 2


@pytest.mark.parametrize("switches", settings("immutable_id_in_bin"), indirect=True)
async def test_a_deletion_is_told(endpoint: GraphEndpoint) -> None:
    item = await made(endpoint, contact(1))
    resume = cursor(await read_all(endpoint))
    await push_all(endpoint, [Delete(id=item.id, etag="")])
    (page,) = await read_all(endpoint, resume)
    assert list(page.changes) == [Removed(item.id)]


async def test_an_item_that_vanishes_before_it_is_complete_is_removed(
    endpoint: GraphEndpoint, cloud: Cloud
) -> None:
    resume = cursor(await read_all(endpoint))
    item = await made(endpoint, contact(1))
    cloud.fault(kind="status", batched=True, method="GET", status=404)
    (page,) = await read_all(endpoint, resume)
    assert list(page.changes) == [Removed(item.id)]


async def test_an_expired_token_asks_for_a_round_from_nothing(
    endpoint: GraphEndpoint, cloud: Cloud
) -> None:
    resume = cursor(await read_all(endpoint))
    cloud.mailbox().expire_delta_tokens()
    with pytest.raises(CursorExpiredError):
        await read_all(endpoint, resume)


@pytest.mark.parametrize("switches", settings("delta_token_life"), indirect=True)
async def test_a_token_lives_as_long_as_the_service_says(
    endpoint: GraphEndpoint, cloud: Cloud, switches: Switches
) -> None:
    resume = cursor(await read_all(endpoint))
    cloud.world.clock.advance(cloud.an_hour * 24 * 8)
    if switches.delta_token_life == "unlimited":
        assert await read_all(endpoint, resume)
        return
    with pytest.raises(CursorExpiredError):
        await read_all(endpoint, resume)


async def test_a_cursor_of_another_folder_is_refused(
    endpoint: GraphEndpoint, cloud: Cloud, session: GraphSession
) -> None:
    resume = cursor(await read_all(endpoint))
    other = cloud.endpoint(session, "")
    await other.open(create=False)
    before = session.requests
    for foreign in (resume, "", "x y", "x y z", resume.split(" ")[0]):
        with pytest.raises(CursorExpiredError):
            await read_all(other, foreign)
    assert session.requests == before


async def test_a_folder_that_went_away_is_told(endpoint: GraphEndpoint, cloud: Cloud) -> None:
    resume = cursor(await read_all(endpoint))
    cloud.delete_folder(FOLDER)
    with pytest.raises(TargetNotFoundError):
        await read_all(endpoint, resume)
    with pytest.raises(TargetNotFoundError):
        await read_all(endpoint)


@pytest.mark.parametrize("kind", ["drop", "truncate", "status"])
@pytest.mark.parametrize("path", ["delta", "batch"])
async def test_a_read_that_failed_is_repeated(
    endpoint: GraphEndpoint, cloud: Cloud, kind: str, path: str
) -> None:
    resume = cursor(await read_all(endpoint))
    item = await made(endpoint, contact(1))
    cloud.fault(kind=kind, path=path, count=2, status=503)
    assert items(await read_all(endpoint, resume)) == {item.id: item}


async def test_a_busy_part_of_a_batch_is_asked_again(endpoint: GraphEndpoint, cloud: Cloud) -> None:
    resume = cursor(await read_all(endpoint))
    outcomes = await push_all(endpoint, creates(endpoint, CONTACTS, 5))
    cloud.fault(kind="status", batched=True, skip=2, count=2, status=503)
    assert items(await read_all(endpoint, resume)) == {
        each.item.id: each.item for each in outcomes if each.item is not None
    }


@pytest.mark.parametrize(
    ("was", "link"),
    [
        (b"@odata.deltaLink", b"https://graph.microsoft.com.evil.example/v1.0/x"),
        (b"@odata.deltaLink", b"http://127.0.0.1/v1.0/x"),
        (b"@odata.deltaLink", b"//evil.example/x"),
        (b"@odata.nextLink", b"https://evil.example/v1.0/x?$skiptoken=1"),
    ],
)
async def test_a_link_to_another_origin_is_not_followed(
    endpoint: GraphEndpoint,
    session: GraphSession,
    monkeypatch: pytest.MonkeyPatch,
    was: bytes,
    link: bytes,
) -> None:
    await alter(session, monkeypatch, b'{"value":[],"' + was + b'":"' + link + b'"}')
    before = session.requests
    with pytest.raises(ProtocolError):
        await read_all(endpoint)
    assert session.requests - before == 1


async def test_one_bad_item_does_not_stop_the_page(
    endpoint: GraphEndpoint, session: GraphSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (
        b'{"value":[{"id":"good","@odata.etag":"1"},{"id":"bad","displayName":{"of":"Ada"}},'
        b'{"id":"gone","@removed":{"reason":"deleted"},"displayName":7}],'
        b'"@odata.deltaLink":"' + session.origin.encode() + b'/v1.0/x"}'
    )
    await alter(session, monkeypatch, body)
    pages = [page async for page in endpoint.changes(None, known=lambda _: {"good": "1"})]
    good, bad, gone = pages[0].changes
    assert isinstance(good, RemoteItem)
    assert isinstance(bad, Unreadable)
    assert bad.id == "bad"
    assert "Ada" not in bad.why
    assert gone == Removed("gone")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{}", b'{"value":[{}]}', b'{"value":[]}', b"<html>", b"\xff"]
)
async def test_an_answer_that_is_no_page_is_a_protocol_error(
    endpoint: GraphEndpoint, session: GraphSession, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    await alter(session, monkeypatch, body)
    with pytest.raises(ProtocolError):
        await read_all(endpoint)


async def alter(session: GraphSession, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    """Put another body into whatever Graph answers."""
    really = session._send

    async def send(*arguments: object, **options: object) -> object:
        answer = await really(*arguments, **options)  # type: ignore[arg-type]
        return msgspec.structs.replace(answer, body=body)

    monkeypatch.setattr(session, "_send", send)


async def test_a_user_without_mailbox_changes_nothing_for_others(
    cloud: Cloud, session: GraphSession
) -> None:
    cloud.add_user("bob", mailbox=False)
    endpoint = GraphEndpoint(session, MailboxTarget("bob@contoso.example"), open_fence)
    with pytest.raises(TargetNotFoundError):
        await endpoint.open(create=False)


async def test_requests_are_counted_by_what_came_of_them(
    endpoint: GraphEndpoint, session: GraphSession, cloud: Cloud
) -> None:
    await made(endpoint, contact(1))
    session.answers.clear()
    cloud.fault(kind="status", path="delta", status=503, count=1)
    cloud.fault(kind="truncate", path="delta", count=1)

    await read_all(endpoint)

    assert session.answers["503"] == 1
    assert session.answers["none"] == 1
    assert session.answers["200"] >= 1
