"""A hub and its spokes as the fold sees them, without store, limits and mappings."""

from __future__ import annotations

import msgspec

from cirahub_sync.configuration import ConflictPolicy, Flow, ListPolicy
from cirahub_sync.engine.fold import Folded, fold
from cirahub_sync.engine.rules import Contender, FoldInput, Rules, Undecided
from cirahub_sync.model.contact import Contact, Phone, PhoneKind
from cirahub_sync.model.decision import Decision
from cirahub_sync.model.edit import Awareness, ElementEdit, OwnEdits, ScalarEdit
from cirahub_sync.model.kind import Content, as_contact
from cirahub_sync.model.mapping import compile_lens
from cirahub_sync.model.observe import record

NEWEST, HUB = Rules(ConflictPolicy.NEWEST), Rules(ConflictPolicy.HUB)
MANUAL = Rules(ConflictPolicy.MANUAL)
PRIORITY = Rules(ConflictPolicy.PRIORITY, order={"c": 0, "b": 1})
IDENTITY = compile_lens(Flow(), toward_hub=True)
LISTS = ("emails", "phones", "categories", "custom")


def at(seq: int, base: int = 0, lower: float = 0, upper: float = 0) -> Awareness:
    return Awareness(seq, base, lower, upper)


def said(spoke: str, rank: int, value: str, when: Awareness, *, since: int = 0) -> FoldInput:
    own = OwnEdits({"company": ScalarEdit(value, when, since)}, {})
    return FoldInput(spoke, rank, native=True, own=own)


def listed(spoke: str, rank: int, field: str, **edits: ElementEdit) -> FoldInput:
    return FoldInput(spoke, rank, native=True, own=OwnEdits({}, {field: edits}))


def company(*inputs: FoldInput, rules: Rules = NEWEST) -> str:
    return as_contact(fold(inputs, rules).content).company


def categories(*inputs: FoldInput) -> tuple[str, ...]:
    return fold(inputs, NEWEST).content.categories


class History:
    """A hub and its spokes, each with what it shows, without limits and mappings."""

    def __init__(self, rules: Rules = NEWEST) -> None:
        self.rules = rules
        self.seq = 0
        self.own: dict[str, OwnEdits] = {}
        self.shadow: dict[str, Contact] = {}
        self.base: dict[str, int] = {}
        self.decisions: list[Decision] = []

    def inputs(self) -> list[FoldInput]:
        return [
            FoldInput(spoke, rank, native=True, own=own)
            for rank, (spoke, own) in enumerate(sorted(self.own.items()))
        ]

    def fold(self) -> Folded:
        return fold(self.inputs(), self.rules, self.decisions)

    def decides(self, conflict: Undecided, chosen: Contender | str) -> None:
        """For one of the sides, or for a value."""
        self.seq += 1
        among = tuple(sorted({one.spoke for one in conflict.contenders} - {""}))
        decision = Decision(conflict.field, self.seq, 0.0, among=among)
        if isinstance(chosen, str):
            decision = msgspec.structs.replace(decision, value=chosen)
        else:
            decision = msgspec.structs.replace(decision, spoke=chosen.spoke, key=chosen.key)
        self.decisions.append(decision)

    def arrives(self, spoke: str, content: Contact, *, lower: float = 0, upper: float = 0) -> None:
        self.seq += 1
        self.own[spoke] = record(
            OwnEdits(),
            shadow=None,
            observed=content,
            lens=IDENTITY,
            when=at(self.seq, 0, lower, upper),
            native_first_sight=True,
        ).own
        self.shadow[spoke], self.base[spoke] = content, 0

    def edits(self, spoke: str, content: Contact, *, lower: float = 0, upper: float = 0) -> None:
        self.seq += 1
        self.own[spoke] = record(
            self.own.get(spoke, OwnEdits()),
            shadow=self.shadow[spoke],
            observed=content,
            lens=IDENTITY,
            when=at(self.seq, self.base[spoke], lower, upper),
            native_first_sight=False,
        ).own
        self.shadow[spoke] = content

    def receives(self, spoke: str) -> Contact:
        content = as_contact(self.fold().content)
        self.shadow[spoke], self.base[spoke] = content, self.seq
        return content

    def all_receive(self) -> None:
        for spoke in list(self.own):
            self.receives(spoke)


def mobile(*numbers: str) -> tuple[Phone, ...]:
    return tuple(Phone(PhoneKind.MOBILE, number) for number in numbers)


def numbers(contact: Content) -> list[str]:
    return [phone.number for phone in as_contact(contact).phones]


N0, N1, N2, N3 = (f"+1 425 555 010{n}" for n in range(4))


def two_replace_one() -> History:
    """Both had N0; `a` made it N1, `b`, unaware of that and later, N2."""
    history = History()
    history.arrives("a", Contact(phones=mobile(N0)))
    history.arrives("b", Contact(phones=mobile(N0)))
    history.all_receive()
    history.edits("a", Contact(phones=mobile(N1)), lower=10, upper=19)
    history.edits("b", Contact(phones=mobile(N2)), lower=20, upper=29)
    return history


SOURCE, BOTH = (
    Rules(lists={"categories": mode}) for mode in (ListPolicy.SOURCE_WINS, ListPolicy.INTERSECT)
)


def colours(rules: Rules, **said: str) -> History:
    """A spoke for each, that says its colours unaware of the others, one after the other."""
    history = History(rules)
    for time, (spoke, names) in enumerate(said.items()):
        content = Contact(categories=tuple(names.split()))
        history.arrives(spoke, content, lower=10 * time, upper=10 * time + 1)
    return history
