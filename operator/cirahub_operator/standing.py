"""How a spoke is, as far as its Hub's status tells: a few bits, for thousands of them."""

from __future__ import annotations

from sys import intern
from typing import NamedTuple

from cirahub_operator.api.meta import ConditionStatus, Status
from cirahub_operator.conditions import DELETION_GUARDED, MEMBERS_GUARDED, READY, STALLED


class Standing(NamedTuple):
    ready: bool
    stalled: bool
    guarded: bool
    reason: str
    """Of its readiness, or unreadiness."""


def standing(status: Status) -> Standing:
    told = status.condition(READY)
    return Standing(
        ready=_holds(status, READY),
        stalled=_holds(status, STALLED),
        guarded=_holds(status, DELETION_GUARDED) or _holds(status, MEMBERS_GUARDED),
        reason=intern(told.reason) if told is not None else "Unknown",
    )


def _holds(status: Status, kind: str) -> bool:
    condition = status.condition(kind)
    return condition is not None and condition.status is ConditionStatus.TRUE
