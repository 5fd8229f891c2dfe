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
- *Priority*: the spoke that the hub's order names first; those that it does not name come after
  them, by rank.
- *Hub*: what was established first wins, by `seq`; ties go as above. A spoke that edits its own
  value keeps the standing of its first one (`since`), unless somebody else's edit had
  superseded it in between.

- *Manual*: a person. Until they decide the hub's value stands, as with Hub, and the conflict is
  undecided.

A person's decision is an input as an edit is, under every policy: it supersedes what others had
said before it, and goes with the spoke that it chose. Who edits later, unaware of it, is in
conflict anew.

A beaten withdrawal is a conflict (with a blank value) if its author had seen the hub; one that
had not only took back what was its own.

**Frozen** fields, which two spokes kept changing back and forth: see `frozen`.

**Lists** merge by element: see `lists`.

**Events** fold likewise, over those who have a say: see `authority`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from cirahub_sync.engine.authority import finished, heard, overruled
from cirahub_sync.engine.frozen import held, in_force, withheld
from cirahub_sync.engine.lists import alone, elements
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
from cirahub_sync.model.edit import Awareness, ElementEdit, OwnEdits, ScalarEdit
from cirahub_sync.model.freeze import Freeze
from cirahub_sync.model.kind import CONTACTS, Content, as_event
from cirahub_sync.model.normalise import same_value

_Said = tuple[FoldInput, ScalarEdit]


class Folded(msgspec.Struct, frozen=True):
    content: Content
    conflicts: tuple[Conflict, ...]
    alive: bool
    undecided: tuple[Undecided, ...] = ()
    wins: tuple[Win, ...] = ()


def fold(
    inputs: Sequence[FoldInput],
    rules: Rules,
    decisions: Sequence[Decision] = (),
    freezes: Sequence[Freeze] = (),
    *,
    explain: bool = False,
) -> Folded:
    """The hub item that these inputs make. Spokes are distinct; ranks need not be. To `explain` is
    to tell the winner of every field as well."""
    if freezes:
        standing = in_force(freezes, inputs)
        folded = fold(held(inputs, standing), rules, decisions, explain=explain)
        conflicts, undecided = withheld(folded.content, inputs, standing)
        return msgspec.structs.replace(
            folded,
            conflicts=(*folded.conflicts, *conflicts),
            undecided=(*folded.undecided, *undecided),
            wins=tuple(_frozen(win, standing) for win in folded.wins),
        )
    if rules.kind is CONTACTS:
        return _merged(inputs, rules, decisions, explain=explain)
    it = heard(inputs)
    merged = _merged(it.ruling, rules, () if it.role else decisions, explain=explain)
    event = finished(as_event(merged.content), it.identity)
    return msgspec.structs.replace(
        merged,
        content=event,
        conflicts=(*merged.conflicts, *overruled(event, it)),
        alive=any(item.native for item in inputs),
    )


def _merged(
    inputs: Sequence[FoldInput], rules: Rules, decisions: Sequence[Decision], *, explain: bool
) -> Folded:
    alive = any(item.native for item in inputs)
    content: dict[str, object] = {}
    if len(inputs) == 1 and not explain:
        own = inputs[0].own
        for field, edit in own.scalars.items():
            content[field] = edit.value
        for field, edits in own.elements.items():
            content[field] = alone(edits)
        return Folded(rules.kind.make(**content), (), alive)
    found = Found(wins=[] if explain else None)
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
            said[0][1].value
            if len(said) == 1 and not explain
            else _scalar(field, said, rules, _about(field, decisions), found)
        )
    for field, sources in sorted(lists.items()):
        content[field] = (
            alone(sources[0][1])
            if len(sources) == 1 and not explain
            else elements(field, sources, rules, _about(field, decisions), found)
        )
    return Folded(
        rules.kind.make(**content),
        tuple(found.conflicts),
        alive,
        tuple(found.undecided),
        tuple(found.wins or ()),
    )


def _frozen(win: Win, freezes: Sequence[Freeze]) -> Win:
    for one in freezes:
        if (win.field, win.spoke) == (one.field, one.holder):
            return msgspec.structs.replace(win, rule=Ground.FROZEN.value)
    return win


