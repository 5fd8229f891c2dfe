"""Which system a connection leads to: the one place that knows them all."""

from __future__ import annotations

from cirahub_sync.configuration import ConnectionConfig, SpokeConfig
from cirahub_sync.endpoints.base import Capabilities
from cirahub_sync.endpoints.graph import opening as graph
from cirahub_sync.endpoints.session import Session, Surroundings


def open_session(connection: ConnectionConfig, surroundings: Surroundings) -> Session:
    """Sends nothing yet. Raises ConfigurationError."""
    return graph.GraphConnection(connection, surroundings)


def counted_with(connection: ConnectionConfig) -> tuple[str, str]:
    """Connections of which this is the same share the service's limits."""
    return (connection.cloud.value, connection.auth.client_id)


def capabilities_of(spoke: SpokeConfig) -> Capabilities:
    """What an item can show there."""
    return graph.capabilities_of(spoke.target)
