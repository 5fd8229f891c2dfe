"""Meetings: who is written to, and that nobody is where nobody should be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.simulator.graph.calendars import EVENTS, MONTH, VIEW, at, meeting, weekly
from tests.simulator.graph.cloud import ADA, BOB, Client

from cirahub_simulator.calendar.fields import Address, Attendee, EventFields
from cirahub_simulator.calendar.zone import Moment
from cirahub_simulator.graph.seed import mailbox_of
from cirahub_simulator.world import World


def invited(*names: str) -> list[dict[str, Any]]:
    """Attendees at a company that is not here."""
    return [{"emailAddress": {"address": f"{name}@else.example"}} for name in names]


def sent(client: Client) -> list[tuple[str, list[str]]]:
    """What was sent since the last look: kinds and the receivers' names."""
    outbox = client.service.world.outbox
    told: list[tuple[str, list[str]]] = [
        (message.kind, [address.partition("@")[0] for address in message.to])
        for message in outbox.messages()
    ]
    outbox.clear()
    return told


def invitation(client: Client) -> str:
    """The id of somebody else's meeting in Ada's calendar."""
    calendars = mailbox_of(client.service.world, ADA).calendars
    start, end = (Moment.parse(f"2026-12-07T{hour}:00:00", "UTC") for hour in ("09", "10"))
    event = calendars.create_event(
        calendars.default,
        EventFields(
            start=start,
            end=end,
            attendees=(Attendee(email_address=Address(address="ada@contoso.example")),),
        ),
        organizer=Address(name="Boss", address="boss@else.example"),
    )
    return event.id


def test_an_event_without_attendees_is_sent_to_nobody(client: Client) -> None:
    for body in (meeting(), weekly(), meeting(attendees=[])):
        path = f"{EVENTS}/{client.post(EVENTS, body).json['id']}"
        client.patch(path, {"subject": "x"})
        client.delete(path)
    path = f"{EVENTS}/{client.post(EVENTS, meeting()).json['id']}"
    client.post(f"{path}/permanentDelete")
    own = [{"emailAddress": {"address": "ADA@contoso.example"}}]
    client.post(EVENTS, meeting(attendees=own))
    assert sent(client) == []


def test_attendees_are_told_of_everything(client: Client) -> None:
    made = client.post(EVENTS, meeting(attendees=invited("pat", "kim"))).json
    assert made["attendees"][0] == {
        "type": "required",
        "status": {"response": "none", "time": "0001-01-01T00:00:00Z"},
        "emailAddress": {"name": "pat@else.example", "address": "pat@else.example"},
    }
    assert sent(client) == [("invitation", ["pat", "kim"])]
    path = f"{EVENTS}/{made['id']}"
    client.patch(path, {"subject": "x"})
    assert sent(client) == [("update", ["pat", "kim"])]
    client.patch(path, {"attendees": invited("kim", "lee")})
    assert sent(client) == [("invitation", ["lee"]), ("cancellation", ["pat"])]
    client.patch(path, {"categories": ["Blue"], "isReminderOn": False})
    assert sent(client) == []
    client.delete(path)
    assert sent(client) == [("cancellation", ["kim", "lee"])]


def test_instances_of_a_series_are_sent_by_their_day(client: Client) -> None:
    client.post(EVENTS, weekly(attendees=invited("pat")))
    first, second, *_ = (event["id"] for event in client.get(f"{VIEW}?{MONTH}").items)
    client.service.world.outbox.clear()
    client.patch(f"{EVENTS}/{first}", {"location": {"displayName": "Room 1"}})
    client.delete(f"{EVENTS}/{second}")
    messages = client.service.world.outbox.messages()
    assert [(m.kind, m.day) for m in messages] == [
        ("update", "2026-12-07"),
        ("cancellation", "2026-12-14"),
    ]
    assert messages[0].user_id == ADA


def test_the_organizer_cancels_with_a_word(client: Client) -> None:
    made = client.post(EVENTS, meeting(attendees=invited("pat"))).json["id"]
    client.service.world.outbox.clear()
    answer = client.post(f"{EVENTS}/{made}/cancel", {"comment": "Sorry"})
    assert answer.status == 202
    [message] = client.service.world.outbox.messages()
    assert (message.kind, message.comment) == ("cancellation", "Sorry")
    assert client.get(EVENTS).items == []
    assert client.get(f"{EVENTS}/{made}").status == 404


