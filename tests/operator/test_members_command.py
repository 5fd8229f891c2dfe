"""SpokeSets on a laptop: `cirahub pass`, `members`, `plan` and `permissions`, without a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cirahub_operator.cli import cirahub

from .laptop import Laptop, opened
from .stage import Manifest, spoke, spoke_set

BOB, CY = (f"00000000-0000-4000-8000-{number:012d}" for number in (1, 2))
LISTED = ["bob@contoso.com", "cy@contoso.com"]


def everybody(*mailboxes: str, **spec: Any) -> Manifest:
    leaving = {"gracePeriod": "0s", "maxPercent": 50}
    return spoke_set(
        members={"mailboxes": list(mailboxes)},
        template={"mailbox": {}, "direction": "Receive"},
        leaving=leaving,
        **spec,
    )


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    """Bob and Cy get what Ann has."""
    with opened(tmp_path) as made:
        made.declare(spoke("ann"), everybody(*LISTED))
        made.add("ann", "Ada")
        yield made


def members(laptop: Laptop, *options: str) -> list[dict[str, Any]]:
    ran = laptop.run("members", "everybody", "-o", "json", *options)
    assert ran.exit_code == 0, ran.output
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


def test_a_pass_syncs_members_and_erases_who_left(laptop: Laptop) -> None:
    planned = laptop.run("plan", "-q", files=True)
    assert f"default/everybody/{BOB}" in planned.output
    ran = laptop.run("pass", "-q", files=True)
    assert ran.exit_code == 0, ran.output
    assert "SpokeSet default/everybody: 2 members (2 ready)" in ran.output
    assert (laptop.names("bob"), laptop.names("cy")) == (["Ada"], ["Ada"])
    laptop.declare(spoke("ann"), everybody("bob@contoso.com"))
    ran = laptop.run("pass", files=True)
    assert ran.exit_code == 0, ran.output
    assert f"Member default/everybody/{CY}: erased; 1 copies deleted" in ran.output
    assert (laptop.names("bob"), laptop.names("cy")) == (["Ada"], [])


def test_members_are_shown_suspended_and_resumed(laptop: Laptop) -> None:
    laptop.sync()
    assert {one["id"]: one["state"] for one in members(laptop)} == {BOB: "Ready", CY: "Ready"}
    ran = laptop.run("members", "default/everybody")
    assert "bob@contoso.com" in ran.output
    (bob,) = members(laptop, "--suspend", "BOB@contoso.com")
    assert (bob["id"], bob["state"]) == (BOB, "Suspended")
    laptop.add("ann", "Eve")
    laptop.sync()
    assert (laptop.names("bob"), laptop.names("cy")) == (["Ada"], ["Ada", "Eve"])
    members(laptop, "--resume", BOB)
    laptop.sync()
    assert laptop.names("bob") == ["Ada", "Eve"]
    ran = laptop.run("members", "everybody", "--retry", "nobody@contoso.com")
    assert ran.exit_code == 1
    assert "has no members nobody@contoso.com" in ran.output
    assert laptop.run("members", "others").exit_code == 1


def test_all_members_gone_wait_for_approval(laptop: Laptop) -> None:
    laptop.sync()
    spec = everybody("ann@contoso.com")
    spec["spec"]["members"]["excluding"] = ["ann@contoso.com"]
    laptop.declare(spoke("ann"), spec)
    ran = laptop.run("pass", "-q", files=True)
    assert ran.exit_code == 3, ran.output
    assert "2 members are gone" in ran.output
    approval = ran.output.rpartition("--approve ")[2].split()[0]
    ran = laptop.run("pass", "-q", "--approve", approval, files=True)
    assert ran.exit_code == 0, ran.output
    assert laptop.names("bob") == []


def test_a_set_of_another_kind_of_hub_is_refused_by_its_place(laptop: Laptop) -> None:
    laptop.declare(
        spoke("ann"), everybody(*LISTED) | {"spec": _calendar(everybody(*LISTED)["spec"])}
    )
    ran = laptop.run("pass", "-q", files=True)
    assert ran.exit_code == 2
    assert "SpokeSet default/everybody" in ran.output
    assert "spec.template.mailbox" in ran.output


def _calendar(spec: dict[str, Any]) -> dict[str, Any]:
    return spec | {"template": {"calendar": {}, "direction": "Receive"}}


def test_permissions_are_those_of_its_groups_filters_and_mailboxes(laptop: Laptop) -> None:
    one = everybody("bob@contoso.com")
    one["spec"]["members"] |= {"groups": ["team@contoso.com"], "filter": "department eq 'Sales'"}
    laptop.declare(spoke("ann"), one)
    files = ("-f", str(laptop.folder / "manifests.yaml"))
    told = CliRunner().invoke(cirahub, ["permissions", *files]).output
    for permission in ("Contacts.ReadWrite", "User.Read.All", "GroupMember.Read.All"):
        assert permission in told
    exchange = ["permissions", *files, "--mailbox-access", "ExchangeRBAC"]
    told = CliRunner().invoke(cirahub, exchange).output
    assert "MemberOfGroup -eq '$($group.DistinguishedName)'" in told
    assert "Get-Recipient -Identity 'team@contoso.com'" in told
    assert "PrimarySmtpAddress -eq ''bob@contoso.com''" in told
    assert "SpokeSet default/everybody finds its members by a filter" in told
