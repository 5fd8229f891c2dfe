"""Kopf's own life: how it signs in, what it is told at the end, how it is set up."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator

import aiohttp
import kopf

from cirahub_operator.kubeconfig import configuration
from cirahub_operator.watch_streams import WatchStreams

PREFIX = "operator.cirahub.io"
"""Of whatever Kopf may want to keep in annotations. It has no reason to: we have event handlers
only, and these keep nothing."""


class Patience:
    """Seconds between attempts, without an end. A watch that is refused, because a namespace is
    gone or its role is, is tried again for as long as we run: when Kopf gives one up, it takes all
    the others down with it."""

    first = (1.0, 1.0, 2.0, 3.0, 5.0, 8.0)
    then = 15.0

    def __iter__(self) -> Iterator[float]:
        return itertools.chain(self.first, itertools.repeat(self.then))


def register(
    registry: kopf.OperatorRegistry,
    stop: Callable[[], Awaitable[None]],
    streams: WatchStreams | None = None,
) -> None:
    """`stop` is awaited once Kopf's watches have ended and before it looks for tasks that hang;
    `streams` listens to the watches."""
    listening = streams or WatchStreams()

    @kopf.on.login(registry=registry)
    async def sign_in(**_kwargs: object) -> kopf.AiohttpSession:
        found = await configuration()
        scheme, _, token = (await found.get_api_key_with_prefix("BearerToken") or "").rpartition(
            " "
        )
        info = kopf.ConnectionInfo(
            server=found.host,
            ca_path=found.ssl_ca_cert,
            insecure=not found.verify_ssl,
            scheme=scheme or None,
            token=token or None,
            certificate_path=found.cert_file,
            private_key_path=found.key_file,
            proxy_url=found.proxy,
        )
        session = listening.session(
            connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
            headers=info.as_http_headers(),
            proxy=info.proxy_url,
        )
        return kopf.AiohttpSession(server=info.server, aiohttp_session=session)

    @kopf.on.cleanup(registry=registry)
    async def end(**_: object) -> None:
        await stop()


def settings(watch_round: float = 60.0) -> kopf.OperatorSettings:
    """`watch_round`: seconds after which a watch stream is opened anew."""
    made = kopf.OperatorSettings()
    made.posting.enabled = False
    made.scanning.disabled = True
    # Not ours: Kopf takes its own away from objects for which it has no deletion handler.
    made.persistence.finalizer = f"{PREFIX}/finalizer"
    made.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=PREFIX)
    made.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=PREFIX)
    # Workers only ring bells, so few of them serve many objects; they go as soon as they idle.
    made.queueing.worker_limit = 50
    made.queueing.idle_timeout = 0.1
    made.queueing.exit_timeout = 0.5
    made.watching.chunk_size = 500
    # Streams that stall silently: the server ends them in time, and if it doesn't, we do.
    made.watching.server_timeout = int(watch_round)
    made.watching.inactivity_timeout = 1.25 * watch_round
    made.watching.client_timeout = 1.5 * watch_round
    made.watching.connect_timeout = 15
    made.networking.request_timeout = 60
    made.networking.connect_timeout = 15
    made.networking.error_backoffs = Patience()
    return made
