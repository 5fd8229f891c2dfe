"""Which app role each kind of request needs, by the permissions tables of the documents.

https://learn.microsoft.com/graph/permissions-reference; the least privileged role and those that
include it.
"""

from __future__ import annotations

from cirahub_simulator.directory import Principal
from cirahub_simulator.graph import errors

_READ_CONTACTS = frozenset(("Contacts.Read", "Contacts.ReadWrite"))
_WRITE_CONTACTS = frozenset(("Contacts.ReadWrite",))
_READ_CALENDARS = frozenset(("Calendars.Read", "Calendars.ReadWrite"))
_WRITE_CALENDARS = frozenset(("Calendars.ReadWrite",))
_READ_USERS = frozenset(
    (
        "User.Read.All",
        "User.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    )
)
_READ_BASIC = "User.ReadBasic.All"

BASIC_PROFILE = frozenset(
    ("id", "displayName", "givenName", "mail", "surname", "userPrincipalName")
)
"""What User.ReadBasic.All shows of a user; of the rest it answers null."""


def require_contacts(client: Principal | None, *, write: bool) -> None:
    """Refuse an application that may not do this in mailboxes. Raises GraphError."""
    if client is None:
        return
    if client.roles.isdisjoint(_WRITE_CONTACTS if write else _READ_CONTACTS):
        raise errors.access_denied()


def require_calendars(client: Principal | None, *, write: bool) -> None:
    """Refuse an application that may not do this in calendars. Raises GraphError."""
    if client is None:
        return
    if client.roles.isdisjoint(_WRITE_CALENDARS if write else _READ_CALENDARS):
        raise errors.access_denied()


def require_users(client: Principal | None) -> bool:
    """Refuse an application that may not read users; say whether it sees whole profiles.

    Raises GraphError.
    """
    if client is None or not client.roles.isdisjoint(_READ_USERS):
        return True
    if _READ_BASIC in client.roles:
        return False
    raise errors.directory_access_denied()
