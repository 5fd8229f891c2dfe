"""Folders: the tree, shapes, and what may be done to them."""

from __future__ import annotations

import pytest

from cirahub_simulator.client import AdminClient

from .conftest import OLGA, Answer, Soap, changes, field, shape_of

ROOT = '<t:DistinguishedFolderId Id="msgfolderroot"/>'
CONTACTS = '<t:DistinguishedFolderId Id="contacts"/>'
DELETED = '<t:DistinguishedFolderId Id="deleteditems"/>'
STAMP = (
    '<t:ExtendedFieldURI PropertySetId="c11ff724-aa03-4555-9952-8fa248a11c3e" '
    'PropertyName="Stamp" PropertyType="String"/>'
)


def by_id(folder_id: str) -> str:
    return f'<t:FolderId Id="{folder_id}"/>'


def find(soap: Soap, parent: str, traversal: str = "Shallow", more: str = "") -> Answer:
    return soap.done(
        f'<m:FindFolder Traversal="{traversal}">{shape_of("Default", kind="FolderShape")}{more}'
        f"<m:ParentFolderIds>{parent}</m:ParentFolderIds></m:FindFolder>"
    )


def names(answer: Answer) -> list[str]:
    return [str(node.text) for node in answer.all("//t:DisplayName")]


def get(soap: Soap, folder: str, *more: str) -> Answer:
    return soap.call(
        f"<m:GetFolder>{shape_of('AllProperties', *more, kind='FolderShape')}"
        f"<m:FolderIds>{folder}</m:FolderIds></m:GetFolder>"
    )


def remove(soap: Soap, folder: str, disposal: str = "MoveToDeletedItems") -> list[str]:
    return soap.call(
        f'<m:DeleteFolder DeleteType="{disposal}"><m:FolderIds>{folder}</m:FolderIds>'
        "</m:DeleteFolder>"
    ).codes


def rename(soap: Soap, folder: str, name: str) -> Answer:
    return soap.call(
        f"<m:UpdateFolder><m:FolderChanges><t:FolderChange>{folder}<t:Updates><t:SetFolderField>"
        f"{field('folder:DisplayName')}<t:ContactsFolder><t:DisplayName>{name}</t:DisplayName>"
        "</t:ContactsFolder></t:SetFolderField></t:Updates></t:FolderChange></m:FolderChanges>"
        "</m:UpdateFolder>"
    )


def test_the_tree_has_what_every_mailbox_has(soap: Soap) -> None:
    found = find(soap, ROOT)
    assert {"Inbox", "Calendar", "Contacts", "Deleted Items", "Tasks"} <= set(names(found))
    assert found.text("//t:ContactsFolder/t:DisplayName") == "Contacts"
    assert found.text("//t:CalendarFolder/t:DisplayName") == "Calendar"
    deep = names(find(soap, ROOT, "Deep"))
    assert {"Customers", "Archive"} <= set(deep)
    assert "Root" not in deep
    answer = get(soap, CONTACTS)
    assert answer.text("//t:FolderClass") == "IPF.Contact"
    assert answer.text("//t:DistinguishedFolderId") == "contacts"
    assert answer.text("//t:ChildFolderCount") == str(len(find(soap, CONTACTS).all("//t:FolderId")))


def test_a_folder_is_made_renamed_moved_and_deleted(soap: Soap, admin: AdminClient) -> None:
    made = soap.done(
        f"<m:CreateFolder><m:ParentFolderId>{CONTACTS}</m:ParentFolderId><m:Folders>"
        f"<t:ContactsFolder><t:DisplayName>Team</t:DisplayName><t:ExtendedProperty>{STAMP}"
        "<t:Value>mine</t:Value></t:ExtendedProperty></t:ContactsFolder></m:Folders>"
        "</m:CreateFolder>"
    )
    team = by_id(made.folder_id)
    assert get(soap, team, STAMP).text("//t:ExtendedProperty/t:Value") == "mine"
    assert rename(soap, team, "Teams").codes == ["NoError"]
    assert "Teams" in names(find(soap, CONTACTS))
    soap.create("<t:DisplayName>In the team</t:DisplayName>", team)
    assert any(one["folder"] == ["Teams"] for one in admin.contacts(OLGA))
    moved = soap.done(
        f"<m:MoveFolder><m:ToFolderId>{ROOT}</m:ToFolderId><m:FolderIds>{team}</m:FolderIds>"
        "</m:MoveFolder>"
    )
    assert moved.folder_id == made.folder_id
    assert not any(one["folder"] == ["Teams"] for one in admin.contacts(OLGA))
    assert remove(soap, team) == ["NoError"]
    assert "Teams" in names(find(soap, DELETED))
    assert get(soap, team).text("//t:TotalCount") == "1"
    assert remove(soap, team) == ["NoError"]
    assert get(soap, team).codes == ["ErrorFolderNotFound"]


