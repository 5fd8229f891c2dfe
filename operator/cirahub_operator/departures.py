"""Who is leaving a hub, in words and numbers: for statuses, events and log lines. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cirahub_operator.api.hub import LEAVING_SPOKES, LeavingSpoke, LeavingSpokes
from cirahub_operator.api.meta import REQUESTED_AT
from cirahub_operator.conditions import ERASURE_INCOMPLETE, Statement
from cirahub_sync.erasure import Erasure, ErasureReport

NAMED = 3
"""Leavers that a message names."""


@dataclass(frozen=True)
class Departures:
    """What a Hub's status says of its open erasures."""

    listed: LeavingSpokes | None = None
    statements: tuple[Statement, ...] = ()
    phrase: str = ""
    """For the message of a ready Hub; blank when there is nothing to say."""


def departures(
    jobs: Sequence[Erasure], failures: Mapping[str, str], *, now: datetime
) -> Departures:
    """`jobs` are the hub's open ones; `failures` says, by job, what its last attempt ran into."""
    ordered = sorted(jobs, key=lambda job: (job.erase_at, job.name))
    spokes = [job for job in ordered if not job.whole_hub]
    listed = tuple(
        LeavingSpoke(name=_short(job), erase_at=time(job.erase_at))
        for job in spokes[:LEAVING_SPOKES]
    )
    failed = {job.id: why for job in ordered if (why := trouble(job, failures.get(job.id)))}
    waiting = [job for job in spokes if job.erase_at > now.timestamp() and job.id not in failed]
    return Departures(
        listed=LeavingSpokes(total=len(spokes), spokes=listed) if spokes else None,
        statements=(_incomplete([job for job in ordered if job.id in failed], failed),)
        if failed
        else (),
        phrase="; ".join(filter(None, (_leaving(waiting), _remaining(failed)))),
    )


def trouble(job: Erasure, failure: str | None = None) -> str:
    """Why an erasure that was tried is not complete; blank if it was not tried, or is running for
    the first time. `failure`: what its last attempt ran into, if it did not come to a report."""
    if failure:
        return failure
    return "" if job.report is None or job.report.complete else unfinished(job.report)


def who(job: Erasure) -> str:
    kind = "Hub" if job.whole_hub else "Member" if job.set else "Spoke"
    return f"{kind} {_short(job)}"


def erased(erasure: ErasureReport) -> str:
    return (
        f"{erasure.copies_deleted} copies deleted, {erasure.items_erased} items erased, "
        f"{erasure.items_changed} items changed"
    )


def unfinished(erasure: ErasureReport) -> str:
    reasons = "; ".join(sorted({problem.message for problem in erasure.problems})[:NAMED])
    return f"{erasure.copies_remaining} copies remain" + (f": {reasons}" if reasons else "")


def time(posix: float) -> datetime:
    """UTC, whole seconds, as Kubernetes keeps times; never earlier than it was."""
    return datetime.fromtimestamp(-(-posix // 1), UTC)


def stamp(posix: float) -> str:
    return time(posix).strftime("%Y-%m-%dT%H:%M:%SZ")


def _leaving(waiting: Sequence[Erasure]) -> str:
    if not waiting:
        return ""
    until = stamp(waiting[-1].erase_at)
    if len(waiting) == 1:
        return f"1 spoke is leaving until {until}"
    return f"{len(waiting)} spokes are leaving, the last of them until {until}"


def _remaining(failed: Mapping[str, str]) -> str:
    if not failed:
        return ""
    return (
        "1 erasure is incomplete" if len(failed) == 1 else f"{len(failed)} erasures are incomplete"
    )


def _incomplete(jobs: Sequence[Erasure], failed: Mapping[str, str]) -> Statement:
    named = ". ".join(f"{who(job)}: {failed[job.id]}" for job in jobs[:NAMED])
    if len(jobs) > NAMED:
        named += f". And {len(jobs) - NAMED} others"
    message = (
        f"{named}. It is tried again by itself; mend what stands in the way, and to have it tried "
        f"at once: cirahub erase --resume, or another value of the annotation {REQUESTED_AT}; "
        "cirahub erase --abandon gives up on it"
    )
    return Statement(ERASURE_INCOMPLETE, True, "CopiesUnreachable", message)


def _short(job: Erasure) -> str:
    """As people of the hub's namespace name it."""
    return job.name.removeprefix(f"{job.hub_name.rpartition('/')[0]}/")
