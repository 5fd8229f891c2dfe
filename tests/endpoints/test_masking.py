"""What an endpoint shows of events that their owner keeps private."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec
import pytest

from cirahub_sync.endpoints.base import (
    Capabilities,
    KnownEtags,
    Limits,
    Page,
    RemoteItem,
    Removed,
    Unreadable,
)
from cirahub_sync.endpoints.masking import Masking, masked
from cirahub_sync.endpoints.withholding import Withholding
from cirahub_sync.model.event import Event, Occurrence, Role
from cirahub_sync.model.kind import EVENTS

SCHEDULE = "DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261202\nRRULE:FREQ=DAILY"
SECRET = Event(
    subject="Surgery",
    body="Dr. Berg",
    location="Clinic",
    schedule=SCHEDULE,
    exceptions=(
        Occurrence("2026-12-02", start="2026-12-03", end="2026-12-04", subject="Check-up"),
        Occurrence("2026-12-05", subject="Last one"),
        Occurrence("2026-12-06", cancelled=True),
    ),
    uid="u1",
    sensitivity="private",
    categories=("Health",),
)
ITEMS = (
    RemoteItem(id="a", etag="1", content=SECRET),
    RemoteItem(id="b", etag="1", content=msgspec.structs.replace(SECRET, sensitivity="personal")),
    RemoteItem(id="c", etag="1", content=SECRET, stamp="i/h/x/s/1"),
)


class Shelf:
    """The items above, read in every way that there is."""

    capabilities = Capabilities(
        limits=Limits(fields=frozenset(EVENTS.fields), phones={}, addresses={}),
        permanent_delete=True,
        honours_if_match=False,
        batch=20,
    )

    async def changes(self, resume: str | None, *, known: KnownEtags) -> AsyncIterator[Page]:
        yield Page(changes=[*ITEMS, Removed("d"), Unreadable("e", "unreadable")], cursor="1")

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | Unreadable | None]:
        return {item.id: item for item in ITEMS}

    async def find(self, keys: Sequence[str]) -> Mapping[str, Sequence[RemoteItem]]:
        return {"key": ITEMS}

    async def stamped(self) -> AsyncIterator[RemoteItem]:
        for item in ITEMS:
            yield item


async def seen(endpoint: Withholding) -> list[list[RemoteItem]]:
    pages = [page async for page in endpoint.changes(None, known=lambda _: {})]
    fetched = await endpoint.fetch(["a", "b", "c"])
    return [
        [change for page in pages for change in page.changes if isinstance(change, RemoteItem)],
        [item for item in fetched.values() if isinstance(item, RemoteItem)],
        [*(await endpoint.find(["key"]))["key"]],
        [item async for item in endpoint.stamped()],
    ]


@pytest.mark.parametrize("withheld", [frozenset[str](), frozenset({"sensitivity"})])
async def test_a_private_event_is_masked_however_it_is_read(withheld: frozenset[str]) -> None:
    for items in await seen(Masking(Shelf(), withheld)):  # type: ignore[arg-type]
        told = [msgspec.json.encode(item.content) for item in items[:1]]
        assert not any(word in told[0] for word in (b"Surgery", b"Berg", b"Clinic", b"Check-up"))
        assert b"Health" not in told[0]


async def test_what_is_not_private_or_a_copy_of_ours_is_shown_as_it_is() -> None:
    for items in await seen(Masking(Shelf(), ())):  # type: ignore[arg-type]
        assert tuple(items[1:]) == ITEMS[1:]


def test_a_masked_event_keeps_when_it_is_and_that_it_is_not_to_be_written() -> None:
    event = masked(SECRET)

    assert event == Event(
        schedule=SCHEDULE,
        exceptions=(
            Occurrence("2026-12-02", start="2026-12-03", end="2026-12-04"),
            Occurrence("2026-12-06", cancelled=True),
        ),
        uid="u1",
        role=Role.MASKED.value,
        sensitivity="private",
    )
    organised = msgspec.structs.replace(SECRET, role=Role.ORGANIZER.value)
    assert masked(organised).role == Role.ORGANIZER.value
