"""What goes wrong when a rule says so, and whether the request took effect all the same."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from cirahub_simulator.client import AdminClient, AdminRefusedError
from cirahub_simulator.faults import Faults, Rule
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.wire import Request

from .conftest import ANNA, GraphClient

CONTACTS = f"/users/{ANNA}/contacts"


def create(graph: GraphClient, name: str) -> requests.Response:
    return graph.call("POST", CONTACTS, json={"givenName": name, "displayName": name})


def batch(*names: str) -> dict[str, Any]:
    return {
        "requests": [
            {
                "id": name,
                "method": "POST",
                "url": CONTACTS,
                "headers": {"Content-Type": "application/json"},
                "body": {"givenName": name, "displayName": name},
            }
            for name in names
        ]
    }


def test_a_status_before_the_effect_changes_nothing(graph: GraphClient, admin: AdminClient) -> None:
    admin.add_rule("status", method="POST", status=503, retry_after=7)

    answer = create(graph, "Nobody")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "7"
    assert answer.json()["error"]["innerError"]["request-id"]
    assert "Nobody" not in graph.names()


def test_a_status_after_the_effect_hides_a_success(graph: GraphClient, admin: AdminClient) -> None:
    admin.add_rule("status", method="POST", path="/contacts$", status=504, moment="after")

    assert create(graph, "Ghost").status_code == 504
    assert "Ghost" in graph.names()


def test_a_rule_may_be_for_the_callers_of_one_tenant(
    graph: GraphClient, admin: AdminClient
) -> None:
    ids = {one["domain"]: one["id"] for one in admin.call("GET", "/tenants")}
    admin.add_rule("status", tenant=ids["fabrikam.example"], status=503)
    assert graph.call("GET", CONTACTS).ok

    admin.add_rule("status", tenant=ids["contoso.example"], status=503)

    assert graph.call("GET", CONTACTS).status_code == 503


def test_a_part_of_an_answer_is_replaced(graph: GraphClient, admin: AdminClient) -> None:
    create(graph, "Ghost")
    admin.add_rule("replace", method="GET", find='"givenName":"Ghost"', put='"givenName":7')

    answer = graph.call("GET", f"{CONTACTS}?$top=500")

    assert answer.status_code == 200
    assert 7 in [each["givenName"] for each in answer.json()["value"]]


@pytest.mark.parametrize(("moment", "created"), [("before", False), ("after", True)])
def test_a_connection_is_dropped(
    graph: GraphClient, admin: AdminClient, moment: str, created: bool
) -> None:
    admin.add_rule("drop", method="POST", moment=moment, count=1)

    with pytest.raises(requests.ConnectionError):
        create(graph, "Dropped")

    assert ("Dropped" in graph.names()) == created
    assert admin.requests(method="POST", service="graph")[-1]["status"] == 0


def test_a_body_is_truncated(graph: GraphClient, admin: AdminClient) -> None:
    admin.add_rule("truncate", method="GET", keep_bytes=10, count=1)

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        graph.call("GET", CONTACTS)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_answer_is_delayed(graph: GraphClient, admin: AdminClient, moment: str) -> None:
    admin.add_rule("delay", delay=0.2, moment=moment)
    before = time.monotonic()

    graph.call("GET", CONTACTS)

    assert time.monotonic() - before >= 0.2


def test_a_client_that_gave_up_waiting_may_have_been_served(
    graph: GraphClient, admin: AdminClient
) -> None:
    admin.add_rule("delay", method="POST", delay=5, moment="after")

    with pytest.raises(requests.ReadTimeout):
        graph.session.post(
            graph.url(CONTACTS), json={"givenName": "Late", "displayName": "Late"}, timeout=0.5
        )

    assert "Late" in graph.names()


def test_one_request_of_a_batch_fails_after_its_effect(
    graph: GraphClient, admin: AdminClient
) -> None:
    admin.add_rule("status", batched=True, skip=1, count=1, status=504, moment="after")

    answer = graph.call("POST", "/$batch", json=batch("One", "Two", "Three"))

    statuses = {part["id"]: part["status"] for part in answer.json()["responses"]}
    assert statuses == {"One": 201, "Two": 504, "Three": 201}
    assert {"One", "Two", "Three"} <= graph.names()


def test_a_rule_may_wait_and_then_stop(graph: GraphClient, admin: AdminClient) -> None:
    rule = admin.add_rule("status", method="GET", skip=1, count=2, status=500)

    statuses = [graph.call("GET", CONTACTS).status_code for _ in range(5)]

    assert statuses == [200, 500, 500, 200, 200]
    assert admin.rules() == [
        {"rule": {**admin.rules()[0]["rule"], "id": rule}, "matched": 5, "fired": 2}
    ]


def test_a_rule_may_look_at_a_header(graph: GraphClient, admin: AdminClient) -> None:
    admin.add_rule("status", header=["client-request-id", "^bad"], status=500)

    assert graph.call("GET", CONTACTS, headers={"client-request-id": "good"}).ok
    assert graph.call("GET", CONTACTS, headers={"client-request-id": "bad-1"}).status_code == 500


def test_a_rule_may_fail_entra_or_a_vault(
    simulator: EmbeddedSimulator, graph: GraphClient, admin: AdminClient
) -> None:
    admin.add_rule("status", service="entra", status=503)
    admin.add_rule("status", service="keyvault", status=503)
    endpoints = simulator.endpoints

    entra = requests.get(f"{endpoints.entra}/x", verify=endpoints.ca_file, timeout=30)
    vault = requests.get(
        f"{endpoints.vault('contoso-cirahub')}/secrets", verify=endpoints.ca_file, timeout=30
    )

    assert graph.call("GET", CONTACTS).ok
    assert (entra.status_code, vault.status_code) == (503, 503)
    assert entra.json()["error"] == "temporarily_unavailable"
    assert vault.json()["error"]["code"] == "ServiceNotAvailable"


def test_rules_go_when_told(graph: GraphClient, admin: AdminClient) -> None:
    rule = admin.add_rule("status", status=500)
    admin.add_rule("status", status=500)
    admin.remove_rule(rule)
    assert graph.call("GET", CONTACTS).status_code == 500

    admin.clear_rules()

    assert graph.call("GET", CONTACTS).ok


def test_a_bad_rule_is_refused_with_a_reason(admin: AdminClient) -> None:
    with pytest.raises(AdminRefusedError, match="Invalid enum value 'explode'"):
        admin.add_rule("explode")
    with pytest.raises(AdminRefusedError, match="bad regular expression"):
        admin.add_rule("status", path="(")
    with pytest.raises(AdminRefusedError, match="no rule 17"):
        admin.remove_rule("17")


def test_chance_repeats_itself_from_its_seed() -> None:
    def run(faults: Faults) -> list[bool]:
        request = Request(method="GET", path="/", service="entra")
        return [faults.decide(request) is not None for _ in range(200)]

    faults = Faults(seed=7)
    faults.add(Rule(kind="status", probability=0.1))

    first = run(faults)
    faults.reseed(7)

    assert run(faults) == first
    assert 5 < sum(first) < 40
