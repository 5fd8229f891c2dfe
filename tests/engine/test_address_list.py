"""A tenant's global address list as a source: whom it brings, and who goes with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cirahub_simulator.directory import OrgContact, User
from cirahub_sync.configuration import (
    AddressListTarget,
    ConnectionConfig,
    DeletedBy,
    Direction,
    HubConfig,
    Listed,
    SpokeConfig,
)
from cirahub_sync.endpoints.alias import alias_of
from cirahub_sync.endpoints.base import Stamp
from cirahub_sync.engine.report import PassReport, SpokeReport

from .conftest import CLIENT, TENANT, Scene
from .page import connect_as_documented

ROLES = ("Contacts.ReadWrite", "User.Read.All", "OrgContact.Read.All", "GroupMember.Read.All")
RECEIVE = Direction.RECEIVE
AFTER_THE_GRACE = 3700.0
A_WEEK_AND_A_DAY = timedelta(days=8)
"""Longer than a delta token of the directory lives."""
DEPARTMENTS = {"ann": "Sales", "bob": "Sales", "cy": "Support"}


def connect_list(
    scene: Scene, name: str = "gal", *, connection: ConnectionConfig | None = None, **settings: Any
) -> SpokeConfig:
    """`include`, `guests`, `hidden` and `disabled` are of the list, the rest of the spoke."""
    of_list = {"include", "guests", "hidden", "disabled"} & settings.keys()
    target = AddressListTarget(**{key: settings.pop(key) for key in of_list})
    spoke = SpokeConfig(
        uid=f"spoke-{name}",
        name=f"default/{name}",
        connection=connection or scene.connection,
        target=target,
        **settings,
    )
    scene.spokes[name] = spoke
    return spoke


def user(scene: Scene, name: str) -> User:
    found = scene.simulator.world.directory.find_user(f"{name}@contoso.example")
    assert found is not None
    return found


def knows(scene: Scene, name: str, alias: str = "") -> OrgContact:
    contact = OrgContact(
        id=f"contact-{name}",
        tenant_id=TENANT,
        display_name=name.title(),
        mail=f"{name}@partner.example",
        mail_nickname=alias or name,
    )
    scene.simulator.world.directory.add_org_contact(contact)
    return contact


@pytest.fixture
def office(scene: Scene) -> Scene:
    """Ann, Bob and Cy are in the directory; the desk, a shared mailbox, receives who is listed."""
    for name, department in DEPARTMENTS.items():
        scene.mailbox(name)
        user(scene, name).display_name = name.title()
        user(scene, name).department = department
    scene.admin.grant(CLIENT, TENANT, ROLES)
    scene.connect("desk", RECEIVE)
    user(scene, "desk").account_enabled = False
    connect_list(scene)
    return scene


def spoke(report: PassReport, name: str) -> SpokeReport:
    return report.spokes[f"spoke-{name}"]


def reason(report: PassReport, name: str) -> str:
    problem = spoke(report, name).problem
    return "" if problem is None else problem.reason


async def test_who_is_in_an_address_list_is_an_item_like_any_other(office: Scene) -> None:
    knows(office, "pat")
    user(office, "ann").mobile_phone = "+1 425 555 0101"
    await office.settle()
    assert office.names("desk") == ["Ann", "Bob", "Cy", "Pat"]
    ann = office.the("desk", "Ann")
    assert (ann["mobilePhone"], ann["department"]) == ("+1 425 555 0101", "Sales")
    user(office, "ann").mobile_phone = None
    user(office, "ann").department = "Support"
    await office.settle()
    ann = office.the("desk", "Ann")
    assert (ann["mobilePhone"], ann["department"]) == (None, "Support")


async def test_a_look_at_a_list_in_which_nothing_changed_costs_a_request_a_kind(
    office: Scene,
) -> None:
    await office.settle()
    office.forget()
    report = await office.sync()
    assert [entry["path"] for entry in office.requests()] == ["/users/delta", "/contacts/delta"]
    assert spoke(report, "gal").counts.merged == 0


async def test_a_filter_on_the_department_says_who_of_the_list_comes(office: Scene) -> None:
    office.spokes.pop("gal")
    connect_as_documented(office, "gal", "Some departments of the company")
    await office.settle()
    assert office.names("desk") == ["Ann", "Bob"]
    user(office, "bob").department = "Support"
    user(office, "cy").department = "Sales"
    await office.settle()
    office.advance(AFTER_THE_GRACE)
    await office.settle()
    assert office.names("desk") == ["Ann", "Cy"]


@pytest.mark.parametrize("how", ["deleted", "disabled", "hidden", "without an address"])
async def test_who_leaves_the_list_goes_after_the_grace(office: Scene, how: str) -> None:
    await office.settle()
    bob = user(office, "bob")
    if how == "deleted":
        office.simulator.world.directory.remove_user(bob.id)
    elif how == "disabled":
        bob.account_enabled = False
    elif how == "hidden":
        bob.show_in_address_list = False
    else:
        bob.mail = None
    await office.settle()
    assert office.names("desk") == ["Ann", "Bob", "Cy"]
    office.advance(AFTER_THE_GRACE)
    await office.settle()
    assert office.names("desk") == ["Ann", "Cy"]


async def test_who_is_restored_in_the_directory_keeps_the_very_same_copies(office: Scene) -> None:
    await office.settle()
    copy = office.the("desk", "Bob")
    bob = office.simulator.world.directory.remove_user(user(office, "bob").id)
    assert bob is not None
    await office.settle()
    office.simulator.world.directory.add_user(bob)
    await office.settle()
    office.advance(AFTER_THE_GRACE)
    office.forget()
    await office.settle()
    assert office.writes() == []
    assert office.the("desk", "Bob") == copy


async def test_a_choice_that_changes_brings_and_takes_whom_it_is_about(office: Scene) -> None:
    knows(office, "pat")
    user(office, "cy").user_type = "Guest"
    await office.settle()
    assert office.names("desk") == ["Ann", "Bob", "Pat"]
    connect_list(office, include=(Listed.USERS,), guests=True)
    await office.settle()
    assert office.names("desk") == ["Ann", "Bob", "Cy", "Pat"]
    office.advance(AFTER_THE_GRACE)
    office.forget()
    await office.settle()
    assert office.names("desk") == ["Ann", "Bob", "Cy"]
    assert len(office.writes()) == 1, "who is still chosen is not touched"


async def test_mail_contacts_that_a_hub_has_made_are_nobodys_own(office: Scene) -> None:
    for installation in ("test-installation", "another"):
        stamp = Stamp(installation, office.hub.uid, 32 * "a", "spoke", "1")
        knows(office, installation, alias_of(stamp))
    report = await office.settle()
    assert office.names("desk") == ["Ann", "Bob", "Cy"]
    assert reason(report, "gal") == ""


async def test_somebody_of_the_list_and_in_a_mailbox_is_one_person(office: Scene) -> None:
    office.connect("eve")
    user(office, "eve").account_enabled = False
    office.add("eve", displayName="Ann", email="ann@contoso.example", spouseName="Joe")
    await office.settle()
    assert office.names("desk") == ["Ann", "Bob", "Cy"]
    assert office.the("desk", "Ann")["spouseName"] == "Joe"
    office.simulator.world.directory.remove_user(user(office, "ann").id)
    await office.settle()
    office.advance(AFTER_THE_GRACE)
    await office.settle()
    ann = office.the("desk", "Ann")
    assert (ann["spouseName"], ann["department"]) == ("Joe", None)


async def test_an_application_that_may_read_names_only_takes_nobodys_phone_away(
    office: Scene,
) -> None:
    user(office, "ann").mobile_phone = "+1 425 555 0101"
    await office.settle()
    office.admin.grant(CLIENT, TENANT, ("Contacts.ReadWrite", "User.ReadBasic.All"))
    office.advance(A_WEEK_AND_A_DAY.total_seconds())
    office.simulator.world.clock.advance(A_WEEK_AND_A_DAY)
    report = await office.sync(2)
    assert reason(report, "gal") == "AccessDenied"
    assert office.the("desk", "Ann")["mobilePhone"] == "+1 425 555 0101"
    office.admin.grant(CLIENT, TENANT, ROLES)
    await office.sync()
    await office.settle()
    assert office.the("desk", "Ann")["mobilePhone"] == "+1 425 555 0101"


async def test_a_list_that_suddenly_reads_empty_deletes_nothing(office: Scene) -> None:
    await office.settle()
    directory = office.simulator.world.directory
    for one in directory.users():
        one.mail = None
    office.simulator.world.clock.advance(A_WEEK_AND_A_DAY)
    office.advance(A_WEEK_AND_A_DAY.total_seconds())
    report = await office.sync()
    assert reason(report, "gal") == "SourceEmptied"
    office.advance(AFTER_THE_GRACE)
    await office.sync(2)
    assert office.names("desk") == ["Ann", "Bob", "Cy"]


async def test_a_list_may_feed_several_hubs_and_has_one_spoke_in_each(office: Scene) -> None:
    await office.settle()
    connect_list(office, "second")
    report = await office.sync()
    assert (reason(report, "gal"), reason(report, "second")) == ("", "TargetInUse")
    problem = spoke(report, "second").problem
    assert problem is not None
    assert "already syncs this address list for this hub" in problem.message
    other = HubConfig(uid="hub-2", name="default/other")
    elsewhere = msgspec.structs.replace(office.spokes.pop("second"), uid="spoke-elsewhere")
    report = await office.worker.run_pass(other, [elsewhere])
    assert report.problem is None
    assert report.spokes["spoke-elsewhere"].problem is None
    assert report.spokes["spoke-elsewhere"].counts.pulled >= 3


async def test_after_a_lost_store_nobody_of_the_list_is_there_twice(office: Scene) -> None:
    await office.settle()
    connect_list(office, include=(Listed.USERS,))
    await office.settle()
    await office.lose_store()
    user(office, "ann").mail = "ann.smith@contoso.example"  # so that no key leads to her copy
    office.forget()
    await office.settle()
    assert office.names("desk") == ["Ann", "Bob", "Cy"]
    assert [entry["method"] for entry in office.writes()] == ["PATCH"]
    assert office.the("desk", "Ann")["emailAddresses"][0]["address"] == user(office, "ann").mail


async def test_erasing_a_list_takes_along_whom_it_alone_had_brought(office: Scene) -> None:
    office.connect("eve")
    user(office, "eve").account_enabled = False
    office.add("eve", displayName="Ann", email="ann@contoso.example")
    await office.settle()
    office.forget()
    report = await office.erase("gal")
    assert report.complete
    await office.settle()
    assert office.names("desk") == ["Ann"]
    assert office.the("desk", "Ann")["department"] is None


async def test_a_list_dies_of_the_directorys_word_where_any_contributor_may_delete(
    office: Scene,
) -> None:
    office.configure(
        deletion=msgspec.structs.replace(office.hub.deletion, allowed_by=DeletedBy.ANY_CONTRIBUTOR)
    )
    office.connect("eve")
    user(office, "eve").account_enabled = False
    office.add("eve", displayName="Bob", email="bob@contoso.example")
    await office.settle()
    office.simulator.world.directory.remove_user(user(office, "bob").id)
    await office.settle()
    office.advance(AFTER_THE_GRACE)
    await office.settle()
    assert office.names("desk") == ["Ann", "Cy"]
    assert office.names("eve") == ["Bob"]
