"""What a pass did, in numbers and reasons, without a word of content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """Why something did not get through. `reason` becomes a condition reason, `message` is for
    people; `stalled` says that retrying alone won't help."""

    reason: str
    message: str
    stalled: bool = False
    retry_after: float | None = None
    access: bool = False
    """Of signing in or of permissions: its Connection is worth a look."""


class PendingReason(StrEnum):
    """Why something considered has not been delivered yet."""

    FAILED = "Failed"
    REJECTED = "Rejected"
    GUARDED = "Guarded"
    GRACE = "Grace"
    STALE = "Stale"
    REMEMBERED = "Remembered"
    APPROVAL = "Approval"
    STAGE = "Stage"
    """Of a first sync that a person lets on by and by: see `first_sync`."""
    WINDOW = "OutsideWindow"
    UNJUDGED = "Unjudged"
    """The filter's expression can't be evaluated for it; what is there stays as it is."""


UNCONSIDERED = "Unconsidered"
"""Beside the `PendingReason`s, of changes that no pass came to look at for a receiver: it could not
be reached, or the pass broke off."""


class Failing(msgspec.Struct, frozen=True):
    """Items of a spoke that don't get through as they are; the others do."""

    count: int
    example: str
    """The id of one of them: the hub's, or the service's where it can't be read."""
    error: str = ""
    """What the service answered for it: status and code."""


class Counts(msgspec.Struct):
    """Of one spoke in one pass (`items`, `copies`, `pending` and `unreadable`: as they stand)."""

    pulled: int = 0
    """Changes that the delta yielded."""
    merged: int = 0
    """Items whose content in the hub changed because of this spoke."""
    removed: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    adopted: int = 0
    """Copies found by their stamp and taken over instead of being created again."""
    failed: int = 0
    items: int = 0
    copies: int = 0
    pending: int = 0
    unreadable: int = 0
    conflicts: int = 0
    photos_read: int = 0
    """Photos that were fetched, since they are new or may have changed."""
    photos_written: int = 0
    photos_removed: int = 0
    photos_refused: int = 0
    """Photos that are not fit to travel (too large, or unreadable), and those that the service
    would not have."""
    photos_failed: int = 0
    """Reads and writes of photos that failed, and are tried again."""
    ambiguous: int = 0
    """Contacts that matched several items at first sight, and so stay by themselves."""
    duplicates: int = 0
    """Of the spoke's own contacts, as they stand: those that have a match key in common with
    another of its own."""

    @property
    def written(self) -> int:
        return self.created + self.updated + self.deleted


class StageSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A first sync whose next stage waits for a person."""

    id: str
    """What lets the next stage in."""
    number: int
    """Of the stage that it is in, from 1."""
    of: int
    """With the last one, which lets in whatever there is."""
    arrived: int
    """Items that were let in so far."""
    waiting: int
    """Items that wait for the next stages."""
    next: int
    """How many items the next stage allows in all; 0: all that there are."""
    planned: int = 0
    """Items that this stage lets in, and a plan is to bring."""


class SpokeReport(msgspec.Struct):
    uid: str
    name: str
    counts: Counts = msgspec.field(default_factory=Counts)
    problem: Problem | None = None
    throttled_seconds: float = 0.0
    guarded: int = 0
    """Deletions held back by the guard."""
    source_emptied: bool = False
    """The source suddenly read empty; nothing was inferred from it."""
    approval: str = ""
    """What to approve if the source was emptied on purpose."""
    target: str = ""
    pending: dict[str, int] = {}
    """Items that wait, by `PendingReason`; `counts.pending` is their sum."""
    waiting_since: dict[str, float] | None = None
    """Since when (POSIX seconds) the oldest of them waits, by `PendingReason`, or `UNCONSIDERED`;
    None: the pass did not come to look."""
    rejected: Failing | None = None
    """The service refuses them: sent again when they change, and once a day."""
    undelivered: Failing | None = None
    """Sending them fails, and is tried again with growing pauses."""
    unreadable: Failing | None = None
    """They can't be parsed, or judged by the expression of the filter: fetched again with growing
    pauses."""
    unjudged: Failing | None = None
    """The filter's expression can't be evaluated for them: what is there stays as it is."""
    stage: StageSummary | None = None
    """Of a first sync in stages, if something waits for the next one."""
    unsubscribed: Problem | None = None
    """Why its service does not tell of changes there, where it was asked to."""


class SetReport(msgspec.Struct, kw_only=True):
    """A set of spokes: its members as they stand, in numbers, and what the pass did at all of
    them together."""

    uid: str
    name: str
    """`namespace/name`."""
    counts: Counts = msgspec.field(default_factory=Counts)
    """Sums over the members that took part."""
    pending: dict[str, int] = {}
    """Items that wait, by `PendingReason`."""
    waiting_since: dict[str, float] = {}
    """As a `SpokeReport`'s."""
    states: dict[str, int] = {}
    """Members by `spoke_set.MemberState`."""
    reasons: dict[str, int] = {}
    """Members that fail, by reason."""
    worst: list[tuple[str, str]] = []
    """Id and reason of those that fail, who has failed most often first; ten at most."""
    read_at: float = 0.0
    """When it was read last who the members are; 0: never."""
    due_at: float = 0.0
    """When it is to be read next."""
    joined: int = 0
    left: int = 0
    problem: Problem | None = None
    """Of the set as a whole."""
    held: int = 0
    """Members that are about to leave, held back by the guard."""
    emptied: bool = False
    """Nobody was a member any more."""
    approval: str = ""
    """What to approve to let them go."""
    retrying: bool = False
    """Whether trying again before the interval is over may help a member."""
    retry_after: float = 0.0
    """Seconds that a service asked for."""
    access: bool = False
    """Whether a member was refused an access."""
    throttled_seconds: float = 0.0
    guarded: int = 0
    """Deletions held back by the guard, at members."""
    sources_emptied: int = 0
    """Members that suddenly read empty."""
    unsubscribed: int = 0
    """Members whose service does not tell of changes, although it was asked to."""

    @property
    def total(self) -> int:
        """Members; who leaves is none."""
        return sum(count for state, count in self.states.items() if state != "Leaving")

    @property
    def failed(self) -> int:
        return self.states.get("Failed", 0)


class PlanSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for a person's approval."""

    id: str
    creates: int = 0
    updates: int = 0
    deletes: int = 0
    expires_at: float = 0.0
    """POSIX seconds."""

    @property
    def total(self) -> int:
        return self.creates + self.updates + self.deletes


class Feud(msgspec.Struct, frozen=True):
    """Two spokes that kept changing a field back and forth."""

    field: str
    """As manifests call it."""
    spokes: tuple[str, str]
    """`namespace/name`; a uid where the name is not known."""


class Phase(StrEnum):
    """A pass is in one at a time, or in none: while it makes ready, and while it counts."""

    RECOVER = "recover"
    PULL = "pull"
    MERGE = "merge"
    PLAN = "plan"
    """Judging what receivers lack, a chunk at a time, between the writes of the push."""
    PUSH = "push"
    """The rest of delivering, a verification of a receiver before its first create included."""
    PHOTOS = "photos"


class Traffic(msgspec.Struct):
    """With one API of a connection."""

    answers: dict[str, int] = {}
    """HTTP requests since the last report about the connection, by the answer's status code
    (`none`: no whole answer). A batch is one."""
    throttled_seconds: float = 0.0
    """That requests about the pass's spokes waited because the service's limits asked for it."""

    def count(self, answers: Mapping[str, int]) -> None:
        """Add these, by status code."""
        for code, number in answers.items():
            self.answers[code] = self.answers.get(code, 0) + number


class PassReport(msgspec.Struct):
    hub: str
    started: float
    """POSIX seconds."""
    finished: float = 0.0
    spokes: dict[str, SpokeReport] = {}
    """By spoke uid."""
    sets: dict[str, SetReport] = {}
    """By the set's uid. Members are in here, and not among the spokes."""
    items: int = 0
    """Live items in the hub."""
    conflicts: int = 0
    """Conflicts recorded by this pass."""
    undecided: int = 0
    """Conflicts that wait for a person."""
    disputed: int = 0
    """Items that have such conflicts."""
    frozen: int = 0
    """Of the undecided: fields that two spokes kept changing back and forth."""
    froze: int = 0
    """Of the frozen: those that this pass froze."""
    feud: Feud | None = None
    """Who did so last."""
    duplicates: int = 0
    """Items, as they stand, that have a match key in common with another."""
    sequence: int = 0
    approval: str = ""
    """What to approve, if deletions are guarded: a digest of exactly these deletions, and one of
    each source that reads empty; joined by commas."""
    plan: PlanSummary | None = None
    """What waits for approval (Manual)."""
    phases: dict[str, float] = {}
    """Seconds that the pass spent in each `Phase` that it came to."""
    traffic: dict[str, dict[str, Traffic]] = {}
    """By a connection's name and `endpoints.session.Api`."""
    subscriptions: dict[str, int] = {}
    """To changes, as they stand: `active` and `refused`."""
    problem: Problem | None = None
    """Of the hub as a whole (the store, its key, its lease)."""

    def traffic_with(self, connection: str, api: str) -> Traffic:
        return self.traffic.setdefault(connection, {}).setdefault(api, Traffic())

    def add_traffic(self, traffic: Mapping[str, Mapping[str, Traffic]]) -> None:
        """What another process had, of the same pass."""
        for connection, by_api in traffic.items():
            for api, one in by_api.items():
                known = self.traffic_with(connection, api)
                known.count(one.answers)
                known.throttled_seconds += one.throttled_seconds

    @property
    def stages(self) -> dict[str, StageSummary]:
        """Of the first syncs that wait for their next stage, by the spokes' names."""
        return {one.name: one.stage for one in self.spokes.values() if one.stage is not None}

    @property
    def everywhere(self) -> Iterable[SpokeReport | SetReport]:
        return (*self.spokes.values(), *self.sets.values())

    @property
    def ambiguous(self) -> int:
        return sum(one.counts.ambiguous for one in self.everywhere)

    @property
    def guarded(self) -> int:
        return sum(one.guarded for one in self.everywhere)

    @property
    def written(self) -> int:
        return sum(one.counts.written for one in self.everywhere)

    @property
    def pending(self) -> int:
        return sum(one.counts.pending for one in self.everywhere)
