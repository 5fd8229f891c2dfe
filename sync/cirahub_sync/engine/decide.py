"""Deciding a conflict: a person's word becomes an input of the fold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.flips import thaw
from cirahub_sync.engine.fold import fold
from cirahub_sync.engine.frozen import put_back, restated
from cirahub_sync.engine.inputs import inputs_of
from cirahub_sync.engine.refold import conflict_id, refold, rules_in
from cirahub_sync.engine.rules import Contender, Undecided
from cirahub_sync.errors import ConflictChangedError, DecisionError
from cirahub_sync.model.decision import Decision
from cirahub_sync.model.edit import Awareness
from cirahub_sync.model.field_names import manifest_name
from cirahub_sync.model.freeze import Freeze
from cirahub_sync.model.kind import Kind
from cirahub_sync.model.normalise import same_value
from cirahub_sync.store.hub import Transaction


class Choice(msgspec.Struct, frozen=True):
    """Exactly one of: whose value (a spoke's uid), a value, or what the hub shows now."""

    spoke: str | None = None
    value: str | None = None
    keep: bool = False


class Dispute(msgspec.Struct, frozen=True):
    id: str
    item: str
    since: float
    """POSIX seconds."""
    conflict: Undecided


def disputes(context: PassContext, tx: Transaction) -> Iterator[Dispute]:
    """The conflicts that wait for a person, the longest first."""
    since: dict[str, dict[str, float]] = {}
    for (item, conflict), moment in tx.undecided.all().items():
        since.setdefault(item, {})[conflict] = moment
    for item, moments in since.items():
        for one in _undecided(context, tx, item):
            name = conflict_id(item, one)
            yield Dispute(name, item, moments.get(name, min(moments.values())), one)


def decide(context: PassContext, tx: Transaction, dispute: Dispute, choice: Choice) -> None:
    """Note the choice, and fold the item by it. Raises ConflictChangedError if the conflict is not
    what it was when it was shown, and DecisionError for a choice that can't be made."""
    standing = {
        conflict_id(dispute.item, one): one for one in _undecided(context, tx, dispute.item)
    }
    conflict = standing.get(dispute.id)
    if conflict is None:
        raise ConflictChangedError(
            f"conflict {dispute.id} of item {dispute.item} is not what it was any more: somebody "
            "decided it, or one of its spokes said something else; list the conflicts again"
        )
    seq = tx.next_seq()
    among = tuple(sorted({one.spoke for one in conflict.contenders} - {""}))
    side, value = _chosen(dispute, conflict, choice, context.kind)
    if conflict.frozen is not None:
        thaw(tx, conflict.frozen)
        if side is not None:
            _restate(context, tx, conflict.frozen, side, seq)
            refold(context, tx, [dispute.item])
            return
    tx.decisions.put(
        dispute.item,
        Decision(
            field=conflict.field,
            seq=seq,
            at=context.clock(),
            spoke=side.spoke if side is not None else "",
            key=side.key if side is not None else "",
            value=value,
            among=among,
        ),
    )
    refold(context, tx, [dispute.item])


def _undecided(context: PassContext, tx: Transaction, item: str) -> Sequence[Undecided]:
    rules = rules_in(context, tx)
    decisions = tx.decisions.of_items([item]).get(item, ())
    freezes = tx.freezes.of_items([item]).get(item, ())
    return fold(inputs_of(context, tx, [item])[item], rules, decisions, freezes).undecided


def _restate(
    context: PassContext, tx: Transaction, freeze: Freeze, side: Contender, seq: int
) -> None:
    """What the side says of what the two disagree about is said now, in sight of the other's: an
    edit that supersedes it, and that anybody may supersede who sees it."""
    shadows = {one.spoke: one for one in tx.shadows.by_item([freeze.item])[freeze.item]}
    mine, other = shadows[freeze.holder], shadows[freeze.other]
    if side.spoke == freeze.other:
        mine, other = other, mine
    own = mine.own if side.spoke else put_back(mine.own, freeze)
    field = freeze.field
    disputed = own.elements.get(field, {}).keys() & other.own.elements.get(field, {}).keys()
    now = context.clock()
    own = restated(own, field, disputed, Awareness(seq, seq, now, now))
    tx.shadows.put([msgspec.structs.replace(mine, own=own)])


def _chosen(
    dispute: Dispute, conflict: Undecided, choice: Choice, kind: Kind
) -> tuple[Contender | None, str]:
    """The side that wins; or None, and the value that was given."""
    field, contenders = conflict.field, conflict.contenders
    if choice.keep:
        first = contenders[0]
        named = first.spoke or conflict.frozen is not None
        return (first, "") if named else (None, str(first.values[0]))
    if choice.spoke is not None:
        for one in contenders:
            if one.spoke == choice.spoke:
                return one, ""
        raise DecisionError(f"conflict {dispute.id}: that Spoke is no side of it; see who is")
    if field in kind.lists:
        raise DecisionError(
            f"conflict {dispute.id}: {manifest_name(field)} has several values; choose a Spoke's, "
            "or edit the contact where it is native"
        )
    value = choice.value or ""
    for one in contenders:
        if one.spoke and same_value(field, str(one.values[0]), value):
            return one, ""
    return None, value
