"""The merge beside a bare `executemany` of the rows that it wrote, in one run on one disk.

A contributing mailbox's items are staged; they are merged at first sight, and once more with a
field changed in each. Then the rows that this left in the store (items, match keys, shadows, what
was there before the change) are written to another database of the same schema and settings, in
transactions of the same size, by the driver alone: nothing is read, decided, encoded or sealed.
Both are repeated, alternating. What counts is the ratio of the rates, by the clock and of the
processor, and the peak memory of the merging process; `benchmarks/memory.py` has that of whole
passes.

    python benchmarks/merge.py [--items N] [--rounds R]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from cirahub_sync.configuration import (
    ClientSecretAuth,
    ConnectionConfig,
    Direction,
    HubConfig,
    MailboxTarget,
    SecretFile,
    SpokeConfig,
)
from cirahub_sync.endpoints.base import Endpoint
from cirahub_sync.engine.chunk import CHUNK
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.merge import merge
from cirahub_sync.engine.registration import register
from cirahub_sync.model.contact import (
    AddressKind,
    Contact,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)
from cirahub_sync.store.database import Database
from cirahub_sync.store.opening import Store
from cirahub_sync.store.rows import Cursor, Staged, StagedKind
from figures import Figures, options

FIRST = ("items", "match_keys", "shadows")
CHANGED = ("items", "shadows", "earlier")
TABLES = (*FIRST, "earlier")
PAGE = 1000


def people(count: int, *, edited: bool) -> Iterator[Staged]:
    """A name, two addresses of mail, two phones, a company and its office: the usual contact."""
    for number in range(count):
        yield Staged(
            remote=f"AAMkADk{number:0120d}",
            kind=StagedKind.ITEM,
            etag=f"{int(edited)}-{number}",
            created=1_700_000_000.0 + number,
            modified=1_700_000_000.0 + number + int(edited),
            content=Contact(
                display_name=f"Given{number} Surname{number}",
                given_name=f"Given{number}",
                surname=f"Surname{number}",
                company=f"Company {number % 997}",
                job_title="Director" if edited else "Engineer",
                emails=(
                    Email(f"given{number}@contoso.example", f"Given{number} Surname{number}"),
                    Email(f"g.surname{number}@fabrikam.example", ""),
                ),
                phones=(
                    Phone(PhoneKind.BUSINESS, f"+4930{number:07d}"),
                    Phone(PhoneKind.MOBILE, f"+49170{number:07d}"),
                ),
                addresses=(
                    PostalAddress(
                        AddressKind.BUSINESS, "1 High Street", "Berlin", "", "10115", "Germany"
                    ),
                ),
            ),
        )


class Spent(NamedTuple):
    """In seconds: by the clock, and of the processor."""

    wall: float
    processor: float

    @classmethod
    def now(cls) -> Spent:
        return cls(time.perf_counter(), time.process_time())

    def until_now(self) -> Spent:
        wall, processor = self.now()
        return Spent(wall - self.wall, processor - self.processor)


class Town:
    """A store with one hub and one contributing spoke; nothing is behind the spoke's mailbox."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "store.sqlite3"
        key = folder / "key"
        key.write_bytes(base64.b64encode(os.urandom(32)))
        self.store = Store.open(f"sqlite:///{self.path}", key, time.time)
        self._hub = HubConfig(uid="hub", name="bench/hub")
        self._spoke = SpokeConfig(
            uid="spoke",
            name="bench/spoke",
            connection=ConnectionConfig(
                uid="connection",
                name="bench/connection",
                auth=ClientSecretAuth("tenant", "client", secret=SecretFile("nobody")),
            ),
            target=MailboxTarget("mailbox@contoso.example", ""),
            direction=Direction.CONTRIBUTE,
        )

    def merge(self, rows: Iterator[Staged]) -> Spent:
        """Stage the rows, and merge them: what the merging took."""
        run = SpokeRun(self._spoke)
        context = PassContext(
            hub=self._hub,
            runs=[run],
            store=self.store.hub(self._hub.uid),
            open_endpoint=_nobody,
            installation="bench",
            clock=time.time,
            progress=None,
            verified=set(),
        )
        context.store.acquire()
        try:
            register(context)
            while page := [row for _, row in zip(range(PAGE), rows, strict=False)]:
                with context.store.write() as tx:
                    tx.staging.add(run.uid, page)
            with context.store.write() as tx:
                tx.cursors.put(run.uid, Cursor(staged="delta"))
            began = Spent.now()
            asyncio.run(merge(context, [run]))
            spent = began.until_now()
            assert run.report.problem is None, run.report.problem
        finally:
            context.store.release()
        return spent

    def written(self) -> dict[str, list[tuple[object, ...]]]:
        """What the tables hold, by table."""
        with sqlite3.connect(self.path) as connection:
            return {
                table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES
            }


