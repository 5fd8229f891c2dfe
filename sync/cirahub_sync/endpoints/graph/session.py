"""One connection's way to Graph: HTTP, tokens and the throttle, shared by all of its endpoints.

Requests go out by aiohttp, and not through the pipeline of the Graph SDK (msgraph-core on httpx),
which cost as much of the processor for a batch as sending it. Nor is anything wanted of what that
does: its retry handler sends a POST again that took effect and was answered 504 (measured), and
Graph's API does not redirect, so a token stays with its own origin.

Reads are repeated here, writes never.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
import msgspec

from cirahub_sync.configuration import ConnectionConfig
from cirahub_sync.endpoints.attempts import AnswerLostError, NotSentError, Patience
from cirahub_sync.endpoints.base import Fence
from cirahub_sync.endpoints.graph.answers import (
    DEFAULT_RETRY_AFTER,
    RETRIABLE,
    Answer,
    failure,
    of_part,
)
from cirahub_sync.endpoints.graph.calling import lost, signed_in
from cirahub_sync.endpoints.graph.gate import Gate, guarded, last_moment
from cirahub_sync.endpoints.graph.wire import BATCH, UNREADABLE
from cirahub_sync.errors import ProtocolError, ThrottledError
from cirahub_sync.identity.base import TokenProvider
from cirahub_sync.identity.roles import roles_of
from cirahub_sync.network import Route
from cirahub_sync.origins import HOSTS, Origins, origin_of
from cirahub_sync.throttle import Throttle

BATCH_SIZE = 20
"""https://learn.microsoft.com/graph/json-batching: at most 20 requests."""
IMMUTABLE_IDS = 'IdType="ImmutableId"'
"""https://learn.microsoft.com/graph/outlook-immutable-id"""

_JSON = "application/json"


Transport = Callable[
    [str, str, Mapping[str, str], bytes], Awaitable[tuple[int, Mapping[str, str], bytes]]
]
"""Sends a request (method, URL, headers, body); what is answered is status, headers and body."""


