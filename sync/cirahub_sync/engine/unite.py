"""Unite: two items become one because a person says so.

One transaction moves what the one was folded from to the other. In each receiver one stays: an own
contact of its user, else the copy of the item that stays, else the copy of the other. A copy too
many is left with the id that was merged away, whose item is a tombstone without content, so that
the next pass deletes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.flips import thaw
from cirahub_sync.engine.history import follow
from cirahub_sync.engine.inputs import inputs_of
from cirahub_sync.engine.refold import refold
from cirahub_sync.errors import ItemsChangedError, MergeError
from cirahub_sync.model.earlier import PutBack
from cirahub_sync.model.edit import Awareness, ElementEdit, OwnEdits
from cirahub_sync.store.earlier import Word
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import (
    UNKNOWN_FINGERPRINT,
    Item,
    Replica,
    ReplicaState,
    Shadow,
)

_replace = msgspec.structs.replace


def merge_items(
    context: PassContext, tx: Transaction, keep: str, gone: str, names: Mapping[str, str]
) -> None:
    """`gone` becomes part of `keep`. `names` are the spokes', by uid. Raises MergeError where that
    can't be."""
    items = standing(tx, [keep, gone])
    _thaw(tx, [keep, gone])
    shadows = tx.shadows.by_item([keep, gone])
    _refuse_twice_native(keep, gone, shadows, names)
    joined = tx.next_seq()
    kept = {replica.spoke: replica for replica in tx.replicas.of_item(keep)}
    other = {replica.spoke: replica for replica in tx.replicas.of_item(gone)}
    staying = {shadow.spoke: shadow for shadow in shadows[keep]}
    moving = {shadow.spoke: shadow for shadow in shadows[gone]}
    decided = _fields_decided_anew(context, tx, keep, gone)
    words = _words(context, tx, keep, gone, joined)
    spokes = {*kept, *other, *staying, *moving}
    for spoke in sorted(spokes):
        _one_of(
            tx,
            spoke,
            (keep, kept.get(spoke), staying.get(spoke)),
            (gone, other.get(spoke), moving.get(spoke)),
            joined,
        )
    now = context.clock()
    tombstone = _replace(
        items[gone],
        seq=tx.next_seq(),
        alive=False,
        deleted_at=0.0,  # it goes as soon as nobody has a copy of it
        fingerprint=UNKNOWN_FINGERPRINT,
        content=context.kind.blank,
        died_of=None,
    )
    tx.items.put([tombstone])
    tx.items.set_match_keys({gone: ()})
    tx.undecided.replace({gone: ()}, now)
    tx.decisions.merge(keep, gone, without=decided)
    tx.move_conflicts(gone, keep)
    tx.redirects.add(gone, keep)
    tx.bindings.follow(gone, keep)
    tx.bindings.put(
        keep, [(shadow.spoke, shadow.remote) for shadow in moving.values() if shadow.native]
    )
    spokes |= _move_departed(tx, keep, gone, joined)
    follow(tx, gone, keep, spokes, lambda own: in_line(own, gone, joined))
    for word in words:
        tx.rewound.remove(word.spoke, [keep, gone])
        tx.earlier.forget(word.spoke, [keep], joined)
    tx.rewound.put(words)
    refold(context, tx, [keep])
    consider(tx, items[keep])


def _thaw(tx: Transaction, ids: Sequence[str]) -> None:
    """What flipped in either of them did so between other values than there are now."""
    for frozen in tx.freezes.of_items(ids).values():
        for one in frozen:
            thaw(tx, one)
    for item in ids:
        tx.flips.settle(item)


def _words(context: PassContext, tx: Transaction, keep: str, gone: str, joined: int) -> list[Word]:
    """What a person had put back in either of the items, as one word about the one that stays: what
    their spokes' parts were before that is not known any more."""
    said = {
        item: {word.spoke: word.put_back for word in words if word.put_back is not None}
        for item, words in tx.rewound.counting([keep, gone]).items()
    }
    spokes = sorted({spoke for words in said.values() for spoke in words})
    if not spokes:
        return []
    inputs = inputs_of(context, tx, [keep, gone])
    found: list[Word] = []
    for spoke in spokes:
        mine, other = (
            next((one.own for one in inputs[item] if one.spoke == spoke), OwnEdits())
            for item in (keep, gone)
        )
        own = _together(mine, in_line(other, gone, joined))
        alone = all(words[spoke].alone for words in said.values() if spoke in words)
        found.append(Word(spoke, keep, joined, PutBack(own, alone)))
    return found


def _move_departed(tx: Transaction, keep: str, gone: str, joined: int) -> set[str]:
    """What users had deleted of the one is kept as the other's; in a spoke of which both are kept,
    as one. Returns the spokes."""
    rows = tx.departed.by_item([keep, gone])
    there = {row.spoke: row for row in rows.get(keep, ())}
    for row in rows.get(gone, ()):
        own, also = in_line(row.own, gone, joined), there.get(row.spoke)
        counts = row.restored
        if also is not None:
            own, counts = _together(also.own, own), counts or also.restored
        tx.departed.put([_replace(row, item=keep, own=own, restored=counts)])
        tx.departed.remove(row.spoke, [gone])
    tx.condemned.lift([gone])
    return {row.spoke for row in rows.get(gone, ())}


