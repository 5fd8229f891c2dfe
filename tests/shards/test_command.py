"""`cirahub worker`: one shard, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.chaos.conftest import striking
from tests.chaos.town import SMALL
from tests.engine.conftest import Scene
from tests.shards.crew import Others
from tests.shards.processes import started
from tests.shards.test_processes import HELD, PAGES, follow, problems

from cirahub_operator.cli.worker import INDEX, Exit, command
from cirahub_sync.engine.report import PassReport
from cirahub_sync.engine.shared import Call

WORKER = "from cirahub_operator.cli.worker import command; command()"
SHARD = ["--hub=uid", "--pass=3", "--errand=read", "--installation-id=here"]

database = pytest.mark.only_database("postgresql")


class Called(Others):
    """Nobody else takes a shard; who is to is told of it."""

    def __init__(self, shard_size: int) -> None:
        super().__init__(shard_size)
        self.waiting: asyncio.Queue[Call] = asyncio.Queue()

    async def work(self, call: Call) -> None:
        self.waiting.put_nowait(call)
        await super().work(call)

    async def next(self) -> list[str]:
        """The names of an errand's shards."""
        call = await self.waiting.get()
        parts = [part for of in call.parts.values() for part in of]
        return [f"{call.number}/{call.errand}/{part}" for part in parts]


async def done_by_commands(scene: Scene, crew: Called, passing: asyncio.Future[PassReport]) -> None:
    """Each shard by a process of its own, errand by errand."""
    while not passing.done():
        waiting = asyncio.ensure_future(crew.next())
        either: set[asyncio.Future[Any]] = {waiting, passing}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            break
        for shard in waiting.result():
            async with started(scene, shard) as process:
                assert await process.ends() == Exit.SETTLED, process.lines


@database
async def test_a_command_for_each_shard_makes_a_pass(scene: Scene) -> None:
    SMALL.settle_in(scene)
    crew = Called(3)
    passing = asyncio.ensure_future(scene.sync(crew=crew))
    await done_by_commands(scene, crew, passing)
    assert problems(await passing) == []
    await follow(scene)


@database
async def test_a_worker_that_is_told_to_stop_gives_its_shard_back(scene: Scene) -> None:
    SMALL.settle_in(scene)
    rule = scene.admin.add_rule(
        "delay", service="graph", path=PAGES, count=1, delay=HELD, moment="after"
    )
    struck = striking(scene, rule)
    crew = Called(20)
    passing = asyncio.ensure_future(scene.sync(crew=crew))
    (shard,) = await crew.next()
    async with started(scene, shard) as stopped:
        await struck.wait()
        stopped.send(signal.SIGTERM)
        assert await stopped.ends() == Exit.GIVEN_BACK
    assert scene.keep.rows("SELECT state, error FROM shards") == [
        ("Waiting", "its worker was stopped")
    ]
    async with started(scene, shard) as another:
        assert await another.ends() == Exit.SETTLED, another.lines
    await done_by_commands(scene, crew, passing)
    assert problems(await passing) == []
    await follow(scene)


@database
async def test_of_two_workers_on_one_shard_one_waits_and_both_end_well(scene: Scene) -> None:
    """The first is stopped as it signs in, when it has the shard and nothing of the database."""
    SMALL.settle_in(scene)
    rule = scene.admin.add_rule("delay", service="entra", count=1, delay=HELD, moment="after")
    struck = striking(scene, rule)
    crew = Called(20)
    passing = asyncio.ensure_future(scene.sync(crew=crew))
    (shard,) = await crew.next()
    async with started(scene, shard) as one:
        await struck.wait()
        one.send(signal.SIGSTOP)
        async with started(scene, shard, lease=6.0) as other:  # looks every second
            for _ in ("it comes", "it looks again"):
                await other.says(f"hub {scene.hub.uid}: another worker")
            one.send(signal.SIGCONT)
            assert await other.ends() == Exit.SETTLED, other.lines
            assert scene.keep.rows("SELECT token FROM shards WHERE state = 'Done'") == [(1,)]
            assert await one.ends() == Exit.SETTLED, one.lines
    await done_by_commands(scene, crew, passing)
    assert problems(await passing) == []
    await follow(scene)


@database
async def test_a_worker_of_a_pass_that_is_over_has_nothing_to_do(scene: Scene) -> None:
    SMALL.settle_in(scene)
    await scene.sync()
    async with started(scene, "1/read/0") as process:
        assert await process.ends() == Exit.SETTLED, process.lines


def test_a_worker_without_a_cluster_says_so_and_settles_nothing(tmp_path: Path) -> None:
    """In a process: it sets up logging."""
    done = subprocess.run(
        [sys.executable, "-c", WORKER, *SHARD, "--parts=0-1"],
        env=os.environ | {INDEX: "1", "KUBECONFIG": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == Exit.FAILED
    assert "no cluster to talk to" in done.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--parts=4-7", "--index=4"], "the last index is 3"),
        (["--parts=7-4", "--index=0"], "write the first and the last part"),
        (["--parts=some", "--index=0"], "write the first and the last part"),
        (["--parts=4-7"], "JOB_COMPLETION_INDEX"),
    ],
)
def test_a_shard_that_is_none_is_told(given: list[str], said: str) -> None:
    done = CliRunner().invoke(command, [*SHARD, *given], env={INDEX: None})
    assert done.exit_code == Exit.BAD_INPUT
    assert said in " ".join(done.output.split())
