"""`cirahub merge` and `cirahub split`, on a real store, with a simulated tenant behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .laptop import Laptop, opened
from .stage import spoke

HUB = "default/staff"


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    """Ann has Ada twice, and Bob has her once."""
    with opened(tmp_path) as made:
        made.declare(spoke("ann"), spoke("bob"), spoke("cy", direction="Receive"))
        made.add("ann", "Ada", jobTitle="Baker")
        made.add("ann", "Ada", jobTitle="Brewer")
        made.sync()
        made.add("bob", "Ada", department="Bread")
        made.sync()
        yield made


def items(laptop: Laptop) -> dict[str, list[str]]:
    """Those with a key in common, with who contributes them."""
    found = json.loads(laptop.run("duplicates", "list", "-o", "json").stdout)
    return {item["item"]: item["spokes"] for one in found for item in one["items"]}


def test_duplicates_are_merged_and_split_by_their_ids(laptop: Laptop) -> None:
    apart = items(laptop)
    assert len(apart) == 3
    of_bob = next(item for item, spokes in apart.items() if spokes == ["default/bob"])
    of_ann = next(item for item, spokes in apart.items() if spokes == ["default/ann"])
    ran = laptop.run("merge", HUB, of_ann, of_bob)
    assert ran.exit_code == 0, ran.output
    assert of_ann in ran.output
    laptop.sync()
    assert sorted(items(laptop).values()) == [["default/ann"], ["default/ann", "default/bob"]]
    assert len(laptop.simulator.admin.contacts("cy@contoso.com")) == 2
    ran = laptop.run("split", HUB, of_bob, "--spoke", "bob")
    assert ran.exit_code == 0, ran.output
    assert "Ada" not in ran.output
    laptop.sync()
    assert len(items(laptop)) == 3
    assert len(laptop.simulator.admin.contacts("cy@contoso.com")) == 3


def test_what_cannot_be_is_refused_with_the_reason(laptop: Laptop) -> None:
    first, second = (item for item, spokes in items(laptop).items() if spokes == ["default/ann"])
    ran = laptop.run("merge", HUB, first, second)
    assert ran.exit_code == 2
    assert "spoke default/ann has a contact of its own for each" in ran.output
    assert laptop.run("merge", "default/others", first, second).exit_code == 2
    assert laptop.run("split", HUB, first, "--spoke", "ann").exit_code == 2
    assert len(items(laptop)) == 3
