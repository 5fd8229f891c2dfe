"""A policy that changed, of conflicts or of deletions: what is there is folded by the new one, not
only what comes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from cirahub_sync.engine.context import PassContext, digest
from cirahub_sync.engine.refold import refold, rules_in
from cirahub_sync.engine.rules import Rules
from cirahub_sync.store.hub import Transaction

CHUNK = 400


def begin_policy(context: PassContext) -> None:
    """A hub that has no items yet has none to fold anew."""
    with context.store.write() as tx:
        if tx.rules_key() is None and tx.items.count() == 0:
            tx.set_rules_key(_key(context, rules_in(context, tx)))


async def apply_policy(context: PassContext) -> None:
    """Fold anew every item that several spokes have a say in, or that went from a spoke, unless
    that was done under these rules. A process that dies on the way begins again."""
    if context.erasing:
        return
    with context.store.read() as tx:
        key = _key(context, rules_in(context, tx))
        if tx.rules_key() == key:
            return
    for affected in (_shared, _departed, _condemned):
        after = ""
        while True:
            with context.store.write() as tx:
                found = affected(tx, after)
                refold(context, tx, found)
            if not found:
                break
            after = found[-1]
            await asyncio.sleep(0)
    with context.store.write() as tx:
        tx.set_rules_key(key)


def _shared(tx: Transaction, after: str) -> Sequence[str]:
    return tx.shadows.shared(after, CHUNK)


def _departed(tx: Transaction, after: str) -> Sequence[str]:
    return tx.departed.items(after, CHUNK)


def _condemned(tx: Transaction, after: str) -> Sequence[str]:
    return tx.condemned.all(after, CHUNK)


def _key(context: PassContext, rules: Rules) -> str:
    return digest(
        context.hub.deletion.allowed_by,
        rules.policy,
        sorted(rules.fields.items()),
        sorted(rules.lists.items()),
        sorted(rules.order.items()),
    )
