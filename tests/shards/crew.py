"""Crews for tests: processes that were started before, or tasks of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from cirahub_sync.engine.shared import Call
from cirahub_sync.store.shards import ShardKey
from cirahub_sync.worker import Worker


class Others:
    """Somebody else sees the shards and takes them. `after`: what is done when a errand is over."""

    def __init__(
        self, shard_size: int, after: Mapping[str, Callable[[], None]] | None = None
    ) -> None:
        self.shard_size = shard_size
        self._after = after or {}
        self.calls: list[Call] = []

    async def work(self, call: Call) -> None:
        self.calls.append(call)
        try:
            await asyncio.Event().wait()
        finally:
            self._after.get(call.errand, lambda: None)()


class Here:
    """Tasks of this process, each part with a worker of its own, on connections of its own."""

    def __init__(self, shard_size: int, hire: Callable[[], Worker]) -> None:
        self.shard_size = shard_size
        self._hire = hire
        self.calls: list[Call] = []

    async def work(self, call: Call) -> None:
        self.calls.append(call)
        parts = [
            asyncio.ensure_future(self._part(call, p)) for of in call.parts.values() for p in of
        ]
        try:
            await asyncio.wait(parts)
        finally:
            await asyncio.wait(parts)  # the pass may go on before they have closed what they opened
        for part in parts:
            part.result()

    async def _part(self, call: Call, part: int) -> None:
        worker = self._hire()
        try:
            await worker.work_shard(call.hub, ShardKey(call.number, call.errand, part))
        finally:
            await worker.close()
