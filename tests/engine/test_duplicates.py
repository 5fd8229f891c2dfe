"""Items that have a key in common and stay apart: counted, and named without content."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine, event, text

from cirahub_sync.configuration import Direction
from cirahub_sync.engine.report import PassReport
from cirahub_sync.store.twins import TwinTable

from .conftest import Scene


def doubled(report: PassReport) -> dict[str, int]:
    """Of each spoke's own contacts, those that it has twice."""
    return {
        uid.removeprefix("spoke-"): spoke.counts.duplicates
        for uid, spoke in report.spokes.items()
        if spoke.counts.duplicates
    }


async def test_items_that_have_a_key_in_common_are_reported(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.add("ada", displayName="Ann", email="ann@example.org")
    bob = scene.add("ben", displayName="Bob", email="bob@example.org")
    report = await scene.settle()
    assert (report.duplicates, doubled(report)) == (0, {})
    assert await scene.worker.duplicates() == []
    scene.edit("ben", bob, emails=["bob@example.org", "ANN@example.org"])
    report = await scene.settle()
    assert (report.duplicates, report.ambiguous, doubled(report)) == (2, 0, {})
    (found,) = await scene.worker.duplicates()
    assert (found.hub, found.inside) == ("default/staff", [])
    assert sorted((twin.content.display_name, *twin.spokes) for twin in found.items) == [
        ("Ann", "default/ada"),
        ("Bob", "default/ben"),
    ]
    scene.edit("ben", bob, email="bob@example.org")
    assert (await scene.settle()).duplicates == 0
    assert await scene.worker.duplicates() == []


async def test_duplicates_inside_a_mailbox_are_told_by_mailbox(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.TWO_WAY)
    for _ in range(2):
        scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ada", displayName="Cat", email="cat@example.org")
    scene.add("ben", displayName="Ann", email="ann@example.org")
    report = await scene.settle()
    assert doubled(report) == {"ada": 2}, "ben has one of his own, and copies"
    (found,) = await scene.worker.duplicates()
    assert found.inside == ["default/ada"]
    assert report.duplicates == len(found.items) >= 2


async def test_a_pass_in_which_nothing_changed_repeats_what_the_last_one_counted(
    scene: Scene,
) -> None:
    scene.connect("ada")
    for _ in range(3):
        scene.add("ada", displayName="Ann", email="ann@example.org")
    first = await scene.sync()
    again = await scene.sync(2)
    assert (first.duplicates, again.duplicates, doubled(again)) == (3, 3, {"ada": 3})
    scene.configure(match_on=("phone",))
    report = await scene.settle()
    assert (report.duplicates, doubled(report)) == (0, {}), "their keys are others now"


def repeated(plan: dict[str, Any]) -> list[str]:
    """Parts of what PostgreSQL did that aggregate, and were done more than once."""
    again = plan["Node Type"] == "Aggregate" and plan["Actual Loops"] > 1
    inner = [found for part in plan.get("Plans", ()) for found in repeated(part)]
    return [*(["an aggregate"] if again else []), *inner]


@pytest.mark.only_database("postgresql")
async def test_keys_in_common_are_found_once_though_nothing_is_known_of_the_tables(
    scene: Scene,
) -> None:
    """As in a first pass: statistics come a minute later, and the tests' server makes none."""
    scene.connect("ada")
    for number in range(40):
        scene.add("ada", displayName=f"P{number}", email=f"p{number // 2}@example.org")
    await scene.settle()
    engine = create_engine(scene.keep.url)
    asked: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        asked.append((statement, parameters))

    with engine.connect() as connection:
        hub = connection.execute(text("SELECT uid FROM hubs")).scalar_one()
        asked.clear()
        assert list(TwinTable(connection, hub).counts().values()) == [40]
        ((statement, parameters),) = asked
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
        ((told,),) = connection.exec_driver_sql(explain, parameters)
    engine.dispose()
    assert repeated(told[0]["Plan"]) == []
