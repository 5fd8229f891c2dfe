"""Microsoft Graph: a contact folder of a Microsoft 365 mailbox as an endpoint."""

from cirahub_sync.endpoints.graph.endpoint import GraphEndpoint, open_endpoint
from cirahub_sync.endpoints.graph.session import GraphSession, Patience

__all__ = ["GraphEndpoint", "GraphSession", "Patience", "open_endpoint"]
