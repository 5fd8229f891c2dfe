"""The admin endpoint: what users and administrators do, and what was asked."""

from __future__ import annotations

import ssl
import time
from contextlib import closing
from http.client import HTTPResponse, HTTPSConnection, RemoteDisconnected
from urllib.parse import urlsplit

import pytest
import requests

from cirahub_simulator.admin.log import template
from cirahub_simulator.client import AdminClient, AdminRefusedError
from cirahub_simulator.process import EmbeddedSimulator

from .conftest import ANNA, GraphClient

CONTACTS = f"/users/{ANNA}/contacts"
STAMP = "String {00020329-0000-0000-c000-000000000046} Name Stamp"


def test_a_user_edits_a_contact_without_token_throttle_fault_or_log(
    admin: AdminClient, graph: GraphClient
) -> None:
    admin.throttle(requests=0)
    admin.add_rule("status", status=500)
    admin.forget_requests()

    made = admin.create_contact(ANNA, {"givenName": "Own", "displayName": "Own"})
    admin.update_contact(ANNA, made["id"], {"jobTitle": "Gardener"})

    found = {c["contact"]["id"]: c["contact"] for c in admin.contacts(ANNA)}
    assert found[made["id"]]["jobTitle"] == "Gardener"
    assert admin.requests() == []
    admin.delete_contact(ANNA, made["id"])
    assert made["id"] not in {c["contact"]["id"] for c in admin.contacts(ANNA)}


def test_a_move_changes_the_id_and_keeps_the_immutable_one(admin: AdminClient) -> None:
    made = admin.create_contact(ANNA, {"givenName": "Mover"})
    before = {c["contact"]["immutableId"]: c for c in admin.contacts(ANNA)}

    moved = admin.move_contact(ANNA, made["id"], ["Customers"])

    after = {c["contact"]["immutableId"]: c for c in admin.contacts(ANNA)}
    assert moved["id"] != made["id"]
    assert before.keys() == after.keys()
    assert [c["folder"] for c in after.values() if c["contact"]["id"] == moved["id"]] == [
        ["Customers"]
    ]


def test_a_copy_is_another_contact_with_the_same_fields(admin: AdminClient) -> None:
    made = admin.create_contact(ANNA, {"givenName": "Twin", "displayName": "Twin"})

    copied = admin.copy_contact(ANNA, made["id"])

    assert copied["id"] != made["id"]
    assert copied["displayName"] == "Twin"


def test_a_dump_can_be_imported_elsewhere(admin: AdminClient) -> None:
    bob = "bob.nakamura@fabrikam.example"
    before = len(admin.contacts(bob))

    admin.import_contacts(
        bob,
        [{"givenName": "A", "singleValueExtendedProperties": [{"id": STAMP, "value": "7"}]}],
        ["New", "Deep"],
    )

    found = admin.contacts(bob)
    assert len(found) == before + 1
    [made] = [c for c in found if c["folder"] == ["New", "Deep"]]
    assert made["contact"]["singleValueExtendedProperties"] == [{"id": STAMP, "value": "7"}]


def test_an_import_that_graph_would_refuse_is_refused(admin: AdminClient) -> None:
    with pytest.raises(AdminRefusedError, match="400"):
        admin.import_contacts(ANNA, [{"shoeSize": 44}])


def test_the_log_tells_requests_apart(admin: AdminClient, graph: GraphClient) -> None:
    admin.forget_requests()
    graph.call("GET", CONTACTS, headers={"client-request-id": "mine"})
    graph.call("GET", "/users/nobody@contoso.example/contacts")
    parts = [{"id": "1", "method": "GET", "url": CONTACTS}]
    graph.call("POST", "/$batch", json={"requests": parts})

    assert len(admin.requests()) == 4
    assert len(admin.requests(status=404)) == 1
    assert len(admin.requests(client_request_id="mine")) == 1
    assert len(admin.requests(batch="yes")) == 1
    assert len(admin.requests(method="POST", template="/$batch")) == 1
    assert len(admin.requests(path="nobody")) == 1
    assert admin.requests(limit=1)[0]["path"] == "/$batch"
    assert admin.requests(after=admin.requests()[-1]["seq"]) == []
    assert admin.templates() == {"GET /users/{id}/contacts": 3, "POST /$batch": 1}
    first = admin.requests()[0]
    assert first["response_bytes"] > 0
    assert first["request_id"]


def test_connections_are_closed_that_are_idle(
    admin: AdminClient, simulator: EmbeddedSimulator, graph: GraphClient, tls: ssl.SSLContext
) -> None:
    where = urlsplit(simulator.endpoints.graph)
    host, port = where.hostname or "", where.port
    with (
        closing(HTTPSConnection(host, port, context=tls, timeout=30)) as idle,
        closing(HTTPSConnection(host, port, context=tls, timeout=30)) as busy,
    ):
        assert _asked(idle, graph).status == 200
        assert _asked(busy, graph).status == 200
        slow = admin.add_rule("delay", path="/contacts$", delay=3.0)
        before = len(admin.requests())
        busy.request("GET", f"/v1.0{CONTACTS}", headers=dict(graph.session.headers))
        for _ in range(3000):
            if _matched(admin, slow):
                break
            time.sleep(0.01)

        closed = admin.close_connections()

        # The one is still to be answered, and noted.
        assert _matched(admin, slow)
        assert len(admin.requests()) == before
        assert closed >= 1
        with pytest.raises((RemoteDisconnected, ssl.SSLEOFError, ConnectionError)):
            _asked(idle, graph)
        assert busy.getresponse().status == 200


