"""What an attacker has: servers, names that lead where they like, and doors that nobody may
knock at."""

from __future__ import annotations

import asyncio
import functools
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from tests.identity.conftest import SignIn

from cirahub_sync.identity.base import AccessToken
from cirahub_sync.origins import Origins

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TENANT = "11111111-1111-4111-8111-111111111111"
ENTRA = "login.microsoftonline.com"
GRAPH = "graph.microsoft.com"
VAULT = "corp.vault.azure.net"


class Names:
    """The system's resolver, but for the names that a test gives an answer to.

    A name's answers come one after the other, and the last one stays: that is how a name is bound
    to another address between being looked at and being used.
    """

    def __init__(self, system: Callable[..., Any]) -> None:
        self._system = system
        self._answers: dict[str, list[list[tuple[str, int]]]] = {}

    def lead(self, name: str, *answers: list[tuple[str, int]]) -> None:
        """Each answer is a list of addresses with the port that listens there."""
        self._answers[name] = list(answers)

    def getaddrinfo(self, host: str, port: int, *arguments: Any, **options: Any) -> Any:
        answers = self._answers.get(host)
        if answers is None:
            return self._system(host, port, *arguments, **options)
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [self._info(*address) for address in addresses]

    def _info(self, address: str, port: int) -> tuple[Any, ...]:
        if ":" in address:
            return socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0)
        return socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    made = Names(socket.getaddrinfo)
    monkeypatch.setattr(socket, "getaddrinfo", made.getaddrinfo)
    return made


class Door:
    """A port that remembers every connection, before any byte of it."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.knocks = 0

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port


@asynccontextmanager
async def opened(host: str) -> AsyncIterator[Door]:
    async def knocked(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.knocks += 1
        writer.close()

    server = await asyncio.start_server(knocked, host, 0)
    made = Door(host, server.sockets[0].getsockname()[1])
    async with server:
        yield made


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """On this machine, where an operator's own ports would be."""
    async with opened("127.0.0.1") as made:
        yield made


@pytest.fixture
def own_address() -> str:
    """An address of this machine that others could reach: private ones are, in companies."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # A datagram's socket sends nothing for that.
        except OSError:
            pytest.skip("this machine has no address but its loopback ones")
        return str(probe.getsockname()[0])


class Server:
    """A TLS server, and everything that was sent to it."""

    def __init__(self, handler: Handler, host: str, port: int) -> None:
        self.handler = handler
        self.host = host
        self.port = port
        self.requests: list[str] = []
        """Method, path, headers and body of each."""

    @property
    def origin(self) -> str:
        return f"https://{self.host}:{self.port}"

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port


Serve = Callable[..., AbstractAsyncContextManager[Server]]


@pytest.fixture
def authority_file(tmp_path: Path) -> str:
    return str(tmp_path / "trusted.pem")


@pytest.fixture
def authority(authority_file: str, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """A certificate authority that this machine trusts, as an attacker may have it in the worst
    case."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(authority_file)
    monkeypatch.setenv("SSL_CERT_FILE", authority_file)
    return ca


@pytest.fixture
def serve(authority: trustme.CA) -> Serve:
    """`async with serve(handler) as server`, under all names that matter here."""

    @asynccontextmanager
    async def started(handler: Handler, *, host: str = "127.0.0.1") -> AsyncIterator[Server]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        names = ("127.0.0.1", host, "localhost", ENTRA, GRAPH, VAULT, "evil.example")
        authority.issue_cert(*dict.fromkeys(names)).configure_cert(context)

        async def handle(request: web.Request) -> web.StreamResponse:
            headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
            body = await request.text()
            server.requests.append(f"{request.method} {request.path_qs}\n{headers}\n\n{body}")
            return await server.handler(request)

        application = web.Application()
        application.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, host, 0, ssl_context=context).start()
        server = Server(handler, host, runner.addresses[0][1])
        try:
            yield server
        finally:
            await runner.cleanup()
            await _closed(server.port)

    return started


async def _closed(port: int) -> None:
    """Wait for a server's connections to be closed: the end of TLS is an exchange, too. See
    `connections_closed` of the operator's tests."""
    transports = asyncio.get_running_loop()._transports  # type: ignore[attr-defined]
    async with asyncio.timeout(20):
        while any(  # noqa: ASYNC110
            one._sock is not None and one._sock.getsockname()[1] == port
            for one in list(transports.values())
        ):
            await asyncio.sleep(0.01)


@pytest.fixture
def outside(serve: Serve, own_address: str) -> Serve:
    """As `serve`, where an operator may connect to."""
    return functools.partial(serve, host=own_address)


def trusting(origins: Mapping[str, str], sign_in: SignIn) -> Origins:
    """Rewrites that trust `serve`'s authority as well as the simulator's."""
    bundle = Path(os.environ["SSL_CERT_FILE"]).with_name("both.pem")
    parts = (Path(os.environ["SSL_CERT_FILE"]), Path(str(sign_in.origins().ca_file)))
    bundle.write_bytes(b"".join(part.read_bytes() for part in parts))
    return Origins(origins, str(bundle))


class Handed:
    """A token that is there already."""

    async def token(self, scope: str) -> AccessToken:
        return AccessToken("the-token", 4e9)

    async def invalidate(self) -> None:
        return

    async def close(self) -> None:
        return


async def welcoming(_: web.Request) -> web.StreamResponse:
    """Answers everything, as an attacker would."""
    return web.json_response({"value": [], "access_token": "x", "expires_in": 3600})


@pytest.fixture
async def sign_in() -> AsyncIterator[SignIn]:
    made = SignIn()
    async with made.simulator:
        yield made
        await made.close()
