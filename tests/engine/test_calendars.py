"""Calendars in the simulator, on real sockets, pass by pass: what arrives where, what comes back,
and that nobody is ever written to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cirahub_simulator.calendar.event import Event as Held
from cirahub_simulator.calendar.event import Item
from cirahub_simulator.calendar.fields import EventFields
from cirahub_simulator.calendar.outbox import Message
from cirahub_simulator.graph.calendars import Calendars
from cirahub_simulator.graph.event_body import read_event
from cirahub_simulator.graph.seed import mailbox_of
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_sync.configuration import (
    CalendarTarget,
    DeletionLimits,
    Direction,
    ItemKind,
    OnUserDelete,
    PrivateItems,
    SpokeConfig,
)
from cirahub_sync.engine.report import PassReport

from .conftest import Scene, contoso
from .ear import listening

DAY = 86_400.0
INVITED = [{"emailAddress": {"address": "guest@elsewhere.example", "name": "Guest"}}]
BATCHES: dict[str, Any] = {"service": "graph", "method": "POST", "path": r"\$batch"}
CREATES: dict[str, Any] = {"service": "graph", "method": "POST", "path": "/events$"}
PATCHES: dict[str, Any] = {"service": "graph", "method": "PATCH", "path": "/events/"}


class Offices(Scene):
    """A hub of events. Users act in their calendars: `adds`, `changes`, `deletes`."""

    def __init__(self, simulator: EmbeddedSimulator, folder: Path) -> None:
        super().__init__(simulator, folder)
        self.configure(item_kind=ItemKind.EVENT)

    def connect(
        self, name: str, direction: Direction = Direction.CONTRIBUTE, **settings: Any
    ) -> SpokeConfig:
        target = CalendarTarget(self.mailbox(name), settings.pop("calendar", ""))
        spoke = msgspec.structs.replace(super().connect(name, direction, **settings), target=target)
        self.spokes[name] = spoke
        return spoke

    def calendars(self, name: str) -> Calendars:
        world = self.simulator.world
        user = world.directory.find_user(self.mailbox(name))
        assert user is not None
        return mailbox_of(world, user.id).calendars

    def events(self, name: str, calendar: str = "Calendar") -> list[Held]:
        found = (one for one in self.calendars(name).all() if one.name == calendar)
        return [event for one in found for event in one.events.values()]

    def event(self, name: str, calendar: str = "Calendar") -> Held:
        """The one there is."""
        (found,) = self.events(name, calendar)
        return found

    def adds(self, name: str, **event: object) -> Held:
        times = {
            "subject": "Review",
            "start": at("2026-12-08T09:00:00"),
            "end": at("2026-12-08T10:00:00"),
            "isReminderOn": True,
        }
        body = read_event(json.dumps(times | event).encode(), self.simulator.world.switches)
        calendars = self.calendars(name)
        fields = EventFields(**body.changes)  # type: ignore[arg-type]
        return calendars.create_event(calendars.default, fields)

    def changes(self, name: str, item: Item, **event: object) -> None:
        body = read_event(json.dumps(event).encode(), self.simulator.world.switches)
        self.calendars(name).update_item(item, body.changes)

    def deletes(self, name: str, item: Item) -> None:
        self.calendars(name).delete_item(item)

    def sent(self) -> list[Message]:
        """What went from anybody to anybody."""
        return self.simulator.world.outbox.messages()

    async def quiet(self, passes: int = 3) -> PassReport:
        """Passes with an hour between them, after which all is delivered."""
        for _ in range(passes):
            report = await self.sync()
            self.advance(3700)
        return report


def at(text: str, zone: str = "W. Europe Standard Time") -> dict[str, str]:
    return {"dateTime": text, "timeZone": zone}


def weekly(**more: object) -> dict[str, object]:
    """Eight Tuesdays."""
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]}
    extent = {"type": "numbered", "startDate": "2026-12-08", "numberOfOccurrences": 8}
    return {"recurrence": {"pattern": pattern, "range": extent}, **more}


def occurrence(event: Held, day: str) -> Item:
    found = event.instance(date.fromisoformat(day))
    assert found is not None
    return found


def told(event: Held) -> list[tuple[str, str, str, str]]:
    """Subject, place, start and end of an event, or of each occurrence of a series; local."""
    items: list[Item] = [event]
    if event.series is not None:
        span = range(date(2026, 12, 1).toordinal(), date(2027, 3, 1).toordinal())
        days = map(date.fromordinal, span)
        items = [one for day in days if (one := event.instance(day)) is not None]
    return [
        (
            one.fields.subject or "",
            one.fields.location.display_name or "",
            one.fields.start.local.isoformat(),
            one.fields.end.local.isoformat(),
        )
        for one in items
    ]


@pytest.fixture
async def offices(tmp_path: Path) -> AsyncIterator[Offices]:
    with contoso("Calendars.ReadWrite", "User.ReadBasic.All") as simulator:
        made = Offices(simulator, tmp_path)
        yield made
        await made.worker.close()


def with_exceptions(offices: Offices, name: str) -> Held:
    """A series of which one occurrence is moved, one cancelled, one of another subject."""
    series = offices.adds(name, **weekly())
    offices.changes(
        name,
        occurrence(series, "2026-12-15"),
        start=at("2026-12-15T11:00:00"),
        end=at("2026-12-15T12:00:00"),
    )
    offices.deletes(name, occurrence(series, "2026-12-22"))
    offices.changes(name, occurrence(series, "2027-01-05"), subject="First of the year")
    return series


async def test_a_series_travels_with_its_exceptions_and_comes_back_as_it_was(
    offices: Offices,
) -> None:
    offices.connect("ada")
    offices.connect("ben", Direction.RECEIVE, calendar="Team")
    offices.connect("cy", Direction.TWO_WAY)
    series = with_exceptions(offices, "ada")
    offices.adds("ada", subject="Lunch")

    await offices.settle()

    for name, calendar in (("ben", "Team"), ("cy", "Calendar")):
        copies = sorted(offices.events(name, calendar), key=lambda one: one.fields.subject or "")
        assert [told(one) for one in copies] == [
            told(one) for one in (offices.events("ada")[1], series)
        ]
        assert not any(copy.fields.is_reminder_on for copy in copies)
    offices.forget()
    report = await offices.sync(2)
    assert offices.writes() == []
    assert report.pending == 0


async def test_an_occurrence_that_one_user_moves_is_moved_in_the_other_calendar(
    offices: Offices,
) -> None:
    for name in ("ada", "ben"):
        offices.connect(name, Direction.TWO_WAY)
    series = with_exceptions(offices, "ada")
    await offices.settle()
    copy = offices.event("ben")

    offices.changes("ben", occurrence(copy, "2027-01-12"), location={"displayName": "Attic"})
    offices.changes("ada", occurrence(series, "2026-12-29"), subject="Nobody is here")
    await offices.settle()

    assert told(series) == told(copy)
    assert ("Review", "Attic", "2027-01-12T09:00:00", "2027-01-12T10:00:00") in told(series)
    offices.forget()
    await offices.sync(2)
    assert offices.writes() == []


async def test_a_series_that_is_moved_takes_its_exceptions_along(offices: Offices) -> None:
    """The service drops them from the copy when its times change, and from the native one too."""
    for name in ("ada", "ben"):
        offices.connect(name, Direction.TWO_WAY)
    series = with_exceptions(offices, "ada")
    await offices.settle()

    offices.changes("ada", series, start=at("2026-12-08T08:00:00"), end=at("2026-12-08T08:30:00"))
    offices.changes("ada", occurrence(series, "2027-01-19"), subject="Late")
    await offices.settle()

    assert told(offices.event("ben")) == told(series)
    assert ("Late", "", "2027-01-19T08:00:00", "2027-01-19T08:30:00") in told(series)


async def test_no_calendar_push_sends_anything_to_anybody(offices: Offices) -> None:
    """Invariant 10: whatever is made, changed, deleted, restored and erased, and whoever was
    invited by its users."""
    offices.connect("ada", Direction.TWO_WAY)
    offices.connect("ben", Direction.TWO_WAY)
    offices.connect("cy", Direction.RECEIVE, on_user_delete=OnUserDelete.RESTORE)
    meeting = offices.adds("ada", subject="Meeting", attendees=INVITED)
    group = offices.adds("ben", subject="Group", attendees=INVITED, **weekly())
    plain = offices.adds("ada", subject="Plain")
    series = with_exceptions(offices, "ben")
    invitations = offices.sent()
    assert {message.kind for message in invitations} == {"invitation"}
    await offices.settle()
    assert len(offices.events("cy")) == 4

    offices.changes("ada", plain, subject="Plainer")
    offices.deletes("ben", occurrence(series, "2027-01-12"))
    for copy in offices.events("cy"):
        offices.deletes("cy", copy)
    offices.deletes("ada", plain)
    await offices.quiet()
    for name in ("ada", "ben", "cy"):
        for event in offices.events(name):
            if event not in (meeting, group):
                offices.changes(name, event, categories=["Own"])
    await offices.quiet()
    await offices.erase("ben")
    await offices.quiet()
    await offices.erase("ada")

    assert offices.sent() == invitations
    assert [event.fields.attendees != () for event in (meeting, group)] == [True, True]
    assert meeting in offices.events("ada")
    assert group in offices.events("ben")


@pytest.mark.parametrize("direction", [Direction.RECEIVE, Direction.TWO_WAY])
async def test_an_event_that_somebody_invites_people_to_is_left_alone_from_then_on(
    offices: Offices, direction: Direction
) -> None:
    offices.connect("ada")
    offices.connect("ben", direction)
    native = offices.adds("ada")
    await offices.settle()
    copy = offices.event("ben")
    offices.changes("ben", copy, attendees=INVITED)
    invitations = offices.sent()

    offices.changes("ada", native, subject="Changed")
    await offices.quiet()
    assert copy.fields.subject == "Review"
    offices.deletes("ada", native)
    await offices.quiet()

    assert offices.events("ben") == [copy]
    assert offices.sent() == invitations


@pytest.mark.parametrize("direction", [Direction.RECEIVE, Direction.TWO_WAY])
async def test_exceptions_that_do_not_get_through_are_sent_again_and_nothing_is_made_twice(
    offices: Offices, direction: Direction
) -> None:
    offices.connect("ada")
    offices.connect("ben", direction)
    series = with_exceptions(offices, "ada")
    offices.admin.add_rule("status", status=503, **PATCHES)

    report = await offices.sync()

    assert told(offices.event("ben")) != told(series)
    assert report.pending == 1
    offices.admin.clear_rules()
    offices.advance(3700)
    report = await offices.sync()
    assert told(offices.event("ben")) == told(series)
    assert report.pending == 0


@pytest.mark.parametrize("direction", [Direction.RECEIVE, Direction.TWO_WAY])
async def test_a_series_whose_making_was_interrupted_gets_its_exceptions(
    offices: Offices, direction: Direction
) -> None:
    """The answer to the create was lost: it is found again by its stamp, without exceptions."""
    offices.connect("ada")
    offices.connect("ben", direction)
    series = with_exceptions(offices, "ada")
    offices.admin.add_rule("status", status=504, moment="after", count=1, **CREATES)

    await offices.quiet()

    assert told(offices.event("ben")) == told(series)


async def test_a_day_that_passes_has_calendars_read_anew_and_changes_nothing(
    offices: Offices,
) -> None:
    offices.connect("ada", Direction.TWO_WAY)
    offices.connect("ben", Direction.RECEIVE)
    with_exceptions(offices, "ada")
    offices.adds(
        "ada", subject="Past", start=at("2026-11-02T09:00:00"), end=at("2026-11-02T10:00:00")
    )
    await offices.settle()
    assert len(offices.events("ben")) == 2

    offices.advance(10 * DAY)
    offices.forget()
    report = await offices.sync(2)

    assert [spoke.problem for spoke in report.spokes.values()] == [None, None]
    assert offices.writes() == []
    assert len(offices.events("ben")) == 2
    assert len(offices.events("ada")) == 2


async def test_after_a_lost_store_nobody_has_an_event_twice(offices: Offices) -> None:
    offices.connect("ada", Direction.TWO_WAY)
    offices.connect("ben", Direction.TWO_WAY)
    offices.connect("cy", Direction.RECEIVE)
    with_exceptions(offices, "ada")
    offices.adds("ben")
    await offices.settle()

    await offices.lose_store()
    await offices.quiet()

    assert [len(offices.events(name)) for name in ("ada", "ben", "cy")] == [2, 2, 2]


async def test_zones_that_windows_calls_the_same_are_not_written_over_and_over(
    offices: Offices,
) -> None:
    for name in ("ada", "ben"):
        offices.connect(name, Direction.TWO_WAY)
    vienna = "Europe/Vienna"
    native = offices.adds(
        "ada", start=at("2026-12-08T09:00:00", vienna), end=at("2026-12-08T10:00:00", vienna)
    )
    await offices.settle()
    offices.forget()

    await offices.sync(2)

    assert offices.writes() == []
    assert native.fields.start.zone == vienna
    offices.changes("ben", offices.event("ben"), subject="Changed")
    await offices.settle()
    assert (native.fields.subject, native.fields.start.zone) == ("Changed", vienna)


async def test_what_is_private_reaches_nobody_or_with_its_time_alone(offices: Offices) -> None:
    offices.connect("ada")
    offices.connect("ben", private_items=PrivateItems.MASK)
    offices.connect("cy", Direction.RECEIVE)
    offices.adds("ada", subject="Doctor", sensitivity="private")
    offices.adds("ben", subject="Lawyer", sensitivity="confidential", body={"content": "Secret"})

    await offices.settle()

    copy = offices.event("cy")
    assert (copy.fields.subject or "") == ""
    assert copy.fields.start.local.isoformat() == "2026-12-08T09:00:00"
    assert b"Lawyer" not in offices.database.read_bytes()


async def test_a_hub_that_is_made_again_of_another_kind_waits_for_the_erasure_of_the_first(
    offices: Offices,
) -> None:
    offices.connect("ada")
    offices.adds("ada")
    await offices.settle()
    offices.configure(item_kind=ItemKind.CONTACT)
    offices.spokes.clear()
    Scene.connect(offices, "ben")

    report = await offices.sync()

    assert report.problem is not None
    assert report.problem.reason == "InvalidConfiguration"
    assert "items of another kind" in report.problem.message


async def test_a_calendar_that_is_made_anew_with_the_same_events_takes_nobodys_copies(
    offices: Offices,
) -> None:
    """As contacts of a mailbox that was moved."""
    deletion = DeletionLimits(grace_period=DAY, max_count=1, max_percent=100)
    offices.configure(deletion=deletion)
    offices.connect("ada")
    offices.connect("ben", Direction.RECEIVE)
    made = [offices.adds("ada", subject=f"Meeting {number}") for number in range(4)]
    offices.adds("ada", subject="Stays")
    await offices.settle()
    copies = {event.id for event in offices.events("ben")}
    for event in made:
        offices.deletes("ada", event)
    calendars = offices.calendars("ada")
    for event in made:
        calendars.create_event(calendars.default, event.fields, uid=event.uid)
    offices.admin.expire_delta_tokens(offices.mailbox("ada"))
    report = await offices.sync(3)
    assert (report.items, report.guarded) == (5, 0)
    assert {event.id for event in offices.events("ben")} == copies


@pytest.mark.parametrize("folders", ["any", "contact-folders"])
async def test_an_appointment_that_is_told_of_arrives_by_a_pass_that_reads_one_calendar(
    offices: Offices, folders: str
) -> None:
    """Also where Graph tells of all calendars of a mailbox only."""
    offices.admin.switch(subscribed_folders=folders)
    offices.connect("ada")
    offices.connect("ben", Direction.RECEIVE, calendar="Team")
    offices.adds("ada")
    async with listening(offices) as ear:
        report = await offices.quiet()
        assert report.subscriptions == {"active": 1}
        (one,) = offices.admin.subscriptions()
        assert one["resource"].endswith("/events")
        assert ("/calendars/" in one["resource"]) == (folders == "any")
        offices.adds("ada", subject="Lunch")
        offices.admin.notifications()  # a request has the simulator look
        await ear.told_of("ada")
        offices.forget()
        await offices.sync(notified_only=True)
        subjects = {one.fields.subject for one in offices.events("ben", "Team")}
        assert subjects == {"Review", "Lunch"}
        assert sum("delta" in entry["path"] for entry in offices.requests()) == 1
