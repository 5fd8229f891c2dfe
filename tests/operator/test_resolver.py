"""From resources to configuration, and what stands in the way. Pure."""

from __future__ import annotations

from typing import Any

import pytest

from cirahub_operator.api import Connection, Spoke
from cirahub_operator.origin import SecretOrigin
from cirahub_operator.resolver import GrantedTrust, Resolution, resolve
from cirahub_operator.settings import OwnIdentity
from cirahub_sync.configuration import (
    AddressBookTarget,
    AddressListTarget,
    CalendarTarget,
    CardDavServer,
    ClientCertificateAuth,
    ClientSecretAuth,
    Condition,
    ConflictPolicy,
    Direction,
    ExchangeServer,
    FieldRule,
    ItemKind,
    KeyVaultReference,
    Listed,
    ListPolicy,
    MailboxRights,
    MailboxTarget,
    MoreAddresses,
    Operator,
    PasswordAuth,
    PrivateItems,
    PublicFolderTarget,
    SecretFile,
    SignInScheme,
    Window,
    WorkloadIdentityAuth,
)

from .objects import books_connection, connection, hub, server_connection, spoke
from .stage import CLIENT, TENANT

VAULT_AUTH: dict[str, dict[str, Any]] = {
    "clientSecret": {
        "clientID": CLIENT,
        "keyVault": {"vaultURL": "https://Contoso-KV.vault.azure.net/", "name": "graph"},
        "workloadIdentity": {"clientID": CLIENT},
    }
}


def resolved(
    *spokes: Spoke, using: Connection | None = None, grants: tuple[OwnIdentity, ...] = ()
) -> Resolution:
    used = using or connection()
    return resolve(hub(), spokes, {used.metadata.key: used}, trust=GrantedTrust(grants))


def test_durations_become_seconds_and_names_carry_the_namespace() -> None:
    made = resolve(hub(deletion={"gracePeriod": "1h30m"}), [], {}, trust=GrantedTrust()).hub
    assert made.deletion.grace_period == 5400
    assert made.name == "demo/staff"


def test_conflict_rules_name_spokes_with_their_namespaces() -> None:
    conflicts = {
        "priority": ["ann", "sales/bob"],
        "fields": [{"field": "emails", "policy": "Hub", "lists": "Intersect"}],
    }
    made = resolve(
        hub(conflictPolicy="Priority", conflicts=conflicts), [], {}, trust=GrantedTrust()
    ).hub
    assert made.conflict_policy is ConflictPolicy.PRIORITY
    assert made.priority == ("demo/ann", "sales/bob")
    assert made.field_rules == (FieldRule("emails", ConflictPolicy.HUB, ListPolicy.INTERSECT),)


def test_a_hub_that_is_made_again_is_the_same_hub_to_its_copies() -> None:
    first = resolve(hub(), [], {}, trust=GrantedTrust()).hub
    again = hub()
    again = again.model_copy(
        update={"metadata": again.metadata.model_copy(update={"uid": "another"})}
    )
    assert resolve(again, [], {}, trust=GrantedTrust()).hub.uid == first.uid
    assert 1 <= len(first.uid) <= 36


def test_a_spoke_becomes_a_configuration_with_its_connection_and_flows() -> None:
    flow = {
        "filter": {
            "none": [{"field": "company", "operator": "In", "values": ["x"]}],
            "expression": "item.notes == ''",
        },
        "mapping": [{"replaceDomain": {"from": "a.example", "to": "b.example"}}],
        "include": ["emails"],
    }
    made = resolved(spoke(direction="Receive", receives=flow, verifyInterval="1h")).spokes["ann"]
    assert made.target == MailboxTarget("ann@contoso.com")
    assert made.direction is Direction.RECEIVE
    assert made.receives.filter.none == (Condition("company", Operator.IN, ("x",)),)
    assert made.receives.filter.expression == "item.notes == ''"
    assert made.receives.mapping[0].replace_domain == ("a.example", "b.example")
    assert made.receives.include == ("emails",)
    assert made.verify_interval == 3600
    assert made.connection.auth == WorkloadIdentityAuth(TENANT, CLIENT, "demo/sync")


