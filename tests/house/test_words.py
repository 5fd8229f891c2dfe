"""What we tell people: README, CHANGELOG, Makefile and the command's help."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cirahub_operator.cli import cirahub

from .conftest import House


def targets(house: House) -> dict[str, str]:
    """The Makefile's targets with the rest of their line."""
    found = re.findall(r"^([a-z][a-z0-9-]*):(?!=)(.*)$", house.text("Makefile"), flags=re.MULTILINE)
    return dict(found)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command of `cirahub`, with its full name."""

    def below(
        name: str, command: click.Command, context: click.Context
    ) -> Iterator[tuple[str, click.Command]]:
        yield name, command
        if isinstance(command, click.Group):
            for part in command.list_commands(context):
                found = command.get_command(context, part)
                assert found is not None, f"{name} {part}"
                inner = click.Context(found, parent=context, info_name=part)
                yield from below(f"{name} {part}", found, inner)

    yield from below("cirahub", cirahub, click.Context(cirahub, info_name="cirahub"))


COMMANDS = dict(commands())


def test_the_changelog_has_a_place_for_what_is_unreleased(house: House) -> None:
    text = house.text("CHANGELOG.md")

    assert "## [Unreleased]" in text
    assert "keepachangelog.com" in text


def test_every_make_target_that_people_are_told_of_exists(house: House) -> None:
    known = targets(house)
    pages = [path for path in house.files() if path.suffix == ".md"]
    told = {
        (str(page), target)
        for page in pages
        for target in re.findall(r"(?:`|^|\n)(?:\$ )?make ([a-z][a-z0-9-]*)", house.text(page))
    }

    assert {(page, target) for page, target in told if target not in known} == set()
    assert {target for page, target in told if page == "README.md"} >= {"demo", "test"}


def test_every_cirahub_command_that_people_are_told_of_exists(house: House) -> None:
    pages = [path for path in house.files() if path.suffix == ".md"]
    told = {
        f"cirahub {name}"
        for page in pages
        for name in re.findall(r"(?:`|\n)(?:\$ )?(?:kubectl )?cirahub ([a-z]+)", house.text(page))
    }

    assert told - set(COMMANDS) == set()


def test_every_link_between_our_pages_leads_somewhere(house: House) -> None:
    dead = [
        f"{page}: {link}"
        for page in house.files()
        if page.suffix == ".md"
        for link in re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", house.text(page))
        if not (house.root / page.parent / link).exists()
    ]

    assert dead == []


def test_every_room_that_the_architecture_names_exists(house: House) -> None:
    table = re.findall(r"^\| (`.*?) \|", house.text("docs/architecture.md"), flags=re.MULTILINE)
    named = [room for row in table for room in re.findall(r"`([^`]+)`", row)]
    rooms = [room for room in named if "…" not in room]

    assert len(rooms) > len(("operator", "sync", "simulator"))
    missing = [room for room in rooms if not any(_places(house, room))]
    assert missing == []


def _places(house: House, room: str) -> Iterator[Path]:
    """A room by its path from the root, or by its name below one of the packages."""
    yield from house.root.glob(room)
    yield from house.root.glob(f"*/cirahub_*/{room}")


def test_every_make_target_is_listed_with_a_help_text(house: House) -> None:
    makefile = house.text("Makefile")
    phony = set(re.findall(r"^\.PHONY: (\S+)$", makefile, flags=re.MULTILINE))
    known = targets(house)

    assert phony == set(known)
    silent = {name for name, rest in known.items() if "##" not in rest}
    parts = {"control-plane", "helm", "kstatus"}
    assert silent == parts, "parts of other targets, nothing to call alone"


def test_the_subcommands_are_all_there() -> None:
    assert set(COMMANDS) >= {
        "cirahub",
        "cirahub operator",
        "cirahub pass",
        "cirahub plan",
        "cirahub simulate",
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_option_has_a_help_text(name: str) -> None:
    command = COMMANDS[name]
    silent = [
        option.opts[-1]
        for option in command.params
        if isinstance(option, click.Option) and not (option.help or "").strip()
    ]

    assert (command.help or "").strip(), name
    assert silent == []
