"""Plans that wait for a person's approval, in a Hub's status."""

from __future__ import annotations

from datetime import UTC, datetime

from cirahub_operator.api.hub import PlanStatus
from cirahub_operator.api.meta import APPROVE
from cirahub_operator.conditions import APPROVAL_PENDING, Statement
from cirahub_sync.engine.report import PlanSummary


def awaited(hub: str, namespace: str, plan: PlanSummary) -> Statement:
    """How much waits, and how to let it go."""
    message = (
        f"plan {plan.id} waits for approval: {plan.creates} to create, {plan.updates} to update, "
        f"{plan.deletes} to delete, until {_time(plan.expires_at):%Y-%m-%d %H:%M} UTC; see it with "
        f"`cirahub plan`, and let it go: {approving(hub, namespace, plan.id)}"
    )
    return Statement(APPROVAL_PENDING, True, "PlanWaits", message)


def approving(hub: str, namespace: str, approval: str) -> str:
    return f"kubectl annotate hub {hub} -n {namespace} --overwrite {APPROVE}={approval}"


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


def _time(posix: float) -> datetime:
    return datetime.fromtimestamp(int(posix), UTC)
