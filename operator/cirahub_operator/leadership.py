"""Leader election: of the operators that share a Lease, one serves and the others stand by.

A Lease that somebody else holds is judged by how long *we* have seen it unchanged, on our own
steady clock: the times that are written in it are another machine's, and never compared. Our own
holding counts from before the request that renewed it, so that it ends for us before it can end
for anybody else. Every change is conditional on the resourceVersion.

Why not `kubernetes.aio.leaderelection`: docs/decisions/2026-11-23-leader-election.md.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import random
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from cirahub_operator.errors import (
    ClusterConflictError,
    ClusterUnreachableError,
    LeadershipLostError,
    OperatorError,
)
from cirahub_operator.leases import LeaseObject, LeaseRecord
from cirahub_operator.settings import LEASE_SPREAD, LeaseTiming
from cirahub_sync import steady
from cirahub_sync.errors import LeaseLostError

logger = logging.getLogger(__name__)

WATCHDOG_PERIOD = 0.25


class Leadership:
    """One candidate. Belongs to one event loop; `check` may be called from any thread."""

    def __init__(
        self,
        lease: LeaseObject,
        *,
        timing: LeaseTiming,
        serves: str = "",
        identity: str = "",
        clock: Callable[[], float] = steady.now,
    ) -> None:
        self.identity = identity or f"{socket.gethostname()}_{os.getpid()}_{secrets.token_hex(4)}"
        self._lease = lease
        self._timing = timing
        self._serves = serves
        self._clock = clock
        self._record: LeaseRecord | None = None
        """The Lease as it was seen last."""
        self._unchanged_since = 0.0
        self._renewed = -math.inf
        self._taken = math.inf
        """When it was seen that somebody else holds the Lease, before its time."""
        self._warned = ""

    @property
    def until(self) -> float:
        """On the steady clock: until then nobody else can lead. In the past if we don't."""
        return min(self._taken, self._renewed + self._timing.duration)

    @property
    def overdue(self) -> bool:
        """Whether this process should have ended by now. When the Lease is taken there is as much
        time for it as there is between the last renewal that may fail and the Lease's end."""
        time = self._timing
        grace = time.duration - time.renew_deadline
        return self._clock() >= min(self._taken + grace, self._renewed + time.duration)

    @property
    def lost(self) -> str:
        """What to say when the Lease is over."""
        return (
            f"{self._lease} is not held any more; another operator may serve by now, so this one "
            "sends nothing"
        )

    def check(self) -> None:
        """Raises LeaseLostError unless we surely lead now."""
        if self._clock() >= self.until:
            raise LeaseLostError(self.lost)

    async def acquire(self) -> None:
        """Wait until we lead. Raises PermissionMissingError and other refusals."""
        while True:
            if await self._tried():
                break
            await asyncio.sleep(self._pause())
        logger.info("%s is ours (%s): this operator leads", self._lease, self.identity)

    async def keep(self) -> None:
        """Renew, for as long as that succeeds. Raises LeadershipLostError."""
        while True:
            await asyncio.sleep(self._pause())
            await self._renew()

    async def release(self) -> None:
        """Let the next one begin at once. Only when nothing of ours is under way any more."""
        left = self.until - self._clock()
        if self._record is None or left <= 0:
            return
        self._renewed = -math.inf
        now = datetime.now(UTC)
        free = replace(self._record, holder="", duration=1, acquired=now, renewed=now, serves="")
        try:
            async with asyncio.timeout(min(left, self._timing.renew_deadline)):
                await self._lease.write(free)
        except (OperatorError, TimeoutError) as error:
            logger.warning(
                "%s could not be released (%s); it runs out in %.0f s",
                self._lease, error or "no answer", self._timing.duration,
            )  # fmt: skip
        else:
            logger.info("%s is released", self._lease)

    async def _tried(self) -> bool:
        """Whether we lead now. A Lease that can't be looked at is nobody's, so far."""
        try:
            async with asyncio.timeout(self._timing.renew_deadline):
                return await self._try()
        except ClusterConflictError:
            logger.debug("%s went to another one just now", self._lease)
        except (ClusterUnreachableError, TimeoutError) as error:
            self._warn(f"{self._lease} cannot be looked at: {error or 'no answer'}; trying again")
        return False

    async def _try(self) -> bool:
        found = await self._lease.read()
        now = self._clock()
        if found is None:
            self._won(await self._lease.write(self._ours(None)), now)
            return True
        if self._record is None or found.version != self._record.version:
            self._record, self._unchanged_since = found, now
        if found.holder and now < self._unchanged_since + found.duration:
            self._stand_by(found)
            return False
        self._won(await self._lease.write(self._ours(found)), now)
        return True

    def _won(self, record: LeaseRecord, asked: float) -> None:
        self._record, self._renewed = record, asked

    def _stand_by(self, found: LeaseRecord) -> None:
        if found.serves != self._serves:
            self._warn(
                f"{self._lease} is held by {found.holder}, which serves {found.serves or 'all'} "
                f"and not {self._serves or 'all'}: if it is not to take turns with this operator, "
                "give one of them another --lease-name"
            )
        else:
            self._warn(f"{self._lease} is held by {found.holder}: standing by", logging.INFO)

    def _warn(self, text: str, level: int = logging.WARNING) -> None:
        """Once, until there is something else to say."""
        if text != self._warned:
            self._warned = text
            logger.log(level, "%s", text)

    async def _renew(self) -> None:
        while True:
            now = self._clock()
            left = self._renewed + self._timing.renew_deadline - now
            if left <= 0:
                raise LeadershipLostError(
                    f"{self._lease} could not be renewed for {now - self._renewed:.0f} s: another "
                    "operator may take it; this one ends"
                )
            try:
                # Half of it, so that a connection that hangs leaves time for another.
                async with asyncio.timeout(min(left, self._timing.renew_deadline / 2)):
                    self._won(await self._lease.write(self._ours(self._record)), now)
            except ClusterConflictError:
                await self._look_again()
            except (OperatorError, TimeoutError) as error:
                self._warn(f"{self._lease} is not renewed: {error or 'no answer'}; trying again")
            else:
                self._warned = ""
                return
            await asyncio.sleep(min(self._pause(), max(0.0, left)))

    async def _look_again(self) -> None:
        """Somebody changed the Lease: our own renewal whose answer was lost, a person who put a
        label on it, or another operator who took it."""
        try:
            async with asyncio.timeout(self._timing.renew_deadline / 2):
                found = await self._lease.read()
        except (OperatorError, TimeoutError) as error:
            self._warn(f"{self._lease} cannot be read: {error or 'no answer'}; trying again")
            return
        if found is None:
            # Deleted. Whoever makes it anew has it, and that may be us.
            self._record = None if self._record is None else replace(self._record, version="")
        elif found.holder != self.identity:
            self._taken = self._clock()
            raise LeadershipLostError(
                f"{self._lease} was taken by {found.holder or 'nobody'}; this operator ends"
            )
        else:
            self._record = found

    def _ours(self, before: LeaseRecord | None) -> LeaseRecord:
        now = datetime.now(UTC)
        kept = before is not None and before.holder == self.identity
        return LeaseRecord(
            holder=self.identity,
            duration=int(self._timing.duration),
            transitions=0 if before is None else before.transitions + (not kept),
            acquired=before.acquired if before is not None and kept else now,
            renewed=now,
            serves=self._serves,
            version=before.version if before is not None else "",
        )

    def _pause(self) -> float:
        return self._timing.retry_period * (1 + LEASE_SPREAD * random.random())  # noqa: S311 (no secret)


class Watchdog:
    """Ends the process if it still runs when its leadership is over: a thread of its own, so that
    neither a loop that hangs nor an orderly end that takes too long keeps two of us alive."""

    def __init__(self, leadership: Leadership, end: Callable[[int], object] = os._exit) -> None:
        self._leadership = leadership
        self._end = end
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(WATCHDOG_PERIOD):
            if self._leadership.overdue:
                logger.critical("%s; the process ends now", self._leadership.lost)
                logging.shutdown()
                self._end(1)
                return
