"""Shards of passes that other processes coordinate, as a worker finds and does them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from cirahub_sync.configuration import HubConfig, SpokeConfig
from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.report import Problem
from cirahub_sync.engine.shard import configured, run_shard
from cirahub_sync.errors import LeaseLostError
from cirahub_sync.store.hub import HubStore
from cirahub_sync.store.opening import Store
from cirahub_sync.store.shards import ShardKey


class MakeContext(Protocol):
    def __call__(
        self, hub: HubConfig, spokes: Sequence[SpokeConfig], *, store: HubStore
    ) -> PassContext: ...


class Shards:
    def __init__(
        self,
        store: Store,
        context: MakeContext,
        account: Callable[[PassContext], None],
        doubt: Callable[[PassContext], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._context = context
        self._account = account
        self._doubt = doubt
        self._clock = clock

    def free(self, hub: str) -> Sequence[ShardKey]:
        """Those of the pass under way over a hub, by its uid, that a worker may take."""
        store = self._store.find(hub)
        if store is None:
            return ()
        with store.read() as tx:
            return tx.shards.free(self._clock() - store.terms.skew)

    async def work(self, hub: str, key: ShardKey) -> Problem | None:
        """Do one. Returns why it did not get through; the next attempt goes on with it. Raises
        LeaseHeldError while another worker has it, LeaseLostError if the pass is over, the shard
        was taken over, or the store knows no such hub."""
        store = self._store.find(hub)
        if store is None:
            raise LeaseLostError(f"hub {hub}: the store knows it no more; nothing is left to do")
        attempt = store.take(key)
        if not attempt:
            return None
        with store.read() as tx:
            config, spokes = configured(tx, key)
        context = self._context(config, spokes, store=store)
        problem = await run_shard(context, key, attempt=attempt, account=self._account)
        await self._doubt(context)
        return problem
