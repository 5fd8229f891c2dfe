"""`cirahub explain`, as its page has it, on a real store with a simulated tenant behind it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result

from cirahub_operator.cli.explain import WHY
from cirahub_sync.configuration import ConflictPolicy
from cirahub_sync.engine.plan import Why
from cirahub_sync.engine.rules import Ground

from .laptop import Laptop, opened
from .stage import spoke

PAGE = (Path(__file__).parents[2] / "docs/explain.md").read_text()
COMMANDS = re.findall(r"^\$ (.+)$", PAGE, flags=re.MULTILINE)
PERSONAL = ("Ada", "@x.org", "Baker", "Acme")


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    """Ada comes from Ann; Bob says where she works, and Cy receives bakers only."""
    with opened(tmp_path) as made:
        bakers = {"any": [{"field": "jobTitle", "operator": "In", "values": ["Baker"]}]}
        made.declare(
            spoke("ann"),
            spoke("bob"),
            spoke("cy", direction="Receive", receives={"filter": bakers}),
            matchOn=["email", "nameAndCompany"],
        )
        made.add("ann", "Ada", jobTitle="Baker", companyName="Acme")
        made.sync()
        yield made


def explained(laptop: Laptop, command: str) -> Result:
    program, *arguments = shlex.split(command)
    assert program == "cirahub"
    manifests = str(laptop.folder / "manifests.yaml")
    return laptop.run(*(manifests if one == "manifests.yaml" else one for one in arguments))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_page_explain(laptop: Laptop, command: str) -> None:
    ran = explained(laptop, command)
    assert ran.exit_code == 0, ran.output
    if "json" in command:
        (found,) = json.loads(ran.stdout)["found"]
        (cy,) = [one for one in found["spokes"] if one["spoke"] == "default/cy"]
        assert (found["hub"], cy["why"], cy["filter"]["condition"]) == (
            "default/staff",
            "Current",
            "jobTitle In",
        )
    else:
        assert f"Spoke default/cy (Receive): {WHY['Current']}" in ran.output
        assert "(`any`: jobTitle In" in ran.output
    assert ("default/ann: native" in ran.output) is ("json" not in command)
    shown = [one for one in PERSONAL if one in ran.output]
    assert shown == (list(PERSONAL) if "--values" in command else [])


def test_the_page_has_commands_and_every_answer() -> None:
    assert len(COMMANDS) == 5
    assert set(WHY) == {"NotReceiving", "Invalid", *Why}
    assert [one for one in WHY.values() if f"| {one} |" not in PAGE] == []
    rules = [*Ground, *ConflictPolicy]
    assert [one for one in rules if f"`{one.value}`" not in PAGE] == []


def test_who_is_kept_out_by_changed_manifests_is_told_before_they_are_applied(
    laptop: Laptop,
) -> None:
    nobody = {"all": [{"field": "jobTitle", "operator": "In", "values": ["Brewer"]}]}
    laptop.declare(
        spoke("ann"),
        spoke("bob"),
        spoke("cy", direction="Receive", receives={"filter": nobody}),
        matchOn=["email", "nameAndCompany"],
    )
    now = laptop.run("explain", "Ada, ACME", "--spoke", "cy").output
    then = laptop.run("explain", "Ada, ACME", "--spoke", "cy", files=True).output
    assert WHY["Current"] in now
    assert WHY["FilteredOut"] in then
    assert "(`all`: jobTitle In does not hold)" in then
    assert "to do: delete" in then


def test_whom_nobody_knows_is_not_repeated(laptop: Laptop) -> None:
    ran = laptop.run("explain", "nobody@x.org")
    assert ran.exit_code == 2
    assert "nobody" not in ran.output.lower().replace("nobody contributes", "")
    assert "email, nameAndCompany" in ran.output


def test_manifests_that_make_no_sense_are_refused(laptop: Laptop) -> None:
    ran = laptop.run("explain", "ada@x.org", "-f", str(laptop.folder / "none.yaml"))
    assert ran.exit_code == 2, ran.output
