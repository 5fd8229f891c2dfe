"""A spoke's own edits: the inputs of the fold, kept beside each shadow, in the hub's terms.

Only what somebody did at that spoke is an edit of its own; a value that it merely received is
not. Take a shadow away and its edits are gone: the fold over the others is what is left.
"""

from __future__ import annotations

import msgspec

from cirahub_sync.model.kind import Element


class Awareness(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """When an edit happened, and what its author had seen.

    `seq` is the hub's sequence number at which it was merged; `base` the one up to which the
    spoke had been brought (0: never), so an edit supersedes every edit with `seq <= base`.
    `lower` and `upper` bound its time in POSIX seconds: the last agreement, and the service's
    date of the item clamped to the observation. Spokes whose times
    overlap are tied; the fold breaks ties by their rank.
    """

    seq: int
    base: int
    lower: float
    upper: float
    line: str = ""
    """The item of which it was an edit before somebody merged it into this one; blank: this one."""
    joined: int = 0
    """The `seq` of that merge: before it nobody of the one line had seen an edit of the other."""

    def supersedes(self, other: Awareness) -> bool:
        """Whether this edit's author had seen the other's."""
        seen = other.seq
        if self.line != other.line:
            seen = max(seen, self.joined, other.joined)
        return self.base >= seen and self.seq > other.seq


class ScalarEdit(msgspec.Struct, frozen=True, gc=False, array_like=True):
    value: str
    """Blank: the spoke emptied the field."""
    when: Awareness
    since: int = 0
    """The `seq` from which the spoke had a value of its own there, through all its edits; 0: from
    `when.seq`."""


class ElementEdit(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Presence or absence of one list element, under its normalised key."""

    element: Element | None
    """None: the spoke removed it."""
    replaces: str
    """The key of the element that this one was edited from; blank if it was simply added. Stays
    when the element is edited further or removed."""
    when: Awareness
    since: int = 0
    """As in ScalarEdit, through replacements too: it keeps the element's place in the list. 0 with
    no element: the spoke never had it itself."""
    decided: Awareness | None = None
    """When the element was first put in, once the same spoke said more of it since, at `when`."""
    ended: int | None = None
    """The `base` at which it was removed, once it was removed or put in again since: what had lost
    to it came back then, or stayed lost, and seeing more of the hub later changes nothing."""


class OwnEdits(msgspec.Struct, frozen=True, gc=False):
    """By field name; for list fields by element key, in the source's order."""

    scalars: dict[str, ScalarEdit] = {}
    elements: dict[str, dict[str, ElementEdit]] = {}

    def __bool__(self) -> bool:
        return bool(self.scalars or self.elements)
