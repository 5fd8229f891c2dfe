"""The listeners: every service on its own origin, behind TLS with a certificate authority of ours.

Entra, Graph and each vault are told apart by their port, as they are by their host in the real
cloud. The endpoints file maps the well-known origins to these, so that one manifest serves both.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import msgspec
import trustme
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from cirahub_simulator.admin.application import make_admin
from cirahub_simulator.clouds import CLOUDS, Cloud
from cirahub_simulator.entra.service import EntraService
from cirahub_simulator.entra.token import OUTLOOK, TokenAuthority
from cirahub_simulator.ews.gate import AccountGate, TokenGate
from cirahub_simulator.ews.service import EwsService
from cirahub_simulator.exchange import LARGEST_BODY, make_handler
from cirahub_simulator.exchange_admin.gate import AdminGate
from cirahub_simulator.exchange_admin.service import PATH as ADMIN_PATH
from cirahub_simulator.exchange_admin.service import ExchangeAdminService
from cirahub_simulator.gate import GraphGate
from cirahub_simulator.graph.service import GraphService
from cirahub_simulator.keyvault.service import KeyVaultService
from cirahub_simulator.notification.delivery import Deliveries
from cirahub_simulator.notification.handshake import Doorkeeper
from cirahub_simulator.proxy import Proxy
from cirahub_simulator.world import World

LOOPBACK = "127.0.0.1"

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Ports(msgspec.Struct, kw_only=True):
    """Fixed ports. 0 takes a free one; vaults always do unless named."""

    entra: int = 0
    graph: int = 0
    graph_http: int | None = None
    """Graph without TLS, for benchmarks and clients that can't be given a CA. None: not at all."""
    admin: int = 0
    proxy: int = 0
    vaults: dict[str, int] = {}
    exchange: dict[str, int] = {}
    """Of Exchange Servers, by their host's name."""


class Endpoints(msgspec.Struct, kw_only=True):
    """Where everything is: the content of the endpoints file."""

    origins: dict[str, str]
    """Well-known origin to ours, e.g. `https://graph.microsoft.com` to `https://127.0.0.1:4711`."""
    ca_file: str
    """PEM of the CA that signed the certificates of all https origins."""
    admin: str
    graph_http: str | None = None
    proxy: str = ""
    """For clients that can't be told of other origins: `HTTPS_PROXY`."""


