"""Subscriptions to change notifications: what is taken, what is refused, and whose they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.simulator.graph.cloud import ADA, BOB, CONTOSO, EVE, GUEST, Answer, Client

from cirahub_simulator.directory import Principal
from cirahub_simulator.graph import GraphService
from cirahub_simulator.notification.subscription import MOST_PER_MAILBOX
from cirahub_simulator.wire import Request, Response

URL = "https://hub.example/notifications"
RESOURCE = f"/users/{ADA}/contacts"


def wanted(minutes: float = 600, **changes: Any) -> dict[str, Any]:
    """The body of a create."""
    expires = datetime.now(UTC) + timedelta(minutes=minutes)
    body = {
        "changeType": "created,updated,deleted",
        "notificationUrl": URL,
        "lifecycleNotificationUrl": URL,
        "resource": RESOURCE,
        "expirationDateTime": expires.strftime("%Y-%m-%dT%H:%M:%S.%f0Z"),
        "clientState": "secret",
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


def shake(client: Client, answer: str = "") -> None:
    """Let every endpoint be asked, and have answered like this, as the server does it."""
    service = client.service

    def after_handshakes(request: Request) -> Response:
        known = dict.fromkeys(service.destinations(request), answer)
        return GraphService.handle(service, msgspec.structs.replace(request, handshakes=known))

    service.handle = after_handshakes  # type: ignore[method-assign]


@pytest.fixture
def subscriber(client: Client) -> Client:
    shake(client)
    return client


def made(client: Client, **changes: Any) -> dict[str, Any]:
    answer = client.post("/subscriptions", wanted(**changes))
    assert answer.status == 201, answer.json
    return dict(answer.json)


def expiry(answer: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(answer["expirationDateTime"])


def test_a_subscription_is_made_listed_renewed_and_deleted(subscriber: Client) -> None:
    new = made(subscriber)
    assert new["clientState"] == "secret"
    assert new["applicationId"] == "app"
    [listed] = subscriber.get("/subscriptions").items
    shown = subscriber.get(f"/subscriptions/{new['id']}").json
    assert listed == {k: v for k, v in shown.items() if not k.startswith("@")}
    assert shown["clientState"] is None
    later = {"expirationDateTime": wanted(9000)["expirationDateTime"]}
    renewed = subscriber.patch(f"/subscriptions/{new['id']}", later)
    assert renewed.status == 200
    assert expiry(renewed.json) > expiry(new) + timedelta(minutes=8000)
    assert subscriber.post(f"/subscriptions/{new['id']}/reauthorize").status == 204
    assert subscriber.delete(f"/subscriptions/{new['id']}").status == 204
    gone = subscriber.get(f"/subscriptions/{new['id']}")
    assert (gone.status, gone.code) == (404, "ResourceNotFound")
    assert subscriber.get("/subscriptions").items == []


def test_an_application_sees_nobody_elses(subscriber: Client) -> None:
    url = f"/subscriptions/{made(subscriber)['id']}"
    subscriber.tenant_id = "22222222-0000-4000-8000-000000000002"
    assert subscriber.get("/subscriptions").items == []
    later = {"expirationDateTime": wanted()["expirationDateTime"]}
    for refused in (
        subscriber.get(url),
        subscriber.patch(url, later),
        subscriber.delete(url),
        subscriber.post(f"{url}/reauthorize"),
    ):
        assert (refused.status, refused.code) == (404, "ResourceNotFound")


@pytest.mark.parametrize("minutes", [10_080, 10_070, 4_230])
def test_it_lives_so_long_and_no_longer(switched: Callable[..., Client], minutes: int) -> None:
    client = switched(subscription_minutes=minutes)
    shake(client)
    refused = client.post("/subscriptions", wanted(minutes + 1))
    assert (refused.status, refused.code) == (400, "ExtensionError")
    assert f"only be {minutes} minutes" in refused.json["error"]["message"]
    new = made(client, minutes=minutes - 1)
    too_late = {"expirationDateTime": wanted(minutes + 1)["expirationDateTime"]}
    assert client.patch(f"/subscriptions/{new['id']}", too_late).code == "ExtensionError"


def test_it_lives_for_three_quarters_of_an_hour_at_least(subscriber: Client) -> None:
    assert expiry(made(subscriber, minutes=5)) > datetime.now(UTC) + timedelta(minutes=44)


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"changeType": None}, 400, "InvalidRequest"),
        ({"changeType": "moved"}, 400, "InvalidRequest"),
        ({"notificationUrl": None}, 400, "InvalidRequest"),
        ({"notificationUrl": "http://hub.example/"}, 400, "InvalidRequest"),
        ({"lifecycleNotificationUrl": "http://hub.example/"}, 400, "InvalidRequest"),
        ({"resource": None}, 400, "InvalidRequest"),
        ({"expirationDateTime": None}, 400, "InvalidRequest"),
        ({"clientState": "x" * 129}, 400, "InvalidRequest"),
        ({"resource": "me/contacts"}, 400, "BadRequest"),
        ({"resource": f"/users/{EVE}/contacts"}, 404, "ExtensionError"),
        ({"resource": f"/users/{GUEST}/contacts"}, 404, "ExtensionError"),
        ({"resource": f"/users/{ADA}/contactFolders/x/contacts"}, 400, "ErrorInvalidIdMalformed"),
        ({"resource": "/groups"}, 501, "NotImplemented"),
        ({"resource": f"{RESOURCE}?$filter=x"}, 501, "NotImplemented"),
        ({"includeResourceData": True}, 501, "NotImplemented"),
    ],
)
def test_what_is_wrong_is_refused_before_anybody_is_asked(
    subscriber: Client, wrong: dict[str, Any], status: int, code: str
) -> None:
    def asked(body: dict[str, Any]) -> list[tuple[str, ...]]:
        request = Request(
            method="POST",
            path="/subscriptions",
            headers={"content-type": "application/json"},
            body=msgspec.json.encode(body),
            client=Principal(CONTOSO, "app", subscriber.roles),
        )
        return list(subscriber.service.destinations(request).values())

    refused = subscriber.post("/subscriptions", wanted(**wrong))
    assert (refused.status, refused.code) == (status, code)
    assert asked(wanted(**wrong)) == []
    assert asked(wanted()) == [(URL,)]
    assert subscriber.get("/subscriptions").items == []


def test_a_time_without_a_zone_is_not_read(subscriber: Client) -> None:
    subscriber.judged = False
    refused = subscriber.post("/subscriptions", wanted(expirationDateTime="2027-01-01T00:00:00"))
    assert (refused.status, refused.code) == (400, "InvalidRequest")
    assert "camelCased" in refused.json["error"]["message"]


@pytest.mark.parametrize("code", ["ValidationError", "InvalidRequest"])
def test_an_endpoint_that_fails_its_validation_is_told(
    switched: Callable[..., Client], code: str
) -> None:
    client = switched(validation_code=code)
    shake(client, "Subscription validation request failed.")
    refused = client.post("/subscriptions", wanted())
    assert (refused.status, refused.code) == (400, code)
    assert client.get("/subscriptions").items == []


def test_renewals_validate_where_they_do(switched: Callable[..., Client]) -> None:
    client = switched(renewal_validates=True)
    shake(client)
    new = made(client)
    later = {"expirationDateTime": wanted(700)["expirationDateTime"]}
    assert client.patch(f"/subscriptions/{new['id']}", later).status == 200
    shake(client, "Subscription validation request timed out.")
    assert client.patch(f"/subscriptions/{new['id']}", later).code == "ValidationError"


@pytest.mark.parametrize(
    ("path", "roles", "open_to_writers"),
    [
        ("contacts", ("Contacts.Read",), True),
        ("contacts", ("Contacts.ReadWrite",), False),
        ("events", ("Calendars.Read",), True),
        ("events", ("Calendars.ReadWrite",), False),
    ],
)
def test_reading_is_what_it_takes(
    switched: Callable[..., Client], path: str, roles: tuple[str, ...], open_to_writers: bool
) -> None:
    resource = f"/users/{ADA}/{path}"
    for role, taken in (("read-or-write", True), ("read-only", open_to_writers)):
        client = switched(subscription_role=role)
        shake(client)
        client.roles = frozenset(roles)
        answer = client.post("/subscriptions", wanted(resource=resource))
        assert (answer.status == 201) is taken
        client.roles = frozenset(("User.Read.All",))
        refused = client.post("/subscriptions", wanted(resource=resource))
        assert (refused.status, refused.code) == (403, "ExtensionError")


@pytest.mark.parametrize(
    ("setting", "taken"),
    [
        ("any", (True, True, True, True)),
        ("contact-folders", (True, True, True, False)),
        ("whole-mailbox-only", (True, True, False, False)),
    ],
)
def test_which_folders_may_be_named(
    switched: Callable[..., Client], setting: str, taken: tuple[bool, ...]
) -> None:
    client = switched(subscribed_folders=setting)
    shake(client)
    folder = client.post(f"/users/{ADA}/contactFolders", {"displayName": "Hub"}).json["id"]
    calendar = client.post(f"/users/{ADA}/calendars", {"name": "Hub"}).json["id"]
    resources = (
        RESOURCE,
        f"users('{ADA}')/events",
        f"/users/{ADA}/contactFolders/{folder}/contacts",
        f"/users/{ADA}/calendars/{calendar}/events",
    )
    answers = [client.post("/subscriptions", wanted(resource=one)) for one in resources]
    assert tuple(answer.status == 201 for answer in answers) == taken


def test_a_mailbox_has_a_thousand_at_most(subscriber: Client) -> None:
    made(subscriber)
    held = subscriber.service.world.graph_subscriptions
    [first] = held
    for number in range(MOST_PER_MAILBOX - 1):
        held.add(replace(first, id=str(number)))
    refused = subscriber.post("/subscriptions", wanted())
    assert refused.status == 403
    assert str(MOST_PER_MAILBOX) in refused.json["error"]["message"]
    made(subscriber, resource=f"/users/{BOB}/contacts")


def test_a_batch_makes_twenty(subscriber: Client) -> None:
    parts = [
        {
            "id": str(number),
            "method": "POST",
            "url": "/subscriptions",
            "headers": {"Content-Type": "application/json"},
            "body": wanted(clientState=f"secret {number}"),
        }
        for number in range(20)
    ]
    answer: Answer = subscriber.post("/$batch", {"requests": parts})
    assert [part["status"] for part in answer.json["responses"]] == [201] * 20
    assert len(subscriber.get("/subscriptions").items) == 20
