"""Processes beside the story, which end with it, however it ends."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

from cluster.access import Cluster
from cluster.component import Component
from cluster.watchdog import Watchdog

FORWARDED = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) -> ")
"""What kubectl says."""
WITHIN = 30.0
POLL = 0.05


class Background:
    """A folder for what they keep, and their logs."""

    def __init__(self, folder: Path, watchdog: Watchdog) -> None:
        self.folder = folder
        self._watchdog = watchdog

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator[Self]:
        folder = Path(mkdtemp(prefix="cirahub-e2e-"))
        watchdog = Watchdog(folder)
        try:
            yield cls(folder, watchdog)
        finally:
            watchdog.close()

    @contextmanager
    def running(self, name: str, *command: str | Path) -> Iterator[Component]:
        part = Component(name, command, home=self.folder, watchdog=self._watchdog)
        part.start()
        try:
            yield part
        finally:
            part.stop()

    @contextmanager
    def forwarded(
        self, cluster: Cluster, namespace: str, to: str, port: int | str
    ) -> Iterator[int]:
        """A port of this machine that leads to one of a pod, or of a Service's pod. Raises
        ComponentFailedError."""
        command = cluster.command("port-forward", "--namespace", namespace, to, f":{port}")
        name = f"forward-{to.replace('/', '-')}-{time.monotonic_ns()}"
        with self.running(name, *command) as part:
            yield _port(part)


def _port(part: Component) -> int:
    deadline = time.monotonic() + WITHIN
    while True:
        found = FORWARDED.search(part.log.read_text())
        if found:
            return int(found[1])
        part.check_running()
        if time.monotonic() > deadline:
            raise part.failure(f"forwarded nothing within {WITHIN:.0f} s")
        time.sleep(POLL)
