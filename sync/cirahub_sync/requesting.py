"""The way out for who asks by the requests library: MSAL, and what speaks to an Exchange Server.

Connections are judged as `network` says, and no redirect is followed.
"""

from __future__ import annotations

import socket
from typing import Any, ClassVar, Protocol

from requests import Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection
from urllib3.util.retry import Retry

from cirahub_sync.errors import RedirectRefusedError
from cirahub_sync.network import Guard, Route


class Watch(Protocol):
    """Sees the requests of one thread."""

    def leaving(self, connection: HTTPSConnection) -> None:
        """Asked when the connection stands, and the request is about to leave on it. What it
        raises takes the request back."""
        ...


class Adapter(HTTPAdapter):
    """Connects to judged addresses, unless `guard` is None; goes where no answer sends it."""

    def __init__(
        self, route: Route, guard: Guard | None, *, retries: int, watch: Watch | None
    ) -> None:
        self._route = route
        self._guard = guard
        self._watch = watch
        # How long to wait is ours to say: a thread would sleep for as long as an answer likes.
        super().__init__(max_retries=Retry(total=retries, respect_retry_after_header=False))

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        options |= self._tls()
        super().init_poolmanager(*arguments, **options)
        if self._guard is not None or self._watch is not None:
            self.poolmanager.pool_classes_by_scheme = {"https": _pool(self._guard, self._watch)}

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options, **self._tls())
        if self._watch is not None:
            manager.pool_classes_by_scheme = {
                "http": HTTPConnectionPool,
                "https": _pool(None, self._watch),
            }
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        if self._watch is None:
            super().cert_verify(conn, url, verify, cert)

    def _tls(self) -> dict[str, Any]:
        return {} if self._watch is None else {"ssl_context": self._route.trust}

    def send(self, *arguments: Any, **options: Any) -> Response:
        response = super().send(*arguments, **options)
        try:
            self._route.refuse_redirect(response.status_code)
        except RedirectRefusedError:
            response.close()
            raise
        return response


def _pool(guard: Guard | None, watch: Watch | None) -> type[HTTPSConnectionPool]:
    class Connection(_Connection):
        judge = guard
        watcher = watch

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

    return Pool


class _Connection(HTTPSConnection):
    judge: ClassVar[Guard | None]
    watcher: ClassVar[Watch | None]

    def request(self, *arguments: Any, **options: Any) -> None:
        if self.watcher is not None:
            self.watcher.leaving(self)
        super().request(*arguments, **options)

    def _new_conn(self) -> socket.socket:
        """As urllib3 does it, but with a judgement between resolving and connecting."""
        if self.judge is None:
            return super()._new_conn()
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        self.judge.check(self.host, [str(info[4][0]) for info in found])
        failed: OSError = OSError("no address")
        for *_, address in found:
            try:
                return create_connection(
                    (str(address[0]), int(address[1])),
                    self.timeout,
                    source_address=self.source_address,
                    socket_options=self.socket_options,
                )
            except OSError as error:
                failed = error
        if isinstance(failed, TimeoutError):
            raise ConnectTimeoutError(self, "the connection timed out") from failed
        raise NewConnectionError(self, f"no connection ({type(failed).__name__})") from failed
