"""One connection's way to an Exchange Server: threads, what signs in and the throttle, shared by
all of its endpoints.

exchangelib's sign-in and requests block, so each request has a thread of a small pool to itself,
and the loop waits for none of them: a request that is given up is cut off at its socket. Reads are
repeated here, writes never. No autodiscover is asked: the connection names its server.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import msgspec
import requests
from spnego.exceptions import SpnegoError

from cirahub_sync.configuration import (
    ConnectionConfig,
    ExchangeServer,
    MailboxRights,
    PasswordAuth,
)
from cirahub_sync.endpoints.attempts import AnswerLostError, NotSentError, Patience
from cirahub_sync.endpoints.base import Fence
from cirahub_sync.endpoints.exchange.answers import (
    DEFAULT_BACK_OFF,
    RETRIABLE,
    THROTTLED,
    Reply,
    failure,
    reply_of,
)
from cirahub_sync.endpoints.exchange.line import Departure, Gatekeeper, GivenUpError, Line, Raw
from cirahub_sync.endpoints.exchange.wire import Message, UnreadableError, envelope
from cirahub_sync.errors import (
    AccessDeniedError,
    ConfigurationError,
    CredentialError,
    EndpointUnavailableError,
    ProtocolError,
    ThrottledError,
)
from cirahub_sync.identity.host_proof import HostProof, Proof
from cirahub_sync.network import Route
from cirahub_sync.origins import Origins
from cirahub_sync.throttle import Throttle

PATH = "/EWS/Exchange.asmx"
"""Where every Exchange Server has the service."""
LINES = 8
"""Connections, and threads, of one session. An account may have 27 requests running:
https://learn.microsoft.com/exchange/client-developer/exchange-web-services/ews-throttling-in-exchange
(EWSMaxConcurrency)."""
_NOTHING_ASKED = (
    b'<m:GetServerTimeZones ReturnFullTimeZoneData="false"><m:Ids><t:Id>UTC</t:Id></m:Ids>'
    b"</m:GetServerTimeZones>"
)
"""The smallest question that needs a signed-in account, and no mailbox of its own."""


class Seat(msgspec.Struct, frozen=True):
    """As whom requests are made, and whose budget they use up."""

    lane: str
    """The throttle's name for it."""
    address: str = ""
    """Of the mailbox that requests are about: where the server sends them on to
    (`X-AnchorMailbox`)."""
    impersonated: bool = False
    rights: MailboxRights | None = None
    """None: public folders."""
    content_mailbox: str = ""
    """Of public folders: https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-route-public-folder-content-requests."""


SIGN_IN = Seat("sign-in")


