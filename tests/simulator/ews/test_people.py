"""Personas: the contacts of a folder as people."""

from __future__ import annotations

import pytest

from cirahub_simulator.client import AdminClient

from .conftest import Answer, Soap

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
    answer = soap.call(
        '<m:FindPeople Traversal="Shallow"><m:IndexedPageItemView MaxEntriesReturned="1" '
        'Offset="0" BasePoint="Beginning"/></m:FindPeople>'
    )
    assert answer.codes == codes
