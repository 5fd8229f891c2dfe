"""`examples/company-contacts`, applied to a Kubernetes API and played against the simulator: a
SpokeSet over a nested group whose people join, leave, opt out and have no mailbox."""

from __future__ import annotations

import json
from typing import Any

from tests.demo.played import Played, seed

from cirahub_simulator.seed.generate import CIRAHUB
from demo.stage import Stage

TENANT = "contoso.example"
OFFICE = f"anna.bergstrom@{TENANT}"
ROLES = ["Contacts.ReadWrite", "User.Read.All", "GroupMember.Read.All"]


class Company(Played):
    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, "company-contacts")
        here = [one for one in seed() if one.get("tenant") == TENANT]
        self.groups = {one["mail"]: one["id"] for one in here if one["kind"] == "group"}
        users = [one for one in here if one["kind"] == "user" and one.get("userType") != "Guest"]
        self.people = [one["userPrincipalName"] for one in users if one.get("hasMailbox", True)]
        (self.former,) = [
            one["userPrincipalName"] for one in users if not one.get("hasMailbox", True)
        ]

    def status(self) -> dict[str, Any]:
        found = json.loads(self.kubectl("get", "spokeset", "everybody", "-o", "json"))
        status: dict[str, Any] = found.get("status", {})
        return status

    def states(self) -> dict[str, int]:
        members = self.status().get("members", {})
        return {name: members[name] for name in ("total", "ready", "failed", "leaving")}

    def held(self, mailbox: str) -> list[str]:
        """What is in the company's folder."""
        return sorted(
            one["contact"]["displayName"]
            for one in self.admin.contacts(mailbox)
            if one["folder"] == ["Company"]
        )


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
    company.apply()
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
    company.look("spokeset", "everybody")
    company.until(lambda: company.held(dan) == wanted, "who joined got nothing")
    company.until(lambda: company.held(cleo) == [], "who left was not erased")

    # One opts out.
    company.admin.set_members(out, [ben, dan])
    company.look("spokeset", "everybody")
    company.until(lambda: company.held(dan) == [], "who opted out still has it")
    company.until(lambda: company.states()["leaving"] == 0, "somebody is still leaving")

    # A group that can't be read, or suddenly reads empty, changes nothing.
    company.admin.set_members(team, [])
    company.look("spokeset", "everybody")
    company.kubectl(
        "wait", "--for=condition=MembersGuarded", "spokeset/everybody", "--timeout=120s"
    )
    assert company.held(ada) == wanted
    company.admin.remove_group(team)
    company.look("spokeset", "everybody")
    path = "--for=jsonpath={.status.conditions[?(@.type=='Ready')].reason}=GroupNotFound"
    company.kubectl("wait", path, "spokeset/everybody", "--timeout=120s")
    assert company.states() == {"total": 2, "ready": 1, "failed": 1, "leaving": 0}
    assert company.held(ada) == wanted

    # The whole set leaves.
    company.erase("spokeset", "everybody")
    assert company.held(ada) == []
    assert {one: company.admin.contacts(one) for one in before} == before
