"""Commands of PowerShell, as people paste them."""

from __future__ import annotations

from collections.abc import Sequence


def cmdlet(name: str, **parameters: str) -> str:
    """Values as PowerShell reads them: see `quoted`."""
    return " ".join((name, *(f"-{key} {value}" for key, value in parameters.items())))


def recipients(mailboxes: Sequence[str]) -> str:
    """A filter for these mailboxes, by properties that it may name:
    https://learn.microsoft.com/powershell/exchange/filter-properties."""
    return " -or ".join(
        f"{name} -eq {quoted(address)}"
        for address in mailboxes
        for name in ("PrimarySmtpAddress", "UserPrincipalName")
    )


def quoted(text: str) -> str:
    """In single quotes, in which PowerShell, its filters and OData take everything as it is and
    two quotes for one."""
    return "'" + text.replace("'", "''") + "'"
