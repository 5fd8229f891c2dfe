"""Deciding a conflict: a person's word becomes an input of the fold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.fold import fold
from cirahub_sync.engine.inputs import inputs_of
from cirahub_sync.engine.refold import conflict_id, refold, rules_in
from cirahub_sync.engine.rules import Contender, Undecided
from cirahub_sync.errors import ConflictChangedError, DecisionError
from cirahub_sync.model.decision import Decision
from cirahub_sync.model.field_names import manifest_name
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
    side, value = _chosen(dispute, conflict.contenders, choice, context.kind)
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
    return fold(inputs_of(context, tx, [item])[item], rules, decisions).undecided


def _chosen(
    dispute: Dispute, contenders: Sequence[Contender], choice: Choice, kind: Kind
) -> tuple[Contender | None, str]:
    """The side that wins; or None, and the value that was given."""
    field = dispute.conflict.field
    if choice.keep:
        first = contenders[0]
        return (first, "") if first.spoke else (None, str(first.values[0]))
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
