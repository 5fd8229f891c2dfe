"""`cirahub conflicts`, on a real store, with a simulated tenant behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cirahub_operator.cli.conflicts import text
from cirahub_sync.model.contact import AddressKind, Email, PostalAddress

from .laptop import Laptop, opened
from .stage import TENANT, spoke

HUB = "default/staff"


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    """Ann says that Ada is a baker, and then Bob that she is a brewer."""
    with opened(tmp_path) as made:
        spokes = (spoke("ann"), spoke("bob"), spoke("cy", direction="Receive"))
        made.declare(*spokes, conflictPolicy="Manual")
        made.add("ann", "Ada", jobTitle="Baker")
        made.sync()
        made.add("bob", "Ada", jobTitle="Brewer")
        made.sync()
        yield made


def listed(laptop: Laptop, *options: str) -> list[dict[str, Any]]:
    ran = laptop.run("conflicts", "list", "-o", "json", *options)
    assert ran.exit_code == 0, ran.output
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


def the_id(laptop: Laptop) -> str:
    (conflict,) = listed(laptop)
    return str(conflict["id"])


def job_of(laptop: Laptop, name: str) -> str:
    (found,) = [
        entry["contact"]
        for entry in laptop.simulator.admin.contacts(f"{name}@contoso.com")
        if entry["contact"]["displayName"] == "Ada"
    ]
    return str(found["jobTitle"])


def test_the_list_names_the_sides_and_no_value(laptop: Laptop) -> None:
    (conflict,) = listed(laptop)
    assert (conflict["hub"], conflict["field"]) == (HUB, "jobTitle")
    assert conflict["sides"] == [
        {"spoke": "default/ann", "stands": True},
        {"spoke": "default/bob", "stands": False},
    ]
    table = laptop.run("conflicts", "list").output
    assert "default/ann*, default/bob" in table
    assert conflict["id"] in table
    assert not {"Baker", "Brewer"} & set(table.split())
    assert listed(laptop, "--hub", HUB) == [conflict]
    assert listed(laptop, "--hub", "default/others") == []


def test_one_that_is_looked_at_shows_what_each_side_says(laptop: Laptop) -> None:
    ran = laptop.run("conflicts", "show", the_id(laptop))
    assert ran.exit_code == 0, ran.output
    lines = [line.strip() for line in ran.output.splitlines()[1:]]
    assert lines == ["default/ann (the hub shows this)", "Baker", "default/bob", "Brewer"]
    shown = json.loads(laptop.run("conflicts", "show", the_id(laptop), "-o", "json").stdout)
    assert [side["values"] for side in shown["sides"]] == [["Baker"], ["Brewer"]]


@pytest.mark.parametrize(
    ("options", "decided"),
    [
        (("--choose", "bob"), "Brewer"),
        (("--choose", "default/ann"), "Baker"),
        (("--value", "Butcher"), "Butcher"),
        (("--keep",), "Baker"),
    ],
)
def test_what_is_decided_goes_out_with_the_next_pass(
    laptop: Laptop, options: tuple[str, ...], decided: str
) -> None:
    ran = laptop.run("conflicts", "resolve", the_id(laptop), *options)
    assert ran.exit_code == 0, ran.output
    assert "Baker" not in ran.output
    assert laptop.run("conflicts", "list").output == "No conflict waits for a decision.\n"
    laptop.sync()
    assert job_of(laptop, "cy") == decided


def test_what_is_not_what_it_was_is_not_decided(laptop: Laptop) -> None:
    conflict = the_id(laptop)
    assert laptop.run("conflicts", "resolve", conflict, "--keep").exit_code == 0
    for arguments in (
        ("resolve", conflict, "--choose", "bob"),
        ("resolve", "nosuch", "--keep"),
        ("show", conflict),
    ):
        ran = laptop.run("conflicts", *arguments)
        assert ran.exit_code == 2, arguments
        assert "conflicts" in ran.output
    laptop.sync()
    assert job_of(laptop, "cy") == "Baker"


@pytest.mark.parametrize(
    "options", [(), ("--keep", "--value", "Butcher"), ("--choose", "cy"), ("--keep", "--wait", "x")]
)
def test_what_makes_no_sense_decides_nothing(laptop: Laptop, options: tuple[str, ...]) -> None:
    before = listed(laptop)
    ran = laptop.run("conflicts", "resolve", before[0]["id"], *options)
    assert ran.exit_code == 2, ran.output
    assert listed(laptop) == before


def test_a_pass_that_does_not_end_in_time_leaves_the_conflict(laptop: Laptop) -> None:
    conflict = the_id(laptop)
    store = laptop.store()
    (uid,) = store.hubs()
    held = store.hub(uid)
    held.acquire()
    try:
        ran = laptop.run("conflicts", "resolve", conflict, "--keep", "--wait", "0s")
    finally:
        held.release()
        store.close()
    assert ran.exit_code == 1, ran.output
    assert TENANT not in ran.output
    assert the_id(laptop) == conflict


def test_values_move_no_cursor() -> None:
    assert text("Ba\x1b[2Jker\u202e") == "Ba\\x1b[2Jker\\u202e"
    assert text(Email("a@x.example", "A")) == "A <a@x.example>"
    assert text(PostalAddress(AddressKind.HOME, "Street 1", city="Town")) == "home: Street 1, Town"


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[Laptop]:
    """Bob's tool and Ann's change each other's title of Ada until it is frozen."""
    with opened(tmp_path) as made:
        both = (spoke("ann", direction="TwoWay"), spoke("bob", direction="TwoWay"))
        made.declare(*both, spoke("cy", direction="Receive"))
        made.add("ann", "Ada", jobTitle="Baker")
        made.sync()
        for name, title in (("bob", "Brewer"), ("ann", "Baker")) * 2:
            mailbox = f"{name}@contoso.com"
            (entry,) = made.simulator.admin.contacts(mailbox)
            changed = {"jobTitle": title}
            made.simulator.admin.update_contact(mailbox, entry["contact"]["id"], changed)
            made.sync()
        yield made


def test_a_frozen_field_is_listed_with_both_writers_until_a_person_decides(
    frozen: Laptop,
) -> None:
    (conflict,) = listed(frozen)
    assert (conflict["field"], conflict["frozen"]) == ("jobTitle", True)
    assert conflict["sides"] == [
        {"spoke": "default/ann", "stands": True},
        {"spoke": "default/bob", "stands": False},
    ]
    assert "default/ann*, default/bob (frozen)" in frozen.run("conflicts", "list").output
    shown = frozen.run("conflicts", "show", conflict["id"]).output
    assert "default/ann and default/bob kept changing it back and forth" in shown
    told = frozen.run("explain", "ada@x.org").output
    assert "jobTitle is frozen, since default/ann and default/bob kept changing it" in told
    assert "jobTitle is frozen, and not written there" in told
    ran = frozen.run("conflicts", "resolve", conflict["id"], "--choose", "bob")
    assert ran.exit_code == 0, ran.output
    assert listed(frozen) == []
    frozen.sync()
    assert [job_of(frozen, name) for name in ("ann", "bob", "cy")] == ["Brewer"] * 3
