"""What becomes of writes: one outcome each, nothing sent twice, nothing guessed."""

from __future__ import annotations

import pytest

from cirahub_simulator.faults import Rule
from cirahub_sync.endpoints.base import (
    Delete,
    Endpoint,
    Outcome,
    Result,
    Update,
)
from cirahub_sync.errors import LeaseLostError, TargetNotFoundError, ThrottledError
from cirahub_sync.model.limits import project

from .place import (
    Place,
    Session,
    creates,
    here,
    key,
    made,
    push_all,
    push_into,
    read_all,
    stocked,
    update,
)
from .places import in_collections, where_there_is_a_bin, where_we_write


@where_we_write
async def test_a_create_is_stamped_and_comes_back_whole(endpoint: Endpoint, place: Place) -> None:
    samples = place.samples
    item = await made(endpoint, samples.full, key(1))
    assert samples.shared(item.content) == samples.shared(samples.full)
    assert item.stamp == key(1)
    assert item.etag
    assert await here(endpoint, item.id) == item
    assert place.held() == 1


@where_we_write
async def test_many_creates_are_stamped_each_by_itself(endpoint: Endpoint, place: Place) -> None:
    count = min(95, place.plenty)
    operations = creates(endpoint, place.samples, count)
    outcomes = await push_all(endpoint, operations)
    assert {each.result for each in outcomes} == {Result.DONE}
    assert place.held() == count
    for operation, outcome in zip(operations, outcomes, strict=True):
        assert outcome.item is not None
        assert outcome.item.stamp == operation.key


@where_we_write
async def test_an_update_changes_what_it_names_and_keeps_the_rest(
    endpoint: Endpoint, place: Place
) -> None:
    item = await made(endpoint, place.samples.full)
    after = place.samples.changed(item.content)
    (outcome,) = await push_all(endpoint, [update(endpoint, item, after)])
    assert outcome.item is not None, outcome.error
    assert outcome.missing is None
    assert place.samples.shared(outcome.item.content) == place.samples.shared(after)
    assert outcome.item.etag != item.etag
    fetched = await here(endpoint, item.id)
    assert fetched.content == outcome.item.content
    assert fetched.stamp == item.stamp


@where_we_write
async def test_every_field_can_be_emptied_and_filled_again(
    endpoint: Endpoint, place: Place
) -> None:
    samples = place.samples
    item = await made(endpoint, samples.full)
    (emptied,) = await push_all(endpoint, [update(endpoint, item, samples.bare)])
    assert emptied.item is not None, emptied.error
    assert samples.shared(emptied.item.content) == samples.bare
    (filled,) = await push_all(endpoint, [update(endpoint, emptied.item, samples.full)])
    assert filled.item is not None, filled.error
    assert filled.missing is None
    assert samples.shared(filled.item.content) == samples.shared(samples.full)


@where_we_write
async def test_what_is_there_need_not_be_known_to_be_written_over(
    endpoint: Endpoint, place: Place
) -> None:
    """Fields that are named are written as a whole, also where they are to be blank."""
    item = await made(endpoint, place.samples.full)
    after = place.samples.overwritten()
    body = endpoint.encode_changes(None, after, tuple(place.samples.overwriting))
    (outcome,) = await push_all(endpoint, [Update(id=item.id, etag="", body=body)])
    assert outcome.item is not None, outcome.error
    assert place.samples.shared(outcome.item.content) == place.samples.shared(after)


@where_we_write
async def test_more_than_fits_is_cut_to_what_the_limits_say(
    endpoint: Endpoint, place: Place
) -> None:
    """What the endpoint declares that it can show, it shows, and no less."""
    limits = endpoint.capabilities.limits
    crowd = place.samples.crowd
    if crowd is None:
        assert not limits.lengths, "there is something to cut: give it a sample"
        return
    shown = project(crowd, limits, None)
    assert shown != crowd
    item = await made(endpoint, shown)
    assert place.samples.shared(item.content) == place.samples.shared(shown)


@in_collections
async def test_a_stale_update_is_refused_where_the_endpoint_promises_it(
    endpoint: Endpoint, place: Place
) -> None:
    if not endpoint.capabilities.honours_if_match:
        pytest.skip("not promised: the engine compares what is answered")
    item = await made(endpoint, place.samples.one(1))
    place.user_edits("the user's")
    after = place.samples.edited(item.content, "ours")
    (outcome,) = await push_all(endpoint, [update(endpoint, item, after)])
    assert outcome.result is Result.STALE
    fetched = await here(endpoint, item.id)
    assert fetched.content == place.samples.edited(item.content, "the user's")


@in_collections
async def test_a_stale_deletion_deletes_nothing(endpoint: Endpoint, place: Place) -> None:
    item = await made(endpoint, place.samples.one(1))
    place.user_edits("the user's")
    (outcome,) = await push_all(endpoint, [Delete(id=item.id, etag=item.etag)])
    assert (outcome.result, place.held()) == (Result.STALE, 1)


