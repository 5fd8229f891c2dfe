"""Verification: looking at a receiver for what its user did to the copies.

On a slower clock of its own (`verifyInterval`, jittered), and before the first create that a
process makes in a spoke, so that a store that was lost or restored duplicates nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.merge import merge
from cirahub_sync.engine.pull import pull


async def verify(context: PassContext, runs: Sequence[SpokeRun]) -> None:
    """Read what changed in these spokes and take it in."""
    await pull(context, runs)
    await merge(context, [run for run in runs if not run.failed])


def due(run: SpokeRun, now: float) -> bool:
    """Whether a Receive spoke's own clock says that it is time. The interval is spread by up to a
    tenth either way, the same for a spoke every time, so that spokes drift apart."""
    spread = 0.9 + 0.2 * (zlib.crc32(run.uid.encode()) / 0xFFFFFFFF)
    return now >= run.row.verified_at + run.config.verify_interval * spread
