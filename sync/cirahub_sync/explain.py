"""Why somebody is, is not, or is otherwise in a spoke, told in the words of manifests.

Hub after hub of a store, by the configuration of the hub's last pass or by another one that is
given. Nothing is written, no service is asked, and no lease is needed, so that a pass may run
meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from cirahub_sync.configuration import HubConfig, ItemKind, SpokeConfig
from cirahub_sync.endpoints.base import Capabilities
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.explain import (
    Difference,
    Origin,
    Place,
    Told,
    condition_text,
    placed,
    told,
)
from cirahub_sync.engine.groups import recall_groups
from cirahub_sync.engine.report import PassReport, PendingReason, SpokeReport
from cirahub_sync.model.contact import (
    Contact,
    CustomField,
    Email,
    Phone,
    PhoneKind,
)
from cirahub_sync.model.event import Event
from cirahub_sync.model.field_names import manifest_name
from cirahub_sync.model.filter import Verdict
from cirahub_sync.model.group import GroupRef
from cirahub_sync.model.kind import Element
from cirahub_sync.model.normalise import match_keys
from cirahub_sync.sets import stored_members
from cirahub_sync.store import lookup
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.opening import Store
from cirahub_sync.store.rows import PERSON, READ_ONLY, Item, Pending

_hub = msgspec.msgpack.Decoder(HubConfig).decode
_spoke = msgspec.msgpack.Decoder(SpokeConfig).decode
_report = msgspec.msgpack.Decoder(PassReport).decode
_value = msgspec.msgpack.Decoder(Element).decode
_CUSTOM = "custom:"

Given = Sequence[tuple[HubConfig, Sequence[SpokeConfig]]]
"""Hubs with their spokes, as manifests have them."""


class ToldFilter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    admits: bool
    decided_by: str = ""
    """`all`, `any`, `none` or `expression`; blank if nothing stood against the item."""
    condition: str = ""
    """The condition of it that decided; blank if no `any` held, and for the expression."""
    unjudged: bool = False
    """The expression can't be evaluated for the item, or a group was never read."""
    groups: Sequence[str] = ()
    """Of a condition on groups: those that hold the item, by id or address (`values`)."""


class ToldOrigin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a spoke has of the item. `native`: put there by its people; else a copy of ours."""

    spoke: str
    remote: str
    native: bool = False
    admitted: bool = False
    filter: ToldFilter | None = None
    own_edits: int = 0
    put_back: bool = False
    """A person put its part back to an earlier moment (`cirahub restore`)."""
    gives_photo: bool = False


class ToldField(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whose word stands. `element` counts from 1 in fields with several values."""

    field: str
    element: int = 0
    spoke: str
    """Blank: a person's decision."""
    rule: str
    tie: bool = False
    at: float
    """POSIX seconds: the last moment at which it may have been said."""
    lists: str = ""
    """The list mode of a field with several values, where it is not Union."""
    value: Element | None = None


class ToldConflict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value that lost; or, with an `id`, one that waits for a person."""

    field: str
    winner: str
    loser: str
    id: str = ""
    frozen: Sequence[str] = ()
    """Of one that waits: the two Spokes that kept changing the field back and forth, if it is
    frozen because of that. What the first had said when it was stands."""
    tie: bool = False
    recorded_at: float = 0.0
    value: Element | None = None


class ToldDelivery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known to be in the spoke."""

    remote: str
    native: bool = False
    detached: bool = False
    """Its user deleted it, which is remembered."""
    delivered_seq: int = 0