def asking(*connections: str | None) -> Spoke:
    """Receives who is in a group of these connections' directories; None: of its own."""
    group = {"field": "group", "operator": "In", "values": ["a@b.example"]}
    conditions = [
        group if name is None else {**group, "connectionRef": {"name": name}}
        for name in connections
    ]
    return spoke(direction="Receive", receives={"filter": {"any": conditions}})


def test_a_group_is_looked_for_through_the_connection_that_a_condition_names() -> None:
    own, other = connection(), connection("directory")
    known = {one.metadata.key: one for one in (own, other)}
    made = resolve(hub(), [asking(None, "directory")], known, trust=GrantedTrust())
    config = made.spokes["ann"]
    assert [one.connection for one in config.receives.filter.any] == ["", "demo/directory"]
    assert [one.name for one in config.directories] == ["demo/directory"]
    assert config.connection.name == "demo/contoso"
    assert resolved(asking(None)).spokes["ann"].directories == ()
    assert resolved(asking("contoso")).spokes["ann"].directories == ()


def test_a_connection_that_a_condition_names_has_to_be_there() -> None:
    problem = resolved(asking("directory")).problems["ann"]
    assert problem.reason == "ConnectionNotFound"
    assert "'directory'" in problem.message


def test_a_spoke_contributes_and_receives_nothing_unless_it_is_told_to() -> None:
    assert resolved(spoke()).spokes["ann"].direction is Direction.CONTRIBUTE
    told = resolved(spoke(direction="TwoWay")).spokes["ann"]
    assert told.direction is Direction.TWO_WAY


def test_a_missing_connection_is_a_problem_of_that_spoke_only() -> None:
    made = resolved(spoke("ann"), spoke("bob", connectionRef={"name": "elsewhere"}))
    assert list(made.spokes) == ["ann"]
    assert made.problems["bob"].reason == "ConnectionNotFound"
    assert "'elsewhere'" in made.problems["bob"].message


def guest(allowed: list[str]) -> Resolution:
    """What becomes of a Spoke of another namespace; both have a Connection of that name."""
    elsewhere = {"namespace": "guests"}
    made = spoke("bob", metadata=elsewhere, hubRef={"name": "staff", "namespace": "demo"})
    both = [connection(), connection(metadata={**elsewhere, "uid": "theirs"})]
    return resolve(
        hub(allowedNamespaces=allowed),
        [made],
        {one.metadata.key: one for one in both},
        trust=GrantedTrust(),
    )


def test_a_spoke_of_another_namespace_signs_in_with_a_connection_of_its_own() -> None:
    (used,) = [one.connection for one in guest(["guests"]).spokes.values()]
    assert (used.name, used.uid) == ("guests/contoso", "theirs")
    assert used.auth == WorkloadIdentityAuth(TENANT, CLIENT, "guests/sync")


def test_a_spoke_that_is_not_admitted_takes_no_part() -> None:
    made = guest(["others"])
    assert not made.spokes
    (problem,) = made.problems.values()
    assert (problem.reason, problem.stalled) == ("NotAdmitted", True)


def test_a_connection_that_is_not_valid_says_why() -> None:
    made = resolve(
        hub(), [spoke()], {}, trust=GrantedTrust(), invalid={"demo/contoso": "spec.x: no"}
    )
    assert made.problems["ann"].reason == "ConnectionInvalid"
    assert "spec.x: no" in made.problems["ann"].message


def test_a_secret_reference_becomes_an_origin_in_the_same_namespace() -> None:
    auth = {"clientSecret": {"clientID": CLIENT, "secretRef": {"name": "graph", "key": "value"}}}
    made = resolved(spoke(), using=connection(auth=auth)).spokes["ann"].connection.auth
    assert isinstance(made, ClientSecretAuth)
    assert made.secret is not None
    assert SecretOrigin.parse(made.secret.origin) == SecretOrigin("demo", "graph", "value")


