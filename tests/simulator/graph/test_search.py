"""`$search` of directory objects: https://learn.microsoft.com/graph/search-query-parameter."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from tests.simulator.graph.cloud import ADA, BOB, CONTOSO, GUEST, Client

from cirahub_simulator.directory import Group, OrgContact
from cirahub_simulator.world import World

EVENTUAL = {"consistencylevel": "eventual"}


def named(text: str) -> str:
    """A search by a word of the name, as an option of a query."""
    return "$search=" + quote(f'"displayName:{text}"')


@pytest.fixture
def searcher(client: Client, world: World) -> Client:
    """Somebody who may read it all, and four groups with names of several words."""
    client.roles |= {"Group.Read.All", "OrgContact.Read.All"}
    for number, (name, mail) in enumerate(
        (
            ("OneVideo", "clips@contoso.example"),
            ("Video of one", None),
            ("Video", "onevideo@contoso.example"),
            ("李四(David Li)", None),
        )
    ):
        world.directory.add_group(
            Group(
                id=f"g{number}",
                tenant_id=CONTOSO,
                display_name=name,
                mail=mail,
                mail_enabled=mail is not None,
                description="All of them" if number else None,
                members=[ADA, BOB] if number == 0 else [],
            )
        )
    world.directory.add_org_contact(
        OrgContact(
            id="c1",
            tenant_id=CONTOSO,
            display_name="Grace Hopper-Murray",
            mail="grace@partner.example",
            mail_nickname="grace",
        )
    )
    return client


def search(client: Client, path: str, text: str, more: str = "") -> list[str]:
    answer = client.get(f"{path}?$search={quote(text)}{more}", **EVENTUAL)
    assert answer.status == 200, answer.json
    return [str(one["id"]) for one in answer.items]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"displayName:OneVideo"', ["g0", "g1"]),
        ('"displayName:onevideo"', ["g0"]),
        ('"displayName:OneVideo" OR "mail:onevideo"', ["g0", "g1", "g2"]),
        ('"displayName:vid"', ["g0", "g1", "g2"]),
        ('"displayName:ideo"', []),
        ('"mail:video"', []),
        ('"displayName:Li 李"', ["g3"]),
        ('"displayName:David)"', ["g3"]),
        ('"description:all" AND ("displayName:one" OR "displayName:david")', ["g1", "g3"]),
        ('"displayName:one" OR "displayName:david" AND "description:nothing"', ["g0", "g1"]),
    ],
)
def test_groups_are_searched_word_by_word(searcher: Client, text: str, expected: list[str]) -> None:
    assert search(searcher, "/groups", text) == expected


def test_a_search_goes_with_a_filter_an_order_and_a_count(searcher: Client) -> None:
    more = "&$filter=mailEnabled%20eq%20true&$orderby=displayName%20desc&$count=true"
    assert search(searcher, "/groups", '"displayName:Video"', more) == ["g2", "g0"]
    count = searcher.get(f"/groups/$count?{named('video')}", **EVENTUAL)
    assert count.json == 3


def test_users_members_and_mail_contacts_are_searched(searcher: Client) -> None:
    assert search(searcher, "/users", '"displayName:exam"') == [ADA, BOB, GUEST]
    assert search(searcher, "/users", '"displayName:bob" OR "mail:ada"') == [ADA, BOB]
    members = "/groups/g0/transitiveMembers/microsoft.graph.user"
    assert search(searcher, members, '"displayName:bob"', "&$count=true") == [BOB]
    assert search(searcher, "/contacts", '"displayName:hoppermurray"') == ["c1"]
    assert search(searcher, "/contacts", '"mailNickname:gr"') == ["c1"]


def test_pages_of_a_search_go_on_with_it(searcher: Client) -> None:
    first = searcher.get(f"/users?$top=2&{named('example')}", **EVENTUAL)
    second = searcher.get(first.json["@odata.nextLink"], **EVENTUAL)
    assert [one["id"] for one in (*first.items, *second.items)] == [ADA, BOB, GUEST]


def test_a_search_needs_the_header(searcher: Client) -> None:
    answer = searcher.get(f"/users?{named('ada')}")
    assert (answer.status, answer.code) == (400, "Request_UnsupportedQuery")


@pytest.mark.parametrize(
    "text",
    [
        "ada",
        '"ada"',
        '"nothing:ada"',
        '"accountEnabled:true"',
        '"displayName:a" "displayName:b"',
        '("displayName:a"',
        "(" * 5000,
        '"displayName:a" or "displayName:b"',
    ],
)
def test_a_search_that_is_none_is_refused(searcher: Client, text: str) -> None:
    answer = searcher.get(f"/users?$search={quote(text)}", **EVENTUAL)
    assert (answer.status, answer.code) == (400, "Request_BadRequest")


def test_contacts_of_a_mailbox_are_not_searched(searcher: Client) -> None:
    answer = searcher.get(f"/users/{ADA}/contacts?$search=%22ada%22")
    assert (answer.status, answer.code) == (400, "BadRequest")
