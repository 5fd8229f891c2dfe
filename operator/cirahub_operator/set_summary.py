"""The status of a set of spokes: its members in numbers, and the ten that fail worst by their ids.
Part of the summariser; pure."""

from __future__ import annotations

from datetime import datetime

from cirahub_operator.api.hub import DeletionPolicy
from cirahub_operator.api.spoke import ChangeCounts
from cirahub_operator.api.spoke_set import MemberCounts, SpokeSet, SpokeSetStatus, WorstMember
from cirahub_operator.approvals import held_back, members_guarded, source_emptied
from cirahub_operator.conditions import (
    DELETION_GUARDED,
    MEMBERS_FAILING,
    MEMBERS_GUARDED,
    THROTTLED,
    Statement,
    not_ready,
    plural,
    ready,
)
from cirahub_operator.notifying import members_not_told
from cirahub_operator.summary import (
    SUSPENDED,
    SYNCED,
    Leaving,
    changes_of,
    conditions_of,
    problem_statements,
    waiting_statements,
    whole_seconds,
)
from cirahub_sync.engine.report import PassReport, Problem, SetReport
from cirahub_sync.spoke_set import MemberState

_REASONS = 3
"""That a message names."""


def set_status(one: SpokeSet, result: Problem | Leaving, *, now: datetime) -> SpokeSetStatus:
    """Without having taken part in a pass."""
    leaving = isinstance(result, Leaving)
    before = one.status
    return before.model_copy(
        update={
            "observed_generation": one.metadata.generation,
            "conditions": conditions_of(
                one.metadata, before.conditions, waiting_statements(result), now
            ),
            "last_handled_reconcile_at": (
                before.last_handled_reconcile_at if leaving else one.metadata.requested_at
            ),
        }
    )


def set_synced(
    one: SpokeSet, result: SetReport, *, report: PassReport, now: datetime
) -> SpokeSetStatus:
    """After a pass."""
    before = one.status
    changed = changes_of(result.counts)
    news = changed != ChangeCounts()
    statements = _statements(one, result, report.approval)
    return SpokeSetStatus(
        observed_generation=one.metadata.generation,
        conditions=conditions_of(one.metadata, before.conditions, statements, now),
        last_handled_reconcile_at=one.metadata.requested_at,
        last_read_time=whole_seconds(result.read_at) if result.read_at else before.last_read_time,
        last_change_time=whole_seconds(report.finished) if news else before.last_change_time,
        last_change=changed if news else before.last_change,
        members=_members(result),
        items=result.counts.items,
        copies=result.counts.copies,
        approval=result.approval or None,
    )


def _members(report: SetReport) -> MemberCounts:
    def count(state: MemberState) -> int:
        return report.states.get(state.value, 0)

    in_sync = count(MemberState.READY)
    return MemberCounts(
        total=report.total,
        ready=in_sync,
        pending=count(MemberState.PENDING),
        failed=count(MemberState.FAILED),
        suspended=count(MemberState.SUSPENDED),
        leaving=count(MemberState.LEAVING),
        summary=f"{in_sync}/{report.total}",
        worst=tuple(WorstMember(id=member, reason=reason) for member, reason in report.worst),
    )


def _statements(one: SpokeSet, report: SetReport, approval: str) -> list[Statement]:
    hub, namespace = one.spec.hub_ref.name, one.hub_namespace
    extra: list[Statement] = []
    if report.throttled_seconds > 0:
        message = "the service asked for a slower pace; what is left follows in the next passes"
        extra.append(Statement(THROTTLED, True, "Throttled", message))
    if report.sources_emptied:
        told = f"{plural(report.sources_emptied, 'member')} suddenly read empty"
        message = source_emptied(told, hub, namespace, approval)
        extra.append(Statement(DELETION_GUARDED, True, "SourceEmptied", message))
    elif report.guarded:
        message = held_back(hub, namespace, report.guarded, approval)
        extra.append(Statement(DELETION_GUARDED, True, "LimitsExceeded", message))
    extra += members_guarded(hub, namespace, [report])
    if report.failed:
        extra.append(_failing(one, report))
    extra += members_not_told(report)
    if report.problem is not None:
        return [*problem_statements(report.problem), *extra]
    if one.spec.suspend:
        message = "suspended by spec.suspend; nobody joins, leaves or is synced until that is false"
        return [not_ready(SUSPENDED, message), *extra]
    guard = next((each for each in extra if each.type in {MEMBERS_GUARDED, DELETION_GUARDED}), None)
    if guard is not None:
        return [not_ready(guard.type, guard.message), *extra]
    working = report.total - report.failed
    if report.failed and not working:
        failing = _failing(one, report)
        stalled = not (report.retrying or report.access)
        problem = Problem("MembersNotReady", failing.message, stalled)
        return [*problem_statements(problem), *extra]
    return [ready(SYNCED, _told(one, report)), *extra]


def _told(one: SpokeSet, report: SetReport) -> str:
    direction = one.spec.template.direction
    in_sync = report.states.get(MemberState.READY.value, 0)
    told = [f"{in_sync} of {plural(report.total, 'member')} in sync"]
    if direction.contributes:
        told.append(f"contribute {plural(report.counts.items, 'item')}")
    if direction.receives:
        told.append(f"hold {plural(report.counts.copies, 'copy', 'copies')}")
    others = (MemberState.PENDING, MemberState.SUSPENDED, MemberState.LEAVING)
    counts = [(report.states.get(state.value, 0), state.value.lower()) for state in others]
    return ", ".join([*told, *(f"{count} {state}" for count, state in counts if count)])


def _failing(one: SpokeSet, report: SetReport) -> Statement:
    """Who is left alone for now; the others go on."""
    by_count = sorted(report.reasons.items(), key=lambda item: (-item[1], item[0]))
    reasons = ", ".join(f"{count} {reason}" for reason, count in by_count[:_REASONS])
    if len(by_count) > _REASONS:
        reasons += " and others"
    message = (
        f"{plural(report.failed, 'member')} fail: {reasons}; each is tried again with growing "
        "pauses, and at once when the annotation reconcile.cirahub.io/requestedAt of this SpokeSet "
        f"changes; who they are: cirahub members {one.metadata.key}"
    )
    return Statement(MEMBERS_FAILING, True, by_count[0][0], message)


def retains(one: SpokeSet) -> bool:
    return one.spec.deletion_policy is DeletionPolicy.RETAIN
