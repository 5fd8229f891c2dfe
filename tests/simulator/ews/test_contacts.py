"""Contacts: made, read, changed, moved, copied and deleted, and the same contact in Graph."""

from __future__ import annotations

import pytest

from cirahub_simulator.client import AdminClient

from .conftest import OLGA, Soap, drop, field, indexed, put

DELETED = '<t:DistinguishedFolderId Id="deleteditems"/>'
DELETIONS = '<t:DistinguishedFolderId Id="recoverableitemsdeletions"/>'

WHOLE = """
<t:ItemClass>IPM.Contact.Custom</t:ItemClass>
<t:Subject>A subject</t:Subject>
<t:Sensitivity>Private</t:Sensitivity>
<t:Body BodyType="HTML">&lt;p&gt;First&lt;/p&gt;&lt;p&gt;Second &amp;amp; last&lt;/p&gt;</t:Body>
<t:Categories><t:String>Red</t:String><t:String>Blå</t:String></t:Categories>
<t:Importance>High</t:Importance>
<t:ExtendedProperty>
  <t:ExtendedFieldURI PropertySetId="c11ff724-aa03-4555-9952-8fa248a11c3e" PropertyName="Stamp"
    PropertyType="String"/><t:Value>one</t:Value>
</t:ExtendedProperty>
<t:ExtendedProperty>
  <t:ExtendedFieldURI DistinguishedPropertySetId="PublicStrings" PropertyName="Many"
    PropertyType="StringArray"/><t:Values><t:Value>a</t:Value><t:Value>b</t:Value></t:Values>
</t:ExtendedProperty>
<t:Culture>de-DE</t:Culture>
<t:FileAs>Ångström, Zoë</t:FileAs>
<t:FileAsMapping>LastCommaFirst</t:FileAsMapping>
<t:DisplayName>Zoë Ångström</t:DisplayName>
<t:GivenName>Zoë</t:GivenName>
<t:Initials>Z.Å.</t:Initials>
<t:MiddleName>M</t:MiddleName>
<t:Nickname>Zo</t:Nickname>
<t:CompanyName>A. Datum</t:CompanyName>
<t:EmailAddresses>
  <t:Entry Key="EmailAddress1" Name="Zoë">zoe@adatum.example</t:Entry>
  <t:Entry Key="EmailAddress3">zoe@home.example</t:Entry>
</t:EmailAddresses>
<t:PhysicalAddresses>
  <t:Entry Key="Business"><t:Street>Street 1</t:Street><t:City>Oslo</t:City>
    <t:State>Oslo</t:State><t:CountryOrRegion>Norway</t:CountryOrRegion>
    <t:PostalCode>0150</t:PostalCode></t:Entry>
  <t:Entry Key="Other"><t:City>Bergen</t:City></t:Entry>
</t:PhysicalAddresses>
<t:PhoneNumbers>
  <t:Entry Key="BusinessFax">+47 1</t:Entry><t:Entry Key="BusinessPhone2">+47 2</t:Entry>
  <t:Entry Key="HomePhone">+47 3</t:Entry><t:Entry Key="MobilePhone">+47 4</t:Entry>
  <t:Entry Key="TtyTddPhone">+47 5</t:Entry>
</t:PhoneNumbers>
<t:AssistantName>Ada</t:AssistantName>
<t:Birthday>1980-02-29T00:00:00Z</t:Birthday>
<t:BusinessHomePage>https://adatum.example/</t:BusinessHomePage>
<t:Children><t:String>Bo</t:String><t:String>Eli</t:String></t:Children>
<t:Companies><t:String>One</t:String><t:String>Two</t:String></t:Companies>
<t:Department>Sales</t:Department>
<t:Generation>Jr.</t:Generation>
<t:ImAddresses><t:Entry Key="ImAddress2">zoe@im.example</t:Entry></t:ImAddresses>
<t:JobTitle>Buyer</t:JobTitle>
<t:Manager>Max</t:Manager>
<t:Mileage>12</t:Mileage>
<t:OfficeLocation>4/12</t:OfficeLocation>
<t:PostalAddressIndex>Business</t:PostalAddressIndex>
<t:Profession>Buyer</t:Profession>
<t:SpouseName>Kim</t:SpouseName>
<t:Surname>Ångström</t:Surname>
<t:WeddingAnniversary>2005-06-01T00:00:00Z</t:WeddingAnniversary>
"""
TEXTS = (
    ("ItemClass", "IPM.Contact.Custom"),
    ("Subject", "A subject"),
    ("Sensitivity", "Private"),
    ("Importance", "High"),
    ("Culture", "de-DE"),
    ("FileAs", "Ångström, Zoë"),
    ("FileAsMapping", "LastCommaFirst"),
    ("DisplayName", "Zoë Ångström"),
    ("GivenName", "Zoë"),
    ("Initials", "Z.Å."),
    ("MiddleName", "M"),
    ("Nickname", "Zo"),
    ("CompanyName", "A. Datum"),
    ("AssistantName", "Ada"),
    ("Birthday", "1980-02-29T00:00:00Z"),
    ("BusinessHomePage", "https://adatum.example/"),
    ("Department", "Sales"),
    ("Generation", "Jr."),
    ("JobTitle", "Buyer"),
    ("Manager", "Max"),
    ("Mileage", "12"),
    ("OfficeLocation", "4/12"),
    ("PostalAddressIndex", "Business"),
    ("Profession", "Buyer"),
    ("SpouseName", "Kim"),
    ("Surname", "Ångström"),
    ("WeddingAnniversary", "2005-06-01T00:00:00Z"),
)
STAMP = (
    '<t:ExtendedFieldURI PropertySetId="C11FF724-AA03-4555-9952-8FA248A11C3E" '
    'PropertyName="Stamp" PropertyType="String"/>'
)
MANY = (
    '<t:ExtendedFieldURI PropertySetId="00020329-0000-0000-C000-000000000046" '
    'PropertyName="Many" PropertyType="StringArray"/>'
)


