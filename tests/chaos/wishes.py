"""A story of what people ask for: a first sync that is let in by stages, a plan that is approved,
items that are merged and split, and what was deleted brought back.

Whoever asks does so again after a death, unless they see that it is done. Nothing may be done twice
for that, and no more arrive anywhere than was let in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.chaos.story import (
    Calm,
    NotQuietError,
    Story,
    TwoTenants,
    known,
    newcomer,
    number_of,
    of,
    quiet,
)
from tests.chaos.town import VERIFIED, House, Town, problems
from tests.engine.conftest import Scene

from cirahub_sync.configuration import Approval, DeletionLimits, Direction
from cirahub_sync.engine.report import PassReport, StageSummary
from cirahub_sync.errors import ItemsChangedError, PlanChangedError

PASSES = 14
"""More than any end takes."""

HAMLET = Town(
    (
        House("ada", Direction.CONTRIBUTE, range(5), "jobTitle"),
        House("ben", Direction.TWO_WAY, range(4, 7), "department"),
        House("cy", Direction.TWO_WAY, range(6, 9), "companyName", "Team"),
        House("dee", Direction.RECEIVE),
        House("gus", Direction.RECEIVE),
    )
)
STAGES = (2, 5)
"""Of dee's first sync."""
SAME = (1, 7)
"""Of whom somebody says that they are one person: Ada's and Cy's."""
TWO = 4
"""Of whom somebody says that Ben's is another one than Ada's."""
GONE, GONE_TOO = 2, 8
"""Whom Ada and Cy delete, and somebody brings back."""


async def live(scene: TwoTenants, calm: Calm) -> None:
    scene.configure(deletion=DeletionLimits(grace_period=0.0, max_count=50, max_percent=100))
    HAMLET.settle_in(scene)
    # By another name they would be in conflict, and win or lose by the second they came in.
    alike = {name: _of_ada(scene, SAME[0])[name] for name in ("displayName", "surname", "fileAs")}
    scene.edit("cy", of(scene, "cy", SAME[1], "Team"), **alike)
    scene.connect("dee", Direction.RECEIVE, stages=STAGES)
    await calm(scene, still)
    await calm(scene, second_stage)
    await calm(scene, last_stage)
    await calm(scene, merged)
    await calm(scene, parted)
    scene.tick()
    scene.remove("ada", of(scene, "ada", GONE))
    scene.remove("cy", of(scene, "cy", GONE_TOO, "Team"))
    await calm(scene, still)
    await calm(scene, restored)
    await calm(scene, taken_back)
    scene.configure(approval=Approval.MANUAL)
    scene.tick()
    scene.edit("ada", of(scene, "ada", 0), mobilePhone="+1 425 555 0100")
    scene.edit("ben", of(scene, "ben", 5), officeLocation="of ben")
    scene.admin.move_contact(scene.mailbox("cy"), newcomer(scene, "cy", 30), ["Team"])
    scene.remove("ada", of(scene, "ada", 3))
    await calm(scene, approved)
    await calm(scene, approved_at_the_store)
    scene.configure(approval=Approval.AUTOMATIC)
    scene.tick(VERIFIED)
    await calm(scene, quiet)


def _of_ada(scene: Scene, person: int) -> dict[str, Any]:
    (found,) = [one for one in scene.held("ada") if number_of(one) == person]
    return found


WISHES = Story("wishes", HAMLET, live, parted=frozenset({TWO}))


async def still(scene: Scene) -> None:
    """Passes until one has nothing to do but to wait for a person."""
    for _ in range(PASSES):
        report = await _pass(scene)
        pending = {reason for one in report.spokes.values() for reason in one.pending}
        if not problems(report) and not report.written and pending <= {"Stage"}:
            return
    raise NotQuietError(f"after {PASSES} passes: {pending} pending, {problems(report)}")


