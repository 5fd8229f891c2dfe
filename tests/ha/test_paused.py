"""A leader that is stopped in the middle of a push, for longer than its leases, and wakes up.

Two operators with one store, the real API server, and a simulator that is a process of its own.
Each reaches Graph by a port of its own, so that the simulator's recording tells whose a request
was: the `Host` of a request is the port that its sender was given, and nobody else knows it.

What is held to account is every request that the simulator answers after the wake-up. A process is
stopped between two instructions, so in principle between the fence and the system call, too, some
microseconds in which one batch could still slip out (see the decision record); and what the kernel
took from it before the stop goes on its way while it sleeps. That arrives long before the wake-up,
which comes only when the other one is through with the whole push.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.operator.stage import Stage

from .conftest import Candidate, Launch
from .street import Street, street

PEOPLE = 300
LATENCY = 0.5
HUB_LEASE = "6s"
WITHIN = 120.0


async def until(holds: Callable[[], object], explain: str) -> None:
    deadline = time.monotonic() + WITHIN
    while True:
        answer = holds()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return
        assert time.monotonic() < deadline, explain
        await asyncio.sleep(0.05)


async def pushed(town: Street, least: int) -> bool:
    return len(await town.held("bob")) >= least


@pytest.mark.parametrize("share", [0.02, 0.3, 0.55, 0.8])
async def test_a_leader_that_wakes_up_in_its_push_writes_nothing_more(
    stage: Stage, launch: Launch, tmp_path: Path, share: float
) -> None:
    moment = random.random() * LATENCY
    async with AsyncExitStack() as stack:
        town = await stack.enter_async_context(
            street(stage, tmp_path, people=PEOPLE, latency=LATENCY)
        )
        leader, its_port = await candidate(stack, town, launch, "leader")
        await until(leader.leads, "nobody led")
        standby, other_port = await candidate(stack, town, launch, "standby")
        await until(lambda: pushed(town, int(share * PEOPLE)), "the push did not begin")
        await asyncio.sleep(moment)
        leader.process.send_signal(signal.SIGSTOP)
        stopped = time.time()
        there = len(await town.held("bob"))
        assert there < PEOPLE, "it was through before it was stopped: nothing is shown"

        await until(standby.leads, "nobody took over")
        await until(lambda: town.open() == 0, f"the push was not finished, {moment=}")
        woken = time.time()
        leader.process.send_signal(signal.SIGCONT)
        assert await asyncio.wait_for(leader.process.wait(), WITHIN) == 1
        assert leader.said("is not held any more") or leader.said("could not be renewed")
        assert await standby.leads()

        assert sorted(await town.held("bob")) == sorted(await town.held("ann"))
        assert len(await town.held("bob")) == PEOPLE
        journal = await asyncio.to_thread(town.simulator.admin.requests)
        standby.process.terminate()
        await standby.process.wait()
        await asyncio.to_thread(town.simulator.stop)
        sent = town.sent(journal)
        assert [one for one in sent if one.port == its_port and one.writes and one.at > woken] == []
        assert any(one.port == its_port and one.writes and one.at < woken for one in sent)
        assert any(one.port == other_port and one.writes and one.at > stopped for one in sent)


async def candidate(
    stack: AsyncExitStack, town: Street, launch: Launch, name: str
) -> tuple[Candidate, int]:
    endpoints, port = await stack.enter_async_context(town.way(name))
    process = await stack.enter_async_context(
        launch(name, "--endpoints", str(endpoints), "--hub-lease", HUB_LEASE)
    )
    return process, port
