"""What running the cmdlets needs: an application permission of Exchange Online, and a role of Entra
ID that its service principal is assigned.

https://learn.microsoft.com/powershell/exchange/app-only-auth-powershell-v2. A token names the
permission in `roles`, and roles of Entra ID in `wids`, by their template ids
(https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference). Where
a claim is missing, nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Iterable

import jwt

from cirahub_sync.configuration import MailContactsTarget, SpokeConfig
from cirahub_sync.endpoints.graph.permissions import Need

ROLE = "Exchange.ManageAsApp"
DIRECTORY_ROLE = "Exchange Recipient Administrator"
"""The least that makes, changes and removes mail contacts."""

_THAT_DO = frozenset(
    {
        "31392ffb-586c-42d1-9346-e59415a2cc4e",
        "29232cdf-9323-42fd-ade2-1d097af3e4de",
        "62e90394-69f5-4237-9190-012177145e10",
    }
)
"""Exchange Recipient Administrator, Exchange Administrator, Global Administrator."""


def needed(spokes: Iterable[SpokeConfig]) -> Need | None:
    """What the spokes of one Connection need, if any of them makes mail contacts."""
    names = sorted(one.name for one in spokes if isinstance(one.target, MailContactsTarget))
    if not names:
        return None
    return Need(ROLE, "making mail contacts in the address list", tuple(names))


def missing(token: str) -> tuple[str, ...]:
    """What is needed and is not in a token for Exchange Online."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return ()
    found = []
    if ROLE not in claims.get("roles", ()):
        found.append(ROLE)
    assigned = claims.get("wids")
    if assigned is not None and _THAT_DO.isdisjoint(assigned):
        found.append(DIRECTORY_ROLE)
    return tuple(found)