@where_there_is_a_bin
async def test_a_permanent_deletion_skips_the_bin(endpoint: Endpoint, place: Place) -> None:
    one, two = await stocked(endpoint, place, 2)
    outcomes = await push_all(
        endpoint,
        [Delete(id=one.id, etag=one.etag), Delete(id=two.id, etag="", permanent=True)],
    )
    assert {each.result for each in outcomes} == {Result.DONE}
    assert (place.held(), place.binned()) == (0, 1)


@where_we_write
async def test_what_is_gone_is_gone(endpoint: Endpoint, place: Place) -> None:
    item = await made(endpoint, place.samples.one(1))
    await push_all(endpoint, [Delete(id=item.id, etag="", permanent=True)])
    after = place.samples.edited(item.content, "x")
    outcomes = await push_all(
        endpoint,
        [
            Delete(id=item.id, etag=""),
            update(endpoint, item, after),
            Delete(id=item.id, etag=item.etag),
        ],
    )
    assert [each.result for each in outcomes] == [Result.DONE, Result.GONE, Result.DONE]


@where_we_write
async def test_what_the_service_refuses_is_rejected_alone(endpoint: Endpoint, place: Place) -> None:
    good = creates(endpoint, place.samples, 2)
    outcomes = await push_all(endpoint, [good[0], place.broken(endpoint, key(999)), good[1]])
    assert [each.result for each in outcomes] == [Result.DONE, Result.REJECTED, Result.DONE]
    assert place.held() == 2
    assert outcomes[1].error
    assert "son" not in outcomes[1].error


@where_we_write
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", ["drop", "truncate", "status"])
async def test_a_lost_answer_is_unknown_and_nothing_is_sent_again(
    endpoint: Endpoint, place: Place, kind: str, moment: str
) -> None:
    place.world.faults.add(
        Rule(kind=kind, moment=moment, status=504, keep_bytes=400, **place.create_fault)  # type: ignore[arg-type]
    )
    outcomes = await push_all(endpoint, creates(endpoint, place.samples, 3))
    assert {each.result for each in outcomes} == {Result.UNKNOWN}
    assert [each[2] for each in place.world.faults.listing()] == [1 if place.together else 3]
    took_effect = moment == "after" or kind == "truncate"
    assert place.held() == (3 if took_effect else 0)
    place.world.faults.clear()
    found = await endpoint.find([key(number) for number in range(3)])
    assert [len(each) for each in found.values()] == [1 if took_effect else 0] * 3


@where_we_write
async def test_a_service_that_cannot_be_reached_took_nothing(
    endpoint: Endpoint, place: Place
) -> None:
    await made(endpoint, place.samples.one(9))
    await place.stop()
    outcomes = await push_all(endpoint, creates(endpoint, place.samples, 3))
    # Where a connection was still held, nobody knows whether it was read from.
    assert {each.result for each in outcomes} <= {Result.RETRY, Result.UNKNOWN}
    outcomes = await push_all(endpoint, creates(endpoint, place.samples, 3))
    assert {each.result for each in outcomes} == {Result.RETRY}


@where_we_write
async def test_a_busy_service_took_nothing_and_is_left_alone_for_as_long_as_it_says(
    endpoint: Endpoint, place: Place
) -> None:
    item = await made(endpoint, place.samples.one(9))
    place.world.faults.add(
        Rule(
            kind="status",
            retry_after=600,
            count=1 if place.together else 2,
            **place.create_fault,
            **place.busy,
        )
    )
    outcomes = await push_all(endpoint, creates(endpoint, place.samples, 2))
    assert [(each.result, each.retry_after) for each in outcomes] == [(Result.RETRY, 600.0)] * 2
    assert place.held() == 1
    with pytest.raises(ThrottledError):
        await push_all(endpoint, creates(endpoint, place.samples, 1))
    with pytest.raises(ThrottledError):
        await endpoint.fetch([item.id])
    assert place.held() == 1


@in_collections
async def test_a_folder_that_went_away_stops_the_push(endpoint: Endpoint, place: Place) -> None:
    place.folder_goes()
    got: list[Outcome] = []
    with pytest.raises(TargetNotFoundError):
        await push_into(got, endpoint, creates(endpoint, place.samples, 3))
    assert got == []


@where_we_write
async def test_two_operations_on_one_item_keep_their_order(
    endpoint: Endpoint, place: Place
) -> None:
    item = await made(endpoint, place.samples.one(1))
    first = place.samples.edited(item.content, "first")
    outcomes = await push_all(
        endpoint, [update(endpoint, item, first), Delete(id=item.id, etag="")]
    )
    assert [each.result for each in outcomes] == [Result.DONE, Result.DONE]
    assert place.held() == 0


@where_we_write
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
        await push_all(endpoint, creates(endpoint, place.samples, 3))
    assert asked[3:] == [40.0] * (1 if place.together else 3)
    assert place.held() == 0


@in_collections
async def test_what_was_pushed_is_what_the_delta_shows(endpoint: Endpoint, place: Place) -> None:
    """The acknowledged content and etag are those that come back, so that an echo is none."""
    pages = await read_all(endpoint)
    made_items = await stocked(endpoint, place, 3)
    (page,) = await read_all(endpoint, pages[-1].cursor)
    assert sorted(page.changes, key=lambda one: one.id) == sorted(
        made_items, key=lambda one: one.id
    )
