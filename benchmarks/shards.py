"""A pass in one process beside the same pass by a coordinator and workers, on PostgreSQL.

Each on a simulator and a database of its own, alternating. Every request is answered a bit late, as
a service's is. What workers can bring is bounded by what their transactions share: how long the
hub's row was waited for is told, too.

    python benchmarks/shards.py [--contacts N] [--receivers M] [--workers W] [--rounds R]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import msgspec

from cirahub_simulator.process import SimulatorProcess
from cirahub_sync.engine.shared import Call
from cirahub_sync.errors import LeaseLostError
from cirahub_sync.store.lease import LeaseHeldError
from cirahub_sync.store.shards import ShardLease
from cirahub_sync.worker import Worker, WorkerSettings
from fanout import Handed, Ours, seed
from figures import Figures, options
from postgres import Server

LATE = 0.05
"""Seconds."""


class Others:
    """Workers that run already."""

    def __init__(self, shard_size: int) -> None:
        self.shard_size = shard_size

    async def work(self, call: Call) -> None:
        await asyncio.Event().wait()


async def work(settings: WorkerSettings, hub: str) -> None:
    """Until the process is asked to end; then it tells its processor's time and its waiting."""
    waited = 0.0
    checked = ShardLease.check

    def check(lease: ShardLease, connection: object) -> float:
        nonlocal waited
        began = time.perf_counter()
        until = checked(lease, connection)  # type: ignore[arg-type]
        waited += time.perf_counter() - began
        return until

    ShardLease.check = check  # type: ignore[method-assign,assignment]
    worker = Worker.open(settings, Handed())
    print("ready", flush=True)
    started = time.process_time()
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    while not ended.done():
        for key in await worker.shards(hub):
            try:
                await worker.work_shard(hub, key)
            except (LeaseHeldError, LeaseLostError):
                continue
        await asyncio.sleep(0.02)
    print(time.process_time() - started, waited, flush=True)
    await worker.close()


@contextmanager
def workers(settings: WorkerSettings, hub: str, count: int, told: list[str]) -> Iterator[None]:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(msgspec.json.encode(settings, enc_hook=str))
        started = [
            subprocess.Popen(
                [sys.executable, __file__, "--work", file.name, hub],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            )
            for _ in range(count)
        ]
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()
        yield
        told += [process.communicate()[0] for process in started]


async def measure(server: Server, contacts: int, receivers: int, crew: int) -> dict[str, float]:
    names = [f"m{index}@bench.example" for index in range(receivers + 1)]
    name = f"b{time.time_ns()}"
    server.create(name)
    with (
        SimulatorProcess("--empty", "--no-throttle") as simulator,
        tempfile.TemporaryDirectory() as folder,
    ):
        seed(simulator, contacts, names)
        simulator.admin.add_rule("delay", service="graph", delay=LATE)
        ours = Ours(simulator, Path(folder), names, database=server.url(name))
        told: list[str] = []
        with workers(ours.settings, "h", crew, told) if crew else nullcontext():
            wall, cpu, _ = await ours.sync(Others(-(-receivers // crew)) if crew else None)
        await ours.worker.close()
    server.drop(name)
    figures = [[float(figure) for figure in line.split()] for line in told]
    spent, waited = (sum(of[place] for of in figures) for place in (0, 1))
    return {
        "first pass, s": wall,
        "our CPU at the coordinator, s": cpu,
        "our CPU at the workers, s": spent,
        "of that waiting for the hub's row, s": waited,
    }


def _made(kind: type, text: object) -> object:
    return kind(text)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--contacts", type=int, default=200, help="in the one mailbox")
    parser.add_argument("--receivers", type=int, default=24, help="mailboxes that receive them")
    parser.add_argument("--workers", type=int, default=2, help="processes besides the coordinator")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many is told")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        settings = msgspec.json.decode(
            Path(asked.work[0]).read_bytes(), type=WorkerSettings, dec_hook=_made
        )
        asyncio.run(work(settings, asked.work[1]))
        return
    found = Figures("shards", asked)
    with Server.running() as server:
        for crew in (0, asked.workers):
            rounds = [
                asyncio.run(measure(server, asked.contacts, asked.receivers, crew))
                for _ in range(asked.rounds)
            ]
            found.rounds(rounds, prefix=f"{crew or 'no'} workers: ")
    found.write()


if __name__ == "__main__":
    main()
