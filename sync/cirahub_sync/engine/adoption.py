"""Adoption: what a plan's first look at a spoke makes of the contacts that are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cirahub_sync.engine.adopted import Adoption
from cirahub_sync.engine.context import PassContext, SpokeRun, item_id
from cirahub_sync.store.hub import Transaction

CHUNK = 400


def first_looks(context: PassContext) -> list[SpokeRun]:
    """Contributors that this store has not read whole yet."""
    with context.store.read() as tx:
        return [
            run
            for run in context.runs
            if run.registered
            and run.config.direction.contributes
            and tx.cursors.get(run.uid).rounds == 0
        ]


def adoptions(context: PassContext, runs: Sequence[SpokeRun]) -> list[Adoption]:
    with context.store.read() as tx:
        twins: dict[str, set[str]] = {}
        for group in tx.twins.groups():
            for item in group:
                twins.setdefault(item, set()).update(group)
        return [one for run in runs for one in _of_spoke(context, tx, run, twins)]


def _of_spoke(
    context: PassContext, tx: Transaction, run: SpokeRun, twins: dict[str, set[str]]
) -> Iterator[Adoption]:
    after = ""
    while shadows := tx.shadows.of_spoke(run.uid, after, CHUNK):
        after = shadows[-1].remote
        for shadow in shadows:
            if shadow.item is None or not (shadow.native and shadow.admitted):
                continue
            others = sorted(twins.get(shadow.item, set()) - {shadow.item})
            if shadow.item != item_id(context.hub.uid, run.place, shadow.remote):
                outcome, others = "adopted", []
            else:
                outcome = "ambiguous" if others else "new"
            yield Adoption(
                spoke=run.config.name,
                contact=shadow.remote,
                item=shadow.item,
                outcome=outcome,
                others=others,
            )
