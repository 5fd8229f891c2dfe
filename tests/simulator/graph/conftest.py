"""Fixtures: the cloud, and clients of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.contract.graph import Contract
from tests.simulator.graph.cloud import Client, make_world

from cirahub_simulator.graph import GraphService
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
