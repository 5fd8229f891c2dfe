"""Templates: what they make of which fields, and what is none."""

from __future__ import annotations

import pytest

from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.contact import SCALAR_FIELDS, Contact
from cirahub_sync.model.template import Template, parse_template

ANN = Contact(given_name="Ann", surname="Lee", company="Acme")


def made(text: str, item: Contact, otherwise: str = "") -> str:
    return parse_template(text, SCALAR_FIELDS).fill(item, otherwise)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{surname}, {givenName}", "Lee, Ann"),
        ("{surname}[, {givenName}][ {middleName}]", "Lee, Ann"),
        ("[{title} ]{givenName} {surname}", "Ann Lee"),
        ("{givenName} {middleName} {surname}", "Ann Lee"),
        ("{companyName} [Ext]", "Acme [Ext]"),
        ("[{company}/{department}]{surname}", "Lee"),
        ("[{company}: {surname}]", "Acme: Lee"),
    ],
)
def test_a_template_fills_in_the_fields_that_it_names(text: str, expected: str) -> None:
    assert made(text, ANN) == expected


def test_a_template_whose_fields_are_all_blank_leaves_the_field_as_it_is() -> None:
    assert made("{surname}, {givenName}", Contact(company="Acme"), "Acme Ltd") == "Acme Ltd"


def test_values_are_never_read_as_a_template() -> None:
    assert (
        made("{surname}", Contact(surname="{givenName}[x]", given_name="Ann")) == "{givenName}[x]"
    )


def test_a_constant_may_have_braces_and_blanks_of_its_own() -> None:
    assert Template(("{a}  [b]",)).fill(ANN, "x") == "{a}  [b]"
    assert Template(("",)).fill(ANN, "x") == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{nickName}", "'nickName'.*nickname"),
        ("{phones}", "'phones'"),
        ("{surname} {", "no other braces"),
        ("}{surname}", "no other braces"),
        ("{sur name}{surname}", "no other braces"),
        ("Partner", "at least one field"),
        ("[Partner]", "at least one field"),
    ],
)
def test_what_is_no_template_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_template(text, SCALAR_FIELDS)


def test_a_template_takes_only_what_it_may() -> None:
    with pytest.raises(ConfigurationError, match="'notes'"):
        parse_template("{notes}", SCALAR_FIELDS - {"notes"})
