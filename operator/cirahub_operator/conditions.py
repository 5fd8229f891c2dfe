"""Conditions as kstatus reads them, and the one place where they get their history.

`Ready` is always there; all others only while they are true. Source: kubernetes-sigs/cli-utils,
`pkg/kstatus/README.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cirahub_operator.api.meta import Condition, ConditionStatus

READY = "Ready"
RECONCILING = "Reconciling"
STALLED = "Stalled"
CREDENTIALS_READY = "CredentialsReady"
CREDENTIALS_EXPIRING = "CredentialsExpiring"
CONSENTED = "Consented"
THROTTLED = "Throttled"
DELETION_GUARDED = "DeletionGuarded"
ERASURE_INCOMPLETE = "ErasureIncomplete"
ITEMS_FAILING = "ItemsFailing"
NOTIFICATIONS_FAILING = "NotificationsFailing"
CONFLICTS_PENDING = "ConflictsPending"
APPROVAL_PENDING = "ApprovalPending"
MEMBERS_FAILING = "MembersFailing"
MEMBERS_GUARDED = "MembersGuarded"

MESSAGE_LIMIT = 1024
"""Characters; the schema admits more, but nobody reads it."""


@dataclass(frozen=True)
class Statement:
    """What a condition says now: a condition without its history."""

    type: str
    holds: bool
    reason: str
    message: str


def ready(reason: str, message: str) -> Statement:
    return Statement(READY, True, reason, message)


def not_ready(reason: str, message: str) -> Statement:
    return Statement(READY, False, reason, message)


def stated(
    statements: Iterable[Statement],
    *,
    before: Sequence[Condition],
    generation: int,
    now: datetime,
) -> tuple[Condition, ...]:
    """The statements as conditions: `lastTransitionTime` moves only when `status` does."""
    known = {condition.type: condition for condition in before}
    made = []
    for statement in statements:
        status = ConditionStatus.TRUE if statement.holds else ConditionStatus.FALSE
        previous = known.get(statement.type)
        same = previous is not None and previous.status is status
        made.append(
            Condition(
                type=statement.type,
                status=status,
                reason=statement.reason,
                message=shortened(statement.message),
                observed_generation=generation,
                last_transition_time=(
                    previous.last_transition_time if previous is not None and same else now
                ),
            )
        )
    return tuple(made)


def shortened(message: str, limit: int = MESSAGE_LIMIT) -> str:
    """On one line and not too long."""
    line = " ".join(message.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def plural(count: int, singular: str, plural: str | None = None) -> str:
    return f"{count} {singular if count == 1 else plural or singular + 's'}"
