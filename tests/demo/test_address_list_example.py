"""`examples/address-list`, applied to a Kubernetes API and played against the simulator."""

from __future__ import annotations

from typing import Any

import pytest
from tests.demo.played import Played, seed

from cirahub_simulator.seed.generate import CIRAHUB
from cluster.errors import KubectlFailedError
from demo.stage import Stage

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


def company(example: Played, mailbox: str) -> dict[str, dict[str, Any]]:
    """The contacts of the mailbox's folder, by their names."""
    return {
        entry["contact"]["displayName"]: entry["contact"]
        for entry in example.admin.contacts(mailbox)
        if entry["folder"] == ["Company"]
    }


def the_user(name: str) -> dict[str, Any]:
    """As a line of a seed."""
    users = (one for one in seed() if one["kind"] == "user")
    (found,) = [one for one in users if one["userPrincipalName"].startswith(name)]
    return dict(found)


def test_the_company_s_people_are_in_every_mailbox_and_follow_the_directory(stage: Stage) -> None:
    example = Played(stage, "address-list")
    admin = example.admin
    others = {who: len(admin.contacts(who)) for who in (ANNA, HENRY)}
    admin.grant(CIRAHUB, "contoso.example", ["Contacts.ReadWrite"])
    example.apply()
    needed = ["OrgContact.Read.All", "User.Read.All"]
    example.until(lambda: example.missing("contoso") == needed)
    admin.grant(CIRAHUB, "contoso.example", ROLES)
    example.look("connection", "contoso")

    def both(*names: str) -> bool:
        return all(company(example, who).keys() == {*names} for who in (ANNA, HENRY))

    example.until(lambda: both(*COLLEAGUES))
    example.wait_ready()
    assert example.show("spoke", "directory", "{.status.items}") == "6"
    assert example.show("connection", "contoso", "{.status.permissionsInExcess}") in ("", "[]")
    gloria = company(example, HENRY)["Gloria Fernández"]
    assert (gloria["department"], gloria["categories"]) == ("IT", ["Company"])

    # A phone, a mail contact, and somebody who leaves for good.
    phone = "+1 425 555 0142"
    admin.seed([the_user("gloria") | {"mobilePhone": phone}])
    partner = {"displayName": "Pat Partner", "mail": "pat@partner.example", "mailNickname": "pat"}
    admin.seed([{"kind": "orgcontact", "id": "pat", "tenant": "contoso.example"} | partner])
    example.until(lambda: both(*COLLEAGUES, "Pat Partner"))
    example.until(lambda: company(example, ANNA)["Gloria Fernández"]["mobilePhone"] == phone)
    at_once = '{"spec":{"deletion":{"gracePeriod":"0s"}}}'
    example.kubectl("patch", "hub", "company", "--type=merge", "-p", at_once)
    admin.call("DELETE", f"/users/{the_user('daniel')['id']}")
    left = COLLEAGUES - {"Dániel Kovács"} | {"Pat Partner"}
    example.until(lambda: both(*left))
    admin.seed([the_user("elif") | {"department": "Legal"}])
    example.until(lambda: both(*left - {"Elif Öztürk"}))
    writes = [
        one for one in admin.requests() if one["service"] == "graph" and one["method"] != "GET"
    ]
    assert all("/contact" in one["path"] or one["path"].endswith("$batch") for one in writes)

    patch = ("--type=merge", "-p", '{"spec":{"direction":"TwoWay"}}')
    with pytest.raises(KubectlFailedError, match="globalAddressList goes one way"):
        example.kubectl("patch", "spoke", "directory", *patch)
    example.erase("hub", "company")
    example.until(both)
    assert {who: len(admin.contacts(who)) for who in (ANNA, HENRY)} == others
