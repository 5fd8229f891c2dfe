"""What a deleted Connection is held for: something that leaves and is to be erased through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cirahub_operator.api import Hub
from cirahub_operator.api.meta import ERASE, ERASE_NOW, Metadata
from cirahub_operator.departures import stamp, who
from cirahub_operator.reconcile.backlog import Backlog, hub_key
from cirahub_operator.reconcile.haste import Haste
from cirahub_operator.reconcile.surroundings import Surroundings
from cirahub_operator.resolver import lasting_uid
from cirahub_operator.workqueue import Key
from cirahub_sync.erasure import Erasure

NAMED = 5
"""What a message names."""
POLL = 2.0
"""Seconds between looks at whether it is still needed, while something is being erased."""
GRACE_POLL = 30.0
"""The same while something is in its grace period: whoever comes back does not tell us."""


@dataclass(frozen=True)
class Need:
    message: str
    after: float
    """Seconds until the next look."""
    why: str
    """For the warning when it is let go all the same."""
    over: bool
    """Whether it has been held long enough."""


class Held:
    def __init__(
        self, surroundings: Surroundings, backlog: Backlog, wake_hub: Callable[[Key, bool], None]
    ) -> None:
        self._around = surroundings
        self._backlog = backlog
        self._wake_hub = wake_hub
        self._haste = Haste(surroundings.cluster)

    async def need(self, metadata: Metadata) -> Need | None:
        """What a Connection that is being deleted is held for; None if for nothing."""
        jobs = [job for job in await self._backlog.open() if metadata.key in job.connections]
        names = await self._unrecorded(metadata, jobs)
        if not jobs and not names:
            return None
        ending = await self._haste.terminating(metadata.namespace)
        hurried = ending or metadata.erase_now
        now = self._around.now().timestamp()
        begun = metadata.deletion_timestamp
        deleted = now if begun is None else begun.timestamp()
        starts = [deleted if names else 0.0, *(_start(job, now, hurried) for job in jobs)]
        limit = (deleted if ending else max(deleted, *starts)) + self._around.timing.erase_timeout
        if hurried:
            for job in jobs:
                if job.started_at is None:
                    self._wake_hub(hub_key(job), False)
        waiting = not hurried and not names and max(starts) > now
        held = [*names, *map(who, jobs)]
        return Need(
            message=_message(metadata, held, limit, max(starts) if waiting else None),
            after=max(0.1, min(GRACE_POLL if waiting else POLL, limit - now)),
            why=f"still to be erased through it: {', '.join(held[:NAMED])}",
            over=now >= limit,
        )

    async def _unrecorded(self, metadata: Metadata, jobs: list[Erasure]) -> list[str]:
        """Spokes and SpokeSets that are leaving, or whose Hub is, and lead through the Connection,
        and of which the store does not know yet."""
        objects = self._around.objects
        key = Key(metadata.namespace, metadata.name)
        hubs = {one: objects.get(Hub, one) for one in objects.hubs_through(key)}
        leaving = {
            str(one)
            for one, hub in hubs.items()
            if hub is not None and hub.metadata.deleting and hub.metadata.held
        }
        recorded = {job.id for job in jobs} | {job.name for job in jobs if job.whole_hub}
        found = []
        async for one in objects.spokes_through(key):
            hub = f"{one.hub_namespace}/{one.spec.hub_ref.name}"
            leaves = one.metadata.held and (one.metadata.deleting or hub in leaving)
            leaves = leaves and one.spec.connection_ref.name == key.name
            if leaves and not {one.metadata.uid, hub} & recorded:
                found.append(f"Spoke {one.metadata.name}")
        recorded |= {job.set for job in jobs}
        async for each in objects.sets_through(key):
            hub = f"{each.hub_namespace}/{each.spec.hub_ref.name}"
            leaves = each.metadata.held and (each.metadata.deleting or hub in leaving)
            leaves = leaves and each.synced and each.spec.connection_ref.name == key.name
            if leaves and not {lasting_uid("SpokeSet", each.metadata.key), hub} & recorded:
                found.append(f"SpokeSet {each.metadata.name}")
        return found


def _start(job: Erasure, now: float, hurried: bool) -> float:
    if job.started_at is not None:
        return min(job.erase_at, job.started_at)
    return min(job.erase_at, now) if hurried else job.erase_at


def _message(metadata: Metadata, held: list[str], limit: float, grace: float | None) -> str:
    names = ", ".join(held[:NAMED])
    if len(held) > NAMED:
        names += f" and {len(held) - NAMED} others"
    message = (
        f"held until {names} {'is' if len(held) == 1 else 'are'} erased, "
        f"at most until {stamp(limit)}"
    )
    if grace is None:
        return message
    return (
        f"{message}; the grace period ends at {stamp(grace)}; to erase now: kubectl annotate "
        f"connection {metadata.name} -n {metadata.namespace} {ERASE}={ERASE_NOW}"
    )
