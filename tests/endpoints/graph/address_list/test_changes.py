"""What changes in an address list: rounds, removals, and what deltas leave out."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from tests.endpoints.contract.place import nothing_known, read_all
from tests.endpoints.graph.conftest import settings

from cirahub_simulator.switches import Switches
from cirahub_sync.configuration import AddressListTarget, Listed
from cirahub_sync.endpoints.base import RemoteItem, Removed, Unreadable, Whereabouts
from cirahub_sync.endpoints.graph.address_list import AddressListEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import CursorExpiredError, EndpointUnavailableError

from .conftest import EVERYTHING, Company, contents, list_of, told

EVERY_DELTA = settings("directory_delta", "delta_order", "delta_repeats", "delta_empty_first_page")


@pytest.mark.parametrize("switches", EVERY_DELTA, indirect=True)
async def test_each_change_is_told_whole_however_little_of_it_the_delta_tells(
    company: Company, address_list: AddressListEndpoint
) -> None:
    for number in range(250):
        company.hires(f"user{number:03}", mobile_phone=str(number), department="Sales")
    company.knows("pat", job_title="Buyer")
    company.groups("desk")
    changes, cursor = await told(address_list)
    assert len(contents(changes)) == 253
    company.paths()
    assert (await told(address_list, cursor))[0] == []
    assert company.paths() == ["/users/delta", "/contacts/delta", "/groups/delta"]
    user = company.directory.users()[7]
    user.department = "Support"
    [pat] = company.directory.org_contacts()
    pat.job_title = None
    before = contents(changes)
    changes, cursor = await told(address_list, cursor)
    after = contents(changes)
    assert after.keys() == {user.display_name, "pat"}
    expected = msgspec.structs.replace(before[user.display_name], department="Support")
    assert after[user.display_name] == expected
    assert after["pat"] == msgspec.structs.replace(before["pat"], job_title="")
    assert (await told(address_list, cursor))[0] == []


async def test_what_a_delta_leaves_out_is_read_in_batches_and_only_then(
    company: Company, address_list: AddressListEndpoint
) -> None:
    for number in range(30):
        company.hires(f"user{number:03}")
    _, cursor = await told(address_list)
    for user in company.directory.users():
        user.department = "Sales"
    company.paths()
    changes, _ = await told(address_list, cursor)
    assert {one.department for one in contents(changes).values()} == {"Sales"}
    assert company.paths().count("/$batch") == 2


@pytest.mark.parametrize("switches", settings("directory_delta"), indirect=True)
async def test_what_a_delta_tells_counts_before_what_a_lagging_replica_answers(
    company: Company, address_list: AddressListEndpoint
) -> None:
    company.ada.department = "Numbers"
    company.ada.mobile_phone = "1"
    _, cursor = await told(address_list)
    company.ada.department = "Sales"
    company.cloud.fault(
        kind="replace",
        service="graph",
        path="batch$",
        find='"Sales"',
        put='"Numbers"',
    )
    changes, _ = await told(address_list, cursor)
    assert company.cloud.world.faults.listing()[0][1] == 1
    ada = contents(changes)["ada"]
    assert (ada.department, [phone.number for phone in ada.phones]) == ("Sales", ["1"])


@pytest.mark.parametrize("switches", EVERY_DELTA, indirect=True)
async def test_who_is_deleted_is_removed_and_gone(
    company: Company, address_list: AddressListEndpoint
) -> None:
    ben = company.hires("ben")
    company.knows("pat")
    _, cursor = await told(address_list)
    company.directory.remove_user(ben.id)
    company.directory.remove_org_contact("contact-pat")
    changes, _ = await told(address_list, cursor)
    gone = [f"users/{ben.id}", "contacts/contact-pat"]
    assert sorted(change.id for change in changes) == sorted(gone)
    assert all(isinstance(change, Removed) for change in changes)
    assert await address_list.locate(gone) == dict.fromkeys(gone, Whereabouts.GONE)
    assert await address_list.fetch(gone) == dict.fromkeys(gone)


@pytest.mark.parametrize("switches", settings("directory_delta"), indirect=True)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mail", None),
        ("account_enabled", False),
        ("show_in_address_list", False),
        ("user_type", "Guest"),
    ],
)
async def test_who_leaves_the_list_and_stays_in_the_directory_is_removed(
    company: Company, address_list: AddressListEndpoint, field: str, value: object
) -> None:
    ben = company.hires("ben")
    was = getattr(ben, field)
    item = f"users/{ben.id}"
    _, cursor = await told(address_list)
    setattr(ben, field, value)
    changes, cursor = await told(address_list, cursor)
    assert changes == [Removed(item)]
    company.paths()
    assert await address_list.locate([item]) == {item: Whereabouts.MOVED}
    assert company.paths() == [], "the delta has told it"
    setattr(ben, field, was)
    changes, _ = await told(address_list, cursor)
    assert [change.id for change in changes] == [item]
    assert await address_list.locate([item]) == {item: Whereabouts.HERE}


async def test_who_is_restored_is_there_again(
    company: Company, address_list: AddressListEndpoint
) -> None:
    ben = company.hires("ben", mobile_phone="1")
    first, cursor = await told(address_list)
    company.directory.remove_user(ben.id)
    _, cursor = await told(address_list, cursor)
    company.directory.add_user(ben)
    changes, _ = await told(address_list, cursor)
    assert changes == [change for change in first if change.id == f"users/{ben.id}"]


async def test_the_same_content_has_the_same_etag_and_another_one_another(
    company: Company, address_list: AddressListEndpoint
) -> None:
    def etag(changes: list[object]) -> str:
        [item] = [one for one in changes if isinstance(one, RemoteItem)]
        return item.etag

    first, _ = await told(address_list)
    again, cursor = await told(address_list)
    assert etag([*first]) == etag([*again])
    company.ada.city = "Reno"
    changed, _ = await told(address_list, cursor)
    assert etag([*changed]) != etag([*first])
    assert [*(await address_list.fetch([changed[0].id])).values()] == changed


async def test_a_round_goes_on_from_any_page_and_through_all_kinds(
    company: Company, address_list: AddressListEndpoint, session: GraphSession
) -> None:
    for number in range(250):
        company.hires(f"user{number:03}")
        company.knows(f"pat{number:03}")
    read = await read_all(address_list)
    assert len(read) == 7
    assert [page.cursor is None for page in read] == [True] * 6 + [False]
    for at, page in enumerate(read[:-1]):
        rest = await read_all(list_of(session), page.next)
        assert [len(one.changes) for one in rest] == [len(one.changes) for one in read[at + 1 :]]
        assert rest[-1].cursor is not None


async def test_a_kind_that_cannot_be_read_leaves_the_round_where_it_is(
    company: Company, address_list: AddressListEndpoint
) -> None:
    company.knows("pat")
    company.cloud.fault(kind="status", service="graph", path="/contacts/delta", status=503)
    reading = address_list.changes(None, known=nothing_known)
    page = await anext(reading)
    with pytest.raises(EndpointUnavailableError):
        await anext(reading)
    company.cloud.world.faults.clear()
    company.paths()
    rest, _ = await told(address_list, page.next)
    assert contents(rest).keys() == {"pat"}
    assert "/users/delta" not in company.paths()


@pytest.mark.parametrize("switches", [Switches(delta_repeats=True)], indirect=True)
@pytest.mark.parametrize("process", ["the same", "another"])
async def test_who_leaves_the_list_while_a_round_from_nothing_is_read_is_removed(
    company: Company, session: GraphSession, process: str
) -> None:
    """Though such a round passes over those who are not in the list."""
    for number in range(150):
        company.hires(f"user{number:03}")
    company.hires("service", mail=None)
    first = list_of(session)
    reading = first.changes(None, known=nothing_known)
    page = await anext(reading)
    shown = page.changes[-1].id
    user = company.directory.find_user(shown.removeprefix("users/"))
    assert user is not None
    user.account_enabled = False
    if process == "another":
        reading = list_of(session).changes(page.next, known=nothing_known)
    rest = [change async for page in reading for change in page.changes]
    assert Removed(shown) in rest


async def test_an_expired_token_of_any_kind_starts_from_nothing(
    company: Company, address_list: AddressListEndpoint
) -> None:
    _, cursor = await told(address_list)
    company.cloud.world.clock.advance(timedelta(days=8))
    with pytest.raises(CursorExpiredError):
        await told(address_list, cursor)
    assert len((await told(address_list))[0]) == 1


@pytest.mark.parametrize(
    "other",
    [
        AddressListTarget(include=(Listed.USERS,)),
        msgspec.structs.replace(EVERYTHING, guests=True),
        msgspec.structs.replace(EVERYTHING, hidden=True),
        msgspec.structs.replace(EVERYTHING, disabled=True),
    ],
)
async def test_another_choice_starts_from_nothing(
    session: GraphSession, company: Company, other: AddressListTarget
) -> None:
    _, cursor = await told(list_of(session))
    with pytest.raises(CursorExpiredError, match="another choice"):
        await told(list_of(session, other), cursor)


@pytest.mark.parametrize("cursor", ["", "a b /v1.0/users/delta", '["t","s",{},["Users"],true]'])
async def test_a_cursor_of_something_else_starts_from_nothing(
    company: Company, address_list: AddressListEndpoint, cursor: str
) -> None:
    with pytest.raises(CursorExpiredError):
        await told(address_list, cursor)


async def test_an_object_that_cannot_be_read_is_told_and_holds_up_nobody(
    company: Company, address_list: AddressListEndpoint
) -> None:
    ben = company.hires("ben", mobile_phone="+1 555 0100")
    company.cloud.fault(kind="replace", service="graph", find='"+1 555 0100"', put="[7]")
    changes, _ = await told(address_list)
    assert contents(changes).keys() == {"ada"}
    item = f"users/{ben.id}"
    [unreadable] = [change for change in changes if isinstance(change, Unreadable)]
    assert unreadable.id == item
    assert "555" not in unreadable.why
    assert (await address_list.fetch([item]))[item] == unreadable
