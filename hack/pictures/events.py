"""What happens while it is looked at: people edit, a service throttles, two disagree, a mailbox is
emptied, another takes nothing."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cirahub_simulator.client import AdminClient
from cirahub_simulator.seed.generate import CIRAHUB
from cirahub_simulator.seed.loader import ORGANISATION
from demo import resources
from demo.mailbox import Held
from demo.narration import Narration
from demo.resources import Spoke
from demo.stage import ROOT, Stage
from demo.story import NAMESPACE

HUB = "staff"
MANIFESTS = (
    ("--kustomize", str(ROOT / "examples/quickstart")),
    ("--filename", str(ROOT / "hack/pictures/manifests")),
)
TENANT = "contoso.example"
TEAM, OFFICE = f"team@{TENANT}", f"anna.bergstrom@{TENANT}"
ROLES = ("Contacts.ReadWrite", "User.Read.All", "GroupMember.Read.All")
INTERVAL = "5s"
READY_WITHIN = 180.0
BETWEEN_EDITS = 3.0
CALM, THROTTLED, OUTAGE = 40.0, 45.0, 40.0
"""Seconds."""
WRITES = {"service": "graph", "method": "POST", "path": "/contacts$"}


class Events:
    def __init__(self, stage: Stage, tell: Narration) -> None:
        self._stage = stage
        self._tell = tell
        self._admin: AdminClient = stage.simulator.admin
        self._numbers = itertools.count(1)
        self._spokes: dict[str, Spoke] = {}

    def begin(self) -> None:
        """Apply everything, and wait for the first pass."""
        self._tell.step("A hub with ten Spokes and a SpokeSet")
        self._gather_team()
        for how in MANIFESTS:
            self._stage.plane.kubectl("apply", *how)
        self._patch("hub", HUB, {"spec": {"interval": INTERVAL}})
        self._spokes = resources.spokes(self._stage.plane, NAMESPACE)
        self._tell.until(
            "everything becomes Ready",
            self._ready,
            within=READY_WITHIN,
            check=self._stage.operator.check_running,
        )

    def happen(self) -> None:
        self._tell.step("People edit their contacts")
        self._edit_for(CALM)

        self._tell.step("Microsoft Graph asks for a slower pace")
        with self._rule("status", status=429, retry_after=4, probability=0.5, service="graph"):
            self._edit_for(THROTTLED)

        self._tell.step("Two edit one field, unaware of each other")
        self._patch("hub", HUB, {"spec": {"conflictPolicy": "Manual"}})
        mine, theirs = self._shared("anna", "carla")
        for spoke, held in (("anna", mine), ("carla", theirs)):
            self._edit(spoke, held, f"As {spoke} has it")
        self._edit_for(CALM / 2)

        self._tell.step("Somebody leaves, and a mailbox takes nothing")
        self._stage.plane.kubectl("delete", "spoke", "gloria", "-n", NAMESPACE, "--wait=false")
        refusing = self._user("bob")
        path = f"/users/{refusing}/.*contacts$"
        with self._rule("status", **{**WRITES, "path": path}, status=503, moment="before"):
            self._add("alice")
            self._edit_for(OUTAGE)

        self._tell.step("Somebody deletes most of what they have")
        self._patch("hub", HUB, {"spec": {"deletion": {"gracePeriod": "0s", "maxCount": 5}}})
        for held in self._own("beatriz")[1:]:
            self._admin.delete_contact(self._spokes["beatriz"].mailbox, held.id)
        self._edit_for(CALM)

    def _gather_team(self) -> None:
        here = [json.loads(line) for line in ORGANISATION.read_text().splitlines()]
        people = [
            one
            for one in here
            if one["kind"] == "user"
            and one["tenant"] == TENANT
            and one.get("userType") != "Guest"
            and one["userPrincipalName"] != OFFICE
        ]
        people.sort(key=lambda one: bool(one.get("hasMailbox", True)))
        (group,) = [one["id"] for one in here if one["kind"] == "group" and one["mail"] == TEAM]
        self._admin.grant(CIRAHUB, TENANT, ROLES)
        self._admin.set_members(group, [one["userPrincipalName"] for one in people[:6]])

    def _ready(self) -> bool | None:
        found = resources.standings(self._stage.plane, NAMESPACE)
        return (bool(found) and all(one.ready for one in found)) or None

    def _edit_for(self, seconds: float) -> None:
        """By one after the other."""
        end = time.monotonic() + seconds
        for name in itertools.cycle(("anna", "bjorn", "alice", "chloe", "amadou")):
            if time.monotonic() >= end:
                return
            held = self._own(name)
            number = next(self._numbers)
            self._edit(name, held[number % len(held)], f"Consultant, grade {number}")
            self._stage.operator.check_running()
            time.sleep(BETWEEN_EDITS)

    def _edit(self, spoke: str, held: Held, title: str) -> None:
        mailbox = self._spokes[spoke].mailbox
        self._stage.mailboxes.change(mailbox, held, {"jobTitle": title})

    def _add(self, spoke: str) -> None:
        contact = {
            "displayName": "Newcomer",
            "emailAddresses": [{"name": "", "address": "newcomer@people.example"}],
        }
        self._admin.create_contact(self._spokes[spoke].mailbox, contact)

    def _own(self, spoke: str) -> list[Held]:
        return [one for one in self._stage.mailboxes.at(self._spokes[spoke]) if not one.is_copy]

    def _shared(self, owner: str, receiver: str) -> tuple[Held, Held]:
        """A contact and its copy."""
        copies = [one for one in self._stage.mailboxes.at(self._spokes[receiver]) if one.is_copy]
        return next(
            (own, copy)
            for own in self._own(owner)
            for copy in copies
            if own.emails and own.emails <= copy.emails
        )

    def _user(self, spoke: str) -> str:
        """The id."""
        address = self._spokes[spoke].mailbox
        (found,) = (
            str(one["id"]) for one in self._admin.mailboxes() if one["userPrincipalName"] == address
        )
        return found

    @contextmanager
    def _rule(self, kind: str, **what: object) -> Iterator[None]:
        rule = self._admin.add_rule(kind, **what)
        yield
        self._admin.remove_rule(rule)

    def _patch(self, kind: str, name: str, patch: object) -> None:
        self._stage.plane.kubectl(
            "patch", kind, name, "-n", NAMESPACE, "--type=merge", "-p", json.dumps(patch)
        )
