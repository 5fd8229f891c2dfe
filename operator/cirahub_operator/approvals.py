"""What waits for a person's approval, plans and stages of first syncs, in a status."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from cirahub_operator.api.hub import STAGED_SPOKES, FirstSyncs, PlanStatus, StagedSpoke
from cirahub_operator.api.meta import APPROVE
from cirahub_operator.api.spoke import FirstSyncStatus
from cirahub_operator.conditions import APPROVAL_PENDING, MEMBERS_GUARDED, Statement
from cirahub_sync.engine.report import PassReport, PlanSummary, SetReport, StageSummary

PLAN_WAITS = "PlanWaits"
STAGE_WAITS = "StageWaits"
_NAMED = 3
"""First syncs that a message tells in full."""


def awaited(hub: str, namespace: str, report: PassReport) -> list[Statement]:
    """How much waits at a Hub, and how to let it go."""
    messages = []
    if (plan := report.plan) is not None:
        messages.append(
            f"plan {plan.id} waits for approval: {plan.creates} to create, {plan.updates} to "
            f"update, {plan.deletes} to delete, until {_time(plan.expires_at):%Y-%m-%d %H:%M} UTC; "
            "see it with `cirahub plan`, and let it go: "
            f"{approving(hub, namespace, plan.id)}"
        )
    if stages := report.stages:
        named = sorted(stages)[:_NAMED]
        told = "; ".join(f"{_label(one, namespace)}, {counted(stages[one])}" for one in named)
        others = f"; and {len(stages) - _NAMED} others" if len(stages) > _NAMED else ""
        ids = ",".join(stages[one].id for one in named)
        messages.append(
            f"first syncs wait for approval of their next stage: {told}{others}; let it in: "
            f"{approving(hub, namespace, ids)}"
        )
    if not messages:
        return []
    reason = STAGE_WAITS if report.plan is None else PLAN_WAITS
    return [Statement(APPROVAL_PENDING, True, reason, "; ".join(messages))]


def stage_awaited(hub: str, namespace: str, stage: StageSummary) -> Statement:
    """The same at a Spoke; `hub` is the Hub's name, in its namespace."""
    more = "the rest" if stage.next == 0 else f"up to {stage.next}"
    message = (
        f"first sync, {counted(stage)}; look at them, and let {more} in: "
        f"{approving(hub, namespace, stage.id)}"
    )
    return Statement(APPROVAL_PENDING, True, STAGE_WAITS, message)


def counted(stage: StageSummary) -> str:
    """How far a first sync has come."""
    total = stage.arrived + stage.planned + stage.waiting
    planned = f"{stage.planned} planned, " if stage.planned else ""
    verb = "waits" if stage.waiting == 1 else "wait"
    return (
        f"stage {stage.number} of {stage.of}: {stage.arrived} of {total} items let in, "
        f"{planned}{stage.waiting} {verb}"
    )


def approving(hub: str, namespace: str, approval: str) -> str:
    return f"kubectl annotate hub {hub} -n {namespace} --overwrite {APPROVE}={approval}"


def members_guarded(hub: str, namespace: str, sets: Iterable[SetReport]) -> list[Statement]:
    """Members that are about to leave, and are too many."""
    held = [one for one in sets if one.held]
    if not held:
        return []
    told = "; ".join(
        f"SpokeSet {_label(one.name, namespace)}: {one.held} of {one.total} members are gone"
        + (", which is all of them" if one.emptied else "")
        for one in held[:_NAMED]
    )
    if len(held) > _NAMED:
        told += f"; and {len(held) - _NAMED} other SpokeSets"
    ids = ",".join(one.approval for one in held[:_NAMED])
    reason = "MembersVanished" if any(one.emptied for one in held) else "LimitsExceeded"
    message = (
        f"{told}: more than spec.leaving allows at once or in a day, and nobody leaves; correct "
        f"the group or the filter, or, if they are meant to go: {approving(hub, namespace, ids)}"
    )
    return [Statement(MEMBERS_GUARDED, True, reason, message)]


def held_back(hub: str, namespace: str, count: int, approval: str) -> str:
    """How to let guarded deletions go."""
    return (
        f"{count} deletions are more than spec.deletion allows at once or in a day and are held "
        "back; restore the items, or, if they are meant to go: "
        f"{approving(hub, namespace, approval)}"
    )


def source_emptied(told: str, hub: str, namespace: str, approval: str) -> str:
    """`told`: of what it is about; and how to let the deletions go that follow from it."""
    return (
        f"{told}; nothing was deleted because of that: restore the items, or, if they are meant to "
        f"go: {approving(hub, namespace, approval)}"
    )


def plan_status(plan: PlanSummary | None) -> PlanStatus | None:
    if plan is None:
        return None
    return PlanStatus(
        id=plan.id,
        creates=plan.creates,
        updates=plan.updates,
        deletes=plan.deletes,
        expires_at=_time(plan.expires_at),
    )


def first_syncs(report: PassReport) -> FirstSyncs | None:
    stages, namespace = report.stages, report.hub.partition("/")[0]
    if not stages:
        return None
    return FirstSyncs(
        total=len(stages),
        arrived=sum(one.arrived for one in stages.values()),
        waiting=sum(one.waiting for one in stages.values()),
        spokes=tuple(
            StagedSpoke(
                name=_label(name, namespace),
                stage=stages[name].number,
                stages=stages[name].of,
                arrived=stages[name].arrived,
                waiting=stages[name].waiting,
                approval=stages[name].id,
            )
            for name in sorted(stages)[:STAGED_SPOKES]
        ),
    )


def first_sync_status(stage: StageSummary | None) -> FirstSyncStatus | None:
    if stage is None:
        return None
    return FirstSyncStatus(
        stage=stage.number,
        stages=stage.of,
        arrived=stage.arrived,
        waiting=stage.waiting,
        approval=stage.id,
    )


def _label(name: str, namespace: str) -> str:
    return name.removeprefix(f"{namespace}/")


def _time(posix: float) -> datetime:
    return datetime.fromtimestamp(int(posix), UTC)
