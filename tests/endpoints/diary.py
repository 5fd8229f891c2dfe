"""What the user of a mailbox has and does in one of its calendars, whichever service shows it to
us, and what we write there."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

from tests.endpoints.contract.samples import NINE, WEEKLY

from cirahub_simulator.calendar.event import Event as Held
from cirahub_simulator.calendar.event import Item
from cirahub_simulator.calendar.fields import EventFields
from cirahub_simulator.calendar.outbox import Message
from cirahub_simulator.graph.calendar import Calendar
from cirahub_simulator.graph.event_body import read_event
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.world import World
from cirahub_sync.endpoints.base import Change, Page
from cirahub_sync.model.event import Event, Occurrence
from cirahub_sync.model.window import Span

NAME = "Rota"
WINDOW = Span(
    datetime(2026, 11, 1, tzinfo=UTC).timestamp(), datetime(2027, 3, 1, tzinfo=UTC).timestamp()
)
TEN = NINE.replace("T10", "T11").replace("T09", "T10")
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
INVITED = [{"emailAddress": {"address": "ben@elsewhere.example", "name": "Ben"}}]


class Diary:
    def __init__(self, mailbox: Callable[[], Mailbox], world: World, name: str = NAME) -> None:
        self._mailbox = mailbox
        self._world = world
        self._name = name

    def found(self) -> Calendar | None:
        """None before it is made."""
        calendars = self._mailbox().calendars.all()
        return next((one for one in calendars if one.name == self._name), None)

    @property
    def calendar(self) -> Calendar:
        found = self.found()
        assert found is not None
        return found

    def held(self) -> list[Held]:
        found = self.found()
        return list(found.events.values()) if found is not None else []

    def adds(self, **event: object) -> Held:
        times = {
            "start": at("2026-12-01T09:00:00"),
            "end": at("2026-12-01T10:00:00"),
            "subject": "Native",
        }
        made = read_event(json.dumps(times | event).encode(), self._world.switches)
        return self._mailbox().calendars.create_event(
            self.calendar,
            EventFields(**made.changes),  # type: ignore[arg-type]
        )

    def changes(self, item: Item, **event: object) -> None:
        made = read_event(json.dumps(event).encode(), self._world.switches)
        self._mailbox().calendars.update_item(item, made.changes)

    def deletes(self, item: Item) -> None:
        self._mailbox().calendars.delete_item(item)

    def occurrence(self, event: Held, day: str) -> Item:
        found = event.instance(date.fromisoformat(day))
        assert found is not None
        return found

    def sent(self) -> list[Message]:
        """What went out of this world to anybody."""
        return self._world.outbox.messages()


def at(text: str, zone: str = "W. Europe Standard Time") -> dict[str, str]:
    return {"dateTime": text, "timeZone": zone}


def weekly(**more: object) -> dict[str, object]:
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]}
    extent = {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 8}
    return {"recurrence": {"pattern": pattern, "range": extent}, **more}


def last_of(pages: Sequence[Page]) -> dict[str, Change]:
    """What the round says last of each id."""
    return {change.id: change for page in pages for change in page.changes}


CHANGES: dict[str, tuple[Callable[[Diary, Held], None], tuple[Occurrence, ...]]] = {
    "an occurrence was moved": (
        lambda diary, held: diary.changes(
            diary.occurrence(held, "2026-12-08"),
            start=at("2026-12-08T11:00:00"),
            end=at("2026-12-08T12:00:00"),
        ),
        (Occurrence("2026-12-08", start="2026-12-08T11:00:00", end="2026-12-08T12:00:00"),),
    ),
    "an occurrence was retitled": (
        lambda diary, held: diary.changes(
            diary.occurrence(held, "2027-01-05"), subject="First of the year"
        ),
        (Occurrence("2027-01-05", subject="First of the year"),),
    ),
    "an occurrence was cancelled": (
        lambda diary, held: diary.deletes(diary.occurrence(held, "2026-12-15")),
        (Occurrence("2026-12-15", cancelled=True),),
    ),
}
"""By what their user does to a series: it, and the exceptions that there are then."""
