"""The demo's parts by themselves: waiting, the operator's process, counting."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from demo.errors import DemoError
from demo.narration import Narration
from demo.service import OperatorService
from demo.tally import RESULTS, Tally

DEADLINE = 60.0


def watch(operator: OperatorService) -> None:
    give_up = time.monotonic() + DEADLINE
    while time.monotonic() < give_up:
        operator.check_running()
        time.sleep(0.05)


def test_waiting_ends_with_what_was_seen() -> None:
    seen = iter([None, None, "it"])

    assert Narration().until("it comes", lambda: next(seen), within=DEADLINE) == "it"


def test_waiting_gives_up_and_says_for_what() -> None:
    with pytest.raises(DemoError, match=r"it comes: not within 0 s\. Nothing yet"):
        Narration().until("it comes", lambda: None, within=0.0, status=lambda: "Nothing yet")


def test_a_table_aligns_numbers_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    Narration().table(("NAME", "COUNT"), [("anna", 7), ("bob", 1234)])

    assert capsys.readouterr().out.splitlines() == [
        "   NAME  COUNT",
        "   anna      7",
        "   bob    1234",
    ]


def test_an_operator_that_ends_by_itself_is_noticed_and_its_log_is_kept(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    absent = tmp_path / "absent"
    with OperatorService(kubeconfig=absent, endpoints=absent, directory=scratch) as operator:
        with pytest.raises(DemoError, match="ended with"):
            watch(operator)

        assert "endpoints" in operator.tail()
        assert not operator.ready()
    assert not scratch.exists()


def test_the_tally_keeps_what_was_read_of_a_spoke_that_is_gone() -> None:
    tally = Tally()
    tally.read(
        'cirahub_spoke_changes_total{namespace="n",hub="h",spoke="anna",result="pulled"} 3.0\n'
        'cirahub_passes_total{namespace="n",hub="h",result="success"} 2.0\n'
    )

    tally.read('cirahub_hub_items{namespace="n",hub="h"} 5.0\n')

    assert dict(zip(RESULTS, tally.of("anna"), strict=True))["pulled"] == 3
    assert tally.items == 5
