"""A tenant's global address list as a target: mail contacts that a hub makes, and nobody else's."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cirahub_simulator.directory import Tenant, User
from cirahub_sync.configuration import (
    AddressListTarget,
    ClientSecretAuth,
    Condition,
    ConnectionConfig,
    Direction,
    Filter,
    Flow,
    HubConfig,
    MailContactsTarget,
    OnUserDelete,
    Operator,
    SecretFile,
    SpokeConfig,
)
from cirahub_sync.engine.report import PassReport, SpokeReport

from .conftest import CLIENT, TENANT, Scene

NORTHWIND = "33333333-3333-4333-8333-333333333333"
AFTER_THE_GRACE = 3700.0
A_DAY = 100_000.0
"""And as much as the interval of verifications is spread by."""
ROLES = ("Contacts.ReadWrite", "User.Read.All", "OrgContact.Read.All", "Exchange.ManageAsApp")
RECIPIENTS = ["Exchange Recipient Administrator"]


def connect_target(
    scene: Scene, name: str = "gal", *, connection: ConnectionConfig | None = None, **settings: Any
) -> SpokeConfig:
    spoke = SpokeConfig(
        uid=f"spoke-{name}",
        name=f"default/{name}",
        connection=connection or scene.connection,
        target=MailContactsTarget(),
        direction=Direction.RECEIVE,
        **settings,
    )
    scene.spokes[name] = spoke
    return spoke


def shown(scene: Scene, tenant: str = TENANT) -> dict[str, dict[str, Any]]:
    """What Exchange shows of its mail contacts, both halves, by display name."""
    halves = {one["Guid"]: one for one in scene.admin.cmdlet(tenant, "Get-Contact")}
    return {
        one["DisplayName"]: halves[one["Guid"]] | one
        for one in scene.admin.cmdlet(tenant, "Get-MailContact")
    }


def cmdlets(scene: Scene) -> list[str]:
    """That write, since `forget`."""
    names = [str(one["operation"]) for one in scene.admin.requests()]
    return [name for name in names if name and not name.startswith("Get-")]


def of(report: PassReport, name: str = "gal") -> SpokeReport:
    return report.spokes[f"spoke-{name}"]


@pytest.fixture
def lists(scene: Scene) -> Scene:
    """Ann's mailbox contributes, and the address list of its tenant receives."""
    scene.admin.grant(CLIENT, TENANT, ROLES)
    scene.admin.assign_directory_roles(CLIENT, TENANT, RECIPIENTS)
    scene.connect("ann")
    connect_target(scene)
    return scene


def ada(scene: Scene, **fields: Any) -> str:
    given = {"displayName": "Ada", "email": "ada@fabrikam.example", "companyName": "Engines"}
    return scene.add("ann", **given | fields)


async def test_contacts_of_a_hub_are_mail_contacts_in_an_address_list(lists: Scene) -> None:
    contact = ada(lists, businessPhones=["+44 20 1"], jobTitle="Countess")
    await lists.settle()
    made = shown(lists)["Ada"]
    assert (made["Company"], made["Title"], made["Phone"]) == ("Engines", "Countess", "+44 20 1")
    assert made["ExternalEmailAddress"] == "SMTP:ada@fabrikam.example"
    lists.edit("ann", contact, jobTitle="", email="ada@king.example")
    await lists.settle()
    made = shown(lists)["Ada"]
    assert (made["Title"], made["ExternalEmailAddress"]) == ("", "SMTP:ada@king.example")
    lists.remove("ann", contact)
    await lists.settle()
    assert "Ada" in shown(lists)
    lists.advance(AFTER_THE_GRACE)
    await lists.settle()
    assert shown(lists) == {}


async def test_a_second_pass_writes_nothing_to_an_address_list(lists: Scene) -> None:
    ada(lists)
    await lists.settle()
    lists.forget()
    await lists.settle()
    assert [one for one in lists.admin.requests() if one["service"] == "exchange-admin"] == []
    lists.advance(A_DAY)
    await lists.settle()
    asked = [one["operation"] for one in lists.admin.requests() if one["operation"]]
    assert sorted(asked) == ["Get-Contact", "Get-MailContact"]


