"""SpokeSets on a real API server, with the engine scripted: what is told of them, and how they
go."""

from __future__ import annotations

import pytest

from cirahub_operator.api import ConditionStatus
from cirahub_operator.resolver import lasting_uid
from cirahub_operator.set_summary import set_synced
from cirahub_operator.standing import standing
from cirahub_sync.engine.report import PassReport, Problem, SetReport
from cirahub_sync.errors import StoreError

from . import objects
from .conftest import Operate
from .scripted import ScriptedEngine
from .stage import NO_GRACE, Stage, connection, hub, spoke, spoke_set
from .test_summary import NOW


def uid(stage: Stage, name: str = "everybody") -> str:
    return lasting_uid("SpokeSet", f"{stage.namespace}/{name}")


async def test_a_set_becomes_ready_and_counts_its_members(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection(), hub(), spoke(), spoke_set())
        await stage.comes("spokeset", "everybody", "True", "Synced")
        await stage.says("hub", "staff", "1 spoke, 1 set of 3 members, 7 items")
    status = await stage.status("spokeset", "everybody")
    assert status["members"]["summary"] == "3/3"
    (config,) = engine.passes[-1].sets
    assert (config.uid, config.name) == (uid(stage), f"{stage.namespace}/everybody")
    assert config.source.groups == ("everybody@contoso.com",)
    assert engine.needs[-1].groups


