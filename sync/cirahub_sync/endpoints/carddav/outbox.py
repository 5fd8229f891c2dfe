"""Sending writes: one request each, several on their way, each with an outcome of its own, nothing
sent twice.

What was written is read once more, all of a batch in one request: some servers store a card
otherwise than it came, and not all that do leave out its etag, as RFC 6352 6.3.2.3 would have it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from cirahub_sync.endpoints.attempts import AnswerLostError, NotSentError
from cirahub_sync.endpoints.base import (
    Create,
    Delete,
    Fence,
    Operation,
    Outcome,
    RemoteItem,
    Result,
    Unreadable,
    Update,
)
from cirahub_sync.endpoints.carddav import codec
from cirahub_sync.endpoints.carddav.answers import failure, summary, unmet
from cirahub_sync.endpoints.carddav.books import Book
from cirahub_sync.endpoints.carddav.capabilities import BATCH_SIZE
from cirahub_sync.endpoints.carddav.card import parse
from cirahub_sync.endpoints.carddav.items import Held, ItemReader, id_of, uid_of
from cirahub_sync.endpoints.carddav.session import Call, CardDavSession
from cirahub_sync.endpoints.graph.answers import DEFAULT_RETRY_AFTER, Answer
from cirahub_sync.endpoints.waves import Indexed, Sent, alike, in_waves
from cirahub_sync.errors import CirahubError, EndpointUnavailableError, TargetNotFoundError

_CARD = "text/vcard; charset=utf-8"
_BATCHES = 2
"""So that the server has something to do while what a batch became is read, made ours and noted.
How many requests are on their way at a time is the throttle's to say."""
_NOT_THERE = frozenset({404, 409, 410})
"""Of a create: RFC 4918 9.7.1 has 409 where the collection is missing."""


class _Job(msgspec.Struct):
    """An operation on its way."""

    index: int
    operation: Operation
    id: str
    body: bytes = b""
    etag: str = ""
    """What the item has to be at; blank: whatever."""
    held: Held | None = None
    """What is there, before an update."""
    answer: Answer | None = None
    outcome: Outcome | None = None
    """Known before or without an answer."""


