"""Many Spokes: a status that stays small, writes that are few, and a loop that others can use."""

from __future__ import annotations

import asyncio

import pytest

from cirahub_operator.api.spoke import SpokeStatus
from cirahub_operator.conditions import not_ready, stated
from cirahub_operator.reconcile.surroundings import WRITES, each
from cirahub_operator.standing import standing
from cirahub_operator.summary import hub_status
from cirahub_sync.engine.report import PassReport

from .conftest import Operate
from .objects import hub as hub_model
from .scripted import ScriptedEngine
from .stage import Stage, connection, hub, spoke
from .test_summary import NOW

MANY = 60


def test_the_status_of_a_hub_with_ten_thousand_failing_spokes_stays_small() -> None:
    failing = SpokeStatus(
        conditions=stated([not_ready("R" * 128, "m" * 900)], before=(), generation=1, now=NOW)
    )
    names = (f"namespace-{number:055}/{'s' * 240}{number:05}" for number in range(10_000))
    spokes = dict.fromkeys(names, standing(failing))
    report = PassReport("demo/staff", started=1.0, finished=2.0)
    made = hub_status(hub_model(), report, spokes, handled=None, now=NOW)
    assert made.spokes is not None
    assert made.spokes.summary == "0/10000"
    assert len(made.spokes.worst) == 10
    assert len(made.model_dump_json(by_alias=True)) < 16_384
    assert max(len(one.message) for one in made.conditions) <= 1024


async def versions(stage: Stage) -> dict[str, str]:
    return {
        f"{kind} {name}": one["metadata"]["resourceVersion"]
        for (kind, name), one in (await stage.objects()).items()
    }


async def test_a_pass_over_many_spokes_in_which_nothing_changed_writes_one_status(
    stage: Stage, engine: ScriptedEngine, operate: Operate
) -> None:
    names = [f"spoke-{number:04}" for number in range(MANY)]
    await stage.apply(connection(), hub(), *map(spoke, names))
    async with operate():
        await stage.kubectl("wait", "hub/staff", "--for=condition=Ready", "--timeout=120s")
        before = await versions(stage)
        passes = len(engine.passes)
        await asyncio.sleep(1.1)  # so that lastSyncTime, in whole seconds, is another one
        await stage.annotate("hub", "staff", "reconcile.cirahub.io/requestedAt=again")

        async def handled() -> bool:
            status = await stage.status("hub", "staff")
            return status.get("lastHandledReconcileAt") == "again"

        await stage.until(handled)
        after = await versions(stage)
        found = await stage.get("hub", "staff")
    assert len(engine.passes) == passes + 1
    assert {name for name in after if after[name] != before[name]} == {"Hub staff"}
    assert len(engine.passes[-1].spokes) == MANY
    assert found is not None
    assert found["status"]["spokes"] == {
        "total": MANY,
        "ready": MANY,
        "summary": f"{MANY}/{MANY}",
        "worst": [],
    }


async def test_others_get_their_turn_while_thousands_are_worked_off() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def nothing(number: int) -> int:
        return number

    waiting = asyncio.create_task(other())
    assert await each([nothing(number) for number in range(1000)]) == list(range(1000))
    waiting.cancel()
    assert turns >= 100


async def test_all_end_before_the_first_error_is_told() -> None:
    ended = []

    async def one(number: int) -> None:
        await asyncio.sleep(0)
        ended.append(number)
        if number in {3, 7}:
            raise ValueError(str(number))

    with pytest.raises(ValueError, match="3"):
        await each([one(number) for number in range(30)])
    assert sorted(ended) == list(range(30))


async def test_what_is_cancelled_begins_nothing_any_more() -> None:
    begun = []

    async def one(number: int) -> None:
        begun.append(number)
        await asyncio.Event().wait()

    task = asyncio.create_task(each([one(number) for number in range(30)]))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert begun == list(range(WRITES))
