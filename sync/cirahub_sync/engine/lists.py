"""Lists: observed-remove sets over normalised keys, with one edit a spoke and element.

Of the edits of one key, present heads win over concurrent absent ones, and their spelling is chosen
by the field's policy. An element that was edited into another is absent, and the other is present
and says which it replaces. Two spokes that replaced one element, or elements edited from one, by
different ones and unaware of each other are in conflict: the policy chooses whose stays, the other
is dropped and recorded. (It stays if somebody else, too, says that it is there.) The loser does not
come back when somebody who could see the outcome edits or removes the winner. Elements stand in the
order in which they were first contributed: by seq, rank and place in their source, replaced ones in
the place of theirs.

**Custom fields** are a list keyed by name and value, in which the values that different spokes
give to one name conflict as if they replaced one another. A spoke may itself give several.

**Modes.** *Union* is the above. With *SourceWins* all elements of the field conflict as if they
replaced one another: one spoke's list stays whole, and the elements that only others have, who did
not know of it, are dropped and recorded. With *Intersect* every spoke that ever had an element in
the field votes: an element whose author had not seen a voter's list, nor the voter it, is dropped
and recorded unless the voter has it too; nobody is asked, whatever the policy. Who adds or removes
having seen the hub is followed in every mode.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cirahub_sync.configuration import ListPolicy
from cirahub_sync.engine.rules import (
    Claim,
    Conflict,
    Contender,
    FoldInput,
    Found,
    Ground,
    Rules,
    Undecided,
    Win,
)
from cirahub_sync.model.decision import Decision
from cirahub_sync.model.edit import Awareness, ElementEdit
from cirahub_sync.model.kind import Element
from cirahub_sync.model.normalise import custom_name

Said = tuple[FoldInput, ElementEdit]
"""One spoke's edit of one element."""
_WHOLE = frozenset(("",))
"""What all elements of a list descend from when one spoke's list wins whole."""


class _Stand(msgspec.Struct, frozen=True, eq=False):
    """What one spoke made of an element that others may have edited too. `settled` is None while
    it stands, else the seq up to which those who ended it had seen the hub."""

    key: str
    said: Said
    claim: Claim
    lineage: frozenset[str]
    settled: int | None

    def chosen_by(self, decision: Decision) -> bool:
        return self.claim.spoke == decision.spoke and decision.key in ("", self.key)

    def rivals(self, other: _Stand) -> bool:
        mine, others = self.claim.when, other.claim.when
        return (
            self.claim.spoke != other.claim.spoke
            and self.key != other.key
            and not self.lineage.isdisjoint(other.lineage)
            and not mine.supersedes(others)
            and not others.supersedes(mine)
        )


_Lost = tuple[_Stand, _Stand, bool, bool]
"""Loser, winner, whether it was a tie, and whether a person decided it."""


def alone(edits: Mapping[str, ElementEdit]) -> tuple[Element, ...]:
    """The elements of a list that only one spoke has a say in."""
    present: list[Element] = []
    for edit in edits.values():
        if edit.replaces or edit.element is None:
            break
        present.append(edit.element)
    else:
        return tuple(present)
    places = _places([edits])
    order = sorted((key for key, e in edits.items() if e.element is not None), key=places.get)  # type: ignore[arg-type]
    return tuple(e for key in order if (e := edits[key].element) is not None)