def _asked(connection: HTTPSConnection, graph: GraphClient) -> HTTPResponse:
    """What is answered to a request, and has been read; a connection that was closed stays so."""
    connection.request("GET", f"/v1.0{CONTACTS}", headers=dict(graph.session.headers))
    connection.auto_open = 0
    answer = connection.getresponse()
    answer.read()
    return answer


def _matched(admin: AdminClient, rule: str) -> bool:
    """Whether a request has met the rule."""
    return any(one["matched"] for one in admin.call("GET", "/rules") if one["rule"]["id"] == rule)


def test_a_template_keeps_words_and_hides_ids() -> None:
    path = "/users/a%40b/contactFolders/AAMk=/contacts/delta"

    assert template(path) == "/users/{id}/contactFolders/{id}/contacts/delta"


def test_switches_name_their_choices(admin: AdminClient) -> None:
    with pytest.raises(AdminRefusedError, match='one of "TooManyRequests"'):
        admin.switch(throttle_code="Whatever")
    with pytest.raises(AdminRefusedError, match="no switch 'nothing'"):
        admin.switch(nothing=True)

    admin.switch(throttle_code="TooManyRequests")

    assert admin.call("GET", "/switches")["throttle_code"] == "TooManyRequests"


def test_limits_and_time_refuse_nonsense(admin: AdminClient) -> None:
    with pytest.raises(AdminRefusedError, match="unknown field"):
        admin.throttle(speed=3)
    with pytest.raises(AdminRefusedError, match="only moves ahead"):
        admin.advance(-1)


def test_a_delta_token_expires_when_told(admin: AdminClient, graph: GraphClient) -> None:
    folder = graph.call("GET", f"/users/{ANNA}/contactFolders").json()["value"]
    first = graph.call("GET", f"/users/{ANNA}/contactFolders/{folder[0]['id']}/contacts/delta")
    link = first.json().get("@odata.deltaLink") or first.json()["@odata.nextLink"]

    admin.expire_delta_tokens(ANNA)

    answer = graph.session.get(link, timeout=30)
    assert answer.status_code == 410


def test_a_tenant_with_users_and_a_vault_is_added_while_it_runs(
    simulator: EmbeddedSimulator, admin: AdminClient
) -> None:
    endpoints = admin.seed(
        [
            {
                "kind": "tenant",
                "id": "00000000-0000-4000-8000-0000000000aa",
                "domain": "new.example",
                "displayName": "New",
            },
            {
                "kind": "user",
                "id": "00000000-0000-4000-8000-0000000000ab",
                "tenant": "new.example",
                "userPrincipalName": "ada@new.example",
                "displayName": "Ada",
            },
            {"kind": "vault", "name": "new-vault", "tenant": "new.example"},
            {"kind": "contact", "mailbox": "ada@new.example", "contact": {"givenName": "X"}},
        ]
    )

    origin = endpoints["origins"]["https://new-vault.vault.azure.net"]
    answer = requests.get(
        f"{origin}/secrets?api-version=7.6", verify=simulator.endpoints.ca_file, timeout=30
    )
    assert answer.status_code == 401
    assert len(admin.contacts("ada@new.example")) == 1


def test_a_bad_seed_line_is_named(admin: AdminClient) -> None:
    with pytest.raises(AdminRefusedError, match="line 1: tenant 'none' is not in an earlier line"):
        admin.seed([{"kind": "vault", "name": "v", "tenant": "none"}])


def test_users_leave_and_lose_their_mailbox(admin: AdminClient, graph: GraphClient) -> None:
    admin.call("PATCH", f"/users/{ANNA}", {"mailbox": False})
    assert not graph.call("GET", CONTACTS).ok

    admin.call("DELETE", f"/users/{ANNA}")

    assert graph.call("GET", f"/users/{ANNA}").status_code == 404


def test_a_mailbox_is_kept_for_who_is_licensed_again(
    admin: AdminClient, graph: GraphClient
) -> None:
    before = graph.names()
    admin.call("PATCH", f"/users/{ANNA}", {"licensed": False})
    assert not graph.call("GET", CONTACTS).ok

    admin.call("PATCH", f"/users/{ANNA}", {"licensed": True})

    assert before
    assert graph.names() == before


def test_applications_are_listed_without_their_secrets(admin: AdminClient) -> None:
    listed = admin.call("GET", "/applications")

    assert {a["display_name"] for a in listed} >= {"cirahub", "cirahub-vault-reader"}
    assert "simulated-" not in str(listed)


def test_unknown_things_are_not_found(admin: AdminClient) -> None:
    for method, path, body in (
        ("GET", "/mailboxes/nobody/contacts", None),
        ("PATCH", "/applications/none", {"enabled": True}),
        ("PUT", "/vaults/none/secrets/x", {"value": "x"}),
        ("DELETE", "/users/nobody", None),
    ):
        with pytest.raises(AdminRefusedError) as raised:
            admin.call(method, path, body)
        assert raised.value.status == 404


def test_groups_are_filled_and_deleted(admin: AdminClient) -> None:
    [team] = [
        group for group in admin.call("GET", "/groups") if group["mail"] == "team@contoso.example"
    ]

    admin.set_members(team["id"], [ANNA])

    with pytest.raises(AdminRefusedError, match="no user or group nobody"):
        admin.set_members(team["id"], ["nobody"])
    members = admin.call("GET", f"/graph/v1.0/groups/{team['id']}/members")["value"]
    assert [member["userPrincipalName"] for member in members] == [ANNA]
    admin.remove_group(team["id"])
    with pytest.raises(AdminRefusedError, match="404"):
        admin.call("GET", f"/graph/v1.0/groups/{team['id']}")