async def test_what_an_address_list_has_no_room_for_stays_in_the_hub(lists: Scene) -> None:
    lists.connect("bob", Direction.RECEIVE)
    emails = ["ada@fabrikam.example", "ada@home.example"]
    contact = lists.add(
        "ann", displayName="Ada", companyName="C" * 70, emails=emails, initials="ABCDEFG"
    )
    await lists.settle()
    made = shown(lists)["Ada"]
    assert (made["Company"], made["Initials"]) == ("C" * 64, "ABCDEF")
    copy = lists.the("bob", "Ada")
    assert copy["companyName"] == "C" * 70
    assert len(copy["emailAddresses"]) == 2
    lists.edit("ann", contact, companyName="D" * 70)
    await lists.settle()
    assert shown(lists)["Ada"]["Company"] == "D" * 64


async def test_an_address_that_somebody_else_has_is_reported_and_left_alone(
    lists: Scene,
) -> None:
    """Also mail contacts are known by their alias only: a match is not adopted."""
    theirs = {"Name": "Ada", "Alias": "ada", "ExternalEmailAddress": "ada@fabrikam.example"}
    lists.admin.cmdlet(TENANT, "New-MailContact", **theirs)
    before = shown(lists)["Ada"]
    ada(lists)
    lists.add("ann", displayName="Bob", email="bob@fabrikam.example")
    report = await lists.sync(2)
    rejected = of(report).rejected
    assert rejected is not None
    assert before["ExternalDirectoryObjectId"] in rejected.error
    assert "stays untouched" in rejected.error
    assert "fabrikam" not in rejected.error
    assert shown(lists)["Ada"] == before
    assert "Bob" in shown(lists)
    lists.admin.cmdlet(TENANT, "Remove-MailContact", Identity="ada")
    lists.advance(A_DAY)
    await lists.settle()
    assert shown(lists)["Ada"]["Company"] == "Engines"


async def test_a_crash_between_making_a_mail_contact_and_completing_it_converges(
    lists: Scene,
) -> None:
    ada(lists)
    lists.admin.add_rule(
        "drop", service="exchange-admin", operation="New-MailContact", moment="after", count=1
    )
    await lists.sync()
    assert shown(lists)["Ada"]["Company"] == ""
    await lists.restart()
    report = await lists.settle()
    assert shown(lists)["Ada"]["Company"] == "Engines"
    assert of(report).counts.copies == 1
    assert cmdlets(lists).count("New-MailContact") == 1


async def test_a_second_cmdlet_that_fails_is_made_up_for(lists: Scene) -> None:
    ada(lists)
    lists.admin.add_rule(
        "status", service="exchange-admin", operation="Set-Contact", status=503, count=1
    )
    await lists.sync()
    lists.advance(60.0)
    await lists.settle()
    assert shown(lists)["Ada"]["Company"] == "Engines"
    assert cmdlets(lists).count("New-MailContact") == 1


async def test_after_a_lost_store_no_mail_contact_is_made_twice(lists: Scene) -> None:
    ada(lists)
    await lists.settle()
    await lists.lose_store()
    lists.forget()
    report = await lists.settle()
    assert "New-MailContact" not in cmdlets(lists)
    assert of(report).counts.copies == 1
    lists.spokes["gal"] = msgspec.structs.replace(lists.spokes["gal"], uid="spoke-gal-2")
    await lists.lose_store()
    await lists.settle()
    assert "New-MailContact" not in cmdlets(lists)


async def test_who_has_no_e_mail_address_is_not_put_into_an_address_list(lists: Scene) -> None:
    lists.add("ann", displayName="Nobody")
    report = await lists.settle()
    assert shown(lists) == {}
    assert of(report).counts.pending == 0


