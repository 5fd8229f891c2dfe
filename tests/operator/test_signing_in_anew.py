"""A token that the API server takes no more: who is told so signs in anew, unnoticed by others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from cirahub_operator.cluster import Cluster

PODS = "/api/v1/namespaces/test/pods"


class Server:
    """Refuses everybody once, but for who asks for `slow`, who is answered at the end."""

    def __init__(self) -> None:
        self.refusing = 3
        self.waiting = asyncio.Event()
        self.answering = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        if request.path.endswith("/slow"):
            self.waiting.set()
            await self.answering.wait()
        elif self.refusing:
            self.refusing -= 1
            return web.json_response({"kind": "Status", "code": 401}, status=401)
        return web.json_response({"metadata": {"name": request.path}})


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    made = Server()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    (address,) = runner.addresses
    file = tmp_path / "kubeconfig"
    file.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
                "clusters": [
                    {"name": "here", "cluster": {"server": f"http://127.0.0.1:{address[1]}"}}
                ],
                "users": [{"name": "me", "user": {"token": "expired"}}],
            }
        )
    )
    monkeypatch.setenv("KUBECONFIG", str(file))
    yield made
    await runner.cleanup()


async def test_who_signs_in_anew_takes_no_connection_from_others(server: Server) -> None:
    cluster = await Cluster.connect()
    slow = asyncio.create_task(cluster.request("GET", f"{PODS}/slow"))
    await server.waiting.wait()
    others = await asyncio.gather(
        *(cluster.request("GET", f"{PODS}/{number}") for number in range(3))
    )
    assert len([one for one in others if one is not None]) == 3
    server.answering.set()
    assert await slow is not None
    assert cluster._on_the_way == {cluster._api: 0}, "a client was left open"
    await cluster.close()
