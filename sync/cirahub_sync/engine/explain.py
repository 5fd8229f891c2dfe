"""Explain: why an item is as it is in the hub, and why it is, is not, or is otherwise in a spoke.

Nothing is decided here a second time: the fold tells its winners, the filter its verdict and the
plan its judgement, and this puts them side by side. Pure but for the reads of a transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from cirahub_sync.configuration import Condition, Flow, MappingRule, Policy
from cirahub_sync.endpoints.base import Capabilities
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.first_sync import stage_of
from cirahub_sync.engine.fold import Folded, fold
from cirahub_sync.engine.inputs import inputs_of
from cirahub_sync.engine.plan import Encoder, Judgement, fields_changed, judge, shown
from cirahub_sync.engine.refold import conflict_id, rules_in
from cirahub_sync.engine.rules import Undecided, Win
from cirahub_sync.engine.sources import sources_of
from cirahub_sync.model.contact import Contact
from cirahub_sync.model.field_names import field_named, manifest_name
from cirahub_sync.model.filter import Verdict, compile_judge
from cirahub_sync.model.group import GROUP, GroupRef, holding
from cirahub_sync.model.kind import Content, Element, kind_of
from cirahub_sync.model.limits import project
from cirahub_sync.model.normalise import keyed
from cirahub_sync.store import lookup
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.lookup import Lost
from cirahub_sync.store.rows import Intent, Item, Pending, Replica, Shadow


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What one spoke has of the item, and whether that counts. `spoke` is a uid."""

    spoke: str
    remote: str
    native: bool
    admitted: bool
    verdict: Verdict | None
    """Of the filter of what it contributes, over what it last said. None if that filter is not
    asked (a copy), or keeps the item out: then nothing is kept to ask it about."""
    groups: Sequence[GroupRef]
    """Those of the condition that decided, if it is on groups, that hold the item."""
    edits: int
    """Its own: scalars, and elements of lists."""
    put_back: bool
    """Whether a person put its part back to an earlier moment; what it said since counts on top."""
    gives_photo: bool


class Word(msgspec.Struct, frozen=True):
    """Whose word stands in a field of the hub item; in a list field, in one of its elements."""

    win: Win
    value: Element
    place: int
    """Of the element, from 1; 0 in a field with one value."""


class Told(msgspec.Struct, frozen=True):
    """The item in the hub."""

    item: Item
    origins: Sequence[Origin]
    words: Sequence[Word]
    waiting: Sequence[tuple[str, Undecided]]
    """With the ids that `cirahub conflicts` knows them by."""
    lost: Sequence[Lost]


class Difference(msgspec.Struct, frozen=True):
    """What of a field the spoke is to show otherwise than the hub has it."""

    field: str
    why: str
    """`Withheld`, `Mapped`, `LeftToUser`, `Frozen` or `Limited`."""
    by: Sequence[str] = ()
    """The steps, settings or policies of the manifest that do it."""
    missing: int = 0
    """Elements of a list that the service has no room for."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The item in one spoke that receives."""

    judgement: Judgement
    verdict: Verdict
    """Of the filter of what it receives."""
    groups: Sequence[GroupRef]
    """As of an Origin."""
    sources: Sequence[str]
    replica: Replica | None
    pending: Pending | None
    open: Sequence[Intent]
    changes: Sequence[str]
    """Fields that the next delivery would write."""
    differences: Sequence[Difference]
    considered: bool
    """Whether the spoke was judged since the item changed last."""
    stage: int = 0
    """Of the spoke's first sync, if it waits for one: the one that lets it in."""


