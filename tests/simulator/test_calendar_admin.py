"""Calendars as their users see them, over the admin endpoint."""

from __future__ import annotations

from tests.simulator.conftest import ANNA

from cirahub_simulator.client import AdminClient

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
