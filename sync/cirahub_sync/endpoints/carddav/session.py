"""One connection's way to a CardDAV server: HTTP, the password and the throttle, shared by all of
its endpoints.

The password goes by Basic (RFC 7617), over TLS, to the origin that the connection names and to no
other: no link, redirect or discovery leads it elsewhere. Reads are repeated here, writes never.
"""

from __future__ import annotations

import asyncio
import base64
import random
import ssl
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import aiohttp
import msgspec
from yarl import URL

from cirahub_sync.configuration import CardDavServer, ConnectionConfig, PasswordAuth
from cirahub_sync.endpoints.attempts import AnswerLostError, NotSentError, Patience
from cirahub_sync.endpoints.base import Fence
from cirahub_sync.endpoints.carddav import wire
from cirahub_sync.endpoints.carddav.answers import failure, read
from cirahub_sync.endpoints.carddav.wire import Multistatus
from cirahub_sync.endpoints.graph.answers import DEFAULT_RETRY_AFTER, RETRIABLE, Answer
from cirahub_sync.endpoints.graph.calling import lost
from cirahub_sync.endpoints.graph.gate import Gate, guarded, last_moment
from cirahub_sync.errors import (
    ConfigurationError,
    CredentialError,
    RedirectRefusedError,
    ThrottledError,
)
from cirahub_sync.identity.host_proof import HostProof, Proof
from cirahub_sync.network import Route
from cirahub_sync.origins import Origins, origin_of
from cirahub_sync.throttle import Throttle

WELL_KNOWN = "/.well-known/carddav"
"""RFC 6764 5."""
_XML = "application/xml; charset=utf-8"
_REDIRECTS = 5


class Call(msgspec.Struct, frozen=True):
    method: str
    path: str
    """Not quoted."""
    body: bytes = b""
    headers: Mapping[str, str] = {}

    @classmethod
    def dav(cls, method: str, path: str, body: bytes, *, depth: str = "0") -> Call:
        """One in WebDAV's XML."""
        return cls(method, path, body, {"Depth": depth, "Content-Type": _XML})


