"""Sending writes: `$batch`es of 20, each operation with an outcome of its own, nothing sent twice.

What is known of an operation after its answer is what the outcome says. An answer that did not
come, or came from a gateway (5xx), leaves open whether the operation took effect: UNKNOWN. Only
a refusal that Graph makes before it looks at an item (429, 503 with `Retry-After`, 424) is RETRY.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Protocol

from cirahub_sync.endpoints.attempts import AnswerLostError, NotSentError
from cirahub_sync.endpoints.base import Create, Fence, Operation, Outcome, Result
from cirahub_sync.endpoints.graph import wire
from cirahub_sync.endpoints.graph.answers import (
    DEFAULT_RETRY_AFTER,
    NO_MAILBOX,
    Answer,
    failure,
    of_part,
)
from cirahub_sync.endpoints.graph.session import BATCH_SIZE, GraphSession
from cirahub_sync.endpoints.waves import Indexed, Sent, alike, in_waves
from cirahub_sync.errors import CirahubError

BATCHES = 4
"""Batches that are on their way at the same time, if the throttle lets them."""

Chunk = Sequence[Indexed]
"""Operations that are sent together, with their indexes."""


class Letters(Protocol):
    """What operations on items of one kind are to Graph."""

    async def screened(self, chunk: Chunk) -> tuple[Chunk, Sequence[Outcome]]:
        """Asked before a chunk is sent: what is left to send of it, and what became of the rest.
        May raise what concerns the whole place."""
        ...

    def request(self, at: int, operation: Operation) -> bytes:
        """The operation as a part of a batch (`part`)."""
        ...

    def done(self, index: int, operation: Operation, answer: Answer) -> Outcome:
        """What became of an operation that was answered with success."""
        ...

    async def settled(self, chunk: Chunk, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Asked after each chunk: what follows from the outcomes is done, and they are told anew.
        Raises nothing."""
        ...


class Outbox:
    """Sends operations to one place."""

    def __init__(
        self,
        session: GraphSession,
        mailbox: str,
        letters: Letters,
        fence: Fence,
        *,
        what: str,
        role: str,
    ) -> None:
        """`what` names the place, `role` what it takes to write there."""
        self._session = session
        self._mailbox = mailbox
        self._letters = letters
        self._fence = fence
        self._what = what
        self._role = role

    def push(self, operations: Sequence[Operation]) -> AsyncGenerator[Sequence[Outcome], None]:
        return in_waves(operations, _chunks, self._send, most=BATCHES)

    async def _send(self, chunk: Chunk) -> Sent:
        try:
            left, outcomes = await self._letters.screened(chunk)
        except CirahubError as error:
            return Sent((), error)
        sent = await self._post(left) if left else Sent(())
        return Sent(await self._letters.settled(chunk, [*outcomes, *sent.outcomes]), sent.broken)

    async def _post(self, chunk: Chunk) -> Sent:
        body = b"".join(
            (
                b'{"requests":[',
                b",".join(self._letters.request(at, each) for at, (_, each) in enumerate(chunk)),
                b"]}",
            )
        )
        try:
            whole = await self._session.write_batch(
                self._mailbox, body, len(chunk), fence=self._fence
            )
        except NotSentError as error:
            return Sent(alike(chunk, Result.RETRY, str(error)))
        except AnswerLostError as error:
            return Sent(alike(chunk, Result.UNKNOWN, str(error)))
        except CirahubError as error:
            return Sent((), error)
        if whole.ok:
            return self._sent(chunk, whole)
        if whole.status == 429:
            wait = whole.retry_after or DEFAULT_RETRY_AFTER
            return Sent(alike(chunk, Result.RETRY, whole.summary, wait))
        if whole.status in (401, 403):
            return Sent((), failure(whole, self._what, role=self._role))
        if whole.status >= 500 or whole.status == 408:
            return Sent(alike(chunk, Result.UNKNOWN, whole.summary, whole.retry_after))
        if len(chunk) == 1:
            return Sent(alike(chunk, Result.REJECTED, whole.summary))
        # The batch as a whole was refused, so nothing of it took effect: one bad operation, or
        # too much of them together. Halving finds it, and sends the others.
        middle = len(chunk) // 2
        first = await self._post(chunk[:middle])
        if first.broken is not None:
            return first
        second = await self._post(chunk[middle:])
        return Sent([*first.outcomes, *second.outcomes], second.broken)

    def _sent(self, chunk: Chunk, whole: Answer) -> Sent:
        try:
            parts = {part.id: part for part in wire.BATCH.decode(whole.body).responses}
        except wire.UNREADABLE:
            return Sent(alike(chunk, Result.UNKNOWN, f"cut off: {whole.summary}"))
        answers: list[Answer] = []
        outcomes: list[Outcome] = []
        refused: list[tuple[int, Answer]] = []
        for at, (index, operation) in enumerate(chunk):
            part = parts.get(str(at))
            if part is None:
                missing = f"no answer in the batch: {whole.summary}"
                outcomes.append(Outcome(index=index, result=Result.UNKNOWN, error=missing))
                continue
            answer = of_part(part, whole.client_request_id)
            answers.append(answer)
            if not answer.ok and _concerns_all(operation, answer):
                refused.append((index, answer))
            else:
                outcomes.append(self._outcome(index, operation, answer))
        self._session.note_refusals(self._mailbox, answers)
        if refused and not any(each.result is Result.DONE for each in outcomes):
            return Sent(outcomes, failure(refused[0][1], self._what, role=self._role))
        outcomes += [
            Outcome(index=index, result=_result_alone(answer), error=answer.summary)
            for index, answer in refused
        ]
        return Sent(outcomes)

    def _outcome(self, index: int, operation: Operation, answer: Answer) -> Outcome:
        if answer.ok:
            return self._letters.done(index, operation, answer)
        wait = answer.retry_after
        match answer.status:
            case 404 | 410:
                return Outcome.gone(index, operation, answer.summary)
            case 412:
                result = Result.STALE
            case 429:
                result, wait = Result.RETRY, wait or DEFAULT_RETRY_AFTER
            case 503:
                result = Result.RETRY if wait is not None else Result.UNKNOWN
            case 424 | 507:
                result = Result.RETRY
            case status if status >= 500 or status == 408:
                result = Result.UNKNOWN
            case _:
                result = Result.REJECTED
        return Outcome(index=index, result=result, error=answer.summary, retry_after=wait)


def _concerns_all(operation: Operation, answer: Answer) -> bool:
    """Whether a refusal may be the whole place's: of access, or of a folder to create in."""
    nowhere = answer.status == 404 and isinstance(operation, Create)
    return answer.status in (401, 403) or nowhere or answer.code in NO_MAILBOX


def _result_alone(answer: Answer) -> Result:
    """Of an operation that was refused access, or a folder to create in, while others of the same
    batch were done: it is that operation's own trouble."""
    return Result.RETRY if answer.status == 401 else Result.REJECTED


def _chunks(wave: Chunk) -> Iterable[Chunk]:
    return [wave[start : start + BATCH_SIZE] for start in range(0, len(wave), BATCH_SIZE)]
