"""Who is in a group, read from the simulator: all of them, or an error."""

from __future__ import annotations

import pytest

from cirahub_simulator.directory import Group, User
from cirahub_sync.configuration import ItemKind, MailboxAccess
from cirahub_sync.endpoints.directory import Member
from cirahub_sync.endpoints.graph import permissions
from cirahub_sync.endpoints.graph.directory import GraphDirectory
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import (
    AccessDeniedError,
    EndpointUnavailableError,
    GroupNotFoundError,
)
from cirahub_sync.needs import Needs

from .conftest import TENANT, Cloud, settings

TEAM = "d0000000-0000-4000-8000-000000000001"
DESK = "d0000000-0000-4000-8000-000000000002"
ROLES = {"Contacts.ReadWrite", "User.Read.All", "GroupMember.Read.All"}


def fill(cloud: Cloud, *members: str, nested: int = 0) -> None:
    """The team: `members`, and through its desk, of which it is a member itself, more users."""
    cloud.application.granted[TENANT] = set(ROLES)
    add = cloud.world.directory.add_group
    people = [cloud.add_user(f"user{number:04}").id for number in range(nested)]
    add(Group(id=DESK, tenant_id=TENANT, display_name="Desk", members=[*people, TEAM]))
    add(
        Group(
            id=TEAM,
            tenant_id=TENANT,
            display_name="Team",
            mail="team@contoso.example",
            members=[*members, DESK],
        )
    )


@pytest.fixture
def directory(session: GraphSession) -> GraphDirectory:
    return GraphDirectory(session)


def ada(cloud: Cloud) -> User:
    user = cloud.world.directory.find_user("ada@contoso.example")
    assert user is not None
    return user


async def test_every_member_of_every_nested_group_is_read_page_by_page(
    cloud: Cloud, directory: GraphDirectory
) -> None:
    fill(cloud, ada(cloud).id, nested=1100)
    members = await directory.members(TEAM)
    assert len({member.id for member in members}) == len(members) == 1101
    paths = [entry.path for entry in cloud.world.journal.entries() if "transitive" in entry.path]
    assert len(paths) == 2


async def test_an_address_finds_the_group_and_members_tell_all_of_theirs(
    cloud: Cloud, directory: GraphDirectory
) -> None:
    user = ada(cloud)
    user.mail = "Ada@contoso.example"
    user.proxy_addresses = ["SMTP:Ada@contoso.example", "smtp:a@contoso.example", "X500:/o=x"]
    guest = cloud.add_user("guest")
    guest.user_principal_name = "guest_partner.example#EXT#@contoso.example"
    guest.mail = "guest@partner.example"
    fill(cloud, user.id, guest.id)
    assert await directory.members("team@contoso.example") == (
        Member(
            user.id, ("Ada@contoso.example", "a@contoso.example", "ada@contoso.example"), user=True
        ),
        Member(guest.id, ("guest@partner.example",)),
    )


async def test_a_contact_of_the_directory_is_a_member_and_a_device_is_none(
    cloud: Cloud, directory: GraphDirectory
) -> None:
    fill(cloud, ada(cloud).id)
    rule = {"service": "graph", "path": "/transitiveMembers", "find": "microsoft.graph.user"}
    cloud.fault(kind="replace", id="a", put="microsoft.graph.orgContact", **rule)
    assert len(await directory.members(TEAM)) == 1
    cloud.world.faults.remove("a")
    cloud.fault(kind="replace", put="microsoft.graph.device", **rule)
    assert await directory.members(TEAM) == ()


async def test_reading_is_repeated_while_the_service_is_busy_and_is_whole_or_fails(
    cloud: Cloud,
    directory: GraphDirectory,
) -> None:
    fill(cloud, ada(cloud).id, nested=1100)
    cloud.fault(kind="status", service="graph", path="/groups/", status=503, count=2)
    assert len(await directory.members(TEAM)) == 1101
    cloud.fault(kind="status", service="graph", path="/transitiveMembers", status=503, skip=1)
    with pytest.raises(EndpointUnavailableError):
        await directory.members(TEAM)


@pytest.mark.parametrize("name", [TEAM, "team@contoso.example"])
async def test_a_group_that_is_gone_says_so(
    cloud: Cloud, directory: GraphDirectory, name: str
) -> None:
    fill(cloud)
    cloud.world.directory.remove_group(TEAM)
    with pytest.raises(GroupNotFoundError, match="has no group of this id or address"):
        await directory.members(name)


@pytest.mark.parametrize(
    ("lacks", "asks"),
    [
        ("GroupMember.Read.All", "Authorization_RequestDenied .*the role GroupMember.Read.All"),
        ("User.Read.All", "not who they are; .*the role User.ReadBasic.All"),
    ],
)
async def test_a_permission_that_is_missing_is_named(
    cloud: Cloud, directory: GraphDirectory, lacks: str, asks: str
) -> None:
    fill(cloud, ada(cloud).id)
    cloud.application.granted[TENANT] = ROLES - {lacks}
    with pytest.raises(AccessDeniedError, match=asks):
        await directory.members(TEAM)


@pytest.mark.parametrize("switches", settings("hidden_membership"), indirect=True)
@pytest.mark.parametrize("hidden", [TEAM, DESK])
async def test_a_hidden_membership_is_no_empty_group(
    cloud: Cloud, directory: GraphDirectory, hidden: str
) -> None:
    fill(cloud, ada(cloud).id, nested=1)
    group = cloud.world.directory.find_group(hidden)
    assert group is not None
    group.visibility = "HiddenMembership"
    with pytest.raises(AccessDeniedError):
        await directory.members(TEAM)
    cloud.application.granted[TENANT] = ROLES | {"Member.Read.Hidden"}
    await cloud.tokens.invalidate()
    assert len(await directory.members(TEAM)) == 2


async def test_the_token_s_roles_are_those_of_the_session(
    cloud: Cloud, session: GraphSession
) -> None:
    assert await session.roles() == frozenset(cloud.application.granted[TENANT])


@pytest.mark.parametrize(
    ("roles", "groups", "missing", "excess"),
    [
        ((), True, ("GroupMember.Read.All",), ()),
        (("GroupMember.Read.All", "Member.Read.Hidden"), True, (), ()),
        (("Group.Read.All",), True, (), ("Group.Read.All",)),
        (("GroupMember.Read.All",), False, (), ("GroupMember.Read.All",)),
    ],
)
def test_groups_take_a_permission_only_where_filters_ask_for_them(
    roles: tuple[str, ...], groups: bool, missing: tuple[str, ...], excess: tuple[str, ...]
) -> None:
    held = {"Contacts.ReadWrite", "User.ReadBasic.All", *roles}
    contacts = frozenset({ItemKind.CONTACT})
    needs = Needs(contacts, contacts, groups=groups)
    judged = permissions.judged(held, needs=needs, access=MailboxAccess.CONSENT)
    assert judged == (missing, excess)