async def _nobody(*_: object) -> Endpoint:
    raise AssertionError("a merge asks no mailbox")


def bare(folder: Path, rows: dict[str, list[tuple[object, ...]]], *, changed: bool) -> Spent:
    """What the driver alone takes for the rows: into empty tables, or, `changed`, over
    rows with the same keys, the match keys staying as they are."""
    url = f"sqlite:///{folder / 'bare.sqlite3'}"
    database = Database.open(url)
    with database.write() as connection:
        for table in ("hubs", "spokes"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        connection.exec_driver_sql(
            "INSERT INTO hubs (uid, wrapped_key, key_version, seq, lease_token, lease_expires) "
            "VALUES ('hub', '', 1, 0, 0, 0)"
        )
        connection.exec_driver_sql(
            "INSERT INTO spokes (uid, hub, rank, place, contributes_key, receives_key, mark, "
            "verified_at) VALUES ('spoke', 'hub', 0, '', '', '', 0, 0)"
        )
    raw = database.engine.raw_connection()
    cursor = raw.cursor()
    statements = {
        table: f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(found[0]))})"
        for table, found in rows.items()
    }

    def write(tables: Sequence[str]) -> Spent:
        began = Spent.now()
        for start in range(0, len(rows["items"]), CHUNK):
            cursor.execute("BEGIN IMMEDIATE")
            for table in tables:
                each = len(rows[table]) // len(rows["items"])
                cursor.executemany(
                    statements[table], rows[table][start * each : (start + CHUNK) * each]
                )
            cursor.execute("COMMIT")
        return began.until_now()

    spent = write(FIRST)
    if changed:
        spent = write(CHANGED)
    cursor.close()
    raw.close()
    database.close()
    return spent


def measured(count: int) -> dict[str, tuple[float, float]]:
    """Of one round, as in Spent; the peak in MB."""
    with tempfile.TemporaryDirectory(prefix="cirahub-bench-") as name:
        town = Town(Path(name))
        first = town.merge(people(count, edited=False))
        changed = town.merge(people(count, edited=True))
        town.store.close()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        figures: dict[str, tuple[float, float]] = {
            "first": first,
            "changed": changed,
            "peak": Spent(peak, 0),
        }
        rows = town.written()
        assert len(rows["items"]) == len(rows["shadows"]) == count
        for kind in ("first", "changed"):
            with tempfile.TemporaryDirectory(dir=name) as other:
                figures[f"bare {kind}"] = bare(Path(other), rows, changed=kind == "changed")
    return figures


def alone(count: int) -> dict[str, tuple[float, float]]:
    """In a process of its own: the peak of one is not the next one's."""
    command = [sys.executable, __file__, "--one", "--items", str(count)]
    return dict(msgspec.json.decode(subprocess.check_output(command)))


def main() -> int:
    parser = options(__doc__ or "")
    parser.add_argument("--items", type=int, default=30_000, help="items in the mailbox")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(msgspec.json.encode(measured(asked.items)).decode())
        return 0
    found = Figures("engine", asked)
    print(f"{asked.items:,} items, {asked.rounds} rounds:")
    rounds = [alone(asked.items) for _ in range(asked.rounds)]
    for kind, called in (("first", "first sight"), ("changed", "a field changed")):
        for index, clock in enumerate(("wall", "CPU")):
            ours, floor = ([one[name][index] for one in rounds] for name in (kind, f"bare {kind}"))
            for whose, seconds in (("ours", ours), ("bare", floor)):
                each = (1e6 * one / asked.items for one in seconds)
                found.one(f"{called}, {clock}, {whose}, µs an item", *each)
            ratios = (a / b for a, b in zip(ours, floor, strict=True))
            found.one(f"{called}, {clock}, ours / bare", *ratios)
    found.one(f"{asked.items:,}: peak RSS, MB", *(one["peak"][0] for one in rounds))
    found.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
