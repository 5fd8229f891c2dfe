"""`/healthz`, `/readyz` and `/metrics` over HTTP."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from cirahub_operator.errors import OperatorError
from cirahub_operator.health import Health
from cirahub_operator.metrics import Metrics

logger = logging.getLogger(__name__)


class Probes:
    """Serves from the loop it is started in: an answer proves that the loop turns."""

    def __init__(self, health: Health, metrics: Metrics) -> None:
        self._health = health
        self._metrics = metrics
        self._runners: list[web.AppRunner] = []
        self.health_port = 0
        self.metrics_port = 0

    async def start(self, *, host: str, health_port: int, metrics_port: int) -> None:
        """Raises OperatorError if a port is taken."""
        if health_port == metrics_port and health_port != 0:
            both = await self._serve(
                host, health_port, [*self._health_routes(), self._metrics_route()]
            )
            self.health_port = self.metrics_port = both
            return
        self.health_port = await self._serve(host, health_port, self._health_routes())
        self.metrics_port = await self._serve(host, metrics_port, [self._metrics_route()])

    async def stop(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()

    def _health_routes(self) -> list[web.RouteDef]:
        return [web.get("/healthz", self._live), web.get("/readyz", self._ready)]

    def _metrics_route(self) -> web.RouteDef:
        return web.get("/metrics", self._metrics_text)

    async def _serve(self, host: str, port: int, routes: list[web.RouteDef]) -> int:
        app = web.Application()
        app.add_routes(routes)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        self._runners.append(runner)
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise OperatorError(
                f"cannot listen on {host}:{port} ({error.strerror}); choose another --health-port "
                "or --metrics-port"
            ) from error
        return int(runner.addresses[0][1])

    async def _live(self, _: web.Request) -> web.Response:
        return _answer(self._health.live())

    async def _ready(self, _: web.Request) -> web.Response:
        return _answer(self._health.ready())

    async def _metrics_text(self, _: web.Request) -> web.Response:
        for kind, age in self._health.watch_ages().items():
            self._metrics.watch_age.labels(kind).set(age)
        # Thousands of series take longer than a watch or a probe should have to wait.
        text = await asyncio.to_thread(self._metrics.text)
        return web.Response(
            body=text,
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )


def _answer(wrong: list[str]) -> web.Response:
    if wrong:
        return web.Response(status=503, text="\n".join(wrong) + "\n")
    return web.Response(text="ok\n")