async def test_who_loses_their_e_mail_address_leaves_the_address_list(lists: Scene) -> None:
    contact = ada(lists)
    await lists.settle()
    lists.edit("ann", contact, emails=[])
    await lists.settle()
    assert "Ada" in shown(lists)
    lists.advance(AFTER_THE_GRACE)
    await lists.settle()
    assert shown(lists) == {}


@pytest.mark.parametrize("answer", list(OnUserDelete))
async def test_what_an_administrator_does_to_a_mail_contact_is_remembered_or_undone(
    lists: Scene, answer: OnUserDelete
) -> None:
    lists.spokes["gal"] = msgspec.structs.replace(lists.spokes["gal"], on_user_delete=answer)
    ada(lists)
    lists.add("ann", displayName="Bob", email="bob@fabrikam.example", companyName="Barrels")
    await lists.settle()
    made = shown(lists)
    lists.admin.cmdlet(TENANT, "Remove-MailContact", Identity=made["Ada"]["Alias"])
    lists.admin.cmdlet(TENANT, "Set-Contact", Identity=made["Bob"]["Alias"], Company="Boxes")
    lists.advance(A_DAY)
    await lists.settle()
    restored = answer is OnUserDelete.RESTORE
    assert ("Ada" in shown(lists)) == restored
    assert shown(lists)["Bob"]["Company"] == ("Barrels" if restored else "Boxes")


def hide(scene: Scene, conditions: Filter | None) -> None:
    """As the Spoke's manifest says it from now on."""
    target = MailContactsTarget(conditions)
    scene.spokes["gal"] = msgspec.structs.replace(scene.spokes["gal"], target=target)


def hidden(scene: Scene) -> dict[str, bool]:
    return {name: bool(one["HiddenFromAddressListsEnabled"]) for name, one in shown(scene).items()}


BARRELS = Filter(all=(Condition("company", Operator.IN, ("Barrels",)),))


async def test_what_the_manifest_hides_is_hidden_from_address_lists(lists: Scene) -> None:
    hide(lists, BARRELS)
    contact = ada(lists)
    lists.add("ann", displayName="Bob", email="bob@fabrikam.example", companyName="Barrels")
    await lists.settle()
    assert hidden(lists) == {"Ada": False, "Bob": True}
    assert shown(lists)["Bob"]["Company"] == "Barrels"
    lists.forget()
    await lists.settle()
    assert cmdlets(lists) == []
    lists.edit("ann", contact, companyName="Barrels")
    await lists.settle()
    assert hidden(lists) == {"Ada": True, "Bob": True}
    lists.edit("ann", contact, companyName="Engines")
    await lists.settle()
    assert hidden(lists) == {"Ada": False, "Bob": True}


async def test_what_is_to_be_hidden_may_change(lists: Scene) -> None:
    ada(lists)
    lists.add("ann", displayName="Bob", email="bob@fabrikam.example", companyName="Barrels")
    await lists.settle()
    lists.forget()
    hide(lists, BARRELS)
    await lists.settle()
    assert hidden(lists) == {"Ada": False, "Bob": True}
    written = [one for one in cmdlets(lists) if one.startswith("Set-Mail")]
    assert len(written) == 1, "who is shown as before is not written"
    hide(lists, Filter())
    await lists.settle()
    assert hidden(lists) == {"Ada": True, "Bob": True}


async def test_who_may_hide_a_mail_contact_is_said_by_the_manifest(lists: Scene) -> None:
    """Without a word of it, administrators may; with one, theirs is undone where it is restored."""
    contact = ada(lists)
    await lists.settle()
    alias = shown(lists)["Ada"]["Alias"]

    def switch(value: bool) -> None:
        told = {"Identity": alias, "HiddenFromAddressListsEnabled": value}
        lists.admin.cmdlet(TENANT, "Set-MailContact", **told)

    switch(True)
    lists.edit("ann", contact, companyName="Barrels")
    lists.advance(A_DAY)
    await lists.settle()
    assert shown(lists)["Ada"]["Company"] == "Barrels"
    assert hidden(lists) == {"Ada": True}
    switch(False)
    gal = msgspec.structs.replace(lists.spokes["gal"], on_user_delete=OnUserDelete.RESTORE)
    lists.spokes["gal"] = gal
    hide(lists, Filter(none=(Condition("company", Operator.EXISTS),)))
    await lists.settle()
    lists.advance(A_DAY)
    await lists.settle()
    assert hidden(lists) == {"Ada": False}
    switch(True)
    lists.advance(A_DAY)
    await lists.settle()
    assert hidden(lists) == {"Ada": False}


