"""What the engine asks of an endpoint: the protocol, its values, and nothing of any system.

An endpoint is one collection (one folder of one mailbox) reached with one credential. It never
retries a write and never decides what to write: only the engine does (see DESIGN, push).
Reads may be retried by the endpoint. All methods raise errors of `cirahub_sync.errors`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

from cirahub_sync.model.contact import PhoneKind
from cirahub_sync.model.kind import Content

if TYPE_CHECKING:
    from cirahub_sync.endpoints.album import Album


class Stamp(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Our mark on a copy, and its idempotency key: one per create attempt.

    The text form is `installation/hub/item/spoke/attempt`, at most 255 characters. Attempts sort by
    the time at which they were made.
    """

    installation: str
    hub: str
    item: str
    spoke: str
    attempt: str

    def __str__(self) -> str:
        return f"{self.installation}/{self.hub}/{self.item}/{self.spoke}/{self.attempt}"

    @classmethod
    def parse(cls, text: str) -> Stamp | None:
        """None if the text is not one of our stamps."""
        parts = text.split("/")
        if len(parts) != 5 or not all(parts):
            return None
        return cls(*parts)


def attempt_of(stamp: str) -> str:
    """Blank of what is no stamp of ours."""
    parsed = Stamp.parse(stamp)
    return parsed.attempt if parsed is not None else ""


