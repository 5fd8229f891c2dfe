"""One pass per hub at a time: a lease row whose fencing token every commit checks.

A holder names its host, process and that process's start time, so that a lease left behind by a
process that was killed on this very host is taken over at once; from another host, when it has
expired. The token only grows, so a holder that slept through its lease can commit nothing.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, select, update

from cirahub_sync.errors import CirahubError, LeaseLostError
from cirahub_sync.store.database import Database
from cirahub_sync.store.tables import hubs

LEASE_SECONDS = 60.0


class LeaseHeldError(CirahubError):
    """Another pass over this hub is under way."""

    reason = "PassUnderWay"


class Lease:
    """A held lease. `check` in every write transaction both verifies and extends it."""

    def __init__(self, hub: str, holder: str, token: int, clock: Callable[[], float]) -> None:
        self.hub = hub
        self.holder = holder
        self.token = token
        self._clock = clock
        self._expires = clock() + LEASE_SECONDS

    def check(self, connection: Connection) -> None:
        """Raises LeaseLostError, and so rolls the transaction back, if somebody else holds it."""
        expires = self._clock() + LEASE_SECONDS
        done = connection.execute(
            update(hubs)
            .where(hubs.c.uid == self.hub, hubs.c.lease_token == self.token)
            .values(lease_expires=expires)
        )
        if done.rowcount != 1:
            raise LeaseLostError(
                f"hub {self.hub}: the lease was taken over while this pass was running; it stops, "
                "and the new holder goes on"
            )
        self._expires = expires

    def outlives(self, seconds: float) -> bool:
        """Whether a request that takes at most `seconds` would end within the lease."""
        return self._clock() + seconds < self._expires


def acquire(database: Database, hub: str, clock: Callable[[], float]) -> Lease:
    """Raises LeaseHeldError while a living holder has it."""
    holder = _holder()
    with database.write() as connection:
        row = connection.execute(
            select(hubs.c.lease_holder, hubs.c.lease_token, hubs.c.lease_expires).where(
                hubs.c.uid == hub
            )
        ).one()
        if row.lease_holder and row.lease_expires > clock() and _alive(row.lease_holder):
            raise LeaseHeldError(
                f"hub {hub}: another pass is under way (on {row.lease_holder.split('|')[0]}); "
                "this one is tried again later"
            )
        token = row.lease_token + 1
        connection.execute(
            update(hubs)
            .where(hubs.c.uid == hub)
            .values(lease_holder=holder, lease_token=token, lease_expires=clock() + LEASE_SECONDS)
        )
    return Lease(hub, holder, token, clock)


def release(database: Database, lease: Lease) -> None:
    with database.write() as connection:
        connection.execute(
            update(hubs)
            .where(hubs.c.uid == lease.hub, hubs.c.lease_token == lease.token)
            .values(lease_holder=None, lease_expires=0.0)
        )


def _holder() -> str:
    pid = os.getpid()
    return "|".join((socket.gethostname(), str(pid), _started(pid) or "-", uuid4().hex[:8]))


def _alive(holder: str) -> bool:
    """False only if the holder surely is dead: a process of this host that is no more."""
    host, pid, started, _ = holder.split("|")
    if host != socket.gethostname() or started == "-":
        return True
    return _started(int(pid)) == started


def _started(pid: int) -> str | None:
    """A process's start time in clock ticks with the boot's id (proc(5), field 22); None if there
    is no such process, or no /proc."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    return f"{boot[:8]}.{text.rpartition(')')[2].split()[19]}"


def now() -> float:
    return time.time()
