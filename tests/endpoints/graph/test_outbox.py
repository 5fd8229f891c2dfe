"""What becomes of writes: one outcome each, nothing sent twice, nothing guessed."""

import msgspec
import pytest
from tests.endpoints.contract.place import creates, key, made, push_all, push_into, update
from tests.endpoints.contract.samples import CONTACTS, contact

from cirahub_simulator.switches import Switches
from cirahub_simulator.throttle import Limits
from cirahub_sync.endpoints.base import (
    Create,
    Outcome,
    RemoteItem,
    Result,
)
from cirahub_sync.endpoints.graph.endpoint import GraphEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import (
    AccessDeniedError,
    CredentialError,
    ThrottledError,
)
from cirahub_sync.model.contact import CustomField, Phone, PhoneKind

from .conftest import FOLDER, Cloud, settings

BATCH = r"\$batch$"


FULL = msgspec.structs.replace(
    contact(1),
    phones=(Phone(PhoneKind.MOBILE, "+49 170 1"), Phone(PhoneKind.BUSINESS_FAX, "+49 30 2")),
    custom=(CustomField("EmployeeId", "007"),),
    birthday="1815-12-10",
    job_title="Mathematikerin",
)


@pytest.mark.parametrize("switches", settings("birthday", "email_name", "file_as"), indirect=True)
async def test_creates_are_stamped_and_come_back_whole(
    endpoint: GraphEndpoint, cloud: Cloud
) -> None:
    item = await made(endpoint, FULL, key(1))
    assert item.content == FULL
    assert item.stamp == key(1)
    assert (await endpoint.fetch([item.id]))[item.id] == item
    assert [each.immutable_id for each in cloud.held(FOLDER)] == [item.id]


@pytest.mark.parametrize("switches", settings("batch_order", "batch_answers"), indirect=True)
async def test_forty_five_creates_take_three_requests(
    endpoint: GraphEndpoint, session: GraphSession, cloud: Cloud
) -> None:
    before = session.requests
    operations = creates(endpoint, CONTACTS, 45)
    outcomes = await push_all(endpoint, operations)
    assert {each.result for each in outcomes} == {Result.DONE}
    assert session.requests - before == 3
    assert len(cloud.held(FOLDER)) == 45
    for operation, outcome in zip(operations, outcomes, strict=True):
        assert outcome.item is not None
        assert outcome.item.stamp == operation.key


@pytest.mark.parametrize(
    "switches", settings("display_name_kept", "file_as", "if_match_on_patch"), indirect=True
)
async def test_an_update_changes_what_it_names_and_keeps_the_rest(endpoint: GraphEndpoint) -> None:
    item = await made(endpoint, FULL)
    after = msgspec.structs.replace(
        FULL,
        given_name="Ada",
        phones=(Phone(PhoneKind.MOBILE, "+49 170 1"), Phone(PhoneKind.PAGER, "5")),
        job_title="",
    )
    (outcome,) = await push_all(endpoint, [update(endpoint, item, after)])
    assert outcome.item is not None
    assert outcome.item.content == after
    assert outcome.item.etag != item.etag
    fetched = (await endpoint.fetch([item.id]))[item.id]
    assert isinstance(fetched, RemoteItem)
    assert fetched.content == after
    assert fetched.stamp == item.stamp


@pytest.mark.parametrize("switches", settings("if_match_on_patch"), indirect=True)
async def test_a_stale_update_is_refused_where_the_service_compares(
    endpoint: GraphEndpoint, switches: Switches
) -> None:
    item = await made(endpoint, contact(1))
    first = msgspec.structs.replace(item.content, job_title="first")
    second = msgspec.structs.replace(item.content, job_title="second")
    await push_all(endpoint, [update(endpoint, item, first)])
    (outcome,) = await push_all(endpoint, [update(endpoint, item, second)])
    honoured = switches.if_match_on_patch == "honoured"
    assert outcome.result is (Result.STALE if honoured else Result.DONE)


async def test_a_batch_that_is_refused_whole_is_halved_until_the_bad_one_is_alone(
    endpoint: GraphEndpoint, cloud: Cloud
) -> None:
    bad = Create(key="i/h/bad/s/1", body=b'{"givenName":,"singleValueExtendedProperties":[]}')
    good = creates(endpoint, CONTACTS, 19)
    outcomes = await push_all(endpoint, [*good[:7], bad, *good[7:]])
    assert [each.index for each in outcomes if each.result is Result.REJECTED] == [7]
    assert sum(each.result is Result.DONE for each in outcomes) == 19
    assert len(cloud.held(FOLDER)) == 19


