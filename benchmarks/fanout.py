"""One mailbox's contacts to several others: a pass of ours beside bare batches of the same items.

Both run against the simulator, alternating, in one run: figures are ratios, so that a slow machine
slows both. "Bare" is what the wire allows: the same contacts, stamp included, as ready-made
`$batch` bodies, four at a time into each mailbox, nothing kept or checked while it runs. Then a
pass in which nothing changed, and one in which one contact in a hundred did, beside bare batches
again; and what the store takes of the disk. "Their rows by the driver alone" is what noting the
same deliveries takes, whoever does it.

    python benchmarks/fanout.py [--size 1000x20] [--rounds R] [--full]
"""

from __future__ import annotations

import asyncio
import base64
import os
import sqlite3
import ssl
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Any
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
from figures import Figures, options
from rows import noted

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
SECRET = "benchmark"
BATCH = 20
JSON = {"Content-Type": "application/json"}
CONCURRENT = 4
CONNECTIONS = 100
"""As many as ours, for the whole process."""
HUNDREDTH = 100
USUAL = [(1000, 20), (100, 1000)]
LARGE = [(1000, 1000)]


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


class Bare:
    """Ready-made batches, so many at a time into each mailbox, and nothing kept but ids."""

    def __init__(self, simulator: SimulatorProcess, mailboxes: Sequence[str]) -> None:
        self._simulator = simulator
        self._mailboxes = mailboxes
        self.cpu = 0.0
        """Seconds of the processor that sending took the last time, here alone."""
        self._made: dict[str, list[dict[str, str]]] = {}
        """Id and etag of each contact, by mailbox, in the order of numbers."""

    async def create(self, contacts: int) -> float:
        """Seconds for these contacts, in each mailbox; `cpu` has those of the processor."""

        def requests(mailbox: str) -> Iterator[dict[str, object]]:
            for number in range(contacts):
                yield {
                    "method": "POST",
                    "url": f"/users/{mailbox}/contacts",
                    "body": {**contact(number), "singleValueExtendedProperties": [stamp(number)]},
                }

        seconds, answers = await self._send({one: requests(one) for one in self._mailboxes})
        for mailbox, made in answers.items():
            self._made[mailbox] = [
                {"id": one["body"]["id"], "etag": one["body"]["@odata.etag"]} for one in made
            ]
        return seconds

    async def change(self, numbers: Sequence[int]) -> float:
        """Seconds for another job title of these contacts, in each mailbox."""

        def requests(mailbox: str) -> Iterator[dict[str, object]]:
            for number in numbers:
                made = self._made[mailbox][number]
                yield {
                    "method": "PATCH",
                    "url": f"/users/{mailbox}/contacts/{made['id']}",
                    "headers": {**JSON, "If-Match": made["etag"]},
                    "body": {"jobTitle": "Brewer"},
                }

        seconds, _ = await self._send({one: requests(one) for one in self._mailboxes})
        return seconds

    async def _send(
        self, wanted: Mapping[str, Iterator[dict[str, object]]]
    ) -> tuple[float, dict[str, list[dict[str, Any]]]]:
        """Seconds, and the answers in the order of requests; encoded before, read afterwards."""
        waiting = {mailbox: deque(_batches(requests)) for mailbox, requests in wanted.items()}
        answers: dict[str, list[bytes]] = {mailbox: [] for mailbox in waiting}
        headers = {
            **JSON,
            "Authorization": f"Bearer {token(self._simulator)}",
            "Prefer": 'IdType="ImmutableId"',
        }
        trust = ssl.create_default_context(cafile=self._simulator.endpoints.ca_file)
        url = f"{self._simulator.endpoints.graph}/v1.0/$batch"
        connector = aiohttp.TCPConnector(ssl=trust, limit=CONNECTIONS)
        async with aiohttp.ClientSession(headers=headers, connector=connector) as session:

            async def send(mailbox: str) -> None:
                while waiting[mailbox]:
                    body = waiting[mailbox].popleft()
                    async with session.post(url, data=body) as answer:
                        answers[mailbox].append(await answer.read())
                        answer.raise_for_status()

            began, cpu = time.perf_counter(), time.process_time()
            async with asyncio.TaskGroup() as group:
                for mailbox in waiting:
                    for _ in range(CONCURRENT):
                        group.create_task(send(mailbox))
            seconds = time.perf_counter() - began
            self.cpu = time.process_time() - cpu
        return seconds, {mailbox: _responses(bodies) for mailbox, bodies in answers.items()}


