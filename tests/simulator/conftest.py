"""A simulator for each test, in a thread, with the shipped organisation and real sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from typing import Any

import msal  # type: ignore[import-untyped]
import pytest
import requests

from cirahub_simulator.client import AdminClient
from cirahub_simulator.process import EmbeddedSimulator, shipped_world
from cirahub_simulator.seed.generate import CIRAHUB

# pytest-asyncio asks for the current loop before it sets its own, which on Python 3.11 makes one
# that nobody closes. Saying that there is none keeps it from doing so.
asyncio.set_event_loop(None)

GRAPH_SCOPE = "https://graph.microsoft.com/.default"
VAULT_SCOPE = "https://vault.azure.net/.default"
ANNA = "anna.bergstrom@contoso.example"


@pytest.fixture(autouse=True)
def _no_preset_ca(monkeypatch: pytest.MonkeyPatch) -> None:
    """`requests` lets a preset bundle override the CA that a client is given."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def simulator() -> Iterator[EmbeddedSimulator]:
    with EmbeddedSimulator(shipped_world()) as running:
        yield running


@pytest.fixture
def admin(simulator: EmbeddedSimulator) -> AdminClient:
    return simulator.admin


class SignIn:
    """Token requests with MSAL or by hand."""

    def __init__(self, simulator: EmbeddedSimulator) -> None:
        self._simulator = simulator

    def application(
        self,
        credential: Any = "simulated-contoso-secret",
        *,
        client_id: str = CIRAHUB,
        tenant: str = "contoso.example",
    ) -> msal.ConfidentialClientApplication:
        endpoints = self._simulator.endpoints
        return msal.ConfidentialClientApplication(
            client_id,
            client_credential=credential,
            authority=f"{endpoints.entra}/{tenant}",
            instance_discovery=False,
            verify=endpoints.ca_file,
        )

    def ask(self, *arguments: Any, scope: str = GRAPH_SCOPE, **keywords: Any) -> dict[str, Any]:
        return dict(self.application(*arguments, **keywords).acquire_token_for_client([scope]))

    def token(self, *arguments: Any, scope: str = GRAPH_SCOPE, **keywords: Any) -> str:
        answer = self.ask(*arguments, scope=scope, **keywords)
        assert "access_token" in answer, answer
        return str(answer["access_token"])


@pytest.fixture
def sign_in(simulator: EmbeddedSimulator) -> SignIn:
    return SignIn(simulator)


class GraphClient:
    """Plain requests to Graph, over TLS, with the token of the application `cirahub`."""

    def __init__(self, simulator: EmbeddedSimulator, token: str | None) -> None:
        self._base = f"{simulator.endpoints.graph}/v1.0"
        self.session = requests.Session()
        self.session.verify = simulator.endpoints.ca_file
        if token is not None:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def url(self, path: str) -> str:
        return self._base + path

    def call(self, method: str, path: str, **keywords: Any) -> requests.Response:
        return self.session.request(method, self.url(path), timeout=30, **keywords)

    def names(self, user: str = ANNA) -> set[str]:
        found = self.call("GET", f"/users/{user}/contacts?$top=999&$select=displayName").json()
        return {contact["displayName"] for contact in found["value"]}


@pytest.fixture
def graph(simulator: EmbeddedSimulator, sign_in: SignIn) -> Iterator[GraphClient]:
    client = GraphClient(simulator, sign_in.token())
    with client.session:
        yield client


@pytest.fixture
def tls(simulator: EmbeddedSimulator) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=simulator.endpoints.ca_file)
