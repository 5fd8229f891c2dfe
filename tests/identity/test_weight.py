"""What signing in and a service need is loaded with the first connection that needs it: an operator
that waits stays small, and a pass over address books starts soon."""

from __future__ import annotations

import subprocess
import sys

import pytest

LARGE = (
    "msal",
    "azure.keyvault",
    "azure.identity",
    "exchangelib",
    "httpx",
    "msgraph_core",
    "requests",
    "cirahub_sync.endpoints.graph.session",
    "cirahub_sync.endpoints.exchange.session",
)


@pytest.mark.parametrize("with_it", ["", ", cirahub_sync.endpoints.carddav.opening"])
def test_the_worker_and_address_books_come_without_the_libraries_of_others(with_it: str) -> None:
    """In a process of its own: here they have long been loaded."""
    told = f"import sys, cirahub_sync.worker{with_it}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "cirahub_sync.identity.base" in loaded
    assert not [name for name in LARGE if name in loaded]
