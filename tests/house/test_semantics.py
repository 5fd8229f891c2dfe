"""The page of semantics promises nothing that no test of the same name looks at."""

from __future__ import annotations

import re

from .conftest import House

PAGE = "docs/semantics.md"


def cases(house: House) -> dict[str, list[str]]:
    """The first cells of the tables, by section."""
    found: dict[str, list[str]] = {}
    for section in house.text(PAGE).split("\n## ")[1:]:
        rows = re.findall(r"^\| (.+?) \|", section, flags=re.MULTILINE)
        found[section.partition("\n")[0]] = [row for row in rows if row not in {"case", "---"}]
    return found


def names(case: str) -> set[str]:
    """What its test may be called; an apostrophe is left out or stands for a space."""
    return {
        "test_" + re.sub(r"[^a-z0-9]+", "_", case.lower().replace("'", mark)).strip("_")
        for mark in ("", " ")
    }


def test_every_case_has_a_test_of_its_name(house: House) -> None:
    written = {
        name
        for path in house.modules("tests")
        for name in re.findall(r"^(?:async )?def (test_\w+)", house.text(path), flags=re.MULTILINE)
    }
    told = cases(house)

    assert {case for rows in told.values() for case in rows if not names(case) & written} == set()
    assert all(told.values()), "a section without any case"
    assert set(told) >= {
        "Identity",
        "Fold",
        "Conflicts",
        "Lists",
        "Deletions",
        "Ordering",
        "Echoes",
    }


def test_no_case_is_told_twice(house: House) -> None:
    rows = [case for section in cases(house).values() for case in section]

    assert sorted(rows) == sorted(set(rows))
