"""Which items pass: a manifest's filter, compiled to one predicate.

Conditions name a contact's field in camel case (`jobTitle`), or `category`, `domain` (of any
e-mail address), `custom:NAME`; of an event, any text field, `category`, `allDay` or `recurring`
(`true`, `false`); or, on the way out of the hub, `spoke`: the names of those that
contribute the item; or `group`: groups of a directory, one of which anybody of a contact's e-mail
addresses is in. Text compares caseless and trimmed. A list field holds if any
of its elements does; `NotIn` and `DoesNotExist` are the negations of `In` and `Exists`, so they
admit items that lack the field.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec

from cirahub_sync.configuration import Condition, Filter, Operator
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model import schedule
from cirahub_sync.model.contact import SCALAR_FIELDS, Contact
from cirahub_sync.model.event import Event
from cirahub_sync.model.expression import Expression, compile_expression
from cirahub_sync.model.field_names import EVENT_NAMES, MANIFEST_NAMES, unknown_field
from cirahub_sync.model.group import GROUP, GroupRef, Membership, refs_of
from cirahub_sync.model.kind import CONTACTS, EVENTS, Content, Kind, as_contact
from cirahub_sync.model.normalise import caseless, collapsed

Predicate = Callable[[Content], bool]
SourcedPredicate = Callable[[Content, Collection[str]], bool]
"""Of an item and the names of the spokes that contribute it."""
Admission = Callable[[Content], bool | None]
"""Whether a filter admits an item; None: it can't be judged, since the expression can't be
evaluated for this one, or a group was never read."""
SourcedAdmission = Callable[[Content, Collection[str]], bool | None]
Texts = Callable[[Any], Iterable[str]]
"""What an item of the kind that the filter is for says."""

_CUSTOM = "custom:"
SPOKE = "spoke"
_ON_SPOKES = (Operator.IN, Operator.NOT_IN)
_SHARED = 256
"""Filters that are kept compiled."""


def _emails(contact: Contact) -> Iterable[str]:
    return [e.address for e in contact.emails]


def _domains(contact: Contact) -> Iterable[str]:
    return [e.address.rpartition("@")[2] for e in contact.emails if "@" in e.address]


def _phones(contact: Contact) -> Iterable[str]:
    return [p.number for p in contact.phones]


def _addresses(contact: Contact) -> Iterable[str]:
    return [
        part
        for a in contact.addresses
        for part in (a.street, a.city, a.state, a.postal_code, a.country)
    ]


_LISTS: dict[str, Texts] = {
    "category": attrgetter("categories"),
    "domain": _domains,
    "emails": _emails,
    "phones": _phones,
    "addresses": _addresses,
    "imAddresses": attrgetter("im_addresses"),
    "categories": attrgetter("categories"),
    "children": attrgetter("children"),
}
_SCALARS = {name: field for name, field in MANIFEST_NAMES.items() if field in SCALAR_FIELDS}


def _scalar(field: str) -> Texts:
    get = attrgetter(field)
    return lambda contact: (get(contact),)


def _custom(name: str) -> Texts:
    wanted = collapsed(name)
    return lambda contact: [c.value for c in contact.custom if collapsed(c.name) == wanted]


def _all_day(event: Event) -> Iterable[str]:
    return (_YES if event.schedule and schedule.parse(event.schedule).all_day else _NO,)


def _recurring(event: Event) -> Iterable[str]:
    return (_YES if event.schedule and schedule.parse(event.schedule).recurrence else _NO,)


_YES, _NO = "true", "false"
_OF_EVENTS: dict[str, Texts] = {
    "category": attrgetter("categories"),
    "categories": attrgetter("categories"),
    "allDay": _all_day,
    "recurring": _recurring,
}
_EVENT_SCALARS = {
    name: field
    for name, field in EVENT_NAMES.items()
    if field in EVENTS.scalars and field != "schedule"
}


def _event_texts(field: str) -> Texts:
    if field in _EVENT_SCALARS:
        return _scalar(_EVENT_SCALARS[field])
    if field in _OF_EVENTS:
        return _OF_EVENTS[field]
    raise unknown_field(field, where="filter", allowed=[*_EVENT_SCALARS, *_OF_EVENTS])


def _texts(field: str, kind: Kind) -> Texts:
    if kind is EVENTS:
        return _event_texts(field)
    if field in _SCALARS:
        return _scalar(_SCALARS[field])
    if field in _LISTS:
        return _LISTS[field]
    if field.startswith(_CUSTOM) and field[len(_CUSTOM) :].strip():
        return _custom(field[len(_CUSTOM) :])
    raise unknown_field(field, where="filter", allowed=[*_SCALARS, *_LISTS, "custom:NAME"])


def _values(condition: Condition) -> tuple[str, ...]:
    needed = condition.operator not in {Operator.EXISTS, Operator.DOES_NOT_EXIST}
    values = tuple(caseless(value) for value in condition.values)
    where = f"filter: {condition.field!r} {condition.operator.value}"
    if needed and (not values or not all(values)):
        raise ConfigurationError(f"{where} needs at least one value, and none that is blank")
    if not needed and values:
        raise ConfigurationError(f"{where} takes no values")
    return values


def _condition(condition: Condition, kind: Kind) -> Predicate:
    texts = _texts(condition.field, kind)
    values = _values(condition)
    among = frozenset(values)
    match condition.operator:
        case Operator.IN:
            return lambda c: any(caseless(t) in among for t in texts(c))
        case Operator.NOT_IN:
            return lambda c: not any(caseless(t) in among for t in texts(c))
        case Operator.EXISTS:
            return lambda c: any(t.strip() for t in texts(c))
        case Operator.DOES_NOT_EXIST:
            return lambda c: not any(t.strip() for t in texts(c))
        case Operator.CONTAINS:
            return lambda c: any(v in caseless(t) for t in texts(c) for v in values)
        case Operator.STARTS_WITH:
            return lambda c: any(caseless(t).startswith(values) for t in texts(c))


def _unsourced(condition: Condition, kind: Kind) -> SourcedPredicate:
    holds = _condition(condition, kind)
    return lambda item, _: holds(item)


class _UnknownGroupError(Exception):
    """Nobody knows who is in a group that a condition asks for."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__()
        self.verdict = verdict


