"""Sets of spokes: who joins, who leaves, who is isolated, and what changes nothing."""

from __future__ import annotations

import msgspec
import pytest

from cirahub_sync.configuration import Direction, MailboxTarget
from cirahub_sync.spoke_set import LeaverLimits, MemberSource

from .company import (
    DESK,
    GRACE,
    OUT,
    READ_AGAIN,
    TEAM,
    declare,
    erase_due,
    join,
    people,
    reading,
    settle,
    staff,
    user,
)
from .conftest import Scene

pytestmark = pytest.mark.every_database


async def test_every_member_of_a_group_gets_what_the_template_says(company: Scene) -> None:
    declare(company)
    report = await settle(company)
    for name in ("ann", "bob", "cy"):
        assert company.names(name) == ["Eve", "Fay"]
    assert company.names("dan") == []
    assert staff(report).states == {"Ready": 3}
    assert staff(report).counts.copies == 6
    assert list(report.spokes) == ["spoke-ada"], "members are told of in numbers"


async def test_who_opted_out_is_left_alone(company: Scene) -> None:
    join(company, OUT, "bob")
    declare(company, source=MemberSource(groups=(TEAM,), opt_out=OUT), grace=0.0)
    await settle(company)
    assert company.names("bob") == []
    assert not [one for one in company.requests() if people(company, "bob")[0] in one["path"]]
    join(company, OUT, "bob", "ann")
    company.advance(READ_AGAIN)
    await company.sync()
    await erase_due(company)
    assert company.names("ann") == []
    assert company.names("cy") == ["Eve", "Fay"]


async def test_with_an_opt_in_group_only_its_members_are_members(company: Scene) -> None:
    join(company, OUT, "bob", "dan")
    declare(company, source=MemberSource(groups=(TEAM,), opt_in=OUT))
    report = await settle(company)
    assert [company.names(one) for one in ("ann", "bob", "dan")] == [[], ["Eve", "Fay"], []]
    assert staff(report).states == {"Ready": 1}


async def test_members_are_listed_found_by_a_filter_and_excluded(company: Scene) -> None:
    for name in ("ann", "cy"):
        user(company, name).department = "Sales"
    source = MemberSource(
        mailboxes=("bob@contoso.example", "Dan@contoso.example"),
        filter="department eq 'Sales'",
        excluding=("DAN@contoso.example", people(company, "cy")[0]),
    )
    declare(company, source=source)
    report = await settle(company)
    assert [company.names(one) for one in ("ann", "bob")] == [["Eve", "Fay"]] * 2
    assert [company.names(one) for one in ("cy", "dan")] == [[], []]
    assert staff(report).states == {"Ready": 2}


async def test_guests_and_contacts_of_a_group_are_no_members(company: Scene) -> None:
    user(company, "bob").user_principal_name = "bob_partner#EXT#@contoso.example"
    declare(company)
    assert staff(await settle(company)).states == {"Ready": 2}


async def test_an_unreadable_group_changes_nothing_and_says_so(company: Scene) -> None:
    dan = company.mailbox("dan")
    source = MemberSource(groups=(TEAM,), mailboxes=(dan,))
    declare(company, source=source, leavers=LeaverLimits(grace_period=0.0, max_percent=100))
    await settle(company)
    company.simulator.world.directory.remove_group(TEAM)
    company.advance(READ_AGAIN)
    company.add("ada", displayName="Gus", email="gus@partner.example")
    report = await company.sync()
    problem = staff(report).problem
    assert problem is not None
    assert problem.reason == "GroupNotFound"
    assert "nobody joins or leaves; its members are those of 20" in problem.message
    assert staff(report).states == {"Ready": 4}, "and not just whom it lists by name"
    assert company.names("cy") == ["Eve", "Fay", "Gus"], "who is in it is synced as before"
    assert await company.worker.erasures() == []


