"""ResolveNames, ConvertId and GetServerTimeZones."""

from __future__ import annotations

import pytest
from tests.simulator.conftest import ANNA

from cirahub_simulator.client import AdminClient

from .conftest import Answer, Soap, impersonate

FORMATS = ("EwsLegacyId", "EwsId", "EntryId", "HexEntryId", "StoreId", "OwaId")


def resolve(soap: Soap, entry: str, scope: str = "ActiveDirectory", full: str = "false") -> Answer:
    return soap.call(
        f'<m:ResolveNames ReturnFullContactData="{full}" SearchScope="{scope}">'
        f"<m:UnresolvedEntry>{entry}</m:UnresolvedEntry></m:ResolveNames>"
    )


def addresses(answer: Answer) -> list[str]:
    return [str(node.text) for node in answer.all("//t:Resolution/t:Mailbox/t:EmailAddress")]


def test_a_name_is_resolved_in_the_directory(soap: Soap) -> None:
    for entry in ("paul", "Lefè", "paul.lefevre@adatum.example", "smtp:paul.lefevre@adatum"):
        answer = resolve(soap, entry)
        assert answer.codes == ["NoError"]
        assert addresses(answer) == ["paul.lefevre@adatum.example"]
    full = resolve(soap, "paul", full="true")
    assert full.text("//t:Contact/t:Surname") == "Lefèvre"
    assert full.text("//t:Contact/t:ContactSource") == "ActiveDirectory"


def test_none_is_an_error_and_several_are_a_warning(soap: Soap) -> None:
    none = resolve(soap, "zzz")
    assert none.codes == ["ErrorNameResolutionNoResults"]
    assert none.find("//m:ResolveNamesResponseMessage").get("ResponseClass") == "Error"
    soap.create(
        "<t:DisplayName>Paul of mine</t:DisplayName><t:EmailAddresses>"
        '<t:Entry Key="EmailAddress2">p@mine.example</t:Entry></t:EmailAddresses>'
    )
    several = resolve(soap, "paul", "ContactsActiveDirectory")
    assert several.codes == ["ErrorNameResolutionMultipleResults"]
    assert several.find("//m:ResolveNamesResponseMessage").get("ResponseClass") == "Warning"
    assert addresses(several) == ["p@mine.example", "paul.lefevre@adatum.example"]
    assert several.find("//t:Mailbox/t:ItemId") is not None
    assert addresses(resolve(soap, "paul", "Contacts")) == ["p@mine.example"]


@pytest.mark.parametrize("form", FORMATS)
def test_an_id_is_converted_there_and_back(soap: Soap, form: str) -> None:
    def convert(text: str, source: str, destination: str) -> str:
        answer = soap.done(
            f'<m:ConvertId DestinationFormat="{destination}"><m:SourceIds><t:AlternateId '
            f'Format="{source}" Id="{text}" Mailbox="olga.nowak@adatum.example"/></m:SourceIds>'
            "</m:ConvertId>"
        )
        return str(answer.find("//m:AlternateId").get("Id"))

    item_id = soap.create("<t:GivenName>a</t:GivenName>").item_id
    there = convert(item_id, "EwsId", form)
    assert (there == item_id) == form.startswith("Ews")
    assert convert(there, form, "EwsId") == item_id


def test_an_id_that_is_none_is_not_converted(soap: Soap) -> None:
    answer = soap.call(
        '<m:ConvertId DestinationFormat="EwsId"><m:SourceIds><t:AlternateId Format="HexEntryId" '
        'Id="xyz" Mailbox="a@x.example"/></m:SourceIds></m:ConvertId>'
    )
    assert answer.codes == ["ErrorInvalidIdMalformed"]


def zones(soap: Soap, *ids: str, full: str = "true") -> Answer:
    wanted = "".join(f"<t:Id>{name}</t:Id>" for name in ids)
    return soap.done(
        f'<m:GetServerTimeZones ReturnFullTimeZoneData="{full}">'
        + (f"<m:Ids>{wanted}</m:Ids>" if ids else "")
        + "</m:GetServerTimeZones>"
    )


def test_every_zone_of_windows_is_known(soap: Soap) -> None:
    found = [node.get("Id") for node in zones(soap, full="false").all("//t:TimeZoneDefinition")]
    assert {"UTC", "W. Europe Standard Time", "Pacific Standard Time"} <= set(found)
    assert len(found) > 100


