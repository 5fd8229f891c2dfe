"""`cirahub permissions`: what the manifests need, and the commands that grant exactly that."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Literal

import click
import msgspec

from cirahub_operator.cli.book_permissions import BookGrants, book_grants, book_told
from cirahub_operator.cli.manifests import ManifestError
from cirahub_operator.cli.output import as_json, output_option
from cirahub_operator.cli.powershell import cmdlet, quoted, recipients
from cirahub_operator.cli.server_permissions import (
    HybridGrants,
    ServerGrants,
    hybrid_grants,
    hybrid_told,
    server_grants,
    server_told,
)
from cirahub_operator.cli.session import Exit, cases, files_option
from cirahub_operator.cli.table import table
from cirahub_sync.configuration import (
    ConnectionConfig,
    EntraAuth,
    MailboxAccess,
    PasswordAuth,
    SpokeConfig,
)
from cirahub_sync.endpoints.exchange_admin import permissions as administration
from cirahub_sync.endpoints.graph.permissions import Need, needed
from cirahub_sync.engine.grouped import directories_asked
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.identity.consent import consent_link
from cirahub_sync.spoke_set import SpokeSetConfig

MAILBOXES = 25
"""In one management scope: a filter stays short enough to be read, and to be accepted."""
HEADINGS = ("PERMISSION", "FOR", "SPOKES")


class Scope(msgspec.Struct, frozen=True):
    """Mailboxes in which Exchange is to grant an application role."""

    name: str
    role: str
    mailboxes: tuple[str, ...] = ()
    group: str = ""
    """Instead: the mailboxes of its direct members."""


class Grants(msgspec.Struct, frozen=True):
    """Of one Connection."""

    connection: str
    tenant: str
    application: str
    access: str
    consent: str
    """Where to consent to what the application's registration asks for."""
    graph: tuple[Need, ...]
    """Application permissions of Microsoft Graph, for consent."""
    exchange: tuple[Scope, ...]
    """Empty unless Exchange grants the access to mailboxes."""
    administration: tuple[Need, ...] = ()
    """Application permissions of Office 365 Exchange Online, for consent; they take a role of Entra
    ID besides."""
    unscoped: tuple[str, ...] = ()
    """SpokeSets whose members a filter finds: of no scope of Exchange."""


AnyGrants = Grants | ServerGrants | HybridGrants | BookGrants


@click.command(context_settings={"show_default": True, "max_content_width": 100})
@files_option
@click.option(
    "--mailbox-access",
    type=click.Choice([one.value for one in MailboxAccess]),
    help="As if every Connection had this `microsoft365.mailboxAccess`: to see what a change of it "
    "would ask for. Default: what each of them says.",
)
@output_option("For people, with the commands; or a Connection each in a JSON list.")
def command(
    *,
    files: tuple[str, ...],
    mailbox_access: str | None,
    output: Literal["text", "json"],
) -> None:
    """Show what each Connection's application needs for the Spokes of these manifests, and no more.

    That is application permissions of Microsoft Graph, to which an administrator of the tenant
    consents; or, where a Connection says `mailboxAccess: ExchangeRBAC`, the commands of Exchange
    Online PowerShell that let the application into just these mailboxes. For an Exchange Server,
    it is the commands of the Exchange Management Shell that let the account, or the application,
    into just these mailboxes and public folders. For a CardDAV server, it is the rights that the
    account has to have on address books. Nothing is asked of anybody and nothing is changed.

    Exit codes: 0 shown; 2 wrong options or manifests.
    """
    try:
        found, _ = cases(files)
    except ManifestError as error:
        click.echo("\n".join(f"Error: {mistake}" for mistake in error.mistakes), err=True)
        sys.exit(Exit.BAD_INPUT)
    spokes = [spoke for case in found for spoke in case.resolution.spokes.values()]
    sets = [one for case in found for one in case.resolution.sets.values()]
    access = None if mailbox_access is None else MailboxAccess(mailbox_access)
    try:
        used = _by_connection(spokes, sets)
    except _WrongSpokeError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(Exit.BAD_INPUT)
    grants = [_given(one, access) for one in used]
    if output == "json":
        click.echo(as_json(grants))
    else:
        click.echo("\n\n".join("\n".join(_lines(one)) for one in grants))