async def test_erasing_an_address_list_removes_what_the_hub_made_and_nothing_else(
    lists: Scene,
) -> None:
    theirs = {"Name": "Eve", "Alias": "eve", "ExternalEmailAddress": "eve@fabrikam.example"}
    lists.admin.cmdlet(TENANT, "New-MailContact", **theirs)
    ada(lists)
    await lists.settle()
    report = await lists.erase("gal")
    assert report.complete
    assert list(shown(lists)) == ["Eve"]


async def test_several_hubs_may_write_to_one_address_list(lists: Scene) -> None:
    ada(lists)
    await lists.settle()
    other = HubConfig(uid="hub-2", name="default/other", deletion=lists.hub.deletion)
    lists.connect("bob")
    lists.add("bob", displayName="Bea", email="bea@fabrikam.example")
    spokes = [lists.spokes.pop("bob"), msgspec.structs.replace(lists.spokes["gal"], uid="gal-2")]
    for _ in range(2):
        report = await lists.worker.run_pass(other, spokes)
    assert report.spokes["gal-2"].problem is None
    assert sorted(shown(lists)) == ["Ada", "Bea"]
    await lists.settle()
    connect_target(lists, "again")
    report = await lists.sync()
    problem = of(report, "again").problem
    assert problem is not None
    assert problem.reason == "TargetInUse"


async def test_two_tenants_show_each_other_their_people_and_nothing_comes_back(
    lists: Scene,
) -> None:
    del lists.spokes["ann"]
    directory = lists.simulator.world.directory
    directory.remove_user(directory.users(TENANT)[0].id)
    directory.add_tenant(Tenant(NORTHWIND, "northwind.example", "Northwind"))
    lists.admin.grant(CLIENT, NORTHWIND, ROLES)
    lists.admin.assign_directory_roles(CLIENT, NORTHWIND, RECIPIENTS)
    auth = ClientSecretAuth(NORTHWIND, CLIENT, secret=SecretFile("test"))
    north = ConnectionConfig(uid="connection-2", name="default/northwind", auth=auth)
    for tenant, domain, name in ((TENANT, "contoso", "Cy"), (NORTHWIND, "northwind", "Nora")):
        address = f"{name.lower()}@{domain}.example"
        directory.add_user(
            User(
                id=f"00000000-0000-4000-8000-00000000{domain[:4].encode().hex()}",
                tenant_id=tenant,
                user_principal_name=address,
                display_name=name,
                mail=address,
                job_title="Clerk",
            )
        )
    connect_target(lists, "north-target", connection=north)
    for name, connection in (("source", lists.connection), ("north-source", north)):
        lists.spokes[name] = SpokeConfig(
            uid=f"spoke-{name}",
            name=f"default/{name}",
            connection=connection,
            target=AddressListTarget(),
        )
    outsiders = Filter(none=(Condition("spoke", Operator.IN, ("default/source",)),))
    lists.spokes["gal"] = msgspec.structs.replace(
        lists.spokes["gal"], receives=Flow(filter=outsiders)
    )
    outsiders = Filter(none=(Condition("spoke", Operator.IN, ("default/north-source",)),))
    lists.spokes["north-target"] = msgspec.structs.replace(
        lists.spokes["north-target"], receives=Flow(filter=outsiders)
    )
    await lists.settle()
    assert {name: one["Title"] for name, one in shown(lists).items()} == {"Nora": "Clerk"}
    assert {name: one["Title"] for name, one in shown(lists, NORTHWIND).items()} == {"Cy": "Clerk"}
    lists.forget()
    report = await lists.settle()
    assert report.items == 2
    assert cmdlets(lists) == []
