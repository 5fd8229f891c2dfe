"""Attachments of items; a contact's photo is one."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from tests.simulator.conftest import ANNA, GraphClient

from .conftest import Answer, Soap, impersonate
from .pictures import jpeg


def attach(soap: Soap, item_id: str, content: bytes, more: str = "") -> str:
    """The id of an attachment just made."""
    answer = soap.done(
        f'<m:CreateAttachment><m:ParentItemId Id="{item_id}"/><m:Attachments>'
        f"<t:FileAttachment><t:Name>a.txt</t:Name>{more}"
        f"<t:Content>{b64encode(content).decode()}</t:Content></t:FileAttachment>"
        "</m:Attachments></m:CreateAttachment>"
    )
    return str(answer.find("//t:AttachmentId").get("Id"))


def read(soap: Soap, attachment_id: str, operation: str = "GetAttachment") -> Answer:
    return soap.call(
        f'<m:{operation}><m:AttachmentIds><t:AttachmentId Id="{attachment_id}"/>'
        f"</m:AttachmentIds></m:{operation}>"
    )


@pytest.mark.parametrize("kind", ["contact", "appointment"])
def test_an_attachment_s_life(soap: Soap, kind: str) -> None:
    made = (
        soap.create("<t:GivenName>A</t:GivenName>")
        if kind == "contact"
        else soap.done(
            '<m:CreateItem SendMeetingInvitations="SendToNone"><m:Items><t:CalendarItem>'
            "<t:Subject>A</t:Subject><t:Start>2027-03-22T10:00:00Z</t:Start>"
            "<t:End>2027-03-22T11:00:00Z</t:End></t:CalendarItem></m:Items></m:CreateItem>"
        )
    )
    attachment = attach(soap, made.item_id, b"content", "<t:ContentType>text/plain</t:ContentType>")
    shown = soap.get(made.item_id)
    assert shown.change_key != made.change_key
    assert shown.text("//t:HasAttachments") == "true"
    assert shown.text("//t:FileAttachment/t:Size") == "7"
    got = read(soap, attachment)
    assert got.text("//t:ContentType") == "text/plain"
    assert b64decode(got.text("//t:Content") or "") == b"content"
    gone = read(soap, attachment, "DeleteAttachment")
    assert gone.find("//m:RootItemId").get("RootItemId") == made.item_id
    assert read(soap, attachment).codes == ["ErrorItemNotFound"]
    assert soap.get(made.item_id).text("//t:HasAttachments") == "false"


def test_an_attachment_of_nothing_is_refused(soap: Soap) -> None:
    made = soap.create("<t:GivenName>A</t:GivenName>")
    attachment = attach(soap, made.item_id, b"content")
    assert read(soap, "AAA=").codes == ["ErrorInvalidAttachmentId"]
    soap.delete(made.item_id, "HardDelete")
    assert read(soap, attachment).codes == ["ErrorItemNotFound"]


def test_an_item_as_an_attachment_is_not_simulated(soap: Soap) -> None:
    made = soap.create("<t:GivenName>A</t:GivenName>")
    answer = soap.call(
        f'<m:CreateAttachment><m:ParentItemId Id="{made.item_id}"/><m:Attachments>'
        "<t:ItemAttachment><t:Name>a</t:Name></t:ItemAttachment></m:Attachments>"
        "</m:CreateAttachment>"
    )
    assert answer.codes == ["ErrorInvalidOperation"]


def test_a_photo_is_the_same_over_both_services(online: Soap, graph: GraphClient) -> None:
    online.header = impersonate(ANNA)
    made = online.create("<t:GivenName>A</t:GivenName>")
    path = f"/users/{ANNA}/contacts/{made.item_id.replace('/', '-').replace('+', '_')}/photo"
    photo = "<t:IsContactPhoto>true</t:IsContactPhoto>"
    attach(online, made.item_id, jpeg(48, 64), photo)
    second = attach(online, made.item_id, jpeg(96, 96), photo)
    assert graph.call("GET", f"{path}/$value").content == jpeg(96, 96)
    shown = online.get(made.item_id)
    assert shown.text("//t:HasPicture") == "true"
    assert [node.text for node in shown.all("//t:FileAttachment/t:Name")] == ["ContactPicture.jpg"]
    head = {"Content-Type": "image/jpeg"}
    graph.call("PUT", f"{path}/$value", data=jpeg(10, 10), headers=head)
    assert b64decode(read(online, second).text("//t:Content") or "") == jpeg(10, 10)
    read(online, second, "DeleteAttachment")
    assert graph.call("GET", path).status_code == 404
    assert online.get(made.item_id).text("//t:HasPicture") == "false"


def test_a_photo_that_is_no_jpeg_is_kept_as_it_is(soap: Soap) -> None:
    made = soap.create("<t:GivenName>A</t:GivenName>")
    photo = "<t:IsContactPhoto>true</t:IsContactPhoto>"
    attach(soap, made.item_id, jpeg(48, 64), photo)
    attachment = attach(soap, made.item_id, b"GIF89a", photo)
    shown = soap.get(made.item_id)
    assert shown.text("//t:HasPicture") == "true"
    assert len(shown.all("//t:FileAttachment")) == 1
    assert b64decode(read(soap, attachment).text("//t:Content") or "") == b"GIF89a"


def test_a_copy_has_what_its_original_has(soap: Soap) -> None:
    made = soap.create("<t:GivenName>A</t:GivenName>")
    attach(soap, made.item_id, b"content")
    attach(soap, made.item_id, jpeg(8, 8), "<t:IsContactPhoto>true</t:IsContactPhoto>")
    copy = soap.done(
        '<m:CopyItem><m:ToFolderId><t:DistinguishedFolderId Id="contacts"/></m:ToFolderId>'
        f'<m:ItemIds><t:ItemId Id="{made.item_id}"/></m:ItemIds></m:CopyItem>'
    )
    names = [node.text for node in soap.get(copy.item_id).all("//t:FileAttachment/t:Name")]
    assert names == ["ContactPicture.jpg", "a.txt"]


def test_an_item_is_created_with_its_files(soap: Soap) -> None:
    """As exchangelib does with what was attached before the item was saved."""
    file = "<t:FileAttachment><t:Name>notes.txt</t:Name><t:Content>bm90ZXM=</t:Content>"
    made = soap.create(
        f"<t:Attachments>{file}</t:FileAttachment></t:Attachments><t:GivenName>A</t:GivenName>"
    )
    got = soap.get(made.item_id, "item:Attachments")
    assert got.change_key == made.change_key
    assert [node.text for node in got.all("//t:FileAttachment/t:Name")] == ["notes.txt"]
    held = len(soap.find().all("//t:Contact"))
    refused = soap.call(
        "<m:CreateItem><m:Items><t:Contact><t:Attachments><t:ItemAttachment><t:Name>a</t:Name>"
        "<t:Contact><t:GivenName>B</t:GivenName></t:Contact></t:ItemAttachment></t:Attachments>"
        "</t:Contact></m:Items></m:CreateItem>"
    )
    assert refused.codes == ["ErrorInvalidOperation"]
    assert len(soap.find().all("//t:Contact")) == held, "nothing is made by halves"
