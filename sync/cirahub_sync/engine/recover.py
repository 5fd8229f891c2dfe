"""Recover: settle what an earlier run sent without learning the outcome, before anything else.

A create is looked for by its idempotency key and by nothing else (invariant 5); found, it is
adopted. Not found, it is given up and planned anew under another key; the old key is remembered
for a week, should its effect arrive late. Updates are compared with what was meant. Deletes are
simply sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing

import msgspec

from cirahub_sync.endpoints.base import Delete, Endpoint, Limits, RemoteItem, Result
from cirahub_sync.engine.acknowledge import Delivery, acknowledge
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.plan import shown
from cirahub_sync.model.limits import changed_fields
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import Action, Intent, Item

LATE_SECONDS = 7 * 86_400.0
LATE_PREFIX = "late/"
"""Of the keys of deletes that remove what arrived late."""


async def recover(context: PassContext, runs: Sequence[SpokeRun], *, give_up: bool = True) -> None:
    """Settle the open intents of these spokes. Without `give_up`, creates that are not found stay
    open: the effect of a request of this very pass may still be on its way."""
    with context.store.write() as tx:
        tx.intents.expire(context.clock() - LATE_SECONDS)
        open_intents = tx.intents.open_anywhere()

    async def one(run: SpokeRun) -> None:
        run.settled = False
        with context.isolate(run):
            await _settle(context, run, open_intents[run.uid], give_up=give_up)
            run.settled = True

    async with asyncio.TaskGroup() as group:
        for run in runs:
            if run.uid in open_intents and not run.failed:
                context.say(f"{run.config.name}: settling {len(open_intents[run.uid])} requests")
                group.create_task(one(run))


async def _settle(
    context: PassContext, run: SpokeRun, intents: Sequence[Intent], *, give_up: bool
) -> None:
    endpoint = await run.endpoint(context)
    await _creates(
        context,
        run,
        endpoint,
        [intent for intent in intents if intent.action is Action.CREATE],
        give_up=give_up,
    )
    await _updates(
        context, run, endpoint, [intent for intent in intents if intent.action is Action.UPDATE]
    )
    await _deletes(
        context, run, endpoint, [intent for intent in intents if intent.action is Action.DELETE]
    )


async def _creates(
    context: PassContext,
    run: SpokeRun,
    endpoint: Endpoint,
    intents: Sequence[Intent],
    *,
    give_up: bool,
) -> None:
    if not intents:
        return
    found = await endpoint.find([intent.key for intent in intents])
    with context.store.write() as tx:
        items = tx.items.get([intent.item for intent in intents])
        settled = [(intent, found[intent.key][0]) for intent in intents if found.get(intent.key)]
        partly = {
            intent.item
            for intent, remote in settled
            if endpoint.capabilities.composed
            and context.fingerprint(remote.content) != intent.fingerprint
        }
        acknowledge(
            context,
            run,
            tx,
            [
                _delivery(intent, remote, items.get(intent.item), whole=intent.item not in partly)
                for intent, remote in settled
            ],
        )
        run.report.counts.adopted += len(settled)
        tx.intents.remove([intent.key for intent, _ in settled])
        _consider(tx, run, [intent for intent, _ in settled], items)
        tx.pending.reconsider(run.uid, sorted(partly))
        if give_up:
            lost = [intent for intent in intents if not found.get(intent.key)]
            tx.intents.abandon([intent.key for intent in lost])
            tx.pending.reconsider(run.uid, [intent.item for intent in lost])


async def _updates(
    context: PassContext, run: SpokeRun, endpoint: Endpoint, intents: Sequence[Intent]
) -> None:
    """An update that took effect is acknowledged as ours, lest it be taken for an edit of the
    spoke's user when the delta shows it. Otherwise it is planned again."""
    if not intents:
        return
    found = await endpoint.fetch([intent.remote for intent in intents])
    with context.store.write() as tx:
        items = tx.items.get([intent.item for intent in intents])
        deliveries: list[Delivery] = []
        for intent in intents:
            remote = found.get(intent.remote)
            if isinstance(remote, RemoteItem) and (
                context.fingerprint(remote.content) == intent.fingerprint
            ):
                deliveries.append(
                    _delivery(
                        intent,
                        remote,
                        items.get(intent.item),
                        native=_native(tx, run, intent),
                    )
                )
        acknowledge(context, run, tx, deliveries)
        tx.intents.remove([intent.key for intent in intents])
        delivered = {delivery.item for delivery in deliveries}
        for intent in intents:
            remote = found.get(intent.remote)
            item = items.get(intent.item)
            if isinstance(remote, RemoteItem) and item is not None and item.id not in delivered:
                _partly(
                    context,
                    run,
                    tx,
                    intent,
                    remote=remote,
                    item=item,
                    limits=endpoint.capabilities.limits,
                )
        _consider(tx, run, [intent for intent in intents if intent.item in delivered], items)
        tx.pending.reconsider(
            run.uid, [intent.item for intent in intents if intent.item not in delivered]
        )


