"""Approval: with `approval: Manual` nothing is written before a person has seen it as a plan.

A plan is the writes that a pass would have sent. An entry's id is a digest of the spoke, the action
and of what the item and its replica were, so an approved entry applies only while they still are
that; what has changed is another entry, and waits in the next plan. An approval counts once, until
the plan expires. What an erasure changes waits for nobody (invariant 15).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from cirahub_sync.configuration import Approval
from cirahub_sync.engine.context import PassContext, digest
from cirahub_sync.engine.plan import Judgement, Planned, fields_changed
from cirahub_sync.engine.report import PlanSummary
from cirahub_sync.model.kind import Content
from cirahub_sync.store.plans import Entry, StoredPlan
from cirahub_sync.store.rows import Action

_ID = 16
"""Characters of an id that people copy."""


class Gate:
    """What of a pass may be written, and what is held."""

    def __init__(
        self,
        approved: Mapping[str, str],
        withdrawn: Collection[str],
        fingerprint: Callable[[Content], bytes],
    ) -> None:
        self._approved = approved
        self._withdrawn = withdrawn
        self._fingerprint = fingerprint
        self._spokes = frozenset(approved.values())
        self.held: dict[tuple[str, str], Entry] = {}
        """By spoke and item."""

    def touches(self, spoke: str) -> bool:
        """Whether anything may be written there, so that its folder is made if it is missing."""
        return spoke in self._spokes

    def lets(self, spoke: str, judgement: Judgement) -> bool:
        """Whether this may be sent. If not, it is an entry of the next plan."""
        if judgement.unguarded or judgement.item in self._withdrawn:
            return True
        entry = entry_of(spoke, judgement, self._fingerprint)
        if entry.id in self._approved:
            return True
        self.held[spoke, judgement.item] = entry
        return False


def entry_of(spoke: str, judgement: Judgement, fingerprint: Callable[[Content], bytes]) -> Entry:
    """Of a judgement with an action."""
    assert judgement.action is not None
    before = b"" if judgement.before is None else fingerprint(judgement.before)
    state = (judgement.seq, judgement.fingerprint, judgement.remote, judgement.etag, before)
    return Entry(
        id=digest(spoke, judgement.item, judgement.action.value, state)[:_ID],
        spoke=spoke,
        item=judgement.item,
        action=judgement.action,
        fields=fields_changed(judgement),
    )


def plan_of(
    entries: Sequence[Entry], stored: StoredPlan, *, now: float, expiry: float
) -> StoredPlan:
    """The plan of these entries: the one that is stored if it says the same and has not expired,
    else a new one, with an id that no plan of the hub had before."""
    ids = sorted(one.id for one in entries)
    if not ids:
        return StoredPlan(issue=stored.issue)
    if stored.id == _plan_id(stored.issue, ids) and now < stored.expires_at:
        return stored
    issue = stored.issue + 1
    return StoredPlan(id=_plan_id(issue, ids), issue=issue, expires_at=now + expiry)


def _plan_id(issue: int, ids: Sequence[str]) -> str:
    return digest("plan", issue, ids)[:_ID]


def begin_approval(context: PassContext) -> None:
    """Take up what was approved. With Automatic, nothing waits."""
    now = context.clock()
    with context.store.read() as tx:
        stored = tx.plans.current()
    if context.hub.approval is not Approval.MANUAL:
        if stored.id:
            with context.store.write() as tx:
                tx.plans.clear()
                tx.plans.put(StoredPlan(issue=stored.issue))
        return
    if stored.issue:
        with context.store.write() as tx:
            tx.plans.expire(now)
            if stored.id and stored.id in context.approved and now < stored.expires_at:
                tx.plans.approve(stored.expires_at)
    with context.store.read() as tx:
        context.gate = Gate(tx.plans.approved(now), context.withdrawn, context.fingerprint)


def conclude_approval(context: PassContext) -> None:
    """Keep what was held as the plan that waits. Entries of spokes that were not judged in this
    pass stay in it."""
    gate = context.gate
    if gate is None or context.erasing:
        return
    judged = {run.uid for run in context.runs if run.settled and not run.failed}
    with context.store.read() as tx:
        stored, waiting = tx.plans.current(), tx.plans.waiting()
        judged.update(tx.retired())
    kept = [one for one in waiting if one.spoke not in judged]
    entries = [*gate.held.values(), *kept]
    plan = plan_of(entries, stored, now=context.clock(), expiry=context.hub.plan_expiry)
    if plan != stored or {one.id for one in entries} != {one.id for one in waiting}:
        with context.store.write() as tx:
            tx.plans.replace(entries)
            tx.plans.put(plan)
    context.report.plan = summary(plan, entries)


def foresee(context: PassContext, planned: Mapping[str, Sequence[Planned]]) -> None:
    """For a plan that nobody waits for: what the next pass would have approved. Notes nothing."""
    with context.store.read() as tx:
        stored, approved = tx.plans.current(), tx.plans.approved(context.clock())
    entries = [
        entry
        for uid, plan in planned.items()
        for one in plan
        if not one.held
        and not one.judgement.unguarded
        and (entry := entry_of(uid, one.judgement, context.fingerprint)).id not in approved
    ]
    plan = plan_of(entries, stored, now=context.clock(), expiry=context.hub.plan_expiry)
    context.report.plan = summary(plan, entries)


def summary(plan: StoredPlan, entries: Sequence[Entry]) -> PlanSummary | None:
    if not plan.id:
        return None
    counts = Counter(one.action for one in entries)
    return PlanSummary(
        id=plan.id,
        creates=counts[Action.CREATE],
        updates=counts[Action.UPDATE],
        deletes=counts[Action.DELETE],
        expires_at=plan.expires_at,
    )
