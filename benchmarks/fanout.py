"""One mailbox's contacts to several others: a pass of ours beside bare batches of the same items.

Both run against the simulator, alternating, in one run: figures are ratios, so that a slow machine
slows both. "Bare" is what the wire allows: the same contacts as ready-made `$batch` bodies, four at
a time into each mailbox, nothing read, kept or checked. Then a pass in which nothing changed, and
one in which one contact in a hundred did; and what the store takes of the disk.

    python benchmarks/fanout.py [--contacts N] [--receivers M] [--rounds R]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import sqlite3
import ssl
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import aiohttp
import msgspec

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
from cirahub_sync.engine.report import PassReport
from cirahub_sync.engine.shared import Crew
from cirahub_sync.identity.base import AccessToken, Material
from cirahub_sync.origins import Origins
from cirahub_sync.worker import Worker, WorkerSettings

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
SECRET = "benchmark"
BATCH = 20
CONCURRENT = 4


class Handed:
    async def secret(self, reference: SecretFile) -> Material:
        return Material(value=SECRET)

    async def service_account_token(self, service_account: str, audience: str) -> AccessToken:
        raise AssertionError("not asked for")


def contact(number: int) -> dict[str, object]:
    return {
        "displayName": f"Person {number}",
        "givenName": "Person",
        "surname": str(number),
        "companyName": "Example Ltd",
        "jobTitle": "Baker",
        "businessPhones": [f"+1 425 555 {number:04d}"],
        "mobilePhone": f"+1 206 555 {number:04d}",
        "emailAddresses": [{"address": f"p{number}@example.org", "name": f"Person {number}"}],
        "businessAddress": {"street": "1 Main St", "city": "Everett", "state": "WA"},
        "personalNotes": "A note of ordinary length about this person.",
    }


def seed(simulator: SimulatorProcess, contacts: int, mailboxes: Sequence[str]) -> None:
    simulator.admin.seed(
        [
            {"kind": "tenant", "id": TENANT, "domain": "bench.example", "displayName": "Bench"},
            {
                "kind": "application",
                "clientId": CLIENT,
                "displayName": "bench",
                "homeTenant": TENANT,
                "secrets": [{"value": SECRET, "expires": "2100-01-01T00:00:00Z"}],
                "granted": {TENANT: ["Contacts.ReadWrite", "User.ReadBasic.All"]},
            },
            *(
                {
                    "kind": "user",
                    "id": f"00000000-0000-4000-8000-{index:012d}",
                    "tenant": TENANT,
                    "userPrincipalName": address,
                    "displayName": address,
                    "mail": address,
                }
                for index, address in enumerate(mailboxes)
            ),
        ]
    )
    simulator.admin.import_contacts(mailboxes[0], [contact(n) for n in range(contacts)])


def token(simulator: SimulatorProcess) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "scope": "https://graph.microsoft.com/.default",
    }
    request = Request(  # the simulator's own origin
        f"{simulator.endpoints.entra}/{TENANT}/oauth2/v2.0/token", urlencode(form).encode()
    )
    trust = ssl.create_default_context(cafile=simulator.endpoints.ca_file)
    with urlopen(request, context=trust) as answer:
        return str(msgspec.json.decode(answer.read())["access_token"])


async def bare(simulator: SimulatorProcess, contacts: int, mailboxes: Sequence[str]) -> float:
    """Seconds to create the contacts in these mailboxes by ready-made batches."""
    headers = {
        "Authorization": f"Bearer {token(simulator)}",
        "Content-Type": "application/json",
    }
    trust = ssl.create_default_context(cafile=simulator.endpoints.ca_file)
    bodies = {
        mailbox: [
            msgspec.json.encode(
                {
                    "requests": [
                        {
                            "id": str(n),
                            "method": "POST",
                            "url": f"/users/{mailbox}/contacts",
                            "headers": {"Content-Type": "application/json"},
                            "body": contact(n),
                        }
                        for n in range(start, min(start + BATCH, contacts))
                    ]
                }
            )
            for start in range(0, contacts, BATCH)
        ]
        for mailbox in mailboxes
    }
    url = f"{simulator.endpoints.graph}/v1.0/$batch"
    connector = aiohttp.TCPConnector(ssl=trust, limit=0)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:

        async def send(waiting: list[bytes]) -> None:
            while waiting:
                async with session.post(url, data=waiting.pop()) as answer:
                    await answer.read()
                    answer.raise_for_status()

        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for waiting in bodies.values():
                for _ in range(CONCURRENT):
                    group.create_task(send(waiting))
        return time.perf_counter() - began


class Ours:
    """A worker with one contributing spoke and the others receiving."""

    def __init__(
        self,
        simulator: SimulatorProcess,
        folder: Path,
        mailboxes: Sequence[str],
        *,
        database: str = "",
    ) -> None:
        key = folder / "key"
        key.write_bytes(base64.b64encode(os.urandom(32)))
        endpoints = simulator.endpoints
        self.settings = WorkerSettings(
            database=database or f"sqlite:///{folder}/store.sqlite3",
            key_file=key,
            installation="benchmark",
            origins=Origins(endpoints.origins, endpoints.ca_file),
        )
        self.worker = Worker.open(self.settings, Handed())
        connection = ConnectionConfig(
            "c", "bench/c", ClientSecretAuth(TENANT, CLIENT, secret=SecretFile("benchmark"))
        )
        self.hub = HubConfig("h", "bench/h")
        self._connection = connection
        self.spokes = [self._spoke(mailboxes[0], Direction.CONTRIBUTE)]
        for address in mailboxes[1:]:
            self.receive(address)

    def receive(self, address: str) -> None:
        """Have one more mailbox get everything."""
        self.spokes.append(self._spoke(address, Direction.RECEIVE))

    def _spoke(self, address: str, direction: Direction) -> SpokeConfig:
        return SpokeConfig(
            uid=address,
            name=address,
            connection=self._connection,
            target=MailboxTarget(address),
            direction=direction,
        )

    async def sync(self, crew: Crew | None = None) -> tuple[float, float, PassReport]:
        """Wall and CPU seconds of a pass, and its report."""
        wall, cpu = time.perf_counter(), time.process_time()
        report = await self.worker.run_pass(self.hub, self.spokes, crew=crew)
        problems = [spoke.problem for spoke in report.spokes.values() if spoke.problem]
        if report.problem or problems:
            raise SystemExit(f"the pass failed: {report.problem or problems[0]}")
        return time.perf_counter() - wall, time.process_time() - cpu, report


def stored(folder: Path) -> int:
    """Bytes of the store, without what is free in its file."""
    copy = folder / "copy.sqlite3"
    with closing(sqlite3.connect(folder / "store.sqlite3")) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    size = copy.stat().st_size
    copy.unlink()
    return size


async def measure(contacts: int, receivers: int) -> dict[str, float]:
    names = [f"m{index}@bench.example" for index in range(receivers + 1)]
    others = [f"bare{index}@bench.example" for index in range(receivers)]
    late = "late@bench.example"
    with (
        SimulatorProcess("--empty", "--no-throttle") as simulator,
        tempfile.TemporaryDirectory() as folder,
    ):
        seed(simulator, contacts, [*names, *others, late])
        floor = await bare(simulator, contacts, others)
        ours = Ours(simulator, Path(folder), names)
        first, first_cpu, report = await ours.sync()
        assert report.written == contacts * receivers
        await ours.sync()
        simulator.admin.forget_requests()
        quiet, quiet_cpu, _ = await ours.sync()
        requests = len(simulator.admin.requests(service="graph"))
        source = simulator.admin.contacts(names[0])
        for entry in source[::100]:
            simulator.admin.update_contact(names[0], entry["contact"]["id"], {"jobTitle": "Brewer"})
        changed, _, report = await ours.sync()
        whole = stored(Path(folder))
        ours.receive(late)
        await ours.sync()
        a_copy = (stored(Path(folder)) - whole) / contacts
        await ours.worker.close()
    return {
        "first pass, wall, ours / bare": first / floor,
        "first pass, our CPU, µs a contact written": 1e6 * first_cpu / (contacts * receivers),
        "no-op pass, our CPU, ms": 1e3 * quiet_cpu,
        "no-op pass, wall / first pass": quiet / first,
        "no-op pass, requests": float(requests),
        "1 % changed, wall / first pass": changed / first,
        "1 % changed, writes": float(report.written),
        "database, bytes a copy": a_copy,
        "database, bytes an item, its copies apart": whole / contacts - a_copy * receivers,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contacts", type=int, default=1000, help="in the one mailbox")
    parser.add_argument("--receivers", type=int, default=5, help="mailboxes that receive them")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many is printed")
    options = parser.parse_args()
    rounds = [
        asyncio.run(measure(options.contacts, options.receivers)) for _ in range(options.rounds)
    ]
    print(f"{options.contacts} contacts to {options.receivers} mailboxes, {options.rounds} rounds:")
    for name in rounds[0]:
        values = [one[name] for one in rounds]
        low, high = min(values), max(values)
        print(f"  {name:45} {statistics.median(values):10.3f}   ({low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