def nobody_knows(_ref: GroupRef, _addresses: Iterable[str]) -> bool | None:
    """The membership of groups that were never read."""
    return None


def _grouped(condition: Condition, kind: Kind, membership: Membership) -> SourcedPredicate:
    if kind is not CONTACTS:
        raise ConfigurationError("filter: group: it is for contacts")
    refs, wanted = refs_of(condition), condition.operator is Operator.IN
    unknown = Verdict(False, None, condition, unjudged=True)

    def holds(item: Content, _: Collection[str]) -> bool:
        addresses = _emails(as_contact(item))
        said = [membership(ref, addresses) for ref in refs]
        if None in said and True not in said:
            raise _UnknownGroupError(unknown)
        return (True in said) == wanted

    return holds


def _sourced(condition: Condition, kind: Kind) -> SourcedPredicate:
    if condition.field != SPOKE:
        return _unsourced(condition, kind)
    if condition.operator not in _ON_SPOKES:
        raise ConfigurationError("filter: spoke takes In and NotIn, and whole names")
    among, wanted = frozenset(_values(condition)), condition.operator is Operator.IN
    return lambda _, spokes: any(caseless(name) in among for name in spokes) == wanted


class Clause(StrEnum):
    """Of a filter."""

    ALL = "all"
    ANY = "any"
    NONE = "none"
    EXPRESSION = "expression"


class Verdict(msgspec.Struct, frozen=True):
    """What a filter says of an item, and which of its conditions decided. `condition` is None where
    all of them together did: no `any` held, or nothing stood against the item."""

    admits: bool
    clause: Clause | None = None
    condition: Condition | None = None
    unjudged: bool = False
    """The expression can't be evaluated for this item, or nobody knows who is in the group of the
    condition: neither is it admitted nor kept out."""


_ADMITTED = Verdict(True)
_NO_OPTION = Verdict(False, Clause.ANY)
_HELD = Verdict(True, Clause.EXPRESSION)
_NOT_HELD = Verdict(False, Clause.EXPRESSION)
_UNJUDGED = Verdict(False, Clause.EXPRESSION, unjudged=True)
_Conditions = Sequence[tuple[SourcedPredicate, Verdict]]


