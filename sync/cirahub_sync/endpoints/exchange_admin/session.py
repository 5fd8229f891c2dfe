"""Running cmdlets over HTTP, as Microsoft's PowerShell module does.

`POST {host}/adminapi/beta/{tenant}/InvokeCommand`, several at once by `…/$batch`. Undocumented:
what is relied on comes from callers whose source is public (github.com/KelvinTegelaar/CIPP-API,
New-ExoRequest and New-ExoBulkRequest; michev.info), and nothing here hangs on the text of an error.
Reads are repeated here, writes never.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import urlsplit

import aiohttp
import msgspec

from cirahub_sync.configuration import ConnectionConfig
from cirahub_sync.endpoints.attempts import AnswerLostError, NotSentError, Patience
from cirahub_sync.endpoints.base import Fence
from cirahub_sync.endpoints.exchange_admin.permissions import DIRECTORY_ROLE, ROLE
from cirahub_sync.endpoints.exchange_admin.runner import Command, Ending, Ran, exception_in
from cirahub_sync.endpoints.graph.answers import DEFAULT_RETRY_AFTER, RETRIABLE, Answer, of_part
from cirahub_sync.endpoints.graph.calling import lost, signed_in
from cirahub_sync.endpoints.graph.gate import Gate, guarded, last_moment
from cirahub_sync.endpoints.graph.wire import BATCH, UNREADABLE
from cirahub_sync.errors import (
    AccessDeniedError,
    CirahubError,
    EndpointUnavailableError,
    ProtocolError,
    ThrottledError,
)
from cirahub_sync.identity.base import TokenProvider
from cirahub_sync.network import Route
from cirahub_sync.origins import HOSTS, Origins, origin_of
from cirahub_sync.throttle import Throttle

BATCH_SIZE = 10
"""What callers send at once; the service's own limit is not known."""
PAGE_SIZE = 1000
_MAILBOX = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"
"""Of every organisation; requests are routed to where it is."""
_NOT_FOUND = "ManagementObjectNotFoundException"
_OVER_BUDGET = "OverBudgetException"
"""The caller's budget is used up: said before anything is run. That the service delays what it
runs, it only warns of: https://support.microsoft.com/topic/86716b03-53ff-d07f-3b24-b638a9f6b733."""
_TRANSIENT = "TransientException"
"""So end the classes of what comes right by itself: `ADTransientException`, and those that are
derived from Exchange's `TransientException`. Whether something was written is not said."""


class _Detail(msgspec.Struct, frozen=True):
    message: str | None = None


class _Inner(msgspec.Struct, frozen=True, rename="camel"):
    internal_exception: _Detail | None = None


class _Error(msgspec.Struct, frozen=True):
    details: list[_Detail] = []
    innererror: _Inner | None = None


class _ErrorBody(msgspec.Struct):
    error: _Error = _Error()


class _Output(msgspec.Struct):
    value: msgspec.Raw = msgspec.Raw(b"[]")
    next: str | None = msgspec.field(default=None, name="@odata.nextLink")


_errors = msgspec.json.Decoder(_ErrorBody)
_outputs = msgspec.json.Decoder(_Output)


