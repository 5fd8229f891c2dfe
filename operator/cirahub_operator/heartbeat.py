"""How long the operator's event loop keeps others waiting: watches, probes, the Lease."""

from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry, Histogram

BEAT = 0.02
"""Seconds between two beats. What is shorter may go unseen."""
BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)


class Heartbeat:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._lag = Histogram(
            "cirahub_event_loop_lag_seconds",
            "How much later than asked for the event loop came back to a timer.",
            buckets=BUCKETS,
            registry=registry,
        )

    async def run(self) -> None:
        """Forever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT
            await asyncio.sleep(BEAT)
            self._lag.observe(max(0.0, loop.time() - due))