class Judge:
    """A compiled filter. Whether it admits an item and why is one evaluation."""

    __slots__ = ("_barred", "_expression", "_options", "_required")

    def __init__(
        self,
        required: _Conditions,
        options: _Conditions,
        barred: _Conditions,
        expression: Expression | None = None,
    ) -> None:
        self._required = required
        self._options = options
        self._barred = barred
        self._expression = expression

    def admits(self, item: Content, spokes: Collection[str] = ()) -> bool | None:
        """None: neither, since it can't be judged."""
        verdict = self.judge(item, spokes)
        return None if verdict.unjudged else verdict.admits

    def judge(self, item: Content, spokes: Collection[str] = ()) -> Verdict:
        try:
            return self._judge(item, spokes)
        except _UnknownGroupError as error:
            return error.verdict

    def _judge(self, item: Content, spokes: Collection[str]) -> Verdict:
        for holds, otherwise in self._required:
            if not holds(item, spokes):
                return otherwise
        chosen = _ADMITTED
        if self._options:
            chosen = _NO_OPTION
            for holds, verdict in self._options:
                if holds(item, spokes):
                    chosen = verdict
                    break
            if not chosen.admits:
                return chosen
        for holds, verdict in self._barred:
            if holds(item, spokes):
                return verdict
        if self._expression is None:
            return chosen
        said = self._expression(item, spokes)
        if said is None:
            return _UNJUDGED
        return _HELD if said else _NOT_HELD


def asks_for_groups(spec: Filter) -> bool:
    return any(c.field == GROUP for c in (*spec.all, *spec.any, *spec.none))


def asks_for_spokes(spec: Filter) -> bool:
    if spec.expression and compile_expression(spec.expression, sourced=True).asks_for_spokes:
        return True
    return any(c.field == SPOKE for c in (*spec.all, *spec.any, *spec.none))


def fields_of(spec: Filter) -> frozenset[str]:
    """The item's fields that it asks for, unknown ones left out. Raises ConfigurationError for an
    expression that is none."""
    said = compile_expression(spec.expression, sourced=True).fields if spec.expression else ()
    named = {
        **MANIFEST_NAMES,
        **EVENT_NAMES,
        "allDay": "schedule",
        "recurring": "schedule",
        "category": "categories",
        "domain": "emails",
        GROUP: "emails",
    }
    asked = [c.field.partition(":")[0] for c in (*spec.all, *spec.any, *spec.none)]
    return frozenset((*said, *(named[name] for name in asked if name in named)))


def compile_filter(
    spec: Filter, kind: Kind = CONTACTS, membership: Membership = nobody_knows
) -> Admission:
    """The same object for filters that are alike and ask for no groups. Raises ConfigurationError
    for a field that cannot be filtered on or values that don't fit the operator."""
    return compile_judge(spec, kind=kind, membership=membership).admits


def compile_sourced_filter(
    spec: Filter, kind: Kind = CONTACTS, membership: Membership = nobody_knows
) -> SourcedAdmission:
    """As `compile_filter`, of what leaves the hub: it may ask for `spoke`."""
    return compile_judge(spec, sourced=True, kind=kind, membership=membership).admits


def compile_judge(
    spec: Filter,
    *,
    sourced: bool = False,
    kind: Kind = CONTACTS,
    membership: Membership = nobody_knows,
) -> Judge:
    """`sourced`: it may ask for `spoke`. Raises ConfigurationError."""
    if asks_for_groups(spec):
        return _compile(spec, sourced=sourced, kind=kind, membership=membership)
    return _shared_judge(spec, sourced=sourced, kind=kind)


@lru_cache(maxsize=_SHARED)
def _shared_judge(spec: Filter, *, sourced: bool, kind: Kind) -> Judge:
    return _compile(spec, sourced=sourced, kind=kind, membership=nobody_knows)


def _compile(spec: Filter, *, sourced: bool, kind: Kind, membership: Membership) -> Judge:
    plain = _sourced if sourced else _unsourced

    def one(condition: Condition) -> SourcedPredicate:
        if condition.field == GROUP:
            return _grouped(condition, kind, membership)
        return plain(condition, kind)

    required = [(one(c), Verdict(False, Clause.ALL, c)) for c in spec.all]
    options = [(one(c), Verdict(True, Clause.ANY, c)) for c in spec.any]
    barred = [(one(c), Verdict(False, Clause.NONE, c)) for c in spec.none]
    if not spec.expression:
        return Judge(required, options, barred)
    if kind is not CONTACTS:
        raise ConfigurationError(
            "filter: expression: it is for contacts; say with conditions which events pass"
        )
    expression = compile_expression(spec.expression, sourced=sourced)
    return Judge(required, options, barred, expression)