def elements(
    field: str,
    sources: Sequence[tuple[FoldInput, dict[str, ElementEdit]]],
    rules: Rules,
    decisions: Sequence[Decision],
    found: Found,
) -> tuple[Element, ...]:
    conflicts = found.conflicts
    by_key: dict[str, list[Said]] = {}
    mode = rules.of_list(field)
    whole = mode is ListPolicy.SOURCE_WINS
    contested = whole or field == "custom"
    for item, edits in sources:
        for key, edit in edits.items():
            by_key.setdefault(key, []).append((item, edit))
            contested = contested or bool(edit.replaces)
    lost: list[_Lost] = []
    open_to: dict[_Stand, list[_Stand]] = {}
    if contested:
        lost = _contest(field, by_key, rules, decisions, whole=whole)
        for stand, _, _, _ in lost:
            by_key[stand.key] = [s for s in by_key[stand.key] if s is not stand.said]
    present: dict[str, Element] = {}
    spelled: dict[str, Said] = {}
    for key, said in by_key.items():
        chosen = _member(field, key, said, rules, conflicts)
        if chosen is not None and chosen[1].element is not None:
            present[key] = chosen[1].element
            spelled[key] = chosen
    for stand, winner, tie, decided in lost:
        value = stand.said[1].element
        if value is not None and winner.settled is None and stand.key not in present:
            spokes = (winner.claim.spoke, stand.claim.spoke)
            conflicts.append(Conflict(field, *spokes, value, tie, stand.key))
            if not decided:
                open_to.setdefault(winner, []).append(stand)
    if open_to and mode is not ListPolicy.INTERSECT and rules.manual(field):
        found.undecided.extend(_undecided(field, sources, open_to, whole=whole))
    if mode is ListPolicy.INTERSECT:
        _intersect(field, sources, by_key, present, conflicts)
    if found.wins is not None:
        contests = {winner.key: (tie, decided) for _, winner, tie, decided in lost}
        found.wins.extend(
            _win(field, key, by_key[key], spelled[key], rules=rules, contest=contests.get(key))
            for key in sorted(present)
        )
    if len(present) < 2:
        return tuple(present.values())
    places = _places([edits for _, edits in sources])
    return tuple(present[key] for key in sorted(present, key=lambda k: places[k]))


def _member(
    field: str,
    key: str,
    said: Sequence[Said],
    rules: Rules,
    conflicts: list[Conflict],
) -> Said | None:
    """Who says that the element of one key is there, as it is spelled; None, or who says that it is
    not, when it is absent."""
    if not said:
        return None
    first = said[0][1].element
    if all(edit.element == first for _, edit in said):
        return said[0]
    heads = [
        (item, edit)
        for item, edit in said
        if not any(other.when.supersedes(edit.when) for _, other in said)
    ]
    present = [(item, edit) for item, edit in heads if edit.element is not None]
    if not present:
        return None
    chosen, tied = 0, set[int]()
    if len(present) > 1:
        chosen, tied = rules.choose(field, [_claim(s, s[1].when) for s in present])
    winner, best = present[chosen]
    if field in rules.kind.contested:
        conflicts.extend(
            Conflict(field, winner.spoke, item.spoke, edit.element, tie=index in tied, key=key)
            for index, (item, edit) in enumerate(present)
            if edit.element is not None and edit.element != best.element
        )
    conflicts.extend(
        Conflict(field, winner.spoke, item.spoke, "", tie=False, key=key)
        for item, edit in heads
        if edit.element is None and edit.when.base > 0
    )
    return winner, best


def _win(
    field: str,
    key: str,
    said: Sequence[Said],
    chosen: Said,
    *,
    rules: Rules,
    contest: tuple[bool, bool] | None,
) -> Win:
    """Who says that the element is there, and spells it so. `contest`: whether it won over another
    one by a tie, and whether by a person's decision."""
    heads = _present_heads(said)
    same = [one for one in heads if one[1].element == chosen[1].element]
    item, edit = max(same, key=lambda one: one[1].when.seq)
    tie = False
    if contest is not None:
        tie, decided = contest
        rule = Ground.DECIDED.value if decided else rules.of_field(field).value
    elif len(said) == 1:
        rule = Ground.ONLY.value
    elif any(other.element is None for _, other in said):
        aware = all(edit.when.supersedes(o.when) for _, o in said if o.element is None)
        rule = (Ground.AWARE if aware else Ground.PRESENT).value
    elif len(same) < len(heads):
        rule = rules.of_field(field).value
    else:
        rule = (Ground.AGREED if len(heads) == len(said) else Ground.AWARE).value
    return Win(field, item.spoke, rule, edit.when, key, tie)


def _intersect(
    field: str,
    sources: Sequence[tuple[FoldInput, dict[str, ElementEdit]]],
    by_key: Mapping[str, Sequence[Said]],
    present: dict[str, Element],
    conflicts: list[Conflict],
) -> None:
    """Take out of `present` what a voter has not got."""
    votes = [(item, edits, first) for item, edits in sources if (first := _first(edits.values()))]
    for key in list(present):
        heads = _present_heads(by_key[key])
        against = next(
            (
                voter.spoke
                for voter, edits, (seq, base) in votes
                if ((own := edits.get(key)) is None or own.element is None)
                and all(e.when.base < seq and base < (e.since or e.when.seq) for _, e in heads)
            ),
            None,
        )
        if against is not None:
            del present[key]
            conflicts.extend(
                Conflict(field, against, item.spoke, edit.element, tie=False, key=key)
                for item, edit in heads
                if edit.element is not None
            )


