"""Spokes: their conditions. Called by the Hub that they name."""

from __future__ import annotations

from cirahub_operator.api import Spoke
from cirahub_operator.api.spoke import SpokeStatus
from cirahub_operator.cluster import Unparsable
from cirahub_operator.conditions import APPROVAL_PENDING
from cirahub_operator.events import EventType
from cirahub_operator.reconcile.surroundings import Surroundings
from cirahub_operator.summary import Leaving, invalid_status, spoke_status, spoke_synced
from cirahub_sync.engine.report import PassReport, Problem


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
            status = await self._write(spoke, after)
            await self._tell_of_stage(spoke, after)
            return status
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

    async def _tell_of_stage(self, spoke: Spoke, after: SpokeStatus) -> None:
        """That a stage of the first sync waits, once of each."""
        known, waits = spoke.status.first_sync, after.condition(APPROVAL_PENDING)
        if waits is None or after.first_sync is None:
            return
        if known is None or known.approval != after.first_sync.approval:
            await self._around.events.record(
                Spoke,
                spoke.metadata,
                type=EventType.NORMAL,
                reason=waits.reason,
                note=waits.message,
                action="Sync",
            )

    async def _write(self, spoke: Spoke, after: SpokeStatus) -> SpokeStatus:
        """The status that it has now. Of thousands that stay as they were, no copy is kept."""
        await self._around.statuses.write(Spoke, spoke.metadata, spoke.status, after)
        return spoke.status if after == spoke.status else after
