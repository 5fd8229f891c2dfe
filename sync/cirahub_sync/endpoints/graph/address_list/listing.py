"""What a directory lists, kind by kind: where it is read, what of it is asked for, who may, and
which of its objects are in the address list."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from cirahub_sync.configuration import AddressListTarget, Listed, MoreAddresses
from cirahub_sync.endpoints.graph.address_list import codec, wire
from cirahub_sync.endpoints.graph.permissions import LIST_ROLES
from cirahub_sync.endpoints.graph.place import query, segment
from cirahub_sync.model.contact import Contact

_USER = (
    "accountEnabled,userType,showInAddressList,displayName,givenName,surname,jobTitle,department,"
    "companyName,officeLocation,mail,businessPhones,mobilePhone,faxNumber,streetAddress,city,state,"
    "postalCode,country"
)
_ORG_CONTACT = (
    "displayName,givenName,surname,jobTitle,department,companyName,mail,mailNickname,phones,"
    "addresses"
)
_GROUP = "displayName,mail,mailEnabled"


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of objects of the directory."""

    collection: str
    """Its path below `/v1.0/`, which the ids of our items begin with: `users/{id}`."""
    role: str
    """The least that lets them be read whole."""
    properties: str
    """What is asked for, separated by commas."""
    aliases: bool = True
    others: bool = False
    """Whether it has `otherMails`."""
    parse: Callable[[bytes | msgspec.Raw, AddressListTarget], Contact | None]
    """Raises `graph.wire.UNREADABLE`."""

    def selected(self, target: AddressListTarget) -> tuple[str, ...]:
        """The properties that are read: no address that was not asked for."""
        more = target.more_addresses
        return (
            *self.properties.split(","),
            *(["proxyAddresses"] if self.aliases and MoreAddresses.ALIASES in more else []),
            *(["otherMails"] if self.others and MoreAddresses.OTHER_MAILS in more else []),
        )

    def first_path(self, target: AddressListTarget) -> str:
        """Where a round from nothing begins. `$select` is kept in the links that follow."""
        return f"/v1.0/{self.collection}/delta?{query(select=','.join(self.selected(target)))}"

    def object_path(self, item: str, target: AddressListTarget) -> str:
        """Of one object, below `/v1.0`."""
        chosen = query(select=",".join(("id", *self.selected(target))))
        return f"/{self.collection}/{segment(item.partition('/')[2])}?{chosen}"

    def item(self, object_id: str) -> str:
        return f"{self.collection}/{object_id}"


LISTINGS: Mapping[Listed, Listing] = {
    Listed.USERS: Listing(
        collection="users",
        role=LIST_ROLES[Listed.USERS],
        properties=_USER,
        others=True,
        parse=lambda body, target: codec.user(wire.USER.decode(body), target),
    ),
    Listed.CONTACTS: Listing(
        collection="contacts",
        role=LIST_ROLES[Listed.CONTACTS],
        properties=_ORG_CONTACT,
        parse=lambda body, target: codec.org_contact(wire.ORG_CONTACT.decode(body), target),
    ),
    Listed.GROUPS: Listing(
        collection="groups",
        role=LIST_ROLES[Listed.GROUPS],
        properties=_GROUP,
        parse=lambda body, target: codec.group(wire.GROUP.decode(body), target),
    ),
}
"""Delta: https://learn.microsoft.com/graph/api/user-delta, …/orgcontact-delta, …/group-delta."""
