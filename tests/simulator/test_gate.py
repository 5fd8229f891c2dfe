"""Who gets through to Graph."""

from __future__ import annotations

import pytest
import requests

from cirahub_simulator.client import AdminClient
from cirahub_simulator.process import EmbeddedSimulator

from .conftest import ANNA, VAULT_SCOPE, GraphClient, SignIn


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (None, "Access token is empty."),
        ("nonsense", "JWT is not well formed."),
    ],
)
def test_a_request_without_a_usable_token_is_unauthorized(
    simulator: EmbeddedSimulator, token: str | None, message: str
) -> None:
    with (client := GraphClient(simulator, token)).session:
        answer = client.call("GET", "/users")

    error = answer.json()["error"]
    assert answer.status_code == 401
    assert error["code"] == "InvalidAuthenticationToken"
    assert error["message"] == message
    assert error["innerError"]["request-id"] == answer.headers["request-id"]
    assert "WWW-Authenticate" in answer.headers


def test_a_token_for_a_vault_has_the_wrong_audience(
    simulator: EmbeddedSimulator, sign_in: SignIn
) -> None:
    with (client := GraphClient(simulator, sign_in.token(scope=VAULT_SCOPE))).session:
        answer = client.call("GET", "/users")

    assert answer.status_code == 401
    assert "Invalid audience" in answer.json()["error"]["message"]


def test_a_token_that_was_tampered_with_is_refused(
    simulator: EmbeddedSimulator, sign_in: SignIn
) -> None:
    header, payload, signature = sign_in.token().split(".")
    token = f"{header}.{payload}.{'A' * len(signature)}"

    with (client := GraphClient(simulator, token)).session:
        assert client.call("GET", "/users").status_code == 401


def test_a_token_expires_on_the_simulators_clock(graph: GraphClient, admin: AdminClient) -> None:
    assert graph.call("GET", f"/users/{ANNA}").status_code == 200

    admin.advance(3600)

    answer = graph.call("GET", f"/users/{ANNA}")
    assert answer.status_code == 401
    assert "expired" in answer.json()["error"]["message"]


def test_a_token_of_one_tenant_sees_no_user_of_another(graph: GraphClient) -> None:
    answer = graph.call("GET", "/users/alice.edwards@fabrikam.example/contacts")

    assert answer.status_code == 404


def test_another_version_of_graph_is_a_bad_request(
    simulator: EmbeddedSimulator, sign_in: SignIn
) -> None:
    answer = requests.get(
        f"{simulator.endpoints.graph}/v2.0/users",
        headers={"Authorization": f"Bearer {sign_in.token()}"},
        verify=simulator.endpoints.ca_file,
        timeout=30,
    )

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Invalid version: v2.0"


def test_graph_is_served_without_tls_when_asked_for(
    simulator: EmbeddedSimulator, sign_in: SignIn
) -> None:
    answer = requests.get(
        f"{simulator.endpoints.graph_http}/v1.0/users?$top=1",
        headers={"Authorization": f"Bearer {sign_in.token()}"},
        timeout=30,
    )

    assert answer.status_code == 200
    assert answer.json()["@odata.nextLink"].startswith(f"{simulator.endpoints.graph_http}/v1.0/")
