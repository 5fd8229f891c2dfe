"""Who uses the operator: a namespace with what somebody declared, and the mailboxes it is about."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from cirahub_simulator.client import AdminClient
from cluster.access import Cluster
from demo import resources
from demo.mailbox import Mailboxes
from demo.narration import Narration
from demo.resources import RESOURCES, Spoke, Standing
from e2e.expectation import Expectation
from e2e.release import TEAM

READY_WITHIN = 180.0
ARRIVES_WITHIN = 120.0
REQUESTED_AT = "reconcile.cirahub.io/requestedAt"
SHOWN = 3


class Team:
    def __init__(self, cluster: Cluster, admin: AdminClient, tell: Narration) -> None:
        self._cluster = cluster
        self._admin = admin
        self._tell = tell
        self.mailboxes = Mailboxes(admin)
        self.spokes: dict[str, Spoke] = {}
        """By name."""

    @property
    def receivers(self) -> list[Spoke]:
        return [spoke for spoke in self.spokes.values() if spoke.receives]

    @property
    def sources(self) -> list[str]:
        """Mailboxes that contribute, and get nothing."""
        return [spoke.mailbox for spoke in self.spokes.values() if not spoke.receives]

    @property
    def addresses(self) -> list[str]:
        """Of all mailboxes there are."""
        return [str(mailbox["userPrincipalName"]) for mailbox in self._admin.mailboxes()]

    def declare(self, kustomization: Path) -> None:
        self._cluster.kubectl("apply", "--kustomize", kustomization)
        self.spokes = resources.spokes(self._cluster, TEAM)

    def until_ready(self, within: float = READY_WITHIN) -> None:
        """Raises DemoError."""
        self._tell.until(
            "everything is Ready", self._all_ready, within=within, status=self.waiting_for
        )

    def until_equal(self, within: float = ARRIVES_WITHIN) -> None:
        """Raises DemoError, with some of what differs."""
        self._tell.until(
            "every change arrives everywhere, once",
            lambda: not list(self.faults()) or None,
            within=within,
            status=lambda: "; ".join(list(self.faults())[:SHOWN]),
        )

    def faults(self) -> Iterator[str]:
        """What receivers don't hold as they should, a line each."""
        held = {spoke: self.mailboxes.at(spoke) for spoke in self.spokes.values()}
        told = {spoke: contacts for spoke, contacts in held.items() if spoke.contributes}
        expected = Expectation(told)
        for spoke in self.receivers:
            yield from (f"{spoke.place}: {fault}" for fault in expected.faults(spoke, held[spoke]))

    def ask_for_pass(self) -> str:
        """What `status.lastHandledReconcileAt` of the Hubs becomes by it."""
        token = str(time.time_ns())
        stamp = f"{REQUESTED_AT}={token}"
        self._cluster.kubectl("annotate", "hubs", "--all", "-n", TEAM, "--overwrite", stamp)
        return token

    def suspend(self) -> None:
        """Whatever Hub there is."""
        hubs = self._cluster.kubectl("get", "hubs", "-n", TEAM, "--output=name").split()
        patch = ("--type=merge", "--patch", '{"spec": {"suspend": true}}')
        self._cluster.kubectl("patch", *hubs, "-n", TEAM, *patch)

    def standings(self) -> dict[str, Standing]:
        """By kind and name."""
        found = resources.standings(self._cluster, TEAM)
        return {f"{one.kind} {one.metadata.name}": one for one in found}

    def waiting_for(self) -> str:
        return "; ".join(str(one) for one in self.standings().values() if not one.ready)

    def look(self) -> str:
        return self._cluster.kubectl("get", RESOURCES, "-n", TEAM)

    def _all_ready(self) -> bool | None:
        found = self.standings().values()
        return (bool(found) and all(one.ready for one in found)) or None
