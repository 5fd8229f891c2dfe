"""Contests: which element of a list stays, of those that spokes gave unaware of each other.

A *stand* is a statement of a spoke that an element is there, its last one or an earlier one, that
others may rival: the elements of both descend from one that was edited, have one custom name, or
are of lists that stay whole; and neither author had seen the other's. Of rivals the policy chooses,
as long as any are left, among those that rivalry holds together.

A stand *ends* by its own spoke's next word, and by removals of others who had seen it; of several
those count that had seen no other one of them. Until then it beats whatever it is chosen over. An
ended stand still beats what its enders had seen, since they had seen it beaten, and nothing else.
Only a stand that has not ended is there to lose.

So an edit by an author who saw everything changes no contest: it rivals nothing; what it ends, it
ends in sight of all that was beaten; and what had been ended before stays ended by whom it was.
That is why `ElementEdit.past` keeps what a spoke had said earlier.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cirahub_sync.engine.lineage import lineage, parents_of
from cirahub_sync.engine.rules import Claim, FoldInput, Rules
from cirahub_sync.model.decision import Decision
from cirahub_sync.model.edit import Awareness, ElementEdit
from cirahub_sync.model.normalise import custom_name

Said = tuple[FoldInput, ElementEdit]
"""One spoke's edit of one element."""
_WHOLE = frozenset(("",))
"""What all elements of a list descend from when one spoke's list wins whole."""


class Stand(msgspec.Struct, frozen=True, eq=False):
    key: str
    said: Said
    claim: Claim
    lineage: frozenset[str]
    enders: tuple[Awareness, ...]
    """What ended it; nothing: it stands."""

    def chosen_by(self, decision: Decision) -> bool:
        return self.claim.spoke == decision.spoke and decision.key in ("", self.key)

    def rivals(self, other: Stand) -> bool:
        mine, others = self.claim.when, other.claim.when
        return (
            self.claim.spoke != other.claim.spoke
            and self.key != other.key
            and not self.lineage.isdisjoint(other.lineage)
            and not mine.supersedes(others)
            and not others.supersedes(mine)
        )

    def reaches(self, other: Stand) -> bool:
        """Whether it beats its rival where it is chosen."""
        enders = self.enders
        return not enders or any(one.supersedes(other.claim.when) for one in enders)


class Lost(msgspec.Struct, frozen=True, eq=False):
    stand: Stand
    winner: Stand
    tie: bool
    decided: bool
    """Whether a person decided it."""


def contest(
    field: str,
    by_key: Mapping[str, Sequence[Said]],
    rules: Rules,
    decisions: Sequence[Decision],
    *,
    whole: bool,
) -> list[Lost]:
    """The stands that lost to another spoke's. `whole`: one spoke's list is to stay whole."""
    stands = _stands(field, by_key, whole=whole)
    reach: dict[Stand, list[Stand]] = {}
    bound: dict[Stand, list[Stand]] = {}
    for one in stands:
        for other in stands:
            if one.rivals(other) and one.reaches(other):
                reach.setdefault(one, []).append(other)
                bound.setdefault(one, []).append(other)
                bound.setdefault(other, []).append(one)
    lost: list[Lost] = []
    for group in _groups(stands, bound):
        lost += _settled(field, group, reach, rules, decisions)
    return [one for one in lost if not one.stand.enders]


def _settled(
    field: str,
    group: list[Stand],
    reach: Mapping[Stand, Sequence[Stand]],
    rules: Rules,
    decisions: Sequence[Decision],
) -> list[Lost]:
    remaining = group
    lost: list[Lost] = []
    for decision in decisions:
        for winner in [one for one in remaining if one.chosen_by(decision)]:
            if winner in remaining:
                beaten = [one for one in reach.get(winner, ()) if one in remaining]
                out = [one for one in beaten if one.claim.when.seq <= decision.seq]
                lost += (Lost(one, winner, tie=False, decided=True) for one in out)
                remaining = [one for one in remaining if one not in out]
    while remaining:
        chosen, tied = rules.choose(field, [one.claim for one in remaining])
        winner = remaining[chosen]
        out = [one for one in reach.get(winner, ()) if one in remaining]
        lost += (Lost(one, winner, remaining.index(one) in tied, decided=False) for one in out)
        remaining = [one for one in remaining if one is not winner and one not in out]
    return lost


def _groups(
    stands: Iterable[Stand], bound: Mapping[Stand, Sequence[Stand]]
) -> Iterable[list[Stand]]:
    """What rivalry holds together, in the order of `stands`."""
    seen: set[Stand] = set()
    for first in stands:
        if first in seen or first not in bound:
            continue
        group, steps = {first}, [first]
        while steps:
            new = [one for one in bound[steps.pop()] if one not in group]
            group.update(new)
            steps += new
        seen |= group
        yield [one for one in stands if one in group]


def _stands(field: str, by_key: Mapping[str, Sequence[Said]], *, whole: bool) -> list[Stand]:
    """Every replacement (of a custom field: every value; of a `whole` list: every element)."""
    parents = parents_of((key, edit) for key, said in by_key.items() for _, edit in said)
    stands: list[Stand] = []
    for key, said in by_key.items():
        logs = [(last, last[1].said()) for last in said]
        removals = [
            (last[0].spoke, one.when) for last, log in logs for one in log if not one.present
        ]
        for last, log in logs:
            item = last[0]
            for place, one in enumerate(log, 1):
                if not one.present:
                    continue
                if whole:
                    descent = _WHOLE
                elif field == "custom":
                    descent = frozenset((custom_name(key),))
                elif one.replaces:
                    descent = lineage(key, one.when.seq + 1, parents)
                else:
                    continue
                ends = [
                    (spoke, when)
                    for spoke, when in removals
                    if spoke != item.spoke and when.supersedes(one.when)
                ]
                if place < len(log):
                    ends.append((item.spoke, log[place].when))
                claim = Claim(item.spoke, item.rank, one.when, one.when.seq)
                stands.append(Stand(key, last, claim, descent, _earliest(ends)))
    stands.sort(key=lambda one: (one.claim.when.seq, one.claim.spoke, one.key))
    return stands


def _earliest(ends: Sequence[tuple[str, Awareness]]) -> tuple[Awareness, ...]:
    """Of these words those that had seen no other one of them."""
    if len(ends) < 2:
        return tuple(when for _, when in ends)
    return tuple(
        when
        for spoke, when in ends
        if not any(
            when.supersedes(other) or (spoke == its and when.seq > other.seq) for its, other in ends
        )
    )
