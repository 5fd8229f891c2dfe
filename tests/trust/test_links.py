"""Credentials never follow discovery or next links to another origin."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from tests.identity.conftest import CLIENT, SCOPE, SignIn, handed, workload

from cirahub_sync.configuration import Cloud, ConnectionConfig, EntraAuth, MailboxTarget
from cirahub_sync.endpoints.attempts import Patience
from cirahub_sync.endpoints.graph.endpoint import GraphEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import CirahubError, ProtocolError
from cirahub_sync.identity.provider import provider

from .conftest import ENTRA, TENANT, Handed, Serve, Server, trusting, welcoming

REAL = "https://graph.microsoft.com"

ELSEWHERE = {
    "another host": "{evil}/v1.0/x",
    "the same host, another port": "https://127.0.0.1:{evil_port}/v1.0/x",
    "the real name before an @": "https://graph.microsoft.com@127.0.0.1:{evil_port}/v1.0/x",
    "our origin before an @": "https://127.0.0.1:{own_port}@127.0.0.1:{evil_port}/v1.0/x",
    "an @ before our origin": "https://someone:word@127.0.0.1:{own_port}/v1.0/x",
    "no scheme": "//127.0.0.1:{evil_port}/v1.0/x",
    "by http": "http://127.0.0.1:{own_port}/v1.0/x",
    "by http to the real name": "http://graph.microsoft.com/v1.0/x",
    "a longer name": "https://graph.microsoft.com.evil.example/v1.0/x",
    "a port of the real name": "https://graph.microsoft.com:8443/v1.0/x",
    "a dot at the end": "https://graph.microsoft.com./v1.0/x",
    "a backslash": "https://graph.microsoft.com\\@127.0.0.1:{evil_port}/v1.0/x",
    "a backslash after our origin": "https://127.0.0.1:{own_port}\\@127.0.0.1:{evil_port}/x",
    "a letter of another script": "https://gr\u0430ph.microsoft.com/v1.0/x",
    "full-width letters": "https://\uff47raph.microsoft.com/v1.0/x",
    "a path": "/v1.0/x",
    "a path of two slashes": "{own}//127.0.0.1:{evil_port}/v1.0/x",
    "a path that climbs": "{own}/../../x",
    "a tabulator in the host": "https://graph.microsoft.\tcom/v1.0/x",
    "a line's end in the path": "{own}/v1.0/x\r\nX-Injected: yes",
    "blank": " {evil}/v1.0/x",
    "another scheme": "file:///etc/passwd",
    "nothing to parse": "https://[::1/v1.0/x",
}
OWN = {
    "our origin": "{own}/v1.0/next",
    "the real name": f"{REAL}/v1.0/next",
    "the real name's default port": f"{REAL}:443/v1.0/next",
    "the real name in capitals": "HTTPS://GRAPH.MICROSOFT.COM/v1.0/next",
}


@pytest.fixture
async def evil(serve: Serve) -> AsyncIterator[Server]:
    async with serve(welcoming) as made:
        yield made


def _filled(link: str, own: Server, evil: Server) -> str:
    return link.format(own=own.origin, own_port=own.port, evil=evil.origin, evil_port=evil.port)


class Graph:
    """A Graph whose links lead where a test likes."""

    def __init__(self) -> None:
        self.link = ""
        self.kind = "@odata.nextLink"
        self.server: Server

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if path.endswith(("/contacts/delta", "/contactFolders", "/childFolders")):
            return web.json_response({"value": [], self.kind: self.link})
        if path == "/v1.0/next":
            link = f"{REAL}/v1.0/delta"
            return web.json_response({"value": [], "@odata.deltaLink": link})
        if "contactFolders" in path:
            return web.json_response({"id": "folder", "displayName": "Contacts"})
        return web.json_response({"id": "user"})

    def session(self, sign_in: SignIn) -> GraphSession:
        connection = ConnectionConfig("uid", "team/contoso", handed(TENANT, CLIENT))
        origins = trusting({REAL: self.server.origin}, sign_in)
        return GraphSession(connection, Handed(), origins, patience=Patience(attempts=1))


@pytest.fixture
async def graph(serve: Serve) -> AsyncIterator[Graph]:
    made = Graph()
    async with serve(made.answer) as server:
        made.server = server
        yield made


async def _pull(session: GraphSession, folder: str = "") -> None:
    target = MailboxTarget("ann@contoso.example", folder)
    endpoint = GraphEndpoint(session, target, lambda _: None)
    await endpoint.open(create=False)
    async for _ in endpoint.changes(None, known=lambda _: {}):
        pass


@pytest.mark.parametrize("kind", ["@odata.nextLink", "@odata.deltaLink"])
@pytest.mark.parametrize("link", ELSEWHERE.values(), ids=ELSEWHERE)
async def test_a_link_elsewhere_is_not_followed(
    sign_in: SignIn, graph: Graph, evil: Server, kind: str, link: str
) -> None:
    graph.kind, graph.link = kind, _filled(link, graph.server, evil)
    async with graph.session(sign_in) as session:
        with pytest.raises(ProtocolError) as refused:
            await _pull(session)
    assert "team/contoso" in str(refused.value)
    assert "evil" not in str(refused.value)
    assert evil.requests == []
    assert "delta" in graph.server.requests[-1].split("\n")[0]


@pytest.mark.parametrize("link", ["another host", "our origin before an @", "by http"])
async def test_nor_one_of_the_folders(
    sign_in: SignIn, graph: Graph, evil: Server, link: str
) -> None:
    graph.link = _filled(ELSEWHERE[link], graph.server, evil)
    async with graph.session(sign_in) as session:
        with pytest.raises(ProtocolError, match="another origin"):
            await _pull(session, folder="Team")
    assert evil.requests == []


@pytest.mark.parametrize("link", OWN.values(), ids=OWN)
async def test_a_link_to_the_same_origin_is_followed_however_it_is_written(
    sign_in: SignIn, graph: Graph, evil: Server, link: str
) -> None:
    graph.link = _filled(link, graph.server, evil)
    async with graph.session(sign_in) as session:
        await _pull(session)
    assert any(each.startswith("GET /v1.0/next") for each in graph.server.requests)


@pytest.mark.parametrize("auth", [handed(), workload()], ids=["secret", "assertion"])
@pytest.mark.parametrize(
    "endpoint",
    [
        "{evil}/token",
        "https://127.0.0.1:{evil_port}/token",
        "https://127.0.0.1:{own_port}@127.0.0.1:{evil_port}/token",
        "https://someone@127.0.0.1:{own_port}/token",
        "http://127.0.0.1:{own_port}/token",
        "//127.0.0.1:{evil_port}/token",
        "https://127.0.0.1:{own_port}\\@127.0.0.1:{evil_port}/token",
        " {evil}/token",
        "/token",
        "",
    ],
)
async def test_a_secret_goes_to_no_other_token_endpoint(
    sign_in: SignIn, serve: Serve, evil: Server, auth: EntraAuth, endpoint: str
) -> None:
    async def lying(request: web.Request) -> web.StreamResponse:
        return web.json_response(
            {
                "issuer": "https://login.microsoftonline.com/x/v2.0",
                "authorization_endpoint": f"{server.origin}/authorize",
                "token_endpoint": _filled(endpoint, server, evil),
            }
        )

    async with serve(lying) as server:
        origins = trusting({f"https://{ENTRA}": server.origin}, sign_in)
        tokens = provider(auth, Cloud.GLOBAL, origins, sign_in.cluster, name="team/contoso")
        with pytest.raises(CirahubError) as refused:
            await tokens.token(SCOPE)
        await tokens.close()
        # What MSAL itself can make no token endpoint of comes as an unreadable configuration.
        assert refused.value.reason in {"AuthorityMismatch", "EndpointUnavailable"}
        assert all(each.startswith("GET ") for each in server.requests)
    assert evil.requests == []


@pytest.mark.parametrize("path", ["//127.0.0.1:{evil_port}/x", "@127.0.0.1:{evil_port}/x", "x"])
async def test_a_stored_link_is_held_to_our_origin_again(
    sign_in: SignIn, graph: Graph, evil: Server, path: str
) -> None:
    """A cursor comes out of the store, which somebody may have restored or written to."""
    async with graph.session(sign_in) as session:
        target = MailboxTarget("ann@contoso.example")
        endpoint = GraphEndpoint(session, target, lambda _: None)
        await endpoint.open(create=False)
        token = f"user folder {_filled(path, graph.server, evil)}"
        with pytest.raises(CirahubError):
            async for _ in endpoint.changes(token, known=lambda _: {}):
                pass
    assert evil.requests == []
