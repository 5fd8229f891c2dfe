"""When a hub's next pass is due. Pure, but for the memory that it is given."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from cirahub_operator.api import Hub
from cirahub_operator.api.duration import seconds
from cirahub_operator.api.meta import APPROVE
from cirahub_operator.settings import Timing
from cirahub_operator.workqueue import backoff, jittered
from cirahub_sync.configuration import HubConfig, SpokeConfig
from cirahub_sync.engine.report import PassReport, SetReport
from cirahub_sync.spoke_set import SpokeSetConfig


class Cause(StrEnum):
    """Why a pass is due."""

    FIRST = "first"
    CHANGED = "changed"
    REQUESTED = "requested"
    APPROVED = "approved"
    INTERVAL = "interval"
    NOTIFIED = "notified"
    """A service told of changes: only where is looked at."""


@dataclass
class Memory:
    """What is remembered of a hub between two looks at it. Losing it costs one pass."""

    report: PassReport | None = None
    """Of the last pass."""
    digest: str = ""
    """Of what the last pass was given."""
    handled: str | None = None
    """The `requestedAt` that the last pass answered."""
    spokes_handled: Mapping[str, str | None] = field(default_factory=dict)
    """The same of the spokes, by label."""
    approvals: set[str] = field(default_factory=set)
    """Digests that a pass was given."""
    failures: int = 0
    due: float = 0.0
    """On the monotonic clock."""
    notified_from: float = 0.0
    """On the same clock: no pass that notifications ask for is made before."""


def digest(
    hub: HubConfig,
    spokes: Sequence[SpokeConfig],
    refused: Collection[str],
    sets: Sequence[SpokeSetConfig] = (),
) -> str:
    """Of all that makes a pass worth while at once when it changes. `refused`: connections that
    can't sign in, so that one that can again doesn't wait for the interval."""
    by_uid = sorted(spokes, key=lambda one: one.uid)
    encoded = msgspec.json.encode((hub, by_uid, sorted(refused), *sets))
    return hashlib.sha256(encoded).hexdigest()


def cause(
    hub: Hub,
    asked: Mapping[str, str | None],
    given: str,
    memory: Memory,
    *,
    now: float,
    notified: bool = False,
) -> Cause | None:
    """Why a pass is due now, if it is. `asked`: the `requestedAt` of the spokes, by label; `given`
    is the digest; `now` on the monotonic clock; `notified`: a service told of changes."""
    if memory.report is None:
        return Cause.FIRST
    if given != memory.digest:
        return Cause.CHANGED
    if hub.metadata.requested_at != memory.handled:
        return Cause.REQUESTED
    for name, requested_at in asked.items():
        if name in memory.spokes_handled and requested_at != memory.spokes_handled[name]:
            return Cause.REQUESTED
    held_back = set(memory.report.approval.split(","))
    if memory.report.plan is not None:
        held_back.add(memory.report.plan.id)
    held_back.update(one.id for one in memory.report.stages.values())
    held_back.update(one.approval for one in memory.report.sets.values())
    if approved(hub) & held_back - memory.approvals:
        return Cause.APPROVED
    if now >= memory.due:
        return Cause.INTERVAL
    if notified and memory.report.problem is None and now >= memory.notified_from:
        return Cause.NOTIFIED
    return None


def next_look(memory: Memory, *, now: float, notified: bool) -> float:
    """Seconds until a pass may be due. After one that broke off the retries decide, whatever was
    told."""
    at = memory.due
    if notified and memory.report is not None and memory.report.problem is None:
        at = min(at, memory.notified_from)
    return max(0.0, at - now)


def settle(
    memory: Memory, hub: Hub, report: PassReport, timing: Timing, *, now: float, notified: bool
) -> None:
    """When the next pass is due after one. One that notifications asked for leaves the interval's
    clock alone, and makes up for no failure, since it didn't look at everybody; a failure that is
    new is retried as any other."""
    if not notified:
        memory.failures = memory.failures + 1 if failed(report) else 0
        memory.due = now + wait(hub, report, memory.failures, timing)
    elif failed(report) and (report.problem is not None or not memory.failures):
        memory.failures += 1
        memory.due = min(memory.due, now + wait(hub, report, memory.failures, timing))


def approved(hub: Hub) -> frozenset[str]:
    """What the hub's annotation lets go."""
    approval = hub.metadata.annotations.get(APPROVE, "")
    return frozenset(filter(None, approval.split(",")))


def wait(hub: Hub, report: PassReport, failures: int, timing: Timing) -> float:
    """Seconds until the next pass; sooner than the interval after something that passes by
    itself. `failures` in a row, this one included."""
    interval = jittered(seconds(hub.spec.interval), timing)
    for one in report.sets.values():
        # Who joins a set or leaves it is to be known within the set's own interval.
        if one.problem is None and one.due_at > report.finished:
            interval = min(interval, one.due_at - report.finished)
    if not failures:
        return interval
    asked = [report.problem] + [one.problem for one in report.everywhere]
    least = max((one.retry_after or 0.0 for one in asked if one is not None), default=0.0)
    least = max([least, *(one.retry_after for one in report.sets.values())])
    return min(interval, max(backoff(failures, timing), least))


def failed(report: PassReport) -> bool:
    """Whether trying again before the interval is over may help."""
    return report.problem is not None or any(
        (one.problem is not None and not one.problem.stalled)
        or (isinstance(one, SetReport) and one.retrying)
        for one in report.everywhere
    )
