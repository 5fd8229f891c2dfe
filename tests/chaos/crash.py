"""Deaths of the worker, one at each boundary of a story, and what differs at its end from the
story's undisturbed one."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.conftest import simulated
from tests.chaos.settings import Setting, switches
from tests.chaos.story import LIFE, NotQuietError, Step, Story, TwoTenants, known
from tests.chaos.tape import Boundary, Moment, Tape, killed, recording
from tests.chaos.town import OWN_TO_EACH, VERIFIED, Town
from tests.engine.conftest import Scene


@dataclass(frozen=True, slots=True)
class End:
    """How a story ended."""

    people: dict[str, Counter[int]]
    contents: dict[str, Counter[str]]


@dataclass(frozen=True, slots=True)
class Undisturbed:
    end: End
    commits: int
    requests: int
    writes: tuple[int, ...]
    """Numbers of the requests that write."""

    def boundaries(self) -> list[Boundary]:
        """Each commit and each request, with every moment that it has. A read has no effect that
        could be late."""
        found = [
            Boundary("commit", number, moment)
            for number in range(self.commits)
            for moment in (Moment.BEFORE, Moment.AFTER)
        ]
        for number in range(self.requests):
            moments = [Moment.BEFORE, Moment.DURING, Moment.AFTER]
            if number in self.writes:
                moments += [Moment.LATE, Moment.LAST]
            found += [Boundary("request", number, moment) for moment in moments]
        return found


@dataclass(frozen=True, slots=True)
class Difference:
    duplicates: int = 0
    lost: int = 0
    unconverged: int = 0
    died: bool = True
    """Whether the process came as far as the boundary."""
    why: list[str] = field(default_factory=list)

    @property
    def any(self) -> bool:
        return bool(self.duplicates or self.lost or self.unconverged)


async def undisturbed(setting: Setting, story: Story = LIFE) -> Undisturbed:
    async def calm(scene: Scene, step: Step) -> None:
        await step(scene)

    with recording() as tape:
        async with opened(setting) as scene:
            tape.rewind()
            await story.live(scene, calm)
            end = ended(scene, story.town)
            made = Undisturbed(end, tape.commits, tape.requests, tuple(tape.writes))
    doubled = {
        house: who
        for house, people in end.people.items()
        if (who := {one for one, count in people.items() if count > 1} - story.parted)
    }
    assert not doubled, f"without any death: {doubled}"
    return made


async def crash(
    setting: Setting, boundary: Boundary, whole: Undisturbed, story: Story = LIFE
) -> Difference:
    """The story with a death at this boundary."""
    died = False

    async def calm(scene: Scene, step: Step) -> None:
        nonlocal died
        try:
            await step(scene)
        except BaseException as error:
            if not (tape.died and killed(error)):
                raise
        if not tape.died:
            return
        died = True
        await follow(scene, tape, boundary, step)

    with recording() as tape:
        async with opened(setting) as scene:
            tape.rewind()
            tape.dies_at = boundary
            try:
                await story.live(scene, calm)
            except NotQuietError as error:
                return Difference(unconverged=1, died=died, why=[str(error)])
            return compared(ended(scene, story.town), whole.end, died=died)


async def follow(scene: Scene, tape: Tape, boundary: Boundary, step: Step) -> None:
    """The next process, and what arrives of the dead one."""
    assert isinstance(scene, TwoTenants)
    tape.revive()
    await scene.restart()
    scene.tick(200.0)  # this very process still lives, so the lease of the dead one runs out
    late, tape.on_its_way = tape.on_its_way, None
    ca_file = scene.simulator.endpoints.ca_file
    if late is not None and boundary.moment is Moment.LATE:
        await scene.sync()
        late.arrive(ca_file)
    await step(scene)
    if late is not None and boundary.moment is Moment.LAST:
        late.arrive(ca_file)
    if late is not None:  # until the next verification there may be a double
        scene.tick(VERIFIED)
        await step(scene)


@asynccontextmanager
async def opened(setting: Setting) -> AsyncIterator[TwoTenants]:
    with (
        tempfile.TemporaryDirectory(prefix="cirahub-chaos-") as folder,
        simulated(switches(setting)) as simulator,
    ):
        scene = TwoTenants(simulator, Path(folder))
        try:
            yield scene
        finally:
            await scene.worker.close()


def ended(scene: Scene, town: Town) -> End:
    return End(
        {house.name: known(scene, house.name, house.folder) for house in town.houses},
        {
            house.name: Counter(content(each) for each in scene.held(house.name, house.folder))
            for house in town.houses
        },
    )


def content(contact: dict[str, Any]) -> str:
    return repr(sorted((k, v) for k, v in contact.items() if k not in OWN_TO_EACH))


def compared(found: End, expected: End, *, died: bool) -> Difference:
    doubled = {name: found.people[name] - who for name, who in expected.people.items()}
    lost = {name: who - found.people[name] for name, who in expected.people.items()}
    different = [
        name
        for name in expected.people
        if not doubled[name] and not lost[name] and found.contents[name] != expected.contents[name]
    ]
    why = [f"{name} has too many: {dict(who)}" for name, who in doubled.items() if who]
    why += [f"{name} lacks: {dict(who)}" for name, who in lost.items() if who]
    why += [
        f"{name} has {(found.contents[name] - expected.contents[name]).keys()} instead of "
        f"{(expected.contents[name] - found.contents[name]).keys()}"
        for name in different
    ]
    return Difference(
        duplicates=sum(who.total() for who in doubled.values()),
        lost=sum(who.total() for who in lost.values()),
        unconverged=len(different),
        died=died,
        why=why,
    )
