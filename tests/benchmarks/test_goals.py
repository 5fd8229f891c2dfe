"""What `make bench` says of its goals."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from figures import Figures, Outcome, options
from goals import GOALS, Goal

ROOT = Path(__file__).resolve().parents[2]
AT_MOST = Goal("a ratio", "fanout", "ours / bare", 1.5)
AT_LEAST = Goal("a share", "fanout", "ours / bare", 1.5, at_least=True)


def outcome(folder: Path, *values: float) -> Outcome:
    """As a benchmark leaves it."""
    file = folder / "fanout.json"
    found = Figures("fanout", options("").parse_args([f"--into={file}"]))
    found.one("ours / bare", *values)
    found.write()
    return Outcome.read(file)


@pytest.mark.parametrize(
    ("goal", "values", "verdict"),
    [
        (AT_MOST, [1.4, 9.0, 1.2], "met"),
        (AT_MOST, [1.6, 1.2, 1.7], "short"),
        (AT_LEAST, [1.6, 1.2, 1.7], "met"),
        (AT_LEAST, [1.4, 9.0, 1.2], "short"),
    ],
)
def test_the_median_is_held_against_the_goal(
    tmp_path: Path, goal: Goal, values: list[float], verdict: str
) -> None:
    assert goal.verdict({"fanout": outcome(tmp_path, *values)})[-1] == verdict


def test_what_was_not_measured_is_neither_met_nor_short(tmp_path: Path) -> None:
    elsewhere = Goal("a ratio", "fanout", "another", 1.5)
    assert AT_MOST.verdict({})[-1] == "not measured"
    assert elsewhere.verdict({"fanout": outcome(tmp_path, 1.0)})[-1] == "not measured"


def test_beside_what_is_short_is_told_what_is_left_of_it_at_the_least(tmp_path: Path) -> None:
    bounded = Goal("a ratio", "fanout", "ours / bare", 1.5, floor="ours / bare")
    unmeasured = Goal("a ratio", "fanout", "ours / bare", 1.5, floor="another")
    short, met = outcome(tmp_path, 1.75), outcome(tmp_path, 1.0)
    assert bounded.verdict({"fanout": short})[-1] == "short; ours / bare: 1.75"
    assert unmeasured.verdict({"fanout": short})[-1] == "short"
    assert bounded.verdict({"fanout": met})[-1] == "met"


def test_a_benchmark_that_is_not_there_is_refused_with_those_that_are() -> None:
    told = subprocess.run(
        [sys.executable, ROOT / "benchmarks/run.py", "--only=fan"],
        env={"PYTHONPATH": str(ROOT / "hack")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 2
    assert "no benchmark fan; there are fanout, " in told.stderr


def test_a_goal_is_told_of_once() -> None:
    assert len({goal.what for goal in GOALS}) == len(GOALS)