def test_a_zone_has_its_rules(soap: Soap) -> None:
    answer = zones(soap, "W. Europe Standard Time", "India Standard Time", "No Such Time")
    first, second = answer.all("//t:TimeZoneDefinition")
    biases = [p.get("Bias") for p in answer.all("//t:TimeZoneDefinition[1]//t:Period")]
    assert biases == ["-PT1H", "-PT2H"]
    # By the zone's own clock: the last Sunday of March at two, of October at three.
    rules = [
        [child.text for child in node][1:]
        for node in answer.all("//t:TimeZoneDefinition[1]//t:RecurringDayTransition")
    ]
    assert rules == [["PT2H", "3", "Sunday", "-1"], ["PT3H", "10", "Sunday", "-1"]]
    biases = [p.get("Bias") for p in answer.all("//t:TimeZoneDefinition[2]//t:Period")]
    assert biases == ["-PT5H30M"]
    assert (first.get("Id"), second.get("Id")) == (
        "W. Europe Standard Time",
        "India Standard Time",
    )


@pytest.fixture
def desk(online: Soap, admin: AdminClient) -> Soap:
    """Anna's Exchange Online, whose address list has a group of her, a mail contact and a group."""
    online.header = impersonate(ANNA)
    for name, hidden in (("Ada Lovelace", False), ("Adam Hidden", True)):
        alias = name.split()[0].lower()
        admin.cmdlet(
            "contoso.example",
            "New-MailContact",
            Name=name,
            Alias=alias,
            ExternalEmailAddress=f"{alias}@partner.example",
        )
        admin.cmdlet(
            "contoso.example",
            "Set-MailContact",
            Identity=alias,
            HiddenFromAddressListsEnabled=hidden,
        )
    anna = next(one["id"] for one in admin.mailboxes() if one["userPrincipalName"] == ANNA)
    ids = {one["Alias"]: one["ExternalDirectoryObjectId"] for one in mail_contacts(admin)}
    for name, members in (("Inner", []), ("Switchboard", [anna, ids["ada"], ids["adam"], "inner"])):
        admin.seed(
            [
                {
                    "kind": "group",
                    "id": name.lower(),
                    "tenant": "contoso.example",
                    "displayName": name,
                    "mail": f"{name.lower()}@contoso.example",
                    "mailNickname": name.lower(),
                    "mailEnabled": True,
                    "members": members,
                }
            ]
        )
    return online


def mail_contacts(admin: AdminClient) -> list[dict[str, str]]:
    return admin.cmdlet("contoso.example", "Get-MailContact")


def test_the_address_list_has_mail_contacts_and_groups(desk: Soap) -> None:
    """As the EWS Managed API asks: `ResolveName(name, DirectoryOnly, true)`."""
    contact = resolve(desk, "ada", full="true")
    assert addresses(contact) == ["ada@partner.example"], "and who is hidden is not in it"
    assert contact.text("//t:Contact/t:DisplayName") == "Ada Lovelace"
    group = resolve(desk, "switchb", full="true")
    assert addresses(group) == ["switchboard@contoso.example"]
    assert group.text("//t:MailboxType") == "PublicDL"


@pytest.mark.parametrize(
    "name", ["switchboard@contoso.example", "Switchboard", "SMTP:switchboard@contoso.example"]
)
def test_a_group_is_expanded_one_level_deep(desk: Soap, name: str) -> None:
    """As the EWS Managed API (`ExpandGroup`) and exchangelib (`expand_dl`) ask."""
    answer = desk.done(
        f"<m:ExpandDL><m:Mailbox><t:EmailAddress>{name}</t:EmailAddress></m:Mailbox></m:ExpandDL>"
    )
    assert answer.find("//m:DLExpansion").get("TotalItemsInView") == "3"
    assert [node.text for node in answer.all("//t:Mailbox/t:EmailAddress")] == [
        ANNA,
        "ada@partner.example",
        "inner@contoso.example",
    ]
    assert answer.all("//t:MailboxType")[-1].text == "PublicDL"


def test_a_group_that_is_none_is_not_expanded(soap: Soap) -> None:
    answer = soap.call(
        "<m:ExpandDL><m:Mailbox><t:EmailAddress>paul</t:EmailAddress></m:Mailbox></m:ExpandDL>"
    )
    assert answer.codes == ["ErrorNameResolutionNoResults"]
