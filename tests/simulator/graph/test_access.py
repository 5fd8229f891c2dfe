"""Who may do what, and how Graph says no."""

from __future__ import annotations

import json

import pytest
from tests.simulator.graph.cloud import ADA, EVE, FABRIKAM, GUEST, Client

from cirahub_simulator.graph import GraphService
from cirahub_simulator.throttle import Limits
from cirahub_simulator.wire import Request
from cirahub_simulator.world import World


def test_reading_contacts_takes_a_role_and_writing_another(client: Client) -> None:
    url = f"/users/{ADA}/contacts"
    client.roles = frozenset(("Contacts.Read",))
    assert client.get(url).status == 200
    assert client.get(f"{url}/delta").status == 200
    for refused in (
        client.post(url, {"givenName": "A"}),
        client.patch(f"{url}/x", {"givenName": "A"}),
        client.delete(f"{url}/x"),
        client.post(f"{url}/x/permanentDelete"),
        client.post(f"/users/{ADA}/contactFolders", {"displayName": "A"}),
    ):
        assert (refused.status, refused.code) == (403, "ErrorAccessDenied")
    client.roles = frozenset(("User.Read.All",))
    assert client.get(url).code == "ErrorAccessDenied"


def test_reading_users_takes_a_role(client: Client) -> None:
    client.roles = frozenset(("Contacts.ReadWrite",))
    for url in ("/users", f"/users/{ADA}", "/users/delta"):
        assert client.get(url).code == "Authorization_RequestDenied"
    client.roles = frozenset(("User.ReadBasic.All",))
    basic = client.get(f"/users/{ADA}?$select=id,mail,department,accountEnabled").json
    assert basic["mail"] == "ada@contoso.example"
    assert basic["department"] is None
    assert basic["accountEnabled"] is None


def test_a_tenant_sees_nothing_of_another(client: Client) -> None:
    assert client.get(f"/users/{EVE}").code == "Request_ResourceNotFound"
    assert client.get(f"/users/{EVE}/contacts").code == "ErrorInvalidUser"
    client.tenant_id = FABRIKAM
    assert client.get(f"/users/{EVE}/contacts").status == 200
    assert [u["id"] for u in client.get("/users").items] == [EVE]


def test_a_user_without_a_mailbox_has_no_contacts(client: Client, world: World) -> None:
    refused = client.get(f"/users/{GUEST}/contacts")
    assert (refused.status, refused.code) == (404, "MailboxNotEnabledForRESTAPI")
    assert client.get(f"/users/{ADA}/contacts").status == 200
    ada = world.directory.find_user(ADA)
    assert ada is not None
    ada.has_mailbox = False
    assert client.get(f"/users/{ADA}/contacts").code == "MailboxNotEnabledForRESTAPI"


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "/me/contacts", 400),
        ("GET", "/nothing", 400),
        ("GET", f"/users/{ADA}/mailFolders", 400),
        ("GET", f"/users/{ADA}/contacts/x/photo", 400),
        ("PUT", f"/users/{ADA}/contacts", 405),
        ("DELETE", "/users", 405),
        ("GET", "/$batch", 405),
    ],
)
def test_paths_and_methods_that_are_not_there(
    client: Client, method: str, url: str, status: int
) -> None:
    assert client.send(method, url).status == status


def test_errors_carry_the_ids_of_the_request(client: Client) -> None:
    refused = client.get("/users/nobody", client_request_id="mine")
    inner = refused.json["error"]["innerError"]
    assert inner["client-request-id"] == refused.headers["client-request-id"] == "mine"
    assert inner["request-id"] == refused.headers["request-id"]


def test_requests_over_the_limit_are_refused_by_mailbox(client: Client) -> None:
    client.service.world.throttle.limits = Limits(requests=1)
    assert client.get(f"/users/{ADA}/contacts").status == 200
    refused = client.get(f"/users/{ADA}/contacts")
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert client.get("/users").status == 200


def test_the_admin_endpoint_acts_as_the_mailboxs_user(world: World) -> None:
    service = GraphService(world)
    world.throttle.limits = Limits(requests=0)
    response = service.handle(
        Request(
            method="POST",
            path="/users/eve@fabrikam.example/contacts",
            headers={"content-type": "application/json"},
            body=json.dumps({"givenName": "A"}).encode(),
        )
    )
    assert response.status == 201
    assert len(world.mailboxes[EVE].default_folder.contacts) == 1
