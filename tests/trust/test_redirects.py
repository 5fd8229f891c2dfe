"""Credentials never follow redirects: not to another origin, and not to their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from tests.identity.conftest import CLIENT, SCOPE, SECRET, SignIn, handed, vaulted, workload

from cirahub_sync.configuration import Cloud, ConnectionConfig, EntraAuth
from cirahub_sync.endpoints.attempts import Patience
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import CirahubError
from cirahub_sync.identity.provider import provider
from cirahub_sync.origins import Origins

from .conftest import ENTRA, GRAPH, TENANT, VAULT, Handed, Serve, Server, trusting, welcoming

STATUSES = [300, 301, 302, 303, 305, 307, 308]

Attempt = Callable[[SignIn, Origins], Awaitable[object]]


def _token(auth: EntraAuth) -> Attempt:
    async def attempt(sign_in: SignIn, origins: Origins) -> object:
        tokens = provider(auth, Cloud.GLOBAL, origins, sign_in.cluster, name="team/contoso")
        try:
            return await tokens.token(SCOPE)
        finally:
            await tokens.close()

    return attempt


def _graph(method: str) -> Attempt:
    async def attempt(_: SignIn, origins: Origins) -> object:
        connection = ConnectionConfig("uid", "team/contoso", handed(TENANT, CLIENT))
        async with GraphSession(
            connection, Handed(), origins, patience=Patience(attempts=1)
        ) as session:
            if method == "GET":
                return await session.get("box", "/v1.0/users/x", what="a user", role="A.Role")
            path = "/v1.0/users/x/contacts"
            return await session.write("box", method, path, b'{"a":1}', fence=lambda _: None)

    return attempt


ATTEMPTS: dict[str, tuple[str, Attempt]] = {
    "client secret": (ENTRA, _token(handed())),
    "assertion": (ENTRA, _token(workload())),
    "vault": (VAULT, _token(vaulted())),
    "graph, reading": (GRAPH, _graph("GET")),
    "graph, creating": (GRAPH, _graph("POST")),
    "graph, changing": (GRAPH, _graph("PATCH")),
    "graph, deleting": (GRAPH, _graph("DELETE")),
}
each_attempt = pytest.mark.parametrize(("host", "attempt"), ATTEMPTS.values(), ids=ATTEMPTS)


def _discovery(request: web.Request) -> web.StreamResponse:
    here = f"https://{request.host}"
    return web.json_response(
        {
            "issuer": "https://login.microsoftonline.com/x/v2.0",
            "authorization_endpoint": f"{here}/authorize",
            "token_endpoint": f"{here}/token",
        }
    )


@each_attempt
@pytest.mark.parametrize("status", STATUSES)
async def test_no_redirect_is_followed(
    sign_in: SignIn, serve: Serve, host: str, attempt: Attempt, status: int
) -> None:
    async with serve(welcoming) as evil:
        for at_once in (True, False):

            async def redirecting(request: web.Request, at_once: bool = at_once) -> web.Response:
                if not at_once and request.method == "GET" and host == ENTRA:
                    return _discovery(request)  # type: ignore[return-value]
                headers = {"Location": f"{evil.origin}/caught", "URI": f"{evil.origin}/caught"}
                return web.Response(status=status, headers=headers)

            async with serve(redirecting) as server:
                error = await _refused(sign_in, attempt, host, server)
            assert error.reason == "RedirectRefused"
            assert f"({status})" in str(error)
            assert "team/contoso" in str(error)
            assert "caught" not in str(error)
        assert evil.requests == []


@each_attempt
async def test_nor_one_to_the_same_origin(
    sign_in: SignIn, serve: Serve, host: str, attempt: Attempt
) -> None:
    async def redirecting(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with serve(redirecting) as server:
        error = await _refused(sign_in, attempt, host, server)
        assert error.reason == "RedirectRefused"
        assert not any("/elsewhere" in each for each in server.requests)


async def _refused(sign_in: SignIn, attempt: Attempt, host: str, server: Server) -> CirahubError:
    origins = trusting({**sign_in.origins().origins, f"https://{host}": server.origin}, sign_in)
    with pytest.raises(CirahubError) as refused:
        await attempt(sign_in, origins)
    assert len(server.requests) > 0
    assert SECRET not in str(refused.value)
    return refused.value
