"""Two operators and one Lease: who serves, and what becomes of it when that one ends."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import AsyncExitStack

import pytest
from tests.operator.stage import Stage, connection, hub, spoke

from .conftest import Candidate, Launch, program

LONG = 120.0
"""Seconds to wait for a takeover. When a Lease may be taken is what `test_leadership` holds to its
terms, by clocks of its own; how long a busy machine takes for that is another matter."""


UNHURRIED = ("--lease-duration", "600s", "--renew-deadline", "500s")
"""Times of a Lease that nobody waits for."""


async def pair(
    stack: AsyncExitStack, launch: Launch, stage: Stage, *arguments: str
) -> tuple[Candidate, Candidate]:
    """The leader and its stand-by."""
    leader = await stack.enter_async_context(launch("leader", *arguments))
    await stage.until(leader.leads)
    standby = await stack.enter_async_context(launch("standby", *arguments))
    await stage.until(standby.ready)
    await stage.until(lambda: standby.said("standing by"))
    return leader, standby


async def test_one_serves_and_the_other_is_ready_and_idle(stage: Stage, launch: Launch) -> None:
    async with AsyncExitStack() as stack:
        leader, standby = await pair(stack, launch, stage)
        assert await leader.leads()
        assert not await standby.leads()
        assert (await standby.answer("/healthz"))[0] == 200
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("connection", "contoso", "False", "ServiceAccountNotFound")
        assert leader.said("serving")
        assert not standby.said("serving")


async def test_an_orderly_end_hands_over_at_once(stage: Stage, launch: Launch) -> None:
    async with AsyncExitStack() as stack:
        leader, standby = await pair(stack, launch, stage, *UNHURRIED)
        leader.process.send_signal(signal.SIGTERM)
        assert await leader.process.wait() == 0
        assert leader.said("is released")
        await stage.until(standby.leads, within=LONG)


async def test_a_stand_by_ends_cleanly_when_told(stage: Stage, launch: Launch) -> None:
    async with AsyncExitStack() as stack:
        leader, standby = await pair(stack, launch, stage)
        standby.process.send_signal(signal.SIGTERM)
        assert await standby.process.wait() == 0
        assert await leader.leads()


async def test_a_leader_that_is_killed_is_followed(stage: Stage, launch: Launch) -> None:
    async with AsyncExitStack() as stack:
        leader, standby = await pair(stack, launch, stage)
        leader.process.kill()
        await stage.until(standby.leads, within=LONG)
        await stage.apply(connection(), hub(), spoke())
        await stage.comes("connection", "contoso", "False", "ServiceAccountNotFound")


async def test_a_leader_that_was_paused_for_too_long_ends_and_does_not_serve_on(
    stage: Stage, launch: Launch
) -> None:
    async with AsyncExitStack() as stack:
        leader, standby = await pair(stack, launch, stage)
        leader.process.send_signal(signal.SIGSTOP)
        await stage.until(standby.leads, within=LONG)
        leader.process.send_signal(signal.SIGCONT)
        assert await leader.process.wait() == 1
        assert leader.said("is not held any more") or leader.said("could not be renewed")
        assert await standby.leads()


async def test_a_leader_whose_lease_is_taken_ends_in_order(stage: Stage, launch: Launch) -> None:
    """Not by the watchdog, which leaves nobody the time to finish."""
    async with launch("leader", "--lease-duration", "90s", "--renew-deadline", "60s") as leader:
        await stage.until(leader.leads)
        change = json.dumps({"spec": {"holderIdentity": "somebody"}})
        await stage.kubectl("patch", "lease", "cirahub-operator", "--type=merge", "-p", change)
        assert await asyncio.wait_for(leader.process.wait(), LONG) == 1
        assert leader.said("was taken by somebody")
        assert not leader.said("the process ends now")


HUNG = """
import time
from cirahub_operator.operation import Operation

async def hang(*_):
    print("hanging", file=sys.stderr, flush=True)
    time.sleep(3600)

Operation._operate = hang
"""


async def test_a_leader_whose_loop_hangs_ends_with_its_lease(stage: Stage, launch: Launch) -> None:
    async with launch("leader", program=program(HUNG)) as leader:
        await stage.until(lambda: leader.said("hanging"))
        assert await asyncio.wait_for(leader.process.wait(), LONG) == 1
        assert leader.said("is not held any more")
        assert leader.said("the process ends now")


async def test_who_waits_for_an_operator_of_other_namespaces_is_warned(
    stage: Stage, launch: Launch
) -> None:
    async with AsyncExitStack() as stack:
        leader = await stack.enter_async_context(launch("leader"))
        await stage.until(leader.leads)
        other = await stack.enter_async_context(launch("other", "--namespace", "kube-public"))
        await stage.until(lambda: other.said("give one of them another --lease-name"))
        free = await stack.enter_async_context(
            launch("free", "--namespace", "kube-public", "--lease-name", "second")
        )
        await stage.until(free.leads)
        assert not await other.leads()


@pytest.mark.parametrize(
    ("option", "value"), [("--renew-deadline", "6s"), ("--retry-period", "4s")]
)
async def test_times_that_do_not_fit_together_are_refused(
    launch: Launch, option: str, value: str
) -> None:
    async with launch("wrong", option, value) as wrong:
        assert await asyncio.wait_for(wrong.process.wait(), 60) == 2
        assert wrong.said("--lease-duration, --renew-deadline, --retry-period")
