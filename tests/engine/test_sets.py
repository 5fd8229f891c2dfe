"""Sets of spokes: who joins, who leaves, who is isolated, and what changes nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cirahub_simulator.directory import Group, User
from cirahub_sync.configuration import Direction, MailboxTarget, SpokeConfig
from cirahub_sync.engine.report import PassReport, SetReport
from cirahub_sync.spoke_set import LeaverLimits, MemberSource, SpokeSetConfig

from .conftest import CLIENT, TENANT, Scene

TEAM = "d0000000-0000-4000-8000-000000000001"
DESK = "d0000000-0000-4000-8000-000000000002"
OUT = "d0000000-0000-4000-8000-000000000003"
ROLES = ("Contacts.ReadWrite", "User.Read.All", "GroupMember.Read.All")
GRACE = 3600.0
READ_AGAIN = 1000.0


def declare(scene: Scene, name: str = "staff", **settings: Any) -> SpokeSetConfig:
    """A set over the team, or change it."""
    source = settings.pop("source", MemberSource(groups=(TEAM,)))
    template = SpokeConfig(
        uid=f"set-{name}",
        name=f"default/{name}",
        connection=scene.connection,
        target=MailboxTarget("", settings.pop("folder", "")),
        direction=settings.pop("direction", Direction.RECEIVE),
        **settings.pop("template", {}),
    )
    leavers = LeaverLimits(grace_period=settings.pop("grace", GRACE), max_percent=50)
    made = SpokeSetConfig(
        uid=f"set-{name}",
        name=f"default/{name}",
        source=source,
        template=template,
        leavers=settings.pop("leavers", leavers),
        **settings,
    )
    scene.sets[name] = made
    return made


def people(scene: Scene, *names: str) -> list[str]:
    """Their object ids."""
    found = [scene.simulator.world.directory.find_user(scene.mailbox(name)) for name in names]
    return [user.id for user in found if user is not None]


def user(scene: Scene, name: str) -> User:
    found = scene.simulator.world.directory.find_user(scene.mailbox(name))
    assert found is not None
    return found


@pytest.fixture
def company(scene: Scene) -> Scene:
    """Ann, Bob and Cy are in the team, Cy through its desk; Ada's contacts are the company's."""
    add = scene.simulator.world.directory.add_group
    people(scene, "ann", "bob", "cy", "dan")
    for group, name in ((TEAM, "team"), (DESK, "desk"), (OUT, "out")):
        mail = f"{name}@contoso.example"
        add(Group(id=group, tenant_id=TENANT, display_name=name, mail=mail))
    join(scene, DESK, "cy")
    join(scene, TEAM, "ann", "bob", DESK)
    scene.admin.grant(CLIENT, TENANT, ROLES)
    scene.connect("ada")
    for name in ("Eve", "Fay"):
        scene.add("ada", displayName=name, email=f"{name.lower()}@partner.example")
    return scene


def join(scene: Scene, group: str, *members: str) -> None:
    """The group's members are these now: people by name, groups by id."""
    scene.admin.set_members(
        group, [one if len(one) > 30 else scene.mailbox(one) for one in members]
    )


def staff(report: PassReport, name: str = "staff") -> SetReport:
    return report.sets[f"set-{name}"]


async def settle(scene: Scene) -> PassReport:
    report = await scene.sync(2)
    assert report.problem is None
    return report


async def erase_due(scene: Scene) -> int:
    done = 0
    for job in await scene.worker.erasures():
        if job.erase_at <= scene.clock():
            report = await scene.worker.erase(job.id, spokes=list(scene.spokes.values()))
            assert report.complete, report
            done += 1
    return done


def reading(scene: Scene) -> list[str]:
    return [one["path"] for one in scene.requests() if "transitiveMembers" in one["path"]]


async def test_every_member_of_a_group_gets_what_the_template_says(company: Scene) -> None:
    declare(company)
    report = await settle(company)
    for name in ("ann", "bob", "cy"):
        assert company.names(name) == ["Eve", "Fay"]
    assert company.names("dan") == []
    assert staff(report).states == {"Ready": 3}
    assert staff(report).counts.copies == 6
    assert list(report.spokes) == ["spoke-ada"], "members are told of in numbers"


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
