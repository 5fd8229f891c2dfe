"""Where services tell of changes: an HTTPS endpoint that the whole internet may reach.

Microsoft Graph posts change notifications to it, and asks it once for each subscription whether it
is who it should be (https://learn.microsoft.com/graph/change-notifications-delivery-webhooks). What
comes is a hint from anybody: it is read strictly, proved against the secret of its subscription,
recorded, and answered; nothing of it is logged. It has a thread and an event loop of its own, so
that neither the engine nor Kopf keeps a service waiting, which gives up on us after 10 seconds.

A stand-by listens, too: what it takes is in the store when it has been answered.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Literal, Protocol
from urllib.parse import urlsplit

import msgspec
import uvloop
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from cirahub_operator.errors import OperatorError
from cirahub_operator.metrics import Metrics
from cirahub_operator.server_certificate import ServerCertificate
from cirahub_operator.settings import Notifications
from cirahub_sync.errors import CirahubError
from cirahub_sync.notifications import Heard, Notification

logger = logging.getLogger(__name__)

LARGEST_BODY = 1024 * 1024
"""Bytes. A notification has some 700."""
MOST = 1000
"""Notifications in one body."""
MOST_CONNECTIONS = 512
MOST_AT_ONCE = 32
"""Requests that are being read or recorded; more are asked to come again."""
WITHIN = 8.0
"""Seconds for reading a body, and again for recording it: a service waits for ten."""
PATIENCE = 10.0
"""Seconds in which a new connection has to bring a request."""

_TOKEN = re.compile(r"[^\x00-\x1f\x7f<>]{1,4096}")
"""It is opaque, and has no markup: "Microsoft Graph never sends any value containing HTML or
JavaScript code"."""


class Mailroom(Protocol):
    """`cirahub_sync.notifications.Mailroom`, opened or not. Raises CirahubError."""

    def heard(self, notifications: Sequence[Notification]) -> Heard: ...


class _Value(msgspec.Struct, rename="camel"):
    subscription_id: str
    client_state: str | None = None
    lifecycle_event: str | None = None


class _Body(msgspec.Struct):
    value: list[_Value]


_decode = msgspec.json.Decoder(_Body).decode


Lifecycle = Literal["", "reauthorizationRequired", "subscriptionRemoved", "missed"]


class NotificationError(ValueError):
    """A body that is none. Says nothing of what was in it."""


def read(body: bytes) -> list[Notification]:
    """The notifications of a `changeNotificationCollection`. Raises NotificationError.

    An event in a subscription's life that is not known yet is taken for `missed`: look at all.
    """
    try:
        values = _decode(body).value
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise NotificationError("no collection of change notifications") from None
    if len(values) > MOST:
        raise NotificationError(f"more than {MOST} notifications")
    return [
        Notification(
            subscription=one.subscription_id,
            client_state=one.client_state or "",
            lifecycle=_lifecycle(one.lifecycle_event),
        )
        for one in values
    ]


def _lifecycle(event: str | None) -> Lifecycle:
    match event:
        case None | "":
            return ""
        case "reauthorizationRequired" | "subscriptionRemoved":
            return event
        case _:
            return "missed"


