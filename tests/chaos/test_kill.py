"""kill -9 in the first pass, at ten moments by chance: nothing doubled, nothing lost, the same end
as without (invariant 3). Real processes; a held request says when to strike.

A request that is held before its effect takes it after the death of who sent it: a late effect.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import msgspec
import pytest
from tests.chaos.conftest import OpenScene, striking
from tests.chaos.runner import Spec
from tests.chaos.town import LARGE, VERIFIED
from tests.engine.conftest import SECRET, Scene

pytestmark = pytest.mark.every_database

ROOT = Path(__file__).parents[2]
HELD = 1.0
"""Seconds that a request is held; the process is killed at once, so no test waits for it."""


async def start(scene: Scene, *, ahead: float = 0.0) -> asyncio.subprocess.Process:
    """A process that runs passes until they have nothing to do."""
    endpoints = scene.simulator.endpoints
    spec = Spec(
        database=scene.keep.url,
        key_file=str(scene.folder / "key"),
        installation=scene.installation,
        origins=endpoints.origins,
        ca_file=endpoints.ca_file,
        secret=SECRET,
        hub=scene.hub,
        spokes=list(scene.spokes.values()),
        ahead=ahead,
    )
    file = scene.folder / "spec.json"
    file.write_bytes(msgspec.json.encode(spec))
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.chaos.runner",
        str(file),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def finish(process: asyncio.subprocess.Process) -> None:
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode(errors="replace")


async def kill_at(scene: Scene, request: int, moment: str, *, ahead: float = 0.0) -> None:
    """Start a process and kill it while its request of that number is held before or after its
    effect."""
    rule = scene.admin.add_rule(
        "delay", service="graph", skip=request, count=1, delay=HELD, moment=moment
    )
    held = striking(scene, rule)
    process = await start(scene, ahead=ahead)
    await held.wait()
    os.kill(process.pid, signal.SIGKILL)
    await process.communicate()
    assert process.returncode == -signal.SIGKILL
    scene.admin.remove_rule(rule)


class Undisturbed(msgspec.Struct):
    contents: dict[str, list[str]]
    requests: int
    """HTTP requests of the first pass."""


@pytest.fixture
async def undisturbed(open_scene: OpenScene) -> Undisturbed:
    async with open_scene("undisturbed") as scene:
        LARGE.settle_in(scene)
        await scene.sync()
        requests = len(scene.admin.requests(service="graph", batch="no"))
        await finish(await start(scene))
        LARGE.assert_whole(scene)
        return Undisturbed(LARGE.contents(scene), requests)


async def test_a_process_killed_at_ten_moments_of_the_first_pass_doubles_and_loses_nothing(
    open_scene: OpenScene, undisturbed: Undisturbed
) -> None:
    chance = random.Random(20260722)
    for number in range(10):
        moment = ("before", "after")[number % 2]
        request = chance.randrange(undisturbed.requests)
        async with open_scene(str(number)) as scene:
            LARGE.settle_in(scene)
            await kill_at(scene, request, moment)
            await finish(await start(scene))
            await finish(await start(scene, ahead=VERIFIED))
            LARGE.assert_whole(scene)
            assert LARGE.contents(scene) == undisturbed.contents, f"killed {moment} {request}"


async def test_a_process_killed_again_while_it_recovers_doubles_and_loses_nothing(
    open_scene: OpenScene, undisturbed: Undisturbed
) -> None:
    chance = random.Random(3)
    async with open_scene("again") as scene:
        LARGE.settle_in(scene)
        await kill_at(scene, undisturbed.requests // 2, "after")
        for number in range(4):
            await kill_at(scene, chance.randrange(6), ("before", "after")[number % 2])
        await finish(await start(scene))
        await finish(await start(scene, ahead=VERIFIED))
        LARGE.assert_whole(scene)
        assert LARGE.contents(scene) == undisturbed.contents
