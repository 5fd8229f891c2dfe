"""Where servers differ: each habit of `radicale.Habits`, before a real Radicale."""

from __future__ import annotations

import threading
from collections import Counter

import msgspec
import pytest
from tests.endpoints.contract.place import (
    creates,
    cursor,
    here,
    items,
    key,
    made,
    push_all,
    read_all,
    update,
)
from tests.endpoints.contract.samples import ADDRESS_BOOKS as SAMPLES

from cirahub_simulator.wire import Request
from cirahub_sync.endpoints.base import Create, Delete, Removed, Result, Update
from cirahub_sync.endpoints.carddav.capabilities import BATCH_SIZE
from cirahub_sync.endpoints.carddav.endpoint import CardDavEndpoint
from cirahub_sync.endpoints.carddav.items import id_of, uid_of
from cirahub_sync.endpoints.carddav.session import CardDavSession
from cirahub_sync.errors import AccessDeniedError, CursorExpiredError, ProtocolError
from cirahub_sync.model.contact import Email
from cirahub_sync.model.kind import as_contact

from .conftest import PAGE, Desk

PATIENCE = 60.0
"""Seconds, for what comes at once."""
OLD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:old\r\nFN:Old\r\nN:Old;;;;\r\nEND:VCARD\r\n"


async def test_without_sync_collection_a_cursor_compares_etags(
    desk: Desk, endpoint: CardDavEndpoint, session: CardDavSession
) -> None:
    desk.server.habits.syncs = False
    one, two, three = [await made(endpoint, SAMPLES.one(at), key(at)) for at in range(3)]
    whole = await read_all(endpoint)
    assert items(whole) == {item.id: item for item in (one, two, three)}
    resume = cursor(whole)
    before = session.requests
    (quiet,) = await read_all(endpoint, resume)
    assert (list(quiet.changes), quiet.cursor) == ([], resume)
    assert session.requests == before + 1

    edited = SAMPLES.edited(one.content, "Bäcker")
    outcomes = await push_all(
        endpoint, [update(endpoint, one, edited), Delete(id=two.id, etag=two.etag)]
    )
    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    pages = await read_all(endpoint, resume)
    changes = {change.id: change for page in pages for change in page.changes}
    assert changes == {one.id: await here(endpoint, one.id), two.id: Removed(two.id)}
    (quiet,) = await read_all(endpoint, cursor(pages))
    assert list(quiet.changes) == []


async def test_without_a_ctag_the_etags_are_compared_every_time(
    desk: Desk, endpoint: CardDavEndpoint
) -> None:
    desk.server.habits.syncs = desk.server.habits.ctag = False
    await made(endpoint, SAMPLES.one(1), key(1))
    resume = cursor(await read_all(endpoint))
    two = await made(endpoint, SAMPLES.one(2), key(2))
    pages = await read_all(endpoint, resume)
    assert items(pages) == {two.id: two}


async def test_a_comparison_that_was_interrupted_begins_anew(
    desk: Desk, endpoint: CardDavEndpoint
) -> None:
    """Else what was told first, and has gone since, would be missed."""
    desk.server.habits.syncs = False
    await push_all(endpoint, creates(endpoint, SAMPLES, PAGE + 3))
    first, last = await read_all(endpoint)
    assert len(items([first, last])) == PAGE + 3
    with pytest.raises(CursorExpiredError):
        await read_all(endpoint, first.next)


async def test_a_round_by_sync_collection_that_is_taken_up_misses_nothing_either(
    endpoint: CardDavEndpoint,
) -> None:
    await push_all(endpoint, creates(endpoint, SAMPLES, PAGE + 3))
    first, last = await read_all(endpoint)
    told = sorted(items([first, last]))
    early = await here(endpoint, told[0])
    await push_all(endpoint, [update(endpoint, early, SAMPLES.edited(early.content, "later"))])
    rest = await read_all(endpoint, first.next)
    after = await read_all(endpoint, cursor(rest))
    assert items(after) == {told[0]: await here(endpoint, told[0])}


async def test_an_answer_that_is_cut_short_is_asked_for_to_its_end(
    desk: Desk, endpoint: CardDavEndpoint
) -> None:
    outcomes = await push_all(endpoint, creates(endpoint, SAMPLES, 5))
    desk.server.habits.most = 2
    pages = await read_all(endpoint)
    assert len(pages) == 3
    assert items(pages) == {one.item.id: one.item for one in outcomes if one.item is not None}
    desk.server.habits.most = None
    (quiet,) = await read_all(endpoint, cursor(pages))
    assert list(quiet.changes) == []