def test_a_contact_comes_back_whole(soap: Soap) -> None:
    made = soap.create(WHOLE)
    got = soap.get(made.item_id, STAMP, MANY)
    contact = "//m:Items/t:Contact"
    assert [(name, got.text(f"{contact}/t:{name}")) for name, _ in TEXTS] == list(TEXTS)
    for name, values in (
        ("Categories", ["Red", "Blå"]),
        ("Children", ["Bo", "Eli"]),
        ("Companies", ["One", "Two"]),
    ):
        assert [n.text for n in got.all(f"{contact}/t:{name}/t:String")] == values
    entries = {
        name: {n.get("Key"): "".join(n.itertext()) for n in got.all(f"{contact}/t:{name}/t:Entry")}
        for name in ("EmailAddresses", "PhoneNumbers", "ImAddresses", "PhysicalAddresses")
    }
    assert entries == {
        "EmailAddresses": {
            "EmailAddress1": "zoe@adatum.example",
            "EmailAddress3": "zoe@home.example",
        },
        "PhoneNumbers": {
            "BusinessFax": "+47 1",
            "BusinessPhone2": "+47 2",
            "HomePhone": "+47 3",
            "MobilePhone": "+47 4",
            "TtyTddPhone": "+47 5",
        },
        "ImAddresses": {"ImAddress2": "zoe@im.example"},
        "PhysicalAddresses": {"Business": "Street 1OsloOsloNorway0150", "Other": "Bergen"},
    }
    assert got.find(f"{contact}/t:EmailAddresses/t:Entry").get("Name") == "Zoë"
    assert got.text(f"{contact}/t:CompleteName/t:Suffix") == "Jr."
    values = [n.text for n in got.all(f"{contact}/t:ExtendedProperty//t:Value")]
    assert values == ["one", "a", "b"]


@pytest.mark.parametrize(
    ("wanted", "kind", "content"),
    [
        ("Text", "Text", "First\nSecond & last"),
        ("HTML", "HTML", "<p>First</p><p>Second &amp; last</p>"),
        ("Best", "HTML", "<p>First</p><p>Second &amp; last</p>"),
    ],
)
def test_a_body_is_answered_in_the_form_asked_for(
    soap: Soap, wanted: str, kind: str, content: str
) -> None:
    made = soap.create(WHOLE)
    body = soap.done(
        "<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>"
        f"<t:BodyType>{wanted}</t:BodyType><t:AdditionalProperties>{field('item:Body')}"
        f'</t:AdditionalProperties></m:ItemShape><m:ItemIds><t:ItemId Id="{made.item_id}"/>'
        "</m:ItemIds></m:GetItem>"
    ).find("//t:Body")
    assert (body.get("BodyType"), body.text) == (kind, content)


