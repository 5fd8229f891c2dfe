"""Contact folders: a tree below the default folder."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulator.graph.cloud import ADA, Client

from cirahub_simulator.graph.seed import add_contacts, mailbox_of
from cirahub_simulator.world import World

FOLDERS = f"/users/{ADA}/contactFolders"


def test_folders_nest_and_are_reached_by_path_and_by_id(client: Client) -> None:
    top = client.post(FOLDERS, {"displayName": "Top"})
    assert top.status == 201
    default = client.get(f"{FOLDERS}/contacts").json
    assert top.json["parentFolderId"] == default["id"]
    child = client.post(f"{FOLDERS}/{top.json['id']}/childFolders", {"displayName": "Child"}).json
    path = f"{FOLDERS}/{top.json['id']}/childFolders/{child['id']}"
    leaf = client.post(f"{path}/childFolders", {"displayName": "Leaf"}).json
    deep = f"{path}/childFolders/{leaf['id']}"
    assert client.get(deep).json["displayName"] == "Leaf"
    made = client.post(f"{deep}/contacts", {"givenName": "A"}).json
    assert made["parentFolderId"] == leaf["id"]
    assert client.get(f"{FOLDERS}/{leaf['id']}/contacts/{made['id']}").status == 200
    assert client.get(f"{FOLDERS}/{child['id']}/contacts/{made['id']}").status == 404
    assert client.get(f"/users/{ADA}/contacts/{made['id']}").status == 200
    assert client.get(f"/users/{ADA}/contacts").items == []
    assert client.get(f"{FOLDERS}/{leaf['id']}/childFolders/{child['id']}").status == 404


def test_the_default_folder_is_listed_by_switch_only(
    client: Client, switched: Callable[..., Client]
) -> None:
    client.post(FOLDERS, {"displayName": "One"})
    assert [f["displayName"] for f in client.get(FOLDERS).items] == ["One"]
    other = switched(default_folder_listed=True)
    other.post(FOLDERS, {"displayName": "One"})
    assert [f["displayName"] for f in other.get(FOLDERS).items] == ["Contacts", "One"]
    assert [f["displayName"] for f in other.round(f"{FOLDERS}/delta")[0]] == ["Contacts", "One"]


def test_a_name_is_taken_once_under_a_parent(client: Client) -> None:
    one = client.post(FOLDERS, {"displayName": "Hub"}).json
    taken = client.post(FOLDERS, {"displayName": "hub"})
    assert (taken.status, taken.code) == (409, "ErrorFolderExists")
    below = client.post(f"{FOLDERS}/{one['id']}/childFolders", {"displayName": "Hub"})
    assert below.status == 201
    two = client.post(FOLDERS, {"displayName": "Two"}).json
    assert client.patch(f"{FOLDERS}/{two['id']}", {"displayName": "HUB"}).status == 409
    assert client.patch(f"{FOLDERS}/{one['id']}", {"displayName": "HUB"}).status == 200


def test_a_folder_goes_with_all_below_it(client: Client, world: World) -> None:
    add_contacts(world, ADA, ["Top", "Child"], [{"givenName": "A"}])
    mailbox = mailbox_of(world, ADA)
    top, child = mailbox.folder_at(("Top",)), mailbox.folder_at(("Top", "Child"))
    assert top is not None
    assert child is not None
    [contact] = child.contacts.values()
    assert client.delete(f"{FOLDERS}/{top.id}").status == 204
    for url in (
        f"{FOLDERS}/{top.id}",
        f"{FOLDERS}/{child.id}/contacts",
        f"{FOLDERS}/{child.id}/contacts/delta",
        f"/users/{ADA}/contacts/{contact.id}",
    ):
        assert client.get(url).code == "ErrorItemNotFound"
    assert client.post(FOLDERS, {"displayName": "Top"}).status == 201


def test_the_default_folder_stays(client: Client) -> None:
    assert client.delete(f"{FOLDERS}/contacts").status == 400


def test_folders_carry_extended_properties(client: Client) -> None:
    stamp = "String {66f5a359-4659-4830-9070-00040ec6ac6e} Name Hub"
    values = [{"id": stamp, "value": "mine"}]
    made = client.post(
        FOLDERS, {"displayName": "Hub", "singleValueExtendedProperties": values}
    ).json
    assert "singleValueExtendedProperties" not in made
    expand = f"$expand=singleValueExtendedProperties($filter=id eq '{stamp}')"
    got = client.get(f"{FOLDERS}/{made['id']}?{expand}").json
    assert got["singleValueExtendedProperties"] == values
    find = (
        f"$filter=singleValueExtendedProperties/any(ep: ep/id eq '{stamp}' and ep/value eq 'MINE')"
    )
    assert [f["id"] for f in client.get(f"{FOLDERS}?{find}").items] == [made["id"]]


def test_what_is_no_folder_is_refused(client: Client) -> None:
    client.judged = False
    assert client.post(FOLDERS, {}).status == 400
    assert client.post(FOLDERS, {"displayName": "A", "colour": "red"}).code == "RequestBodyRead"
    assert client.post(FOLDERS, {"displayName": 1}).status == 400


def test_counts_and_pages(client: Client) -> None:
    for number in range(12):
        client.post(FOLDERS, {"displayName": f"F{number:02}"})
    first = client.get(f"{FOLDERS}?$count=true&$select=displayName&$orderby=displayName desc")
    assert first.json["@odata.count"] == 12
    assert len(first.items) == 10
    assert set(first.items[0]) == {"id", "displayName"}
    second = client.get(first.json["@odata.nextLink"])
    assert [f["displayName"] for f in second.items] == ["F01", "F00"]
    assert client.get(f"{FOLDERS}/$count").json == 12
    assert client.get(f"{FOLDERS}/contacts/childFolders/$count").json == 12
