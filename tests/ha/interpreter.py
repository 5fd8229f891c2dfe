"""A proxy before the API server that understands what it passes on, so that it can fall silent on
watches alone, or give writes of statuses trouble. The operator speaks plain HTTP to it, and it
holds the credentials."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
import yaml
from aiohttp import web

from cirahub_operator.kubeconfig import configuration

_HOP = {"host", "connection", "content-length", "transfer-encoding"}


class Watches(StrEnum):
    """What becomes of watches."""

    PASSED_ON = "passed on"
    SILENT = "silent"
    """Those that are open and new ones are held, and nothing comes."""
    REFUSED = "refused"
    """By an API server that answers everything else: no outage."""
    NOT_FOUND = "not found"
    """As when their definition was deleted. Those that are open go on."""


@dataclass
class Trouble:
    """What becomes of writes of statuses."""

    status: int = 0
    """Answered in the API server's place; 0: none."""
    times: int = 0
    """How often yet."""
    taken: bool = False
    """Whether the write takes effect all the same, and only its answer is lost."""
    delay: float = 0.0
    """Seconds before each is passed on."""
    met: int = 0
    """Writes that had trouble."""


class Interpreter:
    """`async with Interpreter(folder) as proxy`: `proxy.kubeconfig` leads through it. The cluster
    behind is the one that KUBECONFIG names on entry."""

    def __init__(self, folder: Path) -> None:
        self.kubeconfig = folder / "interpreted"
        self.watches = Watches.PASSED_ON
        self.trouble = Trouble()
        self.opened = 0
        """Watches that were asked for."""
        self._closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        behind = await configuration()
        trust = ssl.create_default_context(cafile=behind.ssl_ca_cert)
        if behind.cert_file:
            trust.load_cert_chain(behind.cert_file, behind.key_file)
        self._base = str(behind.host)
        token = await behind.get_api_key_with_prefix("BearerToken")
        self._credentials = {"Authorization": str(token)} if token else {}
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        server = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "it", "cluster": {"server": server}}],
            "users": [{"name": "me", "user": {}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "me"}}],
            "current-context": "it",
        }
        self.kubeconfig.write_text(yaml.safe_dump(config))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        await self._runner.cleanup()
        await self._client.close()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        watch = request.query.get("watch") == "true"
        self.opened += watch
        if watch and self.watches is Watches.REFUSED:
            return web.json_response({"message": "no watches today"}, status=500)
        if watch and self.watches is Watches.NOT_FOUND:
            return web.Response(status=404, text="404 page not found")
        if watch and self.watches is Watches.SILENT:
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            await self._closing.wait()
            return response
        if request.method == "PATCH" and request.path.endswith("/status"):
            return await self._write(request)
        return await self._forward(request)

    async def _write(self, request: web.Request) -> web.StreamResponse:
        trouble = self.trouble
        if trouble.delay:
            trouble.met += 1
            await asyncio.sleep(trouble.delay)
        if not trouble.times:
            return await self._forward(request)
        trouble.times -= 1
        trouble.met += 1
        body = await request.read()
        if trouble.taken:
            async with self._asked(request, body) as answer:
                await answer.read()
        message = {"kind": "Status", "status": "Failure", "message": "not now"}
        after = {"Retry-After": "1"} if trouble.status == 429 else {}
        return web.json_response(message, status=trouble.status, headers=after)

    def _asked(
        self, request: web.Request, body: bytes
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        headers = {name: text for name, text in request.headers.items() if name.lower() not in _HOP}
        return self._client.request(
            request.method,
            self._base + request.path_qs,
            headers=headers | self._credentials,
            data=body or None,
            skip_auto_headers=("Content-Type",),
        )

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        watch = request.query.get("watch") == "true"
        async with self._asked(request, await request.read()) as answer:
            kept = {name: text for name, text in answer.headers.items() if name.lower() not in _HOP}
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                if watch and self.watches is Watches.SILENT:
                    await self._closing.wait()
                await response.write(chunk)
            if watch and self.watches is Watches.SILENT:
                await self._closing.wait()
            return response