@pytest.mark.parametrize("setting", [True, False])
def test_purging_a_meeting_may_cancel_it(switched: Callable[..., Client], setting: bool) -> None:
    client = switched(purge_cancels=setting)
    made = client.post(EVENTS, meeting(attendees=invited("pat"))).json["id"]
    sent(client)
    client.post(f"{EVENTS}/{made}/permanentDelete")
    assert sent(client) == ([("cancellation", ["pat"])] if setting else [])


@pytest.mark.parametrize(
    ("action", "response"),
    [("accept", "accepted"), ("tentativelyAccept", "tentativelyAccepted")],
)
@pytest.mark.parametrize("send", [True, False])
def test_an_attendee_responds(client: Client, action: str, response: str, send: bool) -> None:
    path = f"{EVENTS}/{invitation(client)}"
    before = client.get(path).json
    assert (before["isOrganizer"], before["responseStatus"]["response"]) == (False, "notResponded")
    answer = client.post(f"{path}/{action}", {"comment": "Yes", "sendResponse": send})
    assert answer.status == 202
    after = client.get(path).json
    assert after["responseStatus"]["response"] == response
    assert after["responseStatus"]["time"] > before["responseStatus"]["time"]
    assert sent(client) == ([(response, ["boss"])] if send else [])


@pytest.mark.parametrize("setting", ["removed", "kept"])
def test_a_declined_meeting_may_go(switched: Callable[..., Client], setting: str) -> None:
    client = switched(declined_event=setting)
    path = f"{EVENTS}/{invitation(client)}"
    assert client.post(f"{path}/decline").status == 202
    assert sent(client) == [("declined", ["boss"])]
    kept = [event["responseStatus"]["response"] for event in client.get(EVENTS).items]
    assert kept == (["declined"] if setting == "kept" else [])


def test_an_attendees_own_changes_are_sent_to_nobody(client: Client) -> None:
    path = f"{EVENTS}/{invitation(client)}"
    client.patch(path, {"showAs": "free", "subject": "x", "attendees": invited("pat")})
    client.delete(path)
    assert sent(client) == []


def test_a_meeting_is_forwarded(client: Client) -> None:
    path = f"{EVENTS}/{invitation(client)}"
    to = {"toRecipients": invited("lee"), "comment": "fyi"}
    assert client.post(f"{path}/forward", to).status == 202
    assert sent(client) == [("forward", ["lee"])]
    assert client.post(f"{path}/forward", {"comment": "x"}).code == "ErrorInvalidRecipients"


def test_roles_in_a_meeting_are_not_exchanged(client: Client) -> None:
    theirs = invitation(client)
    mine = client.post(EVENTS, meeting(attendees=invited("pat"))).json["id"]
    assert client.post(f"{EVENTS}/{theirs}/cancel").code == "ErrorInvalidRequest"
    for action in ("accept", "decline", "tentativelyAccept"):
        assert client.post(f"{EVENTS}/{mine}/{action}").code == "ErrorInvalidRequest"
    slot = {"start": at("2026-12-08T09:00:00"), "end": at("2026-12-08T10:00:00")}
    body = {"proposedNewTime": slot, "sendResponse": False}
    assert client.post(f"{EVENTS}/{theirs}/decline", body).code == "ErrorInvalidRequest"
    client.judged = False
    assert client.post(f"{EVENTS}/{theirs}/accept", {"sendResponse": "x"}).status == 400


def test_a_copy_of_a_meeting_is_an_appointment(client: Client, world: World) -> None:
    made = client.post(EVENTS, meeting(attendees=invited("pat"))).json
    sent(client)
    calendars = mailbox_of(world, ADA).calendars
    [event] = calendars.default.events.values()
    copy = calendars.copy_event(event)
    shown = client.get(f"{EVENTS}/{copy.id}").json
    assert (shown["subject"], shown["attendees"]) == (made["subject"], [])
    assert shown["iCalUId"] != made["iCalUId"]
    assert sent(client) == []
    assert client.get(f"/users/{BOB}/events").items == []
