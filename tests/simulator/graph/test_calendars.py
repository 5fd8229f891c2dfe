"""Calendars: the default one and those that are made beside it."""

from __future__ import annotations

import pytest
from tests.simulator.graph.calendars import EVENTS, IMMUTABLE, meeting
from tests.simulator.graph.cloud import ADA, BOB, Client

CALENDARS = f"/users/{ADA}/calendars"


def test_every_mailbox_has_a_default_calendar(client: Client) -> None:
    [only] = client.get(CALENDARS).items
    assert only["name"] == "Calendar"
    assert only["isDefaultCalendar"] is True
    assert only["owner"] == {"name": "Ada Example", "address": "ada@contoso.example"}
    assert client.get(f"/users/{ADA}/calendar").json["id"] == only["id"]
    assert client.get(f"{CALENDARS}/{only['id']}?$select=name").json["name"] == "Calendar"
    assert client.get(f"/users/{BOB}/calendar").json["id"] != only["id"]


def test_calendars_are_made_renamed_and_deleted(client: Client) -> None:
    made = client.post(CALENDARS, {"name": "Team", "color": "lightBlue"})
    assert made.status == 201
    assert (made.json["isDefaultCalendar"], made.json["isRemovable"]) == (False, True)
    assert made.json["color"] == "lightBlue"
    path = f"{CALENDARS}/{made.json['id']}"
    renamed = client.patch(path, {"name": "Crew"}).json
    assert renamed["name"] == "Crew"
    assert renamed["changeKey"] != made.json["changeKey"]
    found = client.get(f"{CALENDARS}?$filter=name eq 'crew'").items
    assert [calendar["id"] for calendar in found] == [made.json["id"]]
    event = client.post(f"{path}/events", meeting()).json["id"]
    assert client.delete(path).status == 204
    assert client.get(path).code == "ErrorItemNotFound"
    assert client.get(f"{EVENTS}/{event}").code == "ErrorItemNotFound"


def test_names_are_taken_once_whatever_their_case(client: Client) -> None:
    client.post(CALENDARS, {"name": "Team"})
    taken = client.post(CALENDARS, {"name": "TEAM"})
    assert (taken.status, taken.code) == (409, "ErrorFolderExists")
    other = client.post(CALENDARS, {"name": "Other"}).json["id"]
    assert client.patch(f"{CALENDARS}/{other}", {"name": "team"}).status == 409
    assert client.patch(f"{CALENDARS}/{other}", {"name": "OTHER"}).status == 200


def test_what_a_calendar_can_not_be_is_refused(client: Client) -> None:
    default = client.get(f"/users/{ADA}/calendar").json["id"]
    assert client.delete(f"{CALENDARS}/{default}").code == "ErrorDeleteDistinguishedFolder"
    assert client.delete(f"/users/{ADA}/calendar").status == 405
    assert client.post(CALENDARS, {}).code == "ErrorInvalidProperty"
    client.judged = False
    assert client.post(CALENDARS, {"name": "X", "color": "mauve"}).code == "RequestBodyRead"
    assert client.post(CALENDARS, {"name": "X", "shape": "round"}).code == "RequestBodyRead"
    assert client.get(f"{CALENDARS}/nonsense").code == "ErrorInvalidIdMalformed"
    assert client.get(f"{CALENDARS}/AAMkAGnothingatallhereandnow").code == "ErrorItemNotFound"
    assert client.get(f"/users/{ADA}/calendarGroups").status == 501


def test_an_event_lies_in_one_calendar(client: Client) -> None:
    team = client.post(CALENDARS, {"name": "Team"}).json["id"]
    here = client.post(f"{CALENDARS}/{team}/events", meeting()).json["id"]
    there = client.post(EVENTS, meeting()).json["id"]
    assert [e["id"] for e in client.get(f"{CALENDARS}/{team}/events").items] == [here]
    assert [e["id"] for e in client.get(f"/users/{ADA}/calendar/events").items] == [there]
    assert client.get(f"{CALENDARS}/{team}/events/$count").json == 1
    assert client.get(f"{EVENTS}/{here}").status == 200
    assert client.get(f"{CALENDARS}/{team}/events/{there}").code == "ErrorItemNotFound"
    assert client.get(f"/users/{ADA}/calendar/events/{there}").status == 200
    assert client.get(f"/users/{ADA}/calendar/events/{here}").code == "ErrorItemNotFound"


@pytest.mark.parametrize("write", [False, True])
def test_calendars_need_their_own_role(client: Client, write: bool) -> None:
    client.roles = frozenset(("Contacts.ReadWrite",))
    assert client.get(CALENDARS).code == "ErrorAccessDenied"
    client.roles = frozenset(("Calendars.Read",))
    assert client.get(CALENDARS, prefer=IMMUTABLE).status == 200
    answer = client.post(EVENTS, meeting()) if write else client.get(EVENTS)
    assert answer.status == (403 if write else 200)
