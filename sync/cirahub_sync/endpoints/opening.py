"""Which system a connection leads to: the one place that knows them all."""

from __future__ import annotations

from cirahub_sync.configuration import ConnectionConfig, ItemKind, PasswordAuth, SpokeConfig
from cirahub_sync.endpoints.base import Capabilities
from cirahub_sync.endpoints.carddav import capabilities as carddav
from cirahub_sync.endpoints.session import Session, Surroundings


def open_session(connection: ConnectionConfig, surroundings: Surroundings) -> Session:
    """Sends nothing yet. Raises ConfigurationError."""
    # None at the top: what each needs is large, and few hubs have all of them.
    if connection.exchange_server is not None:
        from cirahub_sync.endpoints.exchange.opening import ExchangeConnection

        return ExchangeConnection(connection, surroundings)
    if connection.card_dav is not None:
        from cirahub_sync.endpoints.carddav.opening import CardDavConnection

        return CardDavConnection(connection, surroundings)
    from cirahub_sync.endpoints.graph.opening import GraphConnection

    return GraphConnection(connection, surroundings)


def counted_with(connection: ConnectionConfig) -> tuple[str, str]:
    """Connections of which this is the same share the service's limits."""
    if isinstance(connection.auth, PasswordAuth):
        return (connection.tenant_id, connection.auth.username.casefold())
    if connection.exchange_server is not None:
        return (connection.tenant_id, connection.auth.client_id)
    return (connection.cloud.value, connection.auth.client_id)


def capabilities_of(spoke: SpokeConfig) -> Capabilities:
    """What an item can show there."""
    if spoke.connection.exchange_server is not None:
        from cirahub_sync.endpoints.exchange import capabilities as exchange

        event = spoke.target.kind is ItemKind.EVENT
        return exchange.CALENDAR_CAPABILITIES if event else exchange.CAPABILITIES
    if spoke.connection.card_dav is not None:
        return carddav.CAPABILITIES
    from cirahub_sync.endpoints.graph import opening as graph

    return graph.capabilities_of(spoke)
