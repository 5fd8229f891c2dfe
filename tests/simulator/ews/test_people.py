"""Personas: the contacts of a folder as people."""

from __future__ import annotations

import pytest

from cirahub_simulator.client import AdminClient

from .conftest import Answer, Soap, field

ZOE = (
    "<t:GivenName>Zoë</t:GivenName><t:EmailAddresses><t:Entry Key='EmailAddress1'>zoe@x.example"
    "</t:Entry></t:EmailAddresses><t:PhoneNumbers><t:Entry Key='MobilePhone'>+47 1</t:Entry>"
    "</t:PhoneNumbers><t:Surname>Ångström</t:Surname>"
)


def find_people(soap: Soap, more: str = "", shape: str = "Default", most: int = 50) -> Answer:
    return soap.call(
        f"<m:FindPeople><m:PersonaShape><t:BaseShape>{shape}</t:BaseShape></m:PersonaShape>"
        f'<m:IndexedPageItemView MaxEntriesReturned="{most}" Offset="0" BasePoint="Beginning"/>'
        '<m:ParentFolderId><t:DistinguishedFolderId Id="contacts"/></m:ParentFolderId>'
        f"{more}</m:FindPeople>"
    )


def test_people_are_found_by_the_beginning_of_a_name(soap: Soap) -> None:
    made = soap.create(ZOE)
    everybody = find_people(soap, most=2)
    assert len(everybody.all("//t:Persona")) == 2
    assert int(everybody.text("//m:TotalNumberOfPeopleInView") or "") > 2
    found = find_people(soap, "<m:QueryString>zoë ång</m:QueryString>", "AllProperties")
    assert found.text("//t:Persona/t:DisplayName") == "Zoë Ångström"
    assert found.text("//t:Persona/t:EmailAddress/t:EmailAddress") == "zoe@x.example"
    assert found.find("//t:Attribution/t:SourceId").get("Id") == made.item_id
    assert found.text("//t:MobilePhones//t:Number") == "+47 1"
    nobody = find_people(soap, "<m:QueryString>nobody</m:QueryString>")
    assert nobody.text("//m:FirstMatchingRowIndex") == "-1"


def test_a_persona_is_got_by_its_id(soap: Soap) -> None:
    soap.create(ZOE)
    found = find_people(soap, "<m:QueryString>Zoë Ång</m:QueryString>")
    persona = found.find("//t:PersonaId").get("Id")
    request = f'<m:GetPersona><m:PersonaId Id="{persona}"/></m:GetPersona>'
    got = soap.call(request)
    assert got.codes == ["NoError"]
    assert got.text("//m:Persona/t:Surname") == "Ångström"
    soap.delete(got.find("//t:SourceId").get("Id"), "HardDelete")
    assert soap.call(request).codes == ["ErrorItemNotFound"]
    assert soap.call(request.replace(persona, "AAA=")).codes == ["ErrorInvalidIdMalformed"]


@pytest.mark.parametrize(
    ("setting", "codes"), [("ignored", ["NoError"]), ("refused", ["ErrorSchemaValidation"])]
)
def test_an_attribute_that_the_schema_lacks_is_open(
    soap: Soap, admin: AdminClient, setting: str, codes: list[str]
) -> None:
    admin.switch(find_people_traversal=setting)
    view = '<m:IndexedPageItemView MaxEntriesReturned="1" Offset="0" BasePoint="Beginning"/>'
    for request in (
        f'<m:FindPeople Traversal="Shallow">{view}</m:FindPeople>',
        f'<m:FindPeople>{view}<m:QueryString ResetCache="false">a</m:QueryString></m:FindPeople>',
    ):
        assert soap.call(request).codes == codes


def test_people_are_sorted_and_restricted(soap: Soap) -> None:
    """As exchangelib asks for `people().filter(display_name=…).order_by(…)`."""
    order = f'<m:SortOrder><t:FieldOrder Order="Descending">{field("persona:Surname")}'
    order += "</t:FieldOrder></m:SortOrder>"
    zoe = ZOE.replace("Zoë", "Zoëlle")
    soap.create(zoe)
    soap.create(zoe.replace("Ångström", "Ödegaard").replace("zoe@", "other@"))

    def surnames(restriction: str) -> list[str]:
        answer = soap.call(
            '<m:FindPeople><m:IndexedPageItemView MaxEntriesReturned="9" Offset="0" '
            f'BasePoint="Beginning"/><m:Restriction>{restriction}</m:Restriction>{order}'
            '<m:ParentFolderId><t:DistinguishedFolderId Id="contacts"/></m:ParentFolderId>'
            "</m:FindPeople>"
        )
        assert answer.codes == ["NoError"]
        return [str(node.text) for node in answer.all("//t:Persona/t:Surname")]

    def equal(uri: str, value: str) -> str:
        return (
            f"<t:IsEqualTo>{field(uri)}<t:FieldURIOrConstant><t:Constant Value='{value}'/>"
            "</t:FieldURIOrConstant></t:IsEqualTo>"
        )

    assert surnames(equal("persona:GivenName", "Zoëlle")) == ["Ödegaard", "Ångström"]
    assert surnames(equal("persona:EmailAddress", "other@x.example")) == ["Ödegaard"]
    assert surnames(equal("persona:HomeCity", "Oslo")) == []


def test_people_are_not_searched_by_what_items_have(soap: Soap) -> None:
    refused = soap.call(
        '<m:FindPeople><m:IndexedPageItemView MaxEntriesReturned="9" Offset="0" '
        f'BasePoint="Beginning"/><m:Restriction><t:Exists>{field("item:Subject")}</t:Exists>'
        "</m:Restriction></m:FindPeople>"
    )
    assert refused.codes == ["ErrorUnsupportedPathForQuery"]