class ToldPending(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    reason: str
    due_at: float
    attempts: int = 0
    error: str = ""


class ToldSpoke(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The item in one spoke."""

    spoke: str
    direction: str
    why: str
    """`NotReceiving`, `Invalid`, or a `plan.Why`."""
    action: str = ""
    """What the next pass would send: `create`, `update` or `delete`."""
    changes: Sequence[str] = ()
    wait_until: float = 0.0
    """For a delete: the end of its grace period."""
    considered: bool = True
    """Whether a pass has judged it since the item changed."""
    filter: ToldFilter | None = None
    delivery: ToldDelivery | None = None
    pending: ToldPending | None = None
    unanswered: Sequence[str] = ()
    """Requests whose outcome is not known."""
    differences: Sequence[Difference] = ()
    on_user_delete: str = ""
    """With a delivery that its user deleted."""
    problem: str = ""
    """Of the spoke, as of the last pass."""
    message: str = ""
    source_emptied: bool = False
    approval: str = ""
    """What to approve, if the guard holds the deletion back; or to let the next stage in."""
    stage: int = 0
    """The stage of the spoke's first sync that it waits for."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    hub: str
    item: str
    seq: int
    alive: bool = False
    deleted_at: float | None = None
    died_of: str = ""
    """The spoke whose user deleted the last contribution."""
    pass_at: float = 0.0
    """When the last pass ended."""
    sources: Sequence[ToldOrigin] = ()
    fields: Sequence[ToldField] = ()
    conflicts: Sequence[ToldConflict] = ()
    spokes: Sequence[ToldSpoke] = ()


class KeptOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item, or how many, that the filter of a spoke's `contributes` keeps out of the hub."""

    hub: str
    spoke: str
    count: int
    remote: str = ""
    """Of the item that was asked for; blank: it may be one of them, of which nothing is kept."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    found: Sequence[Explanation] = ()
    kept_out: Sequence[KeptOut] = ()
    matched_on: Sequence[str] = ()
    """The keys by which people can be found, where nothing was."""


class Explanations:
    def __init__(
        self,
        store: Store,
        context_of: Callable[[HubConfig, Sequence[SpokeConfig]], PassContext],
        capabilities_of: Callable[[SpokeConfig], Capabilities],
    ) -> None:
        self._store = store
        self._context_of = context_of
        self._capabilities_of = capabilities_of

    def explain(
        self,
        contact: str,
        *,
        hubs: Sequence[str] = (),
        spokes: Sequence[str] = (),
        given: Given | None = None,
        values: bool = False,
    ) -> Answer:
        """`contact` is an item's id, a service's id, or the value of a match key (an address, say,
        or `NAME, COMPANY`). `hubs` and `spokes` by name; none is all. `values`: with content."""
        found: list[Explanation] = []
        kept_out: list[KeptOut] = []
        matched_on: dict[str, None] = {}
        for hub, members in self._hubs(given):
            if hubs and not _named(hub.name, hubs):
                continue
            store = self._store.find(hub.uid)
            if store is None:
                continue
            if given is not None:
                with store.read() as tx:
                    members = [*members, *stored_members(tx, members)]
            context = self._context_of(hub, members)
            with store.read() as tx:
                teller = _Teller(context, tx, self._capabilities_of, spokes, values=values)
                items, without = _find(context, tx, contact)
                found += [teller.explanation(item) for item in items]
                if items:
                    continue
                events = hub.item_kind is ItemKind.EVENT
                matched_on |= dict.fromkeys(("uid",) if events else hub.match_on)
                kept_out += teller.kept_out(without, contact)
        return Answer(found=found, kept_out=kept_out, matched_on=() if found else tuple(matched_on))

    def _hubs(self, given: Given | None) -> Given:
        if given is not None:
            return given
        found: list[tuple[HubConfig, Sequence[SpokeConfig]]] = []
        for uid in self._store.hubs():
            with self._store.hub(uid).read() as tx:
                kept = tx.configurations.all()
                if uid in kept:
                    members = [_spoke(kept[one]) for one in tx.spokes() if one in kept]
                    found.append((_hub(kept[uid]), members))
        return found


class _Teller:
    """What is found, with spokes by name and fields as manifests call them."""

    def __init__(
        self,
        context: PassContext,
        tx: Transaction,
        capabilities_of: Callable[[SpokeConfig], Capabilities],
        spokes: Sequence[str],
        *,
        values: bool,
    ) -> None:
        self._context = context
        self._tx = tx
        self._capabilities_of = capabilities_of
        self._spokes = spokes
        self._values = values
        recall_groups(context, tx)
        kept = lookup.last_report(tx)
        self._last = PassReport(context.hub.name, 0.0) if kept is None else _report(kept)
        names = {uid: report.name for uid, report in context.report.spokes.items()}
        for uid in tx.spokes().keys() - names.keys():
            config = tx.configurations.get(uid)
            names[uid] = uid if config is None else _spoke(config).name
        self._names: Mapping[str, str] = {**names, PERSON: "", "": "", READ_ONLY: READ_ONLY}

    def explanation(self, item: Item) -> Explanation:
        it = told(self._context, self._tx, item)
        return Explanation(
            hub=self._context.hub.name,
            item=item.id,
            seq=item.seq,
            alive=item.alive,
            deleted_at=item.deleted_at,
            died_of=self._name(item.died_of or ""),
            pass_at=self._last.finished,
            sources=[self._origin(one) for one in it.origins],
            fields=self._fields(it),
            conflicts=[*self._waiting(it), *self._lost(it)],
            spokes=[
                *(self._spoke(run, item) for run in self._context.runs if self._asked(run.config)),
                *(_broken(one) for one in self._context.broken if self._asked(one)),
            ],
        )

    def _asked(self, spoke: SpokeConfig | SpokeReport) -> bool:
        return not self._spokes or _named(spoke.name, self._spokes)

    def kept_out(self, remotes: Sequence[str], contact: str) -> list[KeptOut]:
        hub = self._context.hub.name
        if remotes:
            return [
                KeptOut(hub=hub, spoke=self._name(uid), count=1, remote=contact) for uid in remotes
            ]
        counts = lookup.kept_out(self._tx)
        return [
            KeptOut(hub=hub, spoke=self._name(uid), count=count)
            for uid, count in sorted(counts.items())
        ]

    def _name(self, uid: str) -> str:
        return self._names.get(uid, uid)

    def _origin(self, one: Origin) -> ToldOrigin:
        return ToldOrigin(
            spoke=self._name(one.spoke),
            remote=one.remote,
            native=one.native,
            admitted=one.admitted,
            filter=self._filter(one.verdict, one.groups),
            own_edits=one.edits,
            put_back=one.put_back,
            gives_photo=one.gives_photo,
        )

    def _filter(self, verdict: Verdict | None, groups: Sequence[GroupRef]) -> ToldFilter | None:
        if verdict is None:
            return None
        condition = verdict.condition
        return ToldFilter(
            admits=verdict.admits,
            decided_by="" if verdict.clause is None else verdict.clause.value,
            condition="" if condition is None else condition_text(condition, values=self._values),
            unjudged=verdict.unjudged,
            groups=tuple(one.group if self._values else one.called for one in groups),
        )

    def _fields(self, it: Told) -> list[ToldField]:
        rules = self._context.stated
        return [
            ToldField(
                field=manifest_name(one.win.field),
                element=one.place,
                spoke=self._name(one.win.spoke),
                rule=one.win.rule,
                tie=one.win.tie,
                at=one.win.when.upper,
                lists=rules.lists[one.win.field].value if one.win.field in rules.lists else "",
                value=self._shown(one.value),
            )
            for one in it.words
        ]

    def _waiting(self, it: Told) -> list[ToldConflict]:
        return [
            ToldConflict(
                field=manifest_name(conflict.field),
                winner=self._name(conflict.contenders[0].spoke),
                loser=self._name(side.spoke),
                id=name,
                frozen=[self._name(one) for one in conflict.frozen.writers]
                if conflict.frozen is not None
                else (),
                value=self._shown(side.values[0] if side.values else ""),
            )
            for name, conflict in it.waiting
            for side in conflict.contenders[1:]
        ]

    def _lost(self, it: Told) -> list[ToldConflict]:
        return [
            ToldConflict(
                field=manifest_name(one.field),
                winner=self._name(one.winner),
                loser=self._name(one.loser),
                tie=one.tie,
                recorded_at=one.recorded_at,
                value=self._shown(_value(one.value)),
            )
            for one in it.lost
        ]

    def _shown(self, value: Element) -> Element | None:
        return value if self._values else None

    def _spoke(self, run: SpokeRun, item: Item) -> ToldSpoke:
        report = self._last.spokes.get(run.uid)
        problem = None if report is None else report.problem
        base = ToldSpoke(
            spoke=run.config.name,
            direction=run.config.direction.value,
            why="NotReceiving",
            problem="" if problem is None else problem.reason,
            message="" if problem is None else problem.message,
            source_emptied=report is not None and report.source_emptied,
        )
        if not run.config.direction.receives:
            return base
        place = placed(self._context, self._tx, run, item, self._capabilities_of(run.config))
        judgement, replica, waits = place.judgement, place.replica, place.pending
        return msgspec.structs.replace(
            base,
            why=judgement.why.value,
            action="" if judgement.action is None else judgement.action.value,
            changes=place.changes,
            wait_until=judgement.wait_until or 0.0,
            considered=place.considered,
            filter=self._filter(place.verdict, place.groups) if item.alive else None,
            delivery=None
            if replica is None
            else ToldDelivery(
                remote=replica.remote,
                native=replica.native,
                detached=replica.state.value == "detached",
                delivered_seq=replica.delivered_seq,
            ),
            pending=None
            if waits is None
            else ToldPending(
                reason=waits.reason,
                due_at=waits.due_at,
                attempts=waits.attempts,
                error=waits.error,
            ),
            unanswered=[one.action.value for one in place.open],
            differences=place.differences if _shows(place) else (),
            on_user_delete=run.config.on_user_delete.value,
            approval=self._approval(waits, report),
            stage=place.stage,
        )

    def _approval(self, waits: Pending | None, report: SpokeReport | None) -> str:
        if waits is None:
            return ""
        if waits.reason == PendingReason.GUARDED:
            return self._last.approval
        if waits.reason == PendingReason.STAGE and report is not None and report.stage is not None:
            return report.stage.id
        return ""


def _broken(report: SpokeReport) -> ToldSpoke:
    problem = report.problem
    return ToldSpoke(
        spoke=report.name,
        direction="",
        why="Invalid",
        problem="" if problem is None else problem.reason,
        message="" if problem is None else problem.message,
    )


def _shows(place: Place) -> bool:
    """Whether the spoke shows the item, or is to."""
    return place.verdict.admits and (
        place.judgement.action is not None or place.judgement.why.value == "Current"
    )


def _find(
    context: PassContext, tx: Transaction, contact: str
) -> tuple[Sequence[Item], Sequence[str]]:
    """The items that this may mean; else the uids of the spokes whose filter keeps it out."""
    found = dict(tx.items.get([tx.redirects.resolve(contact)]))
    linked = lookup.linked(tx, contact)
    found |= tx.items.get([item for _, item in linked if item is not None])
    digests = [tx.cipher.match_digest(key) for key in _keys(context.hub, contact)]
    for alive in (True, False):
        if not found:
            matching = tx.items.matching(digests, alive=alive)
            found |= tx.items.get(sorted({one for ids in matching.values() for one in ids}))
    return list(found.values()), [spoke for spoke, item in linked if item is None]


def _keys(hub: HubConfig, contact: str) -> Sequence[str]:
    """Every match key of which this could be the value; of an event, its UID."""
    if hub.item_kind is ItemKind.EVENT:
        return match_keys(Event(uid=contact), hub.match_on)
    name, _, company = contact.rpartition(",")
    meant = Contact(
        display_name=name.strip(),
        company=company.strip() if name else "",
        emails=(Email(contact),) if "@" in contact else (),
        phones=(Phone(PhoneKind.OTHER, contact),),
        custom=tuple(
            CustomField(key.removeprefix(_CUSTOM), contact)
            for key in hub.match_on
            if key.startswith(_CUSTOM)
        ),
    )
    return match_keys(meant, hub.match_on, hub.default_region)


def _named(name: str, among: Sequence[str]) -> bool:
    return name in among or name.rpartition("/")[2] in among
