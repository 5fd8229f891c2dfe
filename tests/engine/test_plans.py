"""Approval by plan: what a pass would write waits for a person, and counts only as it was shown."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from cirahub_sync.configuration import (
    Approval,
    DeletionLimits,
    Direction,
    Flow,
    MappingRule,
    OnUserDelete,
)
from cirahub_sync.engine import sync_pass
from cirahub_sync.engine.report import PassReport, PlanSummary
from cirahub_sync.errors import LeaseLostError
from cirahub_sync.planned import PlanReport
from cirahub_sync.store.tables import plan_entries

from .conftest import Scene

RECEIVE, TWO_WAY = Direction.RECEIVE, Direction.TWO_WAY
OFFICE = {"officeLocation": "Home"}


@pytest.fixture
def manual(scene: Scene) -> Scene:
    """Ann contributes Ada and Bea; Bob receives."""
    scene.configure(approval=Approval.MANUAL)
    scene.connect("ann")
    scene.connect("bob", RECEIVE)
    scene.add("ann", displayName="Ada", email="ada@x.example")
    scene.add("ann", displayName="Bea", email="bea@x.example")
    return scene


def waits(report: PassReport) -> PlanSummary:
    assert report.plan is not None
    return report.plan


def counts(report: PassReport) -> tuple[int, int, int]:
    plan = waits(report)
    return plan.creates, plan.updates, plan.deletes


async def planned(scene: Scene) -> PlanReport:
    return await scene.worker.plan(scene.hub, list(scene.spokes.values()))


async def approve(scene: Scene, report: PassReport) -> PassReport:
    return await scene.sync(approved=frozenset({waits(report).id}))


async def everything(scene: Scene) -> PassReport:
    """Bring all mailboxes where they are to be."""
    await approve(scene, await scene.sync())
    report = await scene.sync()
    assert report.plan is None
    return report


async def test_with_manual_a_pass_writes_nothing_and_says_what_waits(manual: Scene) -> None:
    manual.connect("bob", RECEIVE, folder="Staff")
    report = await manual.sync()
    assert counts(report) == (2, 0, 0)
    assert report.items == 2
    assert report.spokes["spoke-bob"].pending == {"Approval": 2}
    assert manual.writes() == []
    again = await manual.sync()
    assert again.plan == report.plan
    assert manual.writes() == []
    await manual.restart()
    assert (await manual.sync()).plan == report.plan
    done = await approve(manual, report)
    assert (done.plan, done.pending) == (None, 0)
    assert manual.names("bob", "Staff") == ["Ada", "Bea"]
    manual.forget()
    assert (await manual.sync()).plan is None
    assert manual.writes() == []


async def test_a_plan_is_the_same_twice_and_another_once_anything_changed(manual: Scene) -> None:
    first, second = await planned(manual), await planned(manual)
    assert [one.id for one in first.actions] == [one.id for one in second.actions]
    assert len({one.id for one in first.actions}) == 2
    assert waits(first.report).id == waits(second.report).id == waits(await manual.sync()).id
    by_item = {one.item: one.id for one in first.actions}
    manual.edit("ann", manual.the("ann", "Ada")["id"], jobTitle="Baker")
    third = {one.item: one.id for one in (await planned(manual)).actions}
    assert third.keys() == by_item.keys()
    assert len(set(third.items()) & set(by_item.items())) == 1


async def test_what_changed_between_approval_and_pass_waits_in_the_next_plan(
    manual: Scene,
) -> None:
    report = await manual.sync()
    manual.edit("ann", manual.the("ann", "Ada")["id"], jobTitle="Baker")
    after = await approve(manual, report)
    assert manual.names("bob") == ["Bea"]
    assert counts(after) == (1, 0, 0)
    assert waits(after).id != waits(report).id
    assert (await approve(manual, report)).plan == after.plan, "the old id approves nothing"
    assert manual.names("bob") == ["Bea"]
    await approve(manual, after)
    assert manual.the("bob", "Ada")["jobTitle"] == "Baker"


@pytest.mark.parametrize(
    ("mapping", "edit"),
    [((), {"nickName": "A"}), ((MappingRule(field="officeLocation", set_value="HQ"),), OFFICE)],
    ids=["told to the hub", "known here only"],
)
async def test_an_approval_does_not_cover_a_copy_that_its_user_changed_meanwhile(
    manual: Scene, mapping: tuple[MappingRule, ...], edit: dict[str, str]
) -> None:
    manual.connect("bob", TWO_WAY, receives=Flow(mapping=mapping))
    await everything(manual)
    for name in ("Ada", "Bea"):
        manual.edit("ann", manual.the("ann", name)["id"], jobTitle="Baker")
    report = await manual.sync()
    assert counts(report) == (0, 2, 0)
    manual.edit("bob", manual.the("bob", "Ada")["id"], **edit)
    after = await approve(manual, report)
    assert manual.the("bob", "Bea")["jobTitle"] == "Baker"
    assert not manual.the("bob", "Ada")["jobTitle"]
    assert counts(after) == (0, 1, 0)


async def test_an_edit_that_goes_back_to_a_native_item_waits_too(manual: Scene) -> None:
    manual.connect("ann", TWO_WAY)
    manual.connect("bob", TWO_WAY)
    await everything(manual)
    manual.edit("bob", manual.the("bob", "Ada")["id"], jobTitle="Baker")
    report = await manual.sync()
    assert counts(report) == (0, 1, 0)
    assert not manual.the("ann", "Ada")["jobTitle"]
    (action,) = (await planned(manual)).actions
    assert (action.spoke, action.fields) == ("default/ann", ["jobTitle"])
    await approve(manual, report)
    assert manual.the("ann", "Ada")["jobTitle"] == "Baker"


async def test_an_expired_approval_applies_nothing(manual: Scene) -> None:
    report = await manual.sync()
    assert waits(report).expires_at == pytest.approx(report.started + 86_400, abs=60)
    manual.advance(86_401)
    late = await approve(manual, report)
    assert manual.held("bob") == []
    assert counts(late) == (2, 0, 0)
    assert waits(late).id != waits(report).id
    await approve(manual, late)
    assert manual.names("bob") == ["Ada", "Bea"]


async def test_an_approval_counts_once(manual: Scene) -> None:
    manual.connect("bob", RECEIVE, on_user_delete=OnUserDelete.RESTORE, verify_interval=60.0)
    report = await manual.sync()
    await approve(manual, report)
    manual.remove("bob", manual.the("bob", "Ada")["id"])
    manual.advance(120)
    again = await approve(manual, report)
    assert manual.names("bob") == ["Bea"]
    assert counts(again) == (1, 0, 0)


async def test_an_approved_write_that_failed_needs_no_second_approval(manual: Scene) -> None:
    report = await manual.sync()
    rule = manual.admin.add_rule(
        "status", service="graph", method="POST", path="/contacts$", status=503, batched=True
    )
    failed = await approve(manual, report)
    assert (failed.plan, failed.spokes["spoke-bob"].pending) == (None, {"Failed": 2})
    manual.admin.remove_rule(rule)
    await manual.restart()
    manual.advance(3600)
    await manual.sync()
    assert manual.names("bob") == ["Ada", "Bea"]


async def test_deletions_wait_for_the_plan_after_their_grace(manual: Scene) -> None:
    await everything(manual)
    manual.remove("ann", manual.the("ann", "Ada")["id"])
    assert (await manual.sync()).plan is None, "it is in its grace period"
    manual.advance(4000)
    report = await manual.sync()
    assert counts(report) == (0, 0, 1)
    assert manual.names("bob") == ["Ada", "Bea"]
    await approve(manual, report)
    assert manual.names("bob") == ["Bea"]


async def test_what_the_guard_asks_about_is_approved_once(manual: Scene) -> None:
    manual.configure(deletion=DeletionLimits(grace_period=60.0, max_count=0))
    await everything(manual)
    manual.remove("ann", manual.the("ann", "Ada")["id"])
    await manual.sync()
    manual.advance(120)
    report = await manual.sync()
    assert report.plan is None
    assert report.guarded == 1
    await manual.sync(approved=frozenset({report.approval}))
    assert manual.names("bob") == ["Bea"]


async def test_an_erasure_waits_for_no_approval(manual: Scene) -> None:
    manual.connect("cy")
    manual.add("cy", displayName="Cleo", email="cleo@x.example")
    manual.add("cy", displayName="Bea", email="bea@x.example", jobTitle="Brewer")
    await everything(manual)
    assert manual.the("bob", "Bea")["jobTitle"] == "Brewer"
    manual.add("ann", displayName="Dee", email="dee@x.example")
    await manual.sync()
    receipt = await manual.erase("cy")
    assert receipt.complete
    assert manual.names("bob") == ["Ada", "Bea"], "Cleo is gone, and Dee still waits"
    assert not manual.the("bob", "Bea")["jobTitle"]
    assert counts(await manual.sync()) == (1, 0, 0)


async def test_with_automatic_again_nothing_waits(manual: Scene) -> None:
    await manual.sync()
    manual.configure(approval=Approval.AUTOMATIC)
    report = await manual.sync()
    assert (report.plan, report.pending) == (None, 0)
    assert manual.names("bob") == ["Ada", "Bea"]
    manual.configure(approval=Approval.MANUAL)
    assert (await manual.sync()).plan is None


async def test_a_mailbox_out_of_reach_keeps_its_part_of_the_plan(manual: Scene) -> None:
    manual.connect("cy", RECEIVE)
    report = await manual.sync()
    assert counts(report) == (4, 0, 0)
    rule = manual.admin.add_rule("status", service="graph", path=r"cy@|/users/", status=403)
    broken = await manual.sync()
    assert broken.plan == report.plan
    manual.admin.remove_rule(rule)
    assert (await approve(manual, report)).plan is None
    assert manual.names("cy") == manual.names("bob") == ["Ada", "Bea"]


@pytest.mark.parametrize("killed_at", ["push", "conclude_approval"])
async def test_a_process_that_dies_over_an_approved_plan_goes_on_with_it_and_no_further(
    manual: Scene, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    report = await manual.sync()

    def dies(*_: object) -> None:
        raise LeaseLostError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(sync_pass, killed_at, dies)
        with pytest.raises(LeaseLostError):
            await approve(manual, report)
    await manual.restart()
    manual.add("ann", displayName="Cleo", email="cleo@x.example")
    after = await manual.sync()
    assert manual.names("bob") == ["Ada", "Bea"]
    assert counts(after) == (1, 0, 0)


async def test_a_plan_keeps_no_content_and_goes_with_its_spoke(manual: Scene) -> None:
    await manual.sync()
    (spoke,) = [one for name, one in manual.spokes.items() if name == "bob"]
    with manual.worker._store.hub(manual.hub.uid).read() as tx:
        rows = tx.connection.execute(select(plan_entries)).all()
        assert {row.spoke for row in rows} == {spoke.uid}
        assert all(b"email" not in row.sealed for row in rows), "sealed, names of fields too"
    await manual.erase("bob")
    with manual.worker._store.hub(manual.hub.uid).read() as tx:
        assert tx.connection.execute(select(plan_entries)).all() == []


async def test_after_a_lost_store_nothing_is_written_without_an_approval_either(
    manual: Scene,
) -> None:
    await everything(manual)
    manual.add("ann", displayName="Cleo", email="cleo@x.example")
    report = await manual.sync()
    await manual.lose_store()
    manual.forget()
    again = await manual.sync(approved=frozenset({waits(report).id}))
    assert manual.writes() == []
    assert counts(again) == (1, 0, 0)
    await approve(manual, again)
    assert manual.names("bob") == ["Ada", "Bea", "Cleo"]


async def test_a_deleted_hub_is_erased_without_an_approval(manual: Scene) -> None:
    await everything(manual)
    spokes = list(manual.spokes.values())
    assert await manual.worker.leave_hub(manual.hub, erase_at=manual.clock(), spokes=spokes)
    assert (await manual.worker.erase(manual.hub.uid, spokes=spokes)).complete
    assert manual.held("bob") == []
    assert manual.names("ann") == ["Ada", "Bea"]