def _lines(grants: AnyGrants) -> list[str]:
    match grants:
        case BookGrants():
            return book_told(grants)
        case ServerGrants():
            return server_told(grants)
        case HybridGrants():
            return hybrid_told(grants)
        case Grants():
            return _told(grants)


class _Used(msgspec.Struct, frozen=True):
    """A Connection, the Spokes and SpokeSets that lead through it, and those whose filters ask its
    directory."""

    connection: ConnectionConfig
    spokes: list[SpokeConfig]
    sets: list[SpokeSetConfig]
    asking: list[SpokeConfig]


class _WrongSpokeError(Exception):
    """A Spoke, or a SpokeSet, whose filters name no group that there could be."""


def _by_connection(
    spokes: Sequence[SpokeConfig], sets: Sequence[SpokeSetConfig]
) -> Iterable[_Used]:
    found: dict[str, _Used] = {}

    def used(connection: ConnectionConfig) -> _Used:
        return found.setdefault(connection.name, _Used(connection, [], [], []))

    for spoke in spokes:
        used(spoke.connection).spokes.append(spoke)
    for one in sets:
        used(one.template.connection).sets.append(one)
    named = [("Spoke", spoke) for spoke in spokes] + [("SpokeSet", one.template) for one in sets]
    for kind, asking in named:
        try:
            asked = directories_asked(asking)
        except ConfigurationError as error:
            raise _WrongSpokeError(f"{kind} {asking.name}: {error}") from error
        for connection in asked:
            used(connection).asking.append(asking)
    return [found[name] for name in sorted(found)]


def _given(used: _Used, access: MailboxAccess | None) -> AnyGrants:
    connection, server = used.connection, used.connection.exchange_server
    if isinstance(connection.auth, PasswordAuth):
        account = connection.auth.username
        if connection.card_dav is not None:
            return book_grants(connection, connection.card_dav, account, used.spokes)
        if server is None:
            raise ConfigurationError(
                f"connection {connection.name}: Microsoft 365 takes no passwords"
            )
        return server_grants(connection, server, account, used.spokes)
    if server is not None:
        return hybrid_grants(connection, server, connection.auth, used.spokes)
    return _grants(used, connection.auth, access)


def _grants(used: _Used, auth: EntraAuth, access: MailboxAccess | None) -> Grants:
    connection = used.connection
    chosen = access or connection.mailbox_access
    every = needed(used.spokes, chosen, used.asking, used.sets)
    running = administration.needed(used.spokes)
    exchange = chosen is MailboxAccess.EXCHANGE and any(one.in_mailboxes for one in every)
    return Grants(
        connection=connection.name,
        tenant=connection.tenant_id,
        application=auth.client_id,
        access=chosen.value,
        consent=consent_link(connection.cloud, connection.tenant_id, auth.client_id),
        graph=tuple(one for one in every if not (exchange and one.in_mailboxes)),
        exchange=tuple(_scopes(connection, every)) if exchange else (),
        administration=() if running is None else (running,),
        unscoped=tuple(dict.fromkeys(name for one in every for name in one.filters))
        if exchange
        else (),
    )


def _scopes(connection: ConnectionConfig, every: Iterable[Need]) -> Iterable[Scope]:
    for one in every:
        for start in range(0, len(one.mailboxes), MAILBOXES):
            name = f"cirahub {connection.name} {one.permission} {start // MAILBOXES + 1}"
            some = one.mailboxes[start : start + MAILBOXES]
            yield Scope(name, f"Application {one.permission}", some)
        for group in one.groups:
            name = f"cirahub {connection.name} {one.permission} {group}"
            yield Scope(name, f"Application {one.permission}", group=group)


