"""Change notifications on their way to a real endpoint, over TLS."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.graph_service_client import GraphServiceClient
from tests.contract.notifications import problems
from tests.simulator.conftest import ANNA, GraphClient, SignIn
from tests.simulator.listener import PATIENCE, Listener, accept, echo

from cirahub_simulator.client import AdminClient
from cirahub_simulator.notification.delivery import GIVE_UP
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.seed.generate import CIRAHUB

HOUR = 3600.0


@pytest.fixture
def listener(simulator: EmbeddedSimulator, tmp_path: Path) -> Iterator[Listener]:
    """Everything that is delivered to it is held to the documents."""
    with Listener(tmp_path) as running:
        simulator.admin.notifications(ca_file=str(running.ca_file))
        simulator.admin.grant(
            CIRAHUB,
            "contoso.example",
            ("Contacts.ReadWrite", "Calendars.ReadWrite", "User.Read.All"),
        )
        yield running
    assert [problem for heard in running.heard for problem in problems(heard.body)] == []


@pytest.fixture
def graph(
    simulator: EmbeddedSimulator, sign_in: SignIn, listener: Listener
) -> Iterator[GraphClient]:
    """With a token that was given after what the listener's fixture granted."""
    client = GraphClient(simulator, sign_in.token())
    with client.session:
        yield client


