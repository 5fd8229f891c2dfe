"""`examples/address-list`, applied to a Kubernetes API and played against the simulator."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cirahub_simulator.seed.generate import CIRAHUB
from cluster.errors import KubectlFailedError
from demo.narration import Narration
from demo.stage import Stage

ROOT = Path(__file__).resolve().parent.parent.parent
NAMESPACE = "cirahub-demo"
WITHIN = 180.0
ANNA = "anna.bergstrom@contoso.example"
HENRY = "henry.oconnor@contoso.example"
COLLEAGUES = {
    "Anna Bergström",
    "Björn Eriksson",
    "Dániel Kovács",
    "Elif Öztürk",
    "Gloria Fernández",
    "Henry O’Connor",
}
"""Neither of the legal department, nor the guest, nor who has left."""
ROLES = ["Contacts.ReadWrite", "OrgContact.Read.All", "User.Read.All"]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage(Narration()) as stage:
        yield stage


def until(what: Callable[[], object], told: Callable[[], object]) -> None:
    end = time.monotonic() + WITHIN
    while not what():
        assert time.monotonic() < end, told()
        time.sleep(0.5)


def company(stage: Stage, mailbox: str) -> dict[str, dict[str, Any]]:
    """The contacts of the mailbox's folder, by their names."""
    return {
        entry["contact"]["displayName"]: entry["contact"]
        for entry in stage.simulator.admin.contacts(mailbox)
        if entry["folder"] == ["Company"]
    }


def show(stage: Stage, kind: str, name: str, path: str) -> str:
    return stage.plane.kubectl("-n", NAMESPACE, "get", kind, name, f"--output=jsonpath={path}")


def everything(stage: Stage) -> str:
    objects = stage.plane.kubectl("-n", NAMESPACE, "get", "hubs,spokes,connections", "-o", "wide")
    return f"{objects}\n{stage.log_tail()}"


def the_user(stage: Stage, name: str) -> dict[str, Any]:
    """As a line of a seed."""
    seed = ROOT / "simulator/cirahub_simulator/seed/organisation.jsonl"
    lines = (json.loads(line) for line in seed.read_text().splitlines())
    (found,) = [
        one for one in lines if one["kind"] == "user" and one["userPrincipalName"].startswith(name)
    ]
    return dict(found)


def test_the_company_s_people_are_in_every_mailbox_and_follow_the_directory(stage: Stage) -> None:
    admin = stage.simulator.admin
    others = {who: len(admin.contacts(who)) for who in (ANNA, HENRY)}
    admin.grant(CIRAHUB, "contoso.example", ["Contacts.ReadWrite"])
    apply = ("apply", "--server-side", "--kustomize", str(ROOT / "examples/address-list"))
    stage.plane.kubectl(*apply)
    missing = "{.status.permissionsMissing}"
    until(
        lambda: (
            sorted(json.loads(show(stage, "connection", "contoso", missing) or "[]"))
            == ["OrgContact.Read.All", "User.Read.All"]
        ),
        lambda: everything(stage),
    )
    admin.grant(CIRAHUB, "contoso.example", ROLES)
    asked = ("annotate", "connection", "contoso", "reconcile.cirahub.io/requestedAt=1")
    stage.plane.kubectl("-n", NAMESPACE, *asked)

    def both(*names: str) -> bool:
        return all(company(stage, who).keys() == {*names} for who in (ANNA, HENRY))

    until(lambda: both(*COLLEAGUES), lambda: everything(stage))
    wait = ("wait", "--for=condition=Ready", "hubs,spokes,connections", "--all", "--timeout=60s")
    stage.plane.kubectl("-n", NAMESPACE, *wait)
    assert show(stage, "spoke", "directory", "{.status.items}") == "6"
    assert show(stage, "connection", "contoso", "{.status.permissionsInExcess}") in ("", "[]")
    gloria = company(stage, HENRY)["Gloria Fernández"]
    assert (gloria["department"], gloria["categories"]) == ("IT", ["Company"])

    # A phone, a mail contact, and somebody who leaves for good.
    phone = "+1 425 555 0142"
    admin.seed([the_user(stage, "gloria") | {"mobilePhone": phone}])
    partner = {"displayName": "Pat Partner", "mail": "pat@partner.example", "mailNickname": "pat"}
    admin.seed([{"kind": "orgcontact", "id": "pat", "tenant": "contoso.example"} | partner])
    until(lambda: both(*COLLEAGUES, "Pat Partner"), lambda: everything(stage))
    until(
        lambda: company(stage, ANNA)["Gloria Fernández"]["mobilePhone"] == phone,
        lambda: everything(stage),
    )
    at_once = '{"spec":{"deletion":{"gracePeriod":"0s"}}}'
    stage.plane.kubectl("-n", NAMESPACE, "patch", "hub", "company", "--type=merge", "-p", at_once)
    admin.call("DELETE", f"/users/{the_user(stage, 'daniel')['id']}")
    left = COLLEAGUES - {"Dániel Kovács"} | {"Pat Partner"}
    until(lambda: both(*left), lambda: everything(stage))
    admin.seed([the_user(stage, "elif") | {"department": "Legal"}])
    until(lambda: both(*left - {"Elif Öztürk"}), lambda: everything(stage))
    writes = [
        one for one in admin.requests() if one["service"] == "graph" and one["method"] != "GET"
    ]
    assert all("/contact" in one["path"] or one["path"].endswith("$batch") for one in writes)

    patch = ("--type=merge", "-p", '{"spec":{"direction":"TwoWay"}}')
    with pytest.raises(KubectlFailedError, match="globalAddressList goes one way"):
        stage.plane.kubectl("-n", NAMESPACE, "patch", "spoke", "directory", *patch)
    stage.plane.kubectl("-n", NAMESPACE, "annotate", "hub", "company", "cirahub.io/erase=now")
    stage.plane.kubectl("-n", NAMESPACE, "delete", "hub", "company", "--timeout=120s")
    until(both, lambda: everything(stage))
    assert {who: len(admin.contacts(who)) for who in (ANNA, HENRY)} == others