async def test_before_its_members_were_read_nothing_is_synced_and_it_says_why(
    company: Scene,
) -> None:
    declare(company, source=MemberSource(groups=("nobody@contoso.example",)))
    report = await company.sync()
    problem = staff(report).problem
    assert problem is not None
    assert problem.reason == "GroupNotFound"
    assert "until they have been read, nothing is synced here" in problem.message
    assert staff(report).states == {}


async def test_a_member_without_a_mailbox_is_isolated_and_tried_ever_more_rarely(
    company: Scene,
) -> None:
    user(company, "bob").has_mailbox = False
    declare(company)
    report = await settle(company)
    bob = people(company, "bob")[0]
    assert staff(report).states == {"Ready": 2, "Failed": 1}
    assert staff(report).worst == [(bob, "TargetNotFound")]
    assert company.names("cy") == ["Eve", "Fay"]
    company.forget()
    await company.sync(3)
    assert not [one for one in company.requests() if bob in one["path"]], "not before its pause"
    company.advance(READ_AGAIN)
    await company.sync()
    assert [one for one in company.requests() if bob in one["path"]]
    user(company, "bob").has_mailbox = True
    company.advance(2 * READ_AGAIN)
    report = await company.sync()
    assert staff(report).states == {"Ready": 3}
    assert company.names("bob") == ["Eve", "Fay"]


async def test_whoever_asks_has_everybody_tried_again_at_once(company: Scene) -> None:
    user(company, "bob").has_mailbox = False
    declare(company)
    await settle(company)
    user(company, "bob").has_mailbox = True
    join(company, DESK, "dan")
    declare(company, asked="2026-11-29T10:00:00Z")
    report = await company.sync()
    assert staff(report).states == {"Ready": 3, "Leaving": 1}
    company.forget()
    await company.sync()
    assert reading(company) == [], "once"


async def test_a_listed_mailbox_that_nobody_knows_is_isolated_until_it_is_there(
    company: Scene,
) -> None:
    declare(company, source=MemberSource(mailboxes=("bob@contoso.example", "new@contoso.example")))
    report = await settle(company)
    ((unknown, reason),) = staff(report).worst
    assert (unknown[:8], reason) == ("unknown-", "TargetNotFound")
    assert "new" not in unknown
    people(company, "new")
    company.advance(READ_AGAIN)
    report = await company.sync()
    assert staff(report).states == {"Ready": 2}
    assert company.names("new") == ["Eve", "Fay"]


async def test_a_renamed_mailbox_stays_the_same_member(company: Scene) -> None:
    declare(company)
    await settle(company)
    one = user(company, "bob")
    before = company.held("bob")
    one.mail = one.user_principal_name = "robert@contoso.example"
    company.simulator.world.directory.add_user(one)
    company.advance(READ_AGAIN)
    company.forget()
    report = await company.sync()
    assert staff(report).states == {"Ready": 3}
    assert company.writes() == []
    assert company.held("robert") == before
    (told,) = [m for m in await company.worker.members("staff") if m.id == one.id]
    assert "robert@contoso.example" in told.addresses


async def test_a_spoke_of_the_manifests_goes_before_a_member(company: Scene) -> None:
    company.connect("bob", Direction.RECEIVE)
    declare(company)
    report = await settle(company)
    bob = people(company, "bob")[0]
    assert staff(report).worst == [(bob, "TargetInUse")]
    assert report.spokes["spoke-bob"].problem is None
    assert company.names("bob") == ["Eve", "Fay"]


async def test_a_spoke_that_comes_later_goes_on_with_the_member_s_copies(company: Scene) -> None:
    declare(company)
    await settle(company)
    before = company.held("bob")
    company.connect("bob", Direction.RECEIVE)
    company.forget()
    report = await company.sync()
    assert report.spokes["spoke-bob"].problem is None
    assert report.spokes["spoke-bob"].counts.copies == 2
    assert (company.held("bob"), company.writes()) == (before, [])
    assert staff(report).worst == [(people(company, "bob")[0], "TargetInUse")]
    await company.leave("bob", grace=GRACE)
    report = await settle(company)
    assert staff(report).states == {"Ready": 3}, "and the member with the spoke's, once it leaves"
    assert company.held("bob") == before


