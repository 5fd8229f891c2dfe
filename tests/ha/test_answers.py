"""An API server that takes its time, or refuses writes of statuses for a while."""

from __future__ import annotations

import logging

import pytest
from tests.operator.conftest import Operate, engine, operate
from tests.operator.scripted import ScriptedEngine
from tests.operator.stage import Stage, connection, hub, spoke

from .interpreter import Interpreter, Trouble
from .test_silence import health, proxy

__all__ = ["engine", "operate", "proxy"]

MANIFESTS = (connection(), hub(), spoke("ann"), spoke("bob"))


async def all_is_written(stage: Stage) -> None:
    await stage.comes("connection", "contoso", "True", "SignedIn")
    await stage.comes("hub", "staff", "True", "Synced")
    for name in ("ann", "bob"):
        await stage.comes("spoke", name, "True", "Synced")


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(status=429, times=12),
        Trouble(status=409, times=12),
        Trouble(status=503, times=12),
        Trouble(status=504, times=4, taken=True),
    ],
    ids=lambda one: f"{one.status}{' after the effect' if one.taken else ''}",
)
async def test_statuses_that_are_refused_for_a_while_are_written_in_the_end(
    stage: Stage,
    operate: Operate,
    proxy: Interpreter,
    trouble: Trouble,
    caplog: pytest.LogCaptureFixture,
) -> None:
    proxy.trouble = trouble
    with caplog.at_level(logging.WARNING):
        async with operate() as operation:
            await stage.apply(*MANIFESTS)
            await stage.until(lambda: trouble.times == 0, lambda: f"{trouble}")
            await all_is_written(stage)
            assert (await health(operation))[0] == 200
            refused = operation.metrics.registry.get_sample_value(
                "cirahub_status_refused_total", {"kind": "Hub"}
            )
    assert not refused, "not now is not never"
    assert [one.getMessage() for one in caplog.records if one.exc_info is not None] == []
    assert len(caplog.records) < 60, "a screen of them"


async def test_slow_writes_of_statuses_hold_up_no_pass_and_no_probe(
    stage: Stage, engine: ScriptedEngine, operate: Operate, proxy: Interpreter
) -> None:
    """Each takes two seconds, and those of a pass are written at the same time."""
    proxy.trouble = Trouble(delay=2.0)
    async with operate() as operation:
        await stage.apply(*MANIFESTS)
        await stage.until(lambda: proxy.trouble.met > 0)
        assert (await health(operation))[0] == 200
        await all_is_written(stage)
        passes = len(engine.passes)
        await stage.synced(spoke("cy"))
        assert len(engine.passes) == passes + 1
