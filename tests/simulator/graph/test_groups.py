"""Groups: who is in them, nested ones included, and what of that an application may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import pytest
from tests.simulator.graph.cloud import ADA, BOB, CONTOSO, FABRIKAM, GUEST, Client

from cirahub_simulator.directory import Group, User
from cirahub_simulator.world import World

TEAM = "d0000000-0000-4000-8000-000000000001"
DESK = "d0000000-0000-4000-8000-000000000002"
EVENTUAL = {"consistencylevel": "eventual"}


def fill(world: World) -> World:
    """Ada is in the team, Bob and the guest through its desk, of which the team is a member."""
    for group_id, name, members in (
        (TEAM, "team", [ADA, DESK]),
        (DESK, "desk", [BOB, GUEST, ADA, TEAM]),
    ):
        mail = f"{name}@contoso.example"
        world.directory.add_group(
            Group(id=group_id, tenant_id=CONTOSO, display_name=name, mail=mail, members=members)
        )
    return world


@pytest.fixture
def reader(client: Client, world: World) -> Client:
    """May read memberships, and basic profiles."""
    fill(world)
    roles = frozenset(("GroupMember.Read.All", "User.ReadBasic.All"))
    return replace(client, roles=roles)


def ids(client: Client, url: str, **headers: str) -> list[str]:
    found = []
    while url:
        answer = client.get(url, **headers)
        assert answer.status == 200, answer.json
        found += [each["id"] for each in answer.items]
        url = answer.json.get("@odata.nextLink", "")
    return found


def test_members_are_direct_and_transitive_ones_each_once(reader: Client) -> None:
    assert ids(reader, f"/groups/{TEAM}/members") == [ADA, DESK]
    assert ids(reader, f"/groups/{TEAM}/transitiveMembers") == [ADA, DESK, BOB, GUEST, TEAM]
    kinds = [each["@odata.type"] for each in reader.get(f"/groups/{TEAM}/members").items]
    assert kinds == ["#microsoft.graph.user", "#microsoft.graph.group"]


def test_what_a_user_is_in_goes_all_the_way_up(reader: Client) -> None:
    assert ids(reader, f"/users/{BOB}/memberOf") == [DESK]
    assert ids(reader, f"/users/{BOB}/transitiveMemberOf") == [DESK, TEAM]
    assert ids(reader, f"/users/{ADA}/memberOf") == [TEAM, DESK]


def test_members_come_by_pages(reader: Client, world: World) -> None:
    team = world.directory.group(CONTOSO, TEAM)
    assert team is not None
    for number in range(250):
        name = f"u{number:03}@contoso.example"
        world.directory.add_user(
            User(id=f"u-{number}", tenant_id=CONTOSO, user_principal_name=name, display_name=name)
        )
        team.members.append(f"u-{number}")
    url = f"/groups/{TEAM}/transitiveMembers"
    assert len(reader.get(url).items) == 100
    assert len(ids(reader, url)) == 255
    assert len(ids(reader, f"{url}?$top=999&$select=id")) == 255
    assert reader.get(f"{url}?$top=1000").status == 400


def test_a_cast_is_an_advanced_query(reader: Client) -> None:
    url = f"/groups/{TEAM}/transitiveMembers/microsoft.graph.user"
    assert reader.get(url).code == "Request_UnsupportedQuery"
    assert reader.get(f"{url}?$count=true").code == "Request_UnsupportedQuery"
    answer = reader.get(f"{url}?$count=true", **EVENTUAL)
    assert [each["id"] for each in answer.items] == [ADA, BOB, GUEST]
    assert answer.json["@odata.count"] == 3
    groups = f"/groups/{TEAM}/transitiveMembers/microsoft.graph.group?$count=true"
    assert ids(reader, groups, **EVENTUAL) == [DESK, TEAM]
    bob = quote("mail eq 'bob@contoso.example'")
    assert ids(reader, f"{url}?$count=true&$filter={bob}", **EVENTUAL) == [BOB]


def test_counts_need_the_header(reader: Client) -> None:
    for url, count in (
        (f"/groups/{TEAM}/members/$count", 2),
        (f"/groups/{TEAM}/transitiveMembers/$count", 5),
        (f"/groups/{TEAM}/transitiveMembers/microsoft.graph.user/$count", 3),
        ("/groups/$count", 2),
    ):
        assert reader.get(url).status == 400
        assert reader.get(url, **EVENTUAL).json == count


def test_groups_are_found_by_id_and_by_their_address(reader: Client) -> None:
    assert reader.get(f"/groups/{TEAM}").json["displayName"] == "team"
    chosen = reader.get(f"/groups/{TEAM}?$select=id,visibility").json
    assert set(chosen) == {"@odata.context", "id", "visibility"}
    wanted = quote("mail eq 'desk@contoso.example'")
    assert ids(reader, f"/groups?$filter={wanted}&$select=id") == [DESK]
    assert ids(reader, "/groups") == [TEAM, DESK]


def test_a_deleted_group_and_one_of_another_tenant_are_not_found(
    reader: Client, world: World
) -> None:
    world.directory.remove_group(DESK)
    assert reader.get(f"/groups/{DESK}").code == "Request_ResourceNotFound"
    assert reader.get(f"/groups/{DESK}/transitiveMembers").status == 404
    assert ids(reader, f"/groups/{TEAM}/transitiveMembers") == [ADA]
    elsewhere = replace(reader, tenant_id=FABRIKAM)
    assert elsewhere.get(f"/groups/{TEAM}").status == 404


def test_a_deleted_user_is_in_no_group(reader: Client, world: World) -> None:
    world.directory.remove_user(BOB)
    assert ids(reader, f"/groups/{DESK}/members") == [GUEST, ADA, TEAM]


def test_reading_groups_takes_a_role_of_its_own(client: Client, world: World) -> None:
    fill(world)
    assert client.get(f"/groups/{TEAM}").code == "Authorization_RequestDenied"
    assert client.get(f"/groups/{TEAM}/members").status == 403
    (desk,) = client.get(f"/users/{BOB}/memberOf").items
    assert (desk["id"], desk["displayName"]) == (DESK, None)


def test_members_that_may_not_be_read_are_shown_by_their_ids(reader: Client) -> None:
    url = f"/groups/{TEAM}/members?$select=mail,userPrincipalName,proxyAddresses"
    basic = reader.get(url).items[0]
    assert (basic["mail"], basic["proxyAddresses"]) == ("ada@contoso.example", [])
    blind = replace(reader, roles=frozenset(("GroupMember.Read.All",)))
    assert blind.get(url).items[0] == {
        "@odata.type": "#microsoft.graph.user",
        "id": ADA,
        "mail": None,
        "userPrincipalName": None,
        "proxyAddresses": None,
    }


@pytest.mark.parametrize("answers", ["left-out", "refused"])
def test_a_hidden_membership_takes_one_more(switched: Callable[..., Client], answers: str) -> None:
    hidden = switched(hidden_membership=answers)
    world = fill(hidden.service.world)
    desk = world.directory.group(CONTOSO, DESK)
    assert desk is not None
    desk.visibility = "HiddenMembership"
    roles = frozenset(("GroupMember.Read.All", "User.Read.All"))
    answer = replace(hidden, roles=roles).get(f"/groups/{TEAM}/transitiveMembers")
    if answers == "refused":
        assert answer.code == "Authorization_RequestDenied"
    else:
        assert [each["id"] for each in answer.items] == [ADA, DESK]
    permitted = replace(hidden, roles=roles | {"Member.Read.Hidden"})
    assert ids(permitted, f"/groups/{TEAM}/transitiveMembers") == [ADA, DESK, BOB, GUEST, TEAM]