async def second_stage(scene: Scene) -> None:
    """Let in by a pass that is given the id."""
    for _ in range(PASSES):
        stage = await _stage(scene)
        if stage is not None and stage.number == 1:
            await _pass(scene, frozenset({stage.id}))
            continue
        return await still(scene)
    raise NotQuietError("the second stage is not let in")


async def last_stage(scene: Scene) -> None:
    """Let in where the store is."""
    for _ in range(PASSES):
        stage = await _stage(scene)
        if stage is None:
            return await still(scene)
        await scene.worker.approve(stage.id)
    raise NotQuietError("the last stage is not let in")


async def merged(scene: Scene) -> None:
    async def merge() -> None:
        first, second = [await _item(scene, person) for person in SAME]
        if first != second:
            await scene.worker.merge(scene.hub.name, first, second)

    await _asked(scene, merge)


async def parted(scene: Scene) -> None:
    async def split() -> None:
        for one in (await scene.worker.explain(_address(TWO))).found:
            if sum(source.native for source in one.sources) > 1:
                await scene.worker.split(scene.hub.name, one.item, ["ben"])

    await _asked(scene, split)


async def restored(scene: Scene) -> None:
    async def restore() -> None:
        for one in await scene.worker.deletions():
            if one.deleted_in:
                await scene.worker.restore(scene.hub.name, items=[one.item])

    await _asked(scene, restore)


async def taken_back(scene: Scene) -> None:
    """The one of cy's."""

    async def take_back() -> None:
        found = (await scene.worker.explain(_address(GONE_TOO))).found
        alive = [one.item for one in found if one.alive]
        await scene.worker.take_back(scene.hub.name, alive)

    await _asked(scene, take_back)


async def _asked(scene: Scene, wish: Callable[[], Awaitable[None]]) -> None:
    """Of a hub that is busy with it, asked again after its next pass."""
    for _ in range(PASSES):
        try:
            await wish()
        except ItemsChangedError:
            await _pass(scene)
            continue
        return await still(scene)
    raise NotQuietError("the hub is never done with what it is asked about")


async def approved(scene: Scene) -> None:
    """Plan after plan, by passes that are given their ids."""
    for _ in range(PASSES):
        report = await _pass(scene)
        if report.plan is None and not problems(report):
            return
        if report.plan is not None:
            await _pass(scene, frozenset({report.plan.id}))
    raise NotQuietError(f"a plan still waits: {report.plan}, {problems(report)}")


async def approved_at_the_store(scene: Scene) -> None:
    """The same after an edit more, where the store is."""
    if "of ada" not in str(scene.held("ada")):
        scene.edit("ada", of(scene, "ada", 0), officeLocation="of ada")
    for _ in range(PASSES):
        report = await _pass(scene)
        if report.plan is None and not (problems(report) or report.written or report.pending):
            return
        if report.plan is not None:
            try:
                await scene.worker.approve(report.plan.id)
            except PlanChangedError:
                continue
    raise NotQuietError(f"a plan still waits: {report.plan}, {problems(report)}")


async def _pass(scene: Scene, approved: frozenset[str] = frozenset()) -> PassReport:
    assert isinstance(scene, TwoTenants)
    scene.tick()
    report = await scene.sync(approved=approved)
    stage, there = _waits(report), known(scene, "dee")
    allowed = None if stage is None else STAGES[stage.number - 1]
    if allowed is not None and len(there) > allowed:
        raise NotQuietError(f"{len(there)} people in dee's first sync, of whom {allowed} may be")
    return report


async def _stage(scene: Scene) -> StageSummary | None:
    return _waits(await _pass(scene))


def _waits(report: PassReport) -> StageSummary | None:
    return report.spokes["spoke-dee"].stage


async def _item(scene: Scene, person: int) -> str:
    (found,) = (await scene.worker.explain(_address(person))).found
    return found.item


def _address(person: int) -> str:
    return f"person{person}@example.org"