def _partly(
    context: PassContext,
    run: SpokeRun,
    tx: Transaction,
    intent: Intent,
    *,
    remote: RemoteItem,
    item: Item,
    limits: Limits,
) -> None:
    """An update that took effect before the spoke's user edited the item further: what is there as
    we meant it is ours, the rest is theirs, and the delta will show it."""
    shadow = tx.shadows.by_remote(run.uid, [intent.remote]).get(intent.remote)
    if shadow is None or not run.config.direction.contributes or item.seq != intent.item_seq:
        return
    frozen = tx.freezes.fields(run.uid, [item.id]).get(item.id, ())
    meant = shown(run, item, shadow, limits, frozen)
    arrived = {
        field: getattr(meant, field)
        for field in changed_fields(shadow.content, meant)
        if getattr(remote.content, field) == getattr(meant, field)
    }
    if arrived and context.fingerprint(meant) == intent.fingerprint:
        content = msgspec.structs.replace(shadow.content, **arrived)
        tx.shadows.put([msgspec.structs.replace(shadow, content=content, etag="")])


def _consider(
    tx: Transaction, run: SpokeRun, intents: Sequence[Intent], items: Mapping[str, Item]
) -> None:
    """Delivered: nothing is pending, unless the item has changed since the request was made."""
    current = {item.id: item.seq for item in items.values()}
    tx.pending.remove(run.uid, [intent.item for intent in intents])
    tx.pending.reconsider(
        run.uid,
        [intent.item for intent in intents if current.get(intent.item) != intent.item_seq],
    )


def _native(tx: Transaction, run: SpokeRun, intent: Intent) -> bool:
    shadow = tx.shadows.by_remote(run.uid, [intent.remote]).get(intent.remote)
    return shadow is not None and shadow.native


async def _deletes(
    context: PassContext, run: SpokeRun, endpoint: Endpoint, intents: Sequence[Intent]
) -> None:
    """Late doubles go for good; other deletes are judged again, which finds them done or not."""
    late = [intent for intent in intents if intent.key.startswith(LATE_PREFIX)]
    again = [intent for intent in intents if not intent.key.startswith(LATE_PREFIX)]
    if again:
        with context.store.write() as tx:
            tx.intents.remove([intent.key for intent in again])
            items = [intent.item for intent in again]
            known = tx.pending.by_item(run.uid, items)  # with the end of their grace
            tx.pending.reconsider(run.uid, [item for item in items if item not in known])
    if not late or context.dry:
        return
    operations = [Delete(id=intent.remote, etag="", permanent=True) for intent in late]
    async with aclosing(endpoint.push(operations)) as sent:
        async for outcomes in sent:
            done = [
                late[outcome.index].key
                for outcome in outcomes
                if outcome.result in (Result.DONE, Result.GONE)
            ]
            with context.store.write() as tx:
                tx.intents.remove(done)
            run.report.counts.deleted += len(done)


def _delivery(
    intent: Intent,
    remote: RemoteItem,
    item: Item | None,
    *,
    native: bool = False,
    whole: bool = True,
) -> Delivery:
    return Delivery(
        item=intent.item,
        seq=intent.item_seq if item is not None else 0,
        native=native,
        desired=remote.content,
        fingerprint=intent.fingerprint,
        before=None,
        answer=remote,
        key=intent.key if intent.action is Action.CREATE else "",
        whole=whole,
    )
