"""Approving a plan where the store is, as the annotation does where Kubernetes is."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cirahub_sync.configuration import HubConfig
from cirahub_sync.engine.approval import summary
from cirahub_sync.engine.report import PlanSummary
from cirahub_sync.errors import PlanChangedError
from cirahub_sync.store.opening import Store

_hub = msgspec.msgpack.Decoder(HubConfig).decode


class Approvals:
    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def approve(self, plan: str) -> tuple[str, PlanSummary]:
        """Approve the plan that waits under this id. Returns its hub's name, and what it is. Raises
        PlanChangedError if none does (any more), and LeaseHeldError while a pass is under way."""
        for uid in self._store.hubs():
            store = self._store.hub(uid)
            with store.read() as tx:
                if not plan or tx.plans.current().id != plan:
                    continue
            store.acquire()
            try:
                with store.write() as tx:
                    stored, kept = tx.plans.current(), tx.configurations.get(uid)
                    if stored.id != plan or stored.expires_at <= self._clock():
                        break
                    found = summary(stored, tx.plans.waiting())
                    tx.plans.approve(stored.expires_at)
            finally:
                store.release()
            assert found is not None
            return "" if kept is None else _hub(kept).name, found
        raise PlanChangedError(
            f"no plan {plan} waits for approval: it was approved, has expired, or something it was "
            "made of has changed; run a pass, and look at the plan again"
        )
