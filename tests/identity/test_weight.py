"""What signing in needs is loaded when somebody signs in: an operator that waits stays small."""

from __future__ import annotations

import subprocess
import sys

LARGE = ("msal", "azure.keyvault", "azure.identity", "exchangelib")


def test_the_worker_comes_without_the_libraries_of_signing_in() -> None:
    """In a process of its own: here they have long been loaded."""
    told = "import sys, cirahub_sync.worker; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "cirahub_sync.identity.provider" in loaded
    assert not [name for name in LARGE if name in loaded]