def told(context: PassContext, tx: Transaction, item: Item) -> Told:
    """The item as it is in the hub."""
    folded = _folded(context, tx, item)
    words = {word.spoke for word in tx.rewound.counting([item.id]).get(item.id, ())}
    portrait = tx.portraits.get([item.id]).get(item.id)
    pictured = ""
    if portrait is not None and context.hub.photo_interval is not None:
        pictured = portrait.spoke
    origins = [
        _origin(context, one, put_back=one.spoke in words, gives_photo=one.spoke == pictured)
        for one in tx.shadows.by_item([item.id])[item.id]
    ]
    waiting = [(conflict_id(item.id, one), one) for one in folded.undecided]
    return Told(
        item=item,
        origins=sorted(origins, key=lambda one: (one.spoke, one.remote)),
        words=_words(folded, context.hub.default_region) if item.alive else (),
        waiting=waiting if item.alive else (),
        lost=lookup.lost(tx, item.id),
    )


def placed(
    context: PassContext,
    tx: Transaction,
    run: SpokeRun,
    item: Item,
    capabilities: Capabilities,
) -> Place:
    """The item in a spoke that receives."""
    replica = tx.replicas.by_item(run.uid, [item.id]).get(item.id)
    shadow = None
    if run.config.direction.contributes:
        shadow = tx.shadows.of_items(run.uid, [item.id]).get(item.id)
    pending = tx.pending.by_item(run.uid, [item.id]).get(item.id)
    frozen = tx.freezes.fields(run.uid, [item.id]).get(item.id, set())
    sources = sources_of(context, tx, [item.id]).get(item.id, frozenset())
    judgement = judge(
        run,
        item,
        replica=replica,
        shadow=shadow,
        pending=pending,
        limits=context.hub.deletion,
        now=context.clock(),
        capabilities=capabilities,
        encoder=Encoder(context.fingerprint),
        sources=sources,
        frozen=frozen,
    )
    known = tx.spokes().get(run.uid)
    verdict = compile_judge(
        run.config.receives.filter, sourced=True, kind=context.kind, membership=run.membership
    ).judge(item.content, sources)
    return Place(
        judgement=judgement,
        verdict=verdict,
        groups=_groups(verdict, item.content, run),
        sources=sorted(sources),
        replica=replica,
        pending=pending,
        open=lookup.unanswered(tx, run.uid, item.id),
        changes=[manifest_name(field) for field in fields_changed(judgement)]
        if judgement.action is not None
        else (),
        differences=_differences(run, item, shadow, capabilities, frozen) if item.alive else (),
        considered=known is not None and known.mark >= item.seq,
        stage=stage_of(tx, run.config, known, pending, item.seq)
        if known is not None and pending is not None
        else 0,
    )


def condition_text(condition: Condition, *, values: bool) -> str:
    """As a manifest has it; what it compares with may be personal data."""
    compared = f" [{', '.join(condition.values)}]" if values and condition.values else ""
    return f"{condition.field} {condition.operator.value}{compared}"


def _folded(context: PassContext, tx: Transaction, item: Item) -> Folded:
    decisions = tx.decisions.of_items([item.id]).get(item.id, ())
    freezes = tx.freezes.of_items([item.id]).get(item.id, ())
    inputs = inputs_of(context, tx, [item.id])[item.id]
    return fold(inputs, rules_in(context, tx), decisions, freezes, explain=True)


def _origin(context: PassContext, shadow: Shadow, *, put_back: bool, gives_photo: bool) -> Origin:
    run = next((one for one in context.runs if one.uid == shadow.spoke), None)
    verdict = None
    groups: Sequence[GroupRef] = ()
    if run is not None and shadow.native and shadow.admitted:
        verdict = compile_judge(
            run.config.contributes.filter, kind=context.kind, membership=run.membership
        ).judge(shadow.content)
        groups = _groups(verdict, shadow.content, run)
    return Origin(
        spoke=shadow.spoke,
        remote=shadow.remote,
        native=shadow.native,
        admitted=shadow.admitted,
        verdict=verdict,
        groups=groups,
        edits=len(shadow.own.scalars) + sum(map(len, shadow.own.elements.values())),
        put_back=put_back,
        gives_photo=gives_photo,
    )


def _groups(verdict: Verdict, content: Content, run: SpokeRun) -> Sequence[GroupRef]:
    condition = verdict.condition
    if condition is None or condition.field != GROUP or not isinstance(content, Contact):
        return ()
    return holding(condition, [email.address for email in content.emails], run.membership)


