"""`examples/two-address-lists`, applied to a Kubernetes API and played against the simulator."""

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
WITHIN = 240.0
TENANTS = ("contoso", "fabrikam")
ROLES = ["Exchange.ManageAsApp", "User.Read.All"]
RECIPIENTS = "Exchange Recipient Administrator"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage(Narration()) as stage:
        yield stage


def until(what: Callable[[], object], told: Callable[[], object]) -> None:
    end = time.monotonic() + WITHIN
    while not what():
        assert time.monotonic() < end, told()
        time.sleep(0.5)


def show(stage: Stage, kind: str, name: str, path: str) -> str:
    return stage.plane.kubectl("-n", NAMESPACE, "get", kind, name, f"--output=jsonpath={path}")


def everything(stage: Stage) -> str:
    objects = stage.plane.kubectl("-n", NAMESPACE, "get", "hubs,spokes,connections", "-o", "wide")
    return f"{objects}\n{stage.log_tail()}"


def people(tenant: str) -> dict[str, dict[str, Any]]:
    """Users of the seed that an address list has, by display name."""
    seed = ROOT / "simulator/cirahub_simulator/seed/organisation.jsonl"
    lines = (json.loads(line) for line in seed.read_text().splitlines())
    return {
        one["displayName"]: one
        for one in lines
        if one["kind"] == "user"
        and one["tenant"] == f"{tenant}.example"
        and one.get("mail")
        and one.get("accountEnabled", True)
        and one.get("userType", "Member") == "Member"
    }


def contacts(stage: Stage, tenant: str) -> dict[str, dict[str, Any]]:
    """The tenant's mail contacts, both halves, by display name."""
    admin = stage.simulator.admin
    halves = {one["Guid"]: one for one in admin.cmdlet(f"{tenant}.example", "Get-Contact")}
    return {
        one["DisplayName"]: halves[one["Guid"]] | one
        for one in admin.cmdlet(f"{tenant}.example", "Get-MailContact")
    }


def test_two_tenants_show_each_other_their_people(stage: Stage) -> None:
    admin = stage.simulator.admin
    theirs = {"Name": "Eve", "Alias": "eve", "ExternalEmailAddress": "eve@elsewhere.example"}
    admin.cmdlet("contoso.example", "New-MailContact", **theirs)
    apply = ("apply", "--server-side", "--kustomize", str(ROOT / "examples/two-address-lists"))
    stage.plane.kubectl(*apply)

    def missing(tenant: str) -> list[str]:
        told = show(stage, "connection", tenant, "{.status.permissionsMissing}")
        return sorted(json.loads(told or "[]"))

    until(
        lambda: all("Exchange.ManageAsApp" in missing(one) for one in TENANTS),
        lambda: everything(stage),
    )
    for tenant in TENANTS:
        admin.grant(CIRAHUB, f"{tenant}.example", ROLES)
        admin.assign_directory_roles(CIRAHUB, f"{tenant}.example", ["Global Reader"])
        asked = ("annotate", "connection", tenant, "reconcile.cirahub.io/requestedAt=1")
        stage.plane.kubectl("-n", NAMESPACE, *asked)
    until(lambda: all(missing(one) == [RECIPIENTS] for one in TENANTS), lambda: everything(stage))
    for tenant in TENANTS:
        admin.assign_directory_roles(CIRAHUB, f"{tenant}.example", [RECIPIENTS])
        asked = ("annotate", "--overwrite", "connection", tenant)
        stage.plane.kubectl("-n", NAMESPACE, *asked, "reconcile.cirahub.io/requestedAt=2")

    of_contoso, of_fabrikam = people("contoso"), people("fabrikam")
    until(
        lambda: (
            contacts(stage, "fabrikam").keys() == of_contoso.keys()
            and contacts(stage, "contoso").keys() == {*of_fabrikam, "Eve"}
        ),
        lambda: everything(stage),
    )
    wait = ("wait", "--for=condition=Ready", "hubs,spokes,connections", "--all", "--timeout=120s")
    stage.plane.kubectl("-n", NAMESPACE, *wait)
    for name, user in of_contoso.items():
        made = contacts(stage, "fabrikam")[name]
        assert made["ExternalEmailAddress"] == f"SMTP:{user['mail']}"
        assert made["Title"] == user.get("jobTitle", "")
        assert made["Department"] == user.get("department", "")
    for tenant in TENANTS:
        own = len(of_contoso if tenant == "contoso" else of_fabrikam)
        assert show(stage, "spoke", f"{tenant}-people", "{.status.items}") == str(own)

    patch = ("--type=merge", "-p", '{"spec":{"direction":"Contribute"}}')
    with pytest.raises(KubectlFailedError, match="direction of a globalAddressList can't be"):
        stage.plane.kubectl("-n", NAMESPACE, "patch", "spoke", "contoso-list", *patch)
    stage.plane.kubectl("-n", NAMESPACE, "annotate", "hub", "group", "cirahub.io/erase=now")
    stage.plane.kubectl("-n", NAMESPACE, "delete", "hub", "group", "--timeout=120s")
    until(
        lambda: contacts(stage, "fabrikam") == {} and list(contacts(stage, "contoso")) == ["Eve"],
        lambda: everything(stage),
    )
