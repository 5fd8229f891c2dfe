"""How the admin endpoint reads and writes JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

T = TypeVar("T")


class AdminError(Exception):
    """A request that can't be done; the message says what to send instead."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def answer(body: object = None, status: int = 200) -> web.Response:
    """A JSON answer; 204 without a body."""
    if body is None:
        return web.Response(status=204)
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json"
    )


async def read(request: web.Request, kind: type[T]) -> T:
    """The request's JSON body. Raises AdminError."""
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.MsgspecError as error:
        raise AdminError(400, f"{request.method} {request.path}: {error}") from error


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn an AdminError into `{"error": …}`."""
    try:
        return await handler(request)
    except AdminError as error:
        return answer({"error": str(error)}, error.status)
