"""The quota benchmark is about the product's scheduler and the simulator's limits."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cirahub_sync.endpoints.graph.letters import head, part
from figures import Outcome
from goals import GOALS
from quota import CONTACT, READINGS, Size, Wire, measure

ROOT = Path(__file__).resolve().parents[2]


def test_each_goal_is_a_figure_of_its_usual_run(tmp_path: Path) -> None:
    file = tmp_path / "quota.json"
    subprocess.run(
        [sys.executable, ROOT / "benchmarks/quota.py", "--size=4x400x3", f"--into={file}"],
        env={"PYTHONPATH": str(ROOT / "hack")},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    told = {re.sub("^4: ", "10,000: ", name) for name in Outcome.read(file).figures}
    assert {goal.figure for goal in GOALS if goal.benchmark == "quota"} <= told
    assert {f"4, {name}: 429s of all answers" for name in READINGS if name} <= told


def test_one_mailbox_gets_what_its_window_holds_and_no_more() -> None:
    few = measure(Size(1, 20_000, 600.0), READINGS[""])
    assert 0.99 < few["share of the permitted rate"] <= 1
    assert few["429s of all answers"] == 0


@pytest.mark.looptime
async def test_what_the_service_would_refuse_is_counted() -> None:
    wire = Wire(READINGS[""])
    parts = [part(at, head("POST", "/users/a/contacts"), CONTACT.body) for at in range(20)]
    body = b'{"requests":[' + b",".join(parts) + b"]}"
    url = "https://graph.microsoft.com/v1.0/$batch"
    await asyncio.gather(*(wire.send("POST", url, {}, body) for _ in range(2)))
    assert wire.admitted["a"] == wire.refused == 20