def _words(folded: Folded, region: str) -> list[Word]:
    found: list[Word] = []
    kind = kind_of(folded.content)
    for field in kind.fields:
        value = getattr(folded.content, field)
        wins = [one for one in folded.wins if one.field == field]
        if field not in kind.lists:
            found.extend(Word(one, value, 0) for one in wins)
            continue
        elements = keyed(field, value, region)
        places = {key: place for place, key in enumerate(elements, 1)}
        found.extend(
            Word(one, elements[one.key], places[one.key])
            for one in sorted(wins, key=lambda one: places.get(one.key, 0))
            if one.key in elements
        )
    return found


def _differences(
    run: SpokeRun,
    item: Item,
    shadow: Shadow | None,
    capabilities: Capabilities,
    frozen: Collection[str],
) -> list[Difference]:
    native = shadow is not None and shadow.native
    lens, flow = (
        (run.contributes, run.config.contributes) if native else (run.receives, run.config.receives)
    )
    held = None if shadow is None else shadow.content
    mapped = lens.to_spoke(item.content, held)
    left = mapped
    if native and held is not None:
        left = run.receives.spared(mapped, held)
    if shadow is not None:
        desired = shown(run, item, shadow, capabilities.limits)
    else:
        desired = project(mapped, capabilities.limits, None, region=lens.region)
    found: list[Difference] = []
    for field in kind_of(item.content).fields:
        if field in frozen and held is not None:
            if getattr(held, field) != getattr(mapped, field):
                found.append(Difference(manifest_name(field), "Frozen"))
            continue
        here, there = getattr(item.content, field), getattr(mapped, field)
        if here and field not in lens.fields:
            found.append(
                Difference(manifest_name(field), "Withheld", _withheld_by(run, flow, field))
            )
        elif here != there:
            found.append(Difference(manifest_name(field), "Mapped", _steps(flow, field)))
        if getattr(left, field) != there:
            policies = _policies(run.config.receives, field)
            found.append(Difference(manifest_name(field), "LeftToUser", policies))
        missing = _missing(getattr(left, field), getattr(desired, field))
        if missing:
            found.append(Difference(manifest_name(field), "Limited", missing=missing))
    return found


def _missing(wanted: object, fitted: object) -> int:
    if isinstance(wanted, tuple) and isinstance(fitted, tuple):
        return max(0, len(wanted) - len(fitted))
    return int(bool(wanted) and not fitted)


def _withheld_by(run: SpokeRun, flow: Flow, field: str) -> Sequence[str]:
    if field in run.never_sync:
        return ("neverSync",)
    for policy in _policies(flow, field):
        if policy == Policy.KEEP.value:
            return (policy,)
    excluded = {field_named(name, where="fields") for name in flow.exclude}
    return ("fields.exclude",) if field in excluded else ("fields.include",)


def _policies(flow: Flow, field: str) -> Sequence[str]:
    return tuple(
        one.policy.value
        for one in flow.policies
        if field in {field_named(name, where="policies") for name in one.fields}
    )


def _steps(flow: Flow, field: str) -> Sequence[str]:
    """Those that concern the field, in their order, and its policy."""
    steps = [word for rule in flow.mapping for word in _step(rule, field)]
    return (*steps, *_policies(flow, field))


def _step(rule: MappingRule, field: str) -> Sequence[str]:
    if rule.add_category:
        return ("addCategory",) if field == "categories" else ()
    if rule.replace_domain is not None:
        return ("replaceDomain",) if field == "emails" else ()
    if rule.phone_format is not None:
        return ("phoneFormat",) if field == "phones" else ()
    if rule.notes_between is not None:
        return ("notesBetween",) if field == "notes" else ()
    if field_named(rule.field, where="mapping") != field:
        return ()
    said = {
        "prefix": rule.prefix,
        "suffix": rule.suffix,
        "setValue": rule.set_value is not None,
        "template": rule.template,
    }
    return [word for word, given in said.items() if given]