def test_graph_has_what_ews_wrote_and_the_other_way_round(soap: Soap, admin: AdminClient) -> None:
    made = soap.create(WHOLE)
    graph = next(
        one["contact"]
        for one in admin.contacts(OLGA)
        if one["contact"]["displayName"] == "Zoë Ångström"
    )
    assert graph["id"].replace("-", "/").replace("_", "+") == made.item_id
    assert graph["changeKey"] == made.change_key
    assert graph["personalNotes"] == "First\nSecond & last"
    assert [email["address"] for email in graph["emailAddresses"]] == [
        "zoe@adatum.example",
        "zoe@home.example",
    ]
    assert graph["businessPhones"] == ["+47 2"]
    extended = {one["id"]: one["value"] for one in graph["singleValueExtendedProperties"]}
    assert extended["String 0x3a24"] == "+47 1"
    assert extended["String {c11ff724-aa03-4555-9952-8fa248a11c3e} Name Stamp"] == "one"
    admin.update_contact(
        OLGA,
        graph["id"],
        {
            "jobTitle": "Seller",
            "emailAddresses": [{"address": f"{n}@x.example", "name": n} for n in ("a", "b", "c")],
            "personalNotes": "Written over",
            "title": "Dr.",
            "singleValueExtendedProperties": [{"id": "String 0x3A21", "value": "777"}],
        },
    )
    title = '<t:ExtendedFieldURI PropertyTag="0x3A45" PropertyType="String"/>'
    got = soap.get(made.item_id, title)
    assert got.change_key != made.change_key
    assert got.text("//t:Contact/t:JobTitle") == "Seller"
    assert [n.get("Key") for n in got.all("//t:EmailAddresses/t:Entry")] == [
        "EmailAddress1",
        "EmailAddress2",
        "EmailAddress3",
    ]
    assert got.text("//t:Body") == "Written over"
    assert got.text("//t:ExtendedProperty/t:Value") == "Dr."
    assert got.text("//t:CompleteName/t:Title") == "Dr."
    assert got.text("//t:PhoneNumbers/t:Entry[@Key='Pager']") == "777"


def test_fields_are_set_appended_and_deleted_one_by_one(soap: Soap) -> None:
    made = soap.create(WHOLE)
    email = "contacts:EmailAddress"
    answer = soap.update(
        made,
        put(field("contacts:JobTitle"), "<t:JobTitle>Seller</t:JobTitle>"),
        drop(field("contacts:Department")),
        drop(indexed(email, "EmailAddress1")),
        put(
            indexed(email, "EmailAddress2"),
            '<t:EmailAddresses><t:Entry Key="EmailAddress2">two@x.example</t:Entry>'
            "</t:EmailAddresses>",
        ),
        put(
            indexed("contacts:PhysicalAddress:City", "Business"),
            '<t:PhysicalAddresses><t:Entry Key="Business"><t:City>Bergen</t:City></t:Entry>'
            "</t:PhysicalAddresses>",
        ),
        drop(indexed("contacts:PhysicalAddress:Street", "Business")),
        put(
            indexed("contacts:PhoneNumber", "Pager"),
            '<t:PhoneNumbers><t:Entry Key="Pager">+47 9</t:Entry></t:PhoneNumbers>',
        ),
        drop(indexed("contacts:PhoneNumber", "MobilePhone")),
        drop(indexed("contacts:ImAddress", "ImAddress2")),
        "<t:AppendToItemField>"
        + field("item:Body")
        + '<t:Contact><t:Body BodyType="Text">\nmore</t:Body></t:Contact></t:AppendToItemField>',
        put(
            STAMP,
            f"<t:ExtendedProperty>{STAMP}<t:Value>two</t:Value></t:ExtendedProperty>",
        ),
        drop(MANY),
        drop(field("item:Categories")),
    )
    assert answer.codes == ["NoError"], answer.content
    assert answer.text("//m:ConflictResults/t:Count") == "0"
    got = soap.get(made.item_id, STAMP, MANY)
    assert got.change_key == answer.change_key != made.change_key
    assert got.text("//t:Contact/t:JobTitle") == "Seller"
    assert got.find("//t:Contact/t:Department") is None
    assert got.find("//t:Categories") is None
    assert got.find("//t:ImAddresses") is None
    assert [(n.get("Key"), n.text) for n in got.all("//t:EmailAddresses/t:Entry")] == [
        ("EmailAddress2", "two@x.example"),
        ("EmailAddress3", "zoe@home.example"),
    ]
    business = got.find("//t:PhysicalAddresses/t:Entry[@Key='Business']")
    assert "".join(business.itertext()) == "BergenOsloNorway0150"
    assert got.text("//t:PhoneNumbers/t:Entry[@Key='Pager']") == "+47 9"
    assert got.find("//t:PhoneNumbers/t:Entry[@Key='MobilePhone']") is None
    assert got.text("//t:Body") == "First\nSecond & last\nmore"
    assert [n.text for n in got.all("//t:ExtendedProperty//t:Value")] == ["two"]


