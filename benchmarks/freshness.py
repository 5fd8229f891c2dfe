"""How long a change in one mailbox takes to arrive in the others: at an interval, and told of.

Every mailbox is two-way, and a change is one new contact in one of them, at a random moment. It has
arrived in another when the service has answered the write there, by the service's own log. The
engine in this process, on SQLite, in the operator's rhythm: a pass every interval; or, with
notifications, one over what was told of as soon as something was, and no two within DISTANCE. The
simulator as Microsoft 365 in a process of its own, which tells over TLS.

What Graph itself takes to tell is no figure of ours: less than a minute on average and three
minutes at most, of contacts, by
https://learn.microsoft.com/graph/change-notifications-overview#latency. The simulator takes
`--latency` seconds; the usual 0 shows what comes on top.

    python benchmarks/freshness.py [--mailboxes 20,100] [--intervals 5,15] [--changes N]
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import quantiles
from typing import Any

import msgspec
import trustme
from aiohttp import web

from bare import CLIENT, TENANT, contact
from cirahub_simulator.process import SimulatorProcess
from cirahub_sync.configuration import (
    ClientSecretAuth,
    ConnectionConfig,
    Direction,
    HubConfig,
    MailboxTarget,
    SecretFile,
    SpokeConfig,
)
from cirahub_sync.notifications import Mailroom, Notification
from cirahub_sync.origins import Origins
from cirahub_sync.worker import Worker, WorkerSettings
from fanout import Handed, seed
from figures import Figures, options

DISTANCE = 2.0
"""Seconds between the beginnings of two passes over what was told of: the operator's default."""
THERE_ALREADY = 20
PATIENCE = 120.0
POLL = 0.05


class _Element(msgspec.Struct, rename="camel"):
    subscription_id: str
    client_state: str = ""


class _Told(msgspec.Struct):
    value: list[_Element]


_TOLD = msgspec.json.Decoder(_Told)


class Ear:
    """In the place of the operator's listener."""

    def __init__(self, mailroom: Mailroom) -> None:
        self._mailroom = mailroom
        self.rung = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        token = request.query.get("validationToken")
        if token is not None:
            return web.Response(text=token)
        told = _TOLD.decode(await request.read())
        found = await asyncio.to_thread(
            self._mailroom.heard,
            [Notification(one.subscription_id, one.client_state) for one in told.value],
        )
        assert found.unknown == 0
        self.rung.set()
        return web.Response(status=202)


class Hub:
    """One hub over the simulator."""

    def __init__(self, simulator: SimulatorProcess, folder: Path, mailboxes: Sequence[str]) -> None:
        key = folder / "key"
        key.write_bytes(base64.b64encode(os.urandom(32)))
        endpoints = simulator.endpoints
        self.simulator = simulator
        self.folder = folder
        self.mailboxes = mailboxes
        self.settings = WorkerSettings(
            database=f"sqlite:///{folder / 'store.sqlite3'}",
            key_file=key,
            installation="benchmark",
            origins=Origins(endpoints.origins, endpoints.ca_file),
        )
        connection = ConnectionConfig(
            uid="connection",
            name="bench/connection",
            auth=ClientSecretAuth(TENANT, CLIENT, secret=SecretFile("bench")),
        )
        self._hub = HubConfig(uid="hub", name="bench/hub")
        self._spokes = [
            SpokeConfig(
                uid=f"spoke-{index}",
                name=f"bench/spoke-{index}",
                connection=connection,
                target=MailboxTarget(address, ""),
                direction=Direction.TWO_WAY,
            )
            for index, address in enumerate(mailboxes)
        ]
        self.worker = Worker.open(self.settings, Handed())

    async def listen(self, url: str) -> None:
        """From now on the service is asked to tell at this URL."""
        await self.worker.close()
        self.settings = msgspec.structs.replace(self.settings, notifications=url)
        self.worker = Worker.open(self.settings, Handed())

    async def once(self, *, notified_only: bool = False) -> None:
        report = await self.worker.run_pass(self._hub, self._spokes, notified_only=notified_only)
        problems = [report.problem, *(one.problem for one in report.spokes.values())]
        assert not any(problems), problems

    async def every(self, interval: float) -> None:
        """A pass every so many seconds, for ever."""
        while True:
            began = time.monotonic()
            await self.once()
            await asyncio.sleep(max(0.0, began + interval - time.monotonic()))

    async def as_told(self, ear: Ear) -> None:
        """A pass over what was told of as soon as something was, for ever."""
        while True:
            await ear.rung.wait()
            ear.rung.clear()
            began = time.monotonic()
            await self.once(notified_only=True)
            await asyncio.sleep(max(0.0, began + DISTANCE - time.monotonic()))

    async def change(self, number: int) -> list[float]:
        """One new contact in one mailbox: seconds until it is in each of the others."""
        admin = self.simulator.admin
        of = random.choice(self.mailboxes)
        before = await asyncio.to_thread(self._last)
        began = time.time()
        await asyncio.to_thread(admin.create_contact, of, contact(number))
        arrived: list[dict[str, Any]] = []
        while len(arrived) < len(self.mailboxes) - 1:
            assert time.time() < began + PATIENCE, f"{len(arrived)} have it"
            await asyncio.sleep(POLL)
            arrived = await asyncio.to_thread(self._made, before)
        return [one["time"] - began for one in arrived]

    def _last(self) -> int:
        entries = self.simulator.admin.requests(limit=1)
        return int(entries[-1]["seq"]) if entries else 0

    def _made(self, after: int) -> list[dict[str, Any]]:
        return self.simulator.admin.requests(
            after=after, client_id=CLIENT, method="POST", path="/contacts$", status=201
        )