def stamp(number: int) -> dict[str, str]:
    """As long as ours."""
    return {
        "id": "String {6a2d3f6e-0b7c-4a6e-9d3e-0c5b8f1a2b3c} Name CiraHubItem",
        "value": f"benchmark/h/{number:032x}/m0@bench.example/1",
    }


def _batches(requests: Iterator[dict[str, object]]) -> Iterator[bytes]:
    numbered = (
        {"id": str(number), "headers": JSON, **request} for number, request in enumerate(requests)
    )
    while some := list(islice(numbered, BATCH)):
        yield msgspec.json.encode({"requests": some})


def _responses(bodies: Sequence[bytes]) -> list[dict[str, Any]]:
    found = [one for body in bodies for one in msgspec.json.decode(body)["responses"]]
    wrong = [one for one in found if one["status"] >= HTTPStatus.BAD_REQUEST]
    if wrong:
        raise SystemExit(f"{len(wrong)} of the bare requests failed, the first: {wrong[0]}")
    return sorted(found, key=lambda one: int(one["id"]))


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
        bare = Bare(simulator, others)
        floor = await bare.create(contacts)
        floor_cpu = bare.cpu
        ours = Ours(simulator, Path(folder), names)
        first, first_cpu, report = await ours.sync()
        assert report.written == contacts * receivers
        rows_cpu = noted(Path(folder) / "store.sqlite3", Path(folder) / "rows.sqlite3")
        await ours.sync()
        simulator.admin.forget_requests()
        quiet, quiet_cpu, _ = await ours.sync()
        requests = len(simulator.admin.requests(service="graph"))
        source = simulator.admin.contacts(names[0])
        for entry in source[::HUNDREDTH]:
            simulator.admin.update_contact(names[0], entry["contact"]["id"], {"jobTitle": "Brewer"})
        changed_floor = await bare.change(range(0, contacts, HUNDREDTH))
        changed, changed_cpu, report = await ours.sync()
        assert report.written == len(source[::HUNDREDTH]) * receivers
        each = 1e6 / (contacts * receivers)
        figures = {
            "first pass, wall, ours / bare": first / floor,
            "first pass, our CPU, µs a contact written": each * first_cpu,
            "bare, CPU, µs a contact written": each * floor_cpu,
            "their rows by the driver alone, CPU, µs a contact written": each * rows_cpu,
            "bare and the rows alone, CPU, µs a contact written": each * (floor_cpu + rows_cpu),
            "no-op pass, our CPU, ms": 1e3 * quiet_cpu,
            "no-op pass, wall / first pass": quiet / first,
            "no-op pass, requests": float(requests),
            "1 % changed, wall, ours / bare": changed / changed_floor,
            "1 % changed, our CPU, µs a contact written": 1e6 * changed_cpu / report.written,
            "1 % changed, wall / first pass": changed / first,
        }
        whole = stored(Path(folder))
        ours.receive(late)
        await ours.sync()
        a_copy = (stored(Path(folder)) - whole) / contacts
        await ours.worker.close()
    return {
        **figures,
        "database, bytes a copy": a_copy,
        "database, bytes an item, its copies apart": whole / contacts - a_copy * receivers,
    }


def sizes(text: str) -> tuple[int, int]:
    contacts, _, receivers = text.partition("x")
    return int(contacts), int(receivers)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument(
        "--size",
        type=sizes,
        action="append",
        metavar="CxM",
        help="contacts and receiving mailboxes; may be repeated (default: 1000x20, 100x1000)",
    )
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many is told")
    parser.add_argument("--full", action="store_true", help="1000x1000 as well")
    asked = parser.parse_args()
    found = Figures("fanout", asked)
    for contacts, receivers in (asked.size or USUAL) + (LARGE if asked.full else []):
        print(f"{contacts:,} contacts to {receivers:,} mailboxes, {asked.rounds} rounds:")
        rounds = [asyncio.run(measure(contacts, receivers)) for _ in range(asked.rounds)]
        found.rounds(rounds, prefix=f"{contacts:,} to {receivers:,}: ")
    found.write()


if __name__ == "__main__":
    main()
