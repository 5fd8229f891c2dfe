"""Bare batches that keep what a pass has to keep: the least that one can take for a contact."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import Table

from bare import BATCH, Bare
from cirahub_simulator.process import SimulatorProcess
from cirahub_sync.endpoints.graph import codec, wire
from cirahub_sync.endpoints.graph.delta import PAGE_SIZE
from cirahub_sync.endpoints.graph.items import etag
from cirahub_sync.engine.deliver import CHUNK
from cirahub_sync.model.codec import fingerprint_bytes
from cirahub_sync.model.contact import Contact
from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.tables import intents, items, replicas

HUB = "hub-of-the-benchmark"
PAGES = f'IdType="ImmutableId", odata.maxpagesize={PAGE_SIZE}'


class Kept(Bare):
    """An intent for each request is durable before it leaves; each answer is read, made ours and
    compared with what it should be; what was delivered is noted, and its intent taken away, as many
    in a transaction as ours has in hand. All that in straight lines, in the tables and by the codec
    of ours: nothing is read from the store, judged, filtered, mapped, merged, encoded, limited,
    fenced or sent again."""

    def __init__(self, simulator: SimulatorProcess, mailboxes: Sequence[str], store: Path) -> None:
        super().__init__(simulator, mailboxes)
        self._numbers: Sequence[int] = ()
        """Of the contacts that are written, in the order of their requests."""
        self._cipher = Cipher(os.urandom(32), 1)
        self._meant: dict[int, tuple[Contact, bytes]] = {}
        """By number, with its fingerprint."""
        self._left: dict[str, int] = {}
        """Requests, by mailbox."""
        self._rows: dict[str, list[dict[str, Any]]] = {mailbox: [] for mailbox in mailboxes}
        self._database = Database.open(f"sqlite:///{store}")
        self._raw = self._database.engine.raw_connection()
        self._reading: aiohttp.ClientSession | None = None
        self._cursor = self._raw.cursor()
        self._put = {
            table.name: f"INSERT OR REPLACE INTO {table.name} VALUES ({_named(table)})"
            for table in (intents, items, replicas)
        }
        with self._transaction():
            self._cursor.execute(
                "INSERT INTO hubs (uid, wrapped_key, key_version, seq, lease_token, lease_expires) "
                "VALUES (?, '', 1, 0, 0, 0)",
                (HUB,),
            )
            self._cursor.executemany(
                "INSERT INTO spokes (uid, hub, rank, place, contributes_key, receives_key, mark, "
                "verified_at) VALUES (?, ?, 0, '', '', '', 0, 0)",
                [(mailbox, HUB) for mailbox in mailboxes],
            )

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiohttp.ClientSession]:
        """By what was read with, if anything was: so does a pass."""
        session, self._reading = self._reading or self.session(), None
        async with session:
            yield session

    def close(self) -> None:
        self._cursor.close()
        self._raw.close()
        self._database.close()

    async def create(self, contacts: int) -> float:
        self._begin(range(contacts))
        return await super().create(contacts)

    async def change(self, numbers: Sequence[int], title: str) -> float:
        self._begin(numbers)
        return await super().change(numbers, title)

    async def read(self, place: str, numbers: Sequence[int] = ()) -> tuple[float, str]:
        """Seconds for what changed there, and where what changes from now on is: the lease is taken
        before, what was read is noted, a report at the end, each of them durable. Whoever merges
        can send nothing before."""
        found: list[Contact] = []
        link: str | None = place
        if self._reading is not None:
            await self._reading.close()
        self._reading = session = self.session()
        began = time.perf_counter()
        with self._transaction():
            self._cursor.execute(
                "UPDATE hubs SET lease_token = lease_token + 1 WHERE uid = ?", (HUB,)
            )
        while link:
            async with session.get(link, headers={"Prefer": PAGES}) as answer:
                page = wire.CONTACT_PAGE.decode(await answer.read())
                answer.raise_for_status()
            found += [codec.decode(contact, {}) for contact in page.value]
            place, link = page.delta or place, page.next
        if numbers and len(found) != len(numbers):
            raise SystemExit(f"{len(found)} contacts changed where {len(numbers)} did")
        with self._transaction():
            self._cursor.executemany(
                self._put["items"],
                [
                    {
                        "hub": HUB,
                        "id": f"{number:032x}",
                        "seq": number,
                        "alive": True,
                        "deleted_at": None,
                        "erased": False,
                        "fingerprint": self._cipher.fingerprint(fingerprint_bytes(content)),
                        "content": b"",
                        "died_of": None,
                    }
                    for number, content in zip(numbers, found, strict=False)
                ],
            )
        with self._transaction():
            self._cursor.execute("UPDATE hubs SET lease_expires = 0 WHERE uid = ?", (HUB,))
        return time.perf_counter() - began, place

    def _begin(self, numbers: Sequence[int]) -> None:
        self._numbers = numbers
        self._left = dict.fromkeys(self._rows, 0)

    def leaving(self, mailbox: str) -> None:
        start = self._left[mailbox]
        if start % CHUNK == 0:
            now = time.time()
            with self._transaction():
                self._cursor.executemany(
                    self._put["intents"],
                    [
                        {
                            "key": _key(mailbox, number),
                            "hub": HUB,
                            "spoke": mailbox,
                            "item": f"{number:032x}",
                            "action": "Create",
                            "remote": "",
                            "item_seq": number,
                            "fingerprint": bytes(16),
                            "abandoned": False,
                            "created_at": now,
                        }
                        for number in self._numbers[start : start + CHUNK]
                    ],
                )
        self._left[mailbox] += BATCH

    def answered(self, mailbox: str, body: bytes) -> None:
        rows = self._rows[mailbox]
        for part in wire.BATCH.decode(body).responses:
            number = self._numbers[int(part.id)]
            contact = wire.CONTACT.decode(part.body)
            content = codec.decode(contact, {})
            codec.seconds(contact.created_date_time)
            codec.seconds(contact.last_modified_date_time)
            meant = self._meant.get(number)
            if meant is None or meant[0] != content:
                digest = self._cipher.fingerprint(fingerprint_bytes(content))
                meant = self._meant[number] = content, digest
            rows.append(
                {
                    "spoke": mailbox,
                    "item": f"{number:032x}",
                    "hub": HUB,
                    "remote": contact.id,
                    "native": False,
                    "state": "live",
                    "etag": etag(contact),
                    "fingerprint": meant[1],
                    "acknowledged": meant[1],
                    "delivered_seq": number,
                    "round": None,
                    "attempt": "0123456789abcdef",
                }
            )
        if len(rows) >= CHUNK:
            self._note(mailbox)

    def ended(self, mailbox: str) -> None:
        self._note(mailbox)

    def _note(self, mailbox: str) -> None:
        rows = self._rows[mailbox]
        if rows:
            keys = [(_key(mailbox, row["delivered_seq"]),) for row in rows]
            with self._transaction():
                self._cursor.executemany(self._put["replicas"], rows)
                self._cursor.executemany("DELETE FROM intents WHERE key = ?", keys)
            rows.clear()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._cursor.execute("BEGIN IMMEDIATE")
        yield
        self._cursor.execute("COMMIT")


def _named(table: Table) -> str:
    return ", ".join(f":{column.name}" for column in table.c)


def _key(mailbox: str, number: int) -> str:
    return f"benchmark/{HUB}/{number:032x}/{mailbox}/0123456789abcdef"
