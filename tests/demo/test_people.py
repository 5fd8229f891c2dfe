"""Reading one's own people, and the proof that they arrived: it must be able to fail."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from demo import people
from demo.errors import DemoError
from demo.mailbox import Held
from demo.proof import absences, differences

ADA = Held(
    folder=("People",),
    id="1",
    immutable_id="i1",
    version="1",
    name="Ada Lovelace",
    emails=frozenset(),
    is_copy=False,
    custom_id="A1",
    content={
        "displayName": "Ada Lovelace",
        "birthday": "1815-12-10T00:00:00Z",
        "businessAddress": {"city": "London"},
        "businessPhones": ["020 7946 0123"],
        "personalNotes": "term_start: 1833-06-05",
    },
)
FILE = {
    "A1": {
        "display": "Ada Lovelace",
        "birthday": "1815-12-10",
        "city": "London",
        "phone": "020 7946 0123",
        "term_start": "1833-06-05",
        "middle": None,
    }
}


def test_an_equal_copy_has_no_difference() -> None:
    copy = replace(ADA, id="2", immutable_id="i2", version="9", is_copy=True)

    assert list(differences([ADA], [copy])) == []
    assert list(absences(FILE, [copy])) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("displayName", "Ada lovelace"),
        ("businessAddress", {"city": "Londres"}),
        ("businessPhones", ["+44 20 7946 0123"]),
        ("businessPhones", []),
        ("personalNotes", ""),
        ("jobTitle", "Countess"),
    ],
)
def test_a_field_that_is_not_exactly_the_source_s_is_found(name: str, value: object) -> None:
    copy = replace(ADA, content={**ADA.content, name: value})

    assert len(list(differences([ADA], [copy]))) == 1


def test_a_missing_a_doubled_and_a_strange_contact_are_found() -> None:
    strange = replace(ADA, custom_id="B2")

    assert list(differences([ADA], [])) == ["A1 (Ada Lovelace) is missing"]
    assert list(differences([ADA], [ADA, ADA])) == ["A1 is there 2 times"]
    assert list(differences([ADA], [ADA, strange])) == [
        "B2 is there, and the source has no such contact"
    ]


@pytest.mark.parametrize("name", [name for name, value in FILE["A1"].items() if value])
def test_a_value_of_the_file_that_is_nowhere_is_found(name: str) -> None:
    file = {"A1": {**FILE["A1"], name: "something else"}}

    assert list(absences(file, [ADA])) == [
        f"A1: {name} 'something else' of the file is nowhere in it"
    ]


def test_people_and_offices_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    person = {"id": "A1", "given": "Ada", "family": "Lovelace", "offices": [{"city": "London"}]}
    file.write_text(json.dumps(person) + "\n\n")

    read = people.read(file)

    assert set(read.entries) == {"A1", "A1/1"}
    assert read.offices == {"A1/1"}
    assert read.entries["A1/1"] == {"city": "London"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "no people"),
        ("nonsense\n", "line 1"),
        ('{"given": "Ada"}\n', "line 1"),
        ("[]\n", "line 1"),
        ('{"id": "1"}\n{"id": "1"}\n', "line 2: the id '1' is there already"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "people.jsonl"
    file.write_text(text)

    with pytest.raises(DemoError, match=expected):
        people.read(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="cannot be read"):
        people.read(tmp_path / "absent.jsonl")
