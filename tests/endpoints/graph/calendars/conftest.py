"""A calendar of a mailbox in the simulator, its user, and an endpoint into it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime

import pytest
from tests.endpoints.graph.conftest import Cloud, nothing_known, open_fence

from cirahub_simulator.calendar.event import Event as Held
from cirahub_simulator.calendar.event import Item
from cirahub_simulator.calendar.fields import EventFields
from cirahub_simulator.calendar.outbox import Message
from cirahub_simulator.graph.calendar import Calendar
from cirahub_simulator.graph.event_body import read_event
from cirahub_sync.configuration import CalendarTarget
from cirahub_sync.endpoints.base import (
    Change,
    Create,
    Operation,
    Outcome,
    Page,
    RemoteItem,
    Result,
    Update,
)
from cirahub_sync.endpoints.graph import GraphSession
from cirahub_sync.endpoints.graph.calendars import CalendarEndpoint
from cirahub_sync.model.event import Event, Occurrence
from cirahub_sync.model.kind import Content
from cirahub_sync.model.window import Span

NAME = "Rota"
WINDOW = Span(
    datetime(2026, 11, 1, tzinfo=UTC).timestamp(), datetime(2027, 3, 1, tzinfo=UTC).timestamp()
)
NINE = "DTSTART;TZID=Europe/Berlin:20261201T090000\nDTEND;TZID=Europe/Berlin:20261201T100000"
TEN = NINE.replace("T10", "T11").replace("T09", "T10")
WEEKLY = f"{NINE}\nRRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=8"
LONE = Event(subject="Réview 人", body="One\nTwo", location="Room 1", schedule=NINE)
SERIES = Event(
    subject="Stand-up",
    body="Notes",
    schedule=WEEKLY,
    exceptions=(
        Occurrence("2026-12-08", start="2026-12-08T11:00:00", end="2026-12-08T11:30:00"),
        Occurrence("2026-12-15", cancelled=True),
        Occurrence("2026-12-22", subject="Last one", body="Cake", location="Kitchen"),
    ),
)


class Diary:
    """What the mailbox's user has and does in one of its calendars."""

    def __init__(self, cloud: Cloud, name: str = NAME) -> None:
        self._cloud = cloud
        self._name = name

    @property
    def calendar(self) -> Calendar:
        found = self._cloud.mailbox().calendars.all()
        return next(one for one in found if one.name == self._name)

    def held(self) -> list[Held]:
        return list(self.calendar.events.values())

    def adds(self, **event: object) -> Held:
        times = {
            "start": at("2026-12-01T09:00:00"),
            "end": at("2026-12-01T10:00:00"),
            "subject": "Native",
        }
        made = read_event(json.dumps(times | event).encode(), self._cloud.world.switches)
        return self._cloud.mailbox().calendars.create_event(
            self.calendar,
            EventFields(**made.changes),  # type: ignore[arg-type]
        )

    def changes(self, item: Item, **event: object) -> None:
        made = read_event(json.dumps(event).encode(), self._cloud.world.switches)
        self._cloud.mailbox().calendars.update_item(item, made.changes)

    def deletes(self, item: Item) -> None:
        self._cloud.mailbox().calendars.delete_item(item)

    def occurrence(self, event: Held, day: str) -> Item:
        found = event.instance(date.fromisoformat(day))
        assert found is not None
        return found

    def sent(self) -> list[Message]:
        """What went out of this cloud to anybody."""
        return self._cloud.world.outbox.messages()


def at(text: str, zone: str = "W. Europe Standard Time") -> dict[str, str]:
    return {"dateTime": text, "timeZone": zone}


def weekly(**more: object) -> dict[str, object]:
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]}
    extent = {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 8}
    return {"recurrence": {"pattern": pattern, "range": extent}, **more}


INVITED = [{"emailAddress": {"address": "ben@elsewhere.example", "name": "Ben"}}]


def calendar_endpoint(
    session: GraphSession,
    name: str = NAME,
    *,
    span: Span = WINDOW,
    user: str = "ada",
) -> CalendarEndpoint:
    target = CalendarTarget(f"{user}@contoso.example", name)
    return CalendarEndpoint(session, target, open_fence, span)


@pytest.fixture
async def calendar(cloud: Cloud, session: GraphSession) -> AsyncIterator[CalendarEndpoint]:
    """Opened on a calendar of its own."""
    endpoint = calendar_endpoint(session)
    await endpoint.open(create=True)
    yield endpoint
    await endpoint.close()


@pytest.fixture
def diary(cloud: Cloud, calendar: CalendarEndpoint) -> Diary:
    return Diary(cloud)


async def read_all(endpoint: CalendarEndpoint, resume: str | None = None) -> list[Page]:
    return [page async for page in endpoint.changes(resume, known=nothing_known)]


def cursor(pages: Sequence[Page]) -> str:
    assert pages[-1].cursor is not None
    return pages[-1].cursor


def last_of(pages: Sequence[Page]) -> dict[str, Change]:
    """What the round says last of each id."""
    return {change.id: change for page in pages for change in page.changes}


async def push_all(endpoint: CalendarEndpoint, operations: Sequence[Operation]) -> list[Outcome]:
    outcomes = [each async for some in endpoint.push(operations) for each in some]
    assert len({each.index for each in outcomes}) == len(outcomes)
    return sorted(outcomes, key=lambda each: each.index)


async def made(
    endpoint: CalendarEndpoint, content: Event = LONE, key: str = "i/h/x/s/1"
) -> RemoteItem:
    (outcome,) = await push_all(endpoint, [Create(key=key, body=endpoint.encode(content))])
    assert (outcome.result, outcome.missing) == (Result.DONE, None), outcome.error
    assert outcome.item is not None
    return outcome.item


def update(endpoint: CalendarEndpoint, item: RemoteItem, after: Content, etag: str = "") -> Update:
    body = endpoint.encode_changes(item.content, after)
    return Update(id=item.id, etag=etag or item.etag, body=body)


async def here(endpoint: CalendarEndpoint, item: str) -> RemoteItem:
    found = (await endpoint.fetch([item]))[item]
    assert isinstance(found, RemoteItem)
    return found


def shared(event: object) -> Event:
    """What an event says that others are shown."""
    assert isinstance(event, Event)
    return Event(
        subject=event.subject,
        body=event.body,
        location=event.location,
        schedule=event.schedule,
        exceptions=event.exceptions,
    )
