"""A vault or a network that wants our credentials somewhere else gets none of them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from cirahub_sync.configuration import Cloud, EntraAuth
from cirahub_sync.errors import CirahubError, CredentialError
from cirahub_sync.identity.provider import provider
from cirahub_sync.origins import Origins

from .conftest import SCOPE, SECRET, TENANT, SignIn, handed, vaulted

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Listener:
    """Somebody else's server, which remembers what it was sent."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.origin = ""
        self.seen: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        authorization = request.headers.get("Authorization", "")
        self.seen.append(f"{authorization} {await request.text()}")
        return await self._handler(request)


@asynccontextmanager
async def listening(handler: Handler, ca: trustme.CA) -> AsyncIterator[Listener]:
    listener = Listener(handler)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", listener.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    listener.origin = f"https://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield listener
    finally:
        await runner.cleanup()


async def caught(_request: web.Request) -> web.StreamResponse:
    return web.json_response({})


def moved(sign_in: SignIn, tmp_path: Path, ca: trustme.CA, **origins: str) -> Origins:
    """The simulator's origins, some of them elsewhere."""
    names = {
        "vault": "https://corp.vault.azure.net",
        "entra": "https://login.microsoftonline.com",
    }
    bundle = tmp_path / "bundle.pem"
    ours = Path(str(sign_in.origins().ca_file)).read_bytes()
    bundle.write_bytes(ours + ca.cert_pem.bytes())
    changed = {names[name]: origin for name, origin in origins.items()}
    return Origins({**sign_in.origins().origins, **changed}, str(bundle))


async def is_refused(
    sign_in: SignIn, auth: EntraAuth, origins: Origins, error: type[CirahubError] = CirahubError
) -> None:
    tokens = provider(auth, Cloud.GLOBAL, origins, sign_in.cluster, name="team/contoso")
    with pytest.raises(error):
        await tokens.token(SCOPE)
    await tokens.close()


@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer authorization="{elsewhere}/{tenant}", resource="https://vault.azure.net"',
        'Bearer authorization="{elsewhere}/other", resource="https://vault.azure.net"',
        'Bearer authorization="https://login.microsoftonline.com/{tenant}", resource="{elsewhere}"',
        'Bearer authorization="{elsewhere}/{tenant}", resource="https://graph.microsoft.com"',
    ],
    ids=["authority", "tenant", "resource", "graph"],
)
async def test_a_challenge_sends_no_credential_elsewhere(
    sign_in: SignIn, tmp_path: Path, challenge: str
) -> None:
    ca = trustme.CA()
    tenant = TENANT

    async with listening(caught, ca) as elsewhere:

        async def challenging(request: web.Request) -> web.StreamResponse:
            text = challenge.format(elsewhere=elsewhere.origin, tenant=tenant)
            return web.json_response({}, status=401, headers={"WWW-Authenticate": text})

        async with listening(challenging, ca) as vault:
            await is_refused(
                sign_in,
                vaulted(),
                moved(sign_in, tmp_path, ca, vault=vault.origin),
                CredentialError,
            )
        assert elsewhere.seen == []


async def test_a_redirect_of_the_vault_is_not_followed(sign_in: SignIn, tmp_path: Path) -> None:
    ca = trustme.CA()
    async with listening(caught, ca) as elsewhere:

        async def redirecting(request: web.Request) -> web.StreamResponse:
            raise web.HTTPTemporaryRedirect(f"{elsewhere.origin}/secrets/graph")

        async with listening(redirecting, ca) as vault:
            await is_refused(sign_in, vaulted(), moved(sign_in, tmp_path, ca, vault=vault.origin))
        assert elsewhere.seen == []


@pytest.mark.parametrize("way", ["configuration", "redirect"])
async def test_the_secret_goes_to_no_other_token_endpoint(
    sign_in: SignIn, tmp_path: Path, way: str
) -> None:
    ca = trustme.CA()
    async with listening(caught, ca) as elsewhere:

        async def lying(request: web.Request) -> web.StreamResponse:
            if request.method == "POST":
                raise web.HTTPTemporaryRedirect(f"{elsewhere.origin}/token")
            here = f"https://{request.host}"
            origin = elsewhere.origin if way == "configuration" else here
            return web.json_response(
                {
                    "issuer": "https://login.microsoftonline.com/x/v2.0",
                    "authorization_endpoint": f"{here}/authorize",
                    "token_endpoint": f"{origin}/token",
                }
            )

        async with listening(lying, ca) as entra:
            await is_refused(sign_in, handed(), moved(sign_in, tmp_path, ca, entra=entra.origin))
        assert elsewhere.seen == []
        assert (way == "redirect") == any(SECRET in each for each in entra.seen)
