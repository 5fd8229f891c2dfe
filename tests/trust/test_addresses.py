"""Link-local, loopback and cluster ranges are refused after name resolution, unless the operator
was started with custom endpoints."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable

import msgspec
import pytest
import uvloop
from aiohttp import web
from requests import Session
from tests.identity.conftest import CLIENT, SCOPE, SignIn, handed, vaulted

from cirahub_sync.configuration import Cloud, ConnectionConfig
from cirahub_sync.endpoints.attempts import Patience
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import (
    AddressRefusedError,
    CirahubError,
    ConfigurationError,
    EndpointUnavailableError,
)
from cirahub_sync.identity.provider import provider
from cirahub_sync.network import Route, objection
from cirahub_sync.origins import Origins, network

from .conftest import ENTRA, GRAPH, TENANT, VAULT, Door, Handed, Names, Serve, opened

BAD = {
    "127.0.0.1": "a loopback address",
    "127.8.8.8": "a loopback address",
    "::1": "a loopback address",
    "0.0.0.0": "an unspecified address",
    "0.1.2.3": "an unspecified address",
    "::": "an unspecified address",
    "169.254.169.254": "a link-local address",
    "169.254.1.1": "a link-local address",
    "fe80::1": "a link-local address",
    "fe80::a9fe:a9fe%eth0": "a link-local address",
    "224.0.0.1": "a multicast address",
    "ff02::1": "a multicast address",
    "255.255.255.255": "a reserved address",
    "168.63.129.16": "the address of a cloud's metadata service",
    "100.100.100.200": "the address of a cloud's metadata service",
    "fd00:ec2::254": "the address of a cloud's metadata service",
    "::ffff:169.254.169.254": "a link-local address",
    "::ffff:7f00:1": "a loopback address",
    "::127.0.0.1": "a loopback address",
    "2002:7f00:1::": "a loopback address",
    "2002:a9fe:a9fe::1": "a link-local address",
    "64:ff9b::a9fe:a9fe": "a link-local address",
    "64:ff9b:1::7f00:1": "a loopback address",
    "2001:0:7f00:1::": "a loopback address",
    "10.96.0.1": "in a range of the cluster",
    "::ffff:10.96.0.1": "in a range of the cluster",
    "64:ff9b::10.96.0.1": "in a range of the cluster",
    "fd00:10:96::a": "in a range of the cluster",
}
GOOD = [
    "10.0.0.4",
    "172.16.3.4",
    "192.168.1.10",
    "10.112.0.1",
    "20.190.151.7",
    "fd12:3456::1",
    "2603:1000::1",
    "::ffff:20.190.151.7",
    "64:ff9b::20.190.151.7",
]
CLUSTER = ("10.96.0.0/12", "fd00:10:96::/112")

Reach = Callable[[SignIn, Origins], Awaitable[object]]


async def entra(sign_in: SignIn, origins: Origins) -> object:
    tokens = provider(handed(), Cloud.GLOBAL, origins, sign_in.cluster, name="team/contoso")
    try:
        return await tokens.token(SCOPE)
    finally:
        await tokens.close()


async def vault(sign_in: SignIn, origins: Origins) -> object:
    """The vault's reader signs in at the simulator, as the endpoints file says."""
    simulated = {f"https://{ENTRA}": sign_in.origins().origins[f"https://{ENTRA}"]}
    origins = msgspec.structs.replace(
        origins, origins={**simulated, **origins.origins}, ca_file=sign_in.origins().ca_file
    )
    tokens = provider(vaulted(), Cloud.GLOBAL, origins, sign_in.cluster, name="team/contoso")
    try:
        return await tokens.token(SCOPE)
    finally:
        await tokens.close()


async def graph(_: SignIn, origins: Origins) -> object:
    connection = ConnectionConfig("uid", "team/contoso", handed(TENANT, CLIENT))
    patience = Patience(attempts=1, connect=10.0)
    async with GraphSession(connection, Handed(), origins, patience=patience) as session:
        return await session.get("box", "/v1.0/users/x", what="a user", role="Some.Role")


SERVICES = {ENTRA: entra, VAULT: vault, GRAPH: graph}
each_service = pytest.mark.parametrize("host", SERVICES)


@pytest.mark.parametrize(("address", "why"), BAD.items())
def test_an_address_of_the_inside_is_recognised_in_every_form(address: str, why: str) -> None:
    assert objection(address, tuple(map(network, CLUSTER))) == why


@pytest.mark.parametrize("address", GOOD)
def test_public_and_private_addresses_may_be_used(address: str) -> None:
    assert objection(address, tuple(map(network, CLUSTER))) is None


@each_service
async def test_a_name_that_leads_to_this_machine_is_not_connected_to(
    sign_in: SignIn, names: Names, door: Door, host: str
) -> None:
    names.lead(host, [door.address])
    with pytest.raises(AddressRefusedError) as refused:
        await SERVICES[host](sign_in, Origins())
    error = refused.value
    assert (error.reason, error.stalled) == ("AddressRefused", True)
    assert "team/contoso" in str(error)
    assert f"{host} is at 127.0.0.1, which is a loopback address" in str(error)
    assert "--endpoints" in str(error)
    assert door.knocks == 0