class AdminSession:
    """Implements `runner.CmdletRunner`. Belongs to one event loop."""

    most = BATCH_SIZE

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
    ) -> None:
        host = HOSTS[connection.cloud].outlook
        self.lane = f"cmdlets of {connection.tenant_id}"
        """The throttle's."""
        self._what = f"connection {connection.name}: Exchange's administration"
        self._route = Route(host, origins, f"connection {connection.name}")
        self._origins = origins
        self._scope = f"{host}/.default"
        self._path = f"/adminapi/beta/{connection.tenant_id}"
        self._anchor = f"APP:{_MAILBOX}@{connection.tenant_id}"
        self._tokens = tokens
        self._throttle = throttle or Throttle()
        self._answers: Counter[str] = Counter() if answers is None else answers
        self._patience = patience or Patience()
        self._jitter = jitter
        self._http: aiohttp.ClientSession | None = None

    async def read(self, command: Command) -> Sequence[bytes]:
        pages: list[bytes] = []
        path: str | None = f"{self._path}/InvokeCommand"
        while path is not None:
            answer = await self._ask(path, command)
            try:
                output = _outputs.decode(answer.body)
            except UNREADABLE as error:
                raise ProtocolError(
                    f"{self._what}: the answer to {command.name} cannot be read "
                    f"({answer.summary}); will be tried again"
                ) from error
            pages.append(bytes(output.value))
            path = self._next(output.next) if output.next else None
        return pages

    async def write(self, commands: Sequence[Command], fence: Fence) -> Sequence[Ran]:
        try:
            if len(commands) == 1:
                path = f"{self._path}/InvokeCommand"
                body = _body(commands[0])
                answer = await self._exchange(path, body, commands[0].name, fence=fence)
            else:
                answer = await self._exchange(
                    f"{self._path}/$batch", self._batch(commands), "", len(commands), fence=fence
                )
        except NotSentError as error:
            return [Ran(ending=Ending.BUSY, why=str(error))] * len(commands)
        except AnswerLostError as error:
            return [Ran(ending=Ending.UNKNOWN, why=str(error))] * len(commands)
        if answer.status in (401, 403):
            raise self._denied(answer)
        if answer.status in (404, 405, 410) and not _by_cmdlet(answer):
            raise ProtocolError(
                f"{self._what} answered {answer.summary}: the service is not where it was, or not "
                "what it was; nothing was written. Look for a newer release, or report it"
            )
        if len(commands) == 1:
            return [_ran(answer, commands[0].name)]
        if 400 <= answer.status < 500 and answer.status not in (408, 429):
            # The batch as a whole, of which nothing took effect.
            return [(await self.write([each], fence))[0] for each in commands]
        if not answer.ok:
            return [_ran(answer, "a batch")] * len(commands)
        try:
            parts = {part.id: part for part in BATCH.decode(answer.body).responses}
        except UNREADABLE:
            return [Ran(ending=Ending.UNKNOWN, why=f"cut off: {answer.summary}")] * len(commands)
        ran: list[Ran] = []
        refused: Answer | None = None
        for at, command in enumerate(commands):
            part = parts.get(str(at))
            if part is None:
                why = f"{command.name}: no answer in the batch: {answer.summary}"
                ran.append(Ran(ending=Ending.UNKNOWN, why=why))
                continue
            own = of_part(part, answer.client_request_id)
            if own.status in (401, 403):
                refused = own
            if _throttled(own):
                self._throttle.refused(self.lane, own.retry_after or DEFAULT_RETRY_AFTER)
            ran.append(_ran(own, command.name))
        if refused is not None and all(one.ending is Ending.REFUSED for one in ran):
            raise self._denied(refused)
        return ran

    async def close(self) -> None:
        """Close connections. The token provider is left to whoever made it."""
        if self._http is not None:
            await self._http.close()

    async def _ask(self, path: str, command: Command) -> Answer:
        attempt = 1
        while True:
            last = attempt >= self._patience.attempts
            try:
                answer = await self._exchange(path, _body(command), command.name)
            except (NotSentError, AnswerLostError):
                if last:
                    raise
                await self._rest(attempt, 0.0)
            else:
                if answer.ok:
                    return answer
                if answer.status in (401, 403):
                    raise self._denied(answer)
                again = answer.status in RETRIABLE or _throttled(answer) or _transient(answer)
                if not again or last:
                    raise self._failure(answer, command.name)
                asked = answer.retry_after or 0.0
                if asked > self._patience.longest_pause:
                    raise self._failure(answer, command.name)
                if not _throttled(answer):  # of which the throttle knows
                    await self._rest(attempt, asked)
            attempt += 1

    async def _rest(self, attempt: int, asked: float) -> None:
        wait = self._patience.pause_after(attempt, self._jitter())
        await asyncio.sleep(max(wait, asked))

    async def _exchange(
        self, path: str, body: bytes, cmdlet: str, cost: int = 1, *, fence: Fence | None = None
    ) -> Answer:
        """One request and its answer; once more with a new token after a 401, which had no
        effect."""
        longest = self._patience.longest_pause
        async with self._throttle.slot(self.lane, cost=cost, upload=len(body), longest=longest):
            answer = await signed_in(
                self._tokens,
                self._scope,
                partial(self._send, path, body, cmdlet, fence=fence),
            )
        if _throttled(answer):
            self._throttle.refused(self.lane, answer.retry_after or DEFAULT_RETRY_AFTER)
        else:
            self._throttle.answered(self.lane, cost)
        return answer

    async def _send(
        self, path: str, body: bytes, cmdlet: str, token: str, fence: Fence | None
    ) -> Answer:
        request_id = str(uuid.uuid4())
        headers = {
            **self._headers(cmdlet),
            "Authorization": f"Bearer {token}",
            "client-request-id": request_id,
        }
        if self._http is None:
            self._http = self._route.session([last_moment()])
        longest = self._patience.answer if fence is None else self._patience.write
        gate = None if fence is None else Gate(fence, longest)
        timeout = aiohttp.ClientTimeout(total=longest, sock_connect=self._patience.connect)
        url = self._route.url + path
        try:
            with guarded(gate):
                async with self._http.post(
                    url, data=body, headers=headers, timeout=timeout, allow_redirects=False
                ) as response:
                    received = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            if gate is not None and gate.refusal is not None:
                raise gate.refusal from error
            self._answers["none"] += 1
            raise lost(f"{self._what} at {self._route.url}", error, request_id) from error
        self._answers[str(response.status)] += 1
        return Answer(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=received,
            client_request_id=request_id,
        )

    def _headers(self, cmdlet: str) -> dict[str, str]:
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json; charset=utf-8",
            "Prefer": f"odata.maxpagesize={PAGE_SIZE}",
            "X-AnchorMailbox": self._anchor,
            "X-ResponseFormat": "json",
        }
        return headers | {"X-CmdletName": cmdlet} if cmdlet else headers

    def _batch(self, commands: Sequence[Command]) -> bytes:
        url = f"{self._route.url}{self._path}/InvokeCommand"
        parts = [
            {
                "id": str(at),
                "method": "POST",
                "url": url,
                "headers": self._headers(command.name),
                "body": msgspec.Raw(_body(command)),
            }
            for at, command in enumerate(commands)
        ]
        return msgspec.json.encode({"requests": parts})

    def _next(self, link: str) -> str:
        """The part of a next link below the origin: our token goes nowhere else."""
        parts = urlsplit(link)
        here = origin_of(self._route.url)
        if origin_of(self._origins.rewrite(link)) != here or parts.path[:10] != "/adminapi/":
            raise ProtocolError(
                f"{self._what} gave a link to another origin, which was not followed; check the "
                "endpoints file, or report it"
            )
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _denied(self, answer: Answer) -> CirahubError:
        return AccessDeniedError(
            f"{self._what} answered {answer.summary}; grant the application the role {ROLE} of "
            f"Office 365 Exchange Online, and assign it the role {DIRECTORY_ROLE} of Entra ID in "
            "this tenant"
        )

    def _failure(self, answer: Answer, cmdlet: str) -> CirahubError:
        text = f"{self._what} answered {cmdlet} with {_told(answer)}"
        if _throttled(answer) or answer.retry_after is not None:
            wait = answer.retry_after or DEFAULT_RETRY_AFTER
            return ThrottledError(f"{text}; comes right by itself", retry_after=wait)
        if answer.status in RETRIABLE or _transient(answer):
            return EndpointUnavailableError(f"{text}; will be tried again")
        return ProtocolError(f"{text}, which this request should not meet; please report it")


