"""`cirahub permissions`: exactly what the manifests need."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml
from click.testing import CliRunner, Result

from cirahub_operator.cli import cirahub
from cirahub_operator.cli.permissions import MAILBOXES
from cirahub_operator.cli.powershell import quoted
from cirahub_sync.configuration import ItemKind, Listed, MailboxAccess
from cirahub_sync.endpoints.exchange_admin import permissions as administration
from cirahub_sync.endpoints.graph.permissions import judged
from cirahub_sync.needs import Needs

from .conftest import ROOT
from .laptop import Laptop, opened
from .stage import (
    CLIENT,
    TENANT,
    Manifest,
    books_connection,
    connection,
    hub,
    server_connection,
    spoke,
)

RECIPIENT_ADMINISTRATOR = "31392ffb-586c-42d1-9346-e59415a2cc4e"


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    return tmp_path / "manifests.yaml"


def asked(file: Path, *given: Manifest, options: tuple[str, ...] = ()) -> Result:
    file.write_text(yaml.safe_dump_all(given))
    return CliRunner().invoke(cirahub, ["permissions", "-f", str(file), *options])


def grants(file: Path, *given: Manifest, options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    ran = asked(file, *given, options=("-o", "json", *options))
    assert ran.exit_code == 0, ran.output
    return list(json.loads(ran.stdout))


def test_consent_is_asked_for_what_spokes_do_and_no_more(manifests: Path) -> None:
    (one,) = grants(manifests, connection(), hub(), spoke("ann"), spoke("bob"))
    assert [need["permission"] for need in one["graph"]] == ["Contacts.Read", "User.ReadBasic.All"]
    assert one["consent"].endswith(f"/{TENANT}/adminconsent?client_id={CLIENT}")

    (one,) = grants(manifests, connection(), hub(), spoke("ann"), spoke("bob", direction="TwoWay"))
    assert [(need["permission"], need["spokes"]) for need in one["graph"]] == [
        ("Contacts.ReadWrite", ["default/ann", "default/bob"]),
        ("User.ReadBasic.All", ["default/ann", "default/bob"]),
    ]
    assert one["exchange"] == []


@pytest.mark.parametrize("access", list(MailboxAccess))
@pytest.mark.parametrize("direction", ["Contribute", "TwoWay", "Receive"])
@pytest.mark.parametrize("kind", list(ItemKind))
def test_a_connection_that_has_just_this_lacks_nothing_and_has_nothing_in_excess(
    manifests: Path, access: MailboxAccess, direction: str, kind: ItemKind
) -> None:
    tenant = {"tenantID": TENANT, "mailboxAccess": access.value}
    calendar = {"mailbox": None, "calendar": {"address": "ann@contoso.com"}}
    place: dict[str, Any] = calendar if kind is ItemKind.EVENT else {}
    one_spoke = spoke(direction=direction, **place)
    given = (connection(microsoft365=tenant), hub(itemKind=kind.value), one_spoke)
    (one,) = grants(manifests, *given)
    held = [need["permission"] for need in one["graph"]]
    only = frozenset({kind})
    needs = Needs(only, frozenset() if direction == "Contribute" else only)
    assert judged(held, needs=needs, access=access) == ((), ())


def test_mailboxes_and_calendars_take_permissions_of_their_own(manifests: Path) -> None:
    events = hub("rota", itemKind="Event")
    rota = spoke(
        "rota",
        hubRef={"name": "rota"},
        mailbox=None,
        calendar={"address": "ann@contoso.com"},
        direction="TwoWay",
    )
    given = (connection(), hub(), spoke("ann"), events, rota)
    (one,) = grants(manifests, *given)
    assert [(need["permission"], need["spokes"]) for need in one["graph"]] == [
        ("Contacts.Read", ["default/ann"]),
        ("Calendars.ReadWrite", ["default/rota"]),
        ("User.ReadBasic.All", ["default/ann", "default/rota"]),
    ]
    needs = Needs(frozenset(ItemKind), frozenset({ItemKind.EVENT}))
    held = ["Contacts.Read", "User.ReadBasic.All", "Calendars.Read"]
    assert judged(held, needs=needs, access=MailboxAccess.CONSENT) == (("Calendars.ReadWrite",), ())
    held = ["Contacts.ReadWrite", "User.ReadBasic.All", "Calendars.ReadWrite"]
    contacts = Needs(frozenset({ItemKind.CONTACT}), frozenset({ItemKind.CONTACT}))
    assert judged(held, needs=contacts, access=MailboxAccess.CONSENT) == (
        (),
        ("Calendars.ReadWrite",),
    )


def test_exchange_lets_the_application_into_just_these_mailboxes(manifests: Path) -> None:
    given = (connection(), hub(), spoke("ann"), spoke("bob", direction="Receive"))
    options = ("--mailbox-access", "ExchangeRBAC")
    (one,) = grants(manifests, *given, options=options)
    assert [need["permission"] for need in one["graph"]] == ["User.ReadBasic.All"]
    assert [(scope["role"], scope["mailboxes"]) for scope in one["exchange"]] == [
        ("Application Contacts.ReadWrite", ["bob@contoso.com"]),
        ("Application Contacts.Read", ["ann@contoso.com"]),
    ]
    told = asked(manifests, *given, options=options).stdout
    for scope in one["exchange"]:
        name, role = re.escape(scope["name"]), re.escape(scope["role"])
        assert re.search(f"New-ManagementScope -Name '{name}' .*{scope['mailboxes'][0]}", told)
        assert re.search(
            f"New-ManagementRoleAssignment -App '{CLIENT}' -Role '{role}' "
            f"-CustomResourceScope '{name}'",
            told,
        )


def test_many_mailboxes_get_several_scopes_with_names_of_their_own(manifests: Path) -> None:
    many = [spoke(f"s{number:03}") for number in range(2 * MAILBOXES + 1)]
    options = ("--mailbox-access", "ExchangeRBAC")
    (one,) = grants(manifests, connection(), hub(), *many, options=options)
    scopes = one["exchange"]
    assert [len(scope["mailboxes"]) for scope in scopes] == [MAILBOXES, MAILBOXES, 1]
    assert len({scope["name"] for scope in scopes}) == 3
    reached = [address for scope in scopes for address in scope["mailboxes"]]
    assert reached == sorted(one["spec"]["mailbox"]["address"] for one in many)


def test_each_connection_is_told_by_itself(manifests: Path) -> None:
    given = (
        connection("one"),
        connection("two"),
        hub(),
        spoke("ann", connectionRef={"name": "one"}),
        spoke("bob", connectionRef={"name": "two"}, direction="Receive"),
    )
    assert {
        one["connection"]: one["graph"][0]["permission"] for one in grants(manifests, *given)
    } == {"default/one": "Contacts.Read", "default/two": "Contacts.ReadWrite"}


def test_a_directory_that_filters_ask_takes_no_way_into_mailboxes(manifests: Path) -> None:
    group = {"field": "group", "operator": "In", "values": ["team@contoso.com"]}
    receives = {"filter": {"all": [{**group, "connectionRef": {"name": "directory"}}]}}
    given = (
        connection(),
        connection("directory"),
        hub(),
        spoke("ann", direction="Receive", receives=receives),
    )
    own, directory = grants(manifests, *given)
    assert [need["permission"] for need in own["graph"]] == [
        "Contacts.ReadWrite",
        "User.ReadBasic.All",
    ]
    held = [need["permission"] for need in directory["graph"]]
    assert held == ["User.ReadBasic.All", "GroupMember.Read.All"]
    needs = Needs(frozenset(), frozenset(), groups=True)
    assert judged(held, needs=needs, access=MailboxAccess.CONSENT) == ((), ())


@pytest.mark.parametrize("access", list(MailboxAccess))
@pytest.mark.parametrize(
    ("include", "permissions"),
    [
        (["Users"], ["User.Read.All"]),
        (["Contacts"], ["OrgContact.Read.All"]),
        (["Users", "Groups"], ["User.Read.All", "GroupMember.Read.All"]),
    ],
)
def test_an_address_list_takes_what_its_kinds_do_and_no_way_into_mailboxes(
    manifests: Path, access: MailboxAccess, include: list[str], permissions: list[str]
) -> None:
    listed = spoke("gal", mailbox=None, globalAddressList={"include": include})
    options = ("--mailbox-access", access.value)
    (one,) = grants(manifests, connection(), hub(), listed, options=options)
    assert sorted(need["permission"] for need in one["graph"]) == sorted(permissions)
    assert one["exchange"] == []
    needs = Needs(reads=frozenset(), lists=frozenset(map(Listed, include)))
    assert judged(permissions, needs=needs, access=access) == ((), ())
    missing, excess = judged(["User.ReadBasic.All", "Mail.Read"], needs=needs, access=access)
    assert (sorted(missing), excess) == (sorted(permissions), ("Mail.Read",))


def test_making_mail_contacts_takes_a_role_of_exchange_and_one_of_the_directory(
    manifests: Path,
) -> None:
    target = spoke("gal", mailbox=None, globalAddressList={}, direction="Receive")
    given = (connection(), hub(), target)
    (one,) = grants(manifests, *given)
    assert one["graph"] == []
    assert [(need["permission"], need["spokes"]) for need in one["administration"]] == [
        ("Exchange.ManageAsApp", ["default/gal"])
    ]
    told = asked(manifests, *given).stdout
    assert "Application permissions of Office 365 Exchange Online" in told
    assert "Application permissions of Microsoft Graph" not in told
    assert f"Get-MgServicePrincipal -Filter 'appId eq ''{CLIENT}'''" in told
    assert "displayName eq ''Exchange Recipient Administrator''" in told
    needs = Needs(reads=frozenset(), mail_contacts=True)
    assert judged([], needs=needs, access=MailboxAccess.CONSENT) == ((), ())


@pytest.mark.parametrize(
    ("claims", "lacking"),
    [
        ({"roles": ["Exchange.ManageAsApp"], "wids": [RECIPIENT_ADMINISTRATOR]}, ()),
        ({"roles": ["Exchange.ManageAsApp"]}, ()),
        ({"roles": ["Exchange.ManageAsApp"], "wids": []}, ("Exchange Recipient Administrator",)),
        ({"wids": [RECIPIENT_ADMINISTRATOR]}, ("Exchange.ManageAsApp",)),
        (None, ()),
    ],
)
def test_a_token_for_exchange_is_held_to_both_as_far_as_it_tells(
    claims: dict[str, Any] | None, lacking: tuple[str, ...]
) -> None:
    token = "opaque" if claims is None else jwt.encode(claims, "k" * 32, algorithm="HS256")
    assert administration.missing(token) == lacking


def test_reading_whole_users_includes_finding_mailboxes(manifests: Path) -> None:
    listed = spoke("gal", mailbox=None, globalAddressList={})
    given = (connection(), hub(), listed, spoke("ann", direction="Receive"))
    (one,) = grants(manifests, *given)
    assert [(need["permission"], need["spokes"]) for need in one["graph"]] == [
        ("Contacts.ReadWrite", ["default/ann"]),
        ("User.Read.All", ["default/ann", "default/gal"]),
        ("OrgContact.Read.All", ["default/gal"]),
    ]
    contacts = frozenset({ItemKind.CONTACT})
    needs = Needs(contacts, contacts, lists=frozenset({Listed.USERS, Listed.CONTACTS}))
    held = ["Contacts.ReadWrite", "User.Read.All", "OrgContact.Read.All"]
    assert judged(held, needs=needs, access=MailboxAccess.CONSENT) == ((), ())
    missing, _ = judged(["Contacts.ReadWrite"], needs=needs, access=MailboxAccess.CONSENT)
    assert sorted(missing) == ["OrgContact.Read.All", "User.Read.All"]


def test_a_quote_in_a_name_ends_no_string() -> None:
    assert quoted("o'neil") == "'o''neil'"


def test_manifests_that_are_wrong_are_named_and_nothing_is_told(manifests: Path) -> None:
    ran = asked(manifests, hub(), spoke("ann"))
    assert ran.exit_code == 2
    assert "Spoke default/ann" in ran.stderr
    assert "there is no Connection 'contoso'" in ran.stderr
    assert ran.stdout == ""


def test_a_filter_that_names_no_group_there_could_be_is_named(manifests: Path) -> None:
    team = {"field": "group", "operator": "In", "values": ["Team"]}
    asking = spoke("ann", direction="Receive", receives={"filter": {"all": [team]}})
    ran = asked(manifests, connection(), hub(), asking)
    assert ran.exit_code == 2
    assert "Spoke default/ann: filter: a group is named by its object id" in ran.stderr
    assert ran.stdout == ""


def test_what_is_told_suffices_for_a_pass(tmp_path: Path) -> None:
    """The simulator grants what the command says, and nothing else; a pass gets through."""
    with opened(tmp_path) as laptop:
        laptop.declare()
        laptop.add("ann", "Zoe")
        granted = _told(laptop)
        laptop.simulator.admin.grant(CLIENT, TENANT, granted[:-1])
        assert laptop.run("pass", "-q", files=True).exit_code == 1
        laptop.simulator.admin.grant(CLIENT, TENANT, granted)
        laptop.sync()
        assert laptop.names("cy") == ["Zoe"]


def _told(laptop: Laptop) -> list[str]:
    ran = CliRunner().invoke(
        cirahub, ["permissions", "-o", "json", "-f", str(laptop.folder / "manifests.yaml")]
    )
    (one,) = json.loads(ran.stdout)
    return [need["permission"] for need in one["graph"]]


def test_a_server_s_account_is_let_into_just_these_places(manifests: Path) -> None:
    used = {"connectionRef": {"name": "adatum"}}
    folders = [
        spoke("one", **used, mailbox=None, publicFolder={"path": "Sales/O'Neil"}),
        spoke("two", **used, mailbox=None, direction="TwoWay", publicFolder={"path": "Staff"}),
    ]
    (one,) = grants(manifests, server_connection(), hub(), spoke("ann", **used), *folders)
    assert (one["server"], one["account"]) == ("mail.adatum.example", "ADATUM\\svc-cirahub")
    assert one["mailboxes"] == ["ann@contoso.com"]
    assert one["folders"] == [
        {"path": "Sales/O'Neil", "role": "Reviewer"},
        {"path": "Staff", "role": "PublishingEditor"},
    ]
    scope, role, *rights = one["commands"]
    assert "PrimarySmtpAddress -eq ''ann@contoso.com''" in scope
    assert "-Role ApplicationImpersonation -User 'ADATUM\\svc-cirahub'" in role
    assert rights[0].startswith(
        "Add-PublicFolderClientPermission -Identity '\\Sales\\O''Neil' -User"
    )
    assert rights[1].endswith("-AccessRights PublishingEditor")

    server = {"host": "mail.adatum.example", "mailboxAccess": "Delegate"}
    delegate = server_connection(exchangeServer=server)
    (one,) = grants(manifests, delegate, hub(), spoke("ann", **used))
    (command,) = one["commands"]
    assert command == (
        "Add-MailboxPermission -Identity 'ann@contoso.com' -User 'ADATUM\\svc-cirahub' "
        "-AccessRights FullAccess -AutoMapping $false"
    )
    ran = asked(manifests, delegate, hub(), spoke("ann", **used), connection())
    assert ran.exit_code == 0
    assert "Exchange Server mail.adatum.example, account ADATUM\\svc-cirahub" in ran.stdout


def test_a_server_s_application_is_let_into_just_these_mailboxes(manifests: Path) -> None:
    used = {"connectionRef": {"name": "adatum"}}
    hybrid = server_connection(
        exchangeServer={"host": "mail.adatum.example:8443", "tenantID": TENANT},
        auth={"workloadIdentity": {"clientID": CLIENT}},
    )
    (one,) = grants(manifests, hybrid, hub(), spoke("ann", **used))
    assert (one["server"], one["tenant"], one["application"]) == (
        "mail.adatum.example:8443",
        TENANT,
        CLIENT,
    )
    assert one["permission"] == "full_access_as_app"
    assert one["consent"].endswith(f"/{TENANT}/adminconsent?client_id={CLIENT}")
    assert one["registration"][-1].endswith("+ 'https://mail.adatum.example')")
    assert one["commands"][2] == (
        f"New-PartnerApplication -Name cirahub -ApplicationIdentifier '{CLIENT}' "
        f"-Realm '{TENANT}' -LinkedAccount $account"
    )
    assert "PrimarySmtpAddress -eq ''ann@contoso.com''" in one["commands"][3]
    assert "-Role ApplicationImpersonation -User $account" in one["commands"][4]
    ran = asked(manifests, hybrid, hub(), spoke("ann", **used))
    assert ran.exit_code == 0
    assert "to consent to:\n    full_access_as_app\n" in ran.stdout


def test_calendars_of_a_server_are_let_into_like_mailboxes(manifests: Path) -> None:
    rota = spoke(
        "ann",
        connectionRef={"name": "adatum"},
        mailbox=None,
        calendar={"address": "ann@contoso.com", "name": "Rota"},
    )
    (one,) = grants(manifests, server_connection(), hub(itemKind="Event"), rota)
    assert one["mailboxes"] == ["ann@contoso.com"]
    assert "PrimarySmtpAddress -eq ''ann@contoso.com''" in one["commands"][0]


def test_an_account_of_a_carddav_server_needs_rights_on_its_address_books(manifests: Path) -> None:
    books = {"mailbox": None, "connectionRef": {"name": "books"}}
    given = (
        books_connection(),
        hub(),
        spoke("one", **books, addressBook={"name": "Team"}),
        spoke("two", **books, addressBook={"path": "/ada/x/"}, direction="Receive"),
    )
    (one,) = grants(manifests, *given)
    assert one == {
        "connection": "default/books",
        "server": "dav.contoso.example",
        "account": "ada",
        "books": [
            {"book": "Team", "right": "read"},
            {"book": "/ada/x/", "right": "write"},
        ],
    }
    told = asked(manifests, *given).output
    assert "    read Team\n    write /ada/x/" in told


def test_the_example_of_address_books_is_complete() -> None:
    ran = CliRunner().invoke(cirahub, ["permissions", "-f", str(ROOT / "examples/carddav")])
    assert ran.exit_code == 0, ran.output
    assert "CardDAV server dav.contoso.example, account svc-cirahub" in ran.output
    assert "    write Customers\n    write Everybody" in ran.output
