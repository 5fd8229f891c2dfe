"""The hub item: a deterministic fold over its spokes' own edits.

Nothing but the inputs counts, and their order does not: take one away and what is left folds as
if it had never been there.

**Alive.** An item lives while one of its inputs is native. A copy's own edits change fields, but
keep nobody's item alive.

**Awareness.** Edit `a` supersedes edit `b` when its author had seen it: `a.base >= b.seq`. What
no other supersedes is a head. Heads are concurrent: neither author knew of the other.

**Scalars** hold one edit a spoke. Heads with the same value agree. A value beats a concurrent
withdrawal. Between values the policy chooses, and every head with another value is a conflict:

- *Newest*: edits have intervals of time, not times, and overlapping is not transitive. So the
  interval that ends last (of these, that starts last) is the pivot; every head that overlaps the
  pivot is tied with it; of the tied the lowest rank wins, and then the spoke's name. What does
  not overlap the pivot is older, and loses.
- *Hub*: what was established first wins, by `seq`; ties go as above. A spoke that edits its own
  value keeps the standing of its first one (`since`), unless somebody else's edit had
  superseded it in between.

A beaten withdrawal is a conflict (with a blank value) if its author had seen the hub; one that
had not only took back what was its own.

**Lists** are observed-remove sets over normalised keys: of the edits of one key, present heads
win over concurrent absent ones, and their spelling is chosen as above. An element that was edited
into another is absent, and the other is present and says which it replaces. Two spokes that
replaced one element, or elements edited from one, by different ones and unaware of each other
are in conflict: the policy chooses whose stays, the other is dropped and recorded. (It stays if
somebody else, too, says that it is there.) The loser does not come back when somebody who could
see the outcome edits or removes the winner. Elements stand in the order in which they were
first contributed: by seq, rank and place in their source, replaced ones in the place of theirs.

**Custom fields** are a list keyed by name and value, in which the values that different spokes
give to one name conflict as if they replaced one another. A spoke may itself give several.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cirahub_sync.configuration import ConflictPolicy
from cirahub_sync.model.contact import Contact, Element
from cirahub_sync.model.edit import Awareness, ElementEdit, OwnEdits, ScalarEdit
from cirahub_sync.model.normalise import custom_name, same_value


class FoldInput(msgspec.Struct, frozen=True, gc=False):
    spoke: str
    rank: int
    """Lower is preferred in a tie."""
    native: bool
    own: OwnEdits


class Conflict(msgspec.Struct, frozen=True):
    """A value that lost. `value` is blank for a withdrawal; `key` is the element's in a list
    field. `tie`: rank decided, because time (or seq) could not."""

    field: str
    winner_spoke: str
    loser_spoke: str
    value: Element
    tie: bool
    key: str = ""


class Folded(msgspec.Struct, frozen=True):
    content: Contact
    conflicts: tuple[Conflict, ...]
    alive: bool


class _Claim(msgspec.Struct, frozen=True, gc=False):
    """What one spoke says, as the policy sees it."""

    spoke: str
    rank: int
    when: Awareness
    established: int


_Said = tuple[FoldInput, ElementEdit]
"""One spoke's edit of one element."""


class _Stand(msgspec.Struct, frozen=True, eq=False):
    """What one spoke made of an element that others may have edited too. `settled` is None while
    it stands, else the seq up to which those who ended it had seen the hub."""

    key: str
    said: _Said
    claim: _Claim
    lineage: frozenset[str]
    settled: int | None

    def rivals(self, other: _Stand) -> bool:
        mine, others = self.claim.when, other.claim.when
        return (
            self.claim.spoke != other.claim.spoke
            and self.key != other.key
            and not self.lineage.isdisjoint(other.lineage)
            and not mine.supersedes(others)
            and not others.supersedes(mine)
        )


def fold(inputs: Sequence[FoldInput], policy: ConflictPolicy) -> Folded:
    """The hub item that these inputs make. Spokes are distinct; ranks need not be."""
    alive = any(item.native for item in inputs)
    content: dict[str, object] = {}
    if len(inputs) == 1:
        own = inputs[0].own
        for field, edit in own.scalars.items():
            content[field] = edit.value
        for field, edits in own.elements.items():
            content[field] = _alone(edits)
        return Folded(Contact(**content), (), alive)  # type: ignore[arg-type]
    conflicts: list[Conflict] = []
    ordered = sorted(inputs, key=_precedence)
    scalars: dict[str, list[tuple[FoldInput, ScalarEdit]]] = {}
    lists: dict[str, list[tuple[FoldInput, dict[str, ElementEdit]]]] = {}
    for item in ordered:
        for field, edit in item.own.scalars.items():
            scalars.setdefault(field, []).append((item, edit))
        for field, edits in item.own.elements.items():
            lists.setdefault(field, []).append((item, edits))
    for field, said in sorted(scalars.items()):
        content[field] = (
            said[0][1].value if len(said) == 1 else _scalar(field, said, policy, conflicts)
        )
    for field, sources in sorted(lists.items()):
        content[field] = (
            _alone(sources[0][1])
            if len(sources) == 1
            else _elements(field, sources, policy, conflicts)
        )
    return Folded(Contact(**content), tuple(conflicts), alive)  # type: ignore[arg-type]


