"""What the API server refuses, and what it says to write instead; without a cluster, the models
refuse the same."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cirahub_operator.cli import manifests
from cirahub_operator.cli.manifests import ManifestError
from cluster import KubectlFailedError

from .conftest import ROOT
from .stage import (
    CLIENT,
    TENANT,
    Manifest,
    Stage,
    books_connection,
    connection,
    hub,
    server_connection,
    spoke,
)

QUICKSTART = ROOT / "examples/quickstart"
VAULT = {"vaultURL": "https://contoso-kv.vault.azure.net", "name": "graph"}
IDENTITY = {"clientID": CLIENT, "serviceAccountName": "sync"}
READER = IDENTITY | {"tenantID": TENANT}
TLS = {"name": "tls"}
REFERENCE = {"name": "graph", "key": "secret"}


def secret(**more: object) -> dict[str, Any]:
    return {"clientSecret": {"clientID": CLIENT, **more}}


def basic(**where: object) -> dict[str, object]:
    return {"username": "ADATUM\\svc-cirahub", **where}


def certificate(**more: object) -> dict[str, Any]:
    return {"clientCertificate": {"clientID": CLIENT, **more}}


def contributing(**flow: object) -> Manifest:
    return spoke(contributes=flow)


REFUSED: dict[str, tuple[Manifest, str]] = {
    "a priority without an order": (
        hub(conflictPolicy="Priority"),
        "Priority wants to know whom to prefer",
    ),
    "a priority without an order, of one field": (
        hub(conflicts={"fields": [{"field": "company", "policy": "Priority"}]}),
        "Priority wants to know whom to prefer",
    ),
    "a field of which nothing is different": (
        hub(conflicts={"fields": [{"field": "company"}]}),
        "set policy, lists or both",
    ),
    "a list of a field that has one value": (
        hub(conflicts={"fields": [{"field": "company", "lists": "Intersect"}]}),
        "lists is for fields with several values",
    ),
    "a field with two policies": (
        hub(
            conflicts={
                "fields": [
                    {"field": "emails", "policy": "Hub"},
                    {"field": "emails", "lists": "SourceWins"},
                ]
            }
        ),
        "name each field once",
    ),
    "stages that do not grow": (
        spoke(direction="Receive", firstSync={"stages": [100, 10]}),
        "stages: name them in order",
    ),
    "a stage twice": (
        spoke(direction="Receive", firstSync={"stages": [10, 10]}),
        "stages: name them in order",
    ),
    "a first stage that lets nothing in": (
        spoke(direction="Receive", firstSync={"stages": [0]}),
        "greater than or equal to 1",
    ),
    "a priority that is no name": (
        hub(conflicts={"priority": ["Ann Smith"]}),
        "write the metadata.name of a Spoke",
    ),
    "no way to sign in": (connection(auth={}), "set exactly one of auth.workloadIdentity"),
    "two ways to sign in": (
        connection(auth={"workloadIdentity": IDENTITY, **secret(secretRef=REFERENCE)}),
        "set exactly one of auth.workloadIdentity",
    ),
    "a client secret that is nowhere": (
        connection(auth=secret()),
        "set exactly one of keyVault (recommended) and secretRef",
    ),
    "a client secret in two places": (
        connection(auth=secret(keyVault=VAULT, workloadIdentity=IDENTITY, secretRef=REFERENCE)),
        "set exactly one of keyVault (recommended) and secretRef",
    ),
    "a vault that nobody opens": (
        connection(auth=secret(keyVault=VAULT)),
        "workloadIdentity opens the vault: set it with keyVault",
    ),
    "an identity that has no vault to open": (
        connection(auth=secret(secretRef=REFERENCE, workloadIdentity=IDENTITY)),
        "leave it out with secretRef",
    ),
    "a vault of another host": (
        connection(
            auth=secret(
                keyVault=VAULT | {"vaultURL": "https://contoso-kv.vault.azure.net.evil.example"},
                workloadIdentity=IDENTITY,
            )
        ),
        "write the vault's address, like https://contoso-kv.vault.azure.net",
    ),
    "a vault of another cloud": (
        connection(cloud="USGov", auth=secret(keyVault=VAULT, workloadIdentity=IDENTITY)),
        ".vault.usgovcloudapi.net in USGov",
    ),
    "a certificate beside a client secret": (
        connection(auth=secret(secretRef=REFERENCE) | certificate(secretRef=TLS)),
        "set exactly one of auth.workloadIdentity",
    ),
    "a certificate that is nowhere": (
        connection(auth=certificate()),
        "set exactly one of keyVault (recommended) and secretRef",
    ),
    "a certificate in a vault that nobody opens": (
        connection(auth=certificate(keyVault=VAULT)),
        "workloadIdentity opens the vault: set it with keyVault",
    ),
    "a certificate in a vault of another cloud": (
        connection(cloud="China", auth=certificate(keyVault=VAULT, workloadIdentity=IDENTITY)),
        ".vault.azure.cn in China",
    ),
    "a connection that leads nowhere": (
        connection(microsoft365=None),
        "set exactly one of microsoft365, exchangeServer and cardDAV",
    ),
    "a connection that leads to two places": (
        server_connection(microsoft365={"tenantID": TENANT}),
        "set exactly one of microsoft365, exchangeServer and cardDAV",
    ),
    "a password for a tenant": (
        connection(auth={"basic": basic(secretRef=REFERENCE)}),
        "auth.basic is a way to sign in to an exchangeServer",
    ),
    "an application of no tenant for a server": (
        server_connection(auth={"workloadIdentity": IDENTITY}),
        "exchangeServer.tenantID is the tenant whose tokens the server takes",
    ),
    "a tenant for a password": (
        server_connection(exchangeServer={"host": "mail.adatum.example", "tenantID": TENANT}),
        "exchangeServer.tenantID is the tenant whose tokens the server takes",
    ),
    "an application with full access": (
        server_connection(
            exchangeServer={
                "host": "mail.adatum.example",
                "tenantID": TENANT,
                "mailboxAccess": "Delegate",
            },
            auth={"workloadIdentity": IDENTITY},
        ),
        "exchangeServer.mailboxAccess: Delegate is for an account",
    ),
    "a password that is nowhere": (
        server_connection(auth={"basic": basic()}),
        "say where the password is",
    ),
    "a password in two places": (
        server_connection(
            auth={"basic": basic(secretRef=REFERENCE, keyVault=VAULT, workloadIdentity=READER)}
        ),
        "say where the password is",
    ),
    "a password in a vault that nobody opens": (
        server_connection(auth={"basic": basic(keyVault=VAULT)}),
        "workloadIdentity opens the vault",
    ),
    "a password in a vault of another cloud": (
        server_connection(
            cloud="China", auth={"basic": basic(keyVault=VAULT, workloadIdentity=READER)}
        ),
        ".vault.azure.cn in China",
    ),
    "an account without its domain": (
        server_connection(auth={"basic": basic(username="svc", secretRef=REFERENCE)}),
        "write the account as DOMAIN\\name or name@domain.example",
    ),
    "a server by its address": (
        server_connection(exchangeServer={"host": "https://mail.adatum.example/EWS"}),
        "write the server's name in small letters, like mail.contoso.com",
    ),
    "hiding people of a directory that is read": (
        spoke(mailbox=None, globalAddressList={"hide": {}}),
        "globalAddressList.hide is for mail contacts that are made there",
    ),
    "certificates that are none": (
        server_connection(
            exchangeServer={"host": "mail.adatum.example", "trustedCertificates": "abc"}
        ),
        "write the certificates in PEM",
    ),
    "a mailbox and a public folder": (
        spoke(publicFolder={"path": "Sales"}),
        "say what to sync: set mailbox, publicFolder, addressBook or globalAddressList",
    ),
    "a public folder by a path with a slash": (
        spoke(mailbox=None, publicFolder={"path": "/Sales"}),
        "write the folder's path without / at its start and end",
    ),
    "a CardDAV server without a password": (
        books_connection(auth={"workloadIdentity": IDENTITY}),
        "a CardDAV server is signed in to with an account's name and password",
    ),
    "a CardDAV server by NTLM": (
        books_connection(auth={"basic": {"username": "ada", "secretRef": REFERENCE}}),
        "set auth.basic with scheme: Basic",
    ),
    "a CardDAV server without TLS": (
        books_connection(cardDAV={"url": "http://dav.contoso.example"}),
        "write the server's address with its name in small letters",
    ),
    "a CardDAV server with a name and a password in its address": (
        books_connection(cardDAV={"url": "https://ada:secret@dav.contoso.example"}),
        "write the server's address with its name in small letters",
    ),
    "an address book by its name and its path": (
        spoke(mailbox=None, addressBook={"name": "Team", "path": "/ada/team/"}),
        "say which address book: set exactly one of name and path",
    ),
    "an address book by a path that is quoted": (
        spoke(mailbox=None, addressBook={"path": "/ada/my%20team/"}),
        "write its path on the server from / on, unquoted",
    ),
    "a mailbox and an address book": (
        spoke(addressBook={"name": "Team"}),
        "say what to sync: set mailbox",
    ),
    "a tenant by name": (
        connection(microsoft365={"tenantID": "contoso.onmicrosoft.com"}),
        "write a GUID",
    ),
    "an interval in words": (hub(interval="5 minutes"), "write a duration from 5s to 168h"),
    "an interval that is too short": (hub(interval="1s"), "write a duration from 5s to 168h"),
    "a grace period of years": (
        hub(deletion={"gracePeriod": "9000h"}),
        "write a duration from 0s to 8760h",
    ),
    "an unknown match key": (hub(matchOn=["mail"]), "match on email, phone, nameAndCompany"),
    "a region in small letters": (hub(defaultRegion="us"), "two capital letters of ISO 3166"),
    "a percentage above 100": (hub(deletion={"maxPercent": 120}), "less than or equal to 100"),
    "a receiver that contributes": (
        spoke(direction="Receive", contributes={}),
        "contributes has no effect on a spoke that only receives",
    ),
    "a contributor that receives": (
        spoke(receives={}),
        "receives has no effect on a spoke that only contributes",
    ),
    "a mailbox that is no address": (
        spoke(mailbox={"address": "ann"}),
        "write the mailbox's user principal name or address",
    ),
    "a folder with a slash too many": (
        spoke(mailbox={"address": "ann@contoso.com", "folder": "/Team"}),
        "write the folder's path without / at its start",
    ),
    "a spoke that is nowhere": (
        spoke(mailbox=None),
        "publicFolder, addressBook or globalAddressList for a Hub of contacts, or calendar",
    ),
    "a spoke in two places": (
        spoke(calendar={"address": "ann@contoso.com"}),
        "publicFolder, addressBook or globalAddressList for a Hub of contacts, or calendar",
    ),
    "a calendar by its path": (
        spoke(mailbox=None, calendar={"address": "ann@contoso.com", "name": "Team/Rota"}),
        "write the calendar's name as its mailbox shows it",
    ),
    "a mailbox beside an address list": (
        spoke(globalAddressList={}),
        "publicFolder, addressBook or globalAddressList for a Hub of contacts",
    ),
    "an address list that is two-way": (
        spoke(mailbox=None, globalAddressList={}, direction="TwoWay"),
        "globalAddressList goes one way",
    ),
    "an address list of nothing": (
        spoke(mailbox=None, globalAddressList={"include": []}),
        "at least 1 item",
    ),
    "an address list that names something twice": (
        spoke(mailbox=None, globalAddressList={"include": ["Users", "Users"]}),
        "include: name each once",
    ),
    "an address list of rooms": (
        spoke(mailbox=None, globalAddressList={"include": ["Rooms"]}),
        "Users",
    ),
    "private items of a mailbox": (spoke(privateItems="Mask"), "privateItems is about calendars"),
    "a window of a hub of contacts": (
        hub(window={"past": "24h"}),
        "window is for a Hub of events",
    ),
    "photos of events": (
        hub(itemKind="Event", photos={}),
        "photos are of contacts",
    ),
    "photos that nobody can approve": (
        hub(approval="Manual", photos={"interval": "24h"}),
        "a plan does not show photos",
    ),
    "photos that are looked at all the time": (
        hub(photos={"interval": "5m"}),
        "write a duration from 1h to 8760h",
    ),
    "a window that ends now": (
        hub(itemKind="Event", window={"future": "0s"}),
        "write a duration from 24h to 87600h",
    ),
    "a filter on a field that is none": (
        contributing(filter={"all": [{"field": "compny", "operator": "Exists"}]}),
        "filter on category, domain, group, spoke, custom:NAME or one of displayName",
    ),
    "a filter without values": (
        contributing(filter={"any": [{"field": "company", "operator": "In"}]}),
        "values: give at least one with In",
    ),
    "a filter with values too many": (
        contributing(
            filter={"none": [{"field": "company", "operator": "Exists", "values": ["x"]}]}
        ),
        "none with Exists and DoesNotExist",
    ),
    "a mapping step that does two things": (
        contributing(mapping=[{"field": "jobTitle", "prefix": "a", "suffix": "b"}]),
        "a mapping step does exactly one thing",
    ),
    "a mapping step that does nothing": (
        contributing(mapping=[{"field": "jobTitle"}]),
        "a mapping step does exactly one thing",
    ),
    "a prefix for no field": (
        contributing(mapping=[{"prefix": "a"}]),
        "field: name the field with prefix, suffix, setValue and template",
    ),
    "a section in what flows into the hub": (
        contributing(mapping=[{"notesBetween": {"start": "a", "end": "b"}}]),
        "contributes: notesBetween and FillIfBlank are for receives",
    ),
    "a section between blank lines": (
        spoke(
            direction="Receive",
            receives={"mapping": [{"notesBetween": {"start": " ", "end": "b"}}]},
        ),
        "write a single line that is not blank",
    ),
    "filling what flows into the hub": (
        contributing(policies=[{"policy": "FillIfBlank", "fields": ["notes"]}]),
        "contributes: notesBetween and FillIfBlank are for receives",
    ),
    "a template with a field that is none": (
        contributing(mapping=[{"field": "displayName", "template": "{sirname}"}]),
        "write text with at least one field in braces",
    ),
}

UNCHANGEABLE: dict[str, tuple[Manifest, Manifest, str]] = {
    "a spoke's hub": (
        spoke(),
        spoke(hubRef={"name": "other"}),
        "hubRef can't be changed",
    ),
    "a spoke's connection": (
        spoke(),
        spoke(connectionRef={"name": "other"}),
        "connectionRef can't be changed",
    ),
    "a spoke's mailbox": (
        spoke(),
        spoke(mailbox={"address": "bob@contoso.com"}),
        "mailbox can't be changed",
    ),
    "a spoke's folder, by adding one": (
        spoke(),
        spoke(mailbox={"address": "ann@contoso.com", "folder": "Team"}),
        "mailbox can't be changed",
    ),
    "a spoke's folder, by taking it away": (
        spoke(mailbox={"address": "ann@contoso.com", "folder": "Team"}),
        spoke(),
        "mailbox can't be changed",
    ),
    "a spoke's calendar": (
        spoke(mailbox=None, calendar={"address": "ann@contoso.com"}),
        spoke(mailbox=None, calendar={"address": "ann@contoso.com", "name": "Rota"}),
        "calendar can't be changed",
    ),
    "a mailbox into an address list": (
        spoke(),
        spoke(mailbox=None, globalAddressList={}),
        "a Spoke can't change between a mailbox, a public folder, an address book, a global",
    ),
    "a mailbox into a calendar": (
        spoke(),
        spoke(mailbox=None, calendar={"address": "ann@contoso.com"}),
        "a Spoke can't change between a mailbox, a public folder, an address book, a global",
    ),
    "a mailbox into a public folder": (
        spoke(),
        spoke(mailbox=None, publicFolder={"path": "Sales"}),
        "a Spoke can't change between a mailbox, a public folder, an address book, a global",
    ),
    "a spoke's public folder": (
        spoke(mailbox=None, publicFolder={"path": "Sales"}),
        spoke(mailbox=None, publicFolder={"path": "Sales/Customers"}),
        "publicFolder can't be changed",
    ),
    "a connection's server": (
        server_connection(),
        server_connection(exchangeServer={"host": "mail.contoso.example"}),
        "host can't be changed",
    ),
    "a connection into one to a server": (
        connection("adatum"),
        server_connection(),
        "a Connection can't change between Microsoft 365, an Exchange Server and a CardDAV server",
    ),
    "a connection's address": (
        books_connection(),
        books_connection(cardDAV={"url": "https://dav.fabrikam.example"}),
        "url can't be changed",
    ),
    "a connection to a server into one to address books": (
        server_connection(),
        books_connection("adatum"),
        "a Connection can't change between Microsoft 365, an Exchange Server and a CardDAV server",
    ),
    "a spoke's address book": (
        spoke(mailbox=None, addressBook={"name": "Team"}),
        spoke(mailbox=None, addressBook={"name": "Other"}),
        "addressBook can't be changed",
    ),
    "a hub's kind": (hub(), hub(itemKind="Event"), "itemKind can't be changed"),
    "a connection's tenant": (
        connection(),
        connection(microsoft365={"tenantID": CLIENT}),
        "tenantID can't be changed",
    ),
    "a connection's cloud": (connection(), connection(cloud="China"), "cloud can't be changed"),
}


@pytest.mark.parametrize(("manifest", "message"), REFUSED.values(), ids=REFUSED)
async def test_the_api_server_refuses(stage: Stage, manifest: Manifest, message: str) -> None:
    with pytest.raises(KubectlFailedError) as refused:
        await stage.apply(manifest)
    assert message in str(refused.value)


@pytest.mark.parametrize(("manifest", "message"), REFUSED.values(), ids=REFUSED)
def test_the_command_line_refuses(manifest: Manifest, message: str) -> None:
    made = manifests.Manifests()
    mistakes: list[str] = []
    manifests.take(manifest, "manifest.yaml, document 1", made, mistakes)
    assert mistakes
    assert message in "\n".join(mistakes)
    assert mistakes[0].startswith(f"manifest.yaml, document 1 ({manifest['kind']} default/")


@pytest.mark.parametrize(("before", "after", "message"), UNCHANGEABLE.values(), ids=UNCHANGEABLE)
async def test_the_api_server_does_not_let_change(
    stage: Stage, before: Manifest, after: Manifest, message: str
) -> None:
    await stage.apply(before)
    with pytest.raises(KubectlFailedError) as refused:
        await stage.apply(after)
    assert message in str(refused.value)


async def test_the_quickstart_is_admitted(stage: Stage) -> None:
    from .conftest import ROOT

    files = [
        ROOT / "examples/quickstart" / f"{name}.yaml" for name in ("connections", "hub", "spokes")
    ]
    text = "---\n".join(file.read_text() for file in files)
    text = text.replace("namespace: cirahub-demo", f"namespace: {stage.namespace}")
    await asyncio.to_thread(stage.plane.kubectl, "apply", "--server-side", "-f", "-", input=text)


def test_the_quickstart_is_understood_without_a_cluster() -> None:
    loaded = manifests.load([str(QUICKSTART)])
    assert len(loaded.connections) == 3
    assert {spoke.spec.direction for spoke in loaded.spokes} == {"Contribute", "TwoWay", "Receive"}


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ManifestError) as refused:
        manifests.load(["/nowhere/a.yaml", "/nowhere/b.yaml"])
    assert len(refused.value.mistakes) == 2