def test_two_folders_do_not_share_a_name(soap: Soap) -> None:
    soap.make_folder("Twin")
    answer = soap.call(
        f"<m:CreateFolder><m:ParentFolderId>{CONTACTS}</m:ParentFolderId><m:Folders>"
        "<t:ContactsFolder><t:DisplayName>TWIN</t:DisplayName></t:ContactsFolder></m:Folders>"
        "</m:CreateFolder>"
    )
    assert answer.codes == ["ErrorFolderExists"]
    other = by_id(soap.make_folder("Other"))
    assert rename(soap, other, "twin").codes == ["ErrorFolderExists"]


@pytest.mark.parametrize("disposal", ["MoveToDeletedItems", "SoftDelete", "HardDelete"])
def test_what_every_mailbox_has_stays(soap: Soap, disposal: str) -> None:
    assert remove(soap, CONTACTS, disposal) == ["ErrorDeleteDistinguishedFolder"]
    answer = soap.call(
        f"<m:MoveFolder><m:ToFolderId>{DELETED}</m:ToFolderId><m:FolderIds>{CONTACTS}"
        "</m:FolderIds></m:MoveFolder>"
    )
    assert answer.codes == ["ErrorMoveDistinguishedFolder"]


def test_a_folder_does_not_go_below_itself(soap: Soap) -> None:
    outer = soap.make_folder("Outer")
    inner = soap.make_folder("Inner", by_id(outer))
    answer = soap.call(
        f"<m:MoveFolder><m:ToFolderId>{by_id(inner)}</m:ToFolderId><m:FolderIds>{by_id(outer)}"
        "</m:FolderIds></m:MoveFolder>"
    )
    assert answer.codes == ["ErrorMoveCopyFailed"]


def copy(soap: Soap, folder: str, target: str) -> Answer:
    return soap.call(
        f"<m:CopyFolder><m:ToFolderId>{target}</m:ToFolderId><m:FolderIds>{folder}</m:FolderIds>"
        "</m:CopyFolder>"
    )


def test_a_folder_is_copied_with_all_in_it(soap: Soap) -> None:
    outer = by_id(soap.make_folder("Outer"))
    inner = by_id(soap.make_folder("Inner", outer))
    soap.create("<t:DisplayName>Above</t:DisplayName>", outer)
    soap.create("<t:DisplayName>Below</t:DisplayName>", inner)
    assert copy(soap, outer, CONTACTS).codes == ["ErrorFolderExists"]
    assert copy(soap, outer, inner).codes == ["ErrorMoveCopyFailed"]
    target = by_id(soap.make_folder("Target"))
    made = copy(soap, outer, target)
    assert made.codes == ["NoError"]
    there = by_id(made.folder_id)
    assert there != outer

    def shown(folder: str) -> list[str]:
        found = soap.find("contacts:DisplayName", folder=folder)
        return [str(node.text) for node in found.all("//t:Contact/t:DisplayName")]

    assert [names(find(soap, each)) for each in (outer, there)] == [["Inner"], ["Inner"]]
    below = by_id(find(soap, there).folder_id)
    assert [shown(each) for each in (outer, inner, there, below)] == [
        ["Above"],
        ["Below"],
        ["Above"],
        ["Below"],
    ]


@pytest.mark.parametrize("deep", [True, False])
def test_a_folder_is_emptied(soap: Soap, deep: bool) -> None:
    outer = by_id(soap.make_folder("Outer"))
    soap.make_folder("Inner", outer)
    made = soap.create("<t:DisplayName>Gone</t:DisplayName>", outer)
    soap.done(
        f'<m:EmptyFolder DeleteType="HardDelete" DeleteSubFolders="{str(deep).lower()}">'
        f"<m:FolderIds>{outer}</m:FolderIds></m:EmptyFolder>"
    )
    assert soap.find(folder=outer).all("//t:ItemId") == []
    assert names(find(soap, outer)) == ([] if deep else ["Inner"])
    assert soap.delete(made.item_id).codes == ["ErrorItemNotFound"]