@pytest.mark.parametrize(
    ("update", "code"),
    [
        (
            put(field("contacts:CompleteName"), "<t:CompleteName/>"),
            "ErrorInvalidPropertySet",
        ),
        (
            put(field("item:Size"), "<t:Size>1</t:Size>"),
            "ErrorInvalidPropertySet",
        ),
        (
            put(
                field("contacts:EmailAddresses"),
                '<t:EmailAddresses><t:Entry Key="EmailAddress1">a@x.example</t:Entry>'
                "</t:EmailAddresses>",
            ),
            "ErrorInvalidPropertySet",
        ),
        (drop(field("item:ItemClass")), "ErrorInvalidPropertyDelete"),
        (drop(field("item:DateTimeCreated")), "ErrorInvalidPropertyDelete"),
        (
            put(field("contacts:JobTitle"), "<t:Surname>X</t:Surname>"),
            "ErrorUpdatePropertyMismatch",
        ),
        (
            put(
                field("contacts:JobTitle"),
                "<t:JobTitle>X</t:JobTitle><t:Surname>X</t:Surname>",
            ),
            "ErrorIncorrectUpdatePropertyCount",
        ),
        (
            "<t:AppendToItemField>"
            + field("contacts:JobTitle")
            + "<t:Contact><t:JobTitle>X</t:JobTitle></t:Contact></t:AppendToItemField>",
            "ErrorInvalidPropertyAppend",
        ),
        (
            put(field("item:ItemClass"), "<t:ItemClass>IPM.Note</t:ItemClass>"),
            "ErrorObjectTypeChanged",
        ),
    ],
)
def test_an_update_that_makes_no_sense_changes_nothing(soap: Soap, update: str, code: str) -> None:
    made = soap.create(WHOLE)
    answer = soap.update(made, put(field("contacts:Manager"), "<t:Manager>New</t:Manager>"), update)
    assert answer.codes == [code]
    got = soap.get(made.item_id)
    assert (got.change_key, got.text("//t:Contact/t:Manager")) == (made.change_key, "Max")


def test_a_change_key_decides_who_may_write(soap: Soap) -> None:
    made = soap.create("<t:GivenName>A</t:GivenName>")
    rename = put(field("contacts:GivenName"), "<t:GivenName>B</t:GivenName>")
    assert soap.update(made, rename, resolution="NeverOverwrite").codes == ["NoError"]
    for resolution, code in (
        ("NeverOverwrite", "ErrorIrresolvableConflict"),
        ("AutoResolve", "NoError"),
        ("AlwaysOverwrite", "NoError"),
    ):
        assert soap.update(made, rename, resolution=resolution).codes == [code]
    for resolution, code in (
        ("NeverOverwrite", "ErrorChangeKeyRequiredForWriteOperations"),
        ("AutoResolve", "ErrorChangeKeyRequiredForWriteOperations"),
        ("AlwaysOverwrite", "NoError"),
    ):
        assert soap.update(made, rename, resolution=resolution, key="").codes == [code]


def test_each_item_of_a_request_succeeds_or_fails_alone(soap: Soap) -> None:
    made = soap.create("<t:GivenName>A</t:GivenName>")
    wrong = made.item_id[:-6] + "zzzz=="
    answer = soap.call(
        "<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:ItemIds>"
        f'<t:ItemId Id="{wrong}"/><t:ItemId Id="{made.item_id}"/><t:ItemId Id="x"/>'
        "</m:ItemIds></m:GetItem>"
    )
    assert answer.codes == ["ErrorItemNotFound", "NoError", "ErrorInvalidIdMalformed"]
    classes = [m.get("ResponseClass") for m in answer.all("//m:GetItemResponseMessage")]
    assert classes == ["Error", "Success", "Error"]


def test_deleting_goes_to_the_bin_to_the_dumpster_or_nowhere(soap: Soap) -> None:
    for disposal, folder in (
        ("MoveToDeletedItems", DELETED),
        ("SoftDelete", DELETIONS),
        ("HardDelete", None),
    ):
        made = soap.create(f"<t:DisplayName>{disposal}</t:DisplayName>")
        assert soap.delete(made.item_id, disposal).codes == ["NoError"]
        assert soap.delete(made.item_id, disposal).codes == ["ErrorItemNotFound"]
        for place in (DELETED, DELETIONS):
            found = soap.find("contacts:DisplayName", folder=place)
            names = [n.text for n in found.all("//t:DisplayName")]
            assert (disposal in names) == (place == folder)


