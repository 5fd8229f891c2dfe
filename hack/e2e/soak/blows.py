"""What is struck, and when: planned from a seed, so that a run can be repeated. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    PROCESS_KILLED = "operator's process killed"
    POD_DELETED = "operator's pod deleted by force"
    POD_EVICTED = "operator's pod evicted"
    WORKER_KILLED = "worker's process killed"
    WORKER_DELETED = "worker's pod deleted by force"
    API_SERVER_AWAY = "API server away"
    DATABASE_AWAY = "PostgreSQL crashed"
    BOTH_AWAY = "API server and PostgreSQL away"
    SESSIONS_ENDED = "PostgreSQL's sessions ended"
    REFUSED = "Graph refuses (503)"
    UNANSWERED = "Graph's answers lost"


DECK = (*Kind, Kind.PROCESS_KILLED)
"""Is dealt out wholly before it is shuffled again: each kind comes early, and none for long."""
LASTING = frozenset(
    {
        Kind.API_SERVER_AWAY,
        Kind.DATABASE_AWAY,
        Kind.BOTH_AWAY,
        Kind.REFUSED,
        Kind.UNANSWERED,
    }
)
PAUSE = (2.0, 8.0)
"""Seconds between two blows."""
OUTAGE = (1.0, 8.0)
"""Seconds: also longer than a leader goes on without its Lease."""
AT_THE_LEADER = 0.7


@dataclass(frozen=True, slots=True)
class Blow:
    at: float
    """Seconds from the beginning, at the earliest: never while another one lasts."""
    kind: Kind
    lasts: float
    """Seconds; 0 for what is done in a moment."""
    at_the_leader: bool
    """Rather than at the pod that stands by, where it is about the operator's."""


def planned(seed: int, seconds: float) -> Iterator[Blow]:
    """All of them are over before `seconds` are."""
    chance = random.Random(seed)  # noqa: S311 - repeatable chance, not a secret
    deck: list[Kind] = []
    at = 0.0
    while True:
        if not deck:
            deck = list(DECK)
            chance.shuffle(deck)
        kind = deck.pop()
        at += chance.uniform(*PAUSE)
        lasts = chance.uniform(*OUTAGE) if kind in LASTING else 0.0
        at_the_leader = chance.random() < AT_THE_LEADER
        if at + lasts > seconds:
            return
        yield Blow(at, kind, lasts, at_the_leader)
        at += lasts
