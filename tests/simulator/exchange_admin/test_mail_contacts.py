"""Mail contacts by cmdlets, and what Graph shows of them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from cirahub_simulator.client import AdminClient
from cirahub_simulator.graph.service import GraphService
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.wire import Request

from .conftest import TENANT, Caller

LOVELACE = {
    "Name": "ada-1",
    "Alias": "ada-1",
    "ExternalEmailAddress": "ada@Fabrikam.Example",
    "DisplayName": "Ada Lovelace",
    "FirstName": "Ada",
    "LastName": "Lovelace",
}


def graph_contacts(simulator: EmbeddedSimulator) -> list[dict[str, object]]:
    response = GraphService(simulator.world).handle(Request(method="GET", path="/contacts"))
    found: list[dict[str, object]] = json.loads(response.body)["value"]
    return found


def test_a_new_contact_is_told_with_its_address_marked_as_primary(caller: Caller) -> None:
    [made] = caller.values("New-MailContact", **LOVELACE)

    assert made["Alias"] == "ada-1"
    assert made["ExternalEmailAddress"] == "SMTP:ada@fabrikam.example"
    assert made["HiddenFromAddressListsEnabled"] is False
    assert caller.values("Get-MailContact", Identity="ada-1") == [made]


def test_set_contact_carries_what_a_new_one_can_t(caller: Caller) -> None:
    caller.values("New-MailContact", **LOVELACE)

    assert caller.refusal("New-MailContact", **LOVELACE | {"Title": "Countess"})[0] == 400
    caller.values(
        "Set-Contact", Identity="ada-1", Title="Countess", Phone="+44 20 1", CountryOrRegion="FR"
    )

    [contact] = caller.values("Get-Contact", Identity="ada-1")
    assert (contact["Title"], contact["Phone"]) == ("Countess", "+44 20 1")
    assert contact["CountryOrRegion"] == "France"
    assert contact["FirstName"] == "Ada"
    caller.values("Set-Contact", Identity="ada-1", Title=None)
    assert caller.values("Get-Contact", Identity="ada-1")[0]["Title"] == ""


def test_graph_shows_a_mail_contact_as_an_org_contact(
    caller: Caller, simulator: EmbeddedSimulator
) -> None:
    caller.values("New-MailContact", **LOVELACE)
    caller.values(
        "Set-Contact", Identity="ada-1", Company="Analytical", MobilePhone="1", HomePhone="2"
    )

    [shown] = graph_contacts(simulator)

    assert shown["mailNickname"] == "ada-1"
    assert shown["mail"] == "ada@fabrikam.example"
    assert shown["proxyAddresses"] == ["SMTP:ada@fabrikam.example"]
    assert shown["companyName"] == "Analytical"
    assert shown["phones"] == [{"type": "mobile", "number": "1"}]
    caller.values("Remove-MailContact", Identity="ada-1")
    assert graph_contacts(simulator) == []


def test_graph_may_hear_of_it_later(
    caller: Caller, simulator: EmbeddedSimulator, admin: AdminClient
) -> None:
    admin.switch(org_contact_delay="five-minutes")
    caller.values("New-MailContact", **LOVELACE)
    assert graph_contacts(simulator) == []

    simulator.world.clock.advance(timedelta(minutes=5))

    assert len(graph_contacts(simulator)) == 1


@pytest.mark.parametrize(
    ("other", "exception"),
    [
        ({"Alias": "ada-2", "ExternalEmailAddress": "b@fabrikam.example"}, "ADObjectAlreadyExists"),
        ({"Name": "ada-2", "ExternalEmailAddress": "b@fabrikam.example"}, "RecipientTask"),
        ({"Name": "ada-2", "Alias": "ada-2"}, "ProxyAddressExists"),
        (
            {"Name": "b", "Alias": "b", "ExternalEmailAddress": "anna.bergstrom@contoso.example"},
            "ProxyAddressExists",
        ),
    ],
)
def test_name_alias_and_address_are_unique(
    caller: Caller, other: dict[str, str], exception: str
) -> None:
    caller.values("New-MailContact", **LOVELACE)

    status, text = caller.refusal("New-MailContact", **LOVELACE | other)

    assert status == 400
    assert text.split("|")[1].rpartition(".")[2] == f"{exception}Exception"


def test_a_failure_may_come_without_the_class_of_its_exception(
    caller: Caller, admin: AdminClient
) -> None:
    admin.switch(admin_exception="text-only")

    status, text = caller.refusal("Remove-MailContact", Identity="nobody")

    assert status == 404
    assert text.startswith("The operation couldn't be performed because object 'nobody'")


def test_a_contact_may_take_a_while_to_be_found_by_set_contact(
    caller: Caller, simulator: EmbeddedSimulator, admin: AdminClient
) -> None:
    admin.switch(contact_settles="ten-seconds")
    caller.values("New-MailContact", **LOVELACE)

    assert caller.invoke("Set-Contact", Identity="ada-1", Title="x").status_code == 404
    caller.values("Set-MailContact", Identity="ada-1", HiddenFromAddressListsEnabled=True)
    simulator.world.clock.advance(timedelta(seconds=10))
    caller.values("Set-Contact", Identity="ada-1", Title="x")


def test_the_documented_identities_of_set_contact_leave_out_the_alias(
    caller: Caller, admin: AdminClient
) -> None:
    admin.switch(contact_identity="documented")
    caller.values("New-MailContact", **LOVELACE | {"Name": "Ada L."})

    assert caller.invoke("Set-Contact", Identity="ada-1", Title="x").status_code == 404
    assert caller.invoke("Set-Contact", Identity="Ada L.", Title="x").status_code == 200
    assert caller.invoke("Set-MailContact", Identity="ada-1", Alias="ada-2").status_code == 200


@pytest.mark.parametrize(
    ("parameters", "part"),
    [
        ({"Company": "x" * 65}, "DataValidationException"),
        ({"Initials": "abcdefg"}, "DataValidationException"),
        ({"CountryOrRegion": "Frankreich"}, "ParameterBindingException"),
        ({"Titel": "x"}, "ParameterBindingException"),
        ({"Title": 7}, "ParameterBindingException"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    caller: Caller, parameters: dict[str, object], part: str
) -> None:
    caller.values("New-MailContact", **LOVELACE)
    before = caller.values("Get-Contact", Identity="ada-1")

    status, text = (
        caller.refusal("Set-Contact", Identity="ada-1", Title="new", **parameters)
        if ("Title" not in parameters)
        else caller.refusal("Set-Contact", Identity="ada-1", **parameters)
    )

    assert status == 400
    assert part in text
    assert caller.values("Get-Contact", Identity="ada-1") == before


def test_contacts_of_the_directory_are_recipients_too(caller: Caller, admin: AdminClient) -> None:
    admin.seed(
        [
            {
                "kind": "orgcontact",
                "id": "0c000000-0000-4000-8000-000000000001",
                "tenant": TENANT,
                "displayName": "Pat",
                "mail": "pat@fabrikam.example",
                "mailNickname": "pat",
            }
        ]
    )

    [pat] = caller.values("Get-Recipient", Filter="EmailAddresses -eq 'smtp:PAT@fabrikam.example'")
    assert pat["Alias"] == "pat"
    assert admin.cmdlet(TENANT, "Remove-MailContact", Identity="pat") == []
    assert caller.values("Get-MailContact") == []
