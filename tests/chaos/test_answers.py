"""Answers that lie, get lost or are cut off, and a service that refuses: nothing doubled, nothing
lost, and an end after a bounded number of passes (invariants 2, 3 and 5)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.chaos.conftest import fired
from tests.chaos.town import LARGE, House, Town, quiet, verified
from tests.engine.conftest import Scene

from cirahub_sync.configuration import Direction

VILLAGE = Town(
    (
        House("ada", Direction.CONTRIBUTE, range(60), "jobTitle"),
        House("ben", Direction.TWO_WAY, range(50, 90), "department"),
        House("cy", Direction.TWO_WAY, range(85, 110), "companyName", "Team"),
        House("dee", Direction.RECEIVE),
        House("eve", Direction.RECEIVE, folder="Team"),
    )
)
"""110 people, 384 creates and 15 updates."""

CREATES: dict[str, Any] = {"method": "POST", "path": "/contacts$", "batched": True}
BATCHES: dict[str, Any] = {"method": "POST", "path": r"/\$batch$"}
TENTH = {"probability": 0.1}
QUARTER = {"probability": 0.25}

FAULTS: dict[str, list[dict[str, Any]]] = {
    "creates that took effect are answered 504": [
        {"kind": "status", "status": 504, "moment": "after", **CREATES, **TENTH}
    ],
    "batches that took effect are answered 504": [
        {"kind": "status", "status": 504, "moment": "after", **BATCHES, **QUARTER}
    ],
    "answers to batches are dropped": [{"kind": "drop", "moment": "after", **BATCHES, **QUARTER}],
    "batches are dropped": [{"kind": "drop", "moment": "before", **BATCHES, **QUARTER}],
    "answers to batches are cut off": [
        {"kind": "truncate", "keep_bytes": 2000, **BATCHES, **QUARTER}
    ],
    "writes in batches are refused for a second": [
        {
            "kind": "status",
            "status": 429,
            "retry_after": 1,
            "method": "POST",
            "batched": True,
            "probability": 0.02,
        }
    ],
    "batches are refused for a second": [
        {"kind": "status", "status": 429, "retry_after": 1, **BATCHES, **QUARTER}
    ],
    "creates are answered 503 and had no effect": [
        {"kind": "status", "status": 503, **CREATES, **TENTH}
    ],
    "batches are answered 503 and had no effect": [
        {"kind": "status", "status": 503, **BATCHES, **QUARTER}
    ],
    "updates that took effect are answered 504": [
        {"kind": "status", "status": 504, "moment": "after", "method": "PATCH", "probability": 0.5}
    ],
}


@pytest.mark.parametrize("name", FAULTS)
async def test_nobody_is_lost_or_doubled_when(scene: Scene, name: str) -> None:
    VILLAGE.settle_in(scene)
    scene.simulator.world.faults.reseed(1)
    rules = [scene.admin.add_rule(service="graph", **fault) for fault in FAULTS[name]]
    await quiet(scene, within=8)
    struck = fired(scene)
    assert all(struck[rule] for rule in rules), struck
    VILLAGE.assert_whole(scene)
    await verified(scene)
    VILLAGE.assert_whole(scene)


async def test_nobody_is_lost_or_doubled_when_a_tenth_of_all_creates_and_batches_is_answered_504(
    scene: Scene,
) -> None:
    LARGE.settle_in(scene)
    rules = [
        scene.admin.add_rule("status", service="graph", status=504, moment="after", **what, **TENTH)
        for what in (CREATES, BATCHES)
    ]
    await quiet(scene)
    struck = fired(scene)
    assert all(struck[rule] for rule in rules), struck
    LARGE.assert_whole(scene)
    await verified(scene)
    LARGE.assert_whole(scene)


async def test_a_create_whose_answer_was_lost_is_adopted_and_not_sent_again(scene: Scene) -> None:
    VILLAGE.settle_in(scene)
    scene.admin.add_rule("status", service="graph", status=504, moment="after", count=20, **CREATES)
    scene.admin.add_rule("drop", service="graph", moment="after", count=3, **BATCHES)
    await quiet(scene)
    created = [w for w in scene.writes() if w["path"].endswith("/contacts")]
    received = sum(
        len(VILLAGE.everybody()) - len(house.people)
        for house in VILLAGE.houses
        if house.direction.receives
    )
    assert len(created) == received
