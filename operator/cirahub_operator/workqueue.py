"""One task for each object that wants reconciling: woken by events, by time, and by itself.

Whatever wakes it, it looks at the present state and at nothing else. It ends only when its object
is gone, and never because something failed. Why not Kopf's daemons: these stop when an object is
being deleted, just when ours has erasing to do; and Kopf's deletion handlers wait inside its
workers, so that fifty objects whose mailboxes are out of reach would hold up all the others.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from cirahub_operator.errors import (
    ClusterUnreachableError,
    PermissionMissingError,
    RunnerStoppedError,
)
from cirahub_operator.metrics import Metrics
from cirahub_operator.settings import Timing

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class Key(NamedTuple):
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Result:
    """What to do next."""

    after: float | None = None
    """Look again after so many seconds; None: only when woken."""
    gone: bool = False
    """There is no such object any more, and nothing left to do for it."""


class Bell:
    """Wakes a task. `interrupted` asks the reconcile that is running to stop soon, because what
    it does is no longer wanted."""

    def __init__(self) -> None:
        self.rung = asyncio.Event()
        self.interrupted = asyncio.Event()

    def ring(self, *, interrupt: bool) -> None:
        self.rung.set()
        if interrupt:
            self.interrupted.set()

    def silence(self) -> None:
        self.rung.clear()
        self.interrupted.clear()

    async def unless_interrupted(self, work: Coroutine[object, object, Answer]) -> Answer | None:
        """What the work comes to; None if it was cancelled because of an interruption."""
        working = asyncio.ensure_future(work)
        interrupted = asyncio.ensure_future(self.interrupted.wait())
        try:
            await asyncio.wait({working, interrupted}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            interrupted.cancel()
            working.cancel()
            await asyncio.gather(working, interrupted, return_exceptions=True)


Reconcile = Callable[[Key, Bell], Awaitable[Result]]


class Workqueue:
    def __init__(
        self, kind: str, reconcile: Reconcile, *, metrics: Metrics, timing: Timing
    ) -> None:
        self._kind = kind
        self._reconcile = reconcile
        self._metrics = metrics
        self._timing = timing
        self._bells: dict[Key, Bell] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._stopping = False

    def ring(self, key: Key, *, interrupt: bool = False) -> None:
        """Have the object looked at soon."""
        if self._stopping:
            return
        bell = self._bells.setdefault(key, Bell())
        bell.ring(interrupt=interrupt)
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(
                self._keep(key, bell), name=f"{self._kind} {key}"
            )

    async def stop(self, *, drain: float) -> None:
        """End all tasks: those at work may finish within `drain` seconds, then they are
        cancelled."""
        self._stopping = True
        for bell in self._bells.values():
            bell.rung.set()
        tasks = list(self._tasks.values())
        if not tasks:
            return
        _, busy = await asyncio.wait(tasks, timeout=drain)
        for task in busy:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, key: Key, bell: Bell) -> None:
        failures = 0
        while True:
            await asyncio.sleep(self._timing.settle)
            if self._stopping:
                break
            bell.silence()
            result = await self._visit(key, bell, failures)
            if result is None:
                failures += 1
                result = Result(after=backoff(failures, self._timing))
            else:
                failures = 0
            if result.gone and not bell.rung.is_set():
                break
            try:
                await asyncio.wait_for(bell.rung.wait(), result.after)
            except TimeoutError:
                continue
        self._bells.pop(key, None)
        self._tasks.pop(key, None)

    async def _visit(self, key: Key, bell: Bell, failures: int) -> Result | None:
        """None if it failed: it is tried again, so nothing is lost by going on."""
        with self._metrics.timed(self._kind):
            try:
                result = await self._reconcile(key, bell)
            except RunnerStoppedError as error:
                logger.info("%s %s: %s", self._kind, key, error)
                return None
            except ClusterUnreachableError as error:
                level = logging.DEBUG if error.said else logging.WARNING
                logger.log(level, "%s %s: %s; trying again", self._kind, key, error)
            except PermissionMissingError as error:
                # The message has it all: what, where, and what to do.
                logger.error("%s %s: %s; trying again", self._kind, key, error)  # noqa: TRY400
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                # Not ours: something that the reconcile waited for was cancelled, and it was not
                # told so. Ending here would leave the object to nobody.
                logger.exception("%s %s: cut off", self._kind, key)
            except Exception:
                logger.exception("%s %s: failed %d times", self._kind, key, failures + 1)
            else:
                self._metrics.reconciles.labels(self._kind, "success").inc()
                return result
        self._metrics.reconciles.labels(self._kind, "failure").inc()
        return None


def backoff(failures: int, timing: Timing) -> float:
    """Seconds to wait after so many failures in a row: doubling, a fifth of it random."""
    longest = min(timing.retry_most, timing.retry_first * 2.0 ** min(failures - 1, 20))
    return longest * (1 - 0.2 * random.random())  # noqa: S311 (spreads load, guards nothing)


def jittered(seconds: float, timing: Timing) -> float:
    """At most so many seconds, less a random part."""
    return seconds * (1 - timing.jitter * random.random())  # noqa: S311
