"""Organizational contacts, and delta on directory objects as readers of address lists use it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.simulator.graph.cloud import ADA, CONTOSO, FABRIKAM, GUEST, Client

from cirahub_simulator.directory import Group, OrgContact
from cirahub_simulator.seed.loader import load
from cirahub_simulator.world import World

ONE = "0c000000-0000-4000-8000-000000000001"
TWO = "0c000000-0000-4000-8000-000000000002"
OTHER = "0c000000-0000-4000-8000-000000000003"


@pytest.fixture(autouse=True)
def _contacts(world: World, client: Client) -> None:
    """Two mail contacts in Contoso, one in Fabrikam; an application that may read them."""
    client.roles |= {"OrgContact.Read.All"}
    for contact_id, tenant_id, name in (
        (ONE, CONTOSO, "Pat"),
        (TWO, CONTOSO, "Kim"),
        (OTHER, FABRIKAM, "Lee"),
    ):
        address = f"{name.lower()}@partner.example"
        world.directory.add_org_contact(
            OrgContact(
                id=contact_id,
                tenant_id=tenant_id,
                display_name=f"{name} Partner",
                given_name=name,
                mail=address,
                mail_nickname=name.lower(),
                proxy_addresses=[f"SMTP:{address}"],
                phones=[{"type": "business", "number": "+1 555 0100"}],
                addresses=[{"city": "Reno", "street": "Main St 5"}],
            )
        )


def test_a_tenants_contacts_are_listed_counted_and_got(client: Client) -> None:
    assert [c["id"] for c in client.get("/contacts").items] == [ONE, TWO]
    assert client.get("/contacts/$count", consistencylevel="eventual").json == 2
    got = client.get(f"/contacts/{ONE}").json
    assert (got["mailNickname"], got["proxyAddresses"]) == ("pat", ["SMTP:pat@partner.example"])
    assert got["phones"] == [{"type": "business", "number": "+1 555 0100"}]
    assert got["addresses"][0]["city"] == "Reno"
    found = client.get("/contacts?$filter=startswith(displayName,'k')&$select=mail").items
    assert found == [{"mail": "kim@partner.example"}]
    assert client.get(f"/contacts/{OTHER}").code == "Request_ResourceNotFound"


def test_contacts_are_read_only_and_need_their_role(client: Client) -> None:
    assert client.patch(f"/contacts/{ONE}", {"displayName": "x"}).status == 405
    assert client.delete(f"/contacts/{ONE}").status == 405
    client.roles = frozenset(("User.Read.All",))
    for path in ("/contacts", f"/contacts/{ONE}", "/contacts/delta"):
        assert client.get(path).code == "Authorization_RequestDenied"


def test_delta_tells_what_differs(client: Client, world: World) -> None:
    told, link = client.round("/contacts/delta")
    assert {c["id"] for c in told} == {ONE, TWO}
    assert client.round(link)[0] == []
    [pat, _] = world.directory.org_contacts(CONTOSO)
    pat.job_title = "Buyer"
    world.directory.remove_org_contact(TWO)
    [changed, gone], _ = client.round(link)
    assert (changed["jobTitle"], changed["mail"]) == ("Buyer", "pat@partner.example")
    assert gone == {"id": TWO, "@removed": {"reason": "deleted"}}, "nothing restores a contact"
    minimal = client.get(link, prefer="return=minimal")
    assert minimal.items[0] == {"jobTitle": "Buyer", "id": ONE}
    assert minimal.headers["Preference-Applied"] == "return=minimal"


@pytest.mark.parametrize(("path", "one"), [("/contacts/delta", ONE), ("/users/delta", ADA)])
def test_delta_is_filtered_by_ids_alone(client: Client, path: str, one: str) -> None:
    told, link = client.round(f"{path}?$filter=id eq '{one}' or id eq 'nobody'")
    assert [entry["id"] for entry in told] == [one]
    assert client.round(link)[0] == []
    for wrong in ("displayName eq 'x'", f"id eq '{one}' and id eq '{one}'"):
        assert client.get(f"{path}?$filter={wrong}").code == "Request_UnsupportedQuery"


def test_users_delta_has_what_an_address_list_shows(client: Client, world: World) -> None:
    _, link = client.round("/users/delta")
    guest = world.directory.find_user(GUEST)
    assert guest is not None
    guest.show_in_address_list = False
    guest.proxy_addresses = ["SMTP:guest@partner.example"]
    guest.city = "Reno"
    [told], _ = client.round(link)
    assert (told["id"], told["userType"], told["accountEnabled"]) == (GUEST, "Guest", True)
    assert (told["showInAddressList"], told["city"]) == (False, "Reno")
    assert told["proxyAddresses"] == ["SMTP:guest@partner.example"]


def test_what_has_never_been_set_is_not_told(client: Client, world: World) -> None:
    told, link = client.round("/contacts/delta?$select=displayName,jobTitle")
    assert "jobTitle" not in told[0]
    [pat, _] = world.directory.org_contacts(CONTOSO)
    pat.job_title = "Buyer"
    [now], link = client.round(link)
    assert now["jobTitle"] == "Buyer"
    pat.job_title = None
    [now], _ = client.round(link)
    assert (now["jobTitle"], now["displayName"]) == (None, "Pat Partner")


@pytest.mark.parametrize("path", ["/contacts/delta", "/users/delta", "/groups/delta"])
def test_delta_may_tell_of_what_has_changed_alone(client: Client, world: World, path: str) -> None:
    """The overview's reading."""
    world.switches = replace(world.switches, directory_delta="changed")
    client.roles |= {"GroupMember.Read.All"}
    world.directory.add_group(Group(id=OTHER, tenant_id=CONTOSO, display_name="Desk"))
    _, link = client.round(f"{path}?$select=displayName,mail")
    for some in (world.directory.org_contacts, world.directory.users, world.directory.groups):
        some(CONTOSO)[0].display_name = "Renamed"
    [told], _ = client.round(link)
    assert told.keys() - {"id"} == {"displayName"}


@pytest.mark.parametrize("order", ["oldest-first", "newest-first", "shuffled"])
def test_delta_repeats_itself_in_any_order_if_it_is_so_set(
    client: Client, world: World, order: str
) -> None:
    for number in range(250):
        world.directory.add_org_contact(
            OrgContact(
                id=f"more-{number}",
                tenant_id=CONTOSO,
                display_name=str(number),
                mail=f"{number}@partner.example",
                mail_nickname=str(number),
            )
        )
    world.switches = replace(
        world.switches,
        delta_order=order,  # type: ignore[arg-type]
        delta_repeats=True,
        delta_empty_first_page=True,
    )
    assert client.get("/contacts/delta").items == []
    told, link = client.round("/contacts/delta")
    ids = [each["id"] for each in told]
    assert (len(set(ids)), len(ids)) == (252, 254)
    assert client.round(link)[0] == []


def test_mail_contacts_are_seeded(world: World) -> None:
    line = {
        "kind": "orgcontact",
        "id": "seeded",
        "tenant": "contoso.example",
        "displayName": "Seeded",
        "mail": "seeded@partner.example",
        "mailNickname": "seeded",
    }
    load(world, [json.dumps(line).encode()], "test")
    assert world.directory.org_contacts(CONTOSO)[-1].mail_nickname == "seeded"
