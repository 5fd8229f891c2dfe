"""One mailbox's contacts to several others: a pass of ours beside bare batches of the same items.

Both run against the simulator, one after the other in each round, ours last, when it holds the
most: figures are ratios, so that a slow machine slows both. "Bare" is what the wire allows: the
same contacts, stamp included, as ready-made `$batch` bodies, four at a time into each mailbox,
nothing kept or checked while it runs. Then a pass in which nothing changed, and some in which one
contact in a hundred did, beside bare batches again; and what the store takes of the disk. All begin
without a connection, as a pass does that comes minutes after the one before.

"Kept" are bare batches that keep what a pass has to keep of them (`kept.py`): what is left of ours
if all is done without that could be.

    python benchmarks/fanout.py [--size 1000x20] [--rounds R] [--full]
"""

from __future__ import annotations

import asyncio
import base64
import os
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path
from statistics import median

from bare import CLIENT, SECRET, TENANT, Bare, contact
from cirahub_operator.frugality import short_collections
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
from kept import Kept

HUNDREDTH = 100
TITLES = ("Brewer", "Miller", "Cooper")
"""What one contact in a hundred changes to, pass after pass. The first is to warm up."""
USUAL = [(1000, 20), (100, 1000)]
LARGE = [(1000, 1000)]
NOTICED = 0.05
"""Seconds after which this process knows that its connections were closed."""
MANY = 50_000
"""Writes of a first pass, from which on a round takes a minute."""


class Handed:
    async def secret(self, reference: SecretFile) -> Material:
        return Material(value=SECRET)

    async def service_account_token(self, service_account: str, audience: str) -> AccessToken:
        raise AssertionError("not asked for")


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
    again = [f"kept{index}@bench.example" for index in range(receivers)]
    late = "late@bench.example"
    async with AsyncExitStack() as stack:
        simulator = stack.enter_context(SimulatorProcess("--empty", "--no-throttle"))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        seed(simulator, contacts, [*names, *others, *again, late])
        bare = Bare(simulator, others)
        floor = await bare.create(contacts)
        floor_cpu = bare.cpu
        kept = Kept(simulator, again, Path(folder) / "kept.sqlite3")
        kept_wall = await kept.create(contacts)
        kept_cpu = kept.cpu
        ours = Ours(simulator, Path(folder), names)
        first, first_cpu, report = await ours.sync()
        assert report.written == contacts * receivers
        await ours.sync()
        simulator.admin.forget_requests()
        await _alone(simulator)
        quiet, quiet_cpu, _ = await ours.sync()
        requests = len(simulator.admin.requests(service="graph"))
        turns = [turn async for turn in _changes(simulator, contacts, bare, kept, ours)]
        kept.close()
        each = 1e6 / (contacts * receivers)
        figures = {
            "first pass, wall, ours / bare": first / floor,
            "first pass, our CPU, µs a contact written": each * first_cpu,
            "bare, CPU, µs a contact written": each * floor_cpu,
            "kept, wall / bare": kept_wall / floor,
            "kept, CPU, µs a contact written": each * kept_cpu,
            "no-op pass, our CPU, ms": 1e3 * quiet_cpu,
            "no-op pass, wall / first pass": quiet / first,
            "no-op pass, requests": float(requests),
            **{name: median(turn[name] for turn in turns[1:]) for name in turns[0]},
        }
        if receivers * 10 > contacts:
            await ours.worker.close()
            return figures  # the reports of passes would be much of the difference
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


async def _alone(simulator: SimulatorProcess) -> None:
    """As minutes after the pass before."""
    if not simulator.admin.close_connections():
        raise SystemExit("there was no connection to close")
    await asyncio.sleep(NOTICED)


async def _changes(
    simulator: SimulatorProcess, contacts: int, bare: Bare, kept: Kept, ours: Ours
) -> AsyncIterator[dict[str, float]]:
    """Figures of one pass after the other in which one contact in a hundred changed."""
    numbers, source = range(0, contacts, HUNDREDTH), ours.spokes[0].uid
    ids = [entry["contact"]["id"] for entry in simulator.admin.contacts(source)[::HUNDREDTH]]
    _, place = await kept.read(f"{simulator.endpoints.graph}/v1.0/users/{source}/contacts/delta")
    for title in TITLES:
        for id_ in ids:
            simulator.admin.update_contact(source, id_, {"jobTitle": title})
        floor = await bare.change(numbers, title)
        kept_read, place = await kept.read(place, numbers)
        kept_changed = await kept.change(numbers, title)
        await _alone(simulator)
        changed, cpu, report = await ours.sync()
        assert report.written == len(ids) * (len(ours.spokes) - 1)
        yield {
            "1 % changed, wall, ours / bare": changed / floor,
            "1 % changed, kept, wall / bare": kept_changed / floor,
            "1 % changed, read and kept, wall / bare": (kept_read + kept_changed) / floor,
            "1 % changed, our CPU, µs a contact written": 1e6 * cpu / report.written,
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
    parser.add_argument(
        "--rounds",
        type=int,
        default=3,
        help=f"the median of so many is told, of half as many beyond {MANY:,} writes (default: 3)",
    )
    parser.add_argument("--full", action="store_true", help="1000x1000 as well")
    asked = parser.parse_args()
    found = Figures("fanout", asked)
    for contacts, receivers in (asked.size or USUAL) + (LARGE if asked.full else []):
        many = contacts * receivers > MANY
        count = -(-asked.rounds // 2) if many else asked.rounds
        print(f"{contacts:,} contacts to {receivers:,} mailboxes, {count} rounds:")
        rounds = []
        for _ in range(count):
            with short_collections():  # as in the operator, here for all that are compared
                rounds.append(asyncio.run(measure(contacts, receivers)))
        found.rounds(rounds, prefix=f"{contacts:,} to {receivers:,}: ")
    found.write()


if __name__ == "__main__":
    main()
