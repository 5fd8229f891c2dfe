"""Query options on lists, and extended properties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from tests.simulator.graph.cloud import ADA, Client

CONTACTS = f"/users/{ADA}/contacts"
GUID = "66f5a359-4659-4830-9070-00040ec6ac6e"
STAMP = f"String {{{GUID}}} Name CiraHubItem"
NUMBER = f"Integer {{{GUID}}} Name Rank"
STAMPED = f"singleValueExtendedProperties/Any(ep: ep/id eq '{STAMP}' and {{}})".replace(
    f"{{{GUID}}}", f"{{{{{GUID}}}}}"
)
RANKED = STAMPED.replace("String", "Integer").replace("CiraHubItem", "Rank")


@pytest.fixture
def people(client: Client) -> Client:
    """Five contacts in the default folder."""
    for number, (given, surname) in enumerate(
        [("Ada", "King"), ("Bob", "King"), ("Cyd", "Lee"), ("Dan", "O'Hara"), ("Eva", "Moe")]
    ):
        body: dict[str, Any] = {
            "givenName": given,
            "surname": surname,
            "emailAddresses": [{"address": f"{given}@x.example"}],
            "categories": ["Odd"] if number % 2 else [],
            "businessAddress": {"city": "Bern" if number < 2 else "Rome"},
            "birthday": f"198{number}-01-01T00:00:00Z",
            "singleValueExtendedProperties": [
                {"id": STAMP, "value": f"Item-{number}"},
                {"id": NUMBER, "value": str(number * 10)},
            ],
        }
        if given == "Eva":
            del body["singleValueExtendedProperties"]
        assert client.post(CONTACTS, body).status == 201
    return client


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("emailAddresses/any(a:a/address eq 'bob@X.example')", "B"),
        ("surname eq 'king'", "AB"),
        ("surname eq 'O''Hara'", "D"),
        ("surname ne 'King'", "CDE"),
        ("startswith(displayName,'ad') or endswith(surname,'EE')", "AC"),
        ("contains(surname,'o') and not (givenName eq 'Eva')", "D"),
        ("givenName in ('Ada','Eva')", "AE"),
        ("businessAddress/city eq 'Bern'", "AB"),
        ("categories/any(c:c eq 'odd')", "BD"),
        ("birthday ge 1983-01-01T00:00:00Z", "DE"),
        ("middleName eq null and givenName gt 'Cx'", "CDE"),
        (STAMPED.format("ep/value eq 'ITEM-2'"), "C"),
        (STAMPED.format("ep/value ne null"), "ABCD"),
        (STAMPED.format("startswith(ep/value, 'item')"), "ABCD"),
        (STAMPED.replace("CiraHubItem", "CIRAHUBITEM").format("ep/value ne null"), ""),
        (STAMPED.replace("String", "string").format("ep/value ne null"), "ABCD"),
        (STAMPED.replace(GUID, GUID.upper()).format("ep/value ne null"), "ABCD"),
        (RANKED.format("cast(ep/value, Edm.Int32) gt 10"), "CD"),
    ],
)
def test_filters(people: Client, expression: str, expected: str) -> None:
    answer = people.get(f"{CONTACTS}?$filter={quote(expression)}&$orderby=givenName")
    assert answer.status == 200, answer.json
    assert "".join(c["givenName"][0] for c in answer.items) == expected
    assert people.get(f"{CONTACTS}/$count?$filter={quote(expression)}").json == len(expected)


@pytest.mark.parametrize(
    "options",
    [
        "$filter=emailAddresses/any(a:a/name eq 'x')",
        "$filter=colour eq 'red'",
        "$filter=givenName eq",
        "$filter=givenName eq 'a' or",
        "$filter=(givenName eq 'a'",
        "$filter=givenName ~ 'a'",
        "$filter=birthday gt 1980-02-30",
        "$select=colour",
        "$orderby=colour",
        "$orderby=givenName sideways",
        "$top=many",
        "$top=1001",
        "$count=perhaps",
        "$search=x",
        "$levels=3",
        "$top=1&$top=2",
        "$expand=singleValueExtendedProperties",
        "$expand=singleValueExtendedProperties($filter=value eq '1')",
        "$expand=singleValueExtendedProperties($filter=id eq 'nonsense')",
    ],
)
def test_options_that_mean_nothing_are_refused(people: Client, options: str) -> None:
    assert people.get(f"{CONTACTS}?{quote(options, safe='$=&')}").status == 400


def test_a_list_shows_ten_and_links_to_the_rest(client: Client) -> None:
    for number in range(23):
        client.post(CONTACTS, {"givenName": f"N{number:02}"})
    url: str | None = f"{CONTACTS}?$orderby=givenName%20desc&$count=true&$select=givenName"
    seen: list[str] = []
    sizes = []
    while url is not None:
        answer = client.get(url)
        assert answer.json["@odata.count"] == 23
        assert all(set(c) == {"@odata.etag", "id", "givenName"} for c in answer.items)
        seen += [c["givenName"] for c in answer.items]
        sizes.append(len(answer.items))
        url = answer.json.get("@odata.nextLink")
    assert sizes == [10, 10, 3]
    assert seen == [f"N{number:02}" for number in range(22, -1, -1)]
    assert len(client.get(f"{CONTACTS}?$top=1000").items) == 23
    assert len(client.get(f"{CONTACTS}?top=5&skip=20").items) == 3
    assert len(client.get(CONTACTS, prefer="odata.maxpagesize=7").items) == 7


def test_extended_properties_show_when_expanded_and_only_then(people: Client) -> None:
    made = people.get(f"{CONTACTS}?$filter=givenName eq 'Ada'").items[0]
    assert "singleValueExtendedProperties" not in made
    one = quote(f"singleValueExtendedProperties($filter=id eq '{STAMP}')")
    both = quote(f"singleValueExtendedProperties($filter=id eq '{STAMP}' or id eq '{NUMBER}')")
    got = people.get(f"{CONTACTS}/{made['id']}?$expand={one}").json
    assert got["singleValueExtendedProperties"] == [{"id": STAMP, "value": "Item-0"}]
    listed = people.get(f"{CONTACTS}?$expand={both}&$select=givenName").items
    assert [len(c.get("singleValueExtendedProperties", [])) for c in listed] == [2, 2, 2, 2, 0]


def test_a_patch_sets_names_and_removes_extended_properties(client: Client) -> None:
    values = [{"id": STAMP, "value": "a"}, {"id": NUMBER, "value": "1"}]
    made = client.post(CONTACTS, {"givenName": "A", "singleValueExtendedProperties": values}).json
    change = {"singleValueExtendedProperties": [{"id": STAMP, "value": "b"}]}
    changed = client.patch(f"{CONTACTS}/{made['id']}", change).json
    assert changed["changeKey"] != made["changeKey"]
    assert changed["givenName"] == "A"
    expand = quote(f"singleValueExtendedProperties($filter=id eq '{STAMP}' or id eq '{NUMBER}')")
    url = f"{CONTACTS}/{made['id']}?$expand={expand}"
    assert client.get(url).json["singleValueExtendedProperties"] == [
        {"id": STAMP, "value": "b"},
        {"id": NUMBER, "value": "1"},
    ]
    gone = {"singleValueExtendedProperties": [{"id": STAMP, "value": None}]}
    client.patch(f"{CONTACTS}/{made['id']}", gone)
    assert client.get(url).json["singleValueExtendedProperties"] == [{"id": NUMBER, "value": "1"}]


def test_what_the_mailbox_list_covers_is_a_switch(switched: Callable[..., Client]) -> None:
    for setting, expected in (("default-folder", 1), ("whole-mailbox", 2)):
        client = switched(contacts_list=setting)
        folder = client.post(f"/users/{ADA}/contactFolders", {"displayName": "Sub"}).json["id"]
        client.post(CONTACTS, {"givenName": "A"})
        client.post(f"/users/{ADA}/contactFolders/{folder}/contacts", {"givenName": "B"})
        assert len(client.get(CONTACTS).items) == expected


def test_odata_spells_paths_in_other_ways(people: Client) -> None:
    made = people.get(CONTACTS).items[0]
    for path in (
        f"/Users('{ADA}')/Contacts('{made['id']}')",
        f"/users/ada%40contoso.example/contactfolders/Contacts/contacts/{made['id']}",
    ):
        assert people.get(path).json["id"] == made["id"]
