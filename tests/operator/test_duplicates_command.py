"""`cirahub duplicates`, on a real store, with a simulated tenant behind it."""

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
    """Ann has Ada twice."""
    with opened(tmp_path) as made:
        made.declare(spoke("ann"), spoke("cy", direction="Receive"))
        made.add("ann", "Ada", jobTitle="Baker")
        made.add("ann", "Ada", jobTitle="Brewer")
        yield made


def listed(laptop: Laptop, *options: str) -> list[dict[str, Any]]:
    ran = laptop.run("duplicates", "list", "-o", "json", *options)
    assert ran.exit_code == 0, ran.output
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


def test_the_list_names_items_and_spokes_and_no_content(laptop: Laptop) -> None:
    ran = laptop.run("pass", "-q", files=True)
    assert "2 items have a key in common" in ran.output
    (found,) = listed(laptop)
    assert (found["hub"], found["inside"]) == ("default/staff", ["default/ann"])
    assert [item["spokes"] for item in found["items"]] == [["default/ann"]] * 2
    ran = laptop.run("duplicates", "list")
    assert all(item["item"] in ran.output for item in found["items"])
    assert "Ada" not in ran.output
    assert "Ada" not in json.dumps(found)
    assert listed(laptop, "--hub", "default/staff") == [found]
    assert listed(laptop, "--hub", "default/others") == []


def test_those_that_are_looked_at_show_what_they_hold(laptop: Laptop) -> None:
    laptop.sync()
    (found,) = listed(laptop)
    ran = laptop.run("duplicates", "show", found["id"])
    assert ran.exit_code == 0, ran.output
    lines = [line.strip() for line in ran.output.splitlines()]
    assert {"displayName: Ada", "jobTitle: Baker", "jobTitle: Brewer"} <= set(lines)
    shown = json.loads(laptop.run("duplicates", "show", found["id"], "-o", "json").stdout)
    assert {item["content"]["jobTitle"][0] for item in shown["items"]} == {"Baker", "Brewer"}


def test_what_is_no_duplicate_is_refused(laptop: Laptop) -> None:
    laptop.sync()
    ran = laptop.run("duplicates", "show", "0123456789ab")
    assert ran.exit_code == 2
    assert "cirahub duplicates list" in ran.output


def test_a_plan_tells_what_becomes_of_contacts_at_first_sight(laptop: Laptop) -> None:
    ran = laptop.run("plan", "-q", files=True)
    assert ran.exit_code == 0, ran.output
    assert "default/ann, at first sight: 0 adopted, 2 ambiguous, 0 new" in ran.output
    assert "Ada" not in ran.output
    again = json.loads(laptop.run("plan", "-q", "-o", "json", files=True).stdout)
    assert again[0]["adoptions"] == [], "the store has read them by now"
