"""Rules: who wins where, as a hub's manifest says it, and what the fold says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from cirahub_sync.configuration import ConflictPolicy, HubConfig, ListPolicy
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.edit import Awareness, OwnEdits
from cirahub_sync.model.field_names import field_named
from cirahub_sync.model.freeze import Freeze
from cirahub_sync.model.kind import CONTACTS, KINDS, Element, Kind

_LAST = 1 << 30
"""The place of a spoke that no order names."""


class FoldInput(msgspec.Struct, frozen=True, gc=False):
    spoke: str
    rank: int
    """Lower is preferred in a tie."""
    native: bool
    own: OwnEdits


class Conflict(msgspec.Struct, frozen=True):
    """A value that lost. `value` is blank for a withdrawal; `key` is the element's in a list
    field. `tie`: rank decided, because time (or seq) could not."""

    field: str
    winner_spoke: str
    loser_spoke: str
    value: Element
    tie: bool
    key: str = ""
    read_only: bool = False
    """Whether it could not be carried out, since the item is read-only where it is native."""


class Contender(msgspec.Struct, frozen=True):
    """One side of a conflict that a person is to decide. `values` has one element but where whole
    lists compete; `key` is the element's in a list field, blank for a whole list."""

    spoke: str
    """Blank: what a person decided earlier; of a frozen field: what stands, and which neither of
    its writers says any more."""
    seq: int
    values: tuple[Element, ...]
    key: str = ""


class Undecided(msgspec.Struct, frozen=True):
    """A conflict that waits for a person: one under Manual, or a frozen field. The first
    contender's value stands."""

    field: str
    contenders: tuple[Contender, ...]
    frozen: Freeze | None = None


class Claim(msgspec.Struct, frozen=True, gc=False):
    """What one spoke says, as the policy sees it."""

    spoke: str
    rank: int
    when: Awareness
    established: int


class Ground(StrEnum):
    """Why a value stands, where no policy was asked (`ConflictPolicy` otherwise)."""

    ONLY = "OnlyOne"
    """Nobody else says anything."""
    AGREED = "Agreed"
    """All say the same."""
    AWARE = "Aware"
    """Its author had seen what the others say."""
    PRESENT = "Present"
    """A value beats a concurrent withdrawal."""
    WITHDRAWN = "Withdrawn"
    """It was taken back."""
    DECIDED = "Decided"
    """A person chose it."""
    FROZEN = "Frozen"
    """Two spokes kept changing it back and forth, and this one had said its value first."""


class Win(msgspec.Struct, frozen=True):
    """Whose word stands in a field, or in an element of a list field: the last to say it."""

    field: str
    spoke: str
    """Blank: a person's."""
    rule: str
    """A Ground, or the policy that chose."""
    when: Awareness
    key: str = ""
    """The element's, in a list field."""
    tie: bool = False
    """Whether rank decided, because time (or seq) could not."""


class Found(msgspec.Struct):
    """What is found on the way. `wins` only if they are asked for."""

    conflicts: list[Conflict] = []
    undecided: list[Undecided] = []
    wins: list[Win] | None = None


class Rules(msgspec.Struct, frozen=True):
    """The policy of each field. `order` gives a place to the spokes, by uid, that Priority
    prefers; the first is 0."""

    policy: ConflictPolicy = ConflictPolicy.NEWEST
    fields: Mapping[str, ConflictPolicy] = {}
    lists: Mapping[str, ListPolicy] = {}
    order: Mapping[str, int] = {}
    kind: Kind = CONTACTS
    """Of the items."""

    def of_list(self, field: str) -> ListPolicy:
        return self.lists.get(field, ListPolicy.UNION)

    def manual(self, field: str) -> bool:
        return self.of_field(field) is ConflictPolicy.MANUAL

    def of_field(self, field: str) -> ConflictPolicy:
        return self.fields.get(field, self.policy)

    def choose(self, field: str, claims: Sequence[Claim]) -> tuple[int, set[int]]:
        """The index of the claim that wins, and the indices among which rank alone decided."""
        policy = self.of_field(field)
        if policy is ConflictPolicy.PRIORITY:
            order = self.order
            preferred = min(
                range(len(claims)),
                key=lambda i: (
                    order.get(claims[i].spoke, _LAST),
                    claims[i].rank,
                    claims[i].spoke,
                ),
            )
            return preferred, set()
        if policy is ConflictPolicy.NEWEST:
            pivot = max(claims, key=lambda c: (c.when.upper, c.when.lower)).when
            tied = {i for i, c in enumerate(claims) if c.when.upper >= pivot.lower}
        else:
            first = min(c.established for c in claims)
            tied = {i for i, c in enumerate(claims) if c.established == first}
        return min(tied, key=lambda i: (claims[i].rank, claims[i].spoke)), tied


def compile_rules(hub: HubConfig) -> Rules:
    """Without the order of Priority, which names spokes: see `ordered`. Raises
    ConfigurationError."""
    fields: dict[str, ConflictPolicy] = {}
    lists: dict[str, ListPolicy] = {}
    where = f"hub {hub.name}: conflict rules"
    kind = KINDS[hub.item_kind]
    for rule in hub.field_rules:
        field = field_named(rule.field, where=where, among=kind.shared)
        if field in fields or field in lists:
            raise ConfigurationError(f"{where}: {rule.field} has two; leave one of them out")
        if rule.policy is not None:
            fields[field] = rule.policy
        if rule.lists is not None:
            if field not in kind.lists:
                raise ConfigurationError(
                    f"{where}: {rule.field} has one value, so nothing can be said of its list"
                )
            lists[field] = rule.lists
    return Rules(hub.conflict_policy, fields, lists, kind=kind)


def ordered(rules: Rules, priority: Sequence[str], names: Mapping[str, str]) -> Rules:
    """With the order in which Priority prefers; `names` are the spokes' by uid. A name that no
    spoke has (yet) is left out."""
    places = {name: place for place, name in enumerate(priority)}
    order = {uid: places[name] for uid, name in sorted(names.items()) if name in places}
    return msgspec.structs.replace(rules, order=order)
