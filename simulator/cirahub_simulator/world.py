"""The whole of one simulated cloud: what every service reads and changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirahub_simulator.calendar.outbox import Outbox
from cirahub_simulator.clock import Clock
from cirahub_simulator.directory import Directory
from cirahub_simulator.entra.trust import Trust
from cirahub_simulator.ews.subscription import Subscriptions
from cirahub_simulator.faults import Faults
from cirahub_simulator.journal import Journal
from cirahub_simulator.keyvault.vault import Vault
from cirahub_simulator.mail_contacts import MailContacts
from cirahub_simulator.notification.subscription import Subscriptions as GraphSubscriptions
from cirahub_simulator.notification.terms import Terms
from cirahub_simulator.pulse import Pulse
from cirahub_simulator.switches import Switches
from cirahub_simulator.throttle import Limits, Throttle

if TYPE_CHECKING:
    from cirahub_simulator.graph.mailbox import Mailbox


class World:
    """One directory, its mailboxes, and what the admin endpoint may turn.

    `switches` is replaced, never changed: read it from the world each time.
    """

    def __init__(
        self,
        *,
        switches: Switches | None = None,
        limits: Limits | None = None,
        fault_seed: int = 0,
    ) -> None:
        self.clock = Clock()
        self.directory = Directory()
        self.switches = switches or Switches()
        self.faults = Faults(fault_seed)
        self.throttle = Throttle(self.clock, limits)
        self.journal = Journal(self.clock)
        self.latency = 0.0
        """Seconds that every answer takes after its effect; what makes requests concurrent."""
        self.trust = Trust()
        self.vaults: dict[str, Vault] = {}
        """By name."""
        self.mailboxes: dict[str, Mailbox] = {}
        """By user id. The Graph service makes a mailbox when its user is first asked for."""
        self.pulse = Pulse()
        """Beats after every request."""
        self.subscriptions = Subscriptions()
        """To notifications of Exchange Web Services."""
        self.graph_subscriptions = GraphSubscriptions()
        """To change notifications of Graph."""
        self.notifications = Terms()
        """How those are delivered. Replaced, never changed."""
        self.outbox = Outbox()
        """What mailboxes would have sent."""
        self.public_folders: dict[str, Mailbox] = {}
        """By the id of an Exchange Server or a tenant: the mailbox of its public folders."""
        self.mail_contacts = MailContacts(self.directory, self.clock, lambda: self.switches)