def _stored(text: str) -> str:
    """A telephone book's idea of a card: a field it does not know is gone, a name is another."""
    kept = [line for line in text.split("\r\n") if not line.startswith("ROLE")]
    return "\r\n".join(kept).replace("TITLE:", "TITLE:Dr. ")


@pytest.mark.parametrize("tells_etag", [False, True])
async def test_what_a_server_makes_of_a_card_is_what_is_acknowledged(
    desk: Desk, endpoint: CardDavEndpoint, tells_etag: bool
) -> None:
    desk.server.habits.rewrites = _stored
    desk.server.habits.tells_etag = tells_etag
    content = msgspec.structs.replace(SAMPLES.bare, job_title="Baker", profession="Baker")
    resume = cursor(await read_all(endpoint))
    item = await made(endpoint, content)
    shown = as_contact(item.content)
    assert (shown.job_title, shown.profession) == ("Dr. Baker", "")
    assert items(await read_all(endpoint, resume)) == {item.id: item}
    after = msgspec.structs.replace(item.content, nickname="Ada")
    (outcome,) = await push_all(endpoint, [update(endpoint, item, after)])
    assert outcome.item == await here(endpoint, item.id)


async def test_a_weak_etag_is_given_back_as_it_was_before_it_was_weakened(
    desk: Desk, endpoint: CardDavEndpoint
) -> None:
    desk.server.habits.weak = True
    item = await made(endpoint, SAMPLES.one(1))
    assert item.etag.startswith("W/")
    after = SAMPLES.edited(item.content, "ours")
    (outcome,) = await push_all(endpoint, [update(endpoint, item, after)])
    assert (outcome.result, outcome.item) == (Result.DONE, await here(endpoint, item.id))
    (stale,) = await push_all(endpoint, [Delete(id=item.id, etag=item.etag)])
    assert stale.result is Result.STALE


async def test_a_server_that_takes_no_etag_of_its_own_is_told_of(
    desk: Desk, endpoint: CardDavEndpoint
) -> None:
    desk.server.habits.weak = True
    desk.server.habits.takes_weak = False
    item = await made(endpoint, SAMPLES.one(1))
    after = SAMPLES.edited(item.content, "ours")
    (outcome,) = await push_all(endpoint, [update(endpoint, item, after)])
    assert outcome.result is Result.REJECTED
    assert "a weak one" in outcome.error
    assert await here(endpoint, item.id) == item


async def test_links_may_be_whole(desk: Desk, endpoint: CardDavEndpoint) -> None:
    item = await made(endpoint, SAMPLES.full)
    desk.server.habits.whole_links = True
    assert items(await read_all(endpoint)) == {item.id: item}
    assert await endpoint.fetch([item.id]) == {item.id: item}


async def test_an_address_book_whose_links_lead_elsewhere_does_not_read_empty(
    desk: Desk, endpoint: CardDavEndpoint
) -> None:
    await made(endpoint, SAMPLES.bare)
    desk.server.habits.prefix = "/dav"
    with pytest.raises(ProtocolError, match="by another path"):
        await read_all(endpoint)


async def test_a_create_that_is_sent_again_makes_nothing(
    desk: Desk, endpoint: CardDavEndpoint
) -> None:
    create = Create(key=key(1), body=endpoint.encode(SAMPLES.one(1)))
    (first,) = await push_all(endpoint, [create])
    (again,) = await push_all(endpoint, [create])
    assert (again.result, again.item) == (Result.DONE, first.item)
    assert len(list(desk.server.books()[0].glob("*.vcf"))) == 1


async def test_a_create_does_not_take_what_is_somebody_else_s(
    desk: Desk, endpoint: CardDavEndpoint
) -> None:
    theirs = OLD.replace("UID:old", f"UID:{uid_of(key(1))}")
    (desk.server.books()[0] / id_of(key(1))).write_bytes(theirs.encode())
    create = Create(key=key(1), body=endpoint.encode(SAMPLES.one(1)))
    (outcome,) = await push_all(endpoint, [create])
    assert outcome.result is Result.REJECTED
    assert SAMPLES.called((await here(endpoint, id_of(key(1)))).content) == "Old"


async def test_a_card_is_made_in_the_version_that_is_taken(
    desk: Desk, endpoint: CardDavEndpoint
) -> None:
    desk.server.habits.forms = "4.0"
    item = await made(endpoint, SAMPLES.full)
    (card,) = desk.server.books()[0].glob("*.vcf")
    assert b"VERSION:4.0" in card.read_bytes()
    assert SAMPLES.shared(item.content) == SAMPLES.shared(SAMPLES.full)