def test_a_move_gives_another_id_and_a_copy_both(soap: Soap) -> None:
    made = soap.create(WHOLE)
    folder = soap.make_folder("Aside")

    def transfer(operation: str, item_id: str, more: str = "") -> list[str]:
        answer = soap.done(
            f'<m:{operation}><m:ToFolderId><t:FolderId Id="{folder}"/></m:ToFolderId>'
            f'<m:ItemIds><t:ItemId Id="{item_id}"/></m:ItemIds>{more}</m:{operation}>'
        )
        return [node.get("Id") for node in answer.all("//t:ItemId")]

    (copied,) = transfer("CopyItem", made.item_id)
    assert soap.get(made.item_id).text("//t:Contact/t:Manager") == "Max"
    (moved,) = transfer("MoveItem", made.item_id)
    assert len({made.item_id, copied, moved}) == 3
    assert soap.find(folder=f'<t:FolderId Id="{folder}"/>').codes == ["NoError"]
    got = soap.get(moved, STAMP)
    assert got.text("//t:ExtendedProperty/t:Value") == "one"
    assert got.find("//t:ParentFolderId").get("Id") == folder
    without = "<m:ReturnNewItemIds>false</m:ReturnNewItemIds>"
    assert transfer("MoveItem", moved, without) == []


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ('PropertyTag="0x3A45" PropertySetId="c11ff724-aa03-4555-9952-8fa248a11c3e"', "mixed"),
        ('PropertyTag="0x8005"', "named"),
        ('PropertySetId="c11ff724-aa03-4555-9952-8fa248a11c3e"', "no name"),
        (
            'PropertySetId="c11ff724-aa03-4555-9952-8fa248a11c3e" PropertyName="a" PropertyId="1"',
            "both",
        ),
        ('PropertyName="a"', "no set"),
    ],
)
def test_an_extended_property_is_named_one_way_only(soap: Soap, uri: str, code: str) -> None:
    made = soap.create("<t:GivenName>A</t:GivenName>")
    answer = soap.call(
        "<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
        f'<t:ExtendedFieldURI {uri} PropertyType="String"/></t:AdditionalProperties>'
        f'</m:ItemShape><m:ItemIds><t:ItemId Id="{made.item_id}"/></m:ItemIds></m:GetItem>'
    )
    assert answer.codes == ["ErrorInvalidExtendedProperty"], code


def test_an_extended_property_of_a_field_is_that_field(soap: Soap) -> None:
    surname = '<t:ExtendedFieldURI PropertyTag="14865" PropertyType="String"/>'  # 0x3A11
    made = soap.create(
        f"<t:ExtendedProperty>{surname}<t:Value>By tag</t:Value></t:ExtendedProperty>"
    )
    assert soap.get(made.item_id).text("//t:Contact/t:Surname") == "By tag"
    soap.update(made, put(field("contacts:Surname"), "<t:Surname>By name</t:Surname>"))
    assert soap.get(made.item_id, surname).text("//t:ExtendedProperty/t:Value") == "By name"
    soap.update(made, drop(surname))
    assert soap.get(made.item_id).find("//t:Contact/t:Surname") is None


def test_what_is_no_contact_is_not_made(soap: Soap) -> None:
    before = len(soap.find().all("//t:ItemId"))
    answer = soap.call(
        '<m:CreateItem MessageDisposition="SaveOnly"><m:Items><t:Message>'
        "<t:Subject>Hi</t:Subject></t:Message></m:Items></m:CreateItem>"
    )
    assert answer.codes == ["ErrorInvalidOperation"]
    assert len(soap.find().all("//t:ItemId")) == before


def test_a_conflict_that_resolves_itself_keeps_what_became_confidential(soap: Soap) -> None:
    made = soap.create("<t:Sensitivity>Normal</t:Sensitivity><t:GivenName>A</t:GivenName>")
    sensitivity = field("item:Sensitivity")
    soap.update(made, put(sensitivity, "<t:Sensitivity>Confidential</t:Sensitivity>"))
    name = put(field("contacts:Surname"), "<t:Surname>B</t:Surname>")
    looser = put(sensitivity, "<t:Sensitivity>Personal</t:Sensitivity>")
    merged = soap.update(made, looser, name)
    assert merged.codes == ["NoError"]
    assert merged.text("//m:ConflictResults/t:Count") == "1"
    shown = soap.get(made.item_id)
    assert shown.text("//t:Sensitivity") == "Confidential"
    assert shown.text("//t:Surname") == "B"
    soap.update(made, looser, resolution="AlwaysOverwrite")
    assert soap.get(made.item_id).text("//t:Sensitivity") == "Personal"
