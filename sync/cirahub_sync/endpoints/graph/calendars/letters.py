"""Operations on events as Graph's requests: looked at before, and followed up after.

**Before** an event is updated or deleted it is looked at. Who has attendees, whoever put them
there, is left alone: Graph would tell them (invariant 10). And what its user has changed since is
told as stale, whether or not the service compares etags.

**After** a series was made or changed, its exceptions are: each is an occurrence, which is found
by its day (https://learn.microsoft.com/graph/api/event-list-instances) and then patched, or
deleted. What does not get through is told as missing, and sent again as an update; so nothing here
depends on what an earlier try achieved. An occurrence that is cancelled can't be had back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from cirahub_sync.endpoints.appointments.series import Goal, differing, span_of
from cirahub_sync.endpoints.appointments.writing import as_it_is, followed_up, obstacle
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
from cirahub_sync.endpoints.graph.answers import Answer
from cirahub_sync.endpoints.graph.calendars import codec, wire
from cirahub_sync.endpoints.graph.calendars.items import SERIES, EventReader, Held, if_match
from cirahub_sync.endpoints.graph.calendars.place import TEXT, CalendarPlace
from cirahub_sync.endpoints.graph.letters import head, part, unread
from cirahub_sync.endpoints.graph.outbox import Chunk
from cirahub_sync.endpoints.graph.session import BATCH_SIZE, GraphSession
from cirahub_sync.endpoints.graph.wire import BATCH, UNREADABLE
from cirahub_sync.model.event import Occurrence
from cirahub_sync.model.kind import as_event
from cirahub_sync.model.schedule import parse
from cirahub_sync.model.zone import instant

_NOTHING = b"{}"
_AGAIN = frozenset({401, 404, 408, 410, 412, 424, 429})
"""Statuses after which an occurrence is tried again; and those from 500 on."""
_encoder = msgspec.json.Encoder()


class EventLetters:
    """Of one calendar, for one push."""

    def __init__(
        self, session: GraphSession, place: CalendarPlace, events: EventReader, fence: Fence
    ) -> None:
        self._session = session
        self._place = place
        self._events = events
        self._fence = fence
        self._create_head = head("POST", place.events_path, prefer=(TEXT,))
        self._looked: dict[str, Held] = {}
        """By id: what is to be updated or deleted."""
        self._answered: dict[int, wire.WireEvent] = {}
        """By the index of a create or update: what it was answered with."""

    async def screened(self, chunk: Chunk) -> tuple[Chunk, Sequence[Outcome]]:
        ids = [each.id for _, each in chunk if not isinstance(each, Create)]
        held = await self._events.held(ids) if ids else {}
        left: list[tuple[int, Operation]] = []
        outcomes: list[Outcome] = []
        for index, operation in chunk:
            outcome = _refused(index, operation)
            if outcome is None and not isinstance(operation, Create):
                outcome = self._looked_at(index, operation, held[operation.id])
            if outcome is None:
                left.append((index, operation))
            else:
                outcomes.append(outcome)
        return left, outcomes

    def _looked_at(
        self, index: int, operation: Update | Delete, got: Held | Unreadable | None
    ) -> Outcome | None:
        early = obstacle(index, operation, got)
        if early is not None or not isinstance(got, Held):
            return early
        self._looked[operation.id] = got
        if isinstance(operation, Update) and not _changes_itself(operation):
            self._answered[index] = got.wire
            return as_it_is(index, got)
        return None

    def request(self, at: int, operation: Operation) -> bytes:
        match operation:
            case Create():
                event = codec.sending(operation.body).event
                return part(at, self._create_head, codec.with_stamp(event, operation.key))
            case Update():
                path = self._place.event_here_path(operation.id)
                patch = head("PATCH", path, if_match=self._etag(operation.id), prefer=(TEXT,))
                return part(at, patch, bytes(codec.sending(operation.body).event))
            case Delete(permanent=True):
                path = f"{self._place.event_path(operation.id)}/permanentDelete"
                return part(at, head("POST", path), b"")
            case Delete():
                path = self._place.event_path(operation.id)
                return part(at, head("DELETE", path, if_match=self._etag(operation.id)), b"")

    def _etag(self, event: str) -> str:
        """What was looked at is what is written to, where a service compares."""
        return if_match(self._looked[event].etag)

    def done(self, index: int, operation: Operation, answer: Answer) -> Outcome:
        if isinstance(operation, Delete):
            return Outcome(index=index, result=Result.DONE)
        try:
            event = wire.EVENT.decode(answer.body)
            item = self._events.item(event)
        except (*UNREADABLE, *codec.UNREADABLE):
            return unread(index, answer)
        self._answered[index] = event
        if isinstance(operation, Create):
            item = msgspec.structs.replace(item, stamp=operation.key)
        elif isinstance(looked := self._looked[operation.id].item, RemoteItem):
            item = msgspec.structs.replace(item, stamp=looked.stamp)
        return Outcome(index=index, result=Result.DONE, item=item)

    async def settled(self, chunk: Chunk, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Writes exceptions, and reads what an answer does not show: those of a series, and texts
        where it shows HTML."""
        operations = dict(chunk)
        open_: dict[int, str] = {}
        goals: dict[int, Goal] = {}
        for outcome in outcomes:
            answered = self._answered.get(outcome.index)
            if outcome.result is not Result.DONE or answered is None:
                continue
            goal = _goal(operations[outcome.index])
            if goal is not None:
                goals[outcome.index] = goal
            if goal or answered.type == SERIES or not codec.is_text(answered.body):
                open_[outcome.index] = answered.id
        if not open_:
            return outcomes
        return await followed_up(
            outcomes, open_, goals, held=self._events.held, occurrences=self._occurrences
        )

    async def _occurrences(self, master: Held, goal: Goal) -> Result:
        """Bring a series' occurrences to where they are to be."""
        if isinstance(master.item, Unreadable):
            return Result.REJECTED
        series = as_event(master.item.content)
        requests: dict[str, bytes] = {}
        """Bodies by day; blank: to be deleted."""
        result = Result.DONE
        for day, now, then in differing(series, goal):
            if now.cancelled:
                result = Result.REJECTED
            elif then.cancelled:
                requests[day] = b""
            elif changes := codec.occurrence_changes(now, goal, day):
                requests[day] = _encoder.encode(changes)
        ids = dict(codec.instances(master.wire, series))
        ids |= await self._events.instances(
            master.wire.id, _spans(goal, [day for day in requests if day not in ids])
        )
        writes: list[tuple[str, bytes]] = []
        for day, body in requests.items():
            if day in ids:
                writes.append((ids[day], body))
            elif body:
                result = Result.REJECTED  # the service's rule has no such day
        for start in range(0, len(writes), BATCH_SIZE):
            sent = await self._write(writes[start : start + BATCH_SIZE])
            result = sent if sent is not Result.DONE else result
        return result

    async def _write(self, writes: Sequence[tuple[str, bytes]]) -> Result:
        body = b",".join(self._occurrence(at, *each) for at, each in enumerate(writes))
        try:
            whole = await self._session.write_batch(
                self._place.mailbox,
                b"".join((b'{"requests":[', body, b"]}")),
                len(writes),
                fence=self._fence,
            )
        except (NotSentError, AnswerLostError):
            return Result.RETRY  # what took effect is seen when it is sent again
        if not whole.ok:
            return _result(whole.status)
        try:
            statuses = [one.status for one in BATCH.decode(whole.body).responses]
        except UNREADABLE:
            return Result.RETRY
        results = {_result(status) for status in statuses}
        if len(statuses) < len(writes) or Result.RETRY in results:
            return Result.RETRY
        return Result.REJECTED if Result.REJECTED in results else Result.DONE

    def _occurrence(self, at: int, event: str, body: bytes) -> bytes:
        path = self._place.event_path(event)
        return part(at, head("PATCH" if body else "DELETE", path), body)


def _refused(index: int, operation: Operation) -> Outcome | None:
    if isinstance(operation, Delete):
        return None
    why = codec.sending(operation.body).refused
    return Outcome(index=index, result=Result.REJECTED, error=why) if why else None


def _changes_itself(operation: Update) -> bool:
    """Whether more than occurrences change."""
    return bytes(codec.sending(operation.body).event) != _NOTHING


def _goal(operation: Operation) -> Goal | None:
    return None if isinstance(operation, Delete) else codec.sending(operation.body).goal


def _spans(goal: Goal, days: Sequence[str]) -> Mapping[str, tuple[float, float]]:
    when = parse(goal.schedule)
    zone = when.zone or "UTC"
    spans = {day: span_of(when, Occurrence(day)) for day in days}
    return {day: (instant(a, zone), instant(b, zone)) for day, (a, b) in spans.items()}


def _result(status: int) -> Result:
    """Of one occurrence. One that is gone by now is looked for again."""
    if 200 <= status < 300:
        return Result.DONE
    return Result.RETRY if status in _AGAIN or status >= 500 else Result.REJECTED
