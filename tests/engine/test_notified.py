"""Passes over what services told of: a notification is a hint, and changes only when we look."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from cirahub_sync.configuration import Direction
from cirahub_sync.notifications import Mailroom
from cirahub_sync.spoke_set import member_uid
from cirahub_sync.store.opening import Store

from .company import declare, settle, staff, user
from .conftest import Scene


@pytest.fixture
def beside(scene: Scene) -> Iterator[Store]:
    """The store, as whoever takes in notifications has it."""
    store = scene.opened()
    yield store
    store.close()


def tell(scene: Scene, beside: Store, *names: str) -> None:
    """What a notification that proves itself leaves behind."""
    with beside.hub(scene.hub.uid).unleased() as tx:
        tx.notified.record([scene.spokes[name].uid for name in names], scene.clock())


def told(scene: Scene, beside: Store) -> list[str]:
    with beside.hub(scene.hub.uid).read() as tx:
        return sorted(uid.removeprefix("spoke-") for uid in tx.notified.all())


def deltas(scene: Scene) -> int:
    return sum("delta" in entry["path"] for entry in scene.requests())


@pytest.fixture
async def quiet(scene: Scene) -> Scene:
    """Two contributors, two two-way spokes and a receiver, in sync."""
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", Direction.TWO_WAY)
    scene.connect("dee", Direction.TWO_WAY)
    scene.connect("eve", Direction.RECEIVE)
    for name in ("ada", "ben", "cy"):
        scene.add(name, displayName=f"{name}'s", email=f"{name}@example.org", companyName="Old")
    await scene.settle()
    scene.forget()
    return scene


@pytest.mark.every_database
async def test_only_who_was_told_of_is_read_and_everybody_is_brought_it(
    quiet: Scene, beside: Store
) -> None:
    for name in ("cy", "dee"):
        del quiet.spokes[name]
    quiet.connect("flo", Direction.RECEIVE)
    await quiet.settle()
    quiet.forget()
    quiet.add("ada", displayName="Ida", email="ida@example.org")
    quiet.add("ben", displayName="Not told of", email="not@example.org")
    tell(quiet, beside, "ada")
    report = await quiet.sync(notified_only=True)
    assert deltas(quiet) == 1
    assert told(quiet, beside) == []
    assert report.items == 4
    for name in ("flo", "eve"):
        assert "Ida" in quiet.names(name)
        assert "Not told of" not in quiet.names(name)
    await quiet.settle()
    assert "Not told of" in quiet.names("eve")


async def test_a_pass_of_which_nothing_was_told_costs_no_request(
    quiet: Scene, beside: Store
) -> None:
    quiet.add("ada", displayName="Ida", email="ida@example.org")
    report = await quiet.sync(notified_only=True)
    assert quiet.requests() == []
    assert (report.problem, report.items) == (None, 3)


@pytest.mark.every_database
async def test_what_is_told_while_a_spoke_is_read_is_looked_at_in_the_next_pass(
    quiet: Scene, beside: Store
) -> None:
    def meanwhile(line: str) -> None:
        if line.startswith("reading"):
            tell(quiet, beside, "ada", "ben")

    tell(quiet, beside, "ada")
    await quiet.sync(notified_only=True, progress=meanwhile, crew=None)
    assert told(quiet, beside) == ["ada", "ben"]
    quiet.forget()
    await quiet.sync(notified_only=True)
    assert (deltas(quiet), told(quiet, beside)) == (2, [])


async def test_a_pass_that_reads_everybody_has_looked_at_what_was_told_before(
    quiet: Scene, beside: Store
) -> None:
    tell(quiet, beside, "ada", "cy", "eve")
    await quiet.sync()
    assert told(quiet, beside) == []


async def test_our_own_writes_that_are_told_of_cost_a_look_and_end_there(
    quiet: Scene, beside: Store
) -> None:
    quiet.add("ada", displayName="Ida", email="ida@example.org")
    tell(quiet, beside, "ada")
    await quiet.sync(notified_only=True)
    quiet.forget()
    tell(quiet, beside, "cy", "dee")
    report = await quiet.sync(notified_only=True)
    assert (deltas(quiet), len(quiet.requests())) == (2, 2)
    assert (report.written, quiet.writes(), told(quiet, beside)) == (0, [], [])


async def test_what_a_user_changed_meanwhile_is_read_before_it_is_written_over(
    quiet: Scene, beside: Store
) -> None:
    """Nobody tells of it, and the service does not compare etags: it has to be looked at."""
    mine = quiet.the("ada", "ada's")["id"]
    theirs = quiet.the("cy", "ada's")["id"]
    quiet.edit("cy", theirs, companyName="Of Cy", jobTitle="Also of Cy")
    quiet.edit("ada", mine, companyName="Of Ada")
    tell(quiet, beside, "ada")
    report = await quiet.sync(notified_only=True)
    assert report.conflicts == 1
    kept = quiet.the("cy", "ada's")
    assert kept["jobTitle"] == "Also of Cy"
    await quiet.settle()
    companies = {quiet.the(name, "ada's")["companyName"] for name in ("cy", "dee", "eve")}
    assert len(companies) == 1


async def test_a_pass_over_what_was_told_of_reads_whoever_was_never_read(
    quiet: Scene, beside: Store
) -> None:
    quiet.connect("flo", Direction.TWO_WAY)
    quiet.connect("gus")
    quiet.add("flo", displayName="ada's", email="ada@example.org")
    quiet.add("gus", displayName="Gus's", email="gus@example.org")
    tell(quiet, beside, "ada")
    await quiet.sync(notified_only=True)
    assert quiet.names("flo") == ["Gus's", "ada's", "ben's", "cy's"]
    assert quiet.names("eve") == ["Gus's", "ada's", "ben's", "cy's"]


async def test_a_spoke_that_fails_is_told_as_failing_by_passes_that_do_not_look_at_it(
    quiet: Scene, beside: Store
) -> None:
    directory = quiet.simulator.world.directory
    user = directory.find_user("ben@contoso.example")
    assert user is not None
    directory.remove_user(user.id)
    assert (await quiet.sync()).spokes["spoke-ben"].problem is not None
    tell(quiet, beside, "ada")
    for _ in range(2):
        report = await quiet.sync(notified_only=True)
        problem = report.spokes["spoke-ben"].problem
        assert problem is not None
        assert problem.reason == "TargetNotFound"
        assert report.spokes["spoke-ada"].problem is None


async def test_what_is_told_of_a_spoke_that_can_not_be_read_waits_for_no_pass_of_its_own(
    quiet: Scene, beside: Store
) -> None:
    quiet.admin.add_rule("status", status=403, path="delta")
    tell(quiet, beside, "ada", "eve")
    report = await quiet.sync(notified_only=True)
    assert report.spokes["spoke-ada"].problem is not None
    assert told(quiet, beside) == []


async def test_a_mailroom_names_the_hub_until_a_pass_has_looked(
    quiet: Scene, beside: Store
) -> None:
    mailroom = Mailroom.open(quiet.settings, clock=quiet.clock)
    assert mailroom.waiting() == frozenset()
    tell(quiet, beside, "ada")
    assert mailroom.waiting() == {quiet.hub.name}
    await quiet.sync(notified_only=True)
    assert mailroom.waiting() == frozenset()
    mailroom.close()


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_told_or_not_the_next_whole_pass_comes_to_the_same(
    quiet: Scene, beside: Store, seed: int
) -> None:
    """Lost, repeated, late and false ones; each contact is edited by its owner alone."""
    chance = random.Random(seed)
    names = ["ada", "ben", "cy", "dee"]
    owned: dict[str, dict[str, str]] = {name: {} for name in names}
    expected = {f"{name}'s": "Old" for name in ("ada", "ben", "cy")}
    for number in range(14):
        who = chance.choice(names)
        mine = owned[who]
        shown = f"{who} {number}"
        match chance.choice(["add", "edit", "edit", "remove", "pass"]):
            case "edit" if mine:
                shown, contact = chance.choice(sorted(mine.items()))
                expected[shown] = f"Company {number}"
                quiet.edit(who, contact, companyName=expected[shown])
            case "remove" if mine:
                shown, contact = chance.choice(sorted(mine.items()))
                quiet.remove(who, contact)
                del mine[shown], expected[shown]
            case "pass":
                await quiet.sync(notified_only=True)
            case _:
                expected[shown] = "New"
                mine[shown] = quiet.add(who, displayName=shown, companyName="New")
        for name in chance.choices([*names, "eve"], k=chance.randrange(3)):
            tell(quiet, beside, name)
    await quiet.sync()
    quiet.advance(7200.0)
    await quiet.settle()
    for name in ("cy", "dee", "eve"):
        held = {one["displayName"]: one["companyName"] for one in quiet.held(name)}
        assert held == expected, name


async def test_a_member_that_fails_stays_failed_until_a_pass_looks_at_it(
    company: Scene,
) -> None:
    declare(company, direction=Direction.TWO_WAY)
    await settle(company)
    path = f"/users/{user(company, 'bob').id}/.*delta"
    rule = company.admin.add_rule("status", path=path, status=403)
    assert staff(await company.sync()).states == {"Ready": 2, "Failed": 1}
    report = await company.sync(notified_only=True)
    assert staff(report).states == {"Ready": 2, "Failed": 1}
    company.admin.remove_rule(rule)
    company.advance(1000.0)
    assert staff(await company.sync()).states == {"Ready": 3}


async def test_what_is_told_of_a_member_is_read_as_what_is_told_of_a_spoke(
    company: Scene,
) -> None:
    one = declare(company, direction=Direction.TWO_WAY)
    await settle(company)
    company.add("bob", displayName="Of Bob", email="of-bob@example.org")
    store = company.opened()
    with store.hub(company.hub.uid).unleased() as tx:
        bob = member_uid(company.hub.uid, one, user(company, "bob").id)
        tx.notified.record([bob], company.clock())
    company.forget()
    await company.sync(notified_only=True)
    assert deltas(company) == 3  # Bob's, and those of whom it is brought to
    assert "Of Bob" in company.names("ann")
    assert "Of Bob" in company.names("cy")
    store.close()
