"""What is merged of calendars, and what would be written into them: the real merge over a real
store. No mailbox is asked, since what it said is staged."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cirahub_sync.configuration import (
    Condition,
    DeletedBy,
    Direction,
    Filter,
    Flow,
    MappingRule,
    Operator,
    PrivateItems,
)
from cirahub_sync.endpoints.masking import masked
from cirahub_sync.engine.plan import Judgement, Why
from cirahub_sync.model.event import Event, Occurrence
from cirahub_sync.model.kind import as_event
from cirahub_sync.store import lookup
from cirahub_sync.store.rows import READ_ONLY, Action

from .calendars import INVITED, MEETING, NINE, REVIEW, TEN, Calendars, but


async def test_an_event_is_the_same_in_every_mailbox_that_was_invited(calendars: Calendars) -> None:
    for spoke in ("ada", "ben"):
        calendars.connect(spoke)
    calendars.sees("ada", "a1", MEETING)
    calendars.sees("ben", "b1", INVITED)
    calendars.sees("ben", "b2", but(REVIEW, uid="u2"))
    calendars.sees("ben", "b3", but(REVIEW, original_start="2026-12-01"))

    await calendars.merge()

    uids = sorted(
        (as_event(item.content).uid, as_event(item.content).original_start)
        for item in calendars.items()
    )
    assert uids == [("u1", ""), ("u1", "2026-12-01"), ("u2", "")]


async def test_a_copy_is_a_plain_appointment_without_what_is_a_mailboxes_own(
    calendars: Calendars,
) -> None:
    calendars.connect("ada")
    calendars.connect("cy", Direction.RECEIVE)
    own = but(MEETING, response="organizer", show_as="oof", reminder="15", categories=("Red",))
    calendars.sees("ada", "a1", own)

    judged = calendars.judged(await calendars.merge(), "cy")

    assert judged.action is Action.CREATE
    assert judged.desired == Event(subject="Review", body="Notes", schedule=NINE)


async def test_a_copy_of_free_and_busy_times_tells_nothing_else(calendars: Calendars) -> None:
    series = but(MEETING, schedule=f"{NINE}\nRRULE:FREQ=DAILY")
    moved = Occurrence(
        "2026-12-02", start="2026-12-02T11:00:00", end="2026-12-02T12:00:00", subject="Secret"
    )
    busy = Flow(
        mapping=(MappingRule(field="subject", set_value="Busy"),), exclude=("body", "location")
    )
    calendars.connect("ada")
    calendars.connect("cy", Direction.RECEIVE, receives=busy)
    calendars.sees("ada", "a1", but(series, exceptions=(moved,)))

    judged = calendars.judged(await calendars.merge(), "cy")

    assert judged.desired == Event(
        subject="Busy",
        schedule=series.schedule,
        exceptions=(msgspec.structs.replace(moved, subject=""),),
    )


@pytest.mark.parametrize("event", [MEETING, INVITED])
async def test_nothing_is_written_to_an_event_with_attendees_whatever_became_of_it(
    tmp_path: Path, event: Event
) -> None:
    """Invariant 10. Its user changes it elsewhere, it dies, and any contributor may delete."""
    calendars = Calendars(tmp_path, DeletedBy.ANY_CONTRIBUTOR)
    calendars.connect("ada", Direction.TWO_WAY)
    calendars.connect("ben")
    calendars.sees("ada", "a1", event)
    calendars.sees("ben", "b1", but(REVIEW, subject="Changed"))

    context = await calendars.merge()

    assert calendars.event().subject == "Review"
    assert calendars.judged(context, "ada").why is Why.READ_ONLY
    calendars.loses("ben", "b1")
    context = await calendars.merge()
    assert not calendars.item().alive
    assert calendars.judged(context, "ada") == Judgement(
        item=calendars.item().id, seq=calendars.item().seq, why=Why.READ_ONLY
    )
    calendars.close()


async def test_what_a_filter_keeps_out_is_still_known_to_be_read_only(
    calendars: Calendars,
) -> None:
    only = Flow(filter=Filter(none=(Condition("subject", Operator.CONTAINS, ("secret",)),)))
    calendars.connect("ada", Direction.TWO_WAY, contributes=only)
    calendars.connect("ben")
    calendars.sees("ada", "a1", INVITED)
    calendars.sees("ben", "b1", MEETING)
    await calendars.merge()
    calendars.sees("ada", "a1", but(INVITED, subject="Secret review"), etag="2")

    context = await calendars.merge()

    assert calendars.item().alive
    assert calendars.judged(context, "ada").why is Why.READ_ONLY


async def test_a_plain_appointment_is_kept_in_step_both_ways(calendars: Calendars) -> None:
    for spoke in ("ada", "ben"):
        calendars.connect(spoke, Direction.TWO_WAY)
    calendars.sees("ada", "a1", but(REVIEW, show_as="busy"))
    calendars.sees("ben", "b1", but(REVIEW, show_as="free"))
    await calendars.merge()
    calendars.sees("ben", "b1", but(REVIEW, schedule=TEN, show_as="free"), etag="2")

    judged = calendars.judged(await calendars.merge(), "ada")

    assert judged.action is Action.UPDATE
    assert judged.desired == but(REVIEW, schedule=TEN, show_as="busy")


async def test_what_a_mailbox_has_for_itself_changes_nothing_elsewhere(
    calendars: Calendars,
) -> None:
    for spoke in ("ada", "ben"):
        calendars.connect(spoke, Direction.TWO_WAY)
    calendars.sees("ada", "a1", REVIEW)
    calendars.sees("ben", "b1", REVIEW)
    await calendars.merge()
    before = calendars.item().seq
    own = but(REVIEW, show_as="free", reminder="5", sensitivity="private", categories=("Red",))
    calendars.sees("ada", "a1", but(own, response="accepted"), etag="2")

    context = await calendars.merge()

    assert calendars.item().seq == before
    assert calendars.judged(context, "ben").why is Why.CURRENT


@pytest.mark.parametrize("allowed_by", [DeletedBy.ALL_CONTRIBUTORS, DeletedBy.ANY_CONTRIBUTOR])
async def test_an_event_dies_with_its_organisers_and_not_with_one_of_the_invited(
    tmp_path: Path, allowed_by: DeletedBy
) -> None:
    calendars = Calendars(tmp_path, allowed_by)
    for spoke in ("ada", "ben", "cy"):
        calendars.connect(spoke)
    calendars.sees("ada", "a1", MEETING)
    calendars.sees("ben", "b1", INVITED)
    calendars.sees("cy", "c1", INVITED)
    await calendars.merge()

    calendars.loses("ben", "b1")
    await calendars.merge()
    assert calendars.item().alive
    calendars.loses("ada", "a1")
    await calendars.merge()
    assert not calendars.item().alive
    calendars.sees("cy", "c1", but(INVITED, subject="Cancelled: Review"), etag="2")
    await calendars.merge()
    assert not calendars.item().alive
    calendars.sees("ada", "a2", MEETING)
    await calendars.merge()
    assert calendars.item().alive
    calendars.close()


async def test_nobody_ends_an_event_where_nobody_may_delete(tmp_path: Path) -> None:
    calendars = Calendars(tmp_path, DeletedBy.NEVER)
    for spoke in ("ada", "ben"):
        calendars.connect(spoke)
    calendars.sees("ada", "a1", MEETING)
    calendars.sees("ben", "b1", INVITED)
    await calendars.merge()

    calendars.loses("ada", "a1")
    await calendars.merge()

    assert calendars.item().alive
    calendars.close()


async def test_an_event_without_its_organiser_dies_with_the_last_of_the_invited(
    calendars: Calendars,
) -> None:
    for spoke in ("ben", "cy"):
        calendars.connect(spoke)
    calendars.sees("ben", "b1", INVITED)
    calendars.sees("cy", "c1", INVITED)
    await calendars.merge()

    calendars.loses("ben", "b1")
    await calendars.merge()
    assert calendars.item().alive
    calendars.loses("cy", "c1")
    await calendars.merge()
    assert not calendars.item().alive


async def test_what_somebody_else_says_of_a_meeting_is_kept_as_a_conflict(
    calendars: Calendars,
) -> None:
    for spoke in ("ada", "ben"):
        calendars.connect(spoke)
    calendars.sees("ada", "a1", MEETING)
    calendars.sees("ben", "b1", but(REVIEW, schedule=TEN))

    context = await calendars.merge()

    assert calendars.event().schedule == NINE
    assert context.report.conflicts == 1
    with calendars.opened.read() as tx:
        (conflict,) = lookup.lost(tx, calendars.item().id)
    assert (conflict.field, conflict.winner, conflict.loser) == ("schedule", READ_ONLY, "ben")


@pytest.mark.parametrize("sensitivity", ["private", "confidential"])
async def test_an_event_that_its_owner_keeps_private_is_not_contributed(
    calendars: Calendars, sensitivity: str
) -> None:
    calendars.connect("ada")
    calendars.connect("cy", Direction.RECEIVE)
    calendars.sees("ada", "a1", but(REVIEW, sensitivity="personal"))
    calendars.sees("ada", "a2", but(REVIEW, uid="u2", sensitivity=sensitivity))
    await calendars.merge()
    assert calendars.event().uid == "u1"

    calendars.sees("ada", "a1", but(REVIEW, sensitivity=sensitivity), etag="2")
    context = await calendars.merge()

    assert not calendars.item().alive
    assert calendars.judged(context, "cy").why is Why.DEAD
    with calendars.opened.read() as tx:
        kept = tx.shadows.by_remote("ada", ["a1", "a2"]).values()
    assert [as_event(one.content) for one in kept] == [Event(), Event()]


async def test_of_a_private_event_that_is_masked_only_the_time_is_known_and_it_is_read_only(
    calendars: Calendars,
) -> None:
    calendars.connect("ada", Direction.TWO_WAY, private_items=PrivateItems.MASK)
    calendars.connect("cy", Direction.RECEIVE)
    calendars.connect("dee", Direction.TWO_WAY)
    calendars.sees("ada", "a1", masked(but(REVIEW, sensitivity="private")))

    context = await calendars.merge()

    assert calendars.event() == Event(schedule=NINE, uid="u1")
    assert calendars.judged(context, "cy").desired == Event(schedule=NINE)
    calendars.sees("dee", "d1", but(REVIEW, schedule=TEN))
    context = await calendars.merge()
    assert calendars.event().schedule == NINE
    assert calendars.judged(context, "ada").why is Why.READ_ONLY
