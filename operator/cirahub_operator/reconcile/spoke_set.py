"""SpokeSets: their conditions. Called by the Hub that they name."""

from __future__ import annotations

from cirahub_operator.api import SpokeSet
from cirahub_operator.api.spoke_set import SpokeSetStatus
from cirahub_operator.cluster import Unparsable
from cirahub_operator.conditions import MEMBERS_GUARDED
from cirahub_operator.events import EventType
from cirahub_operator.reconcile.surroundings import Surroundings
from cirahub_operator.resolver import lasting_uid
from cirahub_operator.set_summary import set_status, set_synced
from cirahub_operator.summary import Leaving, invalid_status
from cirahub_sync.engine.report import PassReport, Problem


class SpokeSetReconciler:
    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings

    async def report(self, one: SpokeSet, result: Problem | Leaving) -> SpokeSetStatus:
        """Write the conditions of a set that takes part in no pass."""
        return await self._write(one, set_status(one, result, now=self._around.now()))

    async def synced(self, one: SpokeSet, report: PassReport) -> SpokeSetStatus:
        """Write what a pass says of a set: one status, however many its members are."""
        result = report.sets.get(lasting_uid("SpokeSet", one.metadata.key))
        if result is None:
            if report.problem is None:
                return one.status
            problem = report.problem
            message = f"Hub {one.spec.hub_ref.name}: {problem.message}"
            return await self.report(one, Problem(problem.reason, message, problem.stalled))
        after = set_synced(one, result, report=report, now=self._around.now())
        status = await self._write(one, after)
        await self._tell(one, after)
        return status

    async def invalid(self, found: Unparsable) -> None:
        """A set that does not fit our models is said to, and when deleted held only so long."""
        if found.metadata.deleting:
            if self._around.overdue(found.metadata):
                await self._around.give_up(SpokeSet, found.metadata, found.why)
                await self._around.cluster.release(SpokeSet, found.metadata)
            return
        after = invalid_status(found, now=self._around.now())
        await self._around.statuses.write(SpokeSet, found.metadata, found.status, after)

    async def _tell(self, one: SpokeSet, after: SpokeSetStatus) -> None:
        """That members are held back, once of those."""
        guarded = after.condition(MEMBERS_GUARDED)
        if guarded is not None and after.approval != one.status.approval:
            await self._around.events.record(
                SpokeSet,
                one.metadata,
                type=EventType.WARNING,
                reason=MEMBERS_GUARDED,
                note=guarded.message,
                action="Sync",
            )

    async def _write(self, one: SpokeSet, after: SpokeSetStatus) -> SpokeSetStatus:
        await self._around.statuses.write(SpokeSet, one.metadata, one.status, after)
        return after