class CardDavSession:
    """Belongs to one event loop."""

    def __init__(
        self,
        connection: ConnectionConfig,
        proofs: HostProof,
        origins: Origins,
        *,
        throttle: Throttle | None = None,
        answers: Counter[str] | None = None,
        patience: Patience | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`throttle` is shared by all connections of one account; `answers` is counted on. Raises
        ConfigurationError."""
        server, auth = connection.card_dav, connection.auth
        if server is None or not isinstance(auth, PasswordAuth):
            raise ConfigurationError(
                f"connection {connection.name}: it leads to no CardDAV server, or has no password "
                "for it"
            )
        self.connection = connection
        self.server: CardDavServer = server
        self.what = f"connection {connection.name}"
        self.throttle = throttle or Throttle()
        self.answers: Counter[str] = Counter() if answers is None else answers
        """HTTP answers by status code, or `none` where no whole answer came."""
        self.requests = 0
        self._username = auth.username
        self._proofs = proofs
        self._origin = f"https://{server.host}"
        self._origins = origins
        self._route = Route(self._origin, origins, self.what, trusted=server.trusted)
        try:
            self._route.trust  # noqa: B018
        except (ssl.SSLError, ValueError) as error:
            raise ConfigurationError(
                f"{self.what}: cardDAV.trustedCertificates can't be read; write each certificate "
                "in PEM, whole"
            ) from error
        self._patience = patience or Patience()
        self._jitter = jitter
        self._http: aiohttp.ClientSession | None = None
        self._proven: Proof | None = None
        """What the server has taken."""
        self._proving = asyncio.Lock()

    async def sign_in(self) -> Proof:
        """With the password as it is kept now, tried even if it was refused before.

        Raises CredentialError and EndpointUnavailableError."""
        self._proven = None
        proof = await self._proofs.fresh()
        await self.discover(self.server.path or WELL_KNOWN, [wire.PRINCIPAL])
        return proof

    async def find(
        self, path: str, names: list[str], *, what: str, lane: str, depth: str = "0"
    ) -> Multistatus:
        """PROPFIND: what the multistatus says. Raises for every other answer."""
        call = Call.dav("PROPFIND", path, wire.propfind(names), depth=depth)
        return read(await self.ask(call, what=what, lane=lane), what)

    async def ask(self, call: Call, *, what: str, lane: str, redirected: bool = False) -> Answer:
        """The answer to a read, repeated while the server is busy or away; with `redirected`, a
        redirect is one too."""
        attempt = 1
        while True:
            last = attempt >= self._patience.attempts
            try:
                answer = await self._exchange(call, lane, fence=None, redirected=redirected)
            except (NotSentError, AnswerLostError):
                if last:
                    raise
                await self._rest(attempt, 0.0)
            else:
                if answer.status not in RETRIABLE:
                    return answer
                error = failure(answer, what)
                asked = answer.retry_after or 0.0
                if last or asked > self._patience.longest_pause:
                    raise error
                if not isinstance(error, ThrottledError):  # of which the throttle knows
                    await self._rest(attempt, asked)
            attempt += 1

    async def write(self, call: Call, *, lane: str, fence: Fence) -> Answer:
        """The answer to a write. Never repeated, except after a 401, which had no effect, with a
        password that was changed meanwhile.

        Raises NotSentError, AnswerLostError, and what `fence` raises: nothing was sent then.
        """
        return await self._exchange(call, lane, fence=fence, redirected=False)

    async def discover(self, path: str, names: list[str]) -> tuple[str, Multistatus]:
        """PROPFIND, wherever on this origin the server sends it on to: the path, and the answer.
        RFC 6764 5 has the well-known path redirected."""
        body = wire.propfind(names)
        for _ in range(_REDIRECTS):
            call = Call.dav("PROPFIND", path, body)
            answer = await self.ask(call, what=self.what, lane=self.what, redirected=True)
            if not 300 <= answer.status < 400:
                if path == WELL_KNOWN and answer.status in (404, 405):
                    path = "/"  # which the RFC leaves as the last resort
                    continue
                return path, read(answer, self.what)
            path = self.path(urljoin(f"{self._origin}{path}", answer.headers.get("location", "")))
        raise RedirectRefusedError(
            f"{self.what}: {self.server.host} sends on in circles from {WELL_KNOWN}; set "
            "cardDAV.url to the path of the account's principal or address books"
        )

    def path(self, href: str) -> str:
        """The unquoted path of a link. Raises RedirectRefusedError if it leads to another origin:
        the password goes nowhere else."""
        url = urljoin(f"{self._origin}/", href)
        here = {self._origin, origin_of(self._route.url)}
        if origin_of(self._origins.rewrite(url)) not in here:
            raise RedirectRefusedError(
                f"{self.what}: {self.server.host} sends on to another host, where the password was "
                "not sent; set cardDAV.url to that host, and have the password name it, if it is "
                "meant"
            )
        return unquote(urlsplit(url).path) or "/"

    async def close(self) -> None:
        """Close connections. What signs in is left to whoever made it."""
        if self._http is not None:
            await self._http.close()

    async def _exchange(
        self, call: Call, lane: str, *, fence: Fence | None, redirected: bool
    ) -> Answer:
        longest = self._patience.longest_pause

        async def send(proof: Proof) -> Answer:
            return await self._send(call, proof, fence, redirected=redirected)

        async with self.throttle.slot(lane, upload=len(call.body), longest=longest):
            answer = await self._signed_in(send)
        busy = answer.status == 429 or (answer.status == 503 and answer.retry_after is not None)
        if busy:
            self.throttle.refused(lane, answer.retry_after or DEFAULT_RETRY_AFTER)
        else:
            self.throttle.answered(lane)
        return answer

    async def _signed_in(self, send: Callable[[Proof], Awaitable[Answer]]) -> Answer:
        """With a password that the server has not taken yet, one request at a time: a server locks
        the account that comes with a wrong one too often."""
        proof = await self._proofs.current()
        ended: Proof | None = None
        if proof == self._proven:
            answer = await send(proof)
            if answer.status != 401:
                return answer
            ended = proof
            if self._proven == ended:
                self._proven = None
        async with self._proving:
            proof = await self._proofs.current()
            if proof != ended:
                answer = await send(proof)
            if answer.status == 401:
                changed = await self._proofs.another(proof)
                if changed is None:
                    raise self._proofs.refused(proof, self._refusal(answer))
                proof = changed
                answer = await send(proof)
                if answer.status == 401:
                    raise self._proofs.refused(proof, self._refusal(answer))
            self._proven = proof
            return answer

    async def _send(
        self, call: Call, proof: Proof, fence: Fence | None, *, redirected: bool
    ) -> Answer:
        request_id = str(uuid.uuid4())
        known_as = f"{self._username}:{proof.text}".encode()
        sent = {
            **call.headers,
            "Authorization": f"Basic {base64.b64encode(known_as).decode()}",
            "User-Agent": "cirahub",
        }
        if self._http is None:
            self._http = self._route.session([last_moment()])
        longest = self._patience.answer if fence is None else self._patience.write
        gate = None if fence is None else Gate(fence, longest)
        timeout = aiohttp.ClientTimeout(total=longest, sock_connect=self._patience.connect)
        url = URL(self._route.url + wire.path_of(call.path), encoded=True)
        # Where a redirect is no answer, the route refuses it.
        stay: dict[str, Any] = {"raise_for_status": False} if redirected else {}
        self.requests += 1
        try:
            with guarded(gate):
                async with self._http.request(
                    call.method,
                    url,
                    data=call.body or None,
                    headers=sent,
                    timeout=timeout,
                    allow_redirects=False,
                    **stay,
                ) as response:
                    received = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            if gate is not None and gate.refusal is not None:
                raise gate.refusal from error
            self.answers["none"] += 1
            if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
                raise NotSentError(
                    f"{self.what}: the certificate of the CardDAV server at {self._route.url} is "
                    "not trusted, or not for this name; put the certificate of its authority into "
                    "cardDAV.trustedCertificates, or correct cardDAV.url",
                    reason="CertificateNotTrusted",
                ) from error
            told = f"{self.what}: the CardDAV server at {self._route.url}"
            raise lost(told, error, request_id) from error
        self.answers[str(response.status)] += 1
        return Answer(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=received,
            client_request_id=request_id,
        )

    def _refusal(self, answer: Answer) -> CredentialError:
        if "basic" not in answer.headers.get("www-authenticate", "basic").lower():
            return CredentialError(
                f"{self.what}: {self.server.host} does not offer to sign in by Basic, the only way "
                "in which cirahub gives a password to a CardDAV server: enable it there",
                reason="SchemeNotOffered",
            )
        return CredentialError(
            f"{self._proofs.what} was refused by {self.server.host}: store the right one (where "
            "the account has a second factor, an app password), check auth.basic.username, and "
            "that the account is not locked. Until another is stored, it is not tried again but "
            "when the Connection is checked"
        )

    async def _rest(self, attempt: int, asked: float) -> None:
        await asyncio.sleep(max(self._patience.pause_after(attempt, self._jitter()), asked))
