"""Signs of life of the watch streams: what Kopf reads is counted on its way in.

A stream that stalls says nothing, and neither does one in which nothing happens. But no living
stream is silent for long: each is asked to end after a minute (`timeoutSeconds`), and the API
server sends bookmarks besides. Kopf takes a silent stream for dead and opens another, which helps
unless whatever is in between swallows that one, too. So the silence is counted from stream to
stream, until a byte comes or a request fails aloud: a watch that is refused is not deaf.

This costs a request a minute for each watch (three, or three for each namespace served).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
from yarl import URL

from cirahub_operator.outage import Outage

Clock = Callable[[], float]


class WatchStreams:
    def __init__(self, clock: Clock = time.monotonic, outage: Outage | None = None) -> None:
        """`outage` is told what becomes of watches, but not that one is silent: only the others
        would tell whether that is the API server's fault."""
        self._clock = clock
        self._outage = outage or Outage()
        self._heard: dict[str, float] = {}

    def silent(self) -> Mapping[str, float]:
        """Seconds since the last sign of life of each watch, by its path below the API's version:
        `hubs`, or `namespaces/demo/hubs`."""
        now = self._clock()
        return {watch: now - heard for watch, heard in self._heard.items()}

    def begin_anew(self) -> None:
        """What was silent was so for a known reason."""
        self._heard.clear()

    def session(self, **options: Any) -> aiohttp.ClientSession:
        """A session that listens to its watches; `options` as aiohttp's."""
        traces = aiohttp.TraceConfig()
        traces.on_request_start.append(self._began)
        traces.on_request_end.append(self._answered)
        traces.on_request_exception.append(self._failed)
        return aiohttp.ClientSession(
            response_class=_response(self), trace_configs=[traces], **options
        )

    def heard(self, watch: str) -> None:
        self._heard[watch] = self._clock()

    def refused(self, watch: str) -> None:
        """Aloud: there is nothing to listen to until it is asked for again."""
        self._heard.pop(watch, None)

    async def _began(
        self,
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        asked: aiohttp.TraceRequestStartParams,
    ) -> None:
        if (watch := watch_of(asked.url)) is not None:
            self._heard.setdefault(watch, self._clock())

    async def _failed(
        self,
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        failed: aiohttp.TraceRequestExceptionParams,
    ) -> None:
        watch = watch_of(failed.url)
        # Kopf gives up a request that is not answered by a cancellation: that is silence.
        quiet = (TimeoutError, asyncio.CancelledError)
        if watch is not None and not isinstance(failed.exception, quiet):
            self.refused(watch)
            self._outage.failed(
                type(failed.exception).__name__,
                surely=isinstance(failed.exception, aiohttp.ClientConnectorError),
            )

    async def _answered(
        self,
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        ended: aiohttp.TraceRequestEndParams,
    ) -> None:
        self._outage.answered(ended.response.status)


class _Listened:
    """A response's content, of which Kopf reads chunks."""

    def __init__(self, content: aiohttp.StreamReader, heard: Callable[[], None]) -> None:
        self._content = content
        self._heard = heard

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        async for chunk in self._content.iter_chunked(size):
            self._heard()
            yield chunk
        self._heard()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)


def _response(streams: WatchStreams) -> type[aiohttp.ClientResponse]:
    class Listening(aiohttp.ClientResponse):
        async def start(self, connection: Any) -> aiohttp.ClientResponse:
            await super().start(connection)
            watch = watch_of(self.url)
            if watch is not None and self.status == 200:
                listened = _Listened(self.content, lambda: streams.heard(watch))
                self.content = cast("aiohttp.StreamReader", listened)
            elif watch is not None:
                streams.refused(watch)
                if self.status == 404:
                    # Its definition was taken away. Kopf gives up all watches for that; as a
                    # server's error it is tried again, until the definition is back.
                    self.status = 500
            return self

    return Listening


def watch_of(url: URL) -> str | None:
    """None if it is not the URL of a watch."""
    if url.query.get("watch") != "true":
        return None
    parts = url.path.strip("/").split("/")
    return "/".join(parts[3:] if parts[:1] == ["apis"] else parts[2:])