def test_a_certificate_is_read_from_a_vault() -> None:
    vault = VAULT_AUTH["clientSecret"]["keyVault"]
    identity = {"clientID": CLIENT, "serviceAccountName": "sync"}
    auth = {"clientID": CLIENT, "keyVault": vault, "workloadIdentity": identity}
    used = connection(auth={"clientCertificate": auth})
    assert resolved(spoke(), using=used).spokes["ann"].connection.auth == ClientCertificateAuth(
        tenant_id=TENANT,
        client_id=CLIENT,
        key_vault=KeyVaultReference("https://contoso-kv.vault.azure.net", "graph"),
        vault_identity=WorkloadIdentityAuth(TENANT, CLIENT, "demo/sync"),
    )


@pytest.mark.parametrize(
    ("reference", "keys"),
    [
        ({"name": "tls"}, ("tls.crt", "tls.key")),
        ({"name": "tls", "key": "both.pem"}, ("both.pem",)),
    ],
)
def test_a_certificate_is_read_from_a_secret(
    reference: dict[str, str], keys: tuple[str, ...]
) -> None:
    used = connection(auth={"clientCertificate": {"clientID": CLIENT, "secretRef": reference}})
    auth = resolved(spoke(), using=used).spokes["ann"].connection.auth
    assert isinstance(auth, ClientCertificateAuth)
    assert auth.secret is not None
    assert SecretOrigin.parse(auth.secret.origin).keys == keys


def test_the_operators_own_identity_opens_no_vault_for_a_certificate_either() -> None:
    vault = VAULT_AUTH["clientSecret"]["keyVault"]
    auth = {"clientID": CLIENT, "keyVault": vault, "workloadIdentity": {"clientID": CLIENT}}
    made = resolved(spoke(), using=connection(auth={"clientCertificate": auth}))
    assert made.problems["ann"].reason == "OwnIdentityNotAllowed"


def test_the_operators_own_identity_is_refused_unless_it_is_granted() -> None:
    made = resolved(spoke(), using=connection(auth=VAULT_AUTH))
    problem = made.problems["ann"]
    assert problem.reason == "OwnIdentityNotAllowed"
    assert problem.stalled
    assert (
        f"--own-identity namespace=demo,tenant={TENANT},vault=contoso-kv.vault.azure.net"
        in problem.message
    )


def test_the_operators_own_identity_opens_only_the_vaults_that_were_granted() -> None:
    def grant(vault: str) -> tuple[OwnIdentity, ...]:
        return (OwnIdentity(namespace="demo", tenant=TENANT, vaults=frozenset({vault})),)

    used = connection(auth=VAULT_AUTH)
    allowed = resolved(spoke(), using=used, grants=grant("contoso-kv.vault.azure.net"))
    assert allowed.spokes["ann"].connection.auth == ClientSecretAuth(
        tenant_id=TENANT,
        client_id=CLIENT,
        key_vault=allowed.spokes["ann"].connection.auth.key_vault,  # type: ignore[union-attr]
        vault_identity=WorkloadIdentityAuth(TENANT, CLIENT),
    )
    assert resolved(spoke(), using=used, grants=grant("evil.vault.azure.net")).problems


def test_a_grant_for_one_namespace_or_tenant_is_none_for_another() -> None:
    used = connection(auth={"workloadIdentity": {"clientID": CLIENT}})
    for grant in (
        OwnIdentity(namespace="other", tenant=TENANT),
        OwnIdentity(namespace="demo", tenant=CLIENT),
    ):
        assert resolved(spoke(), using=used, grants=(grant,)).problems
    granted = OwnIdentity(namespace="demo", tenant=TENANT.upper())
    assert resolved(spoke(), using=used, grants=(granted,)).spokes


def test_a_calendar_is_a_target_of_a_hub_of_events() -> None:
    events = hub(itemKind="Event", window={"past": "24h", "future": "48h"})
    rota = spoke(mailbox=None, calendar={"address": "a@x.example", "name": "Rota"})
    made = resolve(events, [rota], {"demo/contoso": connection()}, trust=GrantedTrust())
    assert made.hub.item_kind is ItemKind.EVENT
    assert made.hub.window == Window(past=86_400, future=172_800)
    assert made.spokes["ann"].target == CalendarTarget("a@x.example", "Rota")
    assert made.spokes["ann"].private_items is PrivateItems.SKIP


