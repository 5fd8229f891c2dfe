"""Approving where the store is, as the annotation does where Kubernetes is: a plan, or the next
stage of a first sync.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cirahub_sync.configuration import HubConfig, SpokeConfig
from cirahub_sync.engine.approval import summary
from cirahub_sync.engine.first_sync import STAGE, approved_by, let_in
from cirahub_sync.engine.first_sync import summary as stage_summary
from cirahub_sync.engine.report import PlanSummary, StageSummary
from cirahub_sync.errors import PlanChangedError
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.opening import Store
from cirahub_sync.store.rows import Spoke

_hub = msgspec.msgpack.Decoder(HubConfig).decode
_spoke = msgspec.msgpack.Decoder(SpokeConfig).decode


class ApprovedStage(msgspec.Struct, frozen=True):
    spoke: str
    """Its name."""
    stage: StageSummary
    """As it waited."""


class Approvals:
    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def approve(self, approval: str) -> tuple[str, PlanSummary | ApprovedStage]:
        """Approve what waits under this id. Returns its hub's name, and what it is. Raises
        PlanChangedError if nothing does (any more), and LeaseHeldError while a pass is under
        way."""
        for uid in self._store.hubs():
            store = self._store.hub(uid)
            with store.read() as tx:
                if not (self._planned(tx, approval) or _staged(tx, approval)):
                    continue
            store.acquire()
            try:
                with store.write() as tx:
                    kept = tx.configurations.get(uid)
                    found: PlanSummary | ApprovedStage | None = None
                    if self._planned(tx, approval):
                        stored = tx.plans.current()
                        found = summary(stored, tx.plans.waiting())
                        tx.plans.approve(stored.expires_at)
                    elif (staged := _staged(tx, approval)) is not None:
                        row, config, stage = staged
                        found = ApprovedStage(config.name, stage)
                        let_in(tx, row, [stage.next])
            finally:
                store.release()
            if found is not None:
                return "" if kept is None else _hub(kept).name, found
        raise PlanChangedError(
            f"nothing waits for an approval under {approval}: it was approved, has expired, or "
            "something it was made of has changed; run a pass, and look at what waits then"
        )

    def _planned(self, tx: Transaction, approval: str) -> bool:
        stored = tx.plans.current()
        return bool(approval) and stored.id == approval and stored.expires_at > self._clock()


def _staged(tx: Transaction, approval: str) -> tuple[Spoke, SpokeConfig, StageSummary] | None:
    """The first sync whose next stage the id stands for."""
    for row in tx.spokes().values():
        kept = None if row.allowed is None else tx.configurations.get(row.uid)
        if kept is None:
            continue
        config = _spoke(kept)
        if not approved_by({approval}, config, row):
            continue
        waiting = tx.pending.counts().get(row.uid, {}).get(STAGE, 0)
        stage = stage_summary(tx, config, row, waiting)
        if stage is not None and stage.id == approval:
            return row, config, stage
    return None