def test_the_calendar_is_not_emptied(soap: Soap) -> None:
    answer = soap.call(
        '<m:EmptyFolder DeleteType="HardDelete" DeleteSubFolders="false"><m:FolderIds>'
        '<t:DistinguishedFolderId Id="calendar"/></m:FolderIds></m:EmptyFolder>'
    )
    assert answer.codes == ["ErrorCannotEmptyFolder"]


def test_folders_are_searched_and_paged(soap: Soap) -> None:
    for name in ("Page 1", "Page 2", "Page 3"):
        soap.make_folder(name)
    where = (
        '<m:Restriction><t:Contains ContainmentMode="Prefixed" ContainmentComparison="IgnoreCase">'
        f'{field("folder:DisplayName")}<t:Constant Value="page"/></t:Contains></m:Restriction>'
    )
    assert names(find(soap, CONTACTS, more=where)) == ["Page 1", "Page 2", "Page 3"]
    view = '<m:IndexedPageFolderView MaxEntriesReturned="2" Offset="2" BasePoint="Beginning"/>'
    page = find(soap, CONTACTS, more=view + where)
    assert names(page) == ["Page 3"]
    root = page.find("//m:RootFolder")
    assert (root.get("TotalItemsInView"), root.get("IncludesLastItemInRange")) == ("3", "true")


def test_the_hierarchy_is_synchronised(soap: Soap) -> None:
    def sync(state: str = "", root: str = ROOT) -> Answer:
        given = f"<m:SyncState>{state}</m:SyncState>" if state else ""
        where = f"<m:SyncFolderId>{root}</m:SyncFolderId>" if root else ""
        shape = shape_of("Default", kind="FolderShape")
        return soap.call(f"<m:SyncFolderHierarchy>{shape}{where}{given}</m:SyncFolderHierarchy>")

    first = sync()
    assert {kind for kind, _ in changes(first)} == {"Create"}
    assert first.text("//m:IncludesLastFolderInRange") == "true"
    state = first.text("//m:SyncState") or ""
    assert changes(sync(state)) == []
    kept, dropped = soap.make_folder("Kept"), soap.make_folder("Dropped")
    second = sync(state)
    assert changes(second) == [("Create", kept), ("Create", dropped)]
    rename(soap, by_id(kept), "Renamed")
    remove(soap, by_id(dropped), "HardDelete")
    third = sync(second.text("//m:SyncState") or "")
    assert changes(third) == [("Update", kept), ("Delete", dropped)]
    assert sync(state, root="").codes == ["ErrorInvalidSyncStateData"]
    assert sync(state, root=CONTACTS).codes == ["ErrorInvalidSyncStateData"]
    assert sync("rubbish").codes == ["ErrorInvalidSyncStateData"]


def test_public_folders_are_there_for_everybody_of_the_organisation(soap: Soap) -> None:
    public = '<t:DistinguishedFolderId Id="publicfoldersroot"/>'
    found = find(soap, public)
    assert names(found) == ["Company Contacts"]
    company = by_id(found.folder_id)
    assert len(soap.find(folder=company).all("//t:ItemId")) == 12
    made = soap.create("<t:DisplayName>Shared</t:DisplayName>", company)
    answer = soap.sync("", 512, company)
    assert ("Create", made.item_id) in changes(answer)
    soap.session.auth = ("paul", "simulated-paul-password")
    assert soap.get(made.item_id).text("//t:Contact/t:DisplayName") == "Shared"


def test_what_mapi_knows_of_a_folder_is_answered(soap: Soap) -> None:
    """DavMail tells by these what a folder is of."""
    folder = by_id(soap.make_folder("Known"))
    soap.make_folder("Below", folder)
    soap.create("<t:DisplayName>One</t:DisplayName>", folder)
    wanted = {
        ("0x3001", "String"): "Known",
        ("0x3602", "Integer"): "1",
        ("0x3603", "Integer"): "0",
        ("0x360a", "Boolean"): "true",
        ("0x3613", "String"): "IPF.Contact",
    }
    paths = [
        f'<t:ExtendedFieldURI PropertyTag="{tag}" PropertyType="{kind}"/>' for tag, kind in wanted
    ]
    answer = get(soap, folder, *paths)
    assert answer.codes == ["NoError"]
    assert [node.text for node in answer.all("//t:ExtendedProperty/t:Value")] == list(
        wanted.values()
    )
    where = (
        f"<m:Restriction><t:IsEqualTo>{paths[-1]}<t:FieldURIOrConstant><t:Constant "
        'Value="IPF.Contact"/></t:FieldURIOrConstant></t:IsEqualTo></m:Restriction>'
    )
    assert names(find(soap, folder, more=where)) == ["Below"]
