"""Who leaves, and what became of an erasure, for people."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from cirahub_operator.cli.output import as_json
from cirahub_operator.cli.table import table
from cirahub_sync.erasure import Erasure, ErasureReport

HEADINGS = ("NAME", "KIND", "SINCE", "ERASED FROM", "ATTEMPTS", "REMAINING", "WHY")


def shown(jobs: Sequence[Erasure], output: str) -> str:
    """As `text` or `json`."""
    if output == "json":
        return as_json(jobs)
    if not jobs:
        return "Nothing leaves."
    return "\n".join(table(HEADINGS, [_row(job) for job in jobs]))


def told(job: Erasure, report: ErasureReport, *, abandoned: bool) -> list[str]:
    state = "given up" if abandoned else "erased" if report.complete else "not erased yet"
    first = (
        f"{kind(job)} {job.name}: {state}; {report.copies_deleted} copies deleted, "
        f"{report.items_erased} items erased, {report.items_changed} items changed, "
        f"{report.copies_remaining} copies remain"
    )
    return [first, *(f"  {problem.reason}: {problem.message}" for problem in report.problems)]


def waits(job: Erasure) -> bool:
    """Whether it is in its grace period, and may come back."""
    return job.started_at is None and job.erase_at > time.time()


def kind(job: Erasure) -> str:
    return "Hub" if job.whole_hub else "Member" if job.set else "Spoke"


def date(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _row(job: Erasure) -> tuple[str | int, ...]:
    why = "in its grace period" if waits(job) else "due"
    if job.report is not None and job.report.problems:
        first = job.report.problems[0]
        why = f"{first.reason}: {first.message}"
    return (
        job.name,
        kind(job),
        date(job.requested_at),
        date(job.erase_at),
        job.attempts,
        "?" if job.report is None else job.report.copies_remaining,
        why,
    )
