"""Delta queries on groups: what a reader who merges page by page knows in the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from tests.simulator.graph.cloud import ADA, BOB, CONTOSO, Client
from tests.simulator.graph.test_groups import DESK, TEAM, fill

from cirahub_simulator.directory import Group, User
from cirahub_simulator.world import World


@pytest.fixture
def reader(client: Client, world: World) -> Client:
    fill(world)
    return replace(client, roles=frozenset(("GroupMember.Read.All",)))


def team(world: World) -> Group:
    found = world.directory.group(CONTOSO, TEAM)
    assert found is not None
    return found


def test_who_comes_and_who_goes_is_told_of_direct_members(reader: Client, world: World) -> None:
    told, link = reader.round("/groups/delta?$select=members")
    assert told[0]["id"] == TEAM
    assert {one["id"]: one["@odata.type"] for one in told[0]["members@delta"]} == {
        ADA: "#microsoft.graph.user",
        DESK: "#microsoft.graph.group",
    }
    assert reader.round(link)[0] == []
    team(world).members = [BOB, DESK]
    told, link = reader.round(link)
    assert told == [
        {
            "id": TEAM,
            "members@delta": [
                {
                    "@odata.type": "#microsoft.graph.user",
                    "id": ADA,
                    "@removed": {"reason": "deleted"},
                },
                {"@odata.type": "#microsoft.graph.user", "id": BOB},
            ],
        }
    ]
    world.directory.remove_user(BOB)
    changed = {one["id"] for one in reader.round(link)[0]}
    assert changed == {TEAM, DESK}, "a user who is deleted is in neither any more"


def test_properties_and_deleted_groups_are_told(reader: Client, world: World) -> None:
    told, link = reader.round("/groups/delta?$select=displayName")
    assert told[0] == {"id": TEAM, "displayName": "team"}
    team(world).members = []
    assert reader.round(link)[0] == [], "members are not tracked"
    team(world).display_name = "Team"
    world.directory.remove_group(DESK)
    assert reader.round(link)[0] == [
        {"id": TEAM, "displayName": "Team"},
        {"id": DESK, "@removed": {"reason": "changed"}},
    ]


def test_single_groups_can_be_tracked_and_fifty_at_most(reader: Client, world: World) -> None:
    only = quote(f"id eq '{DESK}'")
    told, link = reader.round(f"/groups/delta?$filter={only}&$select=members")
    assert [one["id"] for one in told] == [DESK]
    team(world).members = []
    assert reader.round(link)[0] == []
    many = quote(" or ".join([f"id eq '{DESK}'"] * 51))
    assert reader.get(f"/groups/delta?$filter={many}").status == 400
    named = quote("displayName eq 'desk'")
    assert reader.get(f"/groups/delta?$filter={named}").status == 400


def test_a_large_group_comes_again_and_again(reader: Client, world: World) -> None:
    for number in range(1200):
        name = f"u{number:04}@contoso.example"
        world.directory.add_user(
            User(id=f"u-{number}", tenant_id=CONTOSO, user_principal_name=name, display_name=name)
        )
        team(world).members.append(f"u-{number}")
    told, link = reader.round("/groups/delta")
    parts: list[list[dict[str, Any]]] = [
        one["members@delta"] for one in told if one["id"] == TEAM and "members@delta" in one
    ]
    assert len(parts) == 3
    assert {each["id"] for part in parts for each in part} == set(team(world).members)
    assert reader.round(link)[0] == []


def test_a_token_may_begin_now_and_ends_after_a_week(reader: Client, world: World) -> None:
    latest = reader.get("/groups/delta?$deltatoken=latest")
    assert latest.items == []
    link = latest.json["@odata.deltaLink"]
    assert reader.round(link)[0] == []
    world.clock.advance(timedelta(days=8))
    gone = reader.get(link)
    assert gone.status == 410
    assert len(reader.round(gone.headers["Location"])[0]) == 2
