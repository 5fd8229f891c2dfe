"""`examples/company-contacts`, applied to a Kubernetes API and played against the simulator: a
SpokeSet over a nested group whose people join, leave, opt out and have no mailbox."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cirahub_simulator.seed.generate import CIRAHUB
from cirahub_simulator.seed.loader import ORGANISATION
from demo.narration import Narration
from demo.stage import Stage

ROOT = Path(__file__).resolve().parent.parent.parent
NAMESPACE = "cirahub-demo"
WITHIN = 240.0
TENANT = "contoso.example"
OFFICE = f"anna.bergstrom@{TENANT}"
ROLES = ["Contacts.ReadWrite", "User.Read.All", "GroupMember.Read.All"]
asked = itertools.count()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage(Narration()) as stage:
        yield stage


class Company:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.admin = stage.simulator.admin
        seed = [json.loads(line) for line in ORGANISATION.read_text().splitlines()]
        here = [one for one in seed if one.get("tenant") == TENANT]
        self.groups = {one["mail"]: one["id"] for one in here if one["kind"] == "group"}
        users = [one for one in here if one["kind"] == "user" and one.get("userType") != "Guest"]
        self.people = [one["userPrincipalName"] for one in users if one.get("hasMailbox", True)]
        (self.former,) = [
            one["userPrincipalName"] for one in users if not one.get("hasMailbox", True)
        ]

    def kubectl(self, *arguments: str) -> str:
        return self._stage.plane.kubectl("-n", NAMESPACE, *arguments)

    def status(self) -> dict[str, Any]:
        found = json.loads(self.kubectl("get", "spokeset", "everybody", "-o", "json"))
        status: dict[str, Any] = found.get("status", {})
        return status

    def states(self) -> dict[str, int]:
        members = self.status().get("members", {})
        return {name: members[name] for name in ("total", "ready", "failed", "leaving")}

    def look(self) -> None:
        """Have it read now who the members are."""
        text = f"reconcile.cirahub.io/requestedAt={next(asked)}"
        self.kubectl("annotate", "spokeset", "everybody", "--overwrite", text)

    def held(self, mailbox: str) -> list[str]:
        """What is in the company's folder."""
        return sorted(
            one["contact"]["displayName"]
            for one in self.admin.contacts(mailbox)
            if one["folder"] == ["Company"]
        )

    def until(self, holds: Callable[[], object], what: str) -> None:
        end = time.monotonic() + WITHIN
        while not holds():
            told = self.kubectl("get", "hubs,spokes,spokesets,connections", "-o", "wide")
            assert time.monotonic() < end, f"{what}\n{told}\n{self._stage.log_tail()}"
            time.sleep(0.5)


def test_everybody_has_the_company_s_contacts_and_who_opted_out_is_left_alone(
    stage: Stage,
) -> None:
    stage.simulator.admin.grant(CIRAHUB, TENANT, ROLES)
    company = Company(stage)
    ada, ben, cleo, dan, *_ = (one for one in company.people if one != OFFICE)
    former = company.former  # and the mailbox is gone
    team, desk, out = (company.groups[f"{one}@{TENANT}"] for one in ("team", "desk", "opted-out"))
    company.admin.set_members(desk, [cleo, former])
    company.admin.set_members(team, [OFFICE, ada, ben, desk])
    company.admin.set_members(out, [ben])
    wanted = sorted(
        one["contact"]["displayName"] for one in company.admin.contacts(OFFICE) if not one["folder"]
    )
    before = {one: company.admin.contacts(one) for one in (ben, dan, OFFICE)}

    # All at once, those of the nested group too; who has no mailbox holds up nobody.
    stage.plane.kubectl("apply", "--server-side", "-k", str(ROOT / "examples/company-contacts"))
    company.until(lambda: company.status().get("members"), "no members were counted")
    company.until(lambda: company.states()["ready"] == 2, "not all are in sync")
    company.kubectl("wait", "--for=condition=Ready", "hubs,spokes,spokesets", "--all")
    assert company.states() == {"total": 3, "ready": 2, "failed": 1, "leaving": 0}
    assert company.held(ada) == company.held(cleo) == wanted
    (worst,) = company.status()["members"]["worst"]
    assert worst["reason"] == "TargetNotFound"
    assert TENANT not in json.dumps(company.status()), "names of people stay out of it"

    # One joins; one leaves, and is erased once the grace is over.
    patch = '{"spec":{"leaving":{"gracePeriod":"0s","maxPercent":50}}}'
    company.kubectl("patch", "spokeset", "everybody", "--type=merge", "-p", patch)
    company.admin.set_members(desk, [dan, former])
    company.look()
    company.until(lambda: company.held(dan) == wanted, "who joined got nothing")
    company.until(lambda: company.held(cleo) == [], "who left was not erased")

    # One opts out.
    company.admin.set_members(out, [ben, dan])
    company.look()
    company.until(lambda: company.held(dan) == [], "who opted out still has it")
    company.until(lambda: company.states()["leaving"] == 0, "somebody is still leaving")

    # A group that can't be read, or suddenly reads empty, changes nothing.
    company.admin.set_members(team, [])
    company.look()
    company.kubectl(
        "wait", "--for=condition=MembersGuarded", "spokeset/everybody", "--timeout=120s"
    )
    assert company.held(ada) == wanted
    company.admin.remove_group(team)
    company.look()
    path = "--for=jsonpath={.status.conditions[?(@.type=='Ready')].reason}=GroupNotFound"
    company.kubectl("wait", path, "spokeset/everybody", "--timeout=120s")
    assert company.states() == {"total": 2, "ready": 1, "failed": 1, "leaving": 0}
    assert company.held(ada) == wanted

    # The whole set leaves.
    company.kubectl("annotate", "spokeset", "everybody", "cirahub.io/erase=now")
    company.kubectl("delete", "spokeset", "everybody", "--timeout=240s")
    assert company.held(ada) == []
    assert {one: company.admin.contacts(one) for one in before} == before