async def test_members_that_fail_are_counted_named_by_id_and_hold_up_nobody(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    def failing(report: PassReport) -> None:
        one = report.sets.get(uid(stage))
        if one is None:
            return  # the Hub was there first
        one.states = {"Ready": 8, "Failed": 2}
        one.reasons = {"TargetNotFound": 2}
        one.worst = [("0d5c", "TargetNotFound"), ("1f2a", "TargetNotFound")]

    engine.shape = failing
    async with operate() as operation:
        await stage.apply(connection(), hub(), spoke_set())
        await stage.comes("spokeset", "everybody", "True", "TargetNotFound", of="MembersFailing")
        await stage.says("spokeset", "everybody", "8 of 10 members in sync")
        await stage.comes("hub", "staff", "True", "Synced")
        labels = f'hub="staff",namespace="{stage.namespace}"'
        named = 'spokeset="everybody"'
        await stage.meters(
            operation.metrics,
            f'cirahub_spokeset_members{{{labels},{named},state="ready"}} 8.0',
            f'cirahub_spokeset_failing_members{{{labels},reason="TargetNotFound",{named}}} 2.0',
        )
    status = await stage.status("spokeset", "everybody")
    assert status["members"]["worst"][0] == {"id": "0d5c", "reason": "TargetNotFound"}


async def test_leavers_that_are_held_back_say_how_to_let_them_go(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    def held(report: PassReport) -> None:
        one = report.sets.get(uid(stage))
        if one is not None and "let-them-go" not in engine.passes[-1].approved:
            one.held, one.approval = 2, "let-them-go"

    engine.shape = held
    async with operate():
        await stage.apply(connection(), hub(), spoke_set())
        await stage.comes("spokeset", "everybody", "False", "MembersGuarded")
        await stage.comes("hub", "staff", "False", "MembersGuarded")
        message = await stage.message("hub", "staff", of="MembersGuarded")
        assert "SpokeSet everybody: 2 of 3 members are gone" in message
        await stage.told("MembersGuarded", "SpokeSet")
        command = message.rpartition(": ")[2].split()
        await stage.kubectl(*(one for one in command[1:] if one not in ("-n", stage.namespace)))
        await stage.comes("spokeset", "everybody", "True", "Synced")
        await stage.comes("hub", "staff", "True", "Synced")


async def test_a_set_that_is_deleted_leaves_and_its_name_is_free(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection(), hub(), spoke_set())
        await stage.comes("spokeset", "everybody", "True", "Synced")
        await stage.leaves("spokeset", "everybody")
        await stage.told("Leaving", "SpokeSet", "1 members are erased at")
        await stage.says("hub", "staff", "1 spoke is leaving until")
    assert engine.erased == []
    assert [job.set for job in engine.jobs.values()] == [uid(stage)]


async def test_without_a_grace_a_set_is_held_until_its_members_are_erased(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    engine.store_error = None
    async with operate():
        await stage.apply(connection(), hub(deletion=NO_GRACE), spoke_set())
        await stage.comes("spokeset", "everybody", "True", "Synced")
        engine.store_error = StoreError("the disk is full")
        await stage.delete("spokeset", "everybody")
        await stage.comes("spokeset", "everybody", "False", "ErasurePending")
        await stage.says("spokeset", "everybody", "the disk is full")
        engine.store_error = None
        await stage.goes("spokeset", "everybody")
    assert engine.erased == ["erase spoke member"]
    assert engine.jobs == {}


async def test_a_set_that_retains_is_forgotten(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection(), hub(), spoke_set(deletionPolicy="Retain"))
        await stage.comes("spokeset", "everybody", "True", "Synced")
        await stage.leaves("spokeset", "everybody")
    assert engine.erased == [f"retain set {stage.namespace}/everybody"]


async def test_a_set_without_its_hub_or_connection_says_so_and_recovers(
    stage: Stage, operate: Operate
) -> None:
    async with operate():
        await stage.apply(spoke_set())
        await stage.comes("spokeset", "everybody", "False", "HubNotFound")
        await stage.apply(hub())
        await stage.comes("spokeset", "everybody", "False", "ConnectionNotFound")
        await stage.comes("hub", "staff", "False", "SpokesNotReady")
        await stage.apply(connection())
        await stage.comes("spokeset", "everybody", "True", "Synced")
        await stage.comes("hub", "staff", "True", "Synced")


async def test_a_pass_in_which_nothing_changed_writes_no_set(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    async with operate():
        await stage.apply(connection(), hub(), spoke_set())
        await stage.comes("spokeset", "everybody", "True", "Synced")
        await stage.comes("hub", "staff", "True", "Synced")
        before = await stage.get("spokeset", "everybody")
        count = len(engine.passes)
        await stage.annotate("hub", "staff", "reconcile.cirahub.io/requestedAt=again")
        await stage.until(lambda: len(engine.passes) == count + 1)

        async def handled() -> bool:
            status = await stage.status("hub", "staff")
            return status.get("lastHandledReconcileAt") == "again"

        await stage.until(handled)
        assert await stage.get("spokeset", "everybody") == before


async def test_the_api_server_refuses_what_a_set_cannot_be(stage: Stage) -> None:
    refused = {
        "say who they are": spoke_set(members={"excluding": ["a@contoso.com"]}),
        "say what to sync": spoke_set(template={"direction": "Receive"}),
        "no effect on a spoke that only contributes": spoke_set(
            template={"mailbox": {}, "receives": {}}
        ),
        "write a group's object id": spoke_set(members={"groups": ["Everybody"]}),
    }
    for words, manifest in refused.items():
        with pytest.raises(Exception, match=words):
            await stage.apply(manifest)
    await stage.apply(spoke_set())
    with pytest.raises(Exception, match=r"template\.mailbox can't be changed"):
        await stage.apply(spoke_set(template={"mailbox": {"folder": "B"}, "direction": "Receive"}))


def synced(**fields: object) -> SetReport:
    return SetReport(uid="u", name="demo/everybody", **fields)  # type: ignore[arg-type]


REPORT = PassReport("demo/staff", started=1.0, finished=2.0)


def test_a_set_of_ten_thousand_has_a_small_status() -> None:
    worst = [(f"{number:036}", "TargetNotFound") for number in range(10)]
    one = synced(states={"Failed": 10_000}, reasons={"TargetNotFound": 10_000}, worst=worst)
    made = set_synced(objects.spoke_set(), one, report=REPORT, now=NOW)
    assert made.members is not None
    assert made.members.summary == "0/10000"
    assert len(made.model_dump_json(by_alias=True)) < 4096


def test_members_that_nobody_tells_of_are_counted_and_the_set_is_ready() -> None:
    one = synced(states={"Ready": 3}, unsubscribed=2)
    status = set_synced(objects.spoke_set(), one, report=REPORT, now=NOW)
    told = {each.type: (each.reason, each.message) for each in status.conditions}
    assert told["Ready"][0] == "Synced"
    assert told["NotificationsFailing"][0] == "MembersNotTold"
    assert "of 2 members the service does not tell" in told["NotificationsFailing"][1]


def test_a_set_none_of_whose_members_is_in_sync_is_not_ready() -> None:
    one = synced(states={"Failed": 2}, reasons={"TargetNotFound": 2})
    status = set_synced(objects.spoke_set(), one, report=REPORT, now=NOW)
    ready, stalled = status.condition("Ready"), status.condition("Stalled")
    assert ready is not None
    assert (ready.status, ready.reason) == (ConditionStatus.FALSE, "MembersNotReady")
    assert stalled is not None


def test_a_group_that_cannot_be_read_stands_in_the_condition() -> None:
    problem = Problem("GroupNotFound", "its members can't be read", stalled=True)
    one = synced(states={"Ready": 3}, problem=problem)
    status = set_synced(objects.spoke_set(), one, report=REPORT, now=NOW)
    how = standing(status)
    assert (how.ready, how.stalled, how.reason) == (False, True, "GroupNotFound")