@asynccontextmanager
async def listening(hub: Hub) -> AsyncIterator[Ear]:
    ca = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("localhost").configure_cert(context)
    file = hub.folder / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    hub.simulator.admin.notifications(ca_file=str(file))
    mailroom = Mailroom.open(hub.settings)
    ear = Ear(mailroom)
    application = web.Application()
    application.router.add_post("/", ear.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    await hub.listen(f"https://localhost:{runner.addresses[0][1]}/")
    try:
        yield ear
    finally:
        await runner.cleanup()
        mailroom.close()


async def changes(hub: Hub, count: int, spread: float, first: int) -> list[float]:
    """Of all changes, each at a moment that the rhythm of passes knows nothing of."""
    found: list[float] = []
    for number in range(count):
        await asyncio.sleep(random.uniform(0.0, spread))
        found += await hub.change(first + number)
    return found


async def measured(
    hub: Hub, rhythm: Coroutine[Any, Any, None], count: int, spread: float, first: int
) -> list[float]:
    task = asyncio.create_task(rhythm)
    asked = asyncio.create_task(changes(hub, count, spread, first))
    await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
    if not asked.done():
        asked.cancel()
        task.result()  # a rhythm ends by failing only
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return asked.result()


def tell(figures: Figures, name: str, waits: Sequence[float]) -> None:
    cut = quantiles(waits, n=100, method="inclusive")
    figures.one(f"{name}: p50, s", cut[49])
    figures.one(f"{name}: p99, s", cut[98])
    figures.one(f"{name}: longest, s", max(waits))


async def of(
    figures: Figures, count: int, intervals: Sequence[float], number: int, latency: float
) -> None:
    mailboxes = [f"box-{index}@bench.example" for index in range(count)]
    with (
        SimulatorProcess() as simulator,
        tempfile.TemporaryDirectory(prefix="cirahub-freshness-") as folder,
    ):
        seed(simulator, THERE_ALREADY, mailboxes)
        hub = Hub(simulator, Path(folder), mailboxes)
        await hub.once()
        first = 1000
        for interval in intervals:
            waits = await measured(hub, hub.every(interval), number, interval, first)
            first += number
            tell(figures, f"{count} mailboxes, every {interval:g} s", waits)
        async with listening(hub) as ear:
            simulator.admin.notifications(latency=latency)
            await hub.once()  # asks the service to tell
            waits = await measured(hub, hub.as_told(ear), number, 2 * DISTANCE, first)
            tell(figures, f"{count} mailboxes, notified", waits)
            await hub.worker.close()


async def main() -> None:
    parser = options(__doc__ or "")
    parser.add_argument("--mailboxes", default="100", help="with commas between (100)")
    parser.add_argument("--intervals", default="5", help="seconds, with commas between (5)")
    parser.add_argument("--changes", type=int, default=8, help="in each rhythm (8)")
    parser.add_argument("--latency", type=float, default=0.0, help="of the service, seconds (0)")
    asked = parser.parse_args()
    figures = Figures("freshness", asked)
    for count in map(int, asked.mailboxes.split(",")):
        intervals = [float(one) for one in asked.intervals.split(",")]
        await of(figures, count, intervals, asked.changes, asked.latency)
    figures.write()


if __name__ == "__main__":
    asyncio.run(main())