class Outbox:
    """Sends operations to one address book."""

    def __init__(
        self,
        session: CardDavSession,
        book: Book,
        items: ItemReader,
        fence: Fence,
        *,
        custom_names: tuple[str, ...],
        clock: Callable[[], float],
    ) -> None:
        self._session = session
        self._book = book
        self._items = items
        self._fence = fence
        self._custom_names = custom_names
        self._clock = clock
        self._what = items.what

    def push(self, operations: Sequence[Operation]) -> AsyncGenerator[Sequence[Outcome], None]:
        return in_waves(operations, _batches, self._send, most=_BATCHES)

    async def _send(self, batch: Sequence[Indexed]) -> Sent:
        jobs = [_Job(index, one, _id(one)) for index, one in batch]
        try:
            await self._prepare(jobs)
        except CirahubError as error:
            return Sent((), error)
        results = await asyncio.gather(
            *(self._one(job) for job in jobs if job.outcome is None), return_exceptions=True
        )
        broken: CirahubError | None = None
        for result in results:
            if isinstance(result, CirahubError):
                broken = broken or result
            elif isinstance(result, BaseException):
                raise result
        written = [job for job in jobs if job.answer is not None]
        broken = await self._settle(written) or broken
        return Sent([job.outcome for job in jobs if job.outcome is not None], broken)

    async def _prepare(self, jobs: Sequence[_Job]) -> None:
        """What is sent. May raise what concerns the whole place."""
        updates = [job for job in jobs if isinstance(job.operation, Update)]
        held: Mapping[str, Held | Unreadable | None] = {}
        terms = await self._items.terms()
        if updates:
            held = await self._items.held([job.id for job in updates])
        for job in jobs:
            match job.operation:
                case Create(key=key, body=body):
                    job.body = codec.with_head(
                        body, version=terms.version, uid=uid_of(key), stamp=key
                    )
                case Update():
                    self._patch(job, job.operation, held[job.id])
                case Delete(etag=etag):
                    job.etag = etag
            if job.outcome is None and terms.largest and len(job.body) > terms.largest:
                job.outcome = Outcome(
                    index=job.index,
                    result=Result.REJECTED,
                    error=f"larger than the {terms.largest} octets that the address book takes",
                )

    def _patch(self, job: _Job, update: Update, held: Held | Unreadable | None) -> None:
        if held is None:
            job.outcome = Outcome.gone(job.index, update, "not there any more")
            return
        if isinstance(held, Unreadable):
            job.outcome = Outcome(index=job.index, result=Result.RETRY, error=held.why)
            return
        if update.etag and update.etag != held.item.etag:
            error = "it has been changed meanwhile"
            job.outcome = Outcome(index=job.index, result=Result.STALE, error=error)
            return
        before = str(held.card)
        letter = codec.read_letter(update.body)
        codec.apply(held.card, letter.after, letter.fields, self._custom_names)
        if str(held.card) == before:
            job.outcome = Outcome(index=job.index, result=Result.DONE, item=held.item)
            return
        if held.card.first("REV") is not None:
            moment = datetime.fromtimestamp(self._clock(), UTC)
            held.card.put("REV", moment.strftime("%Y%m%dT%H%M%SZ"))
        job.held, job.etag, job.body = held, held.item.etag, str(held.card).encode()

    async def _one(self, job: _Job) -> None:
        """One request. Raises what concerns the whole place."""
        headers = {"Content-Type": _CARD} if job.body else {}
        if isinstance(job.operation, Create):
            headers["If-None-Match"] = "*"
        elif job.etag:
            # What came between may have weakened it (gzip in a proxy does), and a weak one never
            # matches (RFC 9110 13.1.1).
            headers["If-Match"] = job.etag.removeprefix("W/")
        method = "DELETE" if isinstance(job.operation, Delete) else "PUT"
        try:
            call = Call(method, self._book.item(job.id), job.body, headers)
            job.answer = await self._session.write(call, lane=self._book.lane, fence=self._fence)
        except NotSentError as error:
            job.outcome = alike([(job.index, job.operation)], Result.RETRY, str(error))[0]
        except AnswerLostError as error:
            job.outcome = alike([(job.index, job.operation)], Result.UNKNOWN, str(error))[0]

    async def _settle(self, jobs: Sequence[_Job]) -> CirahubError | None:
        """Outcomes of what was answered, and what of it concerns the whole place."""
        again: list[_Job] = []
        refused: list[tuple[_Job, Answer]] = []
        for job in jobs:
            answer = job.answer
            if answer is None:
                continue
            creating = isinstance(job.operation, Create)
            taken = answer.status == 412 or "no-uid-conflict" in unmet(answer)
            if answer.ok and isinstance(job.operation, Delete):
                job.outcome = Outcome(index=job.index, result=Result.DONE)
            elif answer.ok or (creating and taken) or (answer.status == 412 and _is_weak(job)):
                again.append(job)
            elif _of_the_place(job, answer):
                refused.append((job, answer))
            else:
                job.outcome = _refusal(job, answer)
        broken = await self._read_back(again)
        if not refused:
            return broken
        reason = await self._why(refused[0][1])
        alone = any(job.outcome is not None and job.outcome.result is Result.DONE for job in jobs)
        if reason is not None and not alone:
            return broken or reason
        for job, answer in refused:
            job.outcome = Outcome(index=job.index, result=Result.REJECTED, error=summary(answer))
        return broken

    async def _why(self, answer: Answer) -> CirahubError | None:
        """Whether a refusal concerns the whole place: a 404 or 409 does if that is gone."""
        if answer.status not in _NOT_THERE:
            return failure(answer, self._what)
        try:
            await self._session.find(
                self._book.path, ["{DAV:}resourcetype"], what=self._what, lane=self._book.lane
            )
        except (TargetNotFoundError, EndpointUnavailableError) as error:
            return error
        return None

    async def _read_back(self, jobs: Sequence[_Job]) -> CirahubError | None:
        """What became of what was written, or was there already."""
        if not jobs:
            return None
        try:
            held = await self._items.held([job.id for job in jobs])
        except CirahubError as error:
            for job in jobs:
                job.outcome = self._unread(job, str(error))
            return None if isinstance(error, EndpointUnavailableError) else error
        for job in jobs:
            found = held[job.id]
            answer = job.answer
            if answer is None:
                continue
            if answer.ok:
                job.outcome = self._written(job, answer, found)
            elif isinstance(job.operation, Create):
                job.outcome = _already(job, job.operation, answer, found)
            else:
                job.outcome = _stale(job, answer, found)
        return None

    def _written(self, job: _Job, answer: Answer, found: Held | Unreadable | None) -> Outcome:
        etag = answer.headers.get("etag", "")
        if isinstance(found, Held) and etag in ("", found.item.etag):
            return Outcome(index=job.index, result=Result.DONE, item=found.item)
        # Changed once more meanwhile: what is acknowledged is what we wrote; the delta shows the
        # rest.
        return self._unread(job, "it was not there, or not as it was written")

    def _unread(self, job: _Job, why: str) -> Outcome:
        answer = job.answer
        etag = "" if answer is None or not answer.ok else answer.headers.get("etag", "")
        if not etag:
            return Outcome(index=job.index, result=Result.UNKNOWN, error=f"not read back: {why}")
        card = parse(job.body.decode())
        item = RemoteItem(
            id=job.id,
            etag=etag,
            content=codec.decode(card, self._custom_names),
            stamp=codec.stamp_of(card),
        )
        return Outcome(index=job.index, result=Result.DONE, item=item)


