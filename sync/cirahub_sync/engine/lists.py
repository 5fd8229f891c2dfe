"""Lists: observed-remove sets over normalised keys, with one edit a spoke and element.

Of the edits of one key, present heads win over concurrent absent ones, and their spelling is chosen
by the field's policy. An element that was edited into another is absent, and the other is present
and says which it replaces. Two spokes that replaced one element, or elements edited from one, by
different ones and unaware of each other are in conflict: a `contest` says whose stays, the other
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

from cirahub_sync.configuration import ListPolicy
from cirahub_sync.engine.contest import Lost, Said, Stand, contest
from cirahub_sync.engine.lineage import lineage, parents_of
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
    lost: list[Lost] = []
    open_to: dict[Stand, list[Stand]] = {}
    if contested:
        lost = contest(field, by_key, rules, decisions, whole=whole)
        for one in lost:
            key = one.stand.key
            by_key[key] = [s for s in by_key[key] if s is not one.stand.said]
    present: dict[str, Element] = {}
    spelled: dict[str, Said] = {}
    for key, said in by_key.items():
        chosen = _member(field, key, said, rules, conflicts, decisions=decisions)
        if chosen is not None and chosen[1].element is not None:
            present[key] = chosen[1].element
            spelled[key] = chosen
    for one in lost:
        stand, winner = one.stand, one.winner
        value = stand.said[1].element
        if value is not None and not winner.enders and stand.key not in present:
            spokes = (winner.claim.spoke, stand.claim.spoke)
            conflicts.append(Conflict(field, *spokes, value, one.tie, stand.key))
            if not one.decided:
                open_to.setdefault(winner, []).append(stand)
    if open_to and mode is not ListPolicy.INTERSECT and rules.manual(field):
        found.undecided.extend(_undecided(field, sources, open_to, whole=whole))
    if mode is ListPolicy.INTERSECT:
        _intersect(field, sources, by_key, present, conflicts)
    if found.wins is not None:
        contests = {one.winner.key: (one.tie, one.decided) for one in lost}
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
    *,
    decisions: Sequence[Decision],
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
        claims = [_claim(s, s[1].when) for s in present]
        chosen, tied = _preferred(field, key, claims, rules, decisions)
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


def _preferred(
    field: str, key: str, claims: Sequence[Claim], rules: Rules, decisions: Sequence[Decision]
) -> tuple[int, set[int]]:
    """As `Rules.choose`, but over what was said until somebody decided the one that they chose is
    preferred, in its spelling too."""
    for one in decisions:
        if one.key in ("", key) and any(claim.spoke == one.spoke for claim in claims):
            left = [
                place
                for place, claim in enumerate(claims)
                if claim.spoke == one.spoke or claim.when.seq > one.seq
            ]
            chosen, tied = rules.choose(field, [claims[place] for place in left])
            return left[chosen], {left[place] for place in tied}
    return rules.choose(field, claims)


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
            (min(e.since or made.seq, made.seq), made.base)
            for e in edits
            if (made := _put_in(e)) is not None
        ),
        default=None,
    )


def _put_in(edit: ElementEdit) -> Awareness | None:
    """When the spoke first put the element in, as far as it is known."""
    return next((one.when for one in edit.said() if one.present), None)


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


def _undecided(
    field: str,
    sources: Sequence[tuple[FoldInput, dict[str, ElementEdit]]],
    lost: Mapping[Stand, Sequence[Stand]],
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


def _contender(stand: Stand) -> Contender:
    element = stand.said[1].element
    values = () if element is None else (element,)
    return Contender(stand.claim.spoke, stand.claim.when.seq, values, stand.key)


def _places(sources: Sequence[Mapping[str, ElementEdit]]) -> dict[str, tuple[int, int, int]]:
    """By key: the seq at which it, or what it was edited from, first came; the order of the spoke
    that brought it, and its place there."""
    first: dict[str, tuple[int, int, int]] = {}
    for order, edits in enumerate(sources):
        for position, (key, edit) in enumerate(edits.items()):
            since = edit.since or (edit.when.seq if edit.element is not None else 0)
            if since and (key not in first or (since, order, position) < first[key]):
                first[key] = (since, order, position)
    parents = parents_of(pair for edits in sources for pair in edits.items())
    if not parents:
        return first
    places = dict(first)
    for key in parents:
        if key in first:
            before = lineage(key, sys.maxsize, parents)
            places[key] = min(first[k] for k in (key, *before) if k in first)
    return places
