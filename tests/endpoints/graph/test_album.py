"""Photos of a mailbox's contacts: what the album asks for, and what it makes of answers."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image
from tests.endpoints.contract.place import key, made, push_all
from tests.endpoints.contract.samples import contact
from tests.endpoints.graph.conftest import Cloud, settings

from cirahub_sync.endpoints.album import NO_PHOTO, Sent
from cirahub_sync.endpoints.base import Delete, Result
from cirahub_sync.endpoints.graph.endpoint import GraphEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.errors import AccessDeniedError, EndpointUnavailableError, LeaseLostError


def jpeg(colour: str) -> bytes:
    made = BytesIO()
    Image.new("RGB", (16, 16), colour).save(made, "JPEG")
    return made.getvalue()


async def made_one(endpoint: GraphEndpoint, number: int = 0) -> str:
    """The id of a contact."""
    return (await made(endpoint, contact(number), key(number))).id


@pytest.mark.parametrize(
    "switches", settings("absent_photo", "photo_changes_contact", "batch_answers"), indirect=True
)
async def test_a_photo_comes_back_as_it_went_and_has_an_etag_of_its_own(
    endpoint: GraphEndpoint,
) -> None:
    album = endpoint.album
    one, other, gone = [await made_one(endpoint, number) for number in range(3)]
    await push_all(endpoint, [Delete(id=gone, etag="", permanent=True)])

    assert await album.etags([one, other, gone]) == dict.fromkeys((one, other, gone), NO_PHOTO)
    assert await album.read(one) is None
    assert (await album.write(one, jpeg("red"))).result is Result.DONE
    assert await album.read(one) == jpeg("red")

    first = await album.etags([one, other])
    assert (first[one] != NO_PHOTO, first[other]) == (True, NO_PHOTO)
    await album.write(one, jpeg("green"))
    second = await album.etags([one])
    assert second[one] != first[one]

    assert (await album.remove(one, first[one])).result is Result.STALE
    assert (await album.remove(one, second[one])).result is Result.DONE
    assert (await album.remove(one, second[one])).result is Result.DONE, "gone already"
    assert (await album.write(gone, jpeg("red"))).result is Result.GONE


async def test_twenty_etags_cost_a_request(endpoint: GraphEndpoint, session: GraphSession) -> None:
    ids = [await made_one(endpoint, number) for number in range(21)]
    before = session.requests
    await endpoint.album.etags(ids)

    assert session.requests - before == 2


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"status": 429, "retry_after": 7}, Sent(result=Result.RETRY, retry_after=7.0)),
        ({"status": 503, "retry_after": 9}, Sent(result=Result.RETRY, retry_after=9.0)),
        ({"status": 500}, Sent(result=Result.UNKNOWN)),
        ({"status": 413}, Sent(result=Result.REJECTED)),
        ({"kind": "drop", "moment": "after"}, Sent(result=Result.UNKNOWN)),
    ],
)
async def test_a_photo_is_sent_once_whatever_the_answer(
    cloud: Cloud,
    endpoint: GraphEndpoint,
    session: GraphSession,
    fault: dict[str, object],
    expected: Sent,
) -> None:
    item = await made_one(endpoint)
    cloud.fault(**{"kind": "status", "method": "PUT", "path": "/photo/", **fault})
    before = session.requests

    sent = await endpoint.album.write(item, jpeg("red"))

    assert (sent.result, sent.retry_after) == (expected.result, expected.retry_after)
    assert session.requests - before == 1
    assert "red" not in sent.error


async def test_a_photo_that_may_not_be_read_or_written_is_told_with_the_role(
    cloud: Cloud, endpoint: GraphEndpoint
) -> None:
    item = await made_one(endpoint)
    cloud.fault(kind="status", path="/photo", status=403)

    with pytest.raises(AccessDeniedError, match=r"Contacts\.ReadWrite"):
        await endpoint.album.etags([item])
    with pytest.raises(AccessDeniedError, match=r"Contacts\.ReadWrite"):
        await endpoint.album.write(item, jpeg("red"))


async def test_a_read_is_repeated_and_given_up_in_the_end(
    cloud: Cloud, endpoint: GraphEndpoint
) -> None:
    item = await made_one(endpoint)
    await endpoint.album.write(item, jpeg("red"))
    cloud.fault(kind="status", method="GET", path="/photo", status=503, count=2)
    assert await endpoint.album.read(item) == jpeg("red")

    cloud.fault(kind="status", method="GET", path="/photo", status=503)
    with pytest.raises(EndpointUnavailableError):
        await endpoint.album.read(item)


async def test_a_photo_passes_the_fence_before_it_leaves(
    cloud: Cloud, session: GraphSession
) -> None:
    endpoint = cloud.endpoint(session)
    await endpoint.open(create=True)
    item = await made_one(endpoint)

    def lost(_seconds: float) -> None:
        raise LeaseLostError("somebody else has the hub")

    endpoint._fence = lost
    with pytest.raises(LeaseLostError):
        await endpoint.album.write(item, jpeg("red"))
    with pytest.raises(LeaseLostError):
        await endpoint.album.remove(item, "etag")
    assert await endpoint.album.etags([item]) == {item: NO_PHOTO}
