"""What somebody's leaving is recorded as, and what became of it: numbers, ids and reasons only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from cirahub_sync.engine.report import Problem, SpokeReport


class ErasureReport(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at an erasure; the counts are sums over all attempts so far."""

    copies_deleted: int
    """Permanently, in mailboxes."""
    items_erased: int
    """Left the hub because nobody else contributed them."""
    items_changed: int
    """Stayed, without what the leaver had put in."""
    copies_remaining: int
    """Could not be reached, or still show what the leaver had put in; try again."""
    problems: Sequence[Problem] = ()
    spokes: Mapping[str, SpokeReport] = {}
    """By uid: what this attempt alone did there."""

    @property
    def complete(self) -> bool:
        return self.copies_remaining == 0 and not self.problems


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """A spoke, or a whole hub, that leaves: a durable job of the store, open until it is complete.

    Until `erase_at` nothing is erased, and whoever comes back to the same target (for a hub: under
    the same name) takes up where the leaver stopped. Once started, there is no way back.
    """

    id: str
    """The spoke's uid, or the hub's."""
    hub: str
    """Uid."""
    hub_name: str
    """`namespace/name`."""
    name: str
    """`namespace/name` of the Spoke, or of the Hub again."""
    whole_hub: bool
    set: str = ""
    """The uid of the set whose member it was, if it was one."""
    connections: tuple[str, ...]
    """`namespace/name` of the Connections that it leads through."""
    requested_at: float
    """POSIX seconds, as the other times."""
    erase_at: float
    started_at: float | None = None
    attempts: int = 0
    report: ErasureReport | None = None
    """Of the last attempt."""
