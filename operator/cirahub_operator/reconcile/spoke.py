"""Spokes: their conditions, and how they leave. Called by the Hub that they name, one after the
other with its passes, so that nothing else touches the hub meanwhile."""

from __future__ import annotations

import logging
import time

from cirahub_operator.api import DeletionPolicy, Spoke
from cirahub_operator.api.spoke import SpokeStatus
from cirahub_operator.cluster import Unparsable
from cirahub_operator.events import EventType
from cirahub_operator.reconcile.surroundings import Surroundings
from cirahub_operator.resolver import Resolution, hub_not_found
from cirahub_operator.summary import (
    ERASING,
    ERASURE_PENDING,
    RETAINING,
    Leaving,
    erasure_pending,
    invalid_status,
    spoke_status,
    spoke_synced,
)
from cirahub_sync.configuration import HubConfig, SpokeConfig
from cirahub_sync.engine.report import PassReport, Problem
from cirahub_sync.erasure import ErasureReport
from cirahub_sync.errors import CirahubError

logger = logging.getLogger(__name__)


class SpokeReconciler:
    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings

    async def report(self, spoke: Spoke, result: Problem | Leaving) -> SpokeStatus:
        """Write the conditions of a spoke that takes part in no pass."""
        return await self._write(spoke, spoke_status(spoke, result, now=self._around.now()))

    async def synced(self, spoke: Spoke, report: PassReport) -> SpokeStatus:
        """Write what a pass says of a spoke."""
        result = report.spokes.get(spoke.metadata.uid)
        if result is not None:
            after = spoke_synced(spoke, result, report=report, now=self._around.now())
            return await self._write(spoke, after)
        problem = report.problem
        looked_at = spoke.status.observed_generation == spoke.metadata.generation
        if problem is None or (looked_at and not problem.stalled):
            return spoke.status
        message = f"Hub {spoke.spec.hub_ref.name}: {problem.message}"
        return await self.report(spoke, Problem(problem.reason, message, problem.stalled))

    async def invalid(self, found: Unparsable) -> None:
        """A spoke that does not fit our models is said to, and when deleted held only so long."""
        if found.metadata.deleting:
            if self._around.overdue(found.metadata):
                await self._around.give_up(Spoke, found.metadata, found.why)
                await self._around.cluster.release(Spoke, found.metadata)
            return
        after = invalid_status(found, now=self._around.now())
        await self._around.statuses.write(Spoke, found.metadata, found.status, after)

    async def orphaned(self, spoke: Spoke) -> None:
        """Its Hub does not exist: there is nothing left to erase."""
        if spoke.metadata.deleting:
            await self._around.cluster.release(Spoke, spoke.metadata)
            return
        hub = spoke.spec.hub_ref.name
        await self.report(spoke, hub_not_found(spoke.metadata.namespace, hub))

    async def leave(self, spoke: Spoke, resolution: Resolution) -> bool:
        """One attempt to take a deleted spoke out of its hub. True once it is let go."""
        if not spoke.metadata.held:
            return True
        name = spoke.metadata.name
        config = resolution.spokes.get(name)
        if config is None:
            why: str | None = resolution.problems[name].message
            if _never_synced(spoke):
                why = None
        else:
            others = [one for other, one in resolution.spokes.items() if other != name]
            why = await self._take_out(spoke, resolution.hub, config, others)
        if why is not None and not self._around.overdue(spoke.metadata):
            await self.report(spoke, Leaving(ERASURE_PENDING, f"being erased: {why}"))
            return False
        if why is not None:
            await self._around.give_up(Spoke, spoke.metadata, why)
        await self._around.cluster.release(Spoke, spoke.metadata)
        return True

    async def _take_out(
        self,
        spoke: Spoke,
        hub: HubConfig,
        config: SpokeConfig,
        others: list[SpokeConfig],
    ) -> str | None:
        """None when done, else why not."""
        runner = self._around.runner
        retain = spoke.spec.deletion_policy is DeletionPolicy.RETAIN
        never = _never_synced(spoke)
        doing = "its copies are retained" if retain else "its copies are being deleted"
        if not erasure_pending(spoke.status):
            await self.report(spoke, Leaving(RETAINING if retain else ERASING, doing))
        try:
            if retain:
                await runner.retain_spoke(hub, config)
                return None
            known = await runner.leave_spoke(
                hub, config.uid, erase_at=time.time(), spoke=None if never else config
            )
            if not known:
                return None
            erasure = await runner.erase(config.uid, spokes=others)
        except CirahubError as error:
            logger.warning("Spoke %s is not erased yet: %s", spoke.metadata.key, error)
            return str(error)
        if not erasure.complete:
            return unfinished(erasure)
        await self._around.events.record(
            Spoke,
            spoke.metadata,
            type=EventType.NORMAL,
            reason="Erased",
            note=erased(erasure),
            action="Erase",
        )
        return None

    async def _write(self, spoke: Spoke, after: SpokeStatus) -> SpokeStatus:
        await self._around.statuses.write(Spoke, spoke.metadata, spoke.status, after)
        return after


def erased(erasure: ErasureReport) -> str:
    return (
        f"{erasure.copies_deleted} copies deleted, {erasure.items_erased} items erased, "
        f"{erasure.items_changed} items changed"
    )


def unfinished(erasure: ErasureReport) -> str:
    reasons = "; ".join(sorted({problem.message for problem in erasure.problems})[:3])
    return f"{erasure.copies_remaining} copies remain" + (f": {reasons}" if reasons else "")


def _never_synced(spoke: Spoke) -> bool:
    status = spoke.status
    return status.items is None and status.copies is None and status.target is None
