"""A hub of events from files, without any cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cirahub_simulator.calendar.event import Event
from cirahub_simulator.calendar.fields import EventFields
from cirahub_simulator.graph.event_body import read_event
from cirahub_simulator.graph.seed import mailbox_of

from .laptop import Laptop, opened
from .stage import Manifest, spoke


def calendar(name: str, **spec: object) -> Manifest:
    return spoke(name, **{"mailbox": None, "calendar": {"address": f"{name}@contoso.com"}, **spec})


def add(laptop: Laptop, name: str, subject: str) -> Event:
    world = laptop.simulator.world
    user = world.directory.find_user(f"{name}@contoso.com")
    assert user is not None
    body = {
        "subject": subject,
        "start": {"dateTime": "2026-12-08T09:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-12-08T10:00:00", "timeZone": "UTC"},
    }
    fields = EventFields(**read_event(json.dumps(body).encode(), world.switches).changes)  # type: ignore[arg-type]
    calendars = mailbox_of(world, user.id).calendars
    return calendars.create_event(calendars.default, fields)


def subjects(laptop: Laptop, name: str) -> list[str | None]:
    world = laptop.simulator.world
    user = world.directory.find_user(f"{name}@contoso.com")
    assert user is not None
    return [
        event.fields.subject
        for event in mailbox_of(world, user.id).calendars.default.events.values()
    ]


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    with opened(tmp_path) as made:
        yield made


def test_events_are_planned_passed_over_and_explained(laptop: Laptop) -> None:
    laptop.declare(
        calendar("ann"),
        calendar("bob", direction="Receive"),
        itemKind="Event",
        window={"past": "24h"},
    )
    event = add(laptop, "ann", "Review")

    planned = laptop.run("plan", files=True)
    assert planned.exit_code == 0, planned.output
    assert "create" in planned.output
    assert "schedule" in planned.output
    assert subjects(laptop, "bob") == []

    laptop.sync()
    assert subjects(laptop, "bob") == ["Review"]
    explained = laptop.run("explain", event.uid, "-o", "json")
    assert explained.exit_code == 0, explained.output
    (found,) = json.loads(explained.stdout)["found"]
    assert {one["spoke"]: one["why"] for one in found["spokes"]} == {
        "default/ann": "NotReceiving",
        "default/bob": "Current",
    }


def test_a_mailbox_in_a_hub_of_events_is_told_with_its_place(laptop: Laptop) -> None:
    laptop.declare(calendar("ann"), spoke("bob"), itemKind="Event")

    ran = laptop.run("pass", files=True)

    assert ran.exit_code == 2
    assert (
        "(Spoke default/bob): Hub 'staff' holds events, and this Spoke is a mailbox" in ran.output
    )


def test_a_field_of_another_kind_stops_its_spoke_alone(laptop: Laptop) -> None:
    flow = {"include": ["company"]}
    laptop.declare(
        calendar("ann"),
        calendar("bob", direction="Receive"),
        calendar("cy", direction="Receive", receives=flow),
        itemKind="Event",
    )
    add(laptop, "ann", "Review")

    ran = laptop.run("pass", files=True)

    assert "'company' is not a field that can stand here; use one of subject" in ran.output
    assert subjects(laptop, "bob") == ["Review"]
    assert subjects(laptop, "cy") == []
