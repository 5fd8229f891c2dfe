"""Calendars as their users see them, over the admin endpoint."""

from __future__ import annotations

import pytest
from tests.simulator.conftest import ANNA

from cirahub_simulator.client import AdminClient, AdminRefusedError

WEDNESDAY = {
    "start": {"dateTime": "2026-12-09T09:00:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-12-09T10:00:00", "timeZone": "Europe/Berlin"},
}


def test_messages_about_meetings_are_listed_and_forgotten(admin: AdminClient) -> None:
    attendees = [{"emailAddress": {"address": "pat@else.example"}}]
    events = f"/graph/v1.0/users/{ANNA}/events"
    made = admin.call("POST", events, {**WEDNESDAY, "subject": "Talk", "attendees": attendees})
    admin.call("DELETE", f"{events}/{made['id']}")
    sent = admin.messages()
    assert [(message["kind"], message["to"]) for message in sent] == [
        ("invitation", ["pat@else.example"]),
        ("cancellation", ["pat@else.example"]),
    ]
    assert sent[0]["subject"] == "Talk"
    assert admin.messages(kind="cancellation") == sent[1:]
    assert admin.messages(userId="nobody") == []
    admin.forget_messages()
    assert admin.messages() == []


WEEKLY = {
    **WEDNESDAY,
    "subject": "Wednesdays",
    "recurrence": {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["wednesday"]},
        "range": {"type": "noEnd", "startDate": "2026-12-09"},
    },
}


def test_what_a_user_does_to_events_is_not_in_the_log(admin: AdminClient) -> None:
    made = admin.create_event(ANNA, {**WEDNESDAY, "subject": "Own"})
    admin.update_event(ANNA, made["id"], {"subject": "Mine"})
    found = {entry["event"]["id"]: entry for entry in admin.events(ANNA)}
    assert found[made["id"]]["calendar"] == "Calendar"
    assert found[made["id"]]["event"]["subject"] == "Mine"
    assert admin.requests() == []
    admin.delete_event(ANNA, made["id"])
    assert made["id"] not in {entry["event"]["id"] for entry in admin.events(ANNA)}


def test_events_are_moved_and_copied(admin: AdminClient) -> None:
    made = admin.add_event(ANNA, WEEKLY)
    admin.add_event(ANNA, WEDNESDAY, calendar="Team")
    moved = admin.move_event(ANNA, made["id"], "Team")
    assert moved["id"] != made["id"]
    assert moved["immutableId"] == made["immutableId"]
    copied = admin.copy_event(ANNA, moved["id"])
    assert copied["iCalUId"] != moved["iCalUId"]
    in_team = [entry for entry in admin.events(ANNA) if entry["calendar"] == "Team"]
    assert len(in_team) == 3
    with pytest.raises(AdminRefusedError, match="404"):
        admin.move_event(ANNA, moved["id"], "Nowhere")
    admin.copy_event(ANNA, moved["id"], "Calendar")
    admin.delete_event(ANNA, moved["id"])
    back = admin.move_event(ANNA, made["immutableId"], "Calendar")
    assert back["immutableId"] == made["immutableId"]


def test_a_series_is_added_with_its_exceptions(admin: AdminClient) -> None:
    made = admin.add_event(
        ANNA,
        {**WEEKLY, "attendees": [{"emailAddress": {"address": ANNA}}]},
        uid="series-1@else.example",
        organizer={"name": "Boss", "address": "boss@else.example"},
        response="accepted",
        cancelled=["2026-12-30"],
        exceptions={"2026-12-16": {"subject": "Party"}},
    )
    assert made["iCalUId"] == "series-1@else.example"
    assert (made["isOrganizer"], made["responseStatus"]["response"]) == (False, "accepted")
    assert made["cancelled"] == ["2026-12-30"]
    assert [event["subject"] for event in made["exceptions"]] == ["Party"]
    assert admin.messages() == []


@pytest.mark.parametrize(
    "more",
    [
        {"cancelled": ["2026-12-10"]},
        {"exceptions": {"2026-12-10": {"subject": "x"}}},
        {"exceptions": {"2026-12-16": {"color": "x"}}},
        {"room": "x"},
    ],
)
def test_what_a_series_does_not_have_is_refused(
    admin: AdminClient, more: dict[str, object]
) -> None:
    with pytest.raises(AdminRefusedError, match="400"):
        admin.add_event(ANNA, WEEKLY, **more)


@pytest.mark.parametrize("event", [{"subject": "x"}, {**WEDNESDAY, "isAllDay": True}])
def test_an_event_that_graph_would_refuse_is_refused(
    admin: AdminClient, event: dict[str, object]
) -> None:
    before = admin.events(ANNA)
    with pytest.raises(AdminRefusedError, match="400"):
        admin.add_event(ANNA, event)
    assert admin.events(ANNA) == before
