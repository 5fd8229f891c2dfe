"""The page for administrators, and the catalogue it is made from."""

from __future__ import annotations

from collections import Counter

from .catalogue import THEMES
from .page import PAGE, page, table, themes

ALL = [one for situations in THEMES.values() for one in situations]


def test_the_page_says_what_the_tests_play() -> None:
    text = PAGE.read_text()
    assert page(text) == text, "run `make generate`"


def test_every_theme_has_a_table_and_every_situation_a_row() -> None:
    assert Counter(themes(PAGE.read_text())) == Counter(list(THEMES))
    text = PAGE.read_text()
    for one in ALL:
        assert text.count(f'<a id="{one.id}"></a>') == 1, one.id


def test_a_cell_never_ends_its_column() -> None:
    for situations in THEMES.values():
        for row in table(situations).splitlines():
            assert row.count(" | ") == 5, row


def test_there_are_more_situations_than_were_asked_for() -> None:
    assert len(ALL) >= 45
    assert len({one.id for one in ALL}) == len(ALL)
