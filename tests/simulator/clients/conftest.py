"""Other people's clients, not changed in anything: they are given the proxy and the CA, by the
variables of the environment that they take such things from, and ask for Microsoft's names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cirahub_simulator.process import RECORDINGS, EmbeddedSimulator, shipped_world
from cirahub_simulator.seed.generate import CIRAHUB

ROLES = ("Contacts.ReadWrite", "Calendars.ReadWrite", "User.Read.All")


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedSimulator]:
    """Not recorded: whether what these clients ask is by the contract is not ours to answer for."""
    monkeypatch.delenv(RECORDINGS, raising=False)
    with EmbeddedSimulator(shipped_world()) as running:
        yield running


@pytest.fixture(autouse=True)
def _through_the_proxy(simulator: EmbeddedSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = simulator.endpoints
    simulator.admin.grant(CIRAHUB, "contoso.example", ROLES)
    monkeypatch.setenv("HTTPS_PROXY", endpoints.proxy)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", endpoints.ca_file)