class RemoteItem(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An item as the endpoint holds it, in its own terms (before any mapping)."""

    id: str
    """Stable for the item's life, also when it moves between folders."""
    etag: str
    content: Content
    stamp: str = ""
    """The raw text of our stamp property, blank if there is none."""
    created: float | None = None
    modified: float | None = None
    """POSIX seconds, the service's clock; None if the service does not say."""


class Removed(msgspec.Struct, frozen=True):
    id: str


class Unreadable(msgspec.Struct, frozen=True):
    """An item that could not be parsed: kept for another try, never lost. `why` has no content."""

    id: str
    why: str


Change = RemoteItem | Removed | Unreadable


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a delta round. Exactly one of `next` and `cursor` is set: `next` continues this
    round, `cursor` ends it and starts the next one; a blank one, where there is no delta: then the
    next round starts from nothing."""

    changes: Sequence[Change]
    next: str | None = None
    cursor: str | None = None


class Whereabouts(StrEnum):
    """Where an item is that the delta called removed."""

    HERE = "here"
    MOVED = "moved"
    BIN = "bin"
    GONE = "gone"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What an item can show there. None means without limit; a kind that is not in `phones` or
    `addresses` can't be shown at all."""

    fields: frozenset[str]
    emails: int | None = None
    im_addresses: int | None = None
    phones: Mapping[PhoneKind, int]
    addresses: Mapping[str, int]
    lengths: Mapping[str, int] = {}
    """By text field: how many characters it has room for. The rest is cut off, which a place that
    contributes would tell as an edit: for places that only receive."""
    required: frozenset[str] = frozenset()
    """Fields without one of which nothing can be shown there."""
    schedule: Callable[[str], str] | None = None
    """What comes back of the text of an event's schedule, where a service says some of it
    otherwise (zones by other names). None: the same."""


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    limits: Limits
    permanent_delete: bool
    honours_if_match: bool
    """Whether an update with a stale etag is proven to be refused by the service."""
    batch: int
    """Operations that are sent together, and fail one by one."""
    composed: bool = False
    """Whether a create takes several requests (a series, then its exceptions), so that one whose
    answer was lost may have taken effect in part."""


class Target(msgspec.Struct, frozen=True):
    """The collection's resolved identity: one target belongs to one spoke."""

    tenant: str
    mailbox: str
    folder: str

    def __str__(self) -> str:
        return f"{self.tenant}/{self.mailbox}/{self.folder}"


class Create(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    key: str
    """The stamp's text."""
    body: bytes
    """From `Endpoint.encode`, without the stamp."""


class Update(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    id: str
    etag: str
    body: bytes
    """Only the fields to change, from `Endpoint.encode_changes`."""


class Delete(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """`permanent` skips the bin: copies on erasure. Otherwise as a user's delete."""

    id: str
    etag: str
    permanent: bool = False


Operation = Create | Update | Delete


class Result(StrEnum):
    DONE = "done"
    GONE = "gone"
    """The item does not exist any more (a delete that finds nothing is DONE)."""
    STALE = "stale"
    """The etag did not match: nothing was written."""
    REJECTED = "rejected"
    """The service refuses this content; sending it again won't help."""
    RETRY = "retry"
    """Throttled or a server error that surely had no effect."""
    UNKNOWN = "unknown"
    """The answer was lost or was a gateway's: it may or may not have taken effect."""


class Outcome(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What became of the operation at `index` of the sequence given to `push`."""

    index: int
    result: Result
    item: RemoteItem | None = None
    """After DONE of a Create or Update: the item as the service now holds it."""
    missing: Result | None = None
    """After DONE: what became of a part that did not get through (an exception of a series). It is
    sent again, as an update."""
    error: str = ""
    """A code and request id, no content."""
    retry_after: float | None = None

    @classmethod
    def gone(cls, index: int, operation: Operation, error: str) -> Outcome:
        """Of an operation on an item that does not exist any more."""
        result = Result.DONE if isinstance(operation, Delete) else Result.GONE
        return cls(index=index, result=result, error=error)


KnownEtags = Callable[[Sequence[str]], Mapping[str, str]]
"""The etags last acknowledged, by the ids of items that there are any of: a change with that very
etag is our own echo, and need not be completed with further requests. Asked for a page at a
time."""


Fingerprint = Callable[[bytes], bytes]
"""A keyed digest: what is kept of it tells nobody what it was made of."""


class Fence(Protocol):
    def __call__(self, seconds: float, /) -> None:
        """Asked at the last moment before a write leaves, after every wait. Raises LeaseLostError
        unless nobody else may write for the next `seconds`, the longest that it can take."""


class Endpoint(Protocol):
    """Made with a Fence that every write of it passes."""

    capabilities: Capabilities

    @property
    def album(self) -> Album | None:
        """The photos of its items, once it is open; None where it has none, or none that can be
        synced."""
        ...

    async def open(self, *, create: bool, known: Target | None = None) -> Target:
        """Resolve the target. With `create`, a missing folder is made (never twice); without it,
        a missing one raises TargetNotFoundError. A target resolved earlier (`known`) is taken as
        it is, without a request; if it has gone, later calls raise TargetNotFoundError."""
        ...

    def changes(self, resume: str | None, *, known: KnownEtags) -> AsyncIterator[Page]:
        """The delta from `resume` (a Page's `next` or `cursor`), or a round from nothing.
        Raises CursorExpiredError when the token is no longer known. Items come complete, with
        their stamp, except that for an echo (`known`) the stamp may be blank."""
        ...

    async def locate(self, ids: Sequence[str]) -> Mapping[str, Whereabouts]: ...

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | Unreadable | None]:
        """Items by id, with stamps, wherever they are; None for those that are gone."""
        ...

    async def find(self, keys: Sequence[str]) -> Mapping[str, Sequence[RemoteItem]]:
        """Items of this collection that carry one of these stamps (idempotency keys)."""
        ...

    def stamped(self) -> AsyncIterator[RemoteItem]:
        """Every item of this collection that carries any stamp of ours."""
        ...

    def encode(self, content: Content) -> bytes:
        """The wire form of a whole item, without its stamp. Pure; made once per mapping."""
        ...

    def encode_changes(
        self, before: Content | None, after: Content, fields: Collection[str] | None = None
    ) -> bytes:
        """The wire form of an update that turns `before` into `after`, changed fields only. When
        what is there is not known (None), all of `fields` (None: all there are), and no others."""
        ...

    def push(self, operations: Sequence[Operation]) -> AsyncGenerator[Sequence[Outcome], None]:
        """Send the operations, in batches, under the throttle; yield outcomes soon after they
        arrive, each index exactly once, in any order. An event that has attendees where it is,
        whoever put them there, is neither updated nor deleted (they would be told): REJECTED.
        Raises only what concerns the whole collection (credentials, access); the operations without
        an outcome were not sent."""
        ...

    async def close(self) -> None: ...
