"""From what a spoke shows to what was done there: the diff that makes a spoke's own edits.

An observation is compared with the shadow, the content last acknowledged, field by field; fields
that differ are mapped through the item's lens and compared once more, so what a mapping hides or
adds is never mistaken for an edit. What is left is recorded, at most one edit a scalar field and
one an element.

At first sight of a native item every field that has a value is an edit of its own, made
without knowledge of the hub (base 0). Afterwards, in a list field, elements are told apart by
normalised key: another spelling updates the element; exactly one removed and one added of a kind
(`normalise.element_kind`) is an edit that replaces; everything else is added or removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from cirahub_sync.model.edit import Awareness, ElementEdit, OwnEdits, ScalarEdit
from cirahub_sync.model.kind import Content, Element, kind_of
from cirahub_sync.model.limits import changed_fields
from cirahub_sync.model.mapping import Lens
from cirahub_sync.model.normalise import (
    DEFAULT_REGION,
    caseless,
    element_key,
    element_kind,
    keyed,
    same_value,
)

_astuple = msgspec.structs.astuple
_Elements = tuple[Element, ...]


class Return(msgspec.Struct, frozen=True):
    """What was edited is again what the spoke had said of it last, though something else was there
    in between: it took it back."""

    field: str
    key: str
    """Of the element, in a list field; blank in others."""
    said: int
    """The `seq` of the edit by which it had said the same; 0: a person had decided that."""


class Recorded(msgspec.Struct, frozen=True):
    own: OwnEdits
    """The same object as before when nothing was recorded."""
    read_only_fields: tuple[str, ...] = ()
    """Fields that were edited in the spoke, and whose edit cannot be mapped back."""
    returns: tuple[Return, ...] = ()


def record(
    own: OwnEdits,
    *,
    shadow: Content | None,
    observed: Content,
    lens: Lens,
    when: Awareness,
    native_first_sight: bool,
    region: str = DEFAULT_REGION,
) -> Recorded:
    """The spoke's own edits after `observed` was seen where `shadow` had been.

    With `native_first_sight` the shadow does not count and earlier edits are replaced. Without it
    and without a shadow nothing is known of what was received, so nothing is recorded.
    """
    if native_first_sight:
        return Recorded(_first_sight(lens.to_hub(observed), when, region))
    if shadow is None:
        return Recorded(own)
    read_only: list[str] = []
    returns: list[Return] = []
    scalars: dict[str, ScalarEdit] = {}
    elements: dict[str, dict[str, ElementEdit]] = {}
    lists = kind_of(observed).lists
    for field in lens.concerned(changed_fields(shadow, observed)):
        if field not in lens.fields or field in lens.filled:
            continue
        if field in lists:
            if field in lens.read_only:
                read_only.append(field)
                continue
            old: _Elements = getattr(shadow, field)
            new: _Elements = getattr(observed, field)
            if field == "categories" and _unpinned(old, new, lens):
                read_only.append(field)
            change = _Change(field, old, new, lens, region)
            prior = own.elements.get(field, {})
            edits = _elements(change, prior, when)
            if edits:
                elements[field] = edits
                returns += _returned(field, prior, edits, when)
        else:
            was, now = lens.said(field, shadow), lens.said(field, observed)
            if now is None:
                continue
            if field in lens.read_only:
                if not same_value(field, was or "", now):
                    read_only.append(field)
                continue
            value = lens.scalar_to_hub(field, observed)
            if not same_value(field, lens.scalar_to_hub(field, shadow), value):
                said = own.scalars.get(field)
                scalars[field] = _scalar(said, value, when)
                if said is not None and same_value(field, said.value, value):
                    returns.append(Return(field, "", _said(said.when)))
    if scalars or elements:
        own = OwnEdits(
            {**own.scalars, **scalars} if scalars else own.scalars,
            {**own.elements, **elements} if elements else own.elements,
        )
    return Recorded(own, tuple(read_only), tuple(returns))


def _returned(
    field: str,
    prior: Mapping[str, ElementEdit],
    edits: Mapping[str, ElementEdit],
    when: Awareness,
) -> Iterable[Return]:
    for key, said in prior.items():
        now = edits[key]
        if now.when is when and now.element == said.element:
            yield Return(field, key, _said(said.when))


def _said(when: Awareness) -> int:
    return 0 if when.decided else when.seq


def _first_sight(content: Content, when: Awareness, region: str) -> OwnEdits:
    when = Awareness(when.seq, 0, when.lower, when.upper)
    scalars: dict[str, ScalarEdit] = {}
    elements: dict[str, dict[str, ElementEdit]] = {}
    kind = kind_of(content)
    lists = kind.lists
    for field, value in zip(kind.fields, _astuple(content), strict=True):
        if not value:
            continue
        if field not in lists:
            if value.strip():
                scalars[field] = ScalarEdit(value, when, when.seq)
        else:
            elements[field] = {
                key: ElementEdit(element, "", when, when.seq)
                for key, element in keyed(field, value, region).items()
            }
    return OwnEdits(scalars, elements)


def _scalar(prior: ScalarEdit | None, value: str, when: Awareness) -> ScalarEdit:
    if not value.strip():
        return ScalarEdit("", when)
    if prior is None or not prior.value:
        return ScalarEdit(value, when, when.seq)
    return ScalarEdit(value, when, prior.since or prior.when.seq)


def _unpinned(old: _Elements, new: _Elements, lens: Lens) -> bool:
    """Whether a category that a receiver's mapping adds was taken away there."""
    if lens.toward_hub or not lens.pinned:
        return False
    before = {caseless(e) for e in old if isinstance(e, str)}
    after = {caseless(e) for e in new if isinstance(e, str)}
    return bool((before - after) & lens.pinned)


