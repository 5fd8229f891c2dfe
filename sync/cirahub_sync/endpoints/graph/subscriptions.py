"""Subscriptions to change notifications (https://learn.microsoft.com/graph/api/resources/subscription).

A folder of contacts, and a calendar, is subscribed to by itself where Graph takes that. The table
of https://learn.microsoft.com/graph/change-notifications-overview has all contacts, or all events,
of a mailbox only; that tells of more, which costs a look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from cirahub_sync.configuration import CalendarTarget, MailboxTarget, SpokeConfig
from cirahub_sync.endpoints.attempts import AnswerLostError, NotSentError
from cirahub_sync.endpoints.base import Fence, Target
from cirahub_sync.endpoints.graph import wire
from cirahub_sync.endpoints.graph.answers import Answer, of_part, read
from cirahub_sync.endpoints.graph.calendars.place import CalendarPlace
from cirahub_sync.endpoints.graph.letters import head, part
from cirahub_sync.endpoints.graph.place import Place, segment
from cirahub_sync.endpoints.graph.session import BATCH_SIZE, GraphSession
from cirahub_sync.endpoints.subscriptions import Granted, Refusal, Refused, Wanted

LIFE = 4_200 * 60.0
"""Seconds for which one is asked for: 4,230 minutes were the most for Outlook's resources, before
it was nearly seven days (change-notifications-overview, subscription lifetime)."""
LANE = "subscriptions"
"""The throttle's."""
BATCHES = 4
"""On their way at the same time. Graph asks our endpoint before it answers each of them."""
_ROLES = "Contacts.Read (Calendars.Read, for calendars)"
"""https://learn.microsoft.com/graph/api/subscription-post-subscriptions, permissions"""
_PATH = "/subscriptions"


class _Shown(msgspec.Struct, rename="camel"):
    id: str
    expiration_date_time: datetime


class _Standing(msgspec.Struct, rename="camel"):
    id: str
    resource: str = ""
    notification_url: str | None = None


class _StandingPage(msgspec.Struct):
    value: list[_Standing]
    next: str | None = msgspec.field(default=None, name="@odata.nextLink")


_SHOWN = msgspec.json.Decoder(_Shown)
_STANDING_PAGE = msgspec.json.Decoder(_StandingPage)


class GraphSubscriptions:
    """Implements `endpoints.subscriptions.Subscriptions`."""

    def __init__(self, session: GraphSession, fence: Fence, clock: Callable[[], float]) -> None:
        self._session = session
        self._fence = fence
        self._clock = clock
        self._what = f"connection {session.connection.name}: its subscriptions"

    def resources(self, spoke: SpokeConfig, target: Target) -> Sequence[str]:
        if isinstance(spoke.target, MailboxTarget):
            place = Place(target.mailbox, target.folder)
            return (f"{place.folder_path}/contacts", f"{place.mailbox_path}/contacts")
        if isinstance(spoke.target, CalendarTarget):
            calendar = CalendarPlace(target.mailbox, target.folder)
            return (calendar.events_path, f"{calendar.mailbox_path}/events")
        return ()

    async def create(self, wanted: Sequence[Wanted], *, url: str) -> Sequence[Granted | Refused]:
        until = self._until()
        asked = [
            {
                "changeType": "created,updated,deleted",
                "notificationUrl": url,
                "lifecycleNotificationUrl": url,
                "resource": one.resource,
                "expirationDateTime": until,
                "clientState": one.secret,
            }
            for one in wanted
        ]
        answers = await self._each([("POST", _PATH, msgspec.json.encode(one)) for one in asked])
        return [_granted(answer) for answer in answers]

    async def renew(self, ids: Sequence[str]) -> Sequence[Granted | Refused]:
        """https://learn.microsoft.com/graph/change-notifications-lifecycle-events: to renew is to
        authorise anew as well."""
        body = msgspec.json.encode({"expirationDateTime": self._until()})
        answers = await self._each([("PATCH", _one(each), body) for each in ids])
        return [_granted(answer) for answer in answers]

    async def end(self, ids: Sequence[str]) -> None:
        await self._each([("DELETE", _one(each), b"") for each in ids])

    async def standing(self, url: str) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        path: str | None = f"/v1.0{_PATH}"
        while path is not None:
            answer = await self._session.get(LANE, path, what=self._what, role=_ROLES)
            page = read(_STANDING_PAGE, answer, self._what)
            for one in page.value:
                if one.notification_url == url:
                    found.setdefault(f"/{one.resource.strip('/')}", []).append(one.id)
            path = self._session.path(page.next) if page.next else None
        return found

    def _until(self) -> str:
        moment = datetime.fromtimestamp(self._clock() + LIFE, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    async def _each(self, requests: Sequence[tuple[str, str, bytes]]) -> list[Answer | Refused]:
        chunks = [
            requests[start : start + BATCH_SIZE] for start in range(0, len(requests), BATCH_SIZE)
        ]
        found: list[Answer | Refused] = []
        for start in range(0, len(chunks), BATCHES):
            some = chunks[start : start + BATCHES]
            for answers in await asyncio.gather(*(self._batch(chunk) for chunk in some)):
                found += answers
        return found

    async def _batch(self, chunk: Sequence[tuple[str, str, bytes]]) -> list[Answer | Refused]:
        parts = [
            part(at, head(method, path), body) for at, (method, path, body) in enumerate(chunk)
        ]
        body = b"".join((b'{"requests":[', b",".join(parts), b"]}"))
        try:
            whole = await self._session.write_batch(LANE, body, len(chunk), fence=self._fence)
            if not whole.ok:
                return [whole] * len(chunk)
            answers = {one.id: one for one in wire.BATCH.decode(whole.body).responses}
        except (NotSentError, AnswerLostError) as error:
            return [Refused(Refusal.UNAVAILABLE, str(error))] * len(chunk)
        except wire.UNREADABLE:
            return [Refused(Refusal.UNAVAILABLE, f"cut off: {whole.summary}")] * len(chunk)
        found: list[Answer | Refused] = []
        for at in range(len(chunk)):
            if str(at) in answers:
                found.append(of_part(answers[str(at)], whole.client_request_id))
            else:
                missing = f"no answer in the batch: {whole.summary}"
                found.append(Refused(Refusal.UNAVAILABLE, missing))
        told = [one for one in found if isinstance(one, Answer)]
        self._session.note_refusals(LANE, told)
        return found


def _one(id: str) -> str:  # noqa: A002
    return f"{_PATH}/{segment(id)}"


def _granted(answer: Answer | Refused) -> Granted | Refused:
    if isinstance(answer, Refused):
        return answer
    if answer.ok:
        try:
            shown = _SHOWN.decode(answer.body)
        except wire.UNREADABLE:
            return Refused(Refusal.UNAVAILABLE, f"the answer cannot be read: {answer.summary}")
        return Granted(shown.id, shown.expiration_date_time.timestamp())
    match answer.status:
        case 401 | 403:
            why = Refusal.DENIED
        case 404 | 410:
            why = Refusal.GONE
        case 409:
            why = Refusal.EXISTS
        case 408 | 429:
            why = Refusal.UNAVAILABLE
        case status if status >= 500:
            why = Refusal.UNAVAILABLE
        case _:
            why = Refusal.REFUSED
    return Refused(why, answer.summary)
