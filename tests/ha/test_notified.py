"""A change that Graph tells a stand-by of, and the leader brings to the others.

Two operators with one store, the real API server, and the simulator, which delivers over TLS. The
Hub's interval is an hour: nothing but the notification leads anybody there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import trustme
from tests.operator.stage import Stage, hub

from .conftest import Candidate, Launch
from .street import USERS, Street, street
from .test_paused import until

ACCEPTED = 'cirahub_notifications_total{result="accepted"} '


async def accepted(candidate: Candidate) -> float:
    _, text = await candidate.answer("/metrics")
    return sum(
        float(line.removeprefix(ACCEPTED))
        for line in text.splitlines()
        if line.startswith(ACCEPTED)
    )


async def holds(town: Street, *names: str) -> bool:
    """Whether bob has all that ann has, these among it."""
    theirs = await town.held("bob")
    return set(names) <= set(theirs) and sorted(theirs) == sorted(await town.held("ann"))


async def test_what_a_stand_by_is_told_the_leader_brings_to_the_others(
    stage: Stage,
    launch: Launch,
    tmp_path: Path,
    unused_tcp_port_factory: Callable[[], int],
) -> None:
    authority = trustme.CA()
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(tmp_path / "ca.crt")
    ports = {"leader": unused_tcp_port_factory(), "standby": unused_tcp_port_factory()}
    # Graph reaches the stand-by alone.
    url = f"https://127.0.0.1:{ports['standby']}/told"
    async with AsyncExitStack() as stack:
        town = await stack.enter_async_context(street(stage, tmp_path, people=3, latency=0.0))
        await stage.apply(hub(suspend=True))
        admin = town.simulator.admin
        await asyncio.to_thread(admin.notifications, ca_file=str(tmp_path / "ca.crt"))

        async def candidate(name: str) -> Candidate:
            return await stack.enter_async_context(
                launch(
                    name,
                    f"--endpoints={town.simulator.endpoints_file}",
                    f"--notifications-url={url}",
                    f"--notifications-port={ports[name]}",
                    f"--notifications-certificate={certificate}",
                    f"--notifications-key={key}",
                )
            )

        leader = await candidate("leader")
        await until(leader.leads, "nobody led")
        standby = await candidate("standby")
        await until(standby.ready, "nobody stood by")
        await stage.apply(hub(interval="1h"))
        await until(lambda: asyncio.to_thread(admin.subscriptions), "nobody subscribed")
        await until(lambda: holds(town), "the first pass did not end")
        await asyncio.to_thread(admin.create_contact, USERS["ann"], {"displayName": "Somebody new"})

        await until(lambda: holds(town, "Somebody new"), "nobody was told")

        assert await accepted(standby) == 1
        assert await accepted(leader) == 0
        assert not await standby.leads()