def _first(edits: Iterable[ElementEdit]) -> tuple[int, int] | None:
    """When a spoke first had an element of its own in a list: the seq, and how far it had seen the
    hub then. None: it never had any."""
    return min(
        (
            (e.since or made.seq, made.base)
            for e in edits
            if e.since or e.element is not None
            for made in (e.decided or e.when,)
        ),
        default=None,
    )


def _present_heads(said: Sequence[Said]) -> list[Said]:
    return [
        (item, edit)
        for item, edit in said
        if edit.element is not None
        and not any(other.when.supersedes(edit.when) for _, other in said)
    ]


def _claim(said: Said, when: Awareness) -> Claim:
    item, _ = said
    return Claim(item.spoke, item.rank, when, when.seq)


def _contest(
    field: str,
    by_key: Mapping[str, Sequence[Said]],
    rules: Rules,
    decisions: Sequence[Decision],
    *,
    whole: bool,
) -> list[_Lost]:
    """The stands that lost to another spoke's."""
    stands = _stands(field, by_key, whole=whole)
    rivals = {s: [o for o in stands if s.rivals(o)] for s in stands}
    remaining = [s for s in stands if rivals[s]]
    lost: list[_Lost] = []
    for decision in decisions:
        for winner in [s for s in remaining if s.chosen_by(decision)]:
            if winner in remaining:
                seen = decision.seq
                if winner.settled is not None:
                    seen = min(seen, winner.settled)
                out = [s for s in rivals[winner] if s in remaining and s.claim.when.seq <= seen]
                lost.extend((s, winner, False, True) for s in out)
                remaining = [s for s in remaining if s not in out]
    while remaining:
        chosen, tied = rules.choose(field, [s.claim for s in remaining])
        winner = remaining[chosen]
        out = [s for s in rivals[winner] if s in remaining]
        if winner.settled is not None:
            seen = winner.settled
            out = [s for s in out if s.claim.when.seq <= seen]
        lost.extend((s, winner, remaining.index(s) in tied, False) for s in out)
        remaining = [s for s in remaining if s is not winner and s not in out]
    return [one for one in lost if one[0].settled is None]


def _undecided(
    field: str,
    sources: Sequence[tuple[FoldInput, dict[str, ElementEdit]]],
    lost: Mapping[_Stand, Sequence[_Stand]],
    *,
    whole: bool,
) -> Iterable[Undecided]:
    """What a person is to decide: a conflict for each winner; of whole lists one for all."""
    if not whole:
        for winner, losers in lost.items():
            yield Undecided(field, tuple(_contender(s) for s in (winner, *losers)))
        return
    spokes = dict.fromkeys(s.claim.spoke for s in lost)
    spokes |= dict.fromkeys(s.claim.spoke for losers in lost.values() for s in losers)
    own = {item.spoke: edits for item, edits in sources}
    yield Undecided(
        field,
        tuple(
            Contender(
                spoke,
                max(edit.when.seq for edit in own[spoke].values()),
                tuple(e.element for e in own[spoke].values() if e.element is not None),
            )
            for spoke in spokes
        ),
    )


def _contender(stand: _Stand) -> Contender:
    element = stand.said[1].element
    values = () if element is None else (element,)
    return Contender(stand.claim.spoke, stand.claim.when.seq, values, stand.key)


def _stands(field: str, by_key: Mapping[str, Sequence[Said]], *, whole: bool) -> list[_Stand]:
    """Every replacement (of a custom field: every value; of a `whole` list: every element) that
    can rival another. One about which
    its own spoke said more since, or which somebody removed, is settled."""
    parents = _parents((key, edit) for key, said in by_key.items() for _, edit in said)
    stands: list[_Stand] = []
    for key, said in by_key.items():
        for s in said:
            edit = s[1]
            made = edit.decided or edit.when
            if whole:
                lineage = _WHOLE
            elif field == "custom":
                lineage = frozenset((custom_name(key),))
            elif edit.replaces:
                lineage = _lineage(key, made.seq + 1, parents)
            else:
                continue
            if edit.decided is not None:
                seen = edit.when.base if edit.ended is None else edit.ended
                stands.append(_Stand(key, s, _claim(s, made), lineage, seen))
            if edit.element is not None and (edit.decided is None or whole or field == "custom"):
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
