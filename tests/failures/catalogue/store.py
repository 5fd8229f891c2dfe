"""What goes wrong with the operator's own store."""

from __future__ import annotations

import base64
import resource
import secrets
import shutil
import sqlite3
import time
from pathlib import Path

from sqlalchemy.engine import make_url
from tests.failures.catalogue.outcome import STAFF, contoso, staff
from tests.failures.running import Start
from tests.failures.situation import RECONCILING, STALLED, Situation
from tests.failures.town import Town

from cirahub_operator.resolver import lasting_uid
from cirahub_sync.store import backend
from cirahub_sync.store.lease import LeaseHeldError
from cirahub_sync.store.opening import Store

RETRIED = "Tried again with growing pauses, of five minutes at most."


def _other_key() -> bytes:
    return base64.b64encode(secrets.token_bytes(32))


def _database(start: Start) -> Path:
    return Path(make_url(start.database).database or "")


async def _applied(town: Town) -> None:
    await town.stage.apply(town.federated(), town.hub(), town.ann(), town.bob())


async def _without_key(town: Town) -> Start:
    return town.start.but(key_file=town.start.key_file.with_name("key-elsewhere"))


async def _key_found(town: Town) -> None:
    shutil.copy(town.start.key_file, town.operator.start.key_file)


async def _with_other_key(town: Town) -> Start:
    """The store is there already, written under the right key."""
    Store.open(town.start.database, town.start.key_file, time.time).close()
    other = town.start.key_file.with_name("key-elsewhere")
    other.write_bytes(_other_key())
    return town.start.but(key_file=other)


async def _on_a_folder(town: Town) -> Start:
    """Where the database should be is something that is none."""
    _database(town.start).mkdir()
    return town.start


async def _out_of_the_way(town: Town) -> None:
    _database(town.start).rmdir()


async def _as_it_is(town: Town) -> Start:
    return town.start


async def _disk_full(town: Town) -> None:
    """No file of this process may grow beyond what the store's have now."""
    await town.well()
    folder = _database(town.operator.start).parent
    size = max(one.stat().st_size for one in folder.iterdir())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    town.at_the_end(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 4096, before[1]))
    many = [town.person(number) for number in range(100, 1600)]
    town.admin.import_contacts(town.mailboxes["ann"], many)


async def _disk_enlarged(town: Town) -> None:
    town.clean_up()


async def _held(town: Town) -> None:
    """By another process that has the same store open."""
    await town.well()
    start = town.operator.start
    store = Store.open(start.database, start.key_file, time.time)
    town.at_the_end(store.close)
    hub = store.hub(lasting_uid("Hub", f"{town.namespace}/staff"))

    def acquired() -> bool:
        try:
            hub.acquire()
        except LeaseHeldError:
            return False  # a pass of the operator's is running
        return True

    await town.until(acquired, lambda: "the operator never rests")
    town.at_the_end(hub.release)


async def _soon_impatient(town: Town) -> Start:
    """A lock is waited for half a minute, and less here."""
    usual = backend.LOCK_TIMEOUT_MS
    town.at_the_end(lambda: setattr(backend, "LOCK_TIMEOUT_MS", usual))
    backend.LOCK_TIMEOUT_MS = 2000
    return town.start


async def _locked_for_long(town: Town) -> None:
    await town.well()
    path = _database(town.operator.start)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    town.at_the_end(other.close)

    def locked() -> bool:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False  # a transaction of the operator's is under way
        return True

    await town.until(locked, lambda: "the operator never rests")


async def _released(town: Town) -> None:
    town.clean_up()


SITUATIONS = (
    Situation(
        id="key-missing",
        happens="The file with the key that opens the store is not there.",
        start=_without_key,
        cause=_applied,
        seen=staff("KeyUnavailable"),
        goes_with=STALLED,
        names="key file .*/key-elsewhere",
        remedy="restore it",
        also=(contoso("KeyUnavailable"),),
        do="Restore the Secret that holds it and its mount. The store is left alone meanwhile.",
        mend=_key_found,
        recovers=RETRIED,
        after=STAFF,
    ),
    Situation(
        id="key-wrong",
        happens="The key is not the one that the store was written under.",
        start=_with_other_key,
        cause=_applied,
        seen=staff("KeyUnavailable"),
        goes_with=STALLED,
        names="the key-encryption key is not the one this store was written under",
        remedy="give the right --key-file",
        also=(contoso("KeyUnavailable"),),
        do="Give it the right one, of the same backup as the database. Nothing was changed.",
        mend=_key_found,
        recovers=RETRIED,
        after=STAFF,
    ),
    Situation(
        id="database-unusable",
        happens="The database can't be opened: out of reach, not writable, damaged or no database.",
        start=_on_a_folder,
        cause=_applied,
        seen=staff("StoreUnavailable"),
        goes_with=RECONCILING,
        names="the database \\(sqlite\\) cannot be opened",
        remedy="check that it is reachable, writable and not damaged",
        also=(contoso("StoreUnavailable"),),
        do="Look at the volume or the database server.",
        mend=_out_of_the_way,
        recovers=RETRIED,
        after=STAFF,
    ),
    Situation(
        id="disk-full",
        happens="The disk that the store is on is full.",
        start=_as_it_is,
        cause=_disk_full,
        seen=staff("StoreUnavailable"),
        goes_with=RECONCILING,
        names="the database refused a transaction",
        remedy="Check that it is reachable and its disk writable, with room left",
        do="Make room, or enlarge the volume. Every transaction is whole or not at all.",
        mend=_disk_enlarged,
        recovers=RETRIED,
        after=STAFF,
    ),
    Situation(
        id="hub-held-by-another",
        happens="Another process (`cirahub pass`, a second operator) works on the Hub's store.",
        start=_as_it_is,
        cause=_held,
        seen=staff("PassUnderWay"),
        goes_with=RECONCILING,
        names="another pass is under way \\(on [^)]+\\)",
        remedy="this one is tried again later",
        do="Nothing, if it is meant; else end the other one. A lease that its process left behind "
        "ends after a minute.",
        mend=_released,
        recovers=RETRIED,
        after=STAFF,
    ),
    Situation(
        id="database-locked",
        happens="Another process keeps the SQLite database locked: a backup, an open shell.",
        start=_soon_impatient,
        cause=_locked_for_long,
        seen=staff("StoreUnavailable"),
        goes_with=RECONCILING,
        names="the database is locked by another process",
        remedy="See what keeps it .* and end that",
        do="End what keeps it locked. To copy the database, use `VACUUM INTO` or SQLite's backup, "
        "which lock nobody out.",
        mend=_released,
        recovers=RETRIED,
        after=STAFF,
    ),
)
