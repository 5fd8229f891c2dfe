"""SyncFolderItems: every change, each once, whatever the size of the pages."""

from __future__ import annotations

import pytest

from cirahub_simulator.client import AdminClient

from .conftest import OLGA, Answer, Soap, changes, field, put

FOLDER = '<t:FolderId Id="{}"/>'


def state_of(answer: Answer) -> str:
    return answer.text("//m:SyncState") or ""


def rename(soap: Soap, made: Answer, name: str) -> None:
    update = put(field("contacts:GivenName"), f"<t:GivenName>{name}</t:GivenName>")
    assert soap.update(made, update, resolution="AlwaysOverwrite").codes == ["NoError"]


@pytest.fixture
def folder(soap: Soap) -> str:
    return FOLDER.format(soap.make_folder("Synced"))


def test_creates_updates_and_deletes_are_told_by_their_kind(soap: Soap, folder: str) -> None:
    kept, gone = (soap.create(f"<t:GivenName>{n}</t:GivenName>", folder) for n in "ab")
    first = soap.sync("", 512, folder)
    assert changes(first) == [("Create", kept.item_id), ("Create", gone.item_id)]
    assert first.text("//m:IncludesLastItemInRange") == "true"
    rename(soap, kept, "c")
    soap.delete(gone.item_id)
    new = soap.create("<t:GivenName>d</t:GivenName>", folder)
    second = soap.sync(state_of(first), 512, folder, "contacts:GivenName")
    assert changes(second) == [
        ("Update", kept.item_id),
        ("Delete", gone.item_id),
        ("Create", new.item_id),
    ]
    assert [n.text for n in second.all("//t:GivenName")] == ["c", "d"]
    assert changes(soap.sync(state_of(second), 512, folder)) == []


@pytest.mark.parametrize("most", [1, 2, 3, 512])
def test_pages_of_any_size_tell_the_same(soap: Soap, folder: str, most: int) -> None:
    made = [soap.create(f"<t:GivenName>{n}</t:GivenName>", folder) for n in range(5)]
    told: list[tuple[str, str]] = []
    state, last, pages = "", "false", 0
    while last == "false":
        answer = soap.sync(state, most, folder)
        told += changes(answer)
        state, last = state_of(answer), answer.text("//m:IncludesLastItemInRange") or ""
        pages += 1
    assert told == [("Create", one.item_id) for one in made]
    assert pages == -(-5 // most)


def test_what_changes_between_two_pages_is_told_afterwards(soap: Soap, folder: str) -> None:
    made = [soap.create(f"<t:GivenName>{n}</t:GivenName>", folder) for n in range(4)]
    first = soap.sync("", 2, folder)
    rename(soap, made[0], "told already")
    rename(soap, made[3], "not told yet")
    soap.delete(made[1].item_id)
    soap.delete(made[2].item_id)
    told: dict[str, list[str]] = {}
    state, last = state_of(first), "false"
    while last == "false":
        answer = soap.sync(state, 1, folder)
        for kind, item_id in changes(answer):
            told.setdefault(item_id, []).append(kind)
        state, last = state_of(answer), answer.text("//m:IncludesLastItemInRange") or ""
    assert told.pop(made[0].item_id) == ["Update"]
    assert told.pop(made[1].item_id) == ["Delete"]
    assert told.pop(made[3].item_id)[0] == "Create"
    # It was made and deleted within one synchronisation: that it is gone may be told.
    assert told.get(made[2].item_id, ["Delete"]) == ["Delete"]


def test_a_move_is_a_deletion_here_and_a_creation_there(soap: Soap, folder: str) -> None:
    made = soap.create("<t:GivenName>a</t:GivenName>", folder)
    here = state_of(soap.sync("", 512, folder))
    there = FOLDER.format(soap.make_folder("Elsewhere"))
    begun = state_of(soap.sync("", 512, there))
    moved = soap.done(
        f"<m:MoveItem><m:ToFolderId>{there}</m:ToFolderId>"
        f'<m:ItemIds><t:ItemId Id="{made.item_id}"/></m:ItemIds></m:MoveItem>'
    )
    assert changes(soap.sync(here, 512, folder)) == [("Delete", made.item_id)]
    assert changes(soap.sync(begun, 512, there)) == [("Create", moved.item_id)]


def test_what_the_user_does_elsewhere_is_told_too(soap: Soap, admin: AdminClient) -> None:
    begun = state_of(soap.sync())
    contact = admin.create_contact(OLGA, {"givenName": "By Graph"})
    answer = soap.sync(begun, 512, "", "contacts:GivenName")
    assert [n.text for n in answer.all("//t:GivenName")] == ["By Graph"]
    admin.delete_contact(OLGA, contact["id"])
    assert [kind for kind, _ in changes(soap.sync(state_of(answer)))] == ["Delete"]


def test_items_to_ignore_are_left_out(soap: Soap, folder: str) -> None:
    one, other = (soap.create(f"<t:GivenName>{n}</t:GivenName>", folder) for n in "ab")
    answer = soap.done(
        "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>"
        f"<m:SyncFolderId>{folder}</m:SyncFolderId>"
        f'<m:Ignore><t:ItemId Id="{one.item_id}"/></m:Ignore>'
        "<m:MaxChangesReturned>10</m:MaxChangesReturned></m:SyncFolderItems>"
    )
    assert changes(answer) == [("Create", other.item_id)]


def test_a_state_of_something_else_is_refused(soap: Soap, folder: str, admin: AdminClient) -> None:
    state = state_of(soap.sync())
    invalid = ["ErrorInvalidSyncStateData"]
    assert soap.sync(state, 512, folder).codes == invalid
    assert soap.sync("bm9uZQ==").codes == invalid
    assert soap.sync("no state").codes == invalid
    assert soap.sync(state[:-8]).codes == invalid
    admin.expire_delta_tokens(OLGA)
    assert soap.sync(state).codes == invalid


@pytest.mark.parametrize("most", [0, 513, -1])
def test_a_page_has_from_1_to_512_changes(soap: Soap, most: int) -> None:
    assert soap.sync("", most).codes == ["ErrorSchemaValidation"]


def test_a_folder_that_is_gone_is_told(soap: Soap, folder: str) -> None:
    soap.done(
        f'<m:DeleteFolder DeleteType="HardDelete"><m:FolderIds>{folder}</m:FolderIds>'
        "</m:DeleteFolder>"
    )
    assert soap.sync("", 512, folder).codes == ["ErrorSyncFolderNotFound"]


@pytest.mark.parametrize("bodies", ["answered", "refused"])
def test_bodies_are_answered_or_refused(soap: Soap, admin: AdminClient, bodies: str) -> None:
    admin.switch(sync_bodies=bodies)
    soap.create('<t:Body BodyType="Text">Hello</t:Body><t:GivenName>a</t:GivenName>')
    answer = soap.sync("", 512, "", "item:Body")
    if bodies == "answered":
        assert "Hello" in [n.text for n in answer.all("//t:Body")]
    else:
        assert answer.codes == ["ErrorInvalidPropertyRequest"]
