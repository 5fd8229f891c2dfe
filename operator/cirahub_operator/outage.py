"""Whether the API server answers: one line in the log when it ceases to, one when it does again.

Every request tells what became of it, ours and those of Kopf's watches. A connection that is
refused is an outage at once; one that breaks, or a gateway's error, only if nothing was answered
for a while before and after, for a single request may meet an old connection or a slow server.
During an outage whoever waits for the API server keeps quiet: this line speaks for all of them.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable

from cirahub_operator.errors import ClusterUnreachableError

logger = logging.getLogger(__name__)

DOUBT = 2.0
"""Seconds without an answer after which a failure that may be a single request's is an outage."""
RECOVERY = 30.0
"""Seconds after an outage during which watches may be refused yet."""
NOT_SERVING = frozenset({502, 503, 504})
"""Answers of something before the API server, or of one that is starting or ending."""


class Outage:
    """Told by every loop and thread that talks to the API server."""

    def __init__(
        self,
        changed: Callable[[bool], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`changed` is told whether the API server answers, when that changes."""
        self._changed = changed
        self._clock = clock
        self._lock = threading.Lock()
        self._failing_since: float | None = None
        self._ended: float | None = None
        self.under_way = False

    @property
    def settling(self) -> bool:
        """Whether there is one, or was a moment ago: an API server that is back refuses watches
        with 429 until it has read what there is."""
        return self.under_way or (
            self._ended is not None and self._clock() - self._ended < RECOVERY
        )

    def failed(self, why: str, *, surely: bool = False) -> None:
        """A request that got no answer. `surely`: nobody was there to take it."""
        with self._lock:
            now = self._clock()
            if self._failing_since is None:
                self._failing_since = now
            if self.under_way or not (surely or now - self._failing_since >= DOUBT):
                return
            self.under_way = True
        logger.warning(
            "the API server does not answer (%s): objects are not watched and statuses not "
            "written until it does; a pass that runs goes on",
            why,
        )
        self._changed(False)

    def answered(self, status: int = 200) -> None:
        """A request that got an answer, be it a refusal."""
        if status in NOT_SERVING:
            self.failed(f"HTTP status {status}")
            return
        with self._lock:
            since, self._failing_since = self._failing_since, None
            if not self.under_way:
                return
            self.under_way = False
            self._ended = self._clock()
        away = 0.0 if since is None else self._clock() - since
        logger.warning("the API server answers again, after %.0f s", away)
        self._changed(True)


class NoAnswerError(ClusterUnreachableError):
    """A request of ours that got no answer."""

    def __init__(self, message: str, outage: Outage) -> None:
        super().__init__(message)
        self._outage = outage

    @property
    def said(self) -> bool:
        return self._outage.under_way


class Attempts(logging.Filter):
    """Of Kopf's lines about attempts at a watch that failed, lets through what is not said yet:
    none during an outage and shortly after, else one a minute of each kind for each watch."""

    LOGGER = "kopf._cogs.clients.watching"
    EVERY = 60.0
    _ATTEMPT = re.compile(
        r"Request attempt #\d+\S* failed; .*?: \S+ (?P<url>\S+) -> (?P<error>\w+)"
    )

    def __init__(self, outage: Outage, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._outage = outage
        self._clock = clock
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        found = self._ATTEMPT.match(record.getMessage())
        if found is None:
            return True
        if self._outage.settling:
            return False
        now = self._clock()
        self._said = {one: at for one, at in self._said.items() if now - at < self.EVERY}
        return self._said.setdefault((found["url"].partition("?")[0], found["error"]), now) == now
