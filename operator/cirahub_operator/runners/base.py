"""The seam between reconcilers and whatever runs passes for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cirahub_sync.configuration import ConnectionConfig, HubConfig, SpokeConfig
from cirahub_sync.engine.report import PassReport
from cirahub_sync.worker import ErasureReport, Progress


class Runner(Protocol):
    """The engine's calls, as `cirahub_sync.worker.Worker` describes them. All raise the engine's
    errors: KeyUnavailableError and StoreError when the store can't be opened, too.

    Cancelling a call stops the work at its next safe point, and returns after that.
    """

    async def check(self, connection: ConnectionConfig) -> None: ...

    async def run_pass(
        self,
        hub: HubConfig,
        spokes: Sequence[SpokeConfig],
        *,
        approved: frozenset[str] = frozenset(),
        progress: Progress | None = None,
    ) -> PassReport: ...

    async def erase_spoke(
        self, hub: HubConfig, spoke: SpokeConfig, remaining: Sequence[SpokeConfig]
    ) -> ErasureReport: ...

    async def retain_spoke(self, hub: HubConfig, spoke: SpokeConfig) -> None: ...

    async def erase_hub(self, hub: HubConfig, spokes: Sequence[SpokeConfig]) -> ErasureReport: ...

    async def retain_hub(self, hub: HubConfig) -> None: ...


class Engine(Runner, Protocol):
    """A worker that lives in one event loop; `cirahub_sync.worker.Worker` is one."""

    async def close(self) -> None: ...
