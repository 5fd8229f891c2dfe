"""One HTTP exchange: from the socket to a service and back, with faults, latency and the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal

from aiohttp import web
from multidict import CIMultiDict

from cirahub_simulator.faults import Fault
from cirahub_simulator.wire import Request, Response
from cirahub_simulator.world import World

Answer = Callable[[Request], Response | Awaitable[Response]]
Admission = Callable[[Request], Response | None]
"""Looks at a request before faults do; an answer means that it goes no further."""

LARGEST_BODY = 64 * 1024 * 1024


def make_handler(
    world: World,
    service: Literal["entra", "keyvault", "graph", "ews", "exchange-admin"],
    scheme: str,
    answer: Answer,
    admission: Admission | None = None,
) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    """A handler for `aiohttp.web.Server` that takes a service through the whole exchange."""
    metered = service == "graph"

    async def handle(http: web.BaseRequest) -> web.StreamResponse:
        request = _read(http, service, scheme, await http.read() if http.body_exists else b"")
        if admission is not None:
            refusal = admission(request)
            if refusal is not None:
                world.journal.note(request, refusal)
                return _write(refusal)
        fault = world.faults.decide(request)
        if fault is not None:
            early = await _before(world, http, request, fault)
            if early is not None:
                return early
        flight = world.throttle.begin() if metered else None
        try:
            result = answer(request)
            if flight is not None:
                world.throttle.handled()
            response = result if isinstance(result, Response) else await result
            if world.latency:
                await asyncio.sleep(world.latency)
        finally:
            if flight is not None:
                world.throttle.end(flight)
        world.pulse.beat()
        if fault is not None:
            return await _after(world, http, request, response, fault)
        if response.rest is not None:
            return await _stream(world, http, request, response, response.rest)
        world.journal.note(request, response)
        return _write(response)

    return handle


def _read(http: web.BaseRequest, service: str, scheme: str, body: bytes) -> Request:
    path, _, query = http.raw_path.partition("?")
    headers: dict[str, str] = {}
    for name, value in http.headers.items():
        lower = name.lower()
        headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
    return Request(
        method=http.method,
        path=path,
        query=query,
        headers=headers,
        body=body,
        origin=f"{scheme}://{headers.get('host', '')}",
        service=service,
        connection=http.protocol,
    )


def _write(response: Response) -> web.Response:
    headers = CIMultiDict(response.headers)
    headers.extend(("WWW-Authenticate", challenge) for challenge in response.challenges)
    return web.Response(body=response.body, status=response.status, headers=headers)


async def _before(
    world: World, http: web.BaseRequest, request: Request, fault: Fault
) -> web.StreamResponse | None:
    rule = fault.rule
    if rule.moment == "after" or rule.kind in {"truncate", "replace"}:
        return None
    if rule.kind == "delay":
        await asyncio.sleep(rule.delay)
        return None
    if rule.kind == "drop":
        return _drop(world, http, request, fault)
    response = fault.response(request, world.clock.now())
    world.journal.note(request, response, fault=rule.id)
    return _write(response)


async def _after(
    world: World,
    http: web.BaseRequest,
    request: Request,
    response: Response,
    fault: Fault,
) -> web.StreamResponse:
    rule = fault.rule
    if rule.kind == "drop":
        return _drop(world, http, request, fault)
    if rule.kind == "delay" and rule.moment == "after":
        await asyncio.sleep(rule.delay)
    if rule.kind == "status":
        response = fault.response(request, world.clock.now())
    # Noted is the simulator's own answer: what a rule makes of it is no part of any contract.
    world.journal.note(request, response, fault=rule.id)
    if rule.kind == "replace":
        response = fault.replaced(response)
    if rule.kind == "truncate":
        return await _truncate(http, response, rule.keep_bytes)
    return _write(response)


def _drop(world: World, http: web.BaseRequest, request: Request, fault: Fault) -> web.Response:
    """Close the connection without a word; the client sees a reset or an empty answer."""
    world.journal.note(request, Response(0), fault=fault.rule.id)
    if http.transport is not None:
        http.transport.abort()
    # aiohttp wants an answer, and finds the connection gone when it writes it.
    return web.Response(status=500)


async def _stream(
    world: World,
    http: web.BaseRequest,
    request: Request,
    response: Response,
    rest: AsyncIterator[bytes],
) -> web.StreamResponse:
    """Send the body and what follows it, until that ends or the client has gone."""
    stream = web.StreamResponse(status=response.status, headers=response.headers)
    stream.enable_chunked_encoding()
    try:
        await stream.prepare(http)
        await stream.write(response.body)
        async for piece in rest:
            response.body += piece
            await stream.write(piece)
    except ConnectionError:
        # Gone is how a client ends a stream that it has heard enough of.
        return stream
    finally:
        world.journal.note(request, response)
    return stream


async def _truncate(http: web.BaseRequest, response: Response, keep: int) -> web.StreamResponse:
    """Announce the whole body, send a part of it and close."""
    kept = min(keep, max(len(response.body) - 1, 0))
    stream = web.StreamResponse(status=response.status, headers=response.headers)
    stream.content_length = len(response.body)
    stream.force_close()
    await stream.prepare(http)
    await stream.write(response.body[:kept])
    if http.transport is not None:
        http.transport.close()
    return stream
