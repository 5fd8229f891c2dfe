"""Merging and splitting items of a hub, by a person's word: under the hub's lease, like a pass.

By the configuration of the hub's last pass. The next pass brings it to the mailboxes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import msgspec

from cirahub_sync.configuration import HubConfig
from cirahub_sync.duplicates import names_of
from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.part import split_item
from cirahub_sync.engine.unite import merge_items
from cirahub_sync.errors import MergeError
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.opening import Store

_hub = msgspec.msgpack.Decoder(HubConfig).decode


class Merging:
    def __init__(self, store: Store, context_of: Callable[[HubConfig], PassContext]) -> None:
        self._store = store
        self._context_of = context_of

    def merge(self, hub: str, keep: str, gone: str) -> str:
        """Of a hub, by its name. Returns the id of the item that both are from now on. Raises
        MergeError, and LeaseHeldError while a pass is under way."""

        def work(context: PassContext, tx: Transaction) -> str:
            first, second = (tx.redirects.resolve(item) for item in (keep, gone))
            if first == second:
                raise MergeError(f"items {keep} and {gone} are one item already, {first}")
            merge_items(context, tx, first, second, names_of(tx))
            return first

        return self._leased(hub, work)

    def split(self, hub: str, item: str, spokes: Collection[str]) -> str:
        """`spokes` by name. Returns the id of the new item. Raises what `merge` does."""

        def work(context: PassContext, tx: Transaction) -> str:
            names = names_of(tx)
            chosen = {_uid(names, spoke, hub) for spoke in spokes}
            return split_item(context, tx, tx.redirects.resolve(item), chosen, names)

        return self._leased(hub, work)

    def _leased(self, hub: str, work: Callable[[PassContext, Transaction], str]) -> str:
        context = self._context(hub)
        context.store.acquire()
        try:
            with context.store.write() as tx:
                return work(context, tx)
        finally:
            context.store.release()

    def _context(self, hub: str) -> PassContext:
        known: list[str] = []
        for uid in self._store.hubs():
            with self._store.hub(uid).read() as tx:
                kept = tx.configurations.get(uid)
            if kept is None:
                continue
            config = _hub(kept)
            if hub in (config.name, uid):
                return self._context_of(config)
            known.append(config.name)
        raise MergeError(f"hub {hub}: the store has none of this name; {_these(known)}")


def _these(known: Sequence[str]) -> str:
    return f"it has {', '.join(sorted(known))}" if known else "it has none at all"


def _uid(names: dict[str, str], spoke: str, hub: str) -> str:
    fitting = {uid for uid, name in names.items() if spoke in (uid, name, name.rpartition("/")[2])}
    if len(fitting) != 1:
        which = "several are called so: write NAMESPACE/NAME" if fitting else "it has none"
        raise MergeError(f"hub {hub}: spoke {spoke}: {which}")
    return fitting.pop()