class _Change:
    """What a list field lost and won, in the hub's terms, by element key."""

    __slots__ = ("added", "after", "before", "hidden", "removed", "respelled")

    def __init__(self, field: str, old: _Elements, new: _Elements, lens: Lens, region: str) -> None:
        mapped = lens.elements_to_hub(field, old)
        before = keyed(field, mapped, region)
        after = keyed(field, lens.elements_to_hub(field, new), region)
        self.before = before
        self.after = after
        self.removed = [key for key in before if key not in after]
        self.added = [key for key in after if key not in before]
        self.respelled = [key for key, e in after.items() if key in before and before[key] != e]
        self.hidden: list[str] = []
        """Keys of removed e-mails in the spoke's own terms. Where a mapping leads two of the
        hub's addresses to one of the spoke's, removing that one removes both. Likewise a number
        that stands in a copy as it does in the hub, and reads as another one there."""
        if self.removed and (field == "emails" or (field == "phones" and not lens.toward_hub)):
            for element, image in zip(old, mapped, strict=True):
                if image is not element and element_key(field, image, region) in self.removed:
                    self.hidden.append(element_key(field, element, region))

    def __bool__(self) -> bool:
        return bool(self.removed or self.added or self.respelled)

    def replaced(self) -> dict[str, str]:
        """New key to old key, for the kinds of which exactly one went and one came."""
        if not self.removed or not self.added:
            return {}
        gone = _by_kind(self.removed, self.before)
        come = _by_kind(self.added, self.after)
        return {
            come[kind][0]: keys[0]
            for kind, keys in gone.items()
            if len(keys) == 1 and len(come.get(kind, ())) == 1
        }


def _by_kind(keys: Iterable[str], elements: Mapping[str, Element]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for key in keys:
        kind = element_kind(elements[key])
        if kind is not None:
            kinds.setdefault(kind, []).append(key)
    return kinds


def _elements(
    change: _Change, own: Mapping[str, ElementEdit], when: Awareness
) -> dict[str, ElementEdit] | None:
    """The field's edits after the change; None if there was none in the hub's terms."""
    if not change:
        return None
    after = change.after
    replaced = change.replaced()
    edits = dict(own)
    for key in (*change.removed, *change.hidden):
        edits[key] = _removal(edits.get(key), when)
    for key in change.respelled:
        edits[key] = _statement(edits.get(key), after[key], when)
    for key in change.added:
        source = replaced.get(key, "")
        if source:
            since = edits[source].since or when.seq
            prior = edits.get(key)
            past = () if prior is None else prior.remembered(when, present=True)
            edits[key] = ElementEdit(after[key], source, when, since, past=past)
        else:
            edits[key] = _statement(edits.get(key), after[key], when)
    return edits


def _removal(prior: ElementEdit | None, when: Awareness) -> ElementEdit:
    if prior is None:
        return ElementEdit(None, "", when)
    past = prior.remembered(when, present=False)
    return ElementEdit(None, prior.replaces, when, prior.since, past=past)


def _statement(prior: ElementEdit | None, element: Element, when: Awareness) -> ElementEdit:
    if prior is None:
        return ElementEdit(element, "", when, when.seq)
    since = prior.since or when.seq
    past = prior.remembered(when, present=True)
    return ElementEdit(element, prior.replaces, when, since, past=past)
