"""`examples/two-address-lists`, applied to a Kubernetes API and played against the simulator."""

from __future__ import annotations

from typing import Any

import pytest
from tests.demo.played import Played, seed

from cirahub_simulator.seed.generate import CIRAHUB
from cluster.errors import KubectlFailedError
from demo.stage import Stage

TENANTS = ("contoso", "fabrikam")
ROLES = ["Exchange.ManageAsApp", "User.Read.All"]
RECIPIENTS = "Exchange Recipient Administrator"


def people(tenant: str) -> dict[str, dict[str, Any]]:
    """Users of the seed that an address list has, by display name."""
    return {
        one["displayName"]: one
        for one in seed()
        if one["kind"] == "user"
        and one["tenant"] == f"{tenant}.example"
        and one.get("mail")
        and one.get("accountEnabled", True)
        and one.get("userType", "Member") == "Member"
    }


def contacts(example: Played, tenant: str) -> dict[str, dict[str, Any]]:
    """The tenant's mail contacts, both halves, by display name."""
    admin = example.admin
    halves = {one["Guid"]: one for one in admin.cmdlet(f"{tenant}.example", "Get-Contact")}
    return {
        one["DisplayName"]: halves[one["Guid"]] | one
        for one in admin.cmdlet(f"{tenant}.example", "Get-MailContact")
    }


def test_two_tenants_show_each_other_their_people(stage: Stage) -> None:
    example = Played(stage, "two-address-lists")
    admin = example.admin
    theirs = {"Name": "Eve", "Alias": "eve", "ExternalEmailAddress": "eve@elsewhere.example"}
    admin.cmdlet("contoso.example", "New-MailContact", **theirs)
    example.apply()
    example.until(lambda: all("Exchange.ManageAsApp" in example.missing(one) for one in TENANTS))
    for tenant in TENANTS:
        admin.grant(CIRAHUB, f"{tenant}.example", ROLES)
        admin.assign_directory_roles(CIRAHUB, f"{tenant}.example", ["Global Reader"])
        example.look("connection", tenant)
    example.until(lambda: all(example.missing(one) == [RECIPIENTS] for one in TENANTS))
    for tenant in TENANTS:
        admin.assign_directory_roles(CIRAHUB, f"{tenant}.example", [RECIPIENTS])
        example.look("connection", tenant)

    of_contoso, of_fabrikam = people("contoso"), people("fabrikam")
    example.until(
        lambda: (
            contacts(example, "fabrikam").keys() == of_contoso.keys()
            and contacts(example, "contoso").keys() == {*of_fabrikam, "Eve"}
        )
    )
    example.wait_ready()
    for name, user in of_contoso.items():
        made = contacts(example, "fabrikam")[name]
        assert made["ExternalEmailAddress"] == f"SMTP:{user['mail']}"
        assert made["Title"] == user.get("jobTitle", "")
        assert made["Department"] == user.get("department", "")
    for tenant in TENANTS:
        own = len(of_contoso if tenant == "contoso" else of_fabrikam)
        assert example.show("spoke", f"{tenant}-people", "{.status.items}") == str(own)

    patch = ("--type=merge", "-p", '{"spec":{"direction":"Contribute"}}')
    with pytest.raises(KubectlFailedError, match="direction of a globalAddressList can't be"):
        example.kubectl("patch", "spoke", "contoso-list", *patch)
    example.erase("hub", "group")
    example.until(lambda: contacts(example, "fabrikam") == {})
    assert list(contacts(example, "contoso")) == ["Eve"]
