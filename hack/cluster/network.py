"""Where a control plane is, and whether nodes are to join it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Credential:
    """What the API server shows to kubelets. The certificate vouches for itself."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Network:
    host: str = "127.0.0.1"
    """At which the API server listens."""
    services: str = "10.0.0.0/24"
    """Addresses of Services."""
    kubelets: Credential | None = None
    """None: there are no nodes. Otherwise `host` is an address that they reach."""


ALONE = Network()
