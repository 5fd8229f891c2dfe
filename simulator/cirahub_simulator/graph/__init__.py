"""Microsoft Graph v1.0, as far as it is about users, their contact folders and their contacts."""

from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.service import GraphService

__all__ = ["GraphService", "Mailbox"]
