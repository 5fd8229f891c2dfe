"""Users by a filter or an address, read from the simulator: all that fit, or an error."""

from __future__ import annotations

import pytest

from cirahub_sync.endpoints.directory import Member
from cirahub_sync.endpoints.graph.directory import GraphDirectory
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import AccessDeniedError, FilterRefusedError, ProtocolError

from .conftest import TENANT, Cloud


@pytest.fixture
def directory(cloud: Cloud, session: GraphSession) -> GraphDirectory:
    cloud.application.granted[TENANT] = {"Contacts.ReadWrite", "User.Read.All"}
    return GraphDirectory(session)


def staff(cloud: Cloud, count: int) -> None:
    for number in range(count):
        cloud.add_user(f"user{number:04}").department = "Sales"


async def test_every_user_that_fits_a_filter_is_read_page_by_page(
    cloud: Cloud, directory: GraphDirectory
) -> None:
    staff(cloud, 1100)
    found = await directory.matching("department eq 'Sales'")
    assert len({one.id for one in found}) == 1100
    asked = [entry.path for entry in cloud.world.journal.entries() if entry.service == "graph"]
    assert asked == ["/users", "/users"]


async def test_a_filter_may_be_an_advanced_query(cloud: Cloud, directory: GraphDirectory) -> None:
    staff(cloud, 3)
    found = await directory.matching("department eq 'Sales' and not startsWith(mail,'user0001')")
    assert [one.addresses[0] for one in found] == [
        "user0000@contoso.example",
        "user0002@contoso.example",
    ]


async def test_a_guest_fits_and_is_no_user_of_this_directory(
    cloud: Cloud, directory: GraphDirectory
) -> None:
    guest = cloud.add_user("guest")
    guest.user_principal_name = "guest_partner.example#EXT#@contoso.example"
    guest.department = "Sales"
    staff(cloud, 1)
    found = await directory.matching("department eq 'Sales'")
    assert sorted(one.user for one in found) == [False, True]


@pytest.mark.parametrize("wrong", ["departmint eq 'Sales'", "department eq", "x' or id ne '"])
async def test_a_filter_that_the_directory_does_not_take_says_so(
    directory: GraphDirectory, wrong: str
) -> None:
    with pytest.raises(FilterRefusedError, match=r"answered 400 .* to members\.filter"):
        await directory.matching(wrong)


async def test_fewer_users_than_are_counted_are_no_answer(
    cloud: Cloud, directory: GraphDirectory
) -> None:
    staff(cloud, 2)
    cloud.fault(kind="replace", service="graph", path="/users", find='count":2', put='count":3')
    with pytest.raises(ProtocolError, match="counts 3 users that fit the filter and shows 2"):
        await directory.matching("department eq 'Sales'")


async def test_a_filter_takes_a_role_that_reads_whole_profiles(
    cloud: Cloud, directory: GraphDirectory
) -> None:
    cloud.application.granted[TENANT] = {"Contacts.ReadWrite"}
    with pytest.raises(AccessDeniedError, match=r"User\.Read\.All"):
        await directory.matching("department eq 'Sales'")


async def test_a_user_is_found_by_id_name_and_primary_address(
    cloud: Cloud, directory: GraphDirectory
) -> None:
    user = cloud.add_user("bob")
    user.mail = "robert@contoso.example"
    bob = Member(user.id, ("robert@contoso.example", "bob@contoso.example"), user=True)
    for name in (user.id, "bob@contoso.example", "Robert@contoso.example"):
        assert await directory.user(name) == bob
    assert await directory.user("nobody@contoso.example") is None
