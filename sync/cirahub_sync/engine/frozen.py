"""Frozen fields in the fold: two spokes kept changing one back and forth.

Of the two writers, what counts of such a field is what they had said when it was frozen: of a
scalar the edit of the holder, who had said theirs first; of a list its elements, and the other's
where the holder had said nothing of the key. What either says later is kept as a conflict that the
other won. What anybody else says counts as ever. A freeze is in force while both writers have a
say in the field: without one of them there is nothing that could go back and forth.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from cirahub_sync.engine.rules import Conflict, Contender, FoldInput, Undecided
from cirahub_sync.model.edit import Awareness, ElementEdit, OwnEdits, ScalarEdit
from cirahub_sync.model.freeze import Freeze, Held
from cirahub_sync.model.kind import Content, Element
from cirahub_sync.model.normalise import same_value

_replace = msgspec.structs.replace


def hold(own: OwnEdits, other: OwnEdits, field: str) -> Held:
    """What is held of a field that is frozen now; `own` are the holder's edits."""
    mine, others = own.elements.get(field, {}), other.elements.get(field, {})
    return Held(
        scalar=own.scalars.get(field),
        elements=mine,
        others={key: edit for key, edit in others.items() if key not in mine},
    )


def in_force(freezes: Sequence[Freeze], inputs: Sequence[FoldInput]) -> list[Freeze]:
    own = {one.spoke: one.own for one in inputs}
    return [one for one in freezes if all(_speaks(own.get(w), one.field) for w in one.writers)]


def held(inputs: Sequence[FoldInput], freezes: Sequence[Freeze]) -> Sequence[FoldInput]:
    """The inputs as they count. Of several freezes in which a spoke holds a field, the last."""
    for one in sorted(freezes, key=lambda one: one.seq):
        inputs = [
            _replace(said, own=_held(said, one)) if said.spoke in one.writers else said
            for said in inputs
        ]
    return inputs


def withheld(
    content: Content, inputs: Sequence[FoldInput], freezes: Sequence[Freeze]
) -> tuple[list[Conflict], list[Undecided]]:
    """What the writers say and is not in `content`, and what a person is asked about it."""
    own = {one.spoke: one.own for one in inputs}
    conflicts: list[Conflict] = []
    undecided: list[Undecided] = []
    for one in freezes:
        holder, other = one.writers
        conflicts += _unheard(one, own[holder], holder, other, getattr(content, one.field))
        conflicts += _unheard(one, own[other], other, holder, getattr(content, one.field))
        undecided.append(_question(one, own))
    return conflicts, undecided


def said_in(freeze: Freeze) -> tuple[OwnEdits, OwnEdits]:
    """What is held of the two writers, as edits."""
    held, field = freeze.held, freeze.field
    scalars = {} if held.scalar is None else {field: held.scalar}
    mine = {field: held.elements} if held.elements else {}
    return OwnEdits(scalars, mine), OwnEdits({}, {field: held.others} if held.others else {})


def held_of(freeze: Freeze, own: OwnEdits, other: OwnEdits) -> Freeze:
    """With these in the place of what is held of the two writers."""
    field = freeze.field
    elements, others = own.elements.get(field, {}), other.elements.get(field, {})
    return _replace(freeze, held=Held(own.scalars.get(field), elements, others))


def seen_until(own: OwnEdits, field: str, seq: int) -> OwnEdits:
    """The edits of a writer whose field is frozen no more. It was shown nothing of the field since
    `seq`, whatever else of the item reached it."""

    def seen(when: Awareness) -> Awareness:
        return _replace(when, base=min(when.base, seq)) if when.seq > seq else when

    return _dated(own, field, seen)


def restated(own: OwnEdits, field: str, keys: Iterable[str], when: Awareness) -> OwnEdits:
    """The edits as if what they say of the field (in a list: of these keys) were said at `when`,
    in sight of everything."""
    chosen = set(keys)
    return _dated(own, field, lambda _: when, chosen)


