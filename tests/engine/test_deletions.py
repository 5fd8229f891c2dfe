"""Deletions: delayed, bounded, undoable (invariant 9)."""

from __future__ import annotations

from cirahub_sync.configuration import DailyLimits, DeletionLimits, Direction

from .conftest import Scene


def _fill(scene: Scene, name: str, count: int) -> list[str]:
    return [
        scene.add(name, displayName=f"P{n:02}", email=f"p{n}@example.org") for n in range(count)
    ]


def _per_day(scene: Scene, count: int) -> None:
    """Deletions of a receiver, at once; a pass may do more."""
    scene.configure(
        deletion=DeletionLimits(
            grace_period=0.0, max_count=50, max_percent=100, per_day=DailyLimits(max_count=count)
        )
    )


async def _copied(scene: Scene, count: int) -> list[str]:
    """So many contacts of Ada's, of which Ben has copies."""
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    people = _fill(scene, "ada", count)
    await scene.settle()
    return people


async def test_a_deletion_at_the_source_waits_for_the_grace_period(scene: Scene) -> None:
    people = await _copied(scene, 3)
    scene.remove("ada", people[0])
    report = await scene.settle()
    assert len(scene.held("ben")) == 3
    assert report.spokes["spoke-ben"].counts.pending == 1
    scene.advance(3601)
    report = await scene.settle()
    assert scene.names("ben") == ["P01", "P02"]
    assert report.pending == 0


async def test_a_deletion_undone_within_the_grace_period_leaves_the_very_same_copies(
    scene: Scene,
) -> None:
    scene.connect("ada", folder="Team")
    scene.connect("ben", Direction.RECEIVE)
    scene.admin.import_contacts(scene.mailbox("ada"), [{"displayName": "Ann"}], ["Team"])
    await scene.settle()
    copy = scene.the("ben", "Ann")["id"]
    moved = scene.admin.move_contact(
        scene.mailbox("ada"), scene.the("ada", "Ann", "Team")["id"], []
    )
    report = await scene.settle()
    assert report.spokes["spoke-ben"].counts.pending == 1
    scene.admin.move_contact(scene.mailbox("ada"), moved["id"], ["Team"])
    await scene.settle()
    scene.advance(7200)
    report = await scene.settle()
    assert scene.the("ben", "Ann")["id"] == copy
    assert report.pending == 0


async def test_deletions_above_the_limit_wait_for_approval(scene: Scene) -> None:
    scene.configure(deletion=DeletionLimits(grace_period=0.0, max_count=50, max_percent=20))
    people = await _copied(scene, 10)
    for person in people[:3]:
        scene.remove("ada", person)
    report = await scene.sync(2)
    assert len(scene.held("ben")) == 10
    assert report.guarded == 3
    assert report.approval
    again = await scene.sync()
    assert again.approval == report.approval
    report = await scene.sync(approved=frozenset({"something-else"}))
    assert len(scene.held("ben")) == 10
    report = await scene.sync(approved=frozenset({again.approval}))
    assert len(scene.held("ben")) == 7
    assert report.guarded == 0


async def test_an_approval_covers_exactly_what_was_shown(scene: Scene) -> None:
    scene.configure(deletion=DeletionLimits(grace_period=0.0, max_count=2, max_percent=100))
    people = await _copied(scene, 10)
    for person in people[:3]:
        scene.remove("ada", person)
    report = await scene.sync()
    scene.remove("ada", people[3])
    report = await scene.sync(approved=frozenset({report.approval}))
    assert len(scene.held("ben")) == 10
    assert report.guarded == 4


async def test_deletions_below_the_limit_go_through(scene: Scene) -> None:
    scene.configure(deletion=DeletionLimits(grace_period=0.0, max_count=50, max_percent=20))
    people = await _copied(scene, 10)
    for person in people[:2]:
        scene.remove("ada", person)
    await scene.settle()
    assert len(scene.held("ben")) == 8


async def test_a_source_that_suddenly_reads_empty_deletes_nothing(scene: Scene) -> None:
    scene.configure(deletion=DeletionLimits(grace_period=0.0, max_count=1000, max_percent=100))
    people = await _copied(scene, 5)
    for person in people:
        scene.remove("ada", person)
    scene.admin.expire_delta_tokens(scene.mailbox("ada"))
    report = await scene.sync(2)
    assert len(scene.held("ben")) == 5
    problem = report.spokes["spoke-ada"].problem
    assert problem is not None
    assert problem.reason == "SourceEmptied"
    approval = problem.message.split()[-1]
    await scene.sync(2, approved=frozenset({approval}))
    assert scene.held("ben") == []


