"""Requests out of the schema: what the published schemas refuse, and how Exchange says it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import pytest
from lxml import etree
from tests.contract.ews import Contract

from cirahub_simulator.ews.errors import SoapFaultError
from cirahub_simulator.ews.schema import check_request

from .conftest import NS, Soap, envelope

STAMP = (
    '<t:ExtendedProperty><t:ExtendedFieldURI PropertySetId="c11ff724-aa03-4555-9952-8fa248a11c3e"'
    ' PropertyName="Stamp" PropertyType="String"/><t:Value>a</t:Value></t:ExtendedProperty>'
)
REQUESTS = {
    "create": (
        '<m:CreateItem SendMeetingInvitations="SendToNone"><m:SavedItemFolderId>'
        '<t:DistinguishedFolderId Id="calendar"/></m:SavedItemFolderId><m:Items><t:CalendarItem>'
        "<t:Subject>Plan</t:Subject><t:Sensitivity>Private</t:Sensitivity>"
        f'<t:Body BodyType="HTML">&lt;p&gt;</t:Body>{STAMP}<t:Start>2027-03-22T10:00:00Z</t:Start>'
        "<t:End>2027-03-22T11:00:00Z</t:End><t:IsAllDayEvent>false</t:IsAllDayEvent>"
        "<t:LegacyFreeBusyStatus>Busy</t:LegacyFreeBusyStatus><t:Recurrence><t:WeeklyRecurrence>"
        "<t:Interval>1</t:Interval><t:DaysOfWeek>Monday Friday</t:DaysOfWeek></t:WeeklyRecurrence>"
        "<t:NumberedRecurrence><t:StartDate>2027-03-22</t:StartDate><t:NumberOfOccurrences>4"
        "</t:NumberOfOccurrences></t:NumberedRecurrence></t:Recurrence></t:CalendarItem></m:Items>"
        "</m:CreateItem>"
    ),
    "find": (
        '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>'
        '<t:AdditionalProperties><t:FieldURI FieldURI="item:Subject"/><t:IndexedFieldURI '
        'FieldURI="contacts:EmailAddress" FieldIndex="EmailAddress1"/></t:AdditionalProperties>'
        '</m:ItemShape><m:IndexedPageItemView MaxEntriesReturned="5" Offset="0" '
        'BasePoint="Beginning"/><m:Restriction><t:And><t:Exists><t:ExtendedFieldURI '
        'PropertyTag="0x3A45" PropertyType="String"/></t:Exists><t:IsEqualTo><t:FieldURI '
        'FieldURI="contacts:Surname"/><t:FieldURIOrConstant><t:Constant Value="A"/>'
        "</t:FieldURIOrConstant></t:IsEqualTo></t:And></m:Restriction><m:ParentFolderIds>"
        '<t:DistinguishedFolderId Id="contacts"/></m:ParentFolderIds></m:FindItem>'
    ),
    "update": (
        '<m:UpdateItem ConflictResolution="NeverOverwrite"><m:ItemChanges><t:ItemChange>'
        '<t:ItemId Id="AAA=" ChangeKey="EQ=="/><t:Updates><t:SetItemField><t:IndexedFieldURI '
        'FieldURI="contacts:PhysicalAddress:City" FieldIndex="Home"/><t:Contact>'
        '<t:PhysicalAddresses><t:Entry Key="Home"><t:City>Oslo</t:City></t:Entry>'
        "</t:PhysicalAddresses></t:Contact></t:SetItemField><t:DeleteItemField><t:FieldURI "
        'FieldURI="contacts:Birthday"/></t:DeleteItemField></t:Updates></t:ItemChange>'
        "</m:ItemChanges></m:UpdateItem>"
    ),
    "sync": (
        "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>"
        '<m:SyncFolderId><t:DistinguishedFolderId Id="contacts"/></m:SyncFolderId>'
        "<m:SyncState>AAA=</m:SyncState><m:MaxChangesReturned>10</m:MaxChangesReturned>"
        "<m:SyncScope>NormalItems</m:SyncScope></m:SyncFolderItems>"
    ),
}


def _parse(request: str) -> etree._Element:
    body = etree.fromstring(envelope(request).encode()).find("s:Body", NS)
    assert body is not None
    return body[0]


def _variants(request: str) -> Iterator[etree._Element]:
    """A request, and everything that is one step away from it."""
    whole = _parse(request)
    yield whole
    for index, node in enumerate(whole.iter()):
        if index > 0:
            yield _changed(whole, index, lambda one: one.getparent().remove(one))
            yield _changed(whole, index, lambda one: one.addnext(deepcopy(one)))
            yield _changed(whole, index, lambda one: one.getparent().insert(0, one))
            yield _changed(whole, index, lambda one: one.getparent().append(one))
            yield _changed(whole, index, lambda one: setattr(one, "tail", "stray"))
        yield _changed(whole, index, lambda one: one.set("Unheard", "of"))
        yield _changed(whole, index, lambda one: etree.SubElement(one, f"{{{NS['t']}}}Subject"))
        if node.text:
            yield _changed(whole, index, lambda one: setattr(one, "text", "-7 wrong"))
        for name in node.attrib:
            yield _changed(whole, index, lambda one, name=name: one.attrib.pop(name))
            yield _changed(whole, index, lambda one, name=name: one.set(name, "Wrong"))


def _changed(whole: etree._Element, index: int, change: object) -> etree._Element:
    copy = _parse_again(whole)
    change(list(copy.iter())[index])  # type: ignore[operator]
    return copy


def _parse_again(node: etree._Element) -> etree._Element:
    return etree.fromstring(etree.tostring(node))


def _is_admitted(request: etree._Element) -> bool:
    try:
        check_request(request)
    except SoapFaultError:
        return False
    return True


@pytest.mark.parametrize("operation", REQUESTS)
def test_what_the_published_schemas_refuse_is_refused_and_nothing_else(operation: str) -> None:
    folder = Contract.folder()
    if folder is None:
        pytest.skip("contracts/ews of the shared folder is not here")
    schema = etree.XMLSchema(etree.parse(folder / "messages.xsd"))
    verdicts = set()
    for variant in _variants(REQUESTS[operation]):
        right = schema.validate(_parse_again(variant))
        verdicts.add(right)
        assert _is_admitted(variant) == right, f"{schema.error_log} {etree.tostring(variant)!r}"
    assert verdicts == {True, False}


def test_an_element_out_of_its_place_is_named_in_the_fault(soap: Soap) -> None:
    answer = soap.call(
        "<m:CreateItem><m:Items><t:Contact><t:Surname>B</t:Surname><t:GivenName>A</t:GivenName>"
        "</t:Contact></m:Items></m:CreateItem>"
    )
    assert (answer.status, answer.codes) == (500, ["ErrorSchemaValidation"])
    violation = answer.text("//detail/t:MessageXml/t:Violation") or ""
    assert violation.startswith("The element 'Contact' in namespace")
    assert "has invalid child element 'GivenName' in namespace" in violation
    assert soap.find().all("//t:Contact") != []
