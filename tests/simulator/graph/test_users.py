"""Users: the directory as Graph shows it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from tests.simulator.graph.cloud import ADA, BOB, CONTOSO, GUEST, Client

from cirahub_simulator.directory import User
from cirahub_simulator.world import World


def test_a_user_is_found_by_id_and_by_name(client: Client) -> None:
    by_id = client.get(f"/users/{ADA}").json
    assert client.get("/users/ADA%40contoso.example").json == by_id
    assert by_id["displayName"] == "Ada Example"
    assert "department" not in by_id
    chosen = client.get(f"/users/{ADA}?$select=department,userType").json
    assert set(chosen) == {"@odata.context", "department", "userType"}


def test_users_are_listed_by_pages(client: Client, world: World) -> None:
    for number in range(150):
        name = f"u{number:03}@contoso.example"
        world.directory.add_user(
            User(id=f"u-{number}", tenant_id=CONTOSO, user_principal_name=name, display_name=name)
        )
    first = client.get("/users?$select=id")
    assert len(first.items) == 100
    second = client.get(first.json["@odata.nextLink"])
    assert len(second.items) == 53
    assert "@odata.nextLink" not in second.json
    assert len(client.get("/users?$top=999").items) == 153
    assert client.get("/users?$top=1000").status == 400
    assert client.get("/users?$skip=1").status == 400


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("startswith(displayName,'a')", [ADA]),
        ("userPrincipalName eq 'BOB@contoso.example' or mail eq 'x'", [BOB]),
        ("userType eq 'Guest'", [GUEST]),
        ("accountEnabled eq true and givenName eq 'Ada'", [ADA]),
        (f"id in ('{ADA}','{BOB}')", [ADA, BOB]),
    ],
)
def test_filters(client: Client, expression: str, expected: list[str]) -> None:
    answer = client.get(f"/users?$filter={quote(expression)}")
    assert [u["id"] for u in answer.items] == expected


def test_advanced_queries_need_the_header(client: Client) -> None:
    url = "/users?$filter=userType%20ne%20'Guest'&$count=true"
    assert client.get(url).code == "Request_UnsupportedQuery"
    answer = client.get(url, consistencylevel="eventual")
    assert answer.json["@odata.count"] == 2
    assert client.get("/users/$count").status == 400
    assert client.get("/users/$count", consistencylevel="eventual").json == 3
    assert "@odata.count" not in client.get("/users?$count=true").json


def test_delta_tells_what_differs(client: Client, world: World) -> None:
    told, link = client.round("/users/delta?$select=displayName")
    assert {u["id"] for u in told} == {ADA, BOB, GUEST}
    assert client.round(link)[0] == []
    ada = world.directory.find_user(ADA)
    assert ada is not None
    ada.display_name = "Ada King"
    ada.department = "not tracked"
    world.directory.remove_user(BOB)
    told, link = client.round(link)
    assert told == [
        {"displayName": "Ada King", "id": ADA},
        {"id": BOB, "@removed": {"reason": "changed"}},
    ]
    latest = client.get("/users/delta?$deltatoken=latest")
    assert latest.items == []
    assert client.round(latest.json["@odata.deltaLink"])[0] == []


def test_an_expired_delta_token_says_where_to_start_over(client: Client, world: World) -> None:
    _, link = client.round("/users/delta")
    world.clock.advance(timedelta(days=8))
    gone = client.get(link)
    assert gone.status == 410
    assert len(client.round(gone.headers["Location"])[0]) == 3
