"""What the account, or the application, of an Exchange Server needs, in commands of the Exchange
Management Shell and, for an application, of Microsoft Graph PowerShell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from cirahub_operator.cli.powershell import cmdlet, quoted, recipients
from cirahub_sync.configuration import (
    CalendarTarget,
    ConnectionConfig,
    EntraAuth,
    ExchangeServer,
    MailboxRights,
    MailboxTarget,
    PublicFolderTarget,
    SpokeConfig,
)
from cirahub_sync.endpoints.exchange.permissions import ROLE
from cirahub_sync.identity.consent import consent_link

MAILBOXES = 25
"""In one management scope: a filter stays short enough to be read, and to be accepted."""


_EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
"""Its application id, in every tenant."""
_ACCOUNT = "$account"


class FolderRole(msgspec.Struct, frozen=True):
    """What the account has to be allowed in a public folder."""

    path: str
    role: str


class ServerGrants(msgspec.Struct, frozen=True):
    """Of one Connection."""

    connection: str
    server: str
    account: str
    access: str
    mailboxes: tuple[str, ...]
    """To open by that right."""
    folders: tuple[FolderRole, ...]
    commands: tuple[str, ...]


class HybridGrants(msgspec.Struct, frozen=True):
    """Of one Connection that signs in to an Exchange Server as an application."""

    connection: str
    server: str
    tenant: str
    application: str
    permission: str
    """Of Office 365 Exchange Online, for consent."""
    consent: str
    mailboxes: tuple[str, ...]
    registration: tuple[str, ...]
    """For Microsoft Graph PowerShell."""
    commands: tuple[str, ...]


def server_grants(
    connection: ConnectionConfig,
    server: ExchangeServer,
    account: str,
    spokes: Sequence[SpokeConfig],
) -> ServerGrants:
    mailboxes = _mailboxes(spokes)
    folders = tuple(_folders(spokes))
    if server.rights is MailboxRights.IMPERSONATION:
        commands = list(_impersonation(connection.name, quoted(account), mailboxes))
    else:
        commands = list(_full_access(account, mailboxes))
    commands += _roles(account, folders)
    return ServerGrants(
        connection=connection.name,
        server=server.host,
        account=account,
        access=server.rights.value,
        mailboxes=mailboxes,
        folders=folders,
        commands=tuple(commands),
    )


def hybrid_grants(
    connection: ConnectionConfig,
    server: ExchangeServer,
    auth: EntraAuth,
    spokes: Sequence[SpokeConfig],
) -> HybridGrants:
    mailboxes = _mailboxes(spokes)
    return HybridGrants(
        connection=connection.name,
        server=server.host,
        tenant=auth.tenant_id,
        application=auth.client_id,
        permission=ROLE,
        consent=consent_link(connection.cloud, auth.tenant_id, auth.client_id),
        mailboxes=mailboxes,
        registration=tuple(_registration(server)),
        commands=(
            *_partner(auth),
            *_impersonation(connection.name, _ACCOUNT, mailboxes),
        ),
    )


def hybrid_told(grants: HybridGrants) -> list[str]:
    application = f"tenant {grants.tenant}, application {grants.application}"
    return [
        f"Connection {grants.connection}: Exchange Server {grants.server}, {application}",
        "  Application permission of Office 365 Exchange Online, to consent to:",
        f"    {grants.permission}",
        f"  Once its registration asks for it: {grants.consent}",
        "  Microsoft Graph PowerShell, by an Application Administrator, unless it is registered:",
        *(f"    {line}" for line in grants.registration),
        "  Exchange Management Shell, by somebody who may assign roles there, with an account",
        "  that needs neither mailbox nor password:",
        *(f"    {line}" for line in grants.commands),
    ]


def server_told(grants: ServerGrants) -> list[str]:
    account = f"account {grants.account}"
    return [
        f"Connection {grants.connection}: Exchange Server {grants.server}, {account}",
        "  Exchange Management Shell, by somebody who may assign roles there:",
        *(f"    {line}" for line in grants.commands),
    ]


def _mailboxes(spokes: Iterable[SpokeConfig]) -> tuple[str, ...]:
    targets = (one.target for one in spokes)
    return tuple(
        dict.fromkeys(
            one.address for one in targets if isinstance(one, MailboxTarget | CalendarTarget)
        )
    )


def _registration(server: ExchangeServer) -> Iterable[str]:
    """https://learn.microsoft.com/microsoft-365/enterprise/configure-exchange-server-for-hybrid-modern-authentication."""
    url = quoted(f"https://{server.host.partition(':')[0]}")
    online = quoted(f"appId eq {quoted(_EXCHANGE_ONLINE)}")
    yield "Connect-MgGraph -Scopes Application.ReadWrite.All"
    yield f"$exchange = Get-MgServicePrincipal -Filter {online}"
    yield cmdlet(
        "Update-MgServicePrincipal",
        ServicePrincipalId="$exchange.Id",
        ServicePrincipalNames=f"($exchange.ServicePrincipalNames + {url})",
    )


def _partner(auth: EntraAuth) -> Iterable[str]:
    """An application has the rights of the account that it is linked with:
    https://learn.microsoft.com/powershell/module/exchangepowershell/new-partnerapplication."""
    directory = cmdlet("Set-WebServicesVirtualDirectory", OAuthAuthentication="$true")
    yield f"Get-WebServicesVirtualDirectory | {directory}"
    yield f"{_ACCOUNT} = Read-Host 'Account, as DOMAIN\\name'"
    yield cmdlet(
        "New-PartnerApplication",
        Name="cirahub",
        ApplicationIdentifier=quoted(auth.client_id),
        Realm=quoted(auth.tenant_id),
        LinkedAccount=_ACCOUNT,
    )


def _folders(spokes: Iterable[SpokeConfig]) -> Iterable[FolderRole]:
    """https://learn.microsoft.com/powershell/module/exchange/add-publicfolderclientpermission."""
    writes: dict[str, bool] = {}
    for one in spokes:
        if isinstance(one.target, PublicFolderTarget):
            path = one.target.path
            writes[path] = writes.get(path, False) or one.direction.receives
    for path, written in writes.items():
        yield FolderRole(path, "PublishingEditor" if written else "Reviewer")


def _impersonation(name: str, user: str, mailboxes: Sequence[str]) -> Iterable[str]:
    """`user`: as PowerShell reads it. https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-configure-impersonation."""
    for start in range(0, len(mailboxes), MAILBOXES):
        scope = quoted(f"cirahub {name} {start // MAILBOXES + 1}")
        some = recipients(mailboxes[start : start + MAILBOXES])
        yield cmdlet("New-ManagementScope", Name=scope, RecipientRestrictionFilter=quoted(some))
        yield cmdlet(
            "New-ManagementRoleAssignment",
            Name=scope,
            Role="ApplicationImpersonation",
            User=user,
            CustomRecipientWriteScope=scope,
        )


def _full_access(account: str, mailboxes: Iterable[str]) -> Iterable[str]:
    """https://learn.microsoft.com/powershell/module/exchange/add-mailboxpermission."""
    for address in mailboxes:
        yield cmdlet(
            "Add-MailboxPermission",
            Identity=quoted(address),
            User=quoted(account),
            AccessRights="FullAccess",
            AutoMapping="$false",
        )


def _roles(account: str, folders: Iterable[FolderRole]) -> Iterable[str]:
    for one in folders:
        yield cmdlet(
            "Add-PublicFolderClientPermission",
            Identity=quoted("\\" + one.path.replace("/", "\\")),
            User=quoted(account),
            AccessRights=one.role,
        )
