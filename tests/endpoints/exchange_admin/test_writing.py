"""Mail contacts made, changed and removed by cmdlets: what gets through, what does not, and what
is left when something stops in between."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from cirahub_simulator.switches import Switches
from cirahub_sync.endpoints.alias import alias_of
from cirahub_sync.endpoints.base import Delete, RemoteItem, Result, Stamp, Update
from cirahub_sync.endpoints.exchange_admin import AdminSession, MailContactsEndpoint
from cirahub_sync.errors import AccessDeniedError, ProtocolError
from cirahub_sync.model.contact import Contact, Email, Phone, PhoneKind

from .conftest import ADA, Directory, create, key, listed, person, push

ALIAS = alias_of(Stamp.parse(key()) or Stamp("", "", "", "", ""))
SETTINGS = [
    Switches(),
    Switches(admin_exception="text-only", contact_identity="documented", contact_countries="any"),
]
under_settings = pytest.mark.parametrize("switches", SETTINGS, indirect=True)


@under_settings
async def test_a_contact_arrives_with_everything_an_address_list_shows(
    directory: Directory, endpoint: MailContactsEndpoint
) -> None:
    [made] = await push(endpoint, create(endpoint))

    assert (made.result, made.missing, made.error) == (Result.DONE, None, "")
    assert made.item is not None
    assert made.item.content == ADA
    assert made.item.id == ALIAS
    [held] = directory.held()
    assert (held.alias, held.name) == (ALIAS, ALIAS)
    assert (held.title, held.mobile_phone, held.city) == ("Countess", "+44 77 2", "London")


@under_settings
async def test_an_update_writes_every_field_and_empties_what_is_blank(
    directory: Directory, endpoint: MailContactsEndpoint
) -> None:
    [made] = await push(endpoint, create(endpoint))
    assert made.item is not None
    after = Contact(
        display_name="Ada King", surname="King", emails=(Email("ada.king@fabrikam.example"),)
    )
    body = endpoint.encode_changes(None, after)

    [outcome] = await push(endpoint, Update(id=ALIAS, etag=made.item.etag, body=body))

    assert outcome.result is Result.DONE
    assert outcome.item is not None
    assert outcome.item.content == after
    [held] = directory.held()
    assert (held.external_email_address, held.title) == ("ada.king@fabrikam.example", "")


async def test_a_hundred_contacts_take_a_request_for_ten_of_each_kind(
    directory: Directory, endpoint: MailContactsEndpoint
) -> None:
    contacts = [msgspec.structs.replace(person(n), company="Co") for n in range(100)]

    outcomes = await push(
        endpoint, *(create(endpoint, contact, n) for n, contact in enumerate(contacts))
    )

    assert {one.result for one in outcomes} == {Result.DONE}
    assert len(directory.held()) == 100
    assert sum(directory.answers.values()) == 40  # New-, Set-, and both halves read back


async def test_what_is_refused_for_one_contact_keeps_no_other(
    directory: Directory, endpoint: MailContactsEndpoint
) -> None:
    broken = msgspec.structs.replace(person(1), phones=(Phone(PhoneKind.BUSINESS, "1" * 65),))
    nowhere = msgspec.structs.replace(person(2), emails=(Email("no address"),))

    outcomes = await push(
        endpoint,
        create(endpoint, broken, 1),
        create(endpoint, nowhere, 2),
        create(endpoint, person(3), 3),
    )

    assert [one.result for one in outcomes] == [Result.DONE, Result.REJECTED, Result.DONE]
    assert outcomes[0].missing is Result.REJECTED
    assert "DataValidationException" in outcomes[0].error
    assert "no address" not in "".join(one.error for one in outcomes)
    assert len(directory.held()) == 2


async def test_a_country_that_exchange_does_not_know_is_left_out(
    directory: Directory, endpoint: MailContactsEndpoint
) -> None:
    address = msgspec.structs.replace(ADA.addresses[0], country="Frankreich")

    [made] = await push(
        endpoint, create(endpoint, msgspec.structs.replace(ADA, addresses=(address,)))
    )

    assert (made.result, made.missing) == (Result.DONE, None)
    [held] = directory.held()
    assert (held.city, held.country_or_region) == ("London", "")


async def test_a_contact_that_is_not_found_yet_is_completed_later(
    directory: Directory, endpoint: MailContactsEndpoint
) -> None:
    directory.world.switches = Switches(contact_settles="ten-seconds")

    [made] = await push(endpoint, create(endpoint))

    assert (made.result, made.missing) == (Result.DONE, Result.RETRY)
    directory.world.clock.advance(timedelta(seconds=10))
    body = endpoint.encode_changes(None, ADA)
    [outcome] = await push(endpoint, Update(id=ALIAS, etag="", body=body))
    assert outcome.item is not None
    assert outcome.item.content == ADA


async def test_a_crash_after_new_mail_contact_leaves_what_recovery_finds(
    directory: Directory, endpoint: MailContactsEndpoint
) -> None:
    directory.fault(kind="status", operation="Set-Contact", status=500)

    [made] = await push(endpoint, create(endpoint))

    assert (made.result, made.missing) == (Result.DONE, Result.UNKNOWN)
    [found] = (await endpoint.find([key()]))[key()]
    assert found.stamp == key()
    assert endpoint.capabilities.composed
    assert isinstance(found.content, Contact)
    assert (found.content.given_name, found.content.job_title) == ("Ada", "")


async def test_a_lost_answer_is_found_by_alias_and_not_made_again(
    directory: Directory, endpoint: MailContactsEndpoint
) -> None:
    directory.fault(kind="drop", moment="after", operation="New-MailContact", count=1)

    [lost] = await push(endpoint, create(endpoint))

    assert lost.result is Result.UNKNOWN
    [found] = (await endpoint.find([key()]))[key()]
    assert found.id == ALIAS
    [again] = await push(endpoint, create(endpoint, attempt="a2"))
    assert (again.result, again.missing) == (Result.DONE, Result.RETRY)
    assert len(directory.held()) == 1


@under_settings
async def test_an_address_that_somebody_else_has_is_told_and_left_alone(
    directory: Directory, endpoint: MailContactsEndpoint
) -> None:
    directory.run(
        "New-MailContact", Name="Ada", Alias="ada", ExternalEmailAddress="ADA@fabrikam.example"
    )
    [theirs] = directory.held()
    before = (theirs.alias, theirs.title, theirs.changed)

    [refused] = await push(endpoint, create(endpoint))

    assert refused.result is Result.REJECTED
    assert f"recipient {theirs.id}" in refused.error
    assert "not made by cirahub" in refused.error
    assert "fabrikam" not in refused.error
    [held] = directory.held()
    assert (held.alias, held.title, held.changed) == before
    assert (await endpoint.find([key()]))[key()] == ()


async def test_another_hub_s_copy_is_not_ours(
    directory: Directory, session: AdminSession, endpoint: MailContactsEndpoint
) -> None:
    other = directory.endpoint(session, hub="hub-2")
    await push(endpoint, create(endpoint))

    stamp = key(hub="hub-2")
    [refused] = await push(other, msgspec.structs.replace(create(endpoint), key=stamp))

    assert refused.result is Result.REJECTED
    assert "a copy of another hub" in refused.error
    assert await listed(other) == []
    [untouched] = await push(other, Delete(id=ALIAS, etag=""))
    assert untouched.result is Result.REJECTED
    assert len(directory.held()) == 1


@pytest.mark.parametrize("alias", ["ada", "cirahub-ada", "ada@fabrikam.example"])
async def test_nothing_that_is_not_ours_by_its_alias_is_written(
    directory: Directory, endpoint: MailContactsEndpoint, alias: str
) -> None:
    directory.run(
        "New-MailContact", Name="Ada", Alias="ada", ExternalEmailAddress="ada@fabrikam.example"
    )
    body = endpoint.encode_changes(None, ADA)

    outcomes = await push(endpoint, Update(id=alias, etag="", body=body), Delete(id=alias, etag=""))

    assert [one.result for one in outcomes] == [Result.REJECTED, Result.REJECTED]
    assert directory.cmdlets() == []


@under_settings
async def test_what_is_gone_is_gone(directory: Directory, endpoint: MailContactsEndpoint) -> None:
    body = endpoint.encode_changes(None, ADA)

    outcomes = await push(
        endpoint, Update(id=ALIAS, etag="", body=body), Delete(id=ALIAS, etag="", permanent=True)
    )

    assert [one.result for one in outcomes] == [Result.GONE, Result.DONE]
    assert directory.held() == []


async def test_a_contact_is_removed(directory: Directory, endpoint: MailContactsEndpoint) -> None:
    await push(endpoint, create(endpoint))

    [outcome] = await push(endpoint, Delete(id=ALIAS, etag="", permanent=True))

    assert outcome.result is Result.DONE
    assert directory.held() == []


@pytest.mark.parametrize(("status", "result"), [(429, Result.RETRY), (500, Result.UNKNOWN)])
async def test_a_busy_service_is_not_asked_twice_for_a_write(
    directory: Directory, endpoint: MailContactsEndpoint, status: int, result: Result
) -> None:
    directory.fault(kind="status", operation="New-MailContact", status=status, retry_after=7)

    [outcome] = await push(endpoint, create(endpoint))

    assert outcome.result is result
    assert outcome.retry_after == 7
    assert directory.cmdlets().count("New-MailContact") == 1


PASSING = [
    ("Microsoft.Exchange.Data.Directory.SystemConfiguration.OverBudgetException", Result.RETRY),
    ("Microsoft.Exchange.Data.Directory.ADTransientException", Result.UNKNOWN),
]


@pytest.mark.parametrize(("exception", "result"), PASSING)
@pytest.mark.parametrize("contacts", [1, 3])
async def test_an_exception_that_passes_is_no_refusal_of_the_contact(
    directory: Directory,
    endpoint: MailContactsEndpoint,
    exception: str,
    result: Result,
    contacts: int,
) -> None:
    directory.fault(
        kind="status", operation="New-MailContact", status=400, code=exception, retry_after=1
    )

    outcomes = await push(endpoint, *(create(endpoint, person(n), n) for n in range(contacts)))

    assert {one.result for one in outcomes} == {result}
    assert all(exception.rpartition(".")[2] in one.error for one in outcomes)
    assert directory.cmdlets().count("New-MailContact") == contacts


@pytest.mark.parametrize("exception", [exception for exception, _ in PASSING])
async def test_a_listing_is_asked_for_again_after_an_exception_that_passes(
    directory: Directory, endpoint: MailContactsEndpoint, exception: str
) -> None:
    await push(endpoint, create(endpoint))
    directory.fault(
        kind="status",
        operation="Get-MailContact",
        status=400,
        code=exception,
        retry_after=1,
        count=1,
    )

    assert await listed(endpoint) == [ALIAS]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_missing_role_is_told_with_its_name(
    directory: Directory, endpoint: MailContactsEndpoint, status: int
) -> None:
    directory.world.switches = Switches(admin_role_missing=status)  # type: ignore[arg-type]
    directory.application.directory_roles.clear()

    with pytest.raises(AccessDeniedError, match="Exchange Recipient Administrator"):
        await push(endpoint, create(endpoint))
    with pytest.raises(AccessDeniedError, match=r"Exchange\.ManageAsApp"):
        await endpoint.fetch([ALIAS])


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("contacts", [1, 3])
async def test_a_service_that_moved_away_takes_no_contact_for_gone(
    directory: Directory, endpoint: MailContactsEndpoint, status: int, contacts: int
) -> None:
    await push(endpoint, *(create(endpoint, person(n), n) for n in range(contacts)))
    ids = await listed(endpoint)
    directory.fault(kind="status", status=status)

    with pytest.raises(ProtocolError, match="not where it was"):
        await push(endpoint, *(Delete(id=each, etag="") for each in ids))
    with pytest.raises(ProtocolError):
        await endpoint.locate(ids)
    assert len(directory.held()) == contacts


async def test_a_batch_that_is_refused_as_a_whole_goes_one_by_one(
    directory: Directory, endpoint: MailContactsEndpoint
) -> None:
    directory.fault(kind="status", status=400, path="batch$")

    outcomes = await push(endpoint, *(create(endpoint, person(n), n) for n in range(3)))

    assert [one.result for one in outcomes] == [Result.DONE] * 3
    assert len(directory.held()) == 3


async def test_a_link_of_exchange_s_to_another_origin_is_not_followed(
    directory: Directory, endpoint: MailContactsEndpoint
) -> None:
    link = '"@odata.nextLink":"https://elsewhere.example/adminapi/beta/x","value":'
    directory.fault(kind="replace", find='"value":', put=link)

    with pytest.raises(ProtocolError, match="another origin"):
        await listed(endpoint)
    assert sum(directory.answers.values()) == 1


async def test_a_name_that_an_administrator_changed_hides_no_contact(
    directory: Directory, endpoint: MailContactsEndpoint
) -> None:
    await push(endpoint, create(endpoint))
    directory.run("Set-MailContact", Identity=ALIAS, Name="Ada L.")

    found = await endpoint.fetch([ALIAS])

    item = found[ALIAS]
    assert isinstance(item, RemoteItem)
    assert item.content == ADA
    assert await listed(endpoint) == [ALIAS]


async def test_a_round_lists_what_the_hub_made_and_nothing_else(
    directory: Directory, endpoint: MailContactsEndpoint
) -> None:
    directory.run(
        "New-MailContact", Name="Bob", Alias="bob", ExternalEmailAddress="bob@fabrikam.example"
    )
    await push(endpoint, *(create(endpoint, person(n), n) for n in range(1100)))
    directory.answers.clear()

    pages = [page async for page in endpoint.changes(None, known=lambda _: {})]

    assert [len(page.changes) for page in pages] == [500, 500, 100]
    assert [page.cursor for page in pages] == [None, None, ""]
    assert sum(directory.answers.values()) == 4
    stamps = {Stamp.parse(one.stamp) for page in pages for one in page.changes}  # type: ignore[union-attr]
    assert {one.item for one in stamps if one} == {f"{n:032x}" for n in range(1100)}
