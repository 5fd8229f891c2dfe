"""A worker that slept through its lease: the next one takes over, and the sleeper neither commits
nor sends anything more. And what every commit promises about cursors (invariants 3 and 4)."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select
from tests.chaos.conftest import striking
from tests.chaos.tape import Tape, tape
from tests.chaos.town import SMALL, House, Town, quiet, verified
from tests.engine.conftest import Scene

from cirahub_sync.configuration import Direction
from cirahub_sync.errors import LeaseLostError
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.store.hub import HubStore
from cirahub_sync.store.tables import cursors, hubs, metadata, shadows, staging

pytestmark = pytest.mark.every_database

__all__ = ["tape"]

PAIR = Town(
    (
        House("ada", Direction.CONTRIBUTE, range(200), "jobTitle"),
        House("ben", Direction.RECEIVE),
    )
)
"""Ten batches for one mailbox, which takes one of them at a time."""

LATER = LeaseTerms().seconds + LeaseTerms().skew + 1.0
"""Seconds: past a lease."""


def content(scene: Scene) -> list[object]:
    """Every row but the lease's own."""
    with scene.keep.connected() as connection:
        return [
            *connection.execute(select(hubs.c.uid, hubs.c.seq)),
            *(
                (table.name, sorted(connection.execute(select(table)), key=repr))
                for table in metadata.sorted_tables
                if table is not hubs
            ),
        ]


def take_over(scene: Scene, other: HubStore) -> None:
    """What the next worker does first, when the sleeper's lease has run out."""
    scene.advance(LATER)
    other.acquire()


@pytest.mark.parametrize("batch", [0, 3])
async def test_a_worker_whose_lease_was_taken_over_commits_and_sends_nothing_more(
    scene: Scene, batch: int
) -> None:
    PAIR.settle_in(scene)
    rule = scene.admin.add_rule(
        "delay", service="graph", method="POST", path=r"/\$batch$", skip=batch, count=1, delay=1.0
    )
    held = striking(scene, rule)
    next_worker = scene.opened()
    other = next_worker.hub(scene.hub.uid)
    work = asyncio.create_task(scene.sync())
    await held.wait()
    take_over(scene, other)
    before = content(scene)
    with pytest.raises(LeaseLostError):
        await work
    assert content(scene) == before
    next_worker.close()
    sent = [request for request in scene.requests() if request["path"].endswith("/$batch")]
    # Those before, and the batch that was held, unless its connection was closed meanwhile, since
    # what had been answered could not be noted. Those that waited for their turn stay.
    assert batch <= len(sent) <= batch + 1
    assert len(scene.held("ben")) == 20 * len(sent)


async def test_the_next_worker_finds_what_the_sleeper_sent_and_doubles_nothing(
    scene: Scene,
) -> None:
    PAIR.settle_in(scene)
    rule = scene.admin.add_rule(
        "delay", service="graph", method="POST", path=r"/\$batch$", skip=4, count=1, delay=1.0
    )
    sleeper = scene.worker
    held = striking(scene, rule)
    work = asyncio.create_task(scene.sync())
    await held.wait()
    scene.advance(LATER)
    scene.worker = scene._open()
    await quiet(scene)
    with pytest.raises(LeaseLostError):
        await work
    await sleeper.close()
    await held.over.wait()  # nobody waits for it any more, and it may come later than all of that
    await verified(scene)
    PAIR.assert_whole(scene)


async def test_at_no_commit_is_a_cursor_ahead_of_what_it_stands_for(
    scene: Scene, tape: Tape
) -> None:
    SMALL.settle_in(scene)
    native = {f"spoke-{house.name}": len(house.people) for house in SMALL.houses if house.people}
    looked: list[int] = []
    ahead: list[tuple[int, str]] = []

    def committed(number: int) -> None:
        looked.append(number)
        rows = scene.keep.rows
        for spoke, people in native.items():
            found = rows(select(cursors.c.cursor, cursors.c.staged).where(cursors.c.spoke == spoke))
            staged = len(rows(select(staging.c.position).where(staging.c.spoke == spoke)))
            own = (shadows.c.spoke == spoke) & shadows.c.native.is_(True)
            merged = len(rows(select(shadows.c.remote).where(own)))
            for cursor, next_cursor in found:
                if (cursor or next_cursor) and staged + merged < people:
                    ahead.append((number, spoke))
                if cursor and merged < people:
                    ahead.append((number, spoke))

    tape.committed = committed
    await quiet(scene)
    assert len(looked) > 20
    assert ahead == []
