"""A process of its own: `python -m tests.shards.runner SPEC worker|coordinator|PASS/ERRAND/PART`.

A worker takes what shards there are until it is killed. A coordinator makes one pass, whose shards
workers of other processes take, and prints the reasons of what went wrong. With the name of a
shard it does what `cirahub worker` does, with the scene's credentials, and ends with its exit code.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from pathlib import Path

import msgspec
from tests.chaos.runner import Handed, Spec
from tests.shards.crew import Others

from cirahub_operator.cli import worker as shard_command
from cirahub_sync.errors import LeaseLostError
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.origins import Origins
from cirahub_sync.store.lease import LeaseHeldError
from cirahub_sync.store.shards import ShardKey
from cirahub_sync.worker import Worker, WorkerSettings

LOOK = 0.05


class Lot(msgspec.Struct, kw_only=True):
    spec: Spec
    lease: float
    shard_size: int


def settings(lot: Lot) -> WorkerSettings:
    spec = lot.spec
    return WorkerSettings(
        database=spec.database,
        key_file=Path(spec.key_file),
        installation=spec.installation,
        origins=Origins(spec.origins, spec.ca_file),
        lease=LeaseTerms(lot.lease),
    )


def opened(lot: Lot) -> Worker:
    ahead = lot.spec.ahead
    return Worker.open(settings(lot), Handed(lot.spec.secret), clock=lambda: time.time() + ahead)


async def work(lot: Lot) -> None:
    worker = opened(lot)
    said("ready")
    while True:
        for key in await worker.shards(lot.spec.hub.uid):
            try:
                said(f"begin {key.errand} {key.part}")
                problem = await worker.work_shard(lot.spec.hub.uid, key)
                said(f"end {key.errand} {key.part} {problem.reason if problem else 'done'}")
            except (LeaseHeldError, LeaseLostError) as error:
                said(f"end {key.errand} {key.part} {type(error).__name__}")
        await asyncio.sleep(LOOK)


async def coordinate(lot: Lot) -> None:
    worker = opened(lot)
    said("ready")
    crew = Others(lot.shard_size)
    report = await worker.run_pass(lot.spec.hub, lot.spec.spokes, crew=crew)
    found = [report.problem, *(spoke.problem for spoke in report.spokes.values())]
    said(repr([problem.reason for problem in found if problem is not None]))
    await worker.close()


async def command(lot: Lot, shard: str) -> int:
    number, errand, part = shard.split("/")
    key = ShardKey(int(number), errand, int(part))
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    said("ready")
    return await shard_command.work(settings(lot), lot.spec.hub.uid, key, Handed(lot.spec.secret))


def said(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    decoded = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Lot)
    if "/" in sys.argv[2]:
        sys.exit(asyncio.run(command(decoded, sys.argv[2])))
    asyncio.run(coordinate(decoded) if sys.argv[2] == "coordinator" else work(decoded))
