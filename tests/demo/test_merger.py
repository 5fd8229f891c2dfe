"""`examples/merger`, applied to a Kubernetes API and played against the simulator: all systems that
there are in one hub, and a hub of events beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.demo.calendars import Exchange, Graph, moments, short, weekly
from tests.demo.contacts import PublicFolders, Shown, shown
from tests.demo.played import EXAMPLES, NAMESPACE, Played, seed

from cirahub_simulator.seed.generate import CIRAHUB
from cluster import Prometheus
from dashboards.queries import asked
from demo.stage import Stage

CONTOSO = "contoso.example"
FABRIKAM = "fabrikam.example"
ANNA = f"anna.bergstrom@{CONTOSO}"
ALICE = f"alice.edwards@{FABRIKAM}"
BOB = f"bob.nakamura@{FABRIKAM}"
OLGA = "olga.nowak@adatum.example"
PAUL = "paul.lefevre@adatum.example"
SOURCES = (ANNA, ALICE, OLGA)
GRANTED = {
    CONTOSO: ["Contacts.ReadWrite", "Calendars.Read", "GroupMember.Read.All", "User.Read.All"],
    FABRIKAM: [
        "Contacts.ReadWrite",
        "Calendars.ReadWrite",
        "Exchange.ManageAsApp",
        "User.ReadBasic.All",
    ],
}
"""What `cirahub permissions -f examples/merger` says, and no more."""
HUBS = ("people", "appointments")
CHART = EXAMPLES.parent / "charts/cirahub-operator"
RECIPIENTS = "Exchange Recipient Administrator"


class Merger(Played):
    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, "merger")
        people = [one for one in seed() if one.get("tenant") == CONTOSO and one["kind"] == "user"]
        listed = [one for one in people if one.get("userType", "Member") == "Member"]
        self.people = {
            one["displayName"]: one["mail"] for one in listed if one.get("accountEnabled", True)
        }
        self.team = [
            one["userPrincipalName"]
            for one in listed
            if one.get("hasMailbox", True) and one["userPrincipalName"] != ANNA
        ][:4]
        self.groups = {
            one["mail"]: one["id"]
            for one in seed()
            if one["kind"] == "group" and one["tenant"] == CONTOSO
        }
        self._public = PublicFolders(self.simulator)

    def source(self, mailbox: str) -> list[dict[str, Any]]:
        """The contacts that a mailbox has of its own."""
        return [one["contact"] for one in self.admin.contacts(mailbox) if not one["folder"]]

    def folder(self, mailbox: str) -> Shown:
        return shown(self.simulator, mailbox, "Group")

    def copies(self, mailbox: str) -> list[dict[str, Any]]:
        """By display name."""
        held = (one for one in self.admin.contacts(mailbox) if one["folder"] == ["Group"])
        return sorted((one["contact"] for one in held), key=lambda one: str(one["displayName"]))

    def public(self, *path: str) -> Shown:
        return self._public.shown("Company Contacts", *path)

    def listed(self) -> dict[str, str]:
        """Fabrikam's mail contacts: names and addresses."""
        return {
            one["DisplayName"]: one["ExternalEmailAddress"].removeprefix("SMTP:")
            for one in self.admin.cmdlet(FABRIKAM, "Get-MailContact")
        }


@pytest.fixture(scope="module")
def merger(stage: Stage) -> Merger:
    merger = Merger(stage)
    for tenant, roles in GRANTED.items():
        merger.admin.grant(CIRAHUB, tenant, roles)
    merger.admin.assign_directory_roles(CIRAHUB, FABRIKAM, [RECIPIENTS])
    team, desk = (merger.groups[f"{one}@{CONTOSO}"] for one in ("team", "desk"))
    direct, nested = merger.team[:2], merger.team[2:]
    merger.admin.set_members(desk, nested)
    merger.admin.set_members(team, [ANNA, *direct, desk])
    return merger


