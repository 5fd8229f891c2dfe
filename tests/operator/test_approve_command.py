"""Plans that wait, at the command line, on a real store with a simulated tenant behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .laptop import Laptop, opened
from .stage import spoke


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    """Ada and Bea come from Ann, and Cy receives, once somebody approves."""
    with opened(tmp_path) as made:
        made.declare(spoke("ann"), spoke("cy", direction="Receive"), approval="Manual")
        made.add("ann", "Ada")
        made.add("ann", "Bea")
        yield made


def passed(laptop: Laptop, *options: str) -> tuple[int, dict[str, Any]]:
    ran = laptop.run("pass", "-q", "-o", "json", *options, files=True)
    (report,) = json.loads(ran.stdout)
    return ran.exit_code, report


def test_a_pass_says_what_waits_and_how_to_let_it_go(laptop: Laptop) -> None:
    code, report = passed(laptop)
    plan = report["plan"]
    assert (code, plan["creates"], laptop.names("cy")) == (3, 2, [])
    told = laptop.run("pass", "-q", files=True).output
    assert "2 to create, 0 to update, 0 to delete wait" in told
    assert f"--approve {plan['id']}" in told
    shown = laptop.run("plan", "-q", files=True)
    assert f"plan {plan['id']}: 2 to create" in shown.output
    code, report = passed(laptop, "--approve", plan["id"])
    assert (code, report["plan"], laptop.names("cy")) == (0, None, ["Ada", "Bea"])


def test_a_plan_that_is_approved_at_the_store_goes_with_the_next_pass(laptop: Laptop) -> None:
    plan = passed(laptop)[1]["plan"]["id"]
    ran = laptop.run("approve", plan)
    assert ran.exit_code == 0, ran.output
    assert f"plan {plan} of Hub default/staff: 2 to create" in ran.output
    assert laptop.names("cy") == []
    assert passed(laptop)[0] == 0
    assert laptop.names("cy") == ["Ada", "Bea"]
    again = laptop.run("approve", plan)
    assert again.exit_code == 2
    assert "nothing waits for an approval under" in again.output


@pytest.mark.parametrize("plan", ["", "nosuch"])
def test_what_is_no_plan_approves_nothing(laptop: Laptop, plan: str) -> None:
    passed(laptop)
    assert laptop.run("approve", plan).exit_code == 2
    assert passed(laptop)[0] == 3
    assert laptop.names("cy") == []


def test_a_pass_under_way_is_waited_for_and_then_nothing_is_approved(laptop: Laptop) -> None:
    plan = passed(laptop)[1]["plan"]["id"]
    store = laptop.store()
    (uid,) = store.hubs()
    held = store.hub(uid)
    held.acquire()
    try:
        assert laptop.run("approve", plan, "--wait", "0s").exit_code == 1
    finally:
        held.release()
        store.close()
    assert passed(laptop)[0] == 3


def test_a_first_sync_in_stages_is_let_on_by_either_command(laptop: Laptop) -> None:
    laptop.declare(spoke("ann"), spoke("cy", direction="Receive", firstSync={"stages": [1, 2]}))
    laptop.add("ann", "Cleo")
    shown = laptop.run("plan", "-q", files=True).output
    assert "1 to create, 0 to update, 0 to delete, 2 held back" in shown
    assert "stage 1 of 3: 0 of 3 items let in, 1 planned, 2 wait" in shown
    code, report = passed(laptop)
    first = report["spokes"][next(uid for uid, one in report["spokes"].items() if one["stage"])]
    assert (code, len(laptop.names("cy"))) == (3, 1)
    told = laptop.run("pass", "-q", files=True).output
    assert "default/cy: first sync, stage 1 of 3: 1 of 3 items let in, 2 wait" in told
    assert f"let up to 2 in with --approve {first['stage']['id']}" in told
    waiting = laptop.run("explain", "cleo@x.org", "--spoke", "cy").output
    assert "waits for stage 3 of the mailbox's first sync" in waiting
    assert f"the next stage waits for an approval of {first['stage']['id']}" in waiting
    code, report = passed(laptop, "--approve", first["stage"]["id"])
    (second,) = [one["stage"] for one in report["spokes"].values() if one["stage"]]
    assert (code, len(laptop.names("cy"))) == (3, 2)
    ran = laptop.run("approve", second["id"])
    assert ran.exit_code == 0, ran.output
    assert "Approved the next stage of the first sync of Spoke default/cy" in ran.output
    assert "lets all items in" in ran.output
    assert passed(laptop)[0] == 0
    assert laptop.names("cy") == ["Ada", "Bea", "Cleo"]
    assert laptop.run("approve", second["id"]).exit_code == 2
