"""Operations on events as requests of Exchange Web Services: looked at before, and followed up
after.

**Nobody is told.** Every request says SendToNone, in the words of its operation
(https://learn.microsoft.com/exchange/client-developer/web-service-reference/createitem, updateitem
and deleteitem), and besides:

**Before** an event is updated or deleted it is looked at. Who has attendees, whoever put them
there, is left alone (invariant 10). And what its user has changed since is told as stale; an update
has to have the change key that was looked at.

**After** a series was made or changed, its exceptions are: each is an occurrence, which is found
by its number in the rule and says of which day it is. What does not get through is told as missing,
and sent again as an update; so nothing here depends on what an earlier try achieved. An occurrence
that is cancelled can't be had back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cirahub_sync.endpoints.appointments.series import Goal, differing
from cirahub_sync.endpoints.appointments.writing import as_it_is, followed_up, obstacle
from cirahub_sync.endpoints.attempts import AnswerLostError, NotSentError
from cirahub_sync.endpoints.base import (
    Create,
    Delete,
    Fence,
    Operation,
    Outcome,
    Result,
    Unreadable,
    Update,
)
from cirahub_sync.endpoints.exchange import properties, wire
from cirahub_sync.endpoints.exchange.answers import GONE, NOT_DONE, STALE, UNCERTAIN, Reply
from cirahub_sync.endpoints.exchange.calendars import codec
from cirahub_sync.endpoints.exchange.calendars.items import EventReader, Held
from cirahub_sync.endpoints.exchange.calendars.recurrence import zone_id
from cirahub_sync.endpoints.exchange.capabilities import BATCH_SIZE
from cirahub_sync.endpoints.exchange.place import Place
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.endpoints.waves import Indexed
from cirahub_sync.model.event import Event
from cirahub_sync.model.kind import as_event
from cirahub_sync.model.schedule import parse

_UPDATE = b' SendMeetingInvitationsOrCancellations="SendToNone"'
_DELETE = b' SendMeetingCancellations="SendToNone"'


class EventLetters:
    """Implements `outbox.Letters`. Of one calendar, for one push."""

    create_attributes = b' SendMeetingInvitations="SendToNone"'
    update_attributes = _UPDATE
    delete_attributes = _DELETE
    looks_first = True

    def __init__(
        self, session: ExchangeSession, place: Place, events: EventReader, fence: Fence
    ) -> None:
        self._session = session
        self._place = place
        self._events = events
        self._fence = fence
        self._looked: dict[str, Held] = {}
        """By id: what is to be updated or deleted."""

    async def screened(
        self, operations: Sequence[Indexed]
    ) -> tuple[Sequence[Indexed], list[Outcome]]:
        ids = [each.id for _, each in operations if not isinstance(each, Create)]
        held = await self._events.held(ids) if ids else {}
        left: list[Indexed] = []
        early: list[Outcome] = []
        for index, operation in operations:
            outcome = _refused(index, operation)
            if outcome is None and not isinstance(operation, Create):
                outcome = self._looked_at(index, operation, held[operation.id])
            if outcome is None:
                left.append((index, operation))
            else:
                early.append(outcome)
        if early:
            unchanged = [one for one in early if one.result is Result.DONE and one.item is not None]
            settled = await self.settled(operations, unchanged)
            early = [*(one for one in early if one not in unchanged), *settled]
        return left, early

    def _looked_at(
        self, index: int, operation: Update | Delete, got: Held | Unreadable | None
    ) -> Outcome | None:
        early = obstacle(index, operation, got)
        if early is not None or not isinstance(got, Held):
            return early
        self._looked[operation.id] = got
        if isinstance(operation, Update) and not _changes_itself(operation):
            return as_it_is(index, got)
        return None

    def key(self, operation: Update) -> str:
        """What was looked at is what is written to."""
        return self._looked[operation.id].etag

    def item(self, operation: Create) -> bytes:
        sent = codec.sending(operation.body)
        stamp = properties.value(properties.STAMP, operation.key)
        return wire.element("CalendarItem", f"{sent.early}{stamp}{sent.late}").encode()

    def meant(self, operation: Create | Update) -> Event:
        return codec.sending(operation.body).meant

    def updates(self, operation: Update) -> bytes:
        sent = codec.sending(operation.body)
        there = self._looked[operation.id].element
        moved = codec.schedule_changes(sent.schedule, there) if sent.schedule else ""
        return f"{sent.early}{moved}".encode()

    async def settled(
        self, operations: Sequence[Indexed], outcomes: Sequence[Outcome]
    ) -> Sequence[Outcome]:
        """Writes exceptions, and reads what is there after that."""
        goals = {index: goal for index, one in operations if (goal := _goal(one)) is not None}
        open_ = {
            one.index: one.item.id
            for one in outcomes
            if one.index in goals and one.result is Result.DONE and one.item is not None
        }
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
        zone = zone_id(master.element)
        changes: dict[str, str] = {}
        """By day; blank: to be deleted."""
        result = Result.DONE
        for day, now, then in differing(series, goal):
            if now.cancelled:
                result = Result.REJECTED
            elif then.cancelled:
                changes[day] = ""
            elif change := codec.occurrence_changes(now, goal, day, zone):
                changes[day] = change
        ids = codec.instances(master.element, series)
        numbers = _numbers(series.schedule, [day for day in changes if day not in ids])
        if numbers:
            ids |= await self._events.instances(master, numbers)
        updates: list[str] = []
        deletes: list[str] = []
        for day, change in changes.items():
            if day in ids and change:
                updates.append(
                    f"<t:ItemChange>{wire.item_id(ids[day])}<t:Updates>{change}</t:Updates>"
                    "</t:ItemChange>"
                )
            elif day in ids:
                deletes.append(wire.item_id(ids[day]))
            elif change:
                result = Result.REJECTED  # the service's rule has no such day
        for operation in (*_update_items(updates), *_delete_items(deletes)):
            sent = await self._write(operation)
            result = sent if sent is not Result.DONE else result
        return result

    async def _write(self, operation: bytes) -> Result:
        try:
            reply = await self._session.write(self._place.seat, operation, fence=self._fence)
        except (NotSentError, AnswerLostError):
            return Result.RETRY  # what took effect is seen when it is sent again
        return _result(reply)


def _refused(index: int, operation: Operation) -> Outcome | None:
    if isinstance(operation, Delete):
        return None
    why = codec.sending(operation.body).refused
    return Outcome(index=index, result=Result.REJECTED, error=why) if why else None


def _changes_itself(operation: Update) -> bool:
    """Whether more than occurrences change."""
    sent = codec.sending(operation.body)
    return bool(sent.early or sent.schedule)


def _goal(operation: Operation) -> Goal | None:
    return None if isinstance(operation, Delete) else codec.sending(operation.body).goal


def _numbers(schedule: str, days: Sequence[str]) -> Mapping[str, int]:
    """Which occurrences of the rule those of some days are, counted from one."""
    left = set(days)
    found: dict[str, int] = {}
    for number, start in enumerate(parse(schedule).starts(), 1):
        day = start.date().isoformat()
        if day in left:
            found[day] = number
            left.discard(day)
        if not left or day > max(left):
            break
    return found


def _update_items(changes: Sequence[str]) -> list[bytes]:
    return [
        (
            b'<m:UpdateItem ConflictResolution="AlwaysOverwrite"%b><m:ItemChanges>%b'
            b"</m:ItemChanges></m:UpdateItem>"
        )
        % (_UPDATE, "".join(changes[start : start + BATCH_SIZE]).encode())
        for start in range(0, len(changes), BATCH_SIZE)
    ]


def _delete_items(ids: Sequence[str]) -> list[bytes]:
    return [
        b'<m:DeleteItem DeleteType="MoveToDeletedItems"%b><m:ItemIds>%b</m:ItemIds></m:DeleteItem>'
        % (_DELETE, "".join(ids[start : start + BATCH_SIZE]).encode())
        for start in range(0, len(ids), BATCH_SIZE)
    ]


def _result(reply: Reply) -> Result:
    """Of a request about occurrences. One that is gone by now is looked for again."""
    if not reply.ok:
        return Result.RETRY
    codes = {message.code for message in reply.messages if not message.ok}
    if not codes:
        return Result.DONE
    return Result.RETRY if codes & (NOT_DONE | UNCERTAIN | GONE | STALE) else Result.REJECTED