def standing(tx: Transaction, ids: Sequence[str]) -> dict[str, Item]:
    """The items, if they live and nothing about them is under way. Raises MergeError."""
    items = tx.items.get(ids)
    for item in ids:
        if item not in items or not items[item].alive:
            raise MergeError(f"item {item}: the hub has none of this id that lives")
    busy = sorted(set(ids) & (tx.intents.items() | set(tx.withdrawals.all())))
    if busy:
        raise ItemsChangedError(
            f"item {busy[0]}: a request about it, or an erasure, is not settled yet; try again "
            "after the next pass"
        )
    return items


def consider(tx: Transaction, before: Item) -> None:
    """Have every receiver look at the item, even if its content is what it was."""
    now = tx.items.get([before.id])[before.id]
    if now.seq == before.seq:
        tx.items.put([_replace(now, seq=tx.next_seq())])


def _refuse_twice_native(
    keep: str, gone: str, shadows: Mapping[str, Sequence[Shadow]], names: Mapping[str, str]
) -> None:
    first, second = (
        {shadow.spoke for shadow in shadows[item] if shadow.native} for item in (keep, gone)
    )
    for spoke in sorted(first & second):
        raise MergeError(
            f"items {keep} and {gone}: spoke {names.get(spoke, spoke)} has a contact of its "
            "own for each, and two contacts of one mailbox are never merged; delete one there"
        )


def _fields_decided_anew(context: PassContext, tx: Transaction, keep: str, gone: str) -> set[str]:
    """In which both items say something: what was decided about one of them was decided without
    knowing the other."""
    inputs = inputs_of(context, tx, [keep, gone])
    first, second = (
        {field for one in inputs[item] for field in (*one.own.scalars, *one.own.elements)}
        for item in (keep, gone)
    )
    return first & second


_Side = tuple[str, Replica | None, Shadow | None]


def _one_of(tx: Transaction, spoke: str, keep: _Side, gone: _Side, joined: int) -> None:
    """Of two contacts of a spoke one becomes the item's, the other waits to be deleted."""
    stays, goes = keep, gone
    if (_native(gone) and not _native(keep)) or (not _there(keep) and _any(gone)):
        stays, goes = gone, keep
    (_, replica, shadow), (_, other, spare) = stays, goes
    remotes = [one.remote for one in (shadow, spare) if one is not None]
    tx.replicas.remove(spoke, [keep[0], gone[0]])
    tx.pending.remove(spoke, [keep[0], gone[0]])
    if shadow is not None:
        own = shadow.own if stays is keep else in_line(shadow.own, gone[0], joined)
        if spare is not None:
            said = in_line(spare.own, gone[0], joined) if goes is gone else spare.own
            own = _together(own, said)
        tx.shadows.put([_replace(shadow, item=keep[0], own=own)])
    if spare is not None:
        tx.shadows.put([_replace(spare, item=gone[0], own=OwnEdits())])
    if replica is not None:
        seq = replica.delivered_seq if stays is keep else 0
        tx.replicas.put([_replace(replica, item=keep[0], delivered_seq=seq)])
    if other is not None and other.state is ReplicaState.LIVE and not other.native:
        tx.replicas.put([_replace(other, item=gone[0], delivered_seq=0)])
    if remotes or replica is not None or other is not None:
        tx.pending.reconsider(spoke, [keep[0], gone[0]])


def _native(side: _Side) -> bool:
    _, replica, shadow = side
    if shadow is not None:
        return shadow.native
    return replica is not None and replica.native and replica.state is ReplicaState.LIVE


def _there(side: _Side) -> bool:
    _, replica, shadow = side
    return shadow is not None or (replica is not None and replica.state is ReplicaState.LIVE)


def _any(side: _Side) -> bool:
    return side[1] is not None or side[2] is not None


def in_line(own: OwnEdits, line: str, joined: int) -> OwnEdits:
    """The edits as those of another item than the one they are part of from now on: neither of
    their authors had seen the other's."""

    def moved(when: Awareness) -> Awareness:
        return when if when.line else _replace(when, line=line, joined=joined)

    def element(edit: ElementEdit) -> ElementEdit:
        decided = None if edit.decided is None else moved(edit.decided)
        past = tuple(_replace(one, when=moved(one.when)) for one in edit.past)
        return _replace(edit, when=moved(edit.when), decided=decided, past=past)

    return OwnEdits(
        {field: _replace(edit, when=moved(edit.when)) for field, edit in own.scalars.items()},
        {
            field: {key: element(edit) for key, edit in edits.items()}
            for field, edits in own.elements.items()
        },
    )


def _together(own: OwnEdits, other: OwnEdits) -> OwnEdits:
    """What a user did to either of two contacts; where it was both, to the one that stays."""
    elements = {
        field: {**other.elements.get(field, {}), **own.elements.get(field, {})}
        for field in {*own.elements, *other.elements}
    }
    return OwnEdits({**other.scalars, **own.scalars}, elements)
