"""The layout: rooms with a sentence about them, modules that are nouns and stay readable."""

from __future__ import annotations

import ast
import re

from .conftest import House

LONGEST = 500
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


def test_operator_stays_a_plain_folder(house: House) -> None:
    """As a package it would shadow the standard library's `operator` for whoever has the
    repository's root on the path, and `import collections` would die."""
    assert not (house.root / "operator" / "__init__.py").exists()


def test_every_module_says_what_it_is(house: House) -> None:
    silent = [
        str(path)
        for path in house.modules()
        if house.text(path).strip() and not ast.get_docstring(ast.parse(house.text(path)))
    ]

    assert silent == []


def test_every_package_says_what_it_is(house: House) -> None:
    silent = [
        str(path)
        for path in house.modules("operator", "sync", "simulator", "hack")
        if path.name == "__init__.py" and not ast.get_docstring(ast.parse(house.text(path)))
    ]

    assert silent == []


def test_every_room_of_a_package_has_an_init(house: House) -> None:
    rooms = {
        path.parent
        for path in house.modules("operator", "sync", "simulator", "hack")
        if len(path.parts) > 2 and path.parent.name != "versions"
    }

    assert [
        str(room) for room in sorted(rooms) if not (house.root / room / "__init__.py").is_file()
    ] == []


def test_no_module_is_too_long_to_read(house: House) -> None:
    long = {
        str(path): length
        for path in house.modules("operator", "sync", "simulator", "hack")
        if (length := len(house.text(path).splitlines())) >= LONGEST
    }

    assert long == {}


def test_no_module_has_a_name_that_says_nothing(house: House) -> None:
    vague = [
        str(path)
        for path in house.modules()
        if VAGUE & {part.removesuffix(".py") for part in path.parts}
    ]

    assert vague == []


def test_nothing_is_left_for_later_in_the_code(house: House) -> None:
    marker = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")

    assert [str(path) for path in house.modules() if marker.search(house.text(path))] == []
