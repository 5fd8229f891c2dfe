"""The guard: a pass that would delete too much deletes nothing and asks.

Judged per receiver against its copies, after everything is planned and before any deletion is
sent: so many in one pass, and so many in any 24 hours, lest many small passes do what one may not.
Deletions because somebody left for good were asked for, and are not guarded; what a person
approved is not counted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from cirahub_sync.configuration import DeletionLimits
from cirahub_sync.engine.context import digest
from cirahub_sync.store.hub import Transaction

DAY = 86_400.0


class Candidate(msgspec.Struct, frozen=True):
    """One deletion that is due."""

    spoke: str
    item: str
    unguarded: bool
    native: bool = False
    """Of an own item of the receiver's user, not of a copy."""


class Holding(msgspec.Struct, frozen=True):
    """What a receiver holds before this pass's deletions, and what went there lately."""

    copies: int = 0
    """With own items of its user, if some of those are to go."""
    sent: frozenset[str] = frozenset()
    """Items deleted there, or sent for deletion, in the last 24 hours, that nobody was asked
    about."""


class Verdict(msgspec.Struct, frozen=True):
    allowed: frozenset[tuple[str, str]]
    """(spoke, item)."""
    counted: frozenset[tuple[str, str]]
    """Of these, the ones that use up the day's allowance."""
    held: Mapping[str, int]
    """Deletions held back, by spoke."""
    approval: str
    """A digest of exactly what is held back; blank if nothing is."""


def allowance(limits: DeletionLimits, copies: int) -> int:
    """How many of `copies` may go in one pass; one always may."""
    return _least(limits.max_count, limits.max_percent, copies)


def daily_allowance(limits: DeletionLimits, copies: int) -> int:
    """How many may go in 24 hours of the `copies` that there were before."""
    count, percent = limits.per_day.max_count, limits.per_day.max_percent
    return _least(
        2 * limits.max_count if count is None else count,
        min(100, 2 * limits.max_percent) if percent is None else percent,
        copies,
    )


def holdings(tx: Transaction, candidates: Sequence[Candidate], now: float) -> dict[str, Holding]:
    """Of their receivers, as the store knows them."""
    natives = {candidate.spoke for candidate in candidates if candidate.native}
    own = tx.tallies.own() if natives else {}
    return {
        uid: Holding(
            tx.replicas.count(uid) + (own.get(uid, 0) if uid in natives else 0),
            frozenset(tx.removals.of(uid, now - DAY)),
        )
        for uid in sorted({candidate.spoke for candidate in candidates})
    }


def judge_deletions(
    candidates: Sequence[Candidate],
    holdings: Mapping[str, Holding],
    limits: DeletionLimits,
    approved: frozenset[str],
) -> Verdict:
    """Pure. Above either limit a receiver's deletions are all held: what is approved is exactly
    what was shown."""
    by_spoke: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        if not candidate.unguarded:
            by_spoke.setdefault(candidate.spoke, []).append(candidate)
    over = {
        spoke: guarded
        for spoke, guarded in by_spoke.items()
        if _too_many(guarded, holdings.get(spoke, Holding()), limits)
    }
    held = sorted((c.spoke, c.item) for guarded in over.values() for c in guarded)
    approval = digest("delete", held) if held else ""
    asked_about = set(held)
    if approval in approved:
        over, held, approval = {}, [], ""
    refused = set(held)
    allowed = [c for c in candidates if (c.spoke, c.item) not in refused]
    return Verdict(
        allowed=frozenset((c.spoke, c.item) for c in allowed),
        counted=frozenset(
            (c.spoke, c.item)
            for c in allowed
            if not c.unguarded and (c.spoke, c.item) not in asked_about
        ),
        held={spoke: len(guarded) for spoke, guarded in over.items()},
        approval=approval,
    )


def _least(count: int, percent: int, copies: int) -> int:
    return min(count, max(1, math.ceil(copies * percent / 100)))


def _too_many(guarded: Sequence[Candidate], holding: Holding, limits: DeletionLimits) -> bool:
    if len(guarded) > allowance(limits, holding.copies):
        return True
    # What was sent and is due once more (its answer was lost) counts once, and its copy is there.
    today = holding.sent | {candidate.item for candidate in guarded}
    before = holding.copies + len(today) - len(guarded)
    return len(today) > daily_allowance(limits, before)
