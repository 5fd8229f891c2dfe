"""Sign-in with a real service account's token, checked against the cluster's own keys."""

from __future__ import annotations

from typing import Any

import pytest

from cirahub_simulator.client import AdminClient
from cirahub_simulator.seed.generate import CIRAHUB
from cluster import Cluster

from .conftest import SignIn


@pytest.fixture
def account(control_plane: Cluster, namespace: str, admin: AdminClient) -> list[str]:
    """kubectl's arguments for a token of a service account that the simulator trusts."""
    control_plane.kubectl("create", "serviceaccount", "sync", "--namespace", namespace)
    admin.set_cluster(control_plane.issuer, ca_pem=control_plane.ca_file.read_text("ascii"))
    admin.trust_subject(CIRAHUB, f"system:serviceaccount:{namespace}:sync")
    return ["create", "token", "sync", "--namespace", namespace]


def assertion(token: str) -> dict[str, Any]:
    return {"client_assertion": token.strip}


def test_a_token_for_entra_signs_in(
    control_plane: Cluster, account: list[str], sign_in: SignIn
) -> None:
    token = control_plane.kubectl(*account, "--audience", "api://AzureADTokenExchange")

    assert sign_in.token(assertion(token))


def test_a_token_for_the_api_server_does_not(
    control_plane: Cluster, account: list[str], sign_in: SignIn
) -> None:
    token = control_plane.kubectl(*account)

    assert sign_in.ask(assertion(token))["error_codes"] == [700212]