def _precedence(item: FoldInput) -> tuple[int, str]:
    return (item.rank, item.spoke)


def _choose(claims: Sequence[_Claim], policy: ConflictPolicy) -> tuple[int, set[int]]:
    """The index of the claim the policy prefers, and the indices that rank alone decided among."""
    if policy is ConflictPolicy.NEWEST:
        pivot = max(claims, key=lambda c: (c.when.upper, c.when.lower)).when
        tied = {i for i, c in enumerate(claims) if c.when.upper >= pivot.lower}
    else:
        first = min(c.established for c in claims)
        tied = {i for i, c in enumerate(claims) if c.established == first}
    return min(tied, key=lambda i: (claims[i].rank, claims[i].spoke)), tied


# Scalars


def _scalar(
    field: str,
    said: Sequence[tuple[FoldInput, ScalarEdit]],
    policy: ConflictPolicy,
    conflicts: list[Conflict],
) -> str:
    first = said[0][1].value
    if all(edit.value == first for _, edit in said):
        return first
    heads = [
        (item, edit)
        for item, edit in said
        if not any(other.when.supersedes(edit.when) for _, other in said)
    ]
    standing = [(item, edit) for item, edit in heads if edit.value]
    if not standing:
        return ""
    if len(standing) == 1:
        chosen, tied = 0, set[int]()
    else:
        claims = [_Claim(i.spoke, i.rank, e.when, _established(e, said)) for i, e in standing]
        chosen, tied = _choose(claims, policy)
    winner, best = standing[chosen]
    for index, (item, edit) in enumerate(standing):
        if index != chosen and not same_value(field, edit.value, best.value):
            conflicts.append(
                Conflict(field, winner.spoke, item.spoke, edit.value, tie=index in tied)
            )
    if len(standing) < len(heads):
        for item, edit in heads:
            if not edit.value and edit.when.base > 0:
                conflicts.append(Conflict(field, winner.spoke, item.spoke, "", tie=False))
    return best.value


def _established(edit: ScalarEdit, said: Iterable[tuple[FoldInput, ScalarEdit]]) -> int:
    since = edit.since or edit.when.seq
    for _, other in said:
        if other is not edit and other.when.base >= since and other.when.seq > since:
            return edit.when.seq
    return since


# Lists


def _alone(edits: Mapping[str, ElementEdit]) -> tuple[Element, ...]:
    """The elements of a list that only one spoke has a say in."""
    if any(edit.replaces or edit.element is None for edit in edits.values()):
        places = _places([edits])
        order = sorted((key for key, e in edits.items() if e.element is not None), key=places.get)  # type: ignore[arg-type]
        return tuple(e for key in order if (e := edits[key].element) is not None)
    return tuple(e.element for e in edits.values() if e.element is not None)


def _elements(
    field: str,
    sources: Sequence[tuple[FoldInput, dict[str, ElementEdit]]],
    policy: ConflictPolicy,
    conflicts: list[Conflict],
) -> tuple[Element, ...]:
    by_key: dict[str, list[_Said]] = {}
    contested = field == "custom"
    for item, edits in sources:
        for key, edit in edits.items():
            by_key.setdefault(key, []).append((item, edit))
            contested = contested or bool(edit.replaces)
    lost: list[tuple[_Stand, _Stand, bool]] = []
    if contested:
        lost = _contest(field, by_key, policy)
        for stand, _, _ in lost:
            by_key[stand.key] = [s for s in by_key[stand.key] if s is not stand.said]
    present: dict[str, Element] = {}
    for key, said in by_key.items():
        element = _member(field, key, said, policy, conflicts)
        if element is not None:
            present[key] = element
    for stand, winner, tie in lost:
        value = stand.said[1].element
        if value is not None and winner.settled is None and stand.key not in present:
            spokes = (winner.claim.spoke, stand.claim.spoke)
            conflicts.append(Conflict(field, *spokes, value, tie, stand.key))
    if len(present) < 2:
        return tuple(present.values())
    places = _places([edits for _, edits in sources])
    return tuple(present[key] for key in sorted(present, key=lambda k: places[k]))