@pytest.mark.parametrize(
    ("answer", "moment", "expected"),
    [
        ((429, 7), "before", Result.RETRY),
        ((429, None), "before", Result.RETRY),
        ((503, 7), "before", Result.RETRY),
        ((503, None), "after", Result.UNKNOWN),
        ((500, None), "after", Result.UNKNOWN),
        ((502, None), "after", Result.UNKNOWN),
        ((504, 7), "after", Result.UNKNOWN),
        ((507, None), "before", Result.RETRY),
        ((409, None), "before", Result.REJECTED),
        ((413, None), "before", Result.REJECTED),
        ((422, None), "before", Result.REJECTED),
        ((412, None), "before", Result.STALE),
    ],
)
async def test_each_part_of_a_batch_has_its_own_outcome(
    endpoint: GraphEndpoint,
    cloud: Cloud,
    answer: tuple[int, int | None],
    moment: str,
    expected: Result,
) -> None:
    status, retry_after = answer
    cloud.fault(
        kind="status",
        batched=True,
        method="POST",
        skip=1,
        count=1,
        status=status,
        retry_after=retry_after,
        moment=moment,
    )
    outcomes = await push_all(endpoint, creates(endpoint, CONTACTS, 3))
    assert [each.result for each in outcomes] == [Result.DONE, expected, Result.DONE]
    assert str(status) in outcomes[1].error
    if retry_after is not None:
        assert outcomes[1].retry_after == retry_after
    assert len(cloud.held(FOLDER)) == (3 if moment == "after" else 2)


async def test_a_throttled_batch_is_for_later(endpoint: GraphEndpoint, cloud: Cloud) -> None:
    cloud.fault(kind="status", path=BATCH, status=429, retry_after=3)
    outcomes = await push_all(endpoint, creates(endpoint, CONTACTS, 2))
    assert [(each.result, each.retry_after) for each in outcomes] == [(Result.RETRY, 3.0)] * 2


@pytest.mark.parametrize("switches", settings("throttle_code", "concurrency_per"), indirect=True)
async def test_within_the_limits_nothing_is_ever_throttled(
    endpoint: GraphEndpoint, cloud: Cloud
) -> None:
    cloud.world.latency = 0.01
    outcomes = await push_all(endpoint, creates(endpoint, CONTACTS, 100))
    assert {each.result for each in outcomes} == {Result.DONE}
    assert cloud.world.throttle.refused == 0


async def test_a_refusal_within_a_batch_holds_the_mailbox_back(
    endpoint: GraphEndpoint, cloud: Cloud, session: GraphSession
) -> None:
    cloud.world.throttle.limits = Limits(concurrent=2)
    outcomes = await push_all(endpoint, creates(endpoint, CONTACTS, 4))
    assert [each.result for each in outcomes] == [
        Result.DONE,
        Result.DONE,
        Result.RETRY,
        Result.RETRY,
    ]
    assert session.throttle.concurrency(cloud.mailbox().user_id) == 2


async def test_an_expired_token_is_renewed_once(endpoint: GraphEndpoint, cloud: Cloud) -> None:
    before = cloud.tokens.issued
    cloud.world.clock.advance(cloud.an_hour)
    outcomes = await push_all(endpoint, creates(endpoint, CONTACTS, 25))
    assert {each.result for each in outcomes} == {Result.DONE}
    assert cloud.tokens.issued == before + 1
    assert len(cloud.held(FOLDER)) == 25


async def test_a_token_that_is_refused_twice_stops_the_push(
    endpoint: GraphEndpoint, cloud: Cloud
) -> None:
    cloud.fault(kind="status", path=BATCH, status=401, skip=1)
    got: list[Outcome] = []
    with pytest.raises(CredentialError):
        await push_into(got, endpoint, creates(endpoint, CONTACTS, 60))
    assert {each.result for each in got} == {Result.DONE}
    assert len(cloud.held(FOLDER)) == len(got) == 20


async def test_without_the_role_the_push_names_it(endpoint: GraphEndpoint, cloud: Cloud) -> None:
    cloud.application.granted = {cloud.tenant: {"Contacts.Read", "User.ReadBasic.All"}}
    await cloud.tokens.invalidate()
    with pytest.raises(AccessDeniedError, match=r"Contacts\.ReadWrite"):
        await push_all(endpoint, creates(endpoint, CONTACTS, 3))


async def test_an_outcome_tells_no_content(endpoint: GraphEndpoint, cloud: Cloud) -> None:
    body = endpoint.encode(contact(1)).replace(b'"givenName":"P', b'"nonsense":"P')
    (outcome,) = await push_all(endpoint, [Create(key=key(1), body=body)])
    assert outcome.result is Result.REJECTED
    assert "son" not in outcome.error
    assert "RequestBodyRead" in outcome.error


async def test_a_long_wait_is_left_to_the_next_pass(endpoint: GraphEndpoint, cloud: Cloud) -> None:
    cloud.fault(kind="status", batched=True, status=429, retry_after=600, count=1)
    outcomes = await push_all(endpoint, creates(endpoint, CONTACTS, 1))
    assert [(each.result, each.retry_after) for each in outcomes] == [(Result.RETRY, 600)]
    with pytest.raises(ThrottledError):
        await push_all(endpoint, creates(endpoint, CONTACTS, 1))
    with pytest.raises(ThrottledError):
        await endpoint.fetch(["x"])
