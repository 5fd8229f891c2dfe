"""One pass per hub at a time: a lease row whose fencing token every commit checks.

The token only grows, so a holder that slept through its lease can commit nothing; and before it
sends anything it asks here whether its lease outlives what it sends. Its own lease a holder
measures on the steady clock, which goes on while the process or the machine sleeps. Others judge
by the time of day, which is all that two machines share, and allow for clocks that differ.

A holder names its host, process and that process's start, so that a lease left behind by a process
that was killed on this very machine is taken over at once.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, bindparam, null, select, update

from cirahub_sync import steady
from cirahub_sync.errors import CirahubError, LeaseLostError, StoreError
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Prepared
from cirahub_sync.store.tables import hubs

_EXTEND = Prepared(
    update(hubs)
    .where(hubs.c.uid == bindparam("of_hub"), hubs.c.lease_token == bindparam("held"))
    .values(lease_expires=bindparam("until"))
)


_HELD = Prepared(
    select(hubs.c.lease_holder, hubs.c.lease_token, hubs.c.lease_expires).where(
        hubs.c.uid == bindparam("hub")
    )
)
_TAKE = Prepared(
    update(hubs)
    .where(
        hubs.c.uid == bindparam("of_hub"),
        # As it was read: two may do that at once, and the row is the first one's then.
        hubs.c.lease_token == bindparam("token"),
        hubs.c.lease_expires == bindparam("expires"),
    )
    .values(
        lease_holder=bindparam("holder"),
        lease_token=bindparam("next_token"),
        lease_expires=bindparam("until"),
    )
)
_RELEASE = Prepared(
    update(hubs)
    .where(hubs.c.uid == bindparam("of_hub"), hubs.c.lease_token == bindparam("held"))
    .values(lease_holder=null(), lease_expires=0.0)
)


class Clocks(NamedTuple):
    day: Callable[[], float] = time.time
    """The time of day, in POSIX seconds: what is written in the row."""
    steady: Callable[[], float] = steady.now
    """What a holder measures its own lease by."""


class LeaseHeldError(CirahubError):
    """Another pass over this hub is under way. `retry_after`: seconds until it is known whether
    its holder still lives."""

    reason = "PassUnderWay"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Lease:
    """A held lease. `check` in every write transaction verifies it, and the commit extends it."""

    def __init__(
        self, database: Database, hub: str, token: int, terms: LeaseTerms, clocks: Clocks
    ) -> None:
        self.hub = hub
        self.holder = new_holder()
        self.token = token
        self.terms = terms
        self._clocks = clocks
        self._database = database
        self._interruptions = database.interruptions
        self._until = clocks.steady() + terms.seconds

    def check(self, connection: Connection) -> float:
        """Until when it is held once the transaction is committed. Raises, and so rolls the
        transaction back, LeaseLostError if somebody else holds it, and StoreError if what the pass
        has committed may have been lost with a connection."""
        if self._interrupted:
            raise StoreError(
                f"hub {self.hub}: the connection to the database was lost while this pass was "
                "running; it stops, and the next one starts from what is there"
            )
        until = self._clocks.steady() + self.terms.seconds
        expires = self._clocks.day() + self.terms.seconds
        met = _EXTEND.run(connection, of_hub=self.hub, held=self.token, until=expires)
        if met != 1:
            self._until = float("-inf")
            raise LeaseLostError(
                f"hub {self.hub}: the lease was taken over while this pass was running; it stops, "
                "and the new holder goes on"
            )
        return until

    def extend(self, until: float) -> None:
        """The transaction that was checked is committed."""
        self._until = until

    def outlives(self, seconds: float) -> bool:
        """Whether a request that takes at most `seconds` would end within the lease."""
        return not self._interrupted and self._clocks.steady() + seconds < self._until

    @property
    def _interrupted(self) -> bool:
        return self._database.interruptions != self._interruptions


def acquire(database: Database, hub: str, terms: LeaseTerms, clocks: Clocks) -> Lease:
    """Raises LeaseHeldError while a living holder has it."""
    with database.write() as connection:
        (row,) = _HELD.rows(connection, hub=hub)
        left = row.lease_expires + terms.skew - clocks.day()
        if row.lease_holder and left > 0 and may_live(row.lease_holder):
            host = row.lease_holder.split("|")[0]
            raise LeaseHeldError(
                f"hub {hub}: another pass is under way (on {host}); this one is tried again later",
                retry_after=left,
            )
        lease = Lease(database, hub, row.lease_token + 1, terms, clocks)
        met = _TAKE.run(
            connection,
            of_hub=hub,
            token=row.lease_token,
            expires=row.lease_expires,
            holder=lease.holder,
            next_token=lease.token,
            until=clocks.day() + terms.seconds,
        )
        if met != 1:
            raise LeaseHeldError(
                f"hub {hub}: another pass has begun this moment; this one is tried again later",
                retry_after=terms.seconds + terms.skew,
            )
    _left.discard(row.lease_holder or "")
    return lease


_left: set[str] = set()
"""Holders of this process that could not be taken off their rows: their passes are over."""


def release(database: Database, lease: Lease) -> None:
    """Raises StoreError. This process takes the lease again all the same."""
    try:
        with database.write() as connection:
            _RELEASE.run(connection, of_hub=lease.hub, held=lease.token)
    except StoreError:
        _left.add(lease.holder)
        raise


def new_holder() -> str:
    pid = os.getpid()
    parts = (socket.gethostname(), str(pid), _started(pid) or "-", _realm(), uuid4().hex[:8])
    return "|".join(parts)


def may_live(holder: str) -> bool:
    """False only if the holder surely is dead: its process was of this machine, as we see it, and
    is no more; or it was ours, and its pass is over."""
    if holder in _left:
        return False
    parts = holder.split("|")
    if len(parts) != 5:
        return True
    host, pid, started, realm, _ = parts
    if host != socket.gethostname() or started == "-" or realm == "-" or realm != _realm():
        return True
    return _started(int(pid)) == started


def _realm() -> str:
    """Where a process id means what it means here: this boot of this machine, and this namespace
    of processes. Containers that share a host's name have one each. See proc(5) and
    pid_namespaces(7). `-` where there is no /proc."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot[:8]}.{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return "-"


def _started(pid: int) -> str | None:
    """A process's start time in clock ticks (proc(5), field 22); None if there is no such process,
    or no /proc."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()[19]