class GraphSession:
    """Shared by the endpoints of one connection. Belongs to one event loop."""

    def __init__(
        self,
        connection: ConnectionConfig,
        tokens: TokenProvider,
        origins: Origins,
        *,
        throttle: Throttle | None = None,
        answers: Counter[str] | None = None,
        patience: Patience | None = None,
        jitter: Callable[[], float] = random.random,
        transport: Transport | None = None,
    ) -> None:
        """`throttle` is shared by all connections that use one application; `answers` is counted
        on; `transport` carries requests in place of sockets, without the gate of writes."""
        graph = HOSTS[connection.cloud].graph
        self.connection = connection
        self.throttle = throttle or Throttle()
        self.requests = 0
        """HTTP requests sent so far; a `$batch` is one."""
        self.answers: Counter[str] = Counter() if answers is None else answers
        """The same by status code, or `none` where no whole answer came."""
        route = Route(graph, origins, f"connection {connection.name}")
        self.origin = route.url
        self._origins = origins
        self._tokens = tokens
        self._scope = f"{graph}/.default"
        self._patience = patience or Patience()
        self._jitter = jitter
        self._route = route
        self._transport = transport or self._by_aiohttp
        self._http: aiohttp.ClientSession | None = None
        self._timeout = aiohttp.ClientTimeout(
            sock_connect=self._patience.connect, sock_read=self._patience.answer
        )

    @property
    def throttled_seconds(self) -> float:
        """Seconds that requests waited for the service's limits, in sum."""
        return self.throttle.waited

    async def get(
        self, mailbox: str, path: str, *, what: str, role: str, prefer: Sequence[str] = ()
    ) -> Answer:
        """As `ask`, but an answer that is no success raises what `failure` makes of it."""
        answer = await self.ask(mailbox, path, what=what, role=role, prefer=prefer)
        if not answer.ok:
            raise failure(answer, what, role=role)
        return answer

    async def ask(
        self,
        mailbox: str,
        path: str,
        *,
        what: str,
        role: str,
        prefer: Sequence[str] = (),
        eventual: bool = False,
    ) -> Answer:
        """The answer to a GET, repeated while the service is busy or away.

        `path` is below the origin and begins with `/v1.0`. `eventual`: of the directory's index,
        which may lag (https://learn.microsoft.com/graph/aad-advanced-queries). Raises for missing
        access or credentials, and EndpointUnavailableError when patience is at its end.
        """
        attempt = 1
        while True:
            try:
                answer = await self._exchange(
                    "GET", mailbox, path, prefer=prefer, eventual=eventual
                )
            except (NotSentError, AnswerLostError):
                if attempt >= self._patience.attempts:
                    raise
                await self._rest(attempt)
            else:
                if answer.status in (401, 403):
                    raise failure(answer, what, role=role)
                if answer.status not in RETRIABLE:
                    return answer
                if attempt >= self._patience.attempts:
                    raise failure(answer, what, role=role)
                await self._rest(attempt, answer, what)
            attempt += 1

    async def get_each(
        self,
        mailbox: str,
        paths: Sequence[str],
        *,
        what: str,
        role: str,
        prefer: Sequence[str] = (),
    ) -> list[Answer]:
        """The answers to GETs, sent 20 at a time as `$batch`; those that met a busy service are
        repeated. An answer may be a failure of its own (404), but none of access or credentials.

        `paths` begin below `/v1.0`.
        """
        answers: dict[int, Answer] = {}
        open_ = list(range(len(paths)))
        attempt = 1
        while open_:
            again: list[int] = []
            for start in range(0, len(open_), BATCH_SIZE):
                chunk = open_[start : start + BATCH_SIZE]
                some = [paths[at] for at in chunk]
                got = await self._get_batch(mailbox, some, what, role, prefer)
                for at, answer in zip(chunk, got, strict=True):
                    if answer.status in (401, 403):
                        raise failure(answer, what, role=role)
                    answers[at] = answer
                    if answer.status in RETRIABLE:
                        again.append(at)
            if again:
                last = answers[again[0]]
                if attempt >= self._patience.attempts:
                    raise failure(last, what, role=role)
                slowest = max(again, key=lambda at: answers[at].retry_after or 0.0)
                await self._rest(attempt, answers[slowest], what)
                attempt += 1
            open_ = again
        return [answers[at] for at in range(len(paths))]

    async def write(
        self,
        mailbox: str,
        method: str,
        path: str,
        body: bytes,
        *,
        fence: Fence,
        content_type: str = _JSON,
        if_match: str = "",
    ) -> Answer:
        """The answer to a single write. Never repeated, except after a 401, which had no effect.

        Raises NotSentError, AnswerLostError, and what `fence` raises: nothing was sent then.
        """
        return await self._exchange(
            method,
            mailbox,
            path,
            body=body,
            fence=fence,
            content_type=content_type,
            if_match=if_match,
        )

    async def write_batch(self, mailbox: str, body: bytes, count: int, *, fence: Fence) -> Answer:
        """The answer to a `$batch` with writes. Never repeated, as `write`."""
        return await self._exchange(
            "POST", mailbox, "/v1.0/$batch", body=body, cost=count, fence=fence
        )

    def path(self, link: str) -> str:
        """The part of a next or delta link below the origin.

        Raises ProtocolError if it leads to another origin: our token goes nowhere else.
        """
        origin = origin_of(self._origins.rewrite(link))
        parts = urlsplit(link) if origin else None
        if parts is None or origin != origin_of(self.origin) or parts.path[:6] != "/v1.0/":
            raise ProtocolError(
                f"connection {self.connection.name}: Graph gave a link to another origin, which "
                "was not followed; check the endpoints file, or report it"
            )
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    async def roles(self) -> frozenset[str] | None:
        """The application permissions that the token in use carries; None if it shows none."""
        return roles_of((await self._tokens.token(self._scope)).token)

    async def close(self) -> None:
        """Close connections. The token provider is left to whoever made it."""
        if self._http is not None:
            await self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _get_batch(
        self, mailbox: str, paths: Sequence[str], what: str, role: str, prefer: Sequence[str]
    ) -> list[Answer]:
        """One read-only `$batch`: being reads, it may be repeated although it is a POST."""
        headers = {"Prefer": ", ".join((IMMUTABLE_IDS, *prefer))}
        body = msgspec.json.encode(
            {
                "requests": [
                    {"id": str(at), "method": "GET", "url": path, "headers": headers}
                    for at, path in enumerate(paths)
                ]
            }
        )
        attempt = 1
        while True:
            try:
                whole = await self._exchange(
                    "POST", mailbox, "/v1.0/$batch", body=body, cost=len(paths)
                )
                if whole.ok:
                    return self._parts(whole, len(paths), mailbox, what)
                if whole.status not in RETRIABLE or attempt >= self._patience.attempts:
                    raise failure(whole, what, role=role)
                await self._rest(attempt, whole, what)
            except (NotSentError, AnswerLostError, ProtocolError):
                if attempt >= self._patience.attempts:
                    raise
                await self._rest(attempt)
            attempt += 1

    def _parts(self, whole: Answer, count: int, mailbox: str, what: str) -> list[Answer]:
        try:
            parts = {part.id: part for part in BATCH.decode(whole.body).responses}
            found = [of_part(parts[str(at)], whole.client_request_id) for at in range(count)]
        except (*UNREADABLE, KeyError) as error:
            raise ProtocolError(
                f"{what}: the answer to a batch is not whole ({whole.summary}); will be tried again"
            ) from error
        self.note_refusals(mailbox, found)
        return found

    def note_refusals(self, mailbox: str, answers: Sequence[Answer]) -> None:
        """Tell the throttle what a batch's own answers say of the mailbox's limits."""
        refused = [answer for answer in answers if answer.status == 429]
        if refused:
            longest = max(answer.retry_after or DEFAULT_RETRY_AFTER for answer in refused)
            self.throttle.refused(mailbox, longest)
        else:
            self.throttle.answered(mailbox, len(answers))

    async def _exchange(
        self,
        method: str,
        mailbox: str,
        path: str,
        *,
        body: bytes = b"",
        cost: int = 1,
        prefer: Sequence[str] = (),
        fence: Fence | None = None,
        eventual: bool = False,
        content_type: str = _JSON,
        if_match: str = "",
    ) -> Answer:
        """One request and its answer, whatever its status; once more after a 401. A write has a
        fence."""
        headers = {"Prefer": ", ".join((IMMUTABLE_IDS, *prefer))}
        if eventual:
            headers["ConsistencyLevel"] = "eventual"
        if body:
            headers["Content-Type"] = content_type
        if if_match:
            headers["If-Match"] = if_match
        longest = self._patience.longest_pause
        async with self.throttle.slot(mailbox, cost=cost, upload=len(body), longest=longest):
            answer = await signed_in(
                self._tokens,
                self._scope,
                partial(self._send, method, path, headers, body, fence=fence),
            )
        if answer.status == 429:
            self.throttle.refused(mailbox, answer.retry_after or DEFAULT_RETRY_AFTER)
        elif cost == 1:
            self.throttle.answered(mailbox)
        return answer

    def _opened(self) -> aiohttp.ClientSession:
        if self._http is None:
            connections = self.throttle.limits.in_flight
            self._http = self._route.session([last_moment()], connections=connections)
        return self._http

    async def _by_aiohttp(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        async with self._opened().request(
            method,
            url,
            headers=headers,
            data=body or None,
            allow_redirects=False,
            timeout=self._timeout,
        ) as response:
            return response.status, response.headers, await response.read()

    async def _send(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        token: str,
        *,
        fence: Fence | None,
    ) -> Answer:
        request_id = str(uuid.uuid4())
        self.requests += 1
        whole_headers = {
            **headers,
            "Authorization": f"Bearer {token}",
            "User-Agent": "cirahub",
            "client-request-id": request_id,
        }
        longest = self._patience.answer if fence is None else self._patience.write
        gate = None if fence is None else Gate(fence, longest)
        try:
            with guarded(gate):
                async with asyncio.timeout(longest):
                    status, answered, whole = await self._transport(
                        method, self.origin + path, whole_headers, body
                    )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            if gate is not None and gate.refusal is not None:
                raise gate.refusal from error
            self.answers["none"] += 1
            raise lost(self._told, error, request_id) from error
        self.answers[str(status)] += 1
        return Answer(
            status=status,
            headers={name.lower(): value for name, value in answered.items()},
            body=whole,
            client_request_id=request_id,
        )

    @property
    def _told(self) -> str:
        return f"connection {self.connection.name}: Graph at {self.origin}"

    async def _rest(self, attempt: int, answer: Answer | None = None, what: str = "") -> None:
        wait = self._patience.pause_after(attempt, self._jitter())
        asked = answer.retry_after if answer is not None else None
        if answer is not None and asked is not None and asked > self._patience.longest_pause:
            raise ThrottledError(
                f"{what}: Graph asks to wait {asked:.0f} s ({answer.summary}); comes right by "
                "itself",
                retry_after=asked,
            )
        if answer is not None and answer.status == 429:
            return  # The throttle knows of it: the next slot waits, and is told as throttled.
        await asyncio.sleep(max(wait, asked or 0.0))