def _id(operation: Operation) -> str:
    return id_of(operation.key) if isinstance(operation, Create) else operation.id


def _batches(wave: Sequence[Indexed]) -> Iterable[Sequence[Indexed]]:
    size = BATCH_SIZE
    return [wave[start : start + size] for start in range(0, len(wave), size)]


def _is_weak(job: _Job) -> bool:
    return isinstance(job.operation, Update) and job.etag.startswith("W/")


def _of_the_place(job: _Job, answer: Answer) -> bool:
    """Whether it may concern the whole place, and not this item alone."""
    if unmet(answer) - {"need-privileges"}:
        return False
    return answer.status == 403 or (
        answer.status in _NOT_THERE and isinstance(job.operation, Create)
    )


def _refusal(job: _Job, answer: Answer) -> Outcome:
    error, wait = summary(answer), answer.retry_after
    match answer.status:
        case 404 | 410:
            return Outcome.gone(job.index, job.operation, error)
        case 412:
            result = Result.STALE
        case 429:
            result, wait = Result.RETRY, wait or DEFAULT_RETRY_AFTER
        case 503:
            result = Result.RETRY if wait is not None else Result.UNKNOWN
        case 423 | 507:
            result = Result.RETRY
        case status if status >= 500 or status == 408:
            result = Result.UNKNOWN
        case _:
            result = Result.REJECTED
    return Outcome(index=job.index, result=result, error=error, retry_after=wait)


def _already(job: _Job, create: Create, answer: Answer, found: Held | Unreadable | None) -> Outcome:
    """A create that met something of its name: done earlier, if that has our stamp."""
    if isinstance(found, Held) and found.item.stamp == create.key:
        return Outcome(index=job.index, result=Result.DONE, item=found.item)
    return Outcome(index=job.index, result=Result.REJECTED, error=summary(answer))


def _stale(job: _Job, answer: Answer, found: Held | Unreadable | None) -> Outcome:
    """An update with a weak etag that was refused: it may be that no etag is ever taken."""
    if isinstance(found, Held) and found.item.etag == job.etag:
        error = f"the server does not take its own etag, a weak one: {summary(answer)}"
        return Outcome(index=job.index, result=Result.REJECTED, error=error)
    return Outcome(index=job.index, result=Result.STALE, error=summary(answer))
