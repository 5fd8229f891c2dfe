"""A Hub's life on a real API server, with the engine scripted."""

from __future__ import annotations

import asyncio
from datetime import datetime

from cirahub_sync.engine.report import (
    Feud,
    PassReport,
    PlanSummary,
    Problem,
    StageSummary,
)
from cirahub_sync.errors import KeyUnavailableError

from .conftest import Operate
from .scripted import ScriptedEngine
from .stage import Stage, connection, hub, spoke


async def test_a_hub_and_its_spokes_become_ready(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(), spoke("ann"), spoke("bob"))
        await stage.comes("connection", "contoso", "True", "SignedIn")
        await stage.says("hub", "staff", "2 spokes")
    status = await stage.status("hub", "staff")
    assert status["spokes"]["summary"] == "2/2"
    assert status["items"] == 7
    assert status["observedGeneration"] == 1
    assert engine.passes[-1].names == ["ann", "bob"]


async def test_a_pass_in_which_nothing_changed_writes_the_hub_and_no_spoke(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.synced(connection(), hub(), spoke())
        before = [
            await stage.get(kind, name) for kind, name in (("spoke", "ann"), ("hub", "staff"))
        ]
        count = len(engine.passes)
        await asyncio.sleep(1.1)  # so that lastSyncTime, in whole seconds, is another one
        await stage.annotate("hub", "staff", "reconcile.cirahub.io/requestedAt=again")
        await stage.until(lambda: len(engine.passes) == count + 1)

        async def handled() -> bool:
            status = await stage.status("hub", "staff")
            return status.get("lastHandledReconcileAt") == "again"

        await stage.until(handled)
        after = [await stage.get("spoke", "ann"), await stage.get("hub", "staff")]
    assert before[0] == after[0]
    assert before[1] is not None
    assert after[1] is not None
    assert before[1]["status"]["lastSyncTime"] < after[1]["status"]["lastSyncTime"]


async def test_a_missing_connection_is_named_and_recovers_by_itself(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(hub(), spoke("ann"), connection("other"))
        await stage.apply(spoke("bob", connectionRef={"name": "other"}))
        await stage.comes("spoke", "ann", "False", "ConnectionNotFound")
        await stage.comes("spoke", "bob", "True", "Synced")
        await stage.comes("hub", "staff", "False", "SpokesNotReady")
        await stage.until(lambda: engine.passes[-1].names == ["bob"])
        assert engine.passes[-1].absent == 1
        await stage.apply(connection())
        await stage.comes("spoke", "ann", "True", "Synced")
        await stage.comes("hub", "staff", "True", "Synced")
    assert engine.passes[-1].names == ["ann", "bob"]
    assert engine.passes[-1].absent == 0


async def test_a_missing_hub_is_named_and_recovers_by_itself(
    stage: Stage, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection(), spoke())
        await stage.comes("spoke", "ann", "False", "HubNotFound")
        await stage.apply(hub())
        await stage.comes("spoke", "ann", "True", "Synced")


async def test_a_suspended_hub_runs_no_pass_until_it_is_resumed(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    interval = "cirahub_hub_interval_seconds{"

    def suspended(kind: str, name: str, number: float) -> str:
        labels = f'kind="{kind}",name="{name}",namespace="{stage.namespace}"'
        return f"cirahub_suspended{{{labels}}} {number}"

    async with operate() as operation:
        await stage.apply(connection(), hub(suspend=True), spoke())
        await stage.comes("hub", "staff", "False", "Suspended")
        await stage.comes("spoke", "ann", "False", "Suspended")
        expected = suspended("Hub", "staff", 1.0), suspended("Spoke", "ann", 1.0)
        await stage.meters(operation.metrics, *expected, absent=interval)
        assert engine.passes == []
        await stage.synced(hub(suspend=False))
        await stage.comes("spoke", "ann", "True", "Synced")
        expected = suspended("Hub", "staff", 0.0), suspended("Spoke", "ann", 0.0)
        await stage.meters(operation.metrics, *expected, interval)
        await stage.apply(hub(suspend=True))
        await stage.meters(operation.metrics, absent=interval)
    assert engine.passes


async def test_when_a_hub_was_synced_is_known_to_the_next_operator(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    """Else an alert of hubs that are not synced any more would be reset by a restart."""
    async with operate():
        await stage.synced(connection(), hub(interval="1h"), spoke())
    engine.hanging = True
    count = len(engine.passes)
    async with operate() as operation:
        await stage.until(lambda: len(engine.passes) > count)
        synced = "cirahub_hub_last_sync_timestamp_seconds{"
        await stage.meters(operation.metrics, synced, "cirahub_hub_interval_seconds{")
        labels = {"namespace": stage.namespace, "hub": "staff"}
        last = operation.metrics.registry.get_sample_value(synced.removesuffix("{"), labels)
        told = (await stage.status("hub", "staff"))["lastSyncTime"]
    assert last == datetime.fromisoformat(told).timestamp()


async def test_suspending_stops_the_pass_that_runs(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.hanging = True
    async with operate():
        await stage.apply(connection(), hub(), spoke())
        await stage.until(lambda: engine.passes)
        await stage.comes("hub", "staff", "True", "Progressing", of="Reconciling")
        await stage.apply(hub(suspend=True))
        await stage.comes("hub", "staff", "False", "Suspended")
    assert engine.stopped >= 1


async def test_flux_can_request_a_pass(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("hub", "staff", "True", "Synced")
        count = len(engine.passes)
        await stage.annotate("hub", "staff", "reconcile.fluxcd.io/requestedAt=now")
        await stage.until(lambda: len(engine.passes) == count + 1)


async def test_passes_come_at_the_hubs_own_interval(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection(), hub(interval="5s"), spoke())
        await stage.until(lambda: len(engine.passes) >= 3)


async def test_a_changed_spoke_is_passed_over_at_once(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("hub", "staff", "True", "Synced")
        await stage.apply(spoke(direction="TwoWay"))
        await stage.until(lambda: engine.passes[-1].spokes[0].direction == "TwoWay")


async def test_guarded_deletions_say_how_to_approve_them_and_go_when_approved(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    def guard(report: PassReport) -> None:
        if "abc123" not in engine.passes[-1].approved:
            report.approval = "abc123"
            next(iter(report.spokes.values())).guarded = 60

    engine.shape = guard
    async with operate():
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("hub", "staff", "False", "DeletionGuarded")
        await stage.comes("hub", "staff", "True", "LimitsExceeded", of="DeletionGuarded")
        await stage.comes("spoke", "ann", "True", "LimitsExceeded", of="DeletionGuarded")
        status = await stage.status("hub", "staff")
        assert status["approval"] == "abc123"
        assert "cirahub.io/approve=abc123" in status["conditions"][0]["message"]
        await stage.annotate("hub", "staff", "cirahub.io/approve=abc123")
        await stage.comes("hub", "staff", "True", "Synced")
        assert await stage.condition("hub", "staff", of="DeletionGuarded") == ("", "")


async def test_a_plan_that_waits_says_how_to_approve_it_and_goes_when_approved(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    def wait(report: PassReport) -> None:
        if "4c1f" not in engine.passes[-1].approved:
            report.plan = PlanSummary(id="4c1f", creates=3, expires_at=1e10)

    engine.shape = wait
    async with operate():
        await stage.apply(connection(), hub(approval="Manual", planExpiry="2h"), spoke())
        await stage.comes("hub", "staff", "True", "PlanWaits", of="ApprovalPending")
        status = await stage.status("hub", "staff")
        assert (status["plan"]["id"], status["plan"]["creates"]) == ("4c1f", 3)
        assert (engine.passes[-1].hub.approval, engine.passes[-1].hub.plan_expiry) == (
            "Manual",
            7200.0,
        )
        await stage.annotate("hub", "staff", "cirahub.io/approve=4c1f")
        await stage.until(lambda: "4c1f" in engine.passes[-1].approved)
        await stage.comes("hub", "staff", "", "", of="ApprovalPending")
        assert "plan" not in await stage.status("hub", "staff")


async def test_each_stage_of_a_first_sync_is_told_by_an_event_and_let_in_by_its_id(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    def wait(report: PassReport) -> None:
        done = engine.passes[-1].approved & {"a1", "a2"}
        if "a2" not in done:
            name, number = ("a2", 2) if done else ("a1", 1)
            waits = StageSummary(id=name, number=number, of=3, arrived=2, waiting=9, next=0)
            next(iter(report.spokes.values())).stage = waits

    engine.shape = wait
    async with operate():
        first_sync = {"stages": [2, 4]}
        await stage.apply(
            connection(), hub(), spoke("ann", direction="Receive", firstSync=first_sync)
        )
        await stage.comes("spoke", "ann", "True", "StageWaits", of="ApprovalPending")
        await stage.comes("hub", "staff", "True", "StageWaits", of="ApprovalPending")
        assert engine.passes[-1].spokes[0].stages == (2, 4)
        assert (await stage.status("spoke", "ann"))["firstSync"]["approval"] == "a1"
        assert (await stage.status("hub", "staff"))["firstSyncs"]["spokes"][0]["name"] == "ann"
        await stage.annotate("hub", "staff", "cirahub.io/approve=a1")
        await stage.until(lambda: "a1" in engine.passes[-1].approved)
        await stage.told("StageWaits", "Spoke", "stage 1 of 3")
        await stage.told("StageWaits", "Spoke", "stage 2 of 3")
        await stage.annotate("hub", "staff", "cirahub.io/approve=a2")
        await stage.comes("spoke", "ann", "", "", of="ApprovalPending")
        await stage.comes("hub", "staff", "", "", of="ApprovalPending")
        assert "firstSync" not in await stage.status("spoke", "ann")


async def test_an_event_names_who_kept_changing_a_field_that_was_frozen(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    def freeze(report: PassReport) -> None:
        report.undecided = report.disputed = report.frozen = report.froze = 1
        report.feud = Feud("jobTitle", ("default/ann", "default/bob"))

    engine.shape = freeze
    async with operate():
        await stage.apply(connection(), hub(), spoke("ann"), spoke("bob"))
        await stage.comes("hub", "staff", "True", "DecisionNeeded", of="ConflictsPending")
        await stage.told("FieldFrozen", "Hub", "jobTitle last, by default/ann and default/bob")


async def test_a_failing_spoke_does_not_hold_the_others(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    def fail(report: PassReport) -> None:
        for one in report.spokes.values():
            if one.name.endswith("/ann"):
                one.problem = Problem("TargetNotFound", "there is no such mailbox", stalled=True)

    engine.shape = fail
    async with operate():
        await stage.apply(connection(), hub(), spoke("ann"), spoke("bob"))
        await stage.comes("spoke", "ann", "True", "TargetNotFound", of="Stalled")
        await stage.comes("spoke", "bob", "True", "Synced")
        await stage.comes("hub", "staff", "True", "SpokesNotReady", of="Stalled")
    status = await stage.status("hub", "staff")
    assert status["spokes"]["worst"] == [{"name": "ann", "reason": "TargetNotFound"}]


async def test_a_missing_key_stalls_the_hub_until_it_is_there(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.pass_error = KeyUnavailableError("the key file /etc/cirahub/key does not exist")
    async with operate():
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("hub", "staff", "True", "KeyUnavailable", of="Stalled")
        await stage.comes("spoke", "ann", "False", "KeyUnavailable")
        engine.pass_error = None
        await stage.comes("hub", "staff", "True", "Synced")
        await stage.comes("spoke", "ann", "True", "Synced")
