"""Rows as the engine sees them: content opened, keyed by names."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.model.kind import Content

UNKNOWN_FINGERPRINT = bytes(16)
"""Equals none."""


class Spoke(msgspec.Struct, kw_only=True):
    uid: str
    rank: int
    place: str
    target: str | None
    contributes_key: str
    receives_key: str
    mark: int
    verified_at: float
    joined_at: float = 0.0
    allowed: int | None = None
    """Of a first sync: up to how many items a person has let in. None: it is over."""

    @property
    def retired(self) -> bool:
        """Whether the spoke is no more, and its contributions stay as the hub's own."""
        return not self.place


class Cursor(msgspec.Struct, kw_only=True):
    cursor: str | None = None
    next: str | None = None
    staged: str | None = None
    round: str | None = None
    rounds: int = 0


class StagedKind(StrEnum):
    ITEM = "item"
    REMOVED = "removed"
    UNREADABLE = "unreadable"


class Staged(msgspec.Struct, gc=False, kw_only=True):
    position: int = 0
    remote: str
    kind: StagedKind
    etag: str = ""
    stamp: str = ""
    created: float | None = None
    modified: float | None = None
    content: Content | None = None


class Item(msgspec.Struct, gc=False, kw_only=True):
    id: str
    seq: int
    alive: bool
    deleted_at: float | None
    erased: bool
    fingerprint: bytes
    content: Content
    died_of: str | None = None
    """Of a dead one: the spoke whose user deleted the last contribution."""


class Shadow(msgspec.Struct, gc=False, kw_only=True):
    spoke: str
    remote: str
    item: str | None
    native: bool
    admitted: bool
    etag: str
    modified: float | None
    acknowledged_at: float
    round: str | None
    content: Content
    own: OwnEdits


class ReplicaState(StrEnum):
    LIVE = "live"
    DETACHED = "detached"


class Replica(msgspec.Struct, gc=False, kw_only=True):
    spoke: str
    item: str
    remote: str
    native: bool
    state: ReplicaState
    etag: str
    fingerprint: bytes
    acknowledged: bytes
    delivered_seq: int
    round: str | None = None
    attempt: str = ""
    """`Stamp.attempt` of the copy: which create it came from. Blank for the spoke's own items."""


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Intent(msgspec.Struct, gc=False, kw_only=True):
    key: str
    spoke: str
    item: str
    action: Action
    remote: str
    item_seq: int
    fingerprint: bytes
    abandoned: bool
    created_at: float


class Pending(msgspec.Struct, gc=False, kw_only=True):
    spoke: str
    item: str
    reason: str
    due_at: float
    attempts: int = 0
    error: str = ""


PERSON = "person"
"""In a conflict's place of a spoke: what a person decided won, or lost."""
READ_ONLY = "ReadOnlyAtSource"
"""In the place of the winner: nobody may change the item where it is native, so an edit that came
from elsewhere lost."""


class Conflict(msgspec.Struct, kw_only=True):
    item: str
    field: str
    loser: str
    winner: str
    """Blank: the loser's own mapping, which makes the field there."""
    tie: bool
    seq: int
    value: bytes
    """msgpack of the field's value."""


class Job(msgspec.Struct, kw_only=True):
    """An erasure. `content` is blank once it is finished."""

    number: int = 0
    job: str
    hub: str
    whole_hub: bool
    requested_at: float
    erase_at: float
    started_at: float | None = None
    finished_at: float | None = None
    abandoned: bool = False
    attempts: int = 0
    copies_deleted: int = 0
    items_erased: int = 0
    items_changed: int = 0
    copies_remaining: int = 0
    content: bytes = b""

    @property
    def started(self) -> bool:
        return self.started_at is not None