class Simulator:
    """A world being served, from `start` to `stop` (or as an async context manager)."""

    def __init__(
        self,
        world: World,
        *,
        listen: str = LOOPBACK,
        ports: Ports | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self.world = world
        self.tokens = TokenAuthority(world.clock)
        self.graph = GraphService(world)
        self.deliveries = Deliveries(world)
        self._door = Doorkeeper(self.graph, self.deliveries)
        self.ews = EwsService(world)
        self.exchange_admin = ExchangeAdminService(world)
        self._listen = listen
        self._ports = ports or Ports()
        self._servers: list[tuple[asyncio.Server, web.Server]] = []
        self._admin: web.AppRunner | None = None
        self._proxy = Proxy(self._where)
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        if ca_file is None:
            self._directory = tempfile.TemporaryDirectory(prefix="cirahub-simulator-")
            ca_file = Path(self._directory.name) / "ca.pem"
        self._ca_file = ca_file
        self._tls: ssl.SSLContext | None = None
        self.endpoints = Endpoints(origins={}, ca_file=str(ca_file), admin="")

    async def start(self) -> Endpoints:
        """Listen. Raises OSError when a fixed port is taken."""
        self._make_certificates()
        world = self.world
        await self._open_cloud(CLOUDS["Global"], self._ports.entra, self._ports.graph)
        if self._ports.graph_http is not None:
            gate = GraphGate(world, self.tokens)
            plain = make_handler(world, "graph", "http", self._door.answer, gate.admit)
            self.endpoints.graph_http = await self._serve(plain, self._ports.graph_http, tls=False)
        await self.open_tenants()
        self._admin = web.AppRunner(make_admin(self), access_log=None)
        await self._admin.setup()
        # The admin endpoint obeys anybody who reaches it, so it never leaves the machine.
        site = web.TCPSite(self._admin, LOOPBACK, self._ports.admin)
        await site.start()
        port = self._admin.addresses[0][1]
        self.endpoints.admin = f"http://{LOOPBACK}:{port}"
        port = await self._proxy.start(self._listen, self._ports.proxy)
        self.endpoints.proxy = f"http://{self._shown}:{port}"
        return self.endpoints

    async def open_tenants(self) -> None:
        """Listen for everything without an origin yet.

        That is every cloud that has a tenant, every vault and every Exchange Server.
        """
        for tenant in self.world.directory.tenants():
            await self._open_cloud(CLOUDS[tenant.cloud])
        for vault in self.world.vaults.values():
            origin = f"https://{vault.name}{CLOUDS[vault.cloud].vault_suffix}"
            if origin not in self.endpoints.origins:
                service = KeyVaultService(self.world, self.tokens, vault)
                handler = make_handler(self.world, "keyvault", "https", service.handle)
                port = self._ports.vaults.get(vault.name, 0)
                self.endpoints.origins[origin] = await self._serve(handler, port)
        for server in self.world.directory.exchange_servers():
            origin = f"https://{server.host}"
            if origin not in self.endpoints.origins:
                admit = AccountGate(self.world, server, self.tokens).admit
                handler = make_handler(self.world, "ews", "https", self.ews.handle, admit)
                port = self._ports.exchange.get(server.host, 0)
                self.endpoints.origins[origin] = await self._serve(handler, port)

    async def _open_cloud(self, cloud: Cloud, entra_port: int = 0, graph_port: int = 0) -> None:
        origins = self.endpoints.origins
        if cloud.authority not in origins:
            service = EntraService(self.world, self.tokens, cloud)
            entra = make_handler(self.world, "entra", "https", service.handle)
            origins[cloud.authority] = await self._serve(entra, entra_port)
        if cloud.graph not in origins:
            gate = GraphGate(self.world, self.tokens, cloud)
            graph = make_handler(self.world, "graph", "https", self._door.answer, gate.admit)
            origins[cloud.graph] = await self._serve(graph, graph_port)
        if OUTLOOK not in origins:
            admit = TokenGate(self.tokens).admit
            ews = make_handler(self.world, "ews", "https", self.ews.handle, admit)
            admit = AdminGate(self.world, self.tokens).admit
            admin = make_handler(
                self.world, "exchange-admin", "https", self.exchange_admin.handle, admit
            )

            async def outlook(http: web.BaseRequest) -> web.StreamResponse:
                return await (admin if http.path.startswith(ADMIN_PATH) else ews)(http)

            origins[OUTLOOK] = await self._serve(outlook, 0)

    def close_idle(self) -> int:
        """Close the connections that nobody uses at the moment, as every server may at any time
        (RFC 9112 9.5): how many there were."""
        closed = 0
        for _, server in self._servers:
            for connection in server.connections:
                if isinstance(connection, _Connection) and connection.idle:
                    transport = connection.transport
                    connection.force_close()
                    closed += 1
                    if transport is not None:
                        _abort(transport)  # nobody is waited for to say goodbye
        return closed

    async def stop(self) -> None:
        """Close every connection and listener."""
        await self._proxy.stop()
        await self.deliveries.stop()
        for listener, _ in self._servers:
            listener.close()
        transports = [c.transport for _, server in self._servers for c in server.connections]
        await asyncio.gather(*(server.shutdown(timeout=0.1) for _, server in self._servers))
        for transport in transports:
            # Closing TLS waits for a client that may have gone without a word.
            if transport is not None:
                _abort(transport)
        for listener, _ in self._servers:
            await listener.wait_closed()
        self._servers.clear()
        if self._admin is not None:
            await self._admin.cleanup()
            self._admin = None
        if self._directory is not None:
            self._directory.cleanup()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def _make_certificates(self) -> None:
        authority = trustme.CA()
        names = {LOOPBACK, "localhost", "::1", "outlook.office365.com"}
        for cloud in CLOUDS.values():
            names |= {_host(cloud.authority), _host(cloud.graph), f"*{cloud.vault_suffix}"}
        names |= {server.host for server in self.world.directory.exchange_servers()}
        if self._listen not in ("0.0.0.0", "::"):  # noqa: S104 - compared with, not bound to
            names.add(self._listen)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(*sorted(names)).configure_cert(context)
        self._tls = context
        authority.cert_pem.write_to_path(self._ca_file)

    async def _serve(self, handler: Handler, port: int, *, tls: bool = True) -> str:
        server = _Server(handler, access_log=None, request_factory=_make_request)
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(
            server, self._listen, port, ssl=self._tls if tls else None, backlog=512
        )
        self._servers.append((listener, server))
        bound = listener.sockets[0].getsockname()[1]
        return f"{'https' if tls else 'http'}://{self._shown}:{bound}"

    @property
    def _shown(self) -> str:
        """Our host, as it stands in an origin."""
        host = LOOPBACK if self._listen in ("0.0.0.0", "::") else self._listen  # noqa: S104
        return f"[{host}]" if ":" in host else host

    def _where(self, origin: str) -> tuple[str, int] | None:
        ours = urlsplit(self.endpoints.origins.get(origin, ""))
        return (ours.hostname, ours.port) if ours.hostname and ours.port else None


class _Connection(RequestHandler):
    """A connection that a gate can remember for as long as it lasts: NTLM signs it in."""

    __slots__ = ("__weakref__",)

    @property
    def idle(self) -> bool:
        """Whether the next request is waited for."""
        return self._waiter is not None and not self._waiter.done()


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


def _make_request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    """As aiohttp makes it, but with room for a large upload."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(
        message, payload, protocol, writer, task, loop, client_max_size=LARGEST_BODY
    )


def _host(origin: str) -> str:
    return origin.removeprefix("https://")


def _abort(transport: asyncio.WriteTransport) -> None:
    try:
        transport.abort()
    except AttributeError:
        # Before 3.11.4, TLS that was closed twice has let go of its protocol: it is ending.
        if sys.version_info >= (3, 11, 4):
            raise