def _about(field: str, decisions: Sequence[Decision]) -> Sequence[Decision]:
    """The decisions about a field, the last one first."""
    if not decisions:
        return ()
    about = [one for one in decisions if one.field == field]
    return sorted(about, key=lambda one: one.seq, reverse=True)


def _precedence(item: FoldInput) -> tuple[int, str]:
    return (item.rank, item.spoke)


def _scalar(
    field: str,
    said: list[_Said],
    rules: Rules,
    decisions: Sequence[Decision],
    found: Found,
) -> str:
    decided = _decided(said, decisions) if decisions else None
    if decided is not None and not decided.spoke:
        said = [_given(decided), *said]
    first = said[0][1].value
    if all(edit.value == first for _, edit in said):
        if found.wins is not None:
            given = decided is not None and not decided.spoke
            ground = Ground.DECIDED if given else Ground.AGREED
            _last(field, said, Ground.ONLY if len(said) == 1 else ground, found.wins)
        return first
    heads = [
        (item, edit)
        for item, edit in said
        if not any(other.when.supersedes(edit.when) for _, other in said)
        and (decided is None or edit.when.seq > decided.seq or item.spoke == decided.spoke)
    ]
    standing = [(item, edit) for item, edit in heads if edit.value]
    if not standing:
        if found.wins is not None:
            _last(field, heads, Ground.WITHDRAWN, found.wins)
        return ""
    if len(standing) == 1:
        chosen, tied = 0, set[int]()
    else:
        claims = [Claim(i.spoke, i.rank, e.when, _established(e, said)) for i, e in standing]
        chosen, tied = rules.choose(field, claims)
    winner, best = standing[chosen]
    if found.wins is not None:
        if decided is not None and winner.spoke == decided.spoke:
            rule = Ground.DECIDED.value
        elif len(standing) > 1:
            rule = rules.of_field(field).value
        else:
            rule = (Ground.AWARE if len(heads) == 1 else Ground.PRESENT).value
        tie = chosen in tied and len(tied) > 1
        found.wins.append(Win(field, winner.spoke, rule, best.when, tie=tie))
    losers = [
        (item, edit, index in tied)
        for index, (item, edit) in enumerate(standing)
        if index != chosen and not same_value(field, edit.value, best.value)
    ]
    found.conflicts.extend(
        Conflict(field, winner.spoke, item.spoke, edit.value, tie=tie) for item, edit, tie in losers
    )
    if losers and rules.manual(field):
        sides = [(winner, best), *((item, edit) for item, edit, _ in losers)]
        found.undecided.append(
            Undecided(
                field,
                tuple(Contender(item.spoke, edit.when.seq, (edit.value,)) for item, edit in sides),
            )
        )
    if len(standing) < len(heads):
        for item, edit in heads:
            if not edit.value and edit.when.base > 0:
                found.conflicts.append(Conflict(field, winner.spoke, item.spoke, "", tie=False))
    return best.value


def _last(field: str, said: Sequence[_Said], ground: Ground, wins: list[Win]) -> None:
    item, edit = max(said, key=lambda one: one[1].when.seq)
    wins.append(Win(field, item.spoke, ground.value, edit.when))


def _decided(said: Sequence[_Said], decisions: Sequence[Decision]) -> Decision | None:
    """The last decision that counts."""
    values = {item.spoke: edit.value for item, edit in said}
    for one in decisions:
        if values.get(one.spoke) if one.spoke else values.keys() >= set(one.among) - {""}:
            return one
    return None


def _given(decision: Decision) -> _Said:
    """A value that a person gave, as if they had edited it in sight of the hub."""
    when = Awareness(decision.seq, decision.seq, decision.at, decision.at)
    return FoldInput("", -1, native=False, own=OwnEdits()), ScalarEdit(decision.value, when)


def _established(edit: ScalarEdit, said: Iterable[tuple[FoldInput, ScalarEdit]]) -> int:
    since = edit.since or edit.when.seq
    for _, other in said:
        if other is not edit and other.when.base >= since and other.when.seq > since:
            return edit.when.seq
    return since
