"""A spoke's own edits: the inputs of the fold, kept beside each shadow, in the hub's terms.

Only what somebody did at that spoke is an edit of its own; a value that it merely received is
not. Take a shadow away and its edits are gone: the fold over the others is what is left.
"""

from __future__ import annotations

import msgspec

from cirahub_sync.model.kind import Element

_KEPT = 12
"""How many earlier statements of an element are kept at most. Who says more of one, each time in
sight of something new, may see come back what had lost to their oldest."""


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

    @property
    def decided(self) -> bool:
        """Whether a person said that it shall be so: in sight of everything, itself included."""
        return self.base == self.seq

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


class Earlier(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a spoke had said of an element before it said more."""

    when: Awareness
    present: bool
    replaces: str = ""
    """As in ElementEdit."""


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
    """Only in rows from before `past`: when the element was first put in, once more was said."""
    ended: int | None = None
    """Only in rows from before `past`: the `base` at which it was removed first, if so."""
    past: tuple[Earlier, ...] = ()
    """What the spoke had said of it before, oldest first, as far as it can still matter."""

    def earlier(self) -> tuple[Earlier, ...]:
        """`past`, whatever form the row has."""
        first = self.decided
        if first is None:
            return self.past
        found = [Earlier(first, True, self.replaces)]
        if self.ended is not None:
            after = msgspec.structs.replace(
                first, seq=max(first.seq, self.ended) + 1, base=self.ended
            )
            found.append(Earlier(after, False, self.replaces))
        return (*found, *self.past)

    def said(self) -> tuple[Earlier, ...]:
        """All that the spoke said of it, `when` last."""
        now = Earlier(self.when, self.element is not None, self.replaces)
        return (*self.earlier(), now)

    def remembered(self, when: Awareness, *, present: bool) -> tuple[Earlier, ...]:
        """What is to be kept of what was said once it is there, or not, at `when`.

        What was said without anything of the hub having been seen in between is one word, of which
        the last statement counts; but that it was removed is kept with the seq of the first time,
        and with a last word that removes what was there until then.
        """
        said = self.said()
        start = len(said)
        while start and said[start - 1].when.base == when.base:
            start -= 1
        same = said[start:]
        kept = [*[one for one in same if not one.present][:1]]
        if not present:
            kept += [one for one in same if one.present][-1:]
            kept.sort(key=lambda one: one.when.seq)
        return (*said[:start], *kept)[-_KEPT:]


class OwnEdits(msgspec.Struct, frozen=True, gc=False):
    """By field name; for list fields by element key, in the source's order."""

    scalars: dict[str, ScalarEdit] = {}
    elements: dict[str, dict[str, ElementEdit]] = {}

    def __bool__(self) -> bool:
        return bool(self.scalars or self.elements)
