"""An endpoint of change notifications, over TLS, that answers as it is told to."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme
from aiohttp import web

PATIENCE = 60.0
"""Seconds after which what is waited for is taken not to come any more."""

Answer = Callable[[web.BaseRequest], Awaitable[web.Response]]


@dataclass(frozen=True)
class Heard:
    """A request that was not a validation."""

    path: str
    content_type: str
    body: str

    @property
    def values(self) -> list[dict[str, Any]]:
        return list(json.loads(self.body)["value"])


async def echo(request: web.BaseRequest) -> web.Response:
    """What the documents ask of a validation."""
    return web.Response(text=request.query["validationToken"])


async def accept(_: web.BaseRequest) -> web.Response:
    return web.Response(status=202)


class Listener:
    """In a thread of its own, with a certificate of an authority of its own."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(self._tls)
        self.ca_file = folder / "listener-ca.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        self.validate: Answer = echo
        self.answer: Answer = accept
        self.validated: list[str] = []
        """Paths, in the order they were asked."""
        self._heard: list[Heard] = []
        self._news = threading.Condition()
        self._ready: Future[str] = Future()
        self._stop: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        return self._ready.result(PATIENCE)

    def wait(self, count: int) -> list[dict[str, Any]]:
        """The first so many notifications, once they are there; all that came with them."""
        with self._news:
            there = self._news.wait_for(lambda: len(self.values) >= count, PATIENCE)
            assert there, f"{len(self.values)} of {count} notifications: {self.values}"
            return self.values

    @property
    def values(self) -> list[dict[str, Any]]:
        """Every notification so far."""
        return [value for heard in self._heard for value in heard.values]

    @property
    def heard(self) -> list[Heard]:
        """Every delivery so far, those that were refused too."""
        return list(self._heard)

    def wait_deliveries(self, count: int) -> list[Heard]:
        with self._news:
            assert self._news.wait_for(lambda: len(self._heard) >= count, PATIENCE)
            return self.heard

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if "validationToken" in request.query:
            self.validated.append(request.path)
            return await self.validate(request)
        heard = Heard(request.path, request.headers["content-type"], await request.text())
        answer = await self.answer(request)
        with self._news:
            self._heard.append(heard)
            self._news.notify_all()
        return answer

    async def _serve(self) -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._stop = lambda: loop.call_soon_threadsafe(stopped.set)
        server = web.Server(self._handle, access_log=None)
        listener = await loop.create_server(server, "127.0.0.1", 0, ssl=self._tls)
        self._ready.set_result(f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/heard")
        await stopped.wait()
        listener.close()
        transports = [connection.transport for connection in server.connections]
        await server.shutdown(0.1)
        for transport in transports:
            # Closing TLS waits for a client that may have gone without a word.
            if transport is not None:
                transport.abort()
        await listener.wait_closed()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.result(PATIENCE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        self._thread.join(PATIENCE)
