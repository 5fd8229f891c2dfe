"""Which app role each kind of request needs, by the permissions tables of the documents.

https://learn.microsoft.com/graph/permissions-reference; the least privileged role and those that
include it.
"""

from __future__ import annotations

from cirahub_simulator.directory import Principal
from cirahub_simulator.graph import errors
from cirahub_simulator.switches import Switches

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
_READ_ORG_CONTACTS = frozenset(
    ("OrgContact.Read.All", "Directory.Read.All", "Directory.ReadWrite.All")
)
_READ_BASIC = "User.ReadBasic.All"
_READ_GROUPS = frozenset(
    (
        "GroupMember.Read.All",
        "GroupMember.ReadWrite.All",
        "Group.Read.All",
        "Group.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    )
)
_READ_MEMBERSHIPS = _READ_GROUPS | {"User.Read.All", "User.ReadWrite.All"}
_READ_HIDDEN = "Member.Read.Hidden"
_READ_ORGANIZATION = frozenset(
    (
        "Organization.Read.All",
        "Organization.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    )
)
_WRITE_PHOTOS = frozenset(("ProfilePhoto.ReadWrite.All", "User.ReadWrite.All"))
_READ_PHOTOS = _WRITE_PHOTOS | {"ProfilePhoto.Read.All", "User.Read.All"}
_WRITE_SETTINGS = frozenset(("MailboxSettings.ReadWrite",))
_READ_SETTINGS = _WRITE_SETTINGS | {"MailboxSettings.Read"}

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


def require_subscribed(client: Principal, kind: str, switches: Switches) -> None:
    """Refuse an application that may not read what it wants to hear of. Raises GraphError.

    https://learn.microsoft.com/graph/api/subscription-post-subscriptions (permissions); how it is
    refused is reported in microsoftgraph/microsoft-graph-docs-contrib, issue 7625.
    """
    read = _READ_CONTACTS if kind == "Contact" else _READ_CALENDARS
    if switches.subscription_role == "read-only":
        read = frozenset(role for role in read if role.endswith(".Read"))
    if client.roles.isdisjoint(read):
        raise errors.GraphError(
            403,
            "ExtensionError",
            "Operation: Create; Exception: [Status Code: Forbidden; Reason: Forbidden]",
        )


def require_users(client: Principal | None) -> bool:
    """Refuse an application that may not read users; say whether it sees whole profiles.

    Raises GraphError.
    """
    if client is None or not client.roles.isdisjoint(_READ_USERS):
        return True
    if _READ_BASIC in client.roles:
        return False
    raise errors.directory_access_denied()


def require_org_contacts(client: Principal | None) -> bool:
    """Refuse an application that may not read mail contacts; who may sees them whole.

    https://learn.microsoft.com/graph/api/orgcontact-list. Raises GraphError.
    """
    if client is not None and client.roles.isdisjoint(_READ_ORG_CONTACTS):
        raise errors.directory_access_denied()
    return True


def require_groups(client: Principal | None) -> None:
    """Refuse an application that may not read groups and who is in them. Raises GraphError.

    https://learn.microsoft.com/graph/api/group-list-transitivemembers
    """
    if client is not None and client.roles.isdisjoint(_READ_GROUPS):
        raise errors.directory_access_denied()


def require_memberships(client: Principal | None) -> bool:
    """Refuse an application that may not read what a user is a member of; say whether it sees more
    of these groups than their ids. Raises GraphError.

    https://learn.microsoft.com/graph/api/user-list-memberof
    """
    if client is None:
        return True
    if client.roles.isdisjoint(_READ_MEMBERSHIPS):
        raise errors.directory_access_denied()
    return not client.roles.isdisjoint(_READ_GROUPS)


def require_organization(client: Principal | None) -> None:
    """Refuse an application that may not read the organisation. Raises GraphError.

    https://learn.microsoft.com/graph/api/organization-list
    """
    if client is not None and client.roles.isdisjoint(_READ_ORGANIZATION):
        raise errors.directory_access_denied()


def require_photos(client: Principal | None, *, write: bool) -> None:
    """Refuse an application that may not do this with users' photos. Raises GraphError.

    https://learn.microsoft.com/graph/api/profilephoto-get and profilephoto-update
    """
    if client is not None and client.roles.isdisjoint(_WRITE_PHOTOS if write else _READ_PHOTOS):
        raise errors.access_denied()


def require_settings(client: Principal | None, *, write: bool) -> None:
    """Refuse an application that may not do this with mailboxes' settings. Raises GraphError.

    https://learn.microsoft.com/graph/api/user-get-mailboxsettings and user-update-mailboxsettings
    """
    if client is not None and client.roles.isdisjoint(_WRITE_SETTINGS if write else _READ_SETTINGS):
        raise errors.access_denied()


def sees_users(client: Principal | None) -> bool | None:
    """Whether the application sees whole profiles; None: not even basic ones.

    Where members are listed, what may not be read is shown with limited information:
    https://learn.microsoft.com/graph/permissions-overview (inaccessible member objects).
    """
    if client is None or not client.roles.isdisjoint(_READ_USERS):
        return True
    return False if _READ_BASIC in client.roles else None


def sees_hidden(client: Principal | None) -> bool:
    """Whether the application may read hidden memberships."""
    return client is None or _READ_HIDDEN in client.roles