def _member(
    field: str,
    key: str,
    said: Sequence[_Said],
    policy: ConflictPolicy,
    conflicts: list[Conflict],
) -> Element | None:
    """The element of one key as it is spelled, or None when it is absent."""
    if not said:
        return None
    first = said[0][1].element
    if all(edit.element == first for _, edit in said):
        return first
    heads = [
        (item, edit)
        for item, edit in said
        if not any(other.when.supersedes(edit.when) for _, other in said)
    ]
    present = [(item, edit) for item, edit in heads if edit.element is not None]
    if not present:
        return None
    chosen = 0
    if len(present) > 1:
        chosen, _ = _choose([_claim(s, s[1].when) for s in present], policy)
    winner, best = present[chosen]
    conflicts.extend(
        Conflict(field, winner.spoke, item.spoke, "", tie=False, key=key)
        for item, edit in heads
        if edit.element is None and edit.when.base > 0
    )
    return best.element


def _claim(said: _Said, when: Awareness) -> _Claim:
    item, _ = said
    return _Claim(item.spoke, item.rank, when, when.seq)


def _contest(
    field: str, by_key: Mapping[str, Sequence[_Said]], policy: ConflictPolicy
) -> list[tuple[_Stand, _Stand, bool]]:
    """The stands that lost to another spoke's: loser, winner, and whether it was a tie."""
    stands = _stands(field, by_key)
    rivals = {s: [o for o in stands if s.rivals(o)] for s in stands}
    remaining = [s for s in stands if rivals[s]]
    lost: list[tuple[_Stand, _Stand, bool]] = []
    while remaining:
        chosen, tied = _choose([s.claim for s in remaining], policy)
        winner = remaining[chosen]
        out = [s for s in rivals[winner] if s in remaining]
        if winner.settled is not None:
            seen = winner.settled
            out = [s for s in out if s.claim.when.seq <= seen]
        lost.extend((s, winner, remaining.index(s) in tied) for s in out)
        remaining = [s for s in remaining if s is not winner and s not in out]
    return [(s, w, tie) for s, w, tie in lost if s.settled is None]


def _stands(field: str, by_key: Mapping[str, Sequence[_Said]]) -> list[_Stand]:
    """Every replacement (of a custom field: every value) that can rival another. One about which
    its own spoke said more since, or which somebody removed, is settled."""
    parents = _parents((key, edit) for key, said in by_key.items() for _, edit in said)
    stands: list[_Stand] = []
    for key, said in by_key.items():
        for s in said:
            edit = s[1]
            made = edit.decided or edit.when
            if field == "custom":
                lineage = frozenset((custom_name(key),))
            elif edit.replaces:
                lineage = _lineage(key, made.seq + 1, parents)
            else:
                continue
            if edit.decided is not None:
                stands.append(_Stand(key, s, _claim(s, made), lineage, edit.when.base))
            if edit.element is not None and (edit.decided is None or field == "custom"):
                ended = [
                    other.when.base
                    for _, other in said
                    if other.element is None and other.when.supersedes(edit.when)
                ]
                settled = max(ended, default=None)
                stands.append(_Stand(key, s, _claim(s, edit.when), lineage, settled))
    return stands


def _parents(edits: Iterable[tuple[str, ElementEdit]]) -> dict[str, list[tuple[str, int]]]:
    """By key, the keys of the elements it was edited from, and the seq of that edit."""
    parents: dict[str, list[tuple[str, int]]] = {}
    for key, edit in edits:
        if edit.replaces:
            made = edit.decided or edit.when
            parents.setdefault(key, []).append((edit.replaces, made.seq))
    return parents


def _lineage(
    key: str, before: int, parents: Mapping[str, Sequence[tuple[str, int]]]
) -> frozenset[str]:
    """The elements from which one was edited, step by step back in time."""
    found: set[str] = set()
    steps = [(key, before)]
    while steps:
        key, before = steps.pop()
        for old, seq in parents.get(key, ()):
            if seq < before:
                found.add(old)
                steps.append((old, seq))
    return frozenset(found)


def _places(sources: Sequence[Mapping[str, ElementEdit]]) -> dict[str, tuple[int, int, int]]:
    """By key: the seq at which it, or what it was edited from, first came; the order of the spoke
    that brought it, and its place there."""
    first: dict[str, tuple[int, int, int]] = {}
    for order, edits in enumerate(sources):
        for position, (key, edit) in enumerate(edits.items()):
            since = edit.since or (edit.when.seq if edit.element is not None else 0)
            if since and (key not in first or (since, order, position) < first[key]):
                first[key] = (since, order, position)
    parents = _parents(pair for edits in sources for pair in edits.items())
    if not parents:
        return first
    places = dict(first)
    for key in parents:
        if key in first:
            lineage = _lineage(key, sys.maxsize, parents)
            places[key] = min(first[k] for k in (key, *lineage) if k in first)
    return places