class Listener:
    """Serves from `start` to `stop`."""

    def __init__(
        self,
        settings: Notifications,
        *,
        host: str,
        mailroom: Mailroom,
        metrics: Metrics,
        told: Callable[[frozenset[str]], object],
    ) -> None:
        """`told` is handed the hubs that have something to look at, in the listener's thread."""
        self._settings = settings
        self._host = host
        self._path = urlsplit(settings.url).path or "/"
        self._mailroom = mailroom
        self._metrics = metrics
        self._told = told
        self._recorders = ThreadPoolExecutor(2, thread_name_prefix="mailroom")
        self._at_once = 0
        self._failing = False
        self._thread = threading.Thread(target=self._host_loop, name="notifications", daemon=True)
        self._ready: Future[int] = Future()
        self._stop: Callable[[], object] = lambda: None

    @property
    def port(self) -> int:
        """Once it is started."""
        return self._ready.result()

    async def start(self) -> None:
        """Raises OperatorError: a port that is taken, a certificate that can't be used."""
        self._thread.start()
        await asyncio.wrap_future(self._ready)

    async def stop(self) -> None:
        """What is being recorded is answered first."""
        self._stop()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)
        self._recorders.shutdown(wait=False, cancel_futures=True)

    def _host_loop(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            try:
                runner.run(self._serve())
            except Exception as error:
                if self._ready.done():
                    raise
                self._ready.set_exception(error)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(stopped.set)
        settings = self._settings
        certificate = None
        if settings.certificate is not None and settings.private_key is not None:
            certificate = ServerCertificate(settings.certificate, settings.private_key)
        server = _Server(self._answer)
        try:
            listening = await loop.create_server(
                server.protocol,
                self._host,
                settings.port,
                ssl=certificate.context if certificate is not None else None,
                ssl_handshake_timeout=PATIENCE if certificate is not None else None,
            )
        except OSError as error:
            raise OperatorError(
                f"cannot listen on {self._host}:{settings.port} ({error.strerror}); choose another "
                "--notifications-port"
            ) from error
        keeping = None
        if certificate is not None:
            keeping = loop.create_task(certificate.keep(settings.certificate_look))
        self._ready.set_result(int(listening.sockets[0].getsockname()[1]))
        await stopped.wait()
        listening.close()
        await server.end()
        if keeping is not None:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if request.path != self._path:
            return _said(404)
        if request.method != "POST":
            return _said(405)
        tokens = request.query.getall("validationToken", [])
        if tokens:
            return self._validated(tokens)
        if self._at_once >= MOST_AT_ONCE:
            return self._counted("failed", 503)
        self._at_once += 1
        try:
            return await self._received(request)
        finally:
            self._at_once -= 1

    def _validated(self, tokens: Sequence[str]) -> web.Response:
        """The token, decoded, as plain text that no browser takes for anything else."""
        if len(tokens) > 1 or _TOKEN.fullmatch(tokens[0]) is None:
            return self._counted("malformed", 400)
        answer = self._counted("validation", 200)
        answer.text = tokens[0]
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    async def _received(self, request: web.BaseRequest) -> web.Response:
        if (request.content_length or 0) > LARGEST_BODY:
            return self._too_large()
        try:
            async with asyncio.timeout(WITHIN):
                body = await _body(request)
        except TimeoutError:
            return self._closing("malformed", 408)
        if body is None:
            return self._too_large()
        try:
            notifications = read(body)
        except NotificationError:
            return self._counted("malformed", 400)
        return await self._recorded(notifications)

    async def _recorded(self, notifications: Sequence[Notification]) -> web.Response:
        recording = asyncio.get_running_loop().run_in_executor(
            self._recorders, self._mailroom.heard, notifications
        )
        try:
            async with asyncio.timeout(WITHIN):
                heard = await asyncio.shield(recording)
        except (CirahubError, TimeoutError) as error:
            if not self._failing:
                logger.warning(
                    "change notifications can't be recorded (%s); services are asked to send them "
                    "again, and the regular passes find what they tell of",
                    error if isinstance(error, CirahubError) else "the store takes too long",
                )
            self._failing = True
            recording.add_done_callback(_let_go)
            return self._counted("failed", 503)
        self._failing = False
        count = self._metrics.notifications
        if heard.known:
            count.labels("accepted").inc(heard.known)
        if heard.unknown:
            count.labels("unknown").inc(heard.unknown)
        if heard.hubs:
            self._told(heard.hubs)
        # Whether they were known, nobody is told.
        return _said(202)

    def _too_large(self) -> web.Response:
        return self._closing("malformed", 413)

    def _closing(self, result: str, status: int) -> web.Response:
        """What is left of the body is not read."""
        answer = self._counted(result, status)
        answer.force_close()
        return answer

    def _counted(self, result: str, status: int) -> web.Response:
        self._metrics.notifications.labels(result).inc()
        return _said(status)


def _said(status: int) -> web.Response:
    return web.Response(status=status, content_type="text/plain", headers={"Server": "cirahub"})


def _let_go(recording: asyncio.Future[Heard]) -> None:
    """What a recording came to that nobody waits for any more: it was told, and is tried again."""
    if not recording.cancelled():
        recording.exception()


async def _body(request: web.BaseRequest) -> bytes | None:
    """None if it is too large."""
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > LARGEST_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


_MUTE = logging.Logger("mute", logging.CRITICAL + 1)  # noqa: LOG001 - it has no parent
"""Belongs to no other: what aiohttp says of requests that are none has a stranger's text in it."""


class _Connection(RequestHandler):
    """One that has to bring a request soon."""

    __slots__ = ("_deadline",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._deadline = asyncio.get_running_loop().call_later(PATIENCE, self._give_up)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.requested()
        super().connection_lost(exc)

    def requested(self) -> None:
        """It has brought one."""
        self._deadline.cancel()

    def _give_up(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class _Refusal(asyncio.Protocol):
    """A connection that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


class _Server(web.Server):
    def __init__(self, answer: Callable[[web.BaseRequest], Awaitable[web.Response]]) -> None:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            if isinstance(request.protocol, _Connection):
                request.protocol.requested()
            try:
                return await answer(request)
            except ConnectionError:
                return _said(400)
            except Exception as error:
                logger.error("a change notification failed: %s", type(error).__name__)  # noqa: TRY400 - the message may be a stranger's
                return _said(500)

        super().__init__(
            handle,
            access_log=None,
            logger=_MUTE,
            keepalive_timeout=60.0,
            lingering_time=0.0,
            auto_decompress=False,
        )

    def protocol(self) -> asyncio.Protocol:
        if len(self.connections) >= MOST_CONNECTIONS:
            return _Refusal()
        return _Connection(self, loop=self._loop, **self._kwargs)

    async def end(self) -> None:
        """Close every connection."""
        transports = [one.transport for one in self.connections]
        await self.shutdown(timeout=1.0)
        for transport in transports:
            # Closing TLS waits for a peer that may have gone without a word.
            if transport is not None:
                transport.abort()
