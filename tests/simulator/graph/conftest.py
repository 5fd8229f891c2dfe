"""Fixtures: the cloud, and clients of it."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from azure.identity.aio import ClientSecretCredential
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory  # type: ignore[import-untyped]
from tests.contract.graph import Contract, Exchange
from tests.simulator.graph.cloud import Client, make_world

from cirahub_simulator.graph import GraphService
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.seed.generate import CIRAHUB
from cirahub_simulator.world import World


@pytest.fixture(scope="session")
def contract() -> Contract:
    """The published contract; where the shared folder is missing, its tests are skipped."""
    found = Contract.find()
    if found is None:
        pytest.skip("contracts/graph-v1.0.yaml of the shared folder is not here")
    return found


@pytest.fixture
def world() -> World:
    """The cloud under its default switches."""
    return make_world()


@pytest.fixture
def client(world: World, contract: Contract) -> Client:
    """An application of Contoso that may write contacts and read users."""
    return Client(GraphService(world), contract)


@pytest.fixture
def switched(contract: Contract) -> Callable[..., Client]:
    """Makes the same client over a fresh cloud with other switches."""
    return lambda **switches: Client(GraphService(make_world(**switches)), contract)


@pytest.fixture
def recording(simulator: EmbeddedSimulator, contract: Contract) -> Iterator[None]:
    """Holds everything that the test asked and was answered to the contract."""
    stream = io.BytesIO()
    simulator.world.journal.record_to(stream)
    yield
    simulator.world.journal.record_to(None)
    exchanges = [Exchange.from_record(json.loads(line)) for line in stream.getvalue().splitlines()]
    assert exchanges
    assert [problem for exchange in exchanges for problem in contract.problems(exchange)] == []


@pytest.fixture
async def graph_client(
    simulator: EmbeddedSimulator, recording: None
) -> AsyncIterator[GraphServiceClient]:
    """The SDK's client, signed in with a client secret."""
    endpoints = simulator.endpoints
    credential = ClientSecretCredential(
        "contoso.example",
        CIRAHUB,
        "simulated-contoso-secret",
        authority=endpoints.entra,
        disable_instance_discovery=True,
        connection_verify=endpoints.ca_file,
    )
    provider = AzureIdentityAuthenticationProvider(
        credential,
        scopes=["https://graph.microsoft.com/.default"],
        allowed_hosts=["127.0.0.1"],
    )
    # The SDK's own client never closes the connections below its middleware.
    connections = httpx.AsyncHTTPTransport()
    http = GraphClientFactory.create_with_default_middleware(
        client=httpx.AsyncClient(transport=connections)
    )
    adapter = GraphRequestAdapter(provider, client=http)
    adapter.base_url = f"{endpoints.graph_http}/v1.0"
    async with connections, credential:
        yield GraphServiceClient(request_adapter=adapter)
