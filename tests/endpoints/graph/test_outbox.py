"""What becomes of writes: one outcome each, nothing sent twice, nothing guessed."""

import msgspec

from cirahub_sync.endpoints.base import Result
from cirahub_sync.endpoints.graph import GraphEndpoint, GraphSession
from cirahub_sync.model.contact import CustomField, Phone, PhoneKind

from .conftest import Cloud, contact, create, creates, push_all

FOLDER = "Team/Vertrieb"


async def test_creates_are_stamped_and_come_back_whole(
    endpoint: GraphEndpoint, cloud: Cloud
) -> None:
    content = msgspec.structs.replace(
        contact(1),
        phones=(Phone(PhoneKind.MOBILE, "+49 170 1"), Phone(PhoneKind.BUSINESS_FAX, "+49 30 2")),
        custom=(CustomField("EmployeeId", "007"),),
    )
    outcome = await create(endpoint, content, "i/h/1/s/1")
    assert outcome.item is not None
    assert outcome.item.content == content
    assert outcome.item.stamp == "i/h/1/s/1"
    fetched = (await endpoint.fetch([outcome.item.id]))[outcome.item.id]
    assert fetched == outcome.item
    assert [each.immutable_id for each in cloud.held(FOLDER)] == [outcome.item.id]


async def test_forty_five_creates_take_three_requests(
    endpoint: GraphEndpoint, session: GraphSession, cloud: Cloud
) -> None:
    before = session.requests
    outcomes = await push_all(endpoint, creates(endpoint, 45))
    assert {each.result for each in outcomes} == {Result.DONE}
    assert session.requests - before == 3
    assert len(cloud.held(FOLDER)) == 45
