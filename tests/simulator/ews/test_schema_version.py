"""What a client of an older version is answered: the EWS Managed API, which exists for Java as
`ews-java-api` and for JavaScript as `ews-javascript-api`, refuses properties that came later."""

from __future__ import annotations

import pytest
from lxml import etree

from .conftest import Answer, Soap, shape_of

LATER = {
    "Exchange2007_SP1": {"HasPicture", "IsAssociated", "StartTimeZone", "IsOrganizer"},
    "Exchange2010": {"IsOrganizer", "StartWallClock", "EnhancedLocation"},
    "Exchange2013": set[str](),
}
"""Of what is answered to the latest version: some of what each does not have."""
CONTACT = "<t:Contact><t:GivenName>A</t:GivenName></t:Contact>"
APPOINTMENT = (
    "<t:CalendarItem><t:Subject>Lunch</t:Subject><t:Start>2027-01-04T11:00:00Z</t:Start>"
    "<t:End>2027-01-04T12:00:00Z</t:End><t:Location>Room 1</t:Location></t:CalendarItem>"
)
FIND = (
    '<m:FindItem Traversal="Shallow">{shape}<m:ParentFolderIds><t:DistinguishedFolderId '
    'Id="contacts"/></m:ParentFolderIds></m:FindItem>'
)
SYNC = (
    '<m:SyncFolderItems>{shape}<m:SyncFolderId><t:DistinguishedFolderId Id="contacts"/>'
    "</m:SyncFolderId><m:MaxChangesReturned>9</m:MaxChangesReturned></m:SyncFolderItems>"
)
NAMED = ("item:IsAssociated", "contacts:HasPicture")


def names(answer: Answer) -> set[str]:
    """The properties of the items."""
    return {
        etree.QName(node).localname for node in answer.all("//t:Contact/* | //t:CalendarItem/*")
    }


@pytest.fixture
def items(soap: Soap) -> str:
    made = [
        soap.done(
            f'<m:CreateItem SendMeetingInvitations="SendToNone"><m:Items>{item}</m:Items>'
            "</m:CreateItem>"
        ).item_id
        for item in (CONTACT, APPOINTMENT)
    ]
    return "".join(f'<t:ItemId Id="{one}"/>' for one in made)


@pytest.mark.parametrize("version", LATER)
def test_an_older_version_is_answered_what_it_has(soap: Soap, items: str, version: str) -> None:
    request = f"<m:GetItem>{shape_of('AllProperties')}<m:ItemIds>{items}</m:ItemIds></m:GetItem>"
    latest = names(soap.call(request, version="Exchange2016"))
    told = names(soap.call(request, version=version))
    assert latest - told >= LATER[version]
    assert told <= latest
    assert {"Subject", "DateTimeCreated", "Start", "End", "GivenName"} <= told


@pytest.mark.parametrize("operation", [FIND, SYNC])
def test_so_it_is_in_lists_unless_it_asks_by_name(soap: Soap, operation: str) -> None:
    plain = operation.format(shape=shape_of("AllProperties"))
    assert not names(soap.call(plain, version="Exchange2007_SP1")) & LATER["Exchange2007_SP1"]
    named = operation.format(shape=shape_of("AllProperties", *NAMED))
    told = names(soap.call(named, version="Exchange2007_SP1"))
    assert {"IsAssociated", "HasPicture"} <= told


def test_folders_have_versions_too(soap: Soap) -> None:
    request = (
        f"<m:GetFolder>{shape_of('AllProperties', kind='FolderShape')}<m:FolderIds>"
        '<t:DistinguishedFolderId Id="contacts"/></m:FolderIds></m:GetFolder>'
    )
    assert (
        soap.call(request, version="Exchange2013").text("//t:DistinguishedFolderId") == "contacts"
    )
    old = soap.call(request, version="Exchange2010_SP2")
    assert old.find("//t:DistinguishedFolderId") is None
    assert old.text("//t:DisplayName") == "Contacts"
