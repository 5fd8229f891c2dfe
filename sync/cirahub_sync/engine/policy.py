"""A conflict policy that changed: what is there is folded by the new one, not only what comes."""

from __future__ import annotations

import asyncio

from cirahub_sync.engine.context import PassContext, digest
from cirahub_sync.engine.refold import refold, rules_in
from cirahub_sync.engine.rules import Rules

CHUNK = 400


def begin_policy(context: PassContext) -> None:
    """A hub that has no items yet has none to fold anew."""
    with context.store.write() as tx:
        if tx.rules_key() is None and tx.items.count() == 0:
            tx.set_rules_key(_key(rules_in(context, tx)))


async def apply_policy(context: PassContext) -> None:
    """Fold anew every item that several spokes have a say in, unless that was done under these
    rules. A process that dies on the way begins again."""
    if context.erasing:
        return
    with context.store.read() as tx:
        key = _key(rules_in(context, tx))
        if tx.rules_key() == key:
            return
    after = ""
    while True:
        with context.store.write() as tx:
            shared = tx.shadows.shared(after, CHUNK)
            if not shared:
                tx.set_rules_key(key)
                return
            refold(context, tx, shared)
        after = shared[-1]
        await asyncio.sleep(0)


def _key(rules: Rules) -> str:
    return digest(
        rules.policy,
        sorted(rules.fields.items()),
        sorted(rules.lists.items()),
        sorted(rules.order.items()),
    )
