"""An operator that lost its Lease sends nothing more, though it holds the hub in the store."""

from __future__ import annotations

import asyncio

import pytest
from tests.chaos.conftest import striking

from cirahub_sync.configuration import Direction
from cirahub_sync.errors import LeaseLostError

from .conftest import Scene

BATCH = 20
PEOPLE = 60


async def test_who_leads_no_more_writes_to_no_mailbox(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    for number in range(PEOPLE):
        scene.add("ada", displayName=f"Person {number:03}", email=f"p{number}@example.org")
    rule = scene.admin.add_rule(
        "delay", service="graph", method="POST", path=r"/\$batch$", skip=1, count=1, delay=1.0
    )
    held = striking(scene, rule)
    work = asyncio.create_task(scene.sync())
    await held.wait()
    scene.leads = False
    there = len(scene.held("ben"))
    with pytest.raises(LeaseLostError, match="another operator leads"):
        await work
    assert len(scene.held("ben")) <= there + BATCH < PEOPLE, "the batch that was on its way"

    scene.leads = True
    await scene.settle()
    assert len(scene.names("ben")) == PEOPLE == len(set(scene.names("ben")))


async def test_an_erasure_neither(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    scene.leads = False
    with pytest.raises(LeaseLostError):
        await scene.erase("ada")
    assert scene.names("ben") == ["Ann"]
    scene.leads = True
    (job,) = await scene.worker.erasures()
    assert (await scene.worker.erase(job.id)).complete
    assert scene.names("ben") == []
