"""What becomes of writes: one outcome each, nothing sent twice, nothing guessed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from cirahub_simulator.faults import Rule
from cirahub_sync.endpoints.base import (
    Create,
    Delete,
    Endpoint,
    Operation,
    Outcome,
    RemoteItem,
    Result,
    Update,
)
from cirahub_sync.errors import (
    EndpointUnavailableError,
    LeaseLostError,
    TargetNotFoundError,
    ThrottledError,
)
from cirahub_sync.model.contact import (
    AddressKind,
    Contact,
    CustomField,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)
from cirahub_sync.model.kind import Content
from cirahub_sync.model.limits import project
from cirahub_sync.origins import Origins

from .place import Place, Session, contact, creates, push_all, read_all

FULL = Contact(
    display_name="Dr. Ada Ängström-O'Neil 人 🌍",
    given_name="Ada",
    middle_name="Byron & <King>",
    surname="Ängström-O'Neil",
    title="Dr.",
    generation="II.",
    nickname='"Ad"',
    initials="A.",
    file_as="Ängström-O'Neil, Ada",
    yomi_given_name="エイダ",
    yomi_surname="オングストローム",
    yomi_company="コントソ",
    company="Contoso & Söhne",
    department="R&D",
    job_title="Mathematikerin",
    profession="Mathématicienne",
    manager="Charles",
    assistant="Luigi",
    office_location="1. OG <links>",
    business_home_page="https://contoso.example/?a=1&b=2",
    spouse="William",
    birthday="1815-12-10",
    notes="Zeile eins\nZeile zwei\n\tmit Tabulator & <Klammern>",
    emails=(Email("ada@contoso.example", "Ada Ä"), Email("ada@home.example")),
    phones=(
        Phone(PhoneKind.BUSINESS, "+49 30 1"),
        Phone(PhoneKind.BUSINESS, "+49 30 2"),
        Phone(PhoneKind.HOME, "+49 30 3"),
        Phone(PhoneKind.MOBILE, "+49 170 1"),
        Phone(PhoneKind.BUSINESS_FAX, "+49 30 4"),
        Phone(PhoneKind.HOME_FAX, "+49 30 5"),
        Phone(PhoneKind.OTHER_FAX, "+49 30 6"),
        Phone(PhoneKind.PAGER, "7"),
        Phone(PhoneKind.OTHER, "8"),
    ),
    addresses=(
        PostalAddress(AddressKind.BUSINESS, "Straße 1\nHaus B", "Köln", "NRW", "50667", "DE"),
        PostalAddress(AddressKind.HOME, city="Öhringen"),
    ),
    im_addresses=("sip:ada@contoso.example",),
    categories=("Großkunde", "A & B"),
    children=("Ralph", "Ånne"),
    custom=(CustomField("EmployeeId", "007 <geheim>"),),
)


def update(endpoint: Endpoint, item: RemoteItem, after: Content, etag: str = "") -> Update:
    body = endpoint.encode_changes(item.content, after)
    return Update(id=item.id, etag=etag or item.etag, body=body)


async def made(endpoint: Endpoint, content: Contact, key: str = "i/h/x/s/1") -> RemoteItem:
    (outcome,) = await push_all(endpoint, [Create(key=key, body=endpoint.encode(content))])
    assert outcome.result is Result.DONE, outcome.error
    assert outcome.item is not None
    return outcome.item


def ordered(content: Content) -> Content:
    """Kinds of numbers come in an order of the service's own."""
    assert isinstance(content, Contact)
    return msgspec.structs.replace(
        content, phones=tuple(sorted(content.phones, key=lambda one: (one.kind, one.number)))
    )


async def test_a_create_is_stamped_and_comes_back_whole(endpoint: Endpoint, place: Place) -> None:
    item = await made(endpoint, FULL, "i/h/1/s/1")
    assert ordered(item.content) == ordered(FULL)
    assert item.stamp == "i/h/1/s/1"
    assert item.etag
    assert (await endpoint.fetch([item.id]))[item.id] == item
    assert place.held() == 1


async def test_many_creates_are_stamped_each_by_itself(endpoint: Endpoint, place: Place) -> None:
    operations = creates(endpoint, 95)
    outcomes = await push_all(endpoint, operations)
    assert {each.result for each in outcomes} == {Result.DONE}
    assert place.held() == 95
    for operation, outcome in zip(operations, outcomes, strict=True):
        assert outcome.item is not None
        assert outcome.item.stamp == operation.key