class ExchangeSession:
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
        if connection.exchange_server is None:
            raise ConfigurationError(
                f"connection {connection.name}: it leads to no Exchange Server"
            )
        self.connection = connection
        self.server: ExchangeServer = connection.exchange_server
        self.throttle = throttle or Throttle()
        self.answers: Counter[str] = Counter() if answers is None else answers
        """HTTP answers by status code, or `none` where no whole answer came."""
        self._auth = connection.auth
        self._proofs = proofs
        self._route = Route(
            f"https://{self.server.host}",
            origins,
            f"connection {connection.name}",
            trusted=self.server.trusted,
        )
        try:
            # Made here, so that it is no thread that meets certificates which are none.
            self._route.trust  # noqa: B018
        except (ssl.SSLError, ValueError) as error:
            raise ConfigurationError(
                f"connection {connection.name}: exchangeServer.trustedCertificates can't be read; "
                "write each certificate in PEM, whole"
            ) from error
        self._patience = patience or Patience()
        self._jitter = jitter
        self._threads = ThreadPoolExecutor(LINES, thread_name_prefix="exchange")
        self._free = asyncio.Semaphore(LINES)
        self._idle: list[Line] = []
        self._busy: set[Line] = set()
        self._closed = False
        self._proven: Proof | None = None
        """What the server has taken."""
        self._proving = asyncio.Lock()

    async def sign_in(self) -> Proof:
        """With the password as it is kept now, or a new token, tried even if it was refused before.

        Raises CredentialError and EndpointUnavailableError."""
        self._hang_up()
        proof = await self._proofs.fresh()
        try:
            await self.ask(SIGN_IN, _NOTHING_ASKED, what=f"connection {self.connection.name}")
        except AccessDeniedError:
            # An application acts in somebody's place only, and who that is has no say here: that
            # it is told so shows that the server took the token.
            if isinstance(self._auth, PasswordAuth):
                raise
        return proof

    async def ask(self, seat: Seat, operation: bytes, *, what: str) -> Sequence[Message]:
        """The messages of a read's answer, of which each may be an error's; repeated while the
        server is busy or away.

        Raises for missing access or credentials, and EndpointUnavailableError when patience is at
        its end.
        """
        return (await self.read(seat, operation, what=what)).messages

    async def read(self, seat: Seat, operation: bytes, *, what: str) -> Reply:
        """As `ask`, with the whole reply."""
        attempt = 1
        while True:
            try:
                reply = await self._exchange(seat, operation, fence=None)
            except (NotSentError, AnswerLostError):
                if attempt >= self._patience.attempts:
                    raise
                await self._rest(attempt)
            else:
                busy = _busy_message(reply)
                if reply.ok and busy is None:
                    return reply
                error = failure(reply, what, seat.rights, busy)
                again = isinstance(error, EndpointUnavailableError) and not isinstance(
                    error, ProtocolError
                )
                if not again or attempt >= self._patience.attempts:
                    raise error
                if isinstance(error, ThrottledError):
                    if error.retry_after > self._patience.longest_pause:
                        raise error
                    # The throttle knows of it: the next slot waits, and is told as throttled.
                else:
                    await self._rest(attempt)
            attempt += 1

    async def write(self, seat: Seat, operation: bytes, *, fence: Fence) -> Reply:
        """The answer to a write. Never repeated, except after a 401, which had no effect, with a
        password that was changed meanwhile, or a new token.

        Raises NotSentError, AnswerLostError, and what `fence` raises: nothing was sent then.
        """
        return await self._exchange(seat, operation, fence=fence)

    async def close(self) -> None:
        """Cut what is under way, and end the threads without waiting for them. What signs in is
        left to whoever made it."""
        self._closed = True
        for line in self._busy:
            line.cut()
        self._hang_up()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # One exchange

    async def _exchange(self, seat: Seat, operation: bytes, *, fence: Fence | None) -> Reply:
        body = envelope(operation, impersonated=seat.address if seat.impersonated else "")
        longest = self._patience.longest_pause
        async with self.throttle.slot(seat.lane, upload=len(body), longest=longest):
            raw, sent_as = await self._signed_in(seat, body, fence)
        try:
            reply = reply_of(raw, sent_as)
        except UnreadableError as error:
            raise AnswerLostError(
                f"{self._told}: an answer was cut off, or is none of Exchange Web Services' "
                f"(request {sent_as}); will be tried again"
            ) from error
        self._note(seat, reply)
        return reply

    async def _signed_in(self, seat: Seat, body: bytes, fence: Fence | None) -> tuple[Raw, str]:
        """With a proof that the server has not taken yet, one request at a time: a server locks
        the account that comes with a wrong password too often."""
        proof = await self._proofs.current()
        ended: Proof | None = None
        if proof == self._proven:
            raw, sent_as = await self._send(seat, body, proof, fence)
            if raw.status != 401:
                return raw, sent_as
            ended = proof
            if self._proven == ended:
                self._proven = None
        async with self._proving:
            proof = await self._proofs.current()
            if proof != ended:
                raw, sent_as = await self._send(seat, body, proof, fence)
            if raw.status == 401:
                changed = await self._proofs.another(proof)
                if changed is None:
                    raise self._proofs.refused(proof, self._refusal(raw))
                proof = changed
                raw, sent_as = await self._send(seat, body, proof, fence)
                if raw.status == 401:
                    raise self._proofs.refused(proof, self._refusal(raw))
            self._proven = proof
            return raw, sent_as

    async def _send(
        self, seat: Seat, body: bytes, proof: Proof, fence: Fence | None
    ) -> tuple[Raw, str]:
        """The answer, whatever it is, and the id that the request went by."""
        request_id = str(uuid.uuid4())
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": "cirahub",
            "client-request-id": request_id,
            "return-client-request-id": "true",
        }
        if seat.address:
            headers["X-AnchorMailbox"] = seat.address
        if seat.content_mailbox:
            headers["X-PublicFolderMailbox"] = seat.content_mailbox
        longest = self._patience.answer if fence is None else self._patience.write
        await self._free.acquire()
        line = self._take(proof)
        departure = Departure()
        gatekeeper = Gatekeeper() if fence is None else _LoopGatekeeper(fence, longest)
        posted = asyncio.get_running_loop().run_in_executor(
            self._threads,
            line.post,
            body,
            headers,
            departure,
            gatekeeper,
            (self._patience.connect, longest),
        )
        posted.add_done_callback(lambda done: self._put_back(line, done))
        try:
            async with asyncio.timeout(longest):
                raw = await asyncio.shield(posted)
        except (requests.RequestException, OSError, SpnegoError, ValueError, GivenUpError) as error:
            # The timeout is an OSError: the thread may be busy with it still.
            left = departure.give_up()
            line.cut()
            self.answers["none"] += 1
            raise self._lost(error, request_id, left=left) from _bare(error)
        except BaseException:
            departure.give_up()
            line.cut()
            raise
        self.answers[str(raw.status)] += 1
        return raw, request_id

    def _take(self, proof: Proof) -> Line:
        while self._idle:
            line = self._idle.pop()
            if line.proof == proof:
                break
            line.close()
        else:
            line = Line(self._route, f"{self._route.url}{PATH}", self._auth, proof)
        self._busy.add(line)
        return line

    def _put_back(self, line: Line, done: asyncio.Future[Raw]) -> None:
        """Its thread is through with it."""
        self._busy.discard(line)
        self._free.release()
        sound = not done.cancelled() and done.exception() is None and done.result().status != 401
        if sound and not self._closed:
            self._idle.append(line)
        else:
            line.close()

    def _hang_up(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _note(self, seat: Seat, reply: Reply) -> None:
        """Tell the throttle what an answer says of the limits."""
        waits = [each.back_off for each in reply.messages if each.code in THROTTLED]
        if reply.code in THROTTLED or reply.status == 429:
            waits.append(reply.back_off)
        if waits:
            longest = max(wait or DEFAULT_BACK_OFF for wait in waits)
            self.throttle.refused(seat.lane, longest)
        else:
            self.throttle.answered(seat.lane)

    def _refusal(self, raw: Raw) -> CredentialError:
        offered = raw.headers.get("www-authenticate", "").lower()
        if not isinstance(self._auth, PasswordAuth):
            return self._token_refusal(offered)
        scheme = self._auth.scheme.value
        if scheme.lower() not in offered:
            ways = [one for one in ("NTLM", "Basic") if one.lower() in offered]
            return CredentialError(
                f"{self._told} does not offer to sign in by {scheme}, but by "
                f"{' or '.join(ways) or 'nothing that cirahub can do'}: set auth.basic.scheme, or "
                "enable it for the virtual directory EWS",
                reason="SchemeNotOffered",
            )
        return CredentialError(
            f"{self._proofs.what} was refused by {self.server.host}: store the right one, check "
            "auth.basic.username, and that the account is neither locked nor disabled. Until "
            "another is stored, it is not tried again but when the Connection is checked"
        )

    def _token_refusal(self, offered: str) -> CredentialError:
        if "bearer" not in offered:
            return CredentialError(
                f"{self._told} takes no tokens: enable OAuth for the virtual directory EWS, and "
                "hybrid modern authentication for the organisation, or sign in by auth.basic",
                reason="SchemeNotOffered",
            )
        return CredentialError(
            f"{self._proofs.what} was refused by {self.server.host}, and so was a new one: check "
            "exchangeServer.tenantID, that the server trusts this tenant (Get-AuthServer), that it "
            "knows the application (Get-PartnerApplication), and its clock",
            reason="TokenRefused",
        )

    @property
    def _told(self) -> str:
        return f"connection {self.connection.name}: Exchange at {self._route.url}"

    def _lost(
        self, error: BaseException, request_id: str, *, left: bool
    ) -> EndpointUnavailableError:
        name = type(error).__name__
        if isinstance(error, requests.exceptions.SSLError):
            return NotSentError(
                f"{self._told}: its certificate is not trusted, or not for this name; put the "
                "certificate of its authority into exchangeServer.trustedCertificates, or correct "
                "exchangeServer.host",
                reason="CertificateNotTrusted",
            )
        if not left:
            return NotSentError(
                f"{self._told} cannot be reached ({name}, request {request_id}); check name "
                "resolution, proxies, firewalls and that the server is up"
            )
        return AnswerLostError(
            f"{self._told} gave no whole answer ({name}, request {request_id}); will be tried again"
        )

    async def _rest(self, attempt: int) -> None:
        await asyncio.sleep(self._patience.pause_after(attempt, self._jitter()))


class _LoopGatekeeper(Gatekeeper):
    """Has the loop ask a fence, in a thread's place: what it looks at is the loop's."""

    def __init__(self, fence: Fence, seconds: float) -> None:
        self._fence = fence
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()

    def check(self) -> None:
        asked = asyncio.run_coroutine_threadsafe(self._ask(), self._loop)
        try:
            asked.result(self._seconds)
        except TimeoutError:
            asked.cancel()
            raise GivenUpError from None

    async def _ask(self) -> None:
        self._fence(self._seconds)


def _busy_message(reply: Reply) -> Message | None:
    """A read of which a part met a busy server is asked again as a whole."""
    return next((each for each in reply.messages if each.code in RETRIABLE), None)


def _bare(error: BaseException) -> BaseException:
    """Without the request, which has the credential in it."""
    if isinstance(error, requests.RequestException):
        error.request = error.response = None
    return error
