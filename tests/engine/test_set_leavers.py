"""Who leaves a set: late, never too many at once, and whole sets too."""

from __future__ import annotations

from cirahub_sync.configuration import Direction
from cirahub_sync.spoke_set import LeaverLimits

from .company import (
    DESK,
    GRACE,
    READ_AGAIN,
    TEAM,
    declare,
    erase_due,
    join,
    settle,
    staff,
)
from .conftest import Scene


async def test_who_joins_gets_everything_and_who_leaves_is_erased_after_the_grace(
    company: Scene,
) -> None:
    declare(company)
    await settle(company)
    join(company, DESK, "dan")
    await company.sync()
    assert company.names("dan") == [], "not before its interval"
    company.advance(READ_AGAIN)
    report = await company.sync()
    assert company.names("dan") == ["Eve", "Fay"]
    assert staff(report).states == {"Ready": 3, "Leaving": 1}
    assert await erase_due(company) == 0
    assert company.names("cy") == ["Eve", "Fay"]
    company.advance(GRACE)
    assert await erase_due(company) == 1
    assert company.names("cy") == []
    assert company.binned("cy") == 0, "for good"
    assert staff(await company.sync()).states == {"Ready": 3}


async def test_who_comes_back_within_the_grace_keeps_the_very_same_copies(company: Scene) -> None:
    declare(company)
    await settle(company)
    before = company.held("cy")
    join(company, DESK)
    company.advance(READ_AGAIN)
    await company.sync()
    assert [one.set for one in await company.worker.erasures()] == ["set-staff"]
    join(company, DESK, "cy")
    company.advance(READ_AGAIN)
    company.forget()
    report = await company.sync()
    assert (company.held("cy"), company.writes()) == (before, [])
    assert staff(report).states == {"Ready": 3}
    assert await company.worker.erasures() == []


async def test_who_was_erased_and_joins_again_gets_everything_anew(company: Scene) -> None:
    declare(company, grace=0.0)
    await settle(company)
    join(company, DESK)
    company.advance(READ_AGAIN)
    await company.sync()
    assert await erase_due(company) == 1
    join(company, DESK, "cy")
    company.advance(READ_AGAIN)
    await company.sync()
    assert company.names("cy") == ["Eve", "Fay"]


async def test_a_group_that_suddenly_reads_empty_erases_nobody(company: Scene) -> None:
    limits = LeaverLimits(grace_period=0.0, max_count=1000, max_percent=100)
    declare(company, leavers=limits)
    await settle(company)
    join(company, TEAM)
    company.advance(READ_AGAIN)
    report = await company.sync()
    assert (staff(report).held, staff(report).emptied) == (3, True)
    assert staff(report).states == {"Ready": 3}
    assert await company.worker.erasures() == []
    report = await company.sync()
    assert staff(report).held == 3, "it goes on to ask"
    join(company, TEAM, "ann", "bob", DESK)
    company.advance(READ_AGAIN)
    report = await company.sync()
    assert (staff(report).held, staff(report).approval) == (0, "")


async def test_too_many_leavers_wait_for_approval_and_go_with_it(company: Scene) -> None:
    limits = LeaverLimits(grace_period=0.0, max_count=1, max_percent=100)
    declare(company, leavers=limits)
    await settle(company)
    join(company, TEAM, "ann")
    company.advance(READ_AGAIN)
    report = await company.sync()
    assert (staff(report).held, staff(report).emptied) == (2, False)
    approval = staff(report).approval
    report = await company.sync(approved=frozenset(["another"]))
    assert staff(report).left == 0
    report = await company.sync(approved=frozenset([approval]))
    assert (staff(report).left, staff(report).approval) == (2, "")
    assert await erase_due(company) == 2
    assert [company.names(one) for one in ("ann", "bob", "cy")] == [["Eve", "Fay"], [], []]