@each_service
@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"]
)
async def test_a_name_that_leads_to_a_metadata_service_is_refused(
    sign_in: SignIn, names: Names, host: str, address: str
) -> None:
    names.lead(host, [(address, 80)])
    with pytest.raises(AddressRefusedError, match=host):
        await SERVICES[host](sign_in, Origins())


@each_service
async def test_one_bad_address_among_good_ones_is_enough(
    sign_in: SignIn, names: Names, door: Door, outside: Serve, host: str
) -> None:
    async with outside(refusing) as good:
        for answer in ([good.address, door.address], [door.address, good.address]):
            names.lead(host, answer)
            with pytest.raises(AddressRefusedError):
                await SERVICES[host](sign_in, Origins())
        assert good.requests == []
    assert door.knocks == 0


@each_service
async def test_a_private_address_is_reached_unless_it_is_the_clusters(
    sign_in: SignIn, names: Names, outside: Serve, host: str
) -> None:
    async with outside(refusing) as server:
        names.lead(host, [server.address])
        with pytest.raises(CirahubError) as other:
            await SERVICES[host](sign_in, Origins())
        assert not isinstance(other.value, AddressRefusedError)
        reached = len(server.requests)
        assert reached > 0
        with pytest.raises(AddressRefusedError, match="in a range of the cluster"):
            await SERVICES[host](sign_in, Origins(cluster_ranges=(f"{server.host}/32",)))
        assert len(server.requests) == reached


@each_service
async def test_the_address_that_was_judged_is_the_one_that_is_connected_to(
    sign_in: SignIn, names: Names, door: Door, outside: Serve, host: str
) -> None:
    async with outside(refusing) as server:
        names.lead(host, [server.address], [door.address])
        with pytest.raises(CirahubError):
            await SERVICES[host](sign_in, Origins())
        assert len(server.requests) > 0
    assert door.knocks == 0


@each_service
async def test_what_the_endpoints_file_names_is_exempt_and_nothing_else(
    sign_in: SignIn, names: Names, door: Door, serve: Serve, host: str
) -> None:
    authority_file = os.environ["SSL_CERT_FILE"]
    async with serve(refusing) as server:
        rewritten = Origins({f"https://{host}": server.origin}, authority_file)
        if host != VAULT:
            with pytest.raises(CirahubError) as other:
                await SERVICES[host](sign_in, rewritten)
            assert not isinstance(other.value, AddressRefusedError)
            assert len(server.requests) > 0
        names.lead(host, [door.address])
        elsewhere = Origins({"https://other.example": server.origin}, authority_file)
        with pytest.raises(AddressRefusedError):
            await SERVICES[host](sign_in, elsewhere)
    assert door.knocks == 0


LITERALS = ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost"]
NUMBERS = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0"]


@pytest.mark.parametrize("host", [*LITERALS, *NUMBERS])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_numbers_in_a_names_place_are_refused_too(host: str, loop: str) -> None:
    """By aiohttp: numbers that are no canonical address it refuses by itself."""

    async def attempt() -> int:
        async with opened("127.0.0.1") as door:
            route = Route(f"https://{host}:{door.port}", Origins(), "connection team/contoso")
            async with route.session() as session:
                with pytest.raises((AddressRefusedError, ValueError)):
                    await session.get(route.url)
            return door.knocks

    factory = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(attempt()) == 0


@pytest.mark.parametrize("host", [*LITERALS, *NUMBERS])
def test_numbers_in_a_names_place_are_refused_by_the_way_to_entra_too(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = listener.getsockname()[1]
        route = Route(f"https://{host}:{port}", Origins(), "connection team/contoso")
        with Session() as session:
            session.trust_env = False
            session.mount("https://", route.adapter(retries=0))
            with pytest.raises(AddressRefusedError):
                session.get(route.url, timeout=10)
        with pytest.raises(BlockingIOError):
            listener.accept()


async def test_the_way_to_entra_is_by_tls_only(sign_in: SignIn, door: Door) -> None:
    with pytest.raises(CirahubError):
        await entra(sign_in, Origins({f"https://{ENTRA}": f"http://127.0.0.1:{door.port}"}))
    assert door.knocks == 0


@each_service
async def test_a_proxy_of_the_environment_resolves_by_itself(
    sign_in: SignIn, names: Names, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """And is trusted, wherever it is: its administrator is ours."""
    asked: list[str] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("https_proxy", f"http://proxy-user:proxy-word@127.0.0.1:{port}")
    monkeypatch.setenv("no_proxy", "")
    names.lead(host, [("169.254.169.254", 443)])
    async with server:
        with pytest.raises(EndpointUnavailableError) as failed:
            await SERVICES[host](sign_in, Origins())
        assert f"CONNECT {host}:443" in asked[0]
        assert "proxy-authorization: basic " in asked[0].lower()
        assert "proxy-word" not in str(failed.value)
        monkeypatch.setenv("no_proxy", host)
        with pytest.raises(AddressRefusedError):
            await SERVICES[host](sign_in, Origins())


@pytest.mark.parametrize("text", ["10.96.0.0/40", "cluster.local", ""])
def test_a_range_that_is_none_is_said(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"write it like 10\.96\.0\.0/12"):
        network(text)


async def refusing(_: web.Request) -> web.StreamResponse:
    """A server that is reached, and refuses whatever it is asked."""
    return web.json_response({"error": {"code": "x"}}, status=400)
