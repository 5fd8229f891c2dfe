"""What an application needs that signs in to an Exchange Server by tokens: a permission
of Office 365 Exchange Online, under whose name tokens for the server are issued.

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-authenticate-an-ews-application-by-using-oauth.
"""

from __future__ import annotations

from cirahub_sync.identity.roles import roles_of

ROLE = "full_access_as_app"


def missing(token: str) -> tuple[str, ...] | None:
    """What is needed and is not in a token for the server; None if it shows nothing."""
    roles = roles_of(token)
    if roles is None:
        return None
    return () if ROLE in roles else (ROLE,)