def test_an_address_list_is_a_target_of_a_hub_of_contacts() -> None:
    chosen = {"include": ["Groups"], "guests": True, "moreAddresses": ["Aliases"]}
    listed = resolved(spoke(mailbox=None, globalAddressList=chosen)).spokes["ann"].target
    assert listed == AddressListTarget(
        include=(Listed.GROUPS,), guests=True, more_addresses=(MoreAddresses.ALIASES,)
    )
    unchosen = resolved(spoke(mailbox=None, globalAddressList={})).spokes["ann"].target
    assert unchosen == AddressListTarget() == listed.identity


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("Event", {"mailbox": None, "globalAddressList": {}}),
        ("Event", {"mailbox": {"address": "a@x.example"}}),
        ("Contact", {"mailbox": None, "calendar": {"address": "a@x.example"}}),
    ],
)
def test_a_spoke_of_another_kind_than_its_hub_stops_alone(kind: str, place: dict[str, Any]) -> None:
    fitting: dict[str, Any] = (
        {"mailbox": None, "calendar": {"address": "b@x.example"}} if kind == "Event" else {}
    )
    spokes = [spoke("ann", **place), spoke("bob", **fitting)]
    made = resolve(hub(itemKind=kind), spokes, {"demo/contoso": connection()}, trust=GrantedTrust())
    assert list(made.spokes) == ["bob"]
    assert made.problems["ann"].reason == "ItemKindMismatch"
    assert made.problems["ann"].stalled


def test_a_password_is_for_the_server_that_the_connection_names() -> None:
    used = server_connection(
        exchangeServer={
            "host": "mail.adatum.example:443",
            "mailboxAccess": "Delegate",
            "trustedCertificates": "-----BEGIN CERTIFICATE-----",
        }
    )
    folder = spoke(
        mailbox=None, publicFolder={"path": "Sales/Customers"}, connectionRef={"name": "adatum"}
    )
    made = resolved(spoke("bob", connectionRef={"name": "adatum"}), folder, using=used)
    assert not made.problems
    assert made.spokes["ann"].target == PublicFolderTarget("Sales/Customers")
    config = made.spokes["bob"].connection
    assert config.exchange_server == ExchangeServer(
        "mail.adatum.example", MailboxRights.DELEGATE, "-----BEGIN CERTIFICATE-----"
    )
    assert config.auth == PasswordAuth(
        "ADATUM\\svc-cirahub",
        SignInScheme.NTLM,
        secret=SecretFile("Secret demo/exchange, key password"),
    )
    assert config.tenant_id == "mail.adatum.example"


def test_a_password_in_a_vault_is_read_by_whom_the_manifest_names() -> None:
    auth = {
        "basic": {
            "username": "svc@adatum.example",
            "scheme": "Basic",
            "keyVault": {"vaultURL": "https://contoso-kv.vault.azure.net", "name": "exchange"},
            "workloadIdentity": {"clientID": CLIENT, "tenantID": TENANT},
        }
    }
    used = server_connection(auth=auth)
    one = spoke(connectionRef={"name": "adatum"})
    assert resolved(one, using=used).problems["ann"].reason == "OwnIdentityNotAllowed"
    grant = OwnIdentity(
        namespace="demo", tenant=TENANT, vaults=frozenset({"contoso-kv.vault.azure.net"})
    )
    found = resolved(one, using=used, grants=(grant,)).spokes["ann"].connection.auth
    assert isinstance(found, PasswordAuth)
    assert found.vault_identity == WorkloadIdentityAuth(TENANT, CLIENT)


def hybrid_connection(name: str = "adatum") -> Connection:
    """To a server that takes the tokens of a tenant."""
    return server_connection(
        name,
        exchangeServer={"host": "mail.adatum.example", "tenantID": TENANT},
        auth={"clientSecret": {"clientID": CLIENT, "secretRef": {"name": "graph", "key": "value"}}},
    )