async def test_an_update_changes_what_it_names_and_keeps_the_rest(endpoint: Endpoint) -> None:
    item = await made(endpoint, FULL)
    after = msgspec.structs.replace(
        item.content,
        given_name="Augusta",
        phones=(Phone(PhoneKind.MOBILE, "+49 170 1"), Phone(PhoneKind.PAGER, "5")),
        emails=(Email("ada@home.example"),),
        addresses=(PostalAddress(AddressKind.BUSINESS, "Straße 2", "Köln"),),
        job_title="",
        title="",
        custom=(CustomField("EmployeeId", "8"),),
        categories=(),
    )
    (outcome,) = await push_all(endpoint, [update(endpoint, item, after)])
    assert outcome.item is not None, outcome.error
    assert ordered(outcome.item.content) == ordered(after)
    assert outcome.item.etag != item.etag
    fetched = (await endpoint.fetch([item.id]))[item.id]
    assert isinstance(fetched, RemoteItem)
    assert fetched.content == outcome.item.content
    assert fetched.stamp == item.stamp


async def test_every_field_can_be_emptied_and_filled_again(endpoint: Endpoint) -> None:
    item = await made(endpoint, FULL)
    bare = Contact(display_name="Ada", file_as="Ada")
    (emptied,) = await push_all(endpoint, [update(endpoint, item, bare)])
    assert emptied.item is not None, emptied.error
    assert emptied.item.content == bare
    (filled,) = await push_all(endpoint, [update(endpoint, emptied.item, FULL)])
    assert filled.item is not None, filled.error
    assert ordered(filled.item.content) == ordered(FULL)


async def test_what_is_there_need_not_be_known_to_be_written_over(endpoint: Endpoint) -> None:
    """Fields that are named are written as a whole, also where they are to be blank."""
    item = await made(endpoint, FULL)
    after = msgspec.structs.replace(FULL, notes="neu", emails=(), phones=FULL.phones[:1])
    body = endpoint.encode_changes(None, after, ("notes", "emails", "phones"))
    (outcome,) = await push_all(endpoint, [Update(id=item.id, etag="", body=body)])
    assert outcome.item is not None, outcome.error
    assert ordered(outcome.item.content) == ordered(after)


async def test_more_than_fits_is_cut_to_what_the_limits_say(endpoint: Endpoint) -> None:
    """What the endpoint declares that it can show, it shows, and no less."""
    crowd = msgspec.structs.replace(
        FULL,
        emails=tuple(Email(f"a{at}@contoso.example") for at in range(5)),
        im_addresses=tuple(f"sip:{at}" for at in range(5)),
        phones=tuple(Phone(kind, f"{kind} {at}") for kind in PhoneKind for at in range(3)),
    )
    shown = project(crowd, endpoint.capabilities.limits, None)
    assert shown != crowd
    item = await made(endpoint, shown)
    assert ordered(item.content) == ordered(shown)


async def test_a_stale_update_is_refused_where_the_endpoint_promises_it(
    endpoint: Endpoint, place: Place
) -> None:
    if not endpoint.capabilities.honours_if_match:
        pytest.skip("not promised: the engine compares what is answered")
    item = await made(endpoint, contact(1))
    place.user_edits("the user's")
    after = msgspec.structs.replace(item.content, job_title="ours")
    (outcome,) = await push_all(endpoint, [update(endpoint, item, after)])
    assert outcome.result is Result.STALE
    fetched = (await endpoint.fetch([item.id]))[item.id]
    assert isinstance(fetched, RemoteItem)
    assert isinstance(fetched.content, Contact)
    assert fetched.content.job_title == "the user's"


async def test_a_stale_deletion_deletes_nothing(endpoint: Endpoint, place: Place) -> None:
    item = await made(endpoint, contact(1))
    place.user_edits("the user's")
    (outcome,) = await push_all(endpoint, [Delete(id=item.id, etag=item.etag)])
    assert (outcome.result, place.held()) == (Result.STALE, 1)


async def test_a_permanent_deletion_skips_the_bin(endpoint: Endpoint, place: Place) -> None:
    one, two = [each.item for each in await push_all(endpoint, creates(endpoint, 2))]
    assert one is not None
    assert two is not None
    outcomes = await push_all(
        endpoint,
        [Delete(id=one.id, etag=one.etag), Delete(id=two.id, etag="", permanent=True)],
    )
    assert {each.result for each in outcomes} == {Result.DONE}
    assert (place.held(), place.binned()) == (0, 1)


async def test_what_is_gone_is_gone(endpoint: Endpoint) -> None:
    item = await made(endpoint, contact(1))
    await push_all(endpoint, [Delete(id=item.id, etag="", permanent=True)])
    after = msgspec.structs.replace(item.content, job_title="x")
    outcomes = await push_all(
        endpoint,
        [
            Delete(id=item.id, etag=""),
            update(endpoint, item, after),
            Delete(id=item.id, etag=item.etag),
        ],
    )
    assert [each.result for each in outcomes] == [Result.DONE, Result.GONE, Result.DONE]


