"""A request and its answer, once off the socket and before going back on it.

Services are synchronous callables over these two values: everything is in memory, so nothing is
awaited, and `$batch` calls its service again in-process.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

import msgspec

from cirahub_simulator.directory import Principal


class Request(msgspec.Struct, kw_only=True):
    """What a client asked.

    `client` is the caller of a verified token. It is None only for the admin endpoint, which acts
    as the mailbox's own user would: no roles are asked of it, and neither throttling nor faults
    apply. A request without a valid token never reaches the Graph service.
    """

    method: str
    path: str
    """The raw path, percent-encoding kept; Graph's without its `/v1.0`: `/users/a%40b.example`."""
    query: str = ""
    """The raw query, without the question mark."""
    headers: Mapping[str, str] = {}
    """Lower-case names. A header sent twice has its values joined by a comma."""
    body: bytes = b""
    origin: str = "https://graph.microsoft.com"
    """Scheme, host and port that the client asked for: links in answers start with it, so that a
    client follows them to where it found this service, under whichever name."""
    client: Principal | None = None
    service: str = "graph"
    """`graph`, `ews`, `exchange-admin`, `entra` or `keyvault`."""
    operation: str = ""
    """What a SOAP request asks for, e.g. `FindItem`, or which cmdlet: the path doesn't say it."""
    connection: object = None
    """Stands for the connection that it came on: NTLM signs that in. None: on none."""
    handshakes: Mapping[bytes, str] = {}
    """How the endpoints of new subscriptions answered, by the body that asks for one: blank when
    they did as they should, else what was wrong."""
    batch: str | None = None
    """For a request inside a `$batch`: the request-id of the batch. None for one of its own."""


class Response(msgspec.Struct):
    """What the service answers. Header names are written as the service spells them."""

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""
    challenges: tuple[str, ...] = ()
    """Values of `WWW-Authenticate`, a header line each, where there are several ways to sign in."""
    rest: AsyncIterator[bytes] | None = None
    """What follows the body, piece by piece, over the open connection."""


class Service(Protocol):
    """Anything that answers requests."""

    def handle(self, request: Request) -> Response: ...
