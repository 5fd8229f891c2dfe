"""Microsoft Graph: a contact folder of a Microsoft 365 mailbox as an endpoint, and
the directory beside it."""

from cirahub_sync.endpoints.graph.directory import GraphDirectory
from cirahub_sync.endpoints.graph.endpoint import GraphEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession

__all__ = ["GraphDirectory", "GraphEndpoint", "GraphSession"]
