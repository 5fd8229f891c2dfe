"""What stays of a spoke's edits when its direction, filter or mapping changed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import msgspec

from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.history import strip, withhold
from cirahub_sync.engine.refold import refold
from cirahub_sync.model.earlier import stripped
from cirahub_sync.model.edit import ElementEdit, OwnEdits, ScalarEdit
from cirahub_sync.model.kind import CONTACTS, Content, without
from cirahub_sync.model.normalise import DEFAULT_REGION, keyed, same_value
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import UNKNOWN_FINGERPRINT, Replica, ReplicaState, Shadow

CHUNK = 400
_replace = msgspec.structs.replace


async def stop_contributing(context: PassContext, run: SpokeRun) -> None:
    """For a spoke that only receives from now on: its own items count no more. Items that lived
    by them go as always, after the grace period; the spoke gets no copies beside its own. What it
    had edited in copies stays, as anybody's edit of the past does."""
    while True:
        with context.store.read() as tx:
            if not tx.shadows.contributing(run.uid, 1):
                return
        with context.store.write() as tx:
            shadows = tx.shadows.contributing(run.uid, CHUNK)
            touched = [shadow.item for shadow in shadows if shadow.item is not None]
            known = tx.replicas.by_item(run.uid, touched)
            tx.shadows.remove(run.uid, [shadow.remote for shadow in shadows])
            withhold(tx, run.uid, touched)
            tx.replicas.put(
                [
                    Replica(
                        spoke=run.uid,
                        item=shadow.item,
                        remote=shadow.remote,
                        native=True,
                        state=ReplicaState.LIVE,
                        etag=shadow.etag,
                        fingerprint=UNKNOWN_FINGERPRINT,
                        acknowledged=UNKNOWN_FINGERPRINT,
                        delivered_seq=0,
                    )
                    for shadow in shadows
                    if shadow.item is not None and shadow.item not in known
                ]
            )
            # What waits to be changed there is its user's alone from now on.
            tx.pending.reconsider(run.uid, list(tx.pending.by_item(run.uid, touched)))
            refold(context, tx, touched, by=run.uid)
        await asyncio.sleep(0)


def forget_fields(context: PassContext, tx: Transaction, run: SpokeRun) -> None:
    """For fields that never sync from now on: nothing of them is kept, here and now, also of what
    can't be read again; and items fold without them."""
    never = run.never_sync
    tx.decisions.forget(run.uid, never)
    tx.flips.forget(run.uid, never)
    after = ""
    while found := tx.shadows.of_spoke(run.uid, after, CHUNK):
        after = found[-1].remote
        touched: list[str] = []
        cleared: list[Shadow] = []
        for shadow in found:
            own = stripped(shadow.own, never)
            content = without(shadow.content, never)
            if own == shadow.own and content is shadow.content:
                continue
            cleared.append(_replace(shadow, own=own, content=content))
            if shadow.item is not None:
                touched.append(shadow.item)
        tx.shadows.put(cleared)
        refold(context, tx, touched, by=run.uid)
    after = ""
    while gone := tx.departed.of_spoke(run.uid, after, CHUNK):
        after = gone[-1].item
        tx.departed.put([_replace(row, own=stripped(row.own, never)) for row in gone])
        refold(context, tx, [row.item for row in gone], by=run.uid)
    refold(context, tx, strip(tx, run.uid, never, CHUNK), by=run.uid)
    tx.forget_conflicts(run.uid, never)


def carry_over(
    old: OwnEdits,
    fresh: OwnEdits,
    *,
    received: Content | None,
    fields: Collection[str] = CONTACTS.fields,
    region: str = DEFAULT_REGION,
) -> OwnEdits:
    """`fresh` is the item as if it were seen for the first time. An edit that says the same as
    before, if spelled in another way, keeps its time. `received` is the hub item if it was
    delivered into this spoke: a value that equals it and was no edit before was merely received,
    and is none now. What was taken away stays so, in the `fields` that pass."""
    scalars: dict[str, ScalarEdit] = {}
    for field, edit in fresh.scalars.items():
        before = old.scalars.get(field)
        if before is not None and same_value(field, before.value, edit.value):
            scalars[field] = before
        elif (
            before is None
            and received is not None
            and same_value(field, getattr(received, field), edit.value)
        ):
            continue
        else:
            scalars[field] = edit
    scalars |= {
        field: edit
        for field, edit in old.scalars.items()
        if not edit.value and field in fields and field not in fresh.scalars
    }
    elements: dict[str, dict[str, ElementEdit]] = {}
    for field, edits in fresh.elements.items():
        earlier = old.elements.get(field, {})
        there = keyed(field, getattr(received, field), region) if received is not None else {}
        kept: dict[str, ElementEdit] = {}
        for key, element in edits.items():
            prior = earlier.get(key)
            if prior is not None and prior.element is not None:
                same = prior.element == element.element
                kept[key] = prior if same else _replace(prior, element=element.element)
            elif prior is None and key in there:
                continue
            else:
                kept[key] = element
        if kept:
            elements[field] = kept
    for field, earlier in old.elements.items():
        if field in fields:
            now = fresh.elements.get(field, {})
            gone = {k: e for k, e in earlier.items() if e.element is None and k not in now}
            if gone:
                elements[field] = {**elements.get(field, {}), **gone}
    return OwnEdits(scalars, elements)
