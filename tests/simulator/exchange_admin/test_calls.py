"""Calls of cmdlets: who may, pages, batches, filters, faults."""

from __future__ import annotations

from typing import Any

import pytest

from cirahub_simulator.client import AdminClient
from cirahub_simulator.graph.seed import ensure_folder, public_folders_of
from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.seed.generate import CIRAHUB

from .conftest import RECIPIENTS, SCOPE, TENANT, Caller, command


def contact(number: int) -> dict[str, object]:
    return {
        "Name": f"one-{number}",
        "Alias": f"one-{number}",
        "ExternalEmailAddress": f"one-{number}@fabrikam.example",
    }


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("granted", "assigned"), [([], [RECIPIENTS]), (["Exchange.ManageAsApp"], ["Global Reader"])]
)
def test_it_takes_the_app_role_and_a_role_of_the_directory(
    simulator: EmbeddedSimulator, sign_in: Any, granted: list[str], assigned: list[str], status: int
) -> None:
    admin = simulator.admin
    admin.switch(admin_role_missing=status)
    admin.grant(CIRAHUB, TENANT, granted)
    admin.assign_directory_roles(CIRAHUB, TENANT, assigned)

    refused = Caller(simulator, sign_in.token(scope=SCOPE)).invoke("Get-MailContact")

    assert refused.status_code == status
    assert "isn't supported in this scenario" in refused.json()["error"]["message"]


def test_a_token_for_graph_does_not_pass(
    simulator: EmbeddedSimulator, admitted: None, sign_in: Any
) -> None:
    assert Caller(simulator, sign_in.token()).invoke("Get-MailContact").status_code == 401


def test_another_tenant_s_contacts_are_out_of_reach(caller: Caller) -> None:
    assert caller.tenant is not None
    url = caller.url.replace(caller.tenant.id, "fabrikam.example")

    assert caller.post(url, command("Get-MailContact", {})).status_code == 403


def test_a_list_goes_on_by_posting_the_same_to_the_next_link(caller: Caller) -> None:
    for number in range(5):
        caller.values("New-MailContact", **contact(number))
    body = command("Get-MailContact", {"ResultSize": "Unlimited"})
    seen: list[str] = []
    url: str | None = caller.url
    while url is not None:
        page = caller.post(url, body, Prefer="odata.maxpagesize=2").json()
        seen += [one["Alias"] for one in page["value"]]
        url = page.get("@odata.nextLink")

    assert seen == [f"one-{number}" for number in range(5)]


def test_each_part_of_a_batch_succeeds_or_fails_by_itself(caller: Caller) -> None:
    answer = caller.batch(
        [
            command("New-MailContact", contact(1)),
            command("New-MailContact", contact(1)),
            command("Get-Nothing", {}),
        ]
    )

    parts = answer.json()["responses"]
    assert [(part["id"], part["status"]) for part in parts] == [("0", 200), ("1", 400), ("2", 400)]
    assert parts[0]["body"]["value"][0]["Alias"] == "one-1"
    assert "CommandNotFoundException" in parts[2]["body"]["error"]["details"][0]["message"]


def test_rules_find_a_cmdlet_by_its_name_in_batches_too(caller: Caller, admin: AdminClient) -> None:
    admin.add_rule("status", service="exchange-admin", operation="New-MailContact", status=429)

    assert caller.invoke("New-MailContact", **contact(1)).status_code == 429
    parts = caller.batch([command("New-MailContact", contact(2))]).json()["responses"]
    assert [part["status"] for part in parts] == [429]
    assert admin.cmdlet(TENANT, "Get-MailContact") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Alias -eq 'ONE-1'", ["one-1"]),
        ("Alias -like 'one-*' -and Alias -ne 'one-2'", ["one-1", "one-3"]),
        ("(Alias -eq 'one-1' -or Alias -eq 'one-3')", ["one-1", "one-3"]),
        ("-not (Name -like '*-2')", ["one-1", "one-3"]),
        ("HiddenFromAddressListsEnabled -eq $true", ["one-3"]),
        ("EmailAddresses -eq 'SMTP:one-2@fabrikam.example'", ["one-2"]),
        ("DisplayName -eq 'it''s'", []),
    ],
)
def test_filters_read_as_powershell_s(caller: Caller, text: str, expected: list[str]) -> None:
    for number in (1, 2, 3):
        caller.values("New-MailContact", **contact(number))
    caller.values("Set-MailContact", Identity="one-3", HiddenFromAddressListsEnabled=True)

    assert [one["Alias"] for one in caller.values("Get-MailContact", Filter=text)] == expected


@pytest.mark.parametrize("text", ["Alias", "Alias -is 'x'", "Alias -eq 'x", "Nose -eq 'x'", "("])
def test_a_filter_that_is_none_is_refused(caller: Caller, text: str) -> None:
    caller.values("New-MailContact", **contact(1))

    assert caller.refusal("Get-MailContact", Filter=text)[0] == 400


def test_public_folders_are_listed(caller: Caller, simulator: EmbeddedSimulator) -> None:
    assert caller.tenant is not None
    assert [one["Name"] for one in caller.values("Get-PublicFolder")] == ["IPM_SUBTREE"]
    public = public_folders_of(simulator.world, caller.tenant.id)
    ensure_folder(public, ["Team", "Customers"], public.distinguished["publicfoldersroot"])

    listed = caller.values("Get-PublicFolder", Identity="\\", Recurse=True)

    assert [one["Identity"] for one in listed] == ["\\", "\\Team", "\\Team\\Customers"]
    children = caller.values("Get-PublicFolder", Identity="\\", GetChildren=True)
    assert [one["Name"] for one in children] == ["Team"]
    assert caller.refusal("Get-PublicFolder", Identity="\\Nowhere")[0] == 404
    assert caller.values("Get-MailPublicFolder") == []
