"""The benchmark of address books, small: it runs, and measures what goals are held against."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from figures import Outcome
from goals import GOALS

ROOT = Path(__file__).resolve().parents[2]


def test_all_contenders_arrive_and_every_figure_of_a_goal_is_measured(tmp_path: Path) -> None:
    into = tmp_path / "carddav.json"
    sizes = ("--contacts=7", "--rounds=2", "--turns=1")
    subprocess.run(
        [sys.executable, ROOT / "benchmarks/carddav.py", *sizes, f"--into={into}"],
        env={"PYTHONPATH": str(ROOT / "hack")},
        capture_output=True,
        check=True,
    )
    figures = Outcome.read(into).figures
    named = [goal for goal in GOALS if goal.benchmark == "carddav"]
    assert {goal.figure for goal in named} | {goal.floor for goal in named} <= figures.keys()
    assert figures["first sync, wall, ours / bare"].rounds == 2
