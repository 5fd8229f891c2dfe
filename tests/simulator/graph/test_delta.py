"""Delta queries: rounds, tokens, removals, and everything that Microsoft leaves open about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.simulator.graph.cloud import ADA, BOB, Client

from cirahub_simulator.graph.seed import add_contacts, mailbox_of
from cirahub_simulator.world import World

CONTACTS = f"/users/{ADA}/contacts"
DEFAULT = f"/users/{ADA}/contactFolders/contacts/contacts"
DELTA = f"{DEFAULT}/delta"
IMMUTABLE = 'IdType="ImmutableId"'


def fill(client: Client, count: int = 5, start: int = 0) -> list[str]:
    """Make contacts; their regular ids."""
    return [
        client.post(CONTACTS, {"givenName": f"N{number:03}"}).json["id"]
        for number in range(start, start + count)
    ]


def names(items: list[dict[str, str]]) -> list[str]:
    """Given names of what was told; `-` for removals."""
    return ["-" if "@removed" in item else item["givenName"] for item in items]


@pytest.mark.parametrize(
    "path", [DELTA, f"{DELTA}()", f"{CONTACTS}/delta", f"{CONTACTS}/microsoft.graph.delta()"]
)
def test_a_first_round_tells_everything_and_the_next_what_changed(
    client: Client, path: str
) -> None:
    ids = fill(client)
    told, link = client.round(path)
    assert names(told) == ["N000", "N001", "N002", "N003", "N004"]
    assert told[0]["@odata.type"] == "#microsoft.graph.contact"
    assert client.round(link)[0] == []

    client.patch(f"{CONTACTS}/{ids[1]}", {"givenName": "changed"})
    client.delete(f"{CONTACTS}/{ids[2]}")
    fill(client, 1, start=9)
    told, link = client.round(link)
    assert names(told) == ["changed", "-", "N009"]
    assert told[1] == {
        "@odata.type": "#microsoft.graph.contact",
        "id": ids[2],
        "@removed": {"reason": "deleted"},
    }
    assert client.round(link)[0] == []


def test_what_was_deleted_before_the_first_round_is_not_told(client: Client) -> None:
    ids = fill(client)
    client.delete(f"{CONTACTS}/{ids[0]}")
    assert names(client.round(DELTA)[0]) == ["N001", "N002", "N003", "N004"]


def test_pages_follow_the_preference_on_every_request(client: Client) -> None:
    fill(client, 25)
    first = client.get(DELTA)
    assert len(first.items) == 10
    assert "$skiptoken=" in first.json["@odata.nextLink"]
    second = client.get(first.json["@odata.nextLink"], prefer="odata.maxpagesize=4")
    assert len(second.items) == 4
    assert "odata.maxpagesize=4" in second.headers["Preference-Applied"]
    assert len(client.round(DELTA, prefer="odata.maxpagesize=1000")[0]) == 25


def test_tokens_can_be_used_again_and_keep_the_select(client: Client) -> None:
    ids = fill(client)
    _, link = client.round(f"{DELTA}?$select=givenName")
    client.patch(f"{CONTACTS}/{ids[0]}", {"surname": "x"})
    for _ in range(2):
        told, _ = client.round(link)
        assert [set(item) for item in told] == [{"@odata.type", "@odata.etag", "id", "givenName"}]


def test_changes_during_a_round_show_at_its_end(client: Client) -> None:
    ids = fill(client, 4)
    small = {"prefer": "odata.maxpagesize=2"}
    first = client.get(DELTA, **small)
    client.patch(f"{CONTACTS}/{ids[0]}", {"givenName": "again"})
    client.delete(f"{CONTACTS}/{ids[1]}")
    client.delete(f"{CONTACTS}/{ids[3]}")
    fill(client, 1, start=7)
    told, link = client.round(first.json["@odata.nextLink"], **small)
    assert names(first.items) == ["N000", "N001"]
    assert names(told) == ["N002", "again", "-", "-", "N007"]
    assert client.round(link)[0] == []


def test_a_moved_contact_is_removed_here_and_new_there(client: Client, world: World) -> None:
    ids = fill(client, 2)
    folder = client.post(f"/users/{ADA}/contactFolders", {"displayName": "Sub"}).json["id"]
    there = f"/users/{ADA}/contactFolders/{folder}/contacts/delta"
    _, here_link = client.round(DELTA)
    _, there_link = client.round(there)
    mailbox = mailbox_of(world, ADA)
    mailbox.move_contact(mailbox.contact(ids[0]), mailbox.folder(folder))
    told, _ = client.round(here_link)
    assert [(item["id"], "@removed" in item) for item in told] == [(ids[0], True)]
    assert names(client.round(there_link)[0]) == ["N000"]


def test_links_serve_both_kinds_of_ids(client: Client) -> None:
    ids = fill(client, 1)
    told, link = client.round(DELTA)
    client.patch(f"{CONTACTS}/{ids[0]}", {"surname": "x"})
    fixed = client.round(link, prefer=IMMUTABLE)[0][0]["id"]
    assert fixed != told[0]["id"] == client.round(link)[0][0]["id"]
    client.delete(f"{CONTACTS}/{ids[0]}")
    assert client.round(link, prefer=IMMUTABLE)[0][0]["id"] == fixed
    assert client.round(link)[0][0]["id"] == ids[0]


@pytest.mark.parametrize(("loses", "expected"), [(False, ["N000"]), (True, ["-"])])
def test_an_item_that_came_back_may_get_lost_under_immutable_ids(
    switched: Callable[..., Client], loses: bool, expected: list[str]
) -> None:
    client = switched(delta_loses_returned_items=loses)
    ids = fill(client, 1)
    _, link = client.round(DELTA, prefer=IMMUTABLE)
    mailbox = mailbox_of(client.service.world, ADA)
    sub = mailbox.create_folder(mailbox.default_folder, "Sub")
    contact = mailbox.move_contact(mailbox.contact(ids[0]), sub)
    mailbox.move_contact(contact, mailbox.default_folder)
    told, after = client.round(link, prefer=IMMUTABLE)
    assert names(told) == expected
    assert names(client.round(link)[0]) == ["-", "N000"]
    client.patch(f"{CONTACTS}/{contact.id}", {"givenName": "seen"})
    assert names(client.round(after, prefer=IMMUTABLE)[0]) == ["seen"]
    assert names(client.round(DELTA, prefer=IMMUTABLE)[0]) == ["seen"]


@pytest.mark.parametrize("order", ["newest-first", "shuffled"])
def test_items_of_a_page_come_in_any_order(switched: Callable[..., Client], order: str) -> None:
    client = switched(delta_order=order)
    fill(client, 8)
    told = names(client.round(DELTA)[0])
    assert told != sorted(told)
    assert sorted(told) == [f"N{number:03}" for number in range(8)]


def test_items_can_repeat(switched: Callable[..., Client]) -> None:
    client = switched(delta_repeats=True)
    fill(client, 6)
    told, link = client.round(DELTA, prefer="odata.maxpagesize=2")
    assert names(told) == ["N000", "N001", "N001", "N002", "N003", "N003", "N004", "N005"]
    assert client.round(link)[0] == []


def test_a_round_can_begin_with_an_empty_page(switched: Callable[..., Client]) -> None:
    client = switched(delta_empty_first_page=True)
    fill(client, 3)
    first = client.get(DELTA)
    assert first.items == []
    told, link = client.round(first.json["@odata.nextLink"])
    assert len(told) == 3
    assert client.get(link).items == []
    assert client.round(link)[0] == []


def test_changes_can_take_a_while_to_show(switched: Callable[..., Client]) -> None:
    client = switched(delta_delay="five-seconds")
    fill(client, 2)
    told, link = client.round(DELTA)
    assert told == []
    client.service.world.clock.advance(timedelta(seconds=6))
    assert names(client.round(link)[0]) == ["N000", "N001"]


def test_expand_is_ignored_refused_or_honoured(switched: Callable[..., Client]) -> None:
    stamp = "String {66f5a359-4659-4830-9070-00040ec6ac6e} Name Stamp"
    values = [{"id": stamp, "value": "x"}]
    url = f"{DELTA}?$expand=singleValueExtendedProperties($filter=id eq '{stamp}')"
    for setting in ("ignored", "honoured", "refused"):
        client = switched(delta_expand=setting)
        client.post(CONTACTS, {"givenName": "A", "singleValueExtendedProperties": values})
        if setting == "refused":
            assert client.get(url).code == "ErrorInvalidUrlQuery"
            continue
        [told], _ = client.round(url)
        assert (told.get("singleValueExtendedProperties") == values) is (setting == "honoured")


@pytest.mark.parametrize("option", ["$filter=givenName eq 'x'", "$orderby=givenName", "$search=x"])
def test_other_options_are_refused(client: Client, option: str) -> None:
    assert client.get(f"{DELTA}?{option}").code == "ErrorInvalidUrlQuery"


def test_an_expired_token_is_gone(client: Client, world: World) -> None:
    fill(client, 25)
    skip = client.get(DELTA).json["@odata.nextLink"]
    _, link = client.round(DELTA)
    mailbox_of(world, ADA).expire_delta_tokens()
    for old in (skip, link):
        gone = client.get(old)
        assert (gone.status, gone.code) == (410, "SyncStateNotFound")
        assert "Location" not in gone.headers
    assert len(client.round(DELTA)[0]) == 25


def test_a_token_can_live_a_day(switched: Callable[..., Client]) -> None:
    client = switched(delta_token_life="one-day")
    _, link = client.round(DELTA)
    client.service.world.clock.advance(timedelta(hours=23))
    assert client.get(link).status == 200
    client.service.world.clock.advance(timedelta(hours=2))
    assert client.get(link).status == 410


def test_a_token_belongs_to_its_folder_and_its_run(client: Client, world: World) -> None:
    _, link = client.round(DELTA)
    token = link.partition("?")[2]
    assert client.get(f"/users/{BOB}/contacts/delta?{token}").status == 400
    assert client.get(f"/users/{ADA}/contactFolders/delta?{token}").status == 400
    assert client.get(f"{DELTA}?$deltatoken=nonsense").status == 400
    other = Client(type(client.service)(world), client.contract)
    assert other.get(link).status == 410


def test_folders_have_delta_too(client: Client, world: World) -> None:
    folders = f"/users/{ADA}/contactFolders"
    add_contacts(world, ADA, ["Top", "Child"], [])
    told, link = client.round(f"{folders}/delta")
    assert [item["displayName"] for item in told] == ["Top", "Child"]
    top = told[0]["id"]
    children, child_link = client.round(f"{folders}/{top}/childFolders/delta()")
    assert [item["displayName"] for item in children] == ["Child"]
    client.patch(f"{folders}/{top}", {"displayName": "Renamed"})
    client.post(f"{folders}/{top}/childFolders", {"displayName": "Second"})
    client.delete(f"{folders}/{children[0]['id']}")
    told, link = client.round(link)
    assert [item.get("displayName", "-") for item in told] == ["Renamed", "Second", "-"]
    assert told[2]["id"] == children[0]["id"]
    told, _ = client.round(child_link)
    assert [item.get("displayName", "-") for item in told] == ["Second", "-"]
    client.post(f"/users/{ADA}/contacts", {"givenName": "A"})
    assert client.round(link)[0] == []