def _told(grants: Grants) -> list[str]:
    rows = [(one.permission, one.purpose, ", ".join(one.spokes)) for one in grants.graph]
    running = [
        (one.permission, one.purpose, ", ".join(one.spokes)) for one in grants.administration
    ]
    lines = [
        f"Connection {grants.connection}: tenant {grants.tenant}, application {grants.application}",
    ]
    if rows:
        lines += [
            "  Application permissions of Microsoft Graph, to consent to:",
            *(f"    {line}" for line in table(HEADINGS, rows)),
        ]
    if running:
        lines += [
            "  Application permissions of Office 365 Exchange Online, to consent to:",
            *(f"    {line}" for line in table(HEADINGS, running)),
        ]
    lines += [
        f"  Once its registration asks for them: {grants.consent}",
    ]
    lines += [
        f"  SpokeSet {name} finds its members by a filter of Entra ID, which Exchange does not "
        "know: make a scope for them by hand, by a property of recipients"
        for name in grants.unscoped
    ]
    if any(scope.group for scope in grants.exchange):
        lines.append("  Exchange counts direct members only: make a scope for nested groups, too")
    if grants.exchange:
        lines += [
            "  Exchange Online PowerShell, by somebody who may assign roles there; consent to no",
            "  Contacts or Calendars permission besides, since the two add up:",
            *(f"    {line}" for line in commands(grants)),
        ]
    if running:
        lines += [
            "  Microsoft Graph PowerShell, by a Privileged Role Administrator, for the role",
            f"  {administration.DIRECTORY_ROLE} of Entra ID:",
            *(f"    {line}" for line in assignment(grants)),
        ]
    return lines


def assignment(grants: Grants) -> list[str]:
    """For PowerShell. https://learn.microsoft.com/entra/identity/role-based-access-control/manage-roles-portal."""
    found = quoted(f"appId eq {quoted(grants.application)}")
    role = quoted(f"displayName eq {quoted(administration.DIRECTORY_ROLE)}")
    return [
        "Connect-MgGraph -Scopes Application.Read.All, RoleManagement.ReadWrite.Directory",
        f"$principal = Get-MgServicePrincipal -Filter {found}",
        f"$role = Get-MgRoleManagementDirectoryRoleDefinition -Filter {role}",
        cmdlet(
            "New-MgRoleManagementDirectoryRoleAssignment",
            PrincipalId="$principal.Id",
            RoleDefinitionId="$role.Id",
            DirectoryScopeId="'/'",
        ),
    ]


def commands(grants: Grants) -> list[str]:
    """For PowerShell. https://learn.microsoft.com/exchange/permissions-exo/application-rbac."""
    application = quoted(grants.application)
    found = quoted(f"appId eq {application}")
    principal = cmdlet(
        "New-ServicePrincipal",
        AppId=application,
        ObjectId="$principal.Id",
        DisplayName="$principal.DisplayName",
    )
    lines = [
        "Connect-MgGraph -Scopes Application.Read.All",
        f"$principal = Get-MgServicePrincipal -Filter {found}",
        "Connect-ExchangeOnline",
        principal,
    ]
    for scope in grants.exchange:
        name, which = quoted(scope.name), quoted(recipients(scope.mailboxes))
        if scope.group:
            lines.append(f"$group = Get-Recipient -Identity {quoted(scope.group)}")
            which = """"MemberOfGroup -eq '$($group.DistinguishedName)'\""""
        lines += [
            cmdlet("New-ManagementScope", Name=name, RecipientRestrictionFilter=which),
            cmdlet(
                "New-ManagementRoleAssignment",
                App=application,
                Role=quoted(scope.role),
                CustomResourceScope=name,
            ),
        ]
    first = next((one for scope in grants.exchange for one in scope.mailboxes), None)
    if first is not None:
        lines.append(
            cmdlet(
                "Test-ServicePrincipalAuthorization", Identity=application, Resource=quoted(first)
            )
        )
    return lines
