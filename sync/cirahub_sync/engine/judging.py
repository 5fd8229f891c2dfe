"""What is known of a receiver's items is read in one transaction, and judged without any."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from cirahub_sync.endpoints.base import Endpoint, Outcome, RemoteItem, Result, Unreadable
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.plan import Encoder, Judgement, blended, judge
from cirahub_sync.engine.postpone import postpone
from cirahub_sync.engine.sources import sources_of
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import Action, Item, Pending, Replica, Shadow


class Known(NamedTuple):
    """About items and one receiver, by item; what there is nothing of is left out."""

    replicas: Mapping[str, Replica]
    shadows: Mapping[str, Shadow]
    frozen: Mapping[str, Collection[str]]
    """The fields."""
    pending: Mapping[str, Pending]
    merged: Collection[str]
    sources: Mapping[str, Collection[str]]


def known_of(context: PassContext, run: SpokeRun, tx: Transaction, items: Sequence[Item]) -> Known:
    ids = [item.id for item in items]
    shadows = tx.shadows.of_items(run.uid, ids) if run.config.direction.contributes else {}
    return Known(
        replicas=tx.replicas.by_item(run.uid, ids),
        shadows=shadows,
        frozen=tx.freezes.fields(run.uid, list(shadows)) if shadows else {},
        pending=tx.pending.by_item(run.uid, ids),
        merged=tx.redirects.of([one.id for one in items if not one.alive]),
        sources=sources_of(context, tx, ids) if run.asks_for_spokes else {},
    )


def judged(
    context: PassContext,
    run: SpokeRun,
    items: Sequence[Item],
    known: Known,
    *,
    endpoint: Endpoint,
    encoder: Encoder,
    now: float,
) -> list[Judgement]:
    return [
        judge(
            run,
            item,
            replica=known.replicas.get(item.id),
            shadow=known.shadows.get(item.id),
            pending=known.pending.get(item.id),
            limits=context.hub.deletion,
            now=now,
            capabilities=endpoint.capabilities,
            encoder=encoder,
            withdrawn=item.id in context.withdrawn,
            merged=item.id in known.merged,
            sources=known.sources.get(item.id, ()),
            frozen=known.frozen.get(item.id, ()),
        )
        for item in items
    ]


async def blended_in(
    context: PassContext,
    run: SpokeRun,
    judgements: Sequence[Judgement],
    endpoint: Endpoint,
    encoder: Encoder,
) -> list[Judgement]:
    """A mapping that leaves part of a copy to its user has to know what is there now, where no
    shadow tells. What can't be read now waits."""
    unknown = {
        judgement.remote: judgement
        for judgement in judgements
        if judgement.action is Action.UPDATE and judgement.before is None
    }
    if not unknown:
        return list(judgements)
    found = await endpoint.fetch(list(unknown))
    limits = endpoint.capabilities.limits
    known: list[Judgement] = []
    for judgement in judgements:
        held = found.get(judgement.remote) if judgement.remote in unknown else None
        if isinstance(held, RemoteItem):
            known.append(blended(run, judgement, held, encoder, limits))
        elif isinstance(held, Unreadable):
            with context.store.write() as tx:
                lost = Outcome(index=0, result=Result.RETRY, error="unreadable")
                postpone(context, run, tx, judgement, lost)
        else:
            known.append(judgement)
    return known
