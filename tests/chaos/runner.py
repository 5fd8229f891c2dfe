"""A process that runs passes and may be killed: `python -m tests.chaos.runner SPEC`.

It prints a line for every pass, and ends when a pass has nothing to do; with an error if that
takes too many.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import msgspec

from cirahub_sync.configuration import HubConfig, SecretFile, SpokeConfig
from cirahub_sync.identity.base import AccessToken, Material
from cirahub_sync.origins import Origins
from cirahub_sync.worker import Worker, WorkerSettings

PASSES = 8


class Spec(msgspec.Struct, kw_only=True):
    """What the process needs to know."""

    database: str
    """URL."""
    key_file: str
    installation: str
    origins: dict[str, str]
    ca_file: str
    secret: str
    hub: HubConfig
    spokes: list[SpokeConfig]
    ahead: float = 0.0
    """Seconds that its clock is ahead."""


class Handed:
    """The client secret, as it would be read from a Kubernetes Secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    async def secret(self, reference: SecretFile) -> Material:
        return Material(value=self._secret)

    async def service_account_token(self, service_account: str, audience: str) -> AccessToken:
        raise AssertionError("no token is asked for with a client secret")


async def run(spec: Spec) -> int:
    ahead = spec.ahead
    worker = Worker.open(
        WorkerSettings(
            database=spec.database,
            key_file=Path(spec.key_file),
            installation=spec.installation,
            origins=Origins(spec.origins, spec.ca_file),
        ),
        Handed(spec.secret),
        clock=lambda: time.time() + ahead,
    )
    try:
        for number in range(PASSES):
            report = await worker.run_pass(spec.hub, spec.spokes)
            problems = [report.problem, *(spoke.problem for spoke in report.spokes.values())]
            reasons = [problem.reason for problem in problems if problem is not None]
            sys.stdout.write(f"{number}: {report.written} written, {report.pending} pending\n")
            if not reasons and not report.written and not report.pending:
                return 0
            ahead += 61.0
        sys.stdout.write(f"not quiet: {reasons}\n")
        return 1
    finally:
        await worker.close()


if __name__ == "__main__":
    decoded = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Spec)
    sys.exit(asyncio.run(run(decoded)))