def put_back(own: OwnEdits, freeze: Freeze) -> OwnEdits:
    """The holder's edits with what is held in the place of what it said since."""
    return _held_by_holder(own, freeze)


def _speaks(own: OwnEdits | None, field: str) -> bool:
    return own is not None and (field in own.scalars or bool(own.elements.get(field)))


def _held(said: FoldInput, freeze: Freeze) -> OwnEdits:
    if said.spoke == freeze.holder:
        return _held_by_holder(said.own, freeze)
    own = _without(said.own, freeze.field)
    return own if not freeze.held.others else _with(own, freeze.field, freeze.held.others)


def _held_by_holder(own: OwnEdits, freeze: Freeze) -> OwnEdits:
    own = _without(own, freeze.field)
    if freeze.held.scalar is not None:
        return OwnEdits({**own.scalars, freeze.field: freeze.held.scalar}, own.elements)
    return _with(own, freeze.field, freeze.held.elements)


def _with(own: OwnEdits, field: str, edits: dict[str, ElementEdit]) -> OwnEdits:
    return OwnEdits(own.scalars, {**own.elements, field: edits})


def _without(own: OwnEdits, field: str) -> OwnEdits:
    return OwnEdits(
        {name: edit for name, edit in own.scalars.items() if name != field},
        {name: edits for name, edits in own.elements.items() if name != field},
    )


def _dated(
    own: OwnEdits,
    field: str,
    dated: Callable[[Awareness], Awareness],
    keys: Collection[str] | None = None,
) -> OwnEdits:
    """The edits with those of a field (of these keys) made at another time."""
    edit, edits = own.scalars.get(field), own.elements.get(field)
    if edit is not None:
        return OwnEdits({**own.scalars, field: _replace(edit, when=dated(edit.when))}, own.elements)
    if edits is None:
        return own
    found = {
        key: _replace(one, when=dated(one.when)) if keys is None or key in keys else one
        for key, one in edits.items()
    }
    return _with(own, field, found)


def _unheard(
    freeze: Freeze, own: OwnEdits, spoke: str, against: str, content: Element | Sequence[Element]
) -> Iterator[Conflict]:
    """What a writer says of a frozen field, and what does not show."""
    field = freeze.field
    said = own.scalars.get(field)
    if said is not None and not same_value(field, said.value, str(content)):
        yield Conflict(field, against, spoke, said.value, tie=False)
    shown = content if isinstance(content, tuple) else ()
    for key, edit in own.elements.get(field, {}).items():
        if edit.element is not None:
            if edit.element not in shown:
                yield Conflict(field, against, spoke, edit.element, tie=False, key=key)
        elif _stands(freeze.held, key) in shown:
            yield Conflict(field, against, spoke, "", tie=False, key=key)


def _stands(held: Held, key: str) -> Element | None:
    edit = held.elements.get(key) or held.others.get(key)
    return None if edit is None else edit.element


def _question(freeze: Freeze, own: Mapping[str, OwnEdits]) -> Undecided:
    holder, other = freeze.writers
    now = _values(own[holder].scalars.get(freeze.field), own[holder].elements.get(freeze.field, {}))
    then = _values(freeze.held.scalar, freeze.held.elements)
    mine = _side(own[holder], freeze.field, holder)
    stands = Contender(
        holder if now == then else "",
        freeze.seq,
        (*then, *_values(None, freeze.held.others)),
    )
    sides = (stands,) if now == then else (stands, mine)
    return Undecided(freeze.field, (*sides, _side(own[other], freeze.field, other)), freeze)


def _side(own: OwnEdits, field: str, spoke: str) -> Contender:
    edit, edits = own.scalars.get(field), own.elements.get(field, {})
    seqs = [one.when.seq for one in edits.values()]
    seq = max(seqs) if edit is None else edit.when.seq
    return Contender(spoke, seq, _values(edit, edits))


def _values(edit: ScalarEdit | None, edits: Mapping[str, ElementEdit]) -> tuple[Element, ...]:
    if edit is not None:
        return (edit.value,)
    return tuple(one.element for one in edits.values() if one.element is not None)