async def test_a_card_that_is_too_large_is_not_sent(desk: Desk, endpoint: CardDavEndpoint) -> None:
    desk.server.habits.largest = 500
    large = msgspec.structs.replace(SAMPLES.bare, notes="x" * 500)
    bodies = [endpoint.encode(SAMPLES.bare), endpoint.encode(large)]
    outcomes = await push_all(
        endpoint, [Create(key=key(at), body=body) for at, body in enumerate(bodies)]
    )
    assert [one.result for one in outcomes] == [Result.DONE, Result.REJECTED]
    assert "500 octets" in outcomes[1].error


async def test_an_address_book_that_may_only_be_read_stops_the_push(
    desk: Desk, endpoint: CardDavEndpoint
) -> None:
    desk.server.habits.read_only = True
    with pytest.raises(AccessDeniedError, match="need-privileges"):
        await push_all(endpoint, creates(endpoint, SAMPLES, 3))


async def test_a_server_without_room_is_tried_again(desk: Desk, endpoint: CardDavEndpoint) -> None:
    desk.server.habits.full = True
    (outcome,) = await push_all(endpoint, creates(endpoint, SAMPLES, 1))
    assert outcome.result is Result.RETRY
    assert "quota-not-exceeded" in outcome.error


async def test_a_server_has_cards_to_write_while_it_is_asked_what_it_made_of_others(
    desk: Desk, endpoint: CardDavEndpoint
) -> None:
    writes = Counter[str]()
    another, met = threading.Event(), list[bool]()

    def before(request: Request) -> None:
        writes[request.method] += 1
        if writes["PUT"] > BATCH_SIZE:
            another.set()
        if b"addressbook-multiget" in request.body:
            met.append(another.wait(PATIENCE))

    desk.server.habits.before = before
    outcomes = await push_all(endpoint, creates(endpoint, SAMPLES, BATCH_SIZE + 5))
    assert [one.result for one in outcomes] == [Result.DONE] * (BATCH_SIZE + 5)
    assert met == [True, True]


async def test_what_others_put_into_a_card_survives_an_update(
    desk: Desk, endpoint: CardDavEndpoint
) -> None:
    others = (
        "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD/2w==",
        "X-SOCIALPROFILE;TYPE=mastodon:https://social.example/@ada",
        "item1.EMAIL;TYPE=INTERNET;TYPE=pref:ada@contoso.example",
        "item1.X-ABLabel:Work",
    )
    inside = "\r\n".join(others)
    text = OLD.replace("END:", f"{inside}\r\nREV:20200101T000000Z\r\nEND:")
    path = desk.server.books()[0] / "old.vcf"
    path.write_bytes(text.encode())
    item = await here(endpoint, "old.vcf")
    after = msgspec.structs.replace(
        item.content, emails=(Email("ada@home.example"),), notes="neu", nickname="A"
    )
    (outcome,) = await push_all(endpoint, [update(endpoint, item, after)])
    assert outcome.result is Result.DONE
    stored = path.read_bytes().decode().replace("\r\n ", "").lower()
    for line in (*others[:2], "item1.X-ABLabel:Work"):
        assert line.lower() in stored
    assert "item1.email;type=internet" in stored
    assert "ada@home.example" in stored
    assert "rev:2020" not in stored


async def test_an_update_that_changes_nothing_is_not_sent(
    endpoint: CardDavEndpoint, session: CardDavSession
) -> None:
    item = await made(endpoint, SAMPLES.full)
    body = endpoint.encode_changes(None, item.content)
    (outcome,) = await push_all(endpoint, [Update(id=item.id, etag=item.etag, body=body)])
    assert (outcome.result, outcome.item) == (Result.DONE, item)
    assert session.answers["204"] == 0


async def test_a_card_that_can_t_be_read_keeps_nobody_from_the_others(
    desk: Desk, endpoint: CardDavEndpoint
) -> None:
    """Radicale gives no such card away, others do: RFC 6352 5.1 has servers take what comes."""
    good = await made(endpoint, SAMPLES.one(1))
    bad = OLD.replace("VERSION:3.0", "VERSION:2.1").replace("FN:Old", "FN:Péson")
    (desk.server.books()[0] / "bad.vcf").write_bytes(bad.encode())
    changes = [change for page in await read_all(endpoint) for change in page.changes]
    assert good in changes
    (unreadable,) = [change for change in changes if change != good]
    assert unreadable.id == "bad.vcf"
    assert "Péson" not in str(unreadable)
    assert [each async for each in endpoint.stamped()] == [good]


async def test_a_list_of_members_is_left_alone(desk: Desk, endpoint: CardDavEndpoint) -> None:
    group = OLD.replace("END:", "X-ADDRESSBOOKSERVER-KIND:group\r\nEND:")
    (desk.server.books()[0] / "group.vcf").write_bytes(group.encode())
    assert items(await read_all(endpoint)) == {}
