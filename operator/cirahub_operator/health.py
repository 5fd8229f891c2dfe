"""Whether we are alive and ready, from what only a living operator does.

A watch stream that stalls says nothing, and neither does one in which nothing happens. But our
own status writes come back through the watch: one that is not seen for long means that the watch
is deaf, and a restart helps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


class Health:
    def __init__(
        self,
        *,
        engine_silence: Callable[[], float],
        watch_limit: float,
        engine_limit: float,
        denied: Callable[[], list[str]] = list,
        streams: Callable[[], Mapping[str, float]] = dict,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`engine_silence`: seconds since the engine last showed a sign of life; the limits are
        in seconds, too. `denied`: permissions without which nothing can be served, a line
        each. `streams`: seconds since each watch stream last showed a sign of life."""
        self._streams = streams
        self._engine_silence = engine_silence
        self._watch_limit = watch_limit
        self._engine_limit = engine_limit
        self._denied = denied
        self._clock = clock
        self._seen: dict[str, float] = {}
        self._unseen: dict[str, float] = {}
        self.started = False
        """The watches are being set up: from now on we serve."""
        self.standing_by = False
        """Another operator serves, or may; we are there to follow it."""
        self.stopping = False
        self.missing = ""
        """What has to be installed before we can serve; blank: nothing."""
        self._outage = False

    def now(self) -> float:
        """The moment, for `wrote`."""
        return self._clock()

    def wrote(self, kind: str, *, asked: float) -> None:
        """An object of this kind was changed by us; its watch has to show that, and may have done
        so already, before the answer came: `asked` is when the change was asked for."""
        if self._seen.get(kind, float("-inf")) < asked:
            self._unseen.setdefault(kind, asked)

    def saw(self, kind: str) -> None:
        """The watch of this kind yielded an event."""
        self._seen[kind] = self._clock()
        self._unseen.pop(kind, None)

    def cluster_answers(self, answers: bool) -> None:
        """Whether the API server does. While it doesn't, its silence is not ours, and a restart
        would not help; afterwards the watches begin anew, with all there is."""
        self._outage = not answers
        self._unseen.clear()

    def watch_ages(self) -> dict[str, float]:
        """Seconds since each kind's last event."""
        now = self._clock()
        return {kind: now - seen for kind, seen in self._seen.items()}

    def live(self) -> list[str]:
        """What is wrong, a line each; nothing: alive."""
        wrong = [] if self._outage else self._deaf()
        silence = self._engine_silence()
        if silence > self._engine_limit:
            wrong.append(f"the engine is silent since {silence:.0f} s")
        return wrong

    def _deaf(self) -> list[str]:
        now = self._clock()
        return [
            *(
                f"the watch of {kind} is deaf since {now - since:.0f} s"
                for kind, since in self._unseen.items()
                if now - since > self._watch_limit
            ),
            *(
                f"the watch of {watch} is silent since {seconds:.0f} s"
                for watch, seconds in self._streams().items()
                if seconds > self._watch_limit
            ),
        ]

    def ready(self) -> list[str]:
        """What keeps us from serving when it is our turn, a line each. A stand-by is ready: nothing
        is routed by this, and a rolling update that waited for a new pod to lead would wait for
        the old one, which ends only when the new one is ready."""
        if self.stopping:
            return ["shutting down"]
        starting = [] if self.started or self.standing_by else ["starting"]
        missing = [self.missing] if self.missing else []
        return [*starting, *missing, *self._denied()]
