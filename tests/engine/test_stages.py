"""A first sync in stages: so many arrive, then a person lets more in."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from cirahub_sync.approvals import ApprovedStage
from cirahub_sync.configuration import (
    Approval,
    Condition,
    DeletionLimits,
    Direction,
    Filter,
    Flow,
    OnUserDelete,
    Operator,
)
from cirahub_sync.engine import sync_pass
from cirahub_sync.engine.first_sync import begin_stages
from cirahub_sync.engine.report import PassReport, StageSummary
from cirahub_sync.errors import LeaseLostError, PlanChangedError
from cirahub_sync.store.tables import arrivals

from .conftest import Scene

CONTRIBUTE, RECEIVE, TWO_WAY = Direction.CONTRIBUTE, Direction.RECEIVE, Direction.TWO_WAY
PEOPLE = ("Ada", "Bea", "Cleo", "Dee", "Eve", "Fay", "Gus")


@pytest.fixture
async def staged(scene: Scene) -> Scene:
    """Ann's seven people have come to the hub one after the other; Bob is to receive them: two,
    then four, then all."""
    scene.connect("ann")
    for name in PEOPLE:
        put(scene, "ann", name)
        await scene.sync()
    connect(scene)
    return scene


def put(scene: Scene, mailbox: str, name: str, **fields: str) -> str:
    return scene.add(mailbox, displayName=name, email=f"{name.lower()}@x.example", **fields)


def connect(scene: Scene, direction: Direction = RECEIVE, **settings: object) -> None:
    scene.connect("bob", direction, **{"stages": (2, 4), **settings})


def stage(report: PassReport) -> StageSummary:
    found = report.spokes["spoke-bob"].stage
    assert found is not None
    return found


def counts(report: PassReport) -> tuple[int, int, int, int]:
    """Which stage of how many; let in, and waiting."""
    found = stage(report)
    return found.number, found.of, found.arrived, found.waiting


async def let_in(scene: Scene, report: PassReport) -> PassReport:
    return await scene.sync(approved=frozenset({stage(report).id}))


def rows(scene: Scene) -> int:
    with scene.worker._store.hub(scene.hub.uid).read() as tx:
        return len(tx.connection.execute(select(arrivals)).all())


async def test_a_stage_lets_in_as_many_as_it_says_and_the_others_wait(staged: Scene) -> None:
    report = await staged.sync()
    assert staged.names("bob") == ["Ada", "Bea"]
    assert counts(report) == (1, 3, 2, 5)
    assert report.spokes["spoke-bob"].pending == {"Stage": 5}
    assert stage(report).next == 4
    staged.forget()
    again = await staged.sync()
    assert stage(again) == stage(report)
    assert staged.writes() == []
    await staged.restart()
    assert stage(await staged.sync()) == stage(report)
    assert staged.names("bob") == ["Ada", "Bea"]


async def test_each_stage_waits_for_a_person(staged: Scene) -> None:
    first = await staged.sync()
    second = await let_in(staged, first)
    assert staged.names("bob") == ["Ada", "Bea", "Cleo", "Dee"]
    assert counts(second) == (2, 3, 4, 3)
    assert stage(second).next == 0
    assert stage(await let_in(staged, first)) == stage(second), "the old id lets nothing in"
    last = await let_in(staged, second)
    assert last.spokes["spoke-bob"].stage is None
    assert staged.names("bob") == sorted(PEOPLE)


async def test_after_the_last_stage_the_first_sync_is_over_for_good(staged: Scene) -> None:
    report = await let_in(staged, await staged.sync())
    await let_in(staged, report)
    assert rows(staged) == 0
    put(staged, "ann", "Hal")
    await staged.restart()
    assert (await staged.sync()).pending == 0
    connect(staged, stages=(1,))
    put(staged, "ann", "Ian")
    assert (await staged.sync()).pending == 0
    assert staged.names("bob") == sorted((*PEOPLE, "Hal", "Ian"))


async def test_a_mailbox_that_has_had_its_first_sync_has_no_stages(staged: Scene) -> None:
    connect(staged, stages=())
    await staged.sync()
    connect(staged)
    for name in ("Hal", "Ian", "Joy"):
        put(staged, "ann", name)
    assert (await staged.sync()).pending == 0
    assert len(staged.names("bob")) == 10


async def test_who_waits_comes_in_the_order_of_seq(staged: Scene) -> None:
    report = await staged.sync()
    staged.edit("ann", staged.the("ann", "Cleo")["id"], jobTitle="Baker")
    report = await staged.sync()
    assert counts(report) == (1, 3, 2, 5)
    await let_in(staged, report)
    assert staged.names("bob") == ["Ada", "Bea", "Dee", "Eve"], "Cleo is the one that changed last"


async def test_fewer_than_a_stage_allows_leave_room_for_who_comes_later(scene: Scene) -> None:
    scene.connect("ann")
    put(scene, "ann", "Ada")
    connect(scene)
    assert (await scene.sync(3)).pending == 0
    for name in PEOPLE[1:]:
        put(scene, "ann", name)
    report = await scene.sync()
    assert counts(report) == (1, 3, 2, 5)
    assert len(scene.names("bob")) == 2


async def test_what_is_there_is_updated_and_deleted_whatever_the_stage(staged: Scene) -> None:
    await staged.sync()
    staged.edit("ann", staged.the("ann", "Ada")["id"], jobTitle="Baker")
    staged.remove("ann", staged.the("ann", "Bea")["id"])
    report = await staged.sync()
    assert staged.the("bob", "Ada")["jobTitle"] == "Baker"
    staged.advance(4000)
    report = await staged.sync()
    assert staged.names("bob") == ["Ada"]
    assert counts(report) == (1, 3, 2, 5), "Bea had her place"


async def test_own_contacts_that_are_changed_for_the_first_time_take_places_too(
    scene: Scene,
) -> None:
    scene.connect("ann")
    for name in PEOPLE[:4]:
        put(scene, "ann", name, jobTitle="Baker")
        await scene.sync()
    for name in ("Bea", "Cleo", "Dee"):
        put(scene, "bob", name)
    put(scene, "bob", "Zoe")
    connect(scene, TWO_WAY)
    report = await scene.sync()
    assert counts(report) == (1, 3, 2, 2)
    assert len(scene.writes()) >= 2
    titles = Counter(one["displayName"] for one in scene.held("bob") if one["jobTitle"])
    assert len(titles) == 2
    scene.edit("ann", scene.the("ann", next(iter(titles)))["id"], companyName="X")
    assert counts(await scene.sync()) == (1, 3, 2, 2)
    (changed,) = [one for one in scene.held("bob") if one["companyName"]]
    assert changed["displayName"] in titles, "who was let in is brought on"
    report = await let_in(scene, report)
    assert report.spokes["spoke-bob"].stage is None
    assert all(one["jobTitle"] for one in scene.held("bob") if one["displayName"] != "Zoe")


async def test_an_edit_of_an_own_contact_that_waits_counts_meanwhile(scene: Scene) -> None:
    scene.connect("ann")
    for name in PEOPLE[:4]:
        put(scene, "ann", name, jobTitle="Baker")
        await scene.sync()
    mine = put(scene, "bob", "Dee")
    connect(scene, TWO_WAY, stages=(1,))
    await scene.sync()
    assert not scene.the("bob", "Dee")["jobTitle"]
    scene.edit("bob", mine, companyName="Y")
    await scene.sync()
    assert scene.the("ann", "Dee")["companyName"] in ("", None), "Ann only contributes"
    found = await scene.worker.explain("dee@x.example", values=True)
    assert {one.field: one.value for one in found.found[0].fields}["company"] == "Y"
    assert not scene.the("bob", "Dee")["jobTitle"]


async def test_an_item_that_goes_at_its_source_needs_no_stage(staged: Scene) -> None:
    report = await staged.sync()
    staged.remove("ann", staged.the("ann", "Cleo")["id"])
    report = await staged.sync()
    assert counts(report) == (1, 3, 2, 4)
    staged.advance(4000)
    await let_in(staged, await staged.sync())
    assert staged.names("bob") == ["Ada", "Bea", "Dee", "Eve"]


async def test_what_never_arrived_gives_its_place_to_another(staged: Scene) -> None:
    rule = staged.admin.add_rule(
        "status", service="graph", method="POST", path="/contacts$", status=503, batched=True
    )
    assert counts(await staged.sync()) == (1, 3, 2, 5)
    staged.admin.remove_rule(rule)
    staged.remove("ann", staged.the("ann", "Ada")["id"])
    staged.advance(3600)
    assert counts(await staged.sync(2)) == (1, 3, 2, 4)
    assert staged.names("bob") == ["Bea", "Cleo"]


async def test_an_erasure_waits_for_no_stage(staged: Scene) -> None:
    staged.connect("cy")
    put(staged, "cy", "Ada", jobTitle="Brewer")
    put(staged, "cy", "Eve", jobTitle="Brewer")
    put(staged, "cy", "Hal")
    await staged.sync(2)
    assert staged.the("bob", "Bea")
    assert staged.spokes["bob"].stages
    report = await staged.sync()
    assert counts(report) == (1, 3, 2, 6)
    receipt = await staged.erase("cy")
    assert receipt.complete
    held = staged.held("bob")
    assert len(held) == 2
    assert not any(one["jobTitle"] for one in held)
    assert counts(await staged.sync()) == (1, 3, 2, 5)


async def test_own_contacts_wait_for_no_stage_where_the_mailbox_only_receives(
    scene: Scene,
) -> None:
    scene.connect("ann")
    for name in PEOPLE[:3]:
        put(scene, "ann", name, jobTitle="Baker")
        put(scene, "bob", name)
    connect(scene, TWO_WAY, stages=(1,))
    assert counts(await scene.sync()) == (1, 2, 1, 2)
    connect(scene, RECEIVE, stages=(1,))
    report = await scene.sync()
    assert (report.spokes["spoke-bob"].stage, report.pending) == (None, 0)
    connect(scene, TWO_WAY, stages=(1,))
    assert counts(await scene.sync()) == (1, 2, 1, 2)


async def test_an_erasure_is_complete_though_own_contacts_wait_for_a_stage(scene: Scene) -> None:
    scene.connect("ann")
    scene.connect("cy")
    for name in PEOPLE[:3]:
        put(scene, "ann", name, companyName="X")
        put(scene, "cy", name, jobTitle="Brewer")
        put(scene, "bob", name)
    connect(scene, TWO_WAY, stages=(1,))
    assert counts(await scene.sync()) == (1, 2, 1, 2)
    assert (await scene.erase("cy")).complete
    assert not any(one["jobTitle"] for one in scene.held("bob"))
    assert sum(bool(one["companyName"]) for one in scene.held("bob")) == 1


async def test_what_was_let_in_keeps_its_place_when_its_answer_is_lost(staged: Scene) -> None:
    staged.admin.add_rule("drop", moment="after", count=1, service="graph", path=r"/\$batch$")
    first = await staged.sync()
    assert first.spokes["spoke-bob"].counts.adopted == 2
    staged.advance(60)
    report = await staged.sync(2)
    assert staged.names("bob") == ["Ada", "Bea"]
    assert counts(report) == (1, 3, 2, 5)


@pytest.mark.parametrize("killed_at", ["begin_stages", "push", "conclude_approval"])
async def test_a_process_that_dies_over_a_stage_lets_in_no_more_and_no_less(
    staged: Scene, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    report = await staged.sync()

    def dies(*given: Any) -> None:
        if killed_at == "begin_stages":
            begin_stages(*given)
        raise LeaseLostError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(sync_pass, killed_at, dies)
        with pytest.raises(LeaseLostError):
            await let_in(staged, report)
    await staged.restart()
    after = await staged.sync()
    assert counts(after) == (2, 3, 4, 3)
    assert staged.names("bob") == ["Ada", "Bea", "Cleo", "Dee"]


async def test_a_filter_that_changes_goes_on_with_the_stage_it_is_in(staged: Scene) -> None:
    def without(name: str) -> Flow:
        return Flow(filter=Filter(none=(Condition("displayName", Operator.IN, (name,)),)))

    await staged.sync()
    connect(staged, receives=without("Cleo"))
    report = await staged.sync()
    assert counts(report) == (1, 3, 2, 4)
    await let_in(staged, report)
    assert staged.names("bob") == ["Ada", "Bea", "Dee", "Eve"]
    connect(staged)
    assert counts(await staged.sync()) == (2, 3, 4, 3)
    assert staged.names("bob") == ["Ada", "Bea", "Dee", "Eve"]


async def test_a_direction_that_changes_goes_on_with_the_stage_it_is_in(staged: Scene) -> None:
    report = await let_in(staged, await staged.sync())
    connect(staged, CONTRIBUTE)
    report = await staged.sync()
    assert (report.spokes["spoke-bob"].stage, report.pending) == (None, 0)
    connect(staged, TWO_WAY)
    assert counts(await staged.sync()) == (2, 3, 4, 3)
    assert staged.names("bob") == ["Ada", "Bea", "Cleo", "Dee"]


async def test_who_leaves_and_comes_back_goes_on_with_the_stage_it_was_in(staged: Scene) -> None:
    report = await let_in(staged, await staged.sync())
    leaver = await staged.leave("bob", grace=3600.0)
    await staged.sync()
    staged.spokes["bob"] = msgspec.structs.replace(leaver, uid="spoke-bob-again")
    report = await staged.sync()
    found = report.spokes["spoke-bob-again"].stage
    assert found is not None
    assert (found.number, found.arrived, found.waiting) == (2, 4, 3)
    assert staged.names("bob") == ["Ada", "Bea", "Cleo", "Dee"]


async def test_who_was_erased_begins_with_the_first_stage(staged: Scene) -> None:
    first = await staged.sync()
    await let_in(staged, first)
    assert (await staged.erase("bob")).complete
    assert staged.names("bob") == []
    staged.advance(60)
    connect(staged)
    report = await let_in(staged, first)
    assert counts(report) == (1, 3, 2, 5), "an approval of the first sync is none of the second"


async def test_after_a_lost_store_what_is_there_tells_how_far_it_had_come(staged: Scene) -> None:
    report = await let_in(staged, await staged.sync())
    await staged.lose_store()
    again = await staged.sync()
    assert counts(again) == (2, 3, 4, 3)
    assert staged.names("bob") == ["Ada", "Bea", "Cleo", "Dee"]
    assert stage(again).id != stage(report).id
    await let_in(staged, again)
    await staged.lose_store()
    put(staged, "ann", "Hal")
    assert (await staged.sync(2)).pending == 0
    assert staged.names("bob") == sorted((*PEOPLE, "Hal")), "more than any stage allows was there"


async def test_copies_that_an_earlier_spoke_left_behind_let_nobody_in(staged: Scene) -> None:
    """Only copies that this spoke made tell how far its first sync had come."""
    connect(staged, stages=())
    await staged.sync()
    earlier = staged.spokes.pop("bob")
    await staged.worker.retain_spoke(staged.hub, earlier)
    for name in ("Hal", "Ian", "Joy"):
        put(staged, "ann", name)
    again = msgspec.structs.replace(earlier, uid="spoke-bob-again", stages=(2, 4))
    staged.spokes["bob"] = again
    report = await staged.sync(2)
    found = report.spokes[again.uid].stage
    assert found is not None
    assert (found.number, found.arrived, found.waiting) == (1, 2, 1)
    assert len(staged.names("bob")) == len(PEOPLE) + 2
    staged.edit("ann", staged.the("ann", "Ada")["id"], jobTitle="Baker")
    await staged.sync()
    assert staged.the("bob", "Ada")["jobTitle"] == "Baker", "what is there goes on as always"


async def test_stages_that_are_taken_away_let_everything_in(staged: Scene) -> None:
    await staged.sync()
    connect(staged, stages=())
    report = await staged.sync()
    assert report.pending == 0
    assert staged.names("bob") == sorted(PEOPLE)
    assert rows(staged) == 0
    connect(staged)
    put(staged, "ann", "Hal")
    assert (await staged.sync()).pending == 0


async def test_stages_that_change_count_what_was_let_in(staged: Scene) -> None:
    await staged.sync()
    connect(staged, stages=(1, 6))
    report = await staged.sync()
    assert counts(report) == (1, 3, 2, 5)
    assert stage(report).next == 6
    connect(staged, stages=(3, 6))
    assert counts(await staged.sync()) == (1, 3, 3, 4)
    assert staged.names("bob") == ["Ada", "Bea", "Cleo"]


async def test_with_manual_a_stage_lets_items_into_the_plan(staged: Scene) -> None:
    staged.configure(approval=Approval.MANUAL)
    report = await staged.sync()
    assert staged.names("bob") == []
    assert report.plan is not None
    assert report.plan.creates == 2
    assert counts(report) == (1, 3, 2, 5)
    assert report.spokes["spoke-bob"].pending == {"Approval": 2, "Stage": 5}
    report = await staged.sync(approved=frozenset({report.plan.id}))
    assert staged.names("bob") == ["Ada", "Bea"]
    assert report.plan is None
    report = await let_in(staged, report)
    assert report.plan is not None
    assert report.plan.creates == 2
    assert staged.names("bob") == ["Ada", "Bea"]


async def test_a_copy_that_its_user_deleted_had_its_place(staged: Scene) -> None:
    connect(staged, on_user_delete=OnUserDelete.RESTORE, verify_interval=60.0)
    await staged.sync()
    staged.remove("bob", staged.the("bob", "Ada")["id"])
    staged.advance(120)
    report = await staged.sync(2)
    assert staged.names("bob") == ["Ada", "Bea"], "it comes back, and nobody else with it"
    connect(staged, verify_interval=60.0)
    staged.remove("bob", staged.the("bob", "Ada")["id"])
    staged.advance(120)
    report = await staged.sync(2)
    assert staged.names("bob") == ["Bea"]
    assert counts(report) == (1, 3, 2, 5)


async def test_a_plan_shows_what_waits_for_a_stage(staged: Scene) -> None:
    plan = await staged.worker.plan(staged.hub, list(staged.spokes.values()))
    assert Counter(one.held for one in plan.actions) == {"": 2, "Stage": 5}
    assert counts(plan.report) == (1, 3, 0, 5)
    assert stage(plan.report).planned == 2
    staged.forget()
    report = await staged.sync()
    assert stage(report).id == stage(plan.report).id
    plan = await staged.worker.plan(staged.hub, list(staged.spokes.values()))
    assert Counter(one.held for one in plan.actions) == {"Stage": 5}
    assert counts(plan.report) == (1, 3, 2, 5)
    assert stage(plan.report).planned == 0


async def test_a_stage_is_approved_where_the_store_is(staged: Scene) -> None:
    report = await staged.sync()
    hub, found = await staged.worker.approve(stage(report).id)
    assert (hub, isinstance(found, ApprovedStage)) == ("default/staff", True)
    assert staged.names("bob") == ["Ada", "Bea"]
    with pytest.raises(PlanChangedError):
        await staged.worker.approve(stage(report).id)
    last = await staged.sync()
    assert staged.names("bob") == ["Ada", "Bea", "Cleo", "Dee"]
    await staged.worker.approve(stage(last).id)
    await staged.sync()
    assert staged.names("bob") == sorted(PEOPLE)


async def test_it_is_explained_which_stage_somebody_waits_for(staged: Scene) -> None:
    report = await staged.sync()
    waits: dict[str, int] = {}
    for name in PEOPLE:
        answer = await staged.worker.explain(f"{name.lower()}@x.example", spokes=["bob"])
        (told,) = answer.found[0].spokes
        waits[name] = told.stage
        assert told.approval == (stage(report).id if told.stage else "")
    assert waits == {"Ada": 0, "Bea": 0, "Cleo": 2, "Dee": 2, "Eve": 3, "Fay": 3, "Gus": 3}


async def test_deletions_are_guarded_as_ever_while_stages_wait(staged: Scene) -> None:
    staged.configure(deletion=DeletionLimits(grace_period=60.0, max_count=0))
    await staged.sync()
    staged.remove("ann", staged.the("ann", "Ada")["id"])
    await staged.sync()
    staged.advance(120)
    report = await staged.sync()
    assert report.guarded == 1
    assert staged.names("bob") == ["Ada", "Bea"]
