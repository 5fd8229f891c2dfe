"""The way for programs that know nothing of this: a proxy in front of the well-known names.

A client that is given it (`HTTPS_PROXY`) and the CA asks for `graph.microsoft.com` as it always
does, and comes to the simulator: CONNECT opens a tunnel (RFC 9110, 9.3.6) to the listener that
stands for that origin, and TLS goes through it from end to end. It leads nowhere else, so nothing
that such a program sends leaves the machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus

LONGEST_HEAD = 16_384
"""Bytes of a request with its headers."""
CHUNK = 65_536

Where = Callable[[str], tuple[str, int] | None]
"""Host and port of the listener that stands for an origin; None if none does."""


class Proxy:
    """Listens from `start` to `stop`."""

    def __init__(self, where: Where) -> None:
        self._where = where
        self._server: asyncio.Server | None = None
        self._tunnels: set[asyncio.Task[None]] = set()

    async def start(self, listen: str, port: int) -> int:
        """The port that it listens on; 0 takes a free one. Raises OSError when it is taken."""
        self._server = await asyncio.start_server(self._accept, listen, port, limit=LONGEST_HEAD)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close it, and every tunnel through it."""
        if self._server is None:
            return
        self._server.close()
        tunnels = tuple(self._tunnels)
        for tunnel in tunnels:
            tunnel.cancel()
        await asyncio.gather(*tunnels, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tunnel = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tunnels.add(tunnel)
        tunnel.add_done_callback(self._tunnels.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except ConnectionError:
            return  # A client that went without a word; there is nobody to tell.
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return
        except asyncio.LimitOverrunError:
            await _refuse(writer, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "")
            return
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        if method != "CONNECT":
            advice = "This proxy makes tunnels (CONNECT) and nothing else.\n"
            await _refuse(writer, HTTPStatus.METHOD_NOT_ALLOWED, advice, "Allow: CONNECT\r\n")
            return
        host, _, port = rest.partition(" ")[0].lower().rpartition(":")
        found = self._where(f"https://{host}") if port == "443" else None
        if found is None:
            await _refuse(writer, HTTPStatus.FORBIDDEN, "Nothing is simulated under this name.\n")
            return
        inner, outer = await asyncio.open_connection(*found)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(reader, outer))
                both.create_task(_copy(inner, writer))
        finally:
            outer.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Until the source ends; a side that breaks off breaks off the other one."""
    try:
        while chunk := await source.read(CHUNK):
            target.write(chunk)
            await target.drain()
        target.write_eof()
    except ConnectionError:
        target.transport.abort()


async def _refuse(
    writer: asyncio.StreamWriter, status: HTTPStatus, body: str, more: str = ""
) -> None:
    content = body.encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n{more}Content-Type: text/plain\r\n"
        f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode("latin-1") + content)
    await writer.drain()