async def test_what_the_service_refuses_is_rejected_alone(endpoint: Endpoint, place: Place) -> None:
    good = creates(endpoint, 2)
    outcomes = await push_all(endpoint, [good[0], place.broken(endpoint, "i/h/b/s/1"), good[1]])
    assert [each.result for each in outcomes] == [Result.DONE, Result.REJECTED, Result.DONE]
    assert place.held() == 2
    assert outcomes[1].error
    assert "son" not in outcomes[1].error


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", ["drop", "truncate", "status"])
async def test_a_lost_answer_is_unknown_and_nothing_is_sent_again(
    endpoint: Endpoint, place: Place, session: Session, kind: str, moment: str
) -> None:
    place.world.faults.add(
        Rule(kind=kind, moment=moment, status=504, keep_bytes=400, **place.create_fault)  # type: ignore[arg-type]
    )
    outcomes = await push_all(endpoint, creates(endpoint, 3))
    assert {each.result for each in outcomes} == {Result.UNKNOWN}
    assert [each[2] for each in place.world.faults.listing()] == [1]
    took_effect = moment == "after" or kind == "truncate"
    assert place.held() == (3 if took_effect else 0)
    place.world.faults.clear()
    found = await endpoint.find([f"i/h/{at}/s/1" for at in range(3)])
    assert [len(each) for each in found.values()] == [1 if took_effect else 0] * 3


async def test_a_service_that_cannot_be_reached_took_nothing(
    endpoint: Endpoint, place: Place
) -> None:
    await place.stop()
    outcomes = await push_all(endpoint, creates(endpoint, 3))
    # Where a connection was still held, nobody knows whether it was read from.
    assert {each.result for each in outcomes} <= {Result.RETRY, Result.UNKNOWN}
    outcomes = await push_all(endpoint, creates(endpoint, 3))
    assert {each.result for each in outcomes} == {Result.RETRY}


async def test_a_busy_service_took_nothing_and_is_left_alone_for_as_long_as_it_says(
    endpoint: Endpoint, place: Place
) -> None:
    place.world.faults.add(
        Rule(kind="status", retry_after=600, count=1, **place.create_fault, **place.busy)
    )
    outcomes = await push_all(endpoint, creates(endpoint, 2))
    assert [(each.result, each.retry_after) for each in outcomes] == [(Result.RETRY, 600.0)] * 2
    assert place.held() == 0
    with pytest.raises(ThrottledError):
        await push_all(endpoint, creates(endpoint, 1))
    with pytest.raises(ThrottledError):
        await endpoint.fetch(["x"])
    assert place.held() == 0


async def push_into(
    got: list[Outcome], endpoint: Endpoint, operations: Sequence[Operation]
) -> None:
    """So that what came before an error is not lost with it."""
    async for outcomes in endpoint.push(operations):
        got += outcomes


async def test_a_folder_that_went_away_stops_the_push(endpoint: Endpoint, place: Place) -> None:
    place.folder_goes()
    got: list[Outcome] = []
    with pytest.raises(TargetNotFoundError):
        await push_into(got, endpoint, creates(endpoint, 3))
    assert got == []


async def test_two_operations_on_one_item_keep_their_order(
    endpoint: Endpoint, place: Place
) -> None:
    item = await made(endpoint, contact(1))
    first = msgspec.structs.replace(item.content, job_title="first")
    outcomes = await push_all(
        endpoint, [update(endpoint, item, first), Delete(id=item.id, etag="")]
    )
    assert [each.result for each in outcomes] == [Result.DONE, Result.DONE]
    assert place.held() == 0


async def test_who_may_write_no_more_is_stopped_at_the_last_moment(
    session: Session, place: Place
) -> None:
    asked: list[float] = []

    def held_by_another(seconds: float) -> None:
        asked.append(seconds)
        if len(asked) > 3:
            raise LeaseLostError("hub staff: another process holds it")

    opening = session.endpoint()
    await opening.open(create=True)
    target = await opening.open(create=True)
    endpoint = session.endpoint(fence=held_by_another)
    await endpoint.open(create=False, known=target)
    asked[:] = [0.0] * 3
    with pytest.raises(LeaseLostError):
        await push_all(endpoint, creates(endpoint, 3))
    assert asked[3:] == [40.0]
    assert place.held() == 0


async def test_a_certificate_of_somebody_else_is_not_trusted(place: Place) -> None:
    strange = Origins(place.origins)
    async with place.session(strange) as session:
        with pytest.raises(EndpointUnavailableError, match="certificate"):
            await session.endpoint().open(create=False)


async def test_what_was_pushed_is_what_the_delta_shows(endpoint: Endpoint) -> None:
    """The acknowledged content and etag are those that come back, so that an echo is none."""
    pages = await read_all(endpoint)
    made_items = [each.item for each in await push_all(endpoint, creates(endpoint, 3))]
    (page,) = await read_all(endpoint, pages[-1].cursor)
    assert sorted(page.changes, key=lambda one: one.id) == sorted(
        (one for one in made_items if one is not None), key=lambda one: one.id
    )
