"""The guard: a pass that would delete too much deletes nothing and asks.

Judged per receiver against its copies, after everything is planned and before any deletion is
sent. Deletions because somebody left for good were asked for, and are not guarded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from cirahub_sync.configuration import DeletionLimits
from cirahub_sync.engine.context import digest


class Candidate(msgspec.Struct, frozen=True):
    """One deletion that is due."""

    spoke: str
    item: str
    unguarded: bool


class Verdict(msgspec.Struct, frozen=True):
    allowed: frozenset[tuple[str, str]]
    """(spoke, item)."""
    held: Mapping[str, int]
    """Deletions held back, by spoke."""
    approval: str
    """A digest of exactly what is held back; blank if nothing is."""


def allowance(limits: DeletionLimits, copies: int) -> int:
    """How many of `copies` may go in one pass; one always may."""
    return min(limits.max_count, max(1, math.ceil(copies * limits.max_percent / 100)))


def judge_deletions(
    candidates: Sequence[Candidate],
    copies: Mapping[str, int],
    limits: DeletionLimits,
    approved: frozenset[str],
) -> Verdict:
    """Pure. `copies`: how many each spoke holds before this pass's deletions."""
    by_spoke: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        if not candidate.unguarded:
            by_spoke.setdefault(candidate.spoke, []).append(candidate)
    over = {
        spoke: guarded
        for spoke, guarded in by_spoke.items()
        if len(guarded) > allowance(limits, copies.get(spoke, 0))
    }
    held = sorted((c.spoke, c.item) for guarded in over.values() for c in guarded)
    approval = digest("delete", held) if held else ""
    if approval in approved:
        over, held, approval = {}, [], ""
    refused = set(held)
    return Verdict(
        allowed=frozenset(
            (c.spoke, c.item) for c in candidates if (c.spoke, c.item) not in refused
        ),
        held={spoke: len(guarded) for spoke, guarded in over.items()},
        approval=approval,
    )