def _body(command: Command) -> bytes:
    inner = {"CmdletName": command.name, "Parameters": dict(command.parameters)}
    return msgspec.json.encode({"CmdletInput": inner})


def _said(answer: Answer) -> list[_Detail]:
    """What a cmdlet says of its failure, where callers look for it: `details`, `innererror`."""
    try:
        error = _errors.decode(answer.body).error
    except UNREADABLE:
        return []
    inner = error.innererror.internal_exception if error.innererror is not None else None
    return [*error.details, *([inner] if inner is not None else [])]


def _by_cmdlet(answer: Answer) -> bool:
    """Whether a failure is a cmdlet's, and not that of the service in front of it."""
    return bool(_said(answer))


def _exception(answer: Answer) -> str:
    return next(filter(None, (exception_in(one.message or "") for one in _said(answer))), "")


def _throttled(answer: Answer) -> bool:
    """Whether the service asks for a slower pace."""
    return answer.status == 429 or (not answer.ok and _exception(answer) == _OVER_BUDGET)


def _transient(answer: Answer) -> bool:
    return not answer.ok and _exception(answer).endswith(_TRANSIENT)


def _told(answer: Answer) -> str:
    return " ".join(filter(None, (_exception(answer), answer.summary)))


def _ran(answer: Answer, cmdlet: str) -> Ran:
    if answer.ok:
        try:
            output = _outputs.decode(answer.body or b"{}")
        except UNREADABLE:
            why = f"{cmdlet}: done, but the answer cannot be read: {answer.summary}"
            return Ran(ending=Ending.UNKNOWN, why=why)
        return Ran(ending=Ending.DONE, output=bytes(output.value))
    wait = answer.retry_after
    match answer.status:
        case _ if _throttled(answer):
            ending, wait = Ending.BUSY, wait or DEFAULT_RETRY_AFTER
        case 404:
            ending = Ending.NOT_FOUND if _by_cmdlet(answer) else Ending.UNKNOWN
        case 503 if wait is not None:
            ending = Ending.BUSY
        case status if status >= 500 or status == 408 or _transient(answer):
            ending = Ending.UNKNOWN
        case _:
            missing = _exception(answer) == _NOT_FOUND
            ending = Ending.NOT_FOUND if missing else Ending.REFUSED
    return Ran(ending=ending, why=f"{cmdlet}: {_told(answer)}", retry_after=wait)