def test_a_server_that_takes_a_tenants_tokens_is_signed_in_to_as_the_tenant_is() -> None:
    config = (
        resolved(spoke(connectionRef={"name": "adatum"}), using=hybrid_connection())
        .spokes["ann"]
        .connection
    )
    assert config.auth == ClientSecretAuth(
        TENANT, CLIENT, secret=SecretFile("Secret demo/graph, key value")
    )
    assert config.tenant_id == "mail.adatum.example", "mailboxes have their names there"


@pytest.mark.parametrize(
    ("used", "place", "kind", "reason"),
    [
        (connection(), {"publicFolder": {"path": "Sales"}}, "Contact", "PlaceNotSupported"),
        (
            hybrid_connection("contoso"),
            {"publicFolder": {"path": "Sales"}},
            "Contact",
            "PlaceNotSupported",
        ),
        (server_connection("contoso"), {"globalAddressList": {}}, "Contact", "PlaceNotSupported"),
        (
            server_connection("contoso"),
            {
                "mailbox": {"address": "a@x.example"},
                "contributes": {
                    "filter": {
                        "all": [{"field": "group", "operator": "In", "values": ["staff@x.example"]}]
                    }
                },
            },
            "Contact",
            "DirectoryNotSupported",
        ),
        (connection(), {"addressBook": {"name": "Team"}}, "Contact", "PlaceNotSupported"),
        (
            server_connection("contoso"),
            {"addressBook": {"name": "Team"}},
            "Contact",
            "PlaceNotSupported",
        ),
        (
            books_connection("contoso"),
            {"mailbox": {"address": "a@x.example"}},
            "Contact",
            "PlaceNotSupported",
        ),
        (
            books_connection("contoso"),
            {
                "addressBook": {"name": "Team"},
                "contributes": {
                    "filter": {
                        "all": [{"field": "group", "operator": "In", "values": ["staff@x.example"]}]
                    }
                },
            },
            "Contact",
            "DirectoryNotSupported",
        ),
        (
            books_connection("contoso"),
            {"addressBook": {"name": "Team"}},
            "Event",
            "ItemKindMismatch",
        ),
    ],
)
def test_what_a_service_does_not_have_stops_that_spoke_alone(
    used: Connection, place: dict[str, Any], kind: str, reason: str
) -> None:
    asked = spoke(**({"mailbox": None} | place))
    made = resolve(hub(itemKind=kind), [asked], {"demo/contoso": used}, trust=GrantedTrust())
    assert not made.spokes
    assert made.problems["ann"].reason == reason
    assert made.problems["ann"].stalled


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("https://dav.contoso.example", CardDavServer("dav.contoso.example")),
        ("https://dav.contoso.example:443/", CardDavServer("dav.contoso.example")),
        (
            "https://dav.contoso.example:8443/my%20books/ada/",
            CardDavServer("dav.contoso.example:8443", "/my books/ada/"),
        ),
    ],
)
def test_a_carddav_server_is_known_by_its_host_and_where_to_look(
    url: str, server: CardDavServer
) -> None:
    asked = spoke(mailbox=None, addressBook={"path": "/ada/team/"})
    used = {"demo/contoso": books_connection("contoso", cardDAV={"url": url})}
    (made,) = resolve(hub(), [asked], used, trust=GrantedTrust()).spokes.values()
    assert made.connection.card_dav == server
    assert made.connection.tenant_id == server.host
    assert made.target == AddressBookTarget(path="/ada/team/")
    assert made.connection.auth == PasswordAuth(
        "ada", SignInScheme.BASIC, secret=SecretFile("Secret demo/books, key password")
    )


def test_a_calendar_of_a_server_is_a_place_like_one_of_a_tenant() -> None:
    asked = spoke(mailbox=None, calendar={"address": "a@x.example", "name": "Rota"})
    used = {"demo/contoso": server_connection("contoso")}
    made = resolve(hub(itemKind="Event"), [asked], used, trust=GrantedTrust())
    assert made.spokes["ann"].target == CalendarTarget("a@x.example", "Rota")
