"""What the account of an Exchange Server needs, in commands of the Exchange Management Shell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from cirahub_operator.cli.powershell import cmdlet, quoted, recipients
from cirahub_sync.configuration import (
    ConnectionConfig,
    ExchangeServer,
    MailboxRights,
    MailboxTarget,
    PublicFolderTarget,
    SpokeConfig,
)

MAILBOXES = 25
"""In one management scope: a filter stays short enough to be read, and to be accepted."""


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


def server_grants(
    connection: ConnectionConfig,
    server: ExchangeServer,
    account: str,
    spokes: Sequence[SpokeConfig],
) -> ServerGrants:
    mailboxes = tuple(
        dict.fromkeys(one.target.address for one in spokes if isinstance(one.target, MailboxTarget))
    )
    folders = tuple(_folders(spokes))
    if server.rights is MailboxRights.IMPERSONATION:
        commands = list(_impersonation(connection.name, account, mailboxes))
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


def server_told(grants: ServerGrants) -> list[str]:
    account = f"account {grants.account}"
    return [
        f"Connection {grants.connection}: Exchange Server {grants.server}, {account}",
        "  Exchange Management Shell, by somebody who may assign roles there:",
        *(f"    {line}" for line in grants.commands),
    ]


def _folders(spokes: Iterable[SpokeConfig]) -> Iterable[FolderRole]:
    """https://learn.microsoft.com/powershell/module/exchange/add-publicfolderclientpermission."""
    writes: dict[str, bool] = {}
    for one in spokes:
        if isinstance(one.target, PublicFolderTarget):
            path = one.target.path
            writes[path] = writes.get(path, False) or one.direction.receives
    for path, written in writes.items():
        yield FolderRole(path, "PublishingEditor" if written else "Reviewer")


def _impersonation(name: str, account: str, mailboxes: Sequence[str]) -> Iterable[str]:
    """https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-configure-impersonation."""
    for start in range(0, len(mailboxes), MAILBOXES):
        scope = quoted(f"cirahub {name} {start // MAILBOXES + 1}")
        some = recipients(mailboxes[start : start + MAILBOXES])
        yield cmdlet("New-ManagementScope", Name=scope, RecipientRestrictionFilter=quoted(some))
        yield cmdlet(
            "New-ManagementRoleAssignment",
            Name=scope,
            Role="ApplicationImpersonation",
            User=quoted(account),
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