async def test_an_approval_is_for_exactly_those_who_were_shown(company: Scene) -> None:
    limits = LeaverLimits(grace_period=0.0, max_count=1, max_percent=100)
    join(company, TEAM, "ann", "bob", "dan", DESK)
    declare(company, leavers=limits)
    await settle(company)
    join(company, TEAM, "ann", "dan")
    company.advance(READ_AGAIN)
    approval = staff(await company.sync()).approval
    join(company, TEAM, "ann")
    report = await company.sync(approved=frozenset([approval]))
    assert staff(report).held == 3
    assert staff(report).approval != approval
    assert await company.worker.erasures() == []


async def test_many_small_readings_cannot_do_what_one_large_one_may_not(company: Scene) -> None:
    names = [f"user{number}" for number in range(6)]
    join(company, TEAM, *names)
    declare(company, leavers=LeaverLimits(grace_period=0.0, max_count=1, max_percent=100))
    await settle(company)
    for left in range(1, 4):
        join(company, TEAM, *names[left:])
        company.advance(READ_AGAIN)
        report = await company.sync()
    assert staff(report).held == 1
    assert await erase_due(company) == 2
    company.advance(90_000)
    report = await company.sync()
    assert staff(report).held == 0


async def test_who_leaves_keeps_its_copies_where_the_set_retains_them(company: Scene) -> None:
    declare(company, retain=True, grace=0.0)
    await settle(company)
    join(company, DESK)
    company.advance(READ_AGAIN)
    report = await company.sync()
    assert await company.worker.erasures() == []
    assert company.names("cy") == ["Eve", "Fay"]
    assert staff(report).states == {"Ready": 2}
    join(company, DESK, "cy")
    company.advance(READ_AGAIN)
    await settle(company)
    assert company.names("cy") == ["Eve", "Fay"], "each once"


async def test_a_whole_set_leaves_and_comes_back_in_time(company: Scene) -> None:
    declare(company)
    await settle(company)
    before = company.held("cy")
    one = company.sets.pop("staff")
    erase_at = company.clock() + GRACE
    assert len(await company.worker.leave_set(company.hub, one.uid, erase_at=erase_at)) == 3
    await company.sync()
    company.sets["staff"] = one
    company.forget()
    report = await company.sync()
    assert staff(report).states == {"Ready": 3}
    assert (company.held("cy"), company.writes()) == (before, [])
    assert await company.worker.erasures() == []


async def test_a_set_of_another_name_goes_on_with_what_one_left(company: Scene) -> None:
    declare(company)
    await settle(company)
    before = company.held("cy")
    one = company.sets.pop("staff")
    await company.worker.leave_set(company.hub, one.uid, erase_at=company.clock() + GRACE)
    declare(company, "everybody")
    company.forget()
    report = await settle(company)
    assert staff(report, "everybody").states == {"Ready": 3}
    assert (company.held("cy"), company.writes()) == (before, [])
    assert await company.worker.erasures() == []


async def test_a_whole_set_that_does_not_come_back_is_erased(company: Scene) -> None:
    declare(company)
    await settle(company)
    one = company.sets.pop("staff")
    await company.worker.leave_set(company.hub, one.uid, erase_at=company.clock())
    assert await erase_due(company) == 3
    assert [company.names(name) for name in ("ann", "bob", "cy")] == [[], [], []]
    with company.worker._store.hub(company.hub.uid).read() as tx:
        assert tx.members.of_set(one.uid) == {}
        assert list(tx.spokes()) == ["spoke-ada"]


async def test_what_a_contributing_member_put_in_goes_with_it(company: Scene) -> None:
    declare(company, direction=Direction.TWO_WAY, grace=0.0)
    company.add("bob", displayName="Own", email="own@partner.example")
    await settle(company)
    assert company.names("ann") == ["Eve", "Fay", "Own"]
    join(company, TEAM, "ann", DESK)
    company.advance(READ_AGAIN)
    await company.sync()
    assert await erase_due(company) == 1
    assert company.names("ann") == ["Eve", "Fay"]
    assert company.names("bob") == ["Own"]