async def test_a_spoke_by_an_address_that_nobody_tells_goes_before_a_member_too(
    company: Scene,
) -> None:
    declare(company)
    await settle(company)
    before = company.held("bob")
    spoke = company.connect("bob", Direction.RECEIVE)
    company.spokes["bob"] = msgspec.structs.replace(
        spoke, target=MailboxTarget(people(company, "bob")[0].upper())
    )
    # As if the directory did not tell this name.
    row = next(m for m in await company.worker.members() if "bob@contoso.example" in m.addresses)
    assert row.id == people(company, "bob")[0]
    report = await company.sync(2)
    assert report.spokes["spoke-bob"].problem is None
    assert staff(report).worst == [(row.id, "TargetInUse")]
    assert company.held("bob") == before


async def test_of_two_sets_the_one_that_was_there_first_keeps_the_mailbox(company: Scene) -> None:
    declare(company, "zoo")
    await settle(company)
    declare(company, "ape")
    report = await settle(company)
    assert staff(report, "zoo").states == {"Ready": 3}
    assert staff(report, "ape").states == {"Failed": 3}
    assert staff(report, "ape").reasons == {"TargetInUse": 3}
    declare(company, "ape", folder="Company")
    del company.sets["ape"]
    declare(company, "bee", folder="Company")
    report = await settle(company)
    assert staff(report, "bee").states == {"Ready": 3}, "another folder is another place"


async def test_a_suspended_member_is_left_as_it_is(company: Scene) -> None:
    declare(company)
    await settle(company)
    bob = people(company, "bob")[0]
    await company.worker.tend_members("staff", ["BOB@contoso.example"], suspend=True)
    company.add("ada", displayName="Gus", email="gus@partner.example")
    report = await settle(company)
    assert staff(report).states == {"Ready": 2, "Suspended": 1}
    assert company.names("bob") == ["Eve", "Fay"]
    await company.worker.tend_members("staff", [bob], suspend=False)
    await settle(company)
    assert company.names("bob") == ["Eve", "Fay", "Gus"]


async def test_a_suspended_set_reads_nothing_and_writes_nothing(company: Scene) -> None:
    declare(company)
    await settle(company)
    declare(company, suspend=True)
    join(company, TEAM)
    company.advance(READ_AGAIN)
    company.forget()
    await company.sync()
    assert (reading(company), company.writes()) == ([], [])
    assert company.names("bob") == ["Eve", "Fay"]


async def test_a_lost_store_makes_no_member_s_copies_twice(company: Scene) -> None:
    declare(company)
    await settle(company)
    before = company.held("cy")
    await company.lose_store()
    report = await settle(company)
    assert staff(report).states == {"Ready": 3}
    assert company.held("cy") == before


async def test_a_pass_in_which_nothing_changed_asks_nothing_of_members(company: Scene) -> None:
    declare(company)
    await settle(company)
    company.forget()
    await company.sync()
    (asked,) = company.requests()
    assert "/contacts/delta" in asked["path"]


async def test_a_plan_shows_what_members_would_get_and_lets_nobody_leave(company: Scene) -> None:
    declare(company)
    plan = await company.worker.plan(
        company.hub, list(company.spokes.values()), sets=list(company.sets.values())
    )
    assert len(plan.actions) == 6
    assert {one.spoke.rpartition("/")[0] for one in plan.actions} == {"default/staff"}
    await settle(company)
    join(company, DESK)
    company.advance(READ_AGAIN)
    await company.worker.plan(
        company.hub, list(company.spokes.values()), sets=list(company.sets.values())
    )
    assert await company.worker.erasures() == []
    await company.sync()
    assert len(await company.worker.erasures()) == 1
