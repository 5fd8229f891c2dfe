"""A tenant's directory in the simulator, and an endpoint into its address list."""

from __future__ import annotations

import pytest
from tests.endpoints.contract.place import cursor, read_all
from tests.endpoints.graph.conftest import TENANT, Cloud

from cirahub_simulator.directory import Group, OrgContact, User
from cirahub_sync.configuration import AddressListTarget, Listed
from cirahub_sync.endpoints.base import Change, RemoteItem
from cirahub_sync.endpoints.graph.address_list import AddressListEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.model.contact import Contact
from cirahub_sync.model.kind import as_contact
from cirahub_sync.store.crypto import Cipher

EVERYTHING = AddressListTarget(include=(Listed.USERS, Listed.CONTACTS, Listed.GROUPS))
ROLES = {"User.Read.All", "OrgContact.Read.All", "GroupMember.Read.All"}
HUB = "hub-1"
CIPHER = Cipher(bytes(32), 1)


class Company:
    """What its administrators do in the directory. Ada is in it already."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.directory = cloud.world.directory
        cloud.application.granted[TENANT] = set(ROLES)

    @property
    def ada(self) -> User:
        user = self.directory.find_user("ada@contoso.example")
        assert user is not None
        return user

    def hires(self, name: str, **fields: object) -> User:
        user = self.cloud.add_user(name)
        for field, value in fields.items():
            setattr(user, field, value)
        return user

    def knows(self, name: str, **fields: object) -> OrgContact:
        """A mail contact."""
        address = f"{name}@partner.example"
        made: dict[str, object] = {"mail": address, "mail_nickname": name, "display_name": name}
        contact = OrgContact(id=f"contact-{name}", tenant_id=TENANT, **(made | fields))  # type: ignore[arg-type]
        self.directory.add_org_contact(contact)
        return contact

    def groups(self, name: str, **fields: object) -> Group:
        made: dict[str, object] = {
            "mail": f"{name}@contoso.example",
            "mail_enabled": True,
            "display_name": name,
        }
        group = Group(id=f"group-{name}", tenant_id=TENANT, **(made | fields))  # type: ignore[arg-type]
        self.directory.add_group(group)
        return group

    def paths(self) -> list[str]:
        """Of all Graph requests since this was last asked, but for the inside of batches."""
        entries = [entry for entry in self.cloud.world.journal.entries() if entry.batch is None]
        self.cloud.world.journal.clear()
        return [entry.path for entry in entries if entry.service == "graph"]


@pytest.fixture
def company(cloud: Cloud) -> Company:
    return Company(cloud)


def list_of(session: GraphSession, target: AddressListTarget = EVERYTHING) -> AddressListEndpoint:
    return AddressListEndpoint(session, target, HUB, CIPHER.fingerprint)


@pytest.fixture
def address_list(session: GraphSession) -> AddressListEndpoint:
    return list_of(session)


async def told(
    endpoint: AddressListEndpoint, resume: str | None = None
) -> tuple[list[Change], str]:
    """The changes of a round, and the cursor after it."""
    read = await read_all(endpoint, resume)
    return [change for page in read for change in page.changes], cursor(read)


def contents(changes: list[Change]) -> dict[str, Contact]:
    """By display name, what is told last of each."""
    items = {change.id: change for change in changes}
    found = [as_contact(one.content) for one in items.values() if isinstance(one, RemoteItem)]
    return {contact.display_name: contact for contact in found}