def subscribe(
    graph: GraphClient,
    listener: Listener,
    resource: str = f"/users/{ANNA}/contacts",
    *,
    headers: dict[str, str] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    expires = datetime.now(UTC) + timedelta(days=6)
    body = {
        "changeType": "created,updated,deleted",
        "notificationUrl": listener.url,
        "lifecycleNotificationUrl": f"{listener.url}/life",
        "resource": resource,
        "expirationDateTime": expires.isoformat(),
        "clientState": "secret",
    }
    answer = graph.call("POST", "/subscriptions", json=body | changes, headers=headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def write(graph: GraphClient, folder: str = "contacts", **fields: Any) -> str:
    path = f"/users/{ANNA}/contactFolders/{folder}/contacts"
    answer = graph.call("POST", path, json={"givenName": "Ada"} | fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def told(values: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(value["changeType"], value["resourceData"]["id"]) for value in values]


def test_both_endpoints_are_asked_for_their_token(graph: GraphClient, listener: Listener) -> None:
    subscribe(graph, listener)
    assert sorted(listener.validated) == ["/heard", "/heard/life"]


def test_every_change_is_told_whoever_made_it(
    graph: GraphClient, listener: Listener, admin: AdminClient
) -> None:
    made = subscribe(graph, listener)
    item = write(graph)
    graph.call("PATCH", f"/users/{ANNA}/contacts/{item}", json={"jobTitle": "Countess"})
    admin.delete_contact(ANNA, item)
    values = listener.wait(3)
    assert told(values) == [("created", item), ("updated", item), ("deleted", item)]
    first = values[0]
    assert first["subscriptionId"] == made["id"]
    assert first["clientState"] == "secret"
    assert first["resource"] == first["resourceData"]["@odata.id"]
    assert listener.heard[0].content_type.startswith("application/json")
    pending_again(admin, 0)
    listed = admin.requests(service="notification")
    assert {entry["status"] for entry in listed} == {202}


def test_only_what_was_asked_for_is_told(graph: GraphClient, listener: Listener) -> None:
    folder = graph.call(
        "POST", f"/users/{ANNA}/contactFolders", json={"displayName": "Hub"}
    ).json()["id"]
    resource = f"/users/{ANNA}/contactFolders/{folder}/contacts"
    subscribe(graph, listener, resource, changeType="deleted,created")
    write(graph)
    item = write(graph, folder)
    graph.call("PATCH", f"/users/{ANNA}/contacts/{item}", json={"jobTitle": "Countess"})
    last = write(graph, folder)
    assert told(listener.wait(2)) == [("created", item), ("created", last)]


def test_immutable_ids_are_told_to_who_asked_for_them(
    graph: GraphClient, listener: Listener
) -> None:
    immutable = {"Prefer": 'IdType="ImmutableId"'}
    subscribe(graph, listener, headers=immutable)
    made = graph.call(
        "POST", f"/users/{ANNA}/contacts", json={"givenName": "Ada"}, headers=immutable
    )
    assert told(listener.wait(1)) == [("created", made.json()["id"])]


def test_events_are_told_too(graph: GraphClient, listener: Listener) -> None:
    subscribe(graph, listener, f"/users/{ANNA}/events")
    at = {"dateTime": "2027-01-01T10:00:00", "timeZone": "UTC"}
    body = {"subject": "Lunch", "start": at, "end": at | {"dateTime": "2027-01-01T11:00:00"}}
    made = graph.call("POST", f"/users/{ANNA}/events", json=body).json()["id"]
    graph.call("DELETE", f"/users/{ANNA}/events/{made}")
    assert told(listener.wait(2)) == [("created", made), ("deleted", made)]
    assert listener.values[0]["resourceData"]["@odata.type"] == "#Microsoft.Graph.Event"


def test_what_happens_at_once_comes_together(
    graph: GraphClient, listener: Listener, admin: AdminClient
) -> None:
    admin.notifications(latency=HOUR, most=3)
    subscribe(graph, listener)
    subscribe(graph, listener, clientState="other")
    items = [write(graph) for _ in range(2)]
    assert listener.values == []
    admin.advance(HOUR + 1)
    values = listener.wait(4)
    assert [len(heard.values) for heard in listener.heard] == [3, 1]
    assert sorted(told(values)) == sorted([("created", item) for item in items] * 2)


def test_what_is_not_accepted_is_tried_again(
    graph: GraphClient, listener: Listener, admin: AdminClient
) -> None:
    async def refuse(_: web.BaseRequest) -> web.Response:
        return web.Response(status=503)

    listener.answer = refuse
    subscribe(graph, listener)
    item = write(graph)
    listener.wait_deliveries(1)
    listener.answer = accept
    pending_again(admin, 1)
    admin.advance(15)
    listener.wait_deliveries(2)
    assert told(listener.values) == [("created", item)] * 2
    pending_again(admin, 0)


def pending_again(admin: AdminClient, count: int) -> None:
    """Until the answer to the last delivery has been read."""

    def settled() -> bool:
        shown = admin.notifications()
        return bool(shown["pending"] == count and not shown["sending"])

    until(settled)


def until(holds: Callable[[], object]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < give_up


def test_what_is_never_accepted_is_missed(
    graph: GraphClient, listener: Listener, admin: AdminClient
) -> None:
    async def refuse_changes(request: web.BaseRequest) -> web.Response:
        return web.Response(status=202 if request.path.endswith("/life") else 500)

    listener.answer = refuse_changes
    made = subscribe(graph, listener)
    write(graph)
    listener.wait_deliveries(1)
    pending_again(admin, 1)
    admin.advance(GIVE_UP)
    [*_, last] = listener.wait(3)
    assert last["lifecycleEvent"] == "missed"
    assert last["subscriptionId"] == made["id"]
    assert last["clientState"] == "secret"
    pending_again(admin, 0)
    assert admin.notifications()["dropped"] == 1


def test_an_endpoint_that_takes_too_long_is_tried_again(
    graph: GraphClient, listener: Listener, admin: AdminClient
) -> None:
    answered = asyncio.Event()

    async def never(_: web.BaseRequest) -> web.Response:
        await answered.wait()
        return web.Response(status=202)

    subscribe(graph, listener)
    admin.notifications(patience=0.05)
    listener.answer = never
    write(graph)
    until(lambda: admin.requests(service="notification", status=0))
    admin.notifications(patience=10.0)
    listener.answer = accept
    admin.advance(15)
    assert listener.wait(1)


@pytest.mark.parametrize("event", ["reauthorizationRequired", "subscriptionRemoved", "missed"])
def test_lifecycle_events_come_when_told_to(
    graph: GraphClient, listener: Listener, admin: AdminClient, event: str
) -> None:
    made = subscribe(graph, listener)
    admin.tell_lifecycle(made["id"], event)
    [value] = listener.wait(1)
    assert value["lifecycleEvent"] == event
    assert listener.heard[0].path == "/heard/life"
    left = graph.call("GET", f"/subscriptions/{made['id']}").status_code
    assert left == (404 if event == "subscriptionRemoved" else 200)


def test_a_user_who_is_gone_ends_it(
    graph: GraphClient, listener: Listener, admin: AdminClient
) -> None:
    subscribe(graph, listener)
    admin.call("DELETE", f"/users/{ANNA}")
    [value] = listener.wait(1)
    assert value["lifecycleEvent"] == "subscriptionRemoved"
    assert admin.subscriptions() == []


def test_it_ends_when_it_is_not_renewed(
    graph: GraphClient, listener: Listener, admin: AdminClient, sign_in: SignIn
) -> None:
    made = subscribe(graph, listener)
    admin.advance(6 * 24 * HOUR + 60)
    graph.session.headers["Authorization"] = f"Bearer {sign_in.token()}"
    write(graph)
    until(lambda: not admin.subscriptions())
    assert graph.call("GET", f"/subscriptions/{made['id']}").status_code == 404
    assert listener.values == []


def test_where_it_is_authorised_by_a_token_it_asks_and_pauses(
    graph: GraphClient, listener: Listener, admin: AdminClient, sign_in: SignIn
) -> None:
    admin.switch(notifications_authorized="by-token")
    made = subscribe(graph, listener)
    admin.advance(HOUR - 60)
    [asked] = listener.wait(1)
    assert asked["lifecycleEvent"] == "reauthorizationRequired"
    admin.advance(120)
    graph.session.headers["Authorization"] = f"Bearer {sign_in.token()}"
    item = write(graph)
    pending_again(admin, 1)
    assert len(listener.values) == 1
    again = graph.call("POST", f"/subscriptions/{made['id']}/reauthorize")
    assert again.status_code == 204
    admin.advance(60)
    assert told(listener.wait(2)[1:]) == [("created", item)]


def test_rules_lose_them_delay_them_and_repeat_them(
    graph: GraphClient, listener: Listener, admin: AdminClient
) -> None:
    subscribe(graph, listener)
    admin.add_rule("drop", service="notification", operation="created", count=1)
    admin.add_rule("repeat", service="notification", operation="updated", count=1)
    admin.add_rule("delay", service="notification", operation="deleted", delay=HOUR, path="/heard")
    item = write(graph)
    graph.call("PATCH", f"/users/{ANNA}/contacts/{item}", json={"jobTitle": "Countess"})
    graph.call("DELETE", f"/users/{ANNA}/contacts/{item}")
    assert told(listener.wait(2)) == [("updated", item)] * 2
    pending_again(admin, 1)
    admin.advance(HOUR + 1)
    assert told(listener.wait(3))[2:] == [("deleted", item)]
    assert admin.notifications()["dropped"] == 1


def test_they_may_come_twice_in_any_order_and_without_deletions(
    graph: GraphClient, listener: Listener, admin: AdminClient
) -> None:
    admin.switch(
        notifications_repeated=True, notification_order="shuffled", deletions_notified=False
    )
    admin.notifications(latency=HOUR)
    subscribe(graph, listener)
    items = [write(graph) for _ in range(5)]
    graph.call("DELETE", f"/users/{ANNA}/contacts/{items[0]}")
    admin.advance(HOUR + 1)
    values = told(listener.wait(10))
    assert values != sorted(values, key=lambda one: items.index(one[1]))
    assert sorted(values) == sorted([("created", item) for item in items] * 2)


async def _encoded(request: web.BaseRequest) -> web.Response:
    return web.Response(text=request.query_string.partition("=")[2])


async def _as_json(request: web.BaseRequest) -> web.Response:
    return web.json_response(request.query["validationToken"])


async def _as_html(request: web.BaseRequest) -> web.Response:
    return web.Response(text=request.query["validationToken"], content_type="text/html")


async def _accepted(request: web.BaseRequest) -> web.Response:
    return web.Response(text=request.query["validationToken"], status=202)


@pytest.mark.parametrize("answer", [_encoded, _as_json, _as_html, _accepted])
def test_an_endpoint_that_answers_otherwise_is_refused(
    graph: GraphClient, listener: Listener, admin: AdminClient, answer: Any
) -> None:
    listener.validate = answer
    with pytest.raises(AssertionError, match=r"ValidationError.*must respond with 200 OK"):
        subscribe(graph, listener)
    assert admin.subscriptions() == []
    listener.validate = echo
    subscribe(graph, listener)


def test_an_endpoint_that_nobody_trusts_or_that_is_not_there_is_refused(
    graph: GraphClient, listener: Listener, admin: AdminClient
) -> None:
    with pytest.raises(AssertionError, match="ValidationError"):
        subscribe(graph, listener, notificationUrl="https://127.0.0.1:9/")
    admin.notifications(ca_file="")
    with pytest.raises(AssertionError, match="ValidationError"):
        subscribe(graph, listener)
    assert listener.validated.count("/heard") == 0


def test_deliveries_are_recorded_for_the_judge(
    simulator: EmbeddedSimulator, graph: GraphClient, listener: Listener, admin: AdminClient
) -> None:
    stream = io.BytesIO()
    subscribe(graph, listener)
    simulator.world.journal.record_to(stream)
    write(graph)
    listener.wait(1)
    pending_again(admin, 0)
    simulator.world.journal.record_to(None)
    records = [json.loads(line) for line in stream.getvalue().splitlines()]
    [delivery] = [one for one in records if one["service"] == "notification"]
    assert delivery["request_body"] == listener.heard[0].body


@pytest.mark.filterwarnings("ignore:GetQueryParameters is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:This class is deprecated:DeprecationWarning")
async def test_the_sdk_subscribes(
    graph_client: GraphServiceClient, listener: Listener, admin: AdminClient
) -> None:
    """https://learn.microsoft.com/graph/api/subscription-post-subscriptions, with msgraph-sdk."""
    from msgraph.generated.models.subscription import Subscription

    def until(days: int) -> datetime:
        return datetime.now(UTC) + timedelta(days=days)

    made = await graph_client.subscriptions.post(
        Subscription(
            change_type="created,updated,deleted",
            notification_url=listener.url,
            lifecycle_notification_url=listener.url,
            resource=f"/users/{ANNA}/contacts",
            expiration_date_time=until(1),
            client_state="secret",
        )
    )
    assert made is not None
    assert made.id is not None
    assert made.client_state == "secret"
    item = graph_client.subscriptions.by_subscription_id(made.id)
    renewed = await item.patch(Subscription(expiration_date_time=until(5)))
    assert renewed is not None
    assert renewed.expiration_date_time is not None
    assert renewed.expiration_date_time > until(4)
    await item.reauthorize.post()
    page = await graph_client.subscriptions.get(request_configuration=RequestConfiguration())
    assert page is not None
    assert [one.id for one in page.value or []] == [made.id]
    await item.delete()
    with pytest.raises(ODataError) as gone:
        await item.get()
    assert gone.value.error is not None
    assert gone.value.error.code == "ResourceNotFound"