def test_every_system_is_a_spoke_of_one_hub(merger: Merger) -> None:
    sources = {who: merger.source(who) for who in SOURCES}
    company = merger.public()
    merger.apply()

    def equal() -> bool:
        whole = merger.folder(BOB)
        of_team = sorted((f"{one[0]} (Group)", *one[1:-1], "") for one in whole)
        return (
            len(whole) > max(len(held) for held in sources.values())
            and merger.folder(PAUL) == whole == merger.public("Group")
            and all(merger.folder(who) == of_team for who in merger.team)
            and merger.listed() == merger.people
        )

    merger.until(equal, "the places differ")
    merger.wait_ready()
    whole = merger.folder(BOB)
    everybody = {address.lower() for one in whole for address in one[6].split()}
    own = [shown(merger.simulator, who, "") for who in SOURCES]
    for contact in (one for held in (*own, company) for one in held if one[6]):
        # A copy has room for three addresses of somebody of whom several places know several.
        assert {address.lower() for address in contact[6].split()} & everybody
    assert {address.lower() for address in merger.people.values()} <= everybody
    assert all("Group" in one["categories"] for one in merger.copies(PAUL))
    assert not any("Group" in one["categories"] for one in merger.copies(BOB))
    for connection in ("contoso", "fabrikam"):
        assert merger.missing(connection) == []
        path = "{.status.permissionsInExcess}"
        assert merger.show("connection", connection, path) in ("", "[]")

    # Two edit copies, each in another system.
    by_bob, by_paul = merger.copies(BOB)[0], merger.copies(PAUL)[-1]
    merger.admin.update_contact(BOB, by_bob["id"], {"mobilePhone": "+44 20 7946 0999"})
    merger.admin.update_contact(PAUL, by_paul["id"], {"jobTitle": "Integration Lead 人"})

    def arrived() -> bool:
        titles = {one["jobTitle"] for one in merger.copies(BOB)}
        phones = {one[4] for one in merger.folder(PAUL)}
        return "Integration Lead 人" in titles and "+44 20 7946 0999" in phones and equal()

    merger.until(arrived, "the edits")
    assert {who: merger.source(who) for who in SOURCES} == sources, "who contributes is not written"
    assert merger.public() == company
    merger.wait_ready()


def test_the_calendars_of_a_tenant_and_a_server_are_another(merger: Merger) -> None:
    graph, exchange = Graph(merger.simulator), Exchange(merger.simulator)
    merger.admin.create_event(ANNA, {"subject": "Board", **moments(8), **weekly()})
    merger.admin.create_event(OLGA, {"subject": "Site visit", **moments(12, 3)})

    def equal() -> bool:
        wanted = sorted([*short(graph.shown(ANNA, "")), *exchange.shown(OLGA, "")])
        without_place = sorted((*one[:3], "") for one in wanted)
        return (
            {"Board", "Site visit"} <= {one[2] for one in wanted}
            and exchange.shown(PAUL, "Merger") == wanted
            and short(graph.shown(BOB, "Merger")) == without_place
        )

    merger.until(equal, "the calendars differ")
    merger.wait_ready()


def test_every_panel_of_the_dashboards_shows_something(
    merger: Merger, stage: Stage, prometheus: Path
) -> None:
    """But those that say that they are empty while all is well."""
    rules = sorted((CHART / "files/rules").iterdir())
    with Prometheus.start(prometheus, scraped=stage.operator.address, rules=rules) as scraping:
        # A rate is of two samples.
        merger.until(lambda: scraping.query("rate(cirahub_passes_total[1m])"), "two scrapes")
        empty = {
            (board["uid"], hub, panel["title"], target["expr"])
            for board in dashboards()
            for hub in HUBS
            for panel in board["panels"]
            for target in panel.get("targets", ())
            if not re.search(r"(^|\. )Empty ", panel["description"])
            and not scraping.query(asked(target["expr"], {"namespace": NAMESPACE, "hub": hub}))
        }
        assert empty == set()
        for board in dashboards():
            _, *chosen = board["templating"]["list"]
            for variable in chosen:
                selector = asked(variable["query"]["query"], {"namespace": NAMESPACE})
                selector = selector.removeprefix("label_values(").rpartition(",")[0]
                found = scraping.query(f"group by ({variable['name']}) ({selector})")
                values = {one.labels[variable["name"]] for one in found}
                assert values >= {"namespace": {NAMESPACE}, "hub": set(HUBS)}[variable["name"]]
        firing = scraping.query('ALERTS{alertstate="firing"}')
        assert [one.labels["alertname"] for one in firing] == []


def dashboards() -> list[dict[str, Any]]:
    return [json.loads(one.read_text()) for one in (CHART / "files/dashboards").iterdir()]


def test_who_leaves_takes_along_what_the_hub_made(merger: Merger) -> None:
    before = {who: merger.source(who) for who in (*SOURCES, *merger.team)}
    for hub in ("people", "appointments"):
        merger.erase("hub", hub)
    assert merger.listed() == {}
    assert merger.public("Group") == []
    assert all(merger.folder(who) == [] for who in (BOB, PAUL, *merger.team))
    assert {who: merger.source(who) for who in before} == before
