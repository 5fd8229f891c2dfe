"""What `make soak` is made of, as far as it can be tried without pods."""

from __future__ import annotations

import os
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from demo.mailbox import Held
from e2e.soak.__main__ import main
from e2e.soak.blows import LASTING, Kind, planned
from e2e.soak.said import Said, canaries, plain, told_too_much
from e2e.soak.soak import Picture, changed

SEEDS = range(50)
CONTACT = Held(
    folder=(),
    id="1",
    immutable_id="1",
    version="1",
    name="Ottilie Wagner",
    emails=frozenset({"ottilie@private.example"}),
    is_copy=False,
    custom_id="",
    content={
        "displayName": "Ottilie Wägner",
        "businessPhones": ["+44 20 7946 0321", "1234"],
        "personalNotes": "short",
    },
)


def test_a_seed_plans_the_same_blows_again() -> None:
    assert list(planned(7, 120)) == list(planned(7, 120))
    assert list(planned(7, 120)) != list(planned(8, 120))


@pytest.mark.parametrize("seed", SEEDS)
def test_within_two_minutes_every_kind_of_blow_comes_and_the_last_is_over(seed: int) -> None:
    blows = list(planned(seed, 120))

    assert {blow.kind for blow in blows} == set(Kind)
    assert all(before.at + before.lasts < after.at for before, after in pairwise(blows))
    assert all(blow.at + blow.lasts <= 120 for blow in blows)
    assert all((blow.lasts > 0) is (blow.kind in LASTING) for blow in blows)


def test_what_a_pod_said_outlives_it(tmp_path: Path) -> None:
    container = tmp_path / "pods/cirahub-system_one_uid/operator"
    container.mkdir(parents=True)
    log = container / "0.log"
    with Said.listening(tmp_path / "pods", tmp_path / "kept") as said:
        with log.open("w") as writing:
            writing.write("2026-11-29T00:00:00Z stderr F first\n")
            writing.flush()
            assert list(said.lines()) == ["first"]
            writing.write("2026-11-29T00:00:00Z stderr F last\n")
        log.unlink()
        log.write_text("2026-11-29T00:00:00Z stderr F of another\n")

        assert sorted(said.lines()) == ["first", "last", "of another"]
        assert said.processes("operator") == 2
        assert said.processes("worker") == 0


def test_lines_that_were_cut_are_put_together() -> None:
    assert list(
        plain(["t stderr P one ", "t stderr P two ", "t stderr F three", "t stdout F"])
    ) == [
        "one two three",
        "",
    ]


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "x", "exception": "builtins.ValueError"}',
        "Traceback (most recent call last)",
        "of OTTILIE@private.example",
        '{"event": "W\\u00e4gner: Ottilie W\\u00e4gner"}',
        "called +44 20 7946 0321",
        "with the-secret",
    ],
)
def test_a_log_with_what_it_must_not_have_is_noticed(line: str) -> None:
    forbidden = canaries([CONTACT], ["the-secret"])

    assert len(list(told_too_much(["fine", line], forbidden))) == 1
    assert not list(told_too_much(["fine", "call 1234, in short"], forbidden))


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (Picture({"ann": {"1": "v", "2": "v"}}, {"bob": Counter(x=1)}), []),
        (Picture({"ann": {"1": "v"}}, {"bob": Counter(x=1)}), ["ann: 1 of", "are gone"]),
        (Picture({"ann": {"1": "v", "2": "w"}}, {"bob": Counter(x=1)}), ["ann: 1 of", "changed"]),
        (
            Picture({"ann": {"1": "v", "2": "v", "3": "v"}}, {"bob": Counter(x=1)}),
            ["ann: 1 of", "are new"],
        ),
        (Picture({"ann": {"1": "v", "2": "v"}}, {"bob": Counter(x=2)}), ["bob: a copy is new: x"]),
        (Picture({"ann": {"1": "v", "2": "v"}}, {"bob": Counter()}), ["bob: a copy is gone: x"]),
    ],
)
def test_what_nobody_touched_has_to_be_as_it_was(after: Picture, told: list[str]) -> None:
    before = Picture({"ann": {"1": "v", "2": "v"}}, {"bob": Counter(x=1)})

    lines = list(changed(before, after))

    assert len(lines) == bool(told)
    assert all(part in lines[0] for part in told)


def test_where_there_can_be_no_node_it_says_so_and_how_to_repeat_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "argv", ["soak", "--seed=7", "--seconds=600"])

    assert main() == 1
    told = capsys.readouterr().err
    assert "A node of our own needs root" in told
    assert "make soak SEED=7 SECONDS=600" in told


def test_where_there_can_be_no_node_it_can_be_skipped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "argv", ["soak", "--if-possible"])

    assert main() == 0
    assert "skipped. A node of our own needs root" in capsys.readouterr().out
