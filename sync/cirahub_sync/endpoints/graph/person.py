"""A user, a guest or a contact as the directory shows them."""

from __future__ import annotations

import msgspec

from cirahub_sync.endpoints.directory import Member
from cirahub_sync.endpoints.graph.place import DIRECTORY_ROLES
from cirahub_sync.errors import AccessDeniedError

USER = "#microsoft.graph.user"
CONTACT = "#microsoft.graph.orgContact"
PROPERTIES = "id,mail,userPrincipalName,proxyAddresses"
"""What has to be selected."""
_SMTP = "smtp:"
_GUEST = "#ext#"
"""In the userPrincipalName of a guest, which is no address then:
https://learn.microsoft.com/entra/external-id/user-properties."""


class Person(msgspec.Struct, rename="camel"):
    id: str
    type: str = msgspec.field(default="", name="@odata.type")
    """Blank in a list of users only."""
    mail: str | None = None
    user_principal_name: str | None = None
    proxy_addresses: list[str] | None = None


def member(shown: Person, what: str) -> Member:
    """Raises AccessDeniedError if the application may not know who it is: `what` was read then."""
    addresses = [
        address[len(_SMTP) :]
        for address in shown.proxy_addresses or ()
        if address[: len(_SMTP)].lower() == _SMTP
    ]
    name = shown.user_principal_name or ""
    guest = _GUEST in name.lower()
    user = shown.type in ("", USER)
    if shown.mail:
        addresses.append(shown.mail)
    if name and not guest:
        addresses.append(name)
    if not (addresses or name):
        role = DIRECTORY_ROLES if user else "OrgContact.Read.All"
        raise AccessDeniedError(
            f"{what}: Graph tells that it has members and not who they are; grant the "
            f"application the role {role} in this tenant"
        )
    return Member(shown.id, tuple(dict.fromkeys(addresses)), user and not guest)
