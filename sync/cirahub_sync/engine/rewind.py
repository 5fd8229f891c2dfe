"""Rewinding: items, or one spoke's part of all items, as they were at an earlier moment.

The hub is a fold over its inputs, so what it was at a moment is the fold over what the inputs were
then. Of each spoke's part the edits of that moment are put back, by a person's word, in the place
of those made since. What somebody says later counts, as ever; and what the word says goes with the
spoke that it is of. Rules, filters and mappings are those of now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.fold import fold
from cirahub_sync.engine.inputs import inputs_of
from cirahub_sync.engine.past import parts_of, utc
from cirahub_sync.engine.refold import refold, rules_in
from cirahub_sync.engine.restore import receive_again
from cirahub_sync.engine.rules import FoldInput
from cirahub_sync.errors import DecisionError
from cirahub_sync.model.decision import Decision
from cirahub_sync.model.earlier import PutBack
from cirahub_sync.model.kind import Content
from cirahub_sync.model.limits import changed_fields
from cirahub_sync.store.earlier import Moment, Word
from cirahub_sync.store.hub import Transaction


class Rewound(msgspec.Struct, frozen=True, kw_only=True):
    """An item that would be, or gain, what it was."""

    item: str
    spokes: Sequence[str]
    """Uids of those of whose part something is put back."""
    fields: Sequence[str]
    """In which `now` and `then` differ."""
    now: Content
    """Of one that is dead, nothing."""
    then: Content
    alive: bool
    """Whether it lives as it is."""
    unknown: Sequence[str] = ()
    """Uids of those of whose part it is not known what it was: it stays as it is."""
    words: Mapping[str, PutBack | None] = {}
    """By spoke; None: what it says now is what it said then."""
    undeleted: Sequence[str] = ()
    """Spokes whose users had deleted it since."""
    copies: Sequence[str] = ()
    """Spokes whose users had deleted a copy of ours since."""
    decisions: Sequence[tuple[Decision, bool]] = ()
    """Those that count from now on, or no more."""


def to_rewind(
    context: PassContext, tx: Transaction, moment: Moment, ids: Sequence[str], spoke: str = ""
) -> list[Rewound]:
    """What has to be put back of these items, or of the spoke's part of them; those that are as
    they were are left out. Of a spoke, what its user added since stays; of an item, whoever came
    later says nothing. Raises DecisionError for an item that was not there."""
    parts = parts_of(context, tx, moment, ids, spoke)
    now = inputs_of(context, tx, ids)
    decisions = tx.decisions.all_of_items(ids)
    known = tx.items.get(ids)
    ranks = tx.ranks(sorted({part.spoke for found in parts.values() for part in found}))
    rewound: list[Rewound] = []
    for item in ids:
        its = parts[item]
        if not spoke and not any(part.there for part in its):
            raise DecisionError(
                f"item {item}: the hub had nothing of it at {utc(moment.at)}; name a later time"
            )
        changed = [part for part in its if part.changed and not (spoke and part.added)]
        said = decisions.get(item, ())
        switched = {} if spoke else _switched(said, moment.seq)
        if not changed and not switched:
            continue
        inputs = {one.spoke: one for one in now[item]}
        for part in changed:
            if part.native or part.said is not None or part.then:
                rank = ranks[part.spoke]
                inputs[part.spoke] = FoldInput(part.spoke, rank, part.native, part.then)
        before = known.get(item)
        alive = before is not None and before.alive
        content = before.content if before is not None and alive else context.kind.blank
        counting = [one for one in said if switched.get(one, not one.set_aside)]
        then = fold(list(inputs.values()), rules_in(context, tx), counting).content
        rewound.append(
            Rewound(
                item=item,
                spokes=[part.spoke for part in changed],
                fields=changed_fields(content, then),
                now=content,
                then=then,
                alive=alive,
                unknown=[part.spoke for part in its if not part.known],
                words={part.spoke: part.word() for part in changed if part.now != part.then},
                undeleted=[part.spoke for part in changed if part.undeleted],
                copies=[part.spoke for part in changed if part.copy],
                decisions=list(switched.items()),
            )
        )
    return rewound


def rewind(context: PassContext, tx: Transaction, found: Sequence[Rewound]) -> None:
    """Put it back; the next pass brings it to the receivers."""
    seq = tx.next_seq()
    for one in found:
        tx.rewound.put([Word(spoke, one.item, seq, word) for spoke, word in one.words.items()])
        for decision, counts in one.decisions:
            set_aside = 0 if counts else seq
            tx.decisions.put(one.item, msgspec.structs.replace(decision, set_aside=set_aside))
        for spoke in one.undeleted:
            tx.departed.mark(spoke, [one.item], restored=True)
        for spoke in {*one.undeleted, *one.copies}:
            receive_again(tx, spoke, one.item)
        if one.undeleted:
            tx.condemned.lift([one.item])
    refold(context, tx, [one.item for one in found])


def unwind(
    context: PassContext, tx: Transaction, items: Sequence[str], spoke: str = ""
) -> set[str]:
    """What was put back of these items, or of the spoke's part of them, counts no more. Returns
    those of which something was."""
    found: set[str] = set()
    words: list[Word] = []
    seq = tx.next_seq()
    for item, said in tx.rewound.counting(items).items():
        mine = [word for word in said if not spoke or word.spoke == spoke]
        words += [Word(word.spoke, item, seq, None) for word in mine]
        found |= {item} if mine else set()
    tx.rewound.put(words)
    if not spoke:
        for item, decisions in tx.decisions.all_of_items(items).items():
            for decision in decisions:
                if decision.set_aside:
                    tx.decisions.put(item, msgspec.structs.replace(decision, set_aside=0))
                    found.add(item)
    refold(context, tx, sorted(found))
    return found


def _switched(decisions: Sequence[Decision], seq: int) -> dict[Decision, bool]:
    """Those that count from now on, or no more, if what counted at `seq` is to."""
    found: dict[Decision, bool] = {}
    for one in decisions:
        counted = one.seq <= seq and not 0 < one.set_aside <= seq
        if counted == bool(one.set_aside):
            found[one] = counted
    return found
