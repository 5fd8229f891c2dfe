"""Each answer of the page of threats names tests that there are."""

from __future__ import annotations

import re

from .conftest import House

PAGE = "docs/security.md"


def answers(house: House) -> dict[str, list[str]]:
    """What notices, by threat."""
    section = house.text(PAGE).split("\n## Threats and answers\n", 1)[1].split("\n## ", 1)[0]
    rows = [row.split(" | ") for row in re.findall(r"^\| (.+) \|$", section, re.MULTILINE)]
    return {row[0]: re.findall(r"`([^`]+)`", row[2]) for row in rows[2:]}


def test_each_threat_has_an_answer_that_a_test_looks_at(house: House) -> None:
    found = answers(house)

    assert len(found) > 15
    assert [threat for threat, tests in found.items() if not tests] == []


def test_the_tests_that_it_names_are_there(house: House) -> None:
    written = {
        name
        for path in house.modules("tests")
        for name in re.findall(r"^(?:async )?def (test_\w+)", house.text(path), re.MULTILINE)
    }
    named = {name for tests in answers(house).values() for name in tests}

    files = {name for name in named if "/" in name}
    assert [name for name in files if not (house.root / name).is_file()] == []
    assert named - files - written == set()
