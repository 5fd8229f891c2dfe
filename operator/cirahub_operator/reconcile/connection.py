"""Connections: whether signing in works, looked at when they change and from time to time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from cirahub_operator.api import Connection
from cirahub_operator.api.connection import ConnectionStatus
from cirahub_operator.cluster import Unparsable
from cirahub_operator.conditions import CREDENTIALS_EXPIRING
from cirahub_operator.events import EventType
from cirahub_operator.places import UnresolvedError
from cirahub_operator.problems import problem_of
from cirahub_operator.reconcile.backlog import Backlog, hub_key
from cirahub_operator.reconcile.held import Held
from cirahub_operator.reconcile.surroundings import Surroundings
from cirahub_operator.resolver import connection_config
from cirahub_operator.summary import IN_USE, Leaving, connection_status, invalid_status
from cirahub_operator.workqueue import Bell, Key, Result, backoff, jittered
from cirahub_sync.configuration import ConnectionConfig, ItemKind, Listed
from cirahub_sync.engine.report import Problem
from cirahub_sync.errors import CirahubError
from cirahub_sync.identity.base import SignIn
from cirahub_sync.needs import READS_CONTACTS, Needs

CHECKS = 4
"""Sign-in checks at the same time."""


@dataclass
class _Memory:
    config: ConnectionConfig | None = None
    handled: str | None = None
    result: SignIn | Problem | None = None
    """None: not looked at yet."""
    failures: int = 0
    needs: Needs = READS_CONTACTS
    """What was compared with what is granted."""
    counted: float = 0.0
    checked: float = 0.0
    due: float = 0.0
    """All three on the monotonic clock: when needs were counted and the sign-in was looked at, and
    when that is to be next."""

    @property
    def fine(self) -> bool:
        return isinstance(self.result, SignIn) and not self.result.missing


class ConnectionReconciler:
    def __init__(
        self, surroundings: Surroundings, backlog: Backlog, wake_hub: Callable[[Key, bool], None]
    ) -> None:
        """`wake_hub` takes a Hub's key and whether to interrupt a pass that runs."""
        self._around = surroundings
        self._backlog = backlog
        self._held = Held(surroundings, backlog, wake_hub)
        self._wake_hub = wake_hub
        self._memories: dict[Key, _Memory] = {}
        self._slots = asyncio.Semaphore(CHECKS)

    async def reconcile(self, key: Key, _: Bell) -> Result:
        cluster = self._around.cluster
        found = self._around.objects.get(Connection, key)
        if found is None:
            self._memories.pop(key, None)
            self._around.metrics.forget("Connection", key.namespace, key.name)
            await self._wake_hubs(key)
            return Result(gone=True)
        if found.metadata.deleting:
            return await self._leave(key, found)
        if isinstance(found, Unparsable):
            after = invalid_status(found, now=self._around.now())
            await self._around.statuses.write(Connection, found.metadata, found.status, after)
            await self._wake_hubs(key)
            return Result()
        if not await cluster.hold(Connection, found.metadata):
            return Result(gone=True)
        return await self._check(key, found)

    async def _check(self, key: Key, connection: Connection) -> Result:
        known = key in self._memories
        memory = self._memories.setdefault(key, _Memory())
        asked = connection.metadata.requested_at
        try:
            config = connection_config(connection, trust=self._around.trust)
        except UnresolvedError as error:
            self._memories[key] = _Memory(handled=asked, result=error.problem)
            self._around.metrics.credential_expires(key.namespace, key.name, None)
            await self._report(connection, error.problem, checked=False)
            await self._wake_hubs(key)
            return Result()
        changed = config != memory.config
        checked = changed or asked != memory.handled or time.monotonic() >= memory.due
        if changed:
            await self._wake_hubs(key, interrupt=known)
        # Spokes come by the thousand, and all of them are looked through.
        countable = memory.counted + self._around.timing.retry_first
        early = not checked and time.monotonic() < countable
        if not early:
            needs = await self._needs(key)
            checked = checked or needs != memory.needs
            memory.needs, memory.counted = needs, time.monotonic()
        if checked:
            before = memory.fine
            memory.result = await self._sign_in(config, memory.needs)
            memory.config, memory.handled = config, asked
            self._schedule(memory)
            await self._tell(connection, memory.result)
            if before != memory.fine:
                await self._wake_hubs(key)
        elif memory.result is not None:
            await self._report(connection, memory.result, checked=False)
        following = min(memory.due, countable) if early else memory.due
        return Result(after=max(0.0, following - time.monotonic()))

    def suspect(self, key: Key) -> bool:
        """A pass was refused: whether this Connection should be looked at now, out of turn. One
        that is known not to work is tried again anyway, and one that was checked a moment ago
        would tell nothing new."""
        memory = self._memories.get(key)
        if memory is None or not memory.fine:
            return False
        if time.monotonic() - memory.checked < self._around.timing.retry_first:
            return False
        memory.due = 0.0
        return True

    async def _sign_in(self, config: ConnectionConfig, needs: Needs) -> SignIn | Problem:
        async with self._slots:
            try:
                return await self._around.runner.check(config, needs=needs)
            except CirahubError as error:
                return problem_of(error)

    async def _needs(self, key: Key) -> Needs:
        """What Spokes do through it; before any does, as if they read contacts."""
        reads: set[ItemKind] = set()
        writes: set[ItemKind] = set()
        lists: set[Listed] = set()
        groups = mail_contacts = False
        async for spoke in self._around.objects.spokes_through(key):
            if spoke.spec.connection_ref.name == key.name:
                if spoke.spec.makes_mail_contacts:
                    mail_contacts = True
                elif spoke.spec.global_address_list is not None:
                    lists.update(spoke.spec.global_address_list.include)
                else:
                    reads.add(spoke.spec.item_kind)
                    if spoke.spec.direction.receives:
                        writes.add(spoke.spec.item_kind)
            groups = groups or key.name in spoke.spec.directories
            everything = len(writes) == len(ItemKind) and len(lists) == len(Listed)
            if groups and mail_contacts and everything:
                break
        profiles = False
        async for one in self._around.objects.sets_through(key):
            groups = groups or key.name in one.spec.directories
            if one.spec.connection_ref.name == key.name:
                reads.add(one.spec.item_kind)
                if one.spec.template.direction.receives:
                    writes.add(one.spec.item_kind)
                groups = groups or one.spec.asks_for_groups
                profiles = profiles or one.spec.members.filter is not None
        if not (reads or groups or lists or mail_contacts):
            return READS_CONTACTS
        return Needs(
            frozenset(reads),
            frozenset(writes),
            groups,
            frozenset(lists),
            profiles=profiles,
            mail_contacts=mail_contacts,
        )

    async def _tell(self, connection: Connection, result: SignIn | Problem) -> None:
        """After a check."""
        after = await self._report(connection, result, checked=True)
        metadata = connection.metadata
        expiry = after.credential_expiry_time
        self._around.metrics.credential_expires(
            metadata.namespace, metadata.name, None if expiry is None else expiry.timestamp()
        )
        expiring = after.condition(CREDENTIALS_EXPIRING)
        if expiring is not None:
            await self._around.events.record(
                Connection,
                metadata,
                type=EventType.WARNING,
                reason=CREDENTIALS_EXPIRING,
                note=expiring.message,
                action="SignIn",
            )

    def _schedule(self, memory: _Memory) -> None:
        timing, result = self._around.timing, memory.result
        if memory.fine:
            memory.failures = 0
            wait = jittered(timing.check_interval, timing)
        elif result.stalled if isinstance(result, Problem) else not (result and result.settling):
            # Somebody has to mend it where we don't see it: a secret, a consent.
            wait = jittered(timing.retry_most, timing)
        else:
            memory.failures += 1
            asked = result.retry_after if isinstance(result, Problem) else None
            wait = max(backoff(memory.failures, timing), asked or 0.0)
        memory.checked = time.monotonic()
        memory.due = memory.checked + wait

    async def _report(
        self, connection: Connection, result: SignIn | Problem | Leaving, *, checked: bool
    ) -> ConnectionStatus:
        after = connection_status(
            connection,
            result,
            now=self._around.now(),
            checked=checked,
            expiry_warning=self._around.timing.expiry_warning,
            origins=self._around.origins,
        )
        await self._around.statuses.write(Connection, connection.metadata, connection.status, after)
        return after

    async def _leave(self, key: Key, found: Connection | Unparsable) -> Result:
        """Held while something that is leaving still needs it to erase what it left behind."""
        metadata = found.metadata
        if not metadata.held:
            return Result()
        need = await self._held.need(metadata)
        if need is not None and not need.over:
            if isinstance(found, Connection):
                await self._report(found, Leaving(IN_USE, need.message), checked=False)
            return Result(after=need.after)
        deleted = metadata.deletion_timestamp
        age = (self._around.now() - deleted).total_seconds() if deleted else 0.0
        if age < self._around.timing.release_delay:
            return Result(after=self._around.timing.release_delay - age)
        if need is not None:
            await self._around.give_up(Connection, metadata, need.why)
        await self._around.cluster.release(Connection, metadata)
        return Result()

    async def _wake_hubs(self, key: Key, *, interrupt: bool = False) -> None:
        leaving = {hub_key(job) for job in self._backlog.through(str(key))}
        for hub in sorted(leaving.union(self._around.objects.hubs_through(key))):
            self._wake_hub(hub, interrupt)
