"""Where the simulator tells of changes: an HTTPS endpoint that hands them to a `Mailroom`."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import trustme
from aiohttp import web

from cirahub_sync.notifications import Mailroom, Notification

from .conftest import Scene


class Ear:
    """`heard`: every notification, as it came. `deaf`: none is taken, nor answered with success."""

    def __init__(self, scene: Scene, mailroom: Mailroom) -> None:
        self.scene = scene
        self.mailroom = mailroom
        self.url = ""
        self.deaf = False
        self.heard: list[dict[str, Any]] = []
        self.unknown = 0

    async def answer(self, request: web.Request) -> web.Response:
        if self.deaf:
            return web.Response(status=503)
        token = request.query.get("validationToken")
        if token is not None:
            return web.Response(text=token)
        elements: list[dict[str, Any]] = msgspec.json.decode(await request.read())["value"]
        self.heard += elements
        found = self.mailroom.heard(
            [
                msgspec.convert(
                    {
                        "subscription": one["subscriptionId"],
                        "client_state": one.get("clientState") or "",
                        "lifecycle": one.get("lifecycleEvent", ""),
                    },
                    Notification,
                )
                for one in elements
            ]
        )
        self.unknown += found.unknown
        return web.Response(status=202)

    async def until(self, holds: Callable[[], object], explain: str) -> None:
        give_up = asyncio.get_running_loop().time() + 30.0
        while not holds():
            assert asyncio.get_running_loop().time() < give_up, explain
            await asyncio.sleep(0.005)

    async def told_of(self, *names: str) -> None:
        """Wait until these, at least, are known to have changed."""
        asked = {self.scene.spokes[name].uid for name in names}
        await self.until(lambda: asked <= self.waiting(), f"nothing was told of {names}")

    async def hushed(self) -> None:
        """Wait until nothing is on its way."""

        def still() -> bool:
            shown = self.scene.admin.notifications()
            return not (shown["pending"] or shown["sending"])

        await self.until(still, "notifications are still on their way")

    def waiting(self) -> set[str]:
        """The uids of spokes that something was told of."""
        return {row[0] for row in self.scene.keep.rows("select spoke from notified")}


@asynccontextmanager
async def listening(scene: Scene) -> AsyncIterator[Ear]:
    """An ear that the simulator trusts, and that the scene's hub asks services to tell."""
    ca = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("localhost").configure_cert(context)
    file = scene.folder / "ear.pem"
    ca.cert_pem.write_to_path(str(file))
    scene.admin.notifications(ca_file=str(file))
    ear = Ear(scene, Mailroom.open(scene.settings, clock=scene.clock))
    application = web.Application()
    application.router.add_post("/notifications", ear.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    ear.url = scene.notifications = f"https://localhost:{runner.addresses[0][1]}/notifications"
    await scene.restart()
    try:
        yield ear
    finally:
        ear.mailroom.close()
        await runner.cleanup()