async def test_what_a_complete_round_does_not_show_is_gone(scene: Scene) -> None:
    people = await _copied(scene, 3)
    scene.remove("ada", people[0])
    scene.admin.expire_delta_tokens(scene.mailbox("ada"))
    await scene.settle()
    scene.advance(3601)
    await scene.settle()
    assert scene.names("ben") == ["P01", "P02"]


async def test_an_item_lives_as_long_as_anybody_contributes_it(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", Direction.RECEIVE)
    mine = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    scene.add("ben", displayName="Ann", email="ann@example.org", department="Bread")
    await scene.settle()
    assert len(scene.held("cy")) == 1
    scene.remove("ada", mine)
    scene.advance(7200)
    await scene.settle()
    copy = scene.the("cy", "Ann")
    assert copy["department"] == "Bread"
    assert copy["jobTitle"] is None


async def test_a_deletion_never_goes_to_an_item_that_is_native_there(scene: Scene) -> None:
    scene.configure(deletion=DeletionLimits(grace_period=0.0, max_count=50, max_percent=100))
    scene.connect("ada", Direction.TWO_WAY)
    scene.connect("ben", Direction.TWO_WAY)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ben", displayName="Ann", email="ann@example.org")
    await scene.settle()
    scene.remove("ada", ann)
    await scene.settle()
    await scene.settle()
    assert scene.names("ben") == ["Ann"]


def _removing(scene: Scene, people: list[str], count: int) -> None:
    for _ in range(count):
        scene.remove("ada", people.pop())


async def test_many_small_passes_cannot_do_what_one_large_one_may_not(scene: Scene) -> None:
    """Twenty copies: four may go in a pass, and eight in a day."""
    scene.configure(deletion=DeletionLimits(grace_period=0.0, max_count=50, max_percent=20))
    people = await _copied(scene, 20)
    for left in (16, 12):
        _removing(scene, people, 4)
        await scene.settle()
        assert len(scene.held("ben")) == left
    _removing(scene, people, 1)
    report = await scene.sync(2)
    assert (report.guarded, len(scene.held("ben"))) == (1, 12)

    await scene.restart()
    scene.advance(80_000)
    report = await scene.sync()
    assert (report.guarded, len(scene.held("ben"))) == (1, 12)
    scene.advance(7_000)
    report = await scene.sync()
    assert (report.guarded, len(scene.held("ben"))) == (0, 11)


async def test_what_was_approved_is_not_counted_against_the_day(scene: Scene) -> None:
    scene.configure(deletion=DeletionLimits(grace_period=0.0, max_count=50, max_percent=20))
    people = await _copied(scene, 20)
    _removing(scene, people, 10)
    report = await scene.sync()
    await scene.sync(approved=frozenset({report.approval}))
    assert len(scene.held("ben")) == 10
    _removing(scene, people, 2)
    await scene.settle()
    assert len(scene.held("ben")) == 8


async def test_a_limit_per_day_below_that_of_a_pass_counts_as_it_is_written(scene: Scene) -> None:
    _per_day(scene, 2)
    people = await _copied(scene, 6)
    _removing(scene, people, 3)
    report = await scene.sync(2)
    assert (report.guarded, len(scene.held("ben"))) == (3, 6)
    _per_day(scene, 3)
    await scene.sync()
    assert len(scene.held("ben")) == 3


async def test_a_deletion_whose_answer_was_lost_counts_once_and_counts(scene: Scene) -> None:
    _per_day(scene, 2)
    people = await _copied(scene, 6)
    _removing(scene, people, 2)
    scene.admin.add_rule(
        "status", status=504, moment="after", service="graph", method="DELETE", path="/contacts/"
    )
    await scene.sync()
    scene.admin.clear_rules()
    assert len(scene.held("ben")) == 4
    scene.advance(60)
    report = await scene.settle()
    assert (report.guarded, report.pending) == (0, 0)
    _removing(scene, people, 1)
    report = await scene.sync(2)
    assert (report.guarded, len(scene.held("ben"))) == (1, 4)


async def test_a_deletion_that_surely_had_no_effect_is_not_counted(scene: Scene) -> None:
    _per_day(scene, 1)
    people = await _copied(scene, 6)
    scene.admin.add_rule("status", status=400, service="graph", method="DELETE", path="/contacts/")
    _removing(scene, people, 1)
    await scene.sync()
    scene.admin.clear_rules()
    assert len(scene.held("ben")) == 6
    _removing(scene, people, 1)
    await scene.sync()
    assert len(scene.held("ben")) == 5
