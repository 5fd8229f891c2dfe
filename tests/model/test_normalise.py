"""How values compare."""

from __future__ import annotations

import msgspec
import phonenumbers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.contact import (
    AddressKind,
    Contact,
    CustomField,
    Element,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)
from cirahub_sync.model.event import Event, Occurrence
from cirahub_sync.model.kind import EVENTS
from cirahub_sync.model.normalise import (
    caseless,
    element_key,
    element_kind,
    exact,
    folded,
    international,
    keyed,
    match_keys,
    matched_fields,
    parsed,
    same_value,
    validate_match_on,
)

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def mobile(number: str) -> Phone:
    return Phone(PhoneKind.MOBILE, number)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("emails", Email("Ann@X.example", "Ann"), Email(" ann@x.EXAMPLE ")),
        ("emails", Email("jos\u00e9@x.example"), Email("JOSE\u0301@x.example")),
        ("phones", mobile("+1 (425) 555-0100"), mobile("425.555.0100")),
        ("phones", mobile("+1 425 555 0100 ext. 7"), mobile("(425) 555-0100 x7")),
        ("phones", mobile("1 4255550100 / 2"), mobile("14255550100 / (2)")),
        ("phones", mobile("ask Ann"), mobile("ASK  ann")),
        ("categories", "Straße", "STRASSE"),
        ("im_addresses", "Sip:Ann", "sip:ann "),
        (
            "addresses",
            PostalAddress(AddressKind.HOME, street="1  Main\r\nStreet", city="Berlin"),
            PostalAddress(AddressKind.HOME, street="1 main street", city="BERLIN "),
        ),
        ("custom", CustomField("Employee  Number", "A1"), CustomField("employee number", "A1 ")),
    ],
)
def test_spellings_of_one_element_share_its_key(field: str, one: Element, other: Element) -> None:
    assert element_key(field, one) == element_key(field, other)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("emails", Email("ann@x.example"), Email("ann@y.example")),
        ("phones", mobile("+1 425 555 0100"), Phone(PhoneKind.HOME, "+1 425 555 0100")),
        ("phones", mobile("+1 425 555 0100"), mobile("+1 425 555 0100 ext. 7")),
        ("categories", "Red", "Red 2"),
        (
            "addresses",
            PostalAddress(AddressKind.HOME, street="Berlin"),
            PostalAddress(AddressKind.HOME, city="Berlin"),
        ),
        (
            "addresses",
            PostalAddress(AddressKind.HOME, city="Berlin"),
            PostalAddress(AddressKind.OTHER, city="Berlin"),
        ),
        ("custom", CustomField("number", "a1"), CustomField("number", "A1")),
        ("custom", CustomField("number", "1"), CustomField("site", "1")),
    ],
)
def test_different_elements_have_different_keys(field: str, one: Element, other: Element) -> None:
    assert element_key(field, one) != element_key(field, other)


def test_a_number_without_country_code_is_read_in_the_region() -> None:
    number = mobile("030 123456")

    assert element_key("phones", number, "DE") == "mobile:+4930123456"
    assert element_key("phones", number, "DE") == element_key("phones", mobile("+49 30 123456"))


def test_of_two_elements_with_one_key_the_first_spelling_stays() -> None:
    assert keyed("categories", ("Red", "Blue", "RED")) == {"red": "Red", "blue": "Blue"}


def test_only_elements_of_one_kind_are_edited_into_one_another() -> None:
    assert element_kind(Email("a@x.example")) == element_kind(Email("b@x.example"))
    assert element_kind(mobile("1")) != element_kind(Phone(PhoneKind.HOME, "1"))
    assert element_kind(CustomField("Site", "1")) == element_kind(CustomField("site", "2"))
    assert element_kind("Red") is None


@given(st.text())
@UNHURRIED
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert caseless(caseless(text)) == caseless(text)
    assert exact(exact(text)) == exact(text)
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ANN@X.example", "ann@x.EXAMPLE"),
        ("Jose\u0301", "JOS\u00c9"),
        ("\uff21\uff4e\uff4e@x.example", "ann@x.example"),
        ("Wolfgang\u00a0 Stra\u00dfe", "WOLFGANG STRASSE"),
        ("\ufb03ne", "ffine"),
        ("\u1fb3", "\u0391\u0399"),
    ],
    ids=["case", "composition", "width", "sharp s and blanks", "ligature", "iota subscript"],
)
def test_keys_compare_without_regard_to_case_and_form(one: str, other: str) -> None:
    assert folded(one) == folded(other)
    for rule in ("email", "nameAndCompany", "custom:ID"):
        assert match_keys(_made(one), (rule,)) == match_keys(_made(other), (rule,)) != ()


def _made(text: str) -> Contact:
    return Contact(
        display_name=text,
        company=text,
        emails=(Email(text),),
        custom=(CustomField("id", text),),
    )


def test_scalars_are_equal_up_to_composition_ends_and_line_ends() -> None:
    assert same_value("notes", "jose\u0301\r\nx ", "jos\u00e9\nx")
    assert not same_value("company", "Acme", "ACME")
    assert not same_value("company", "Acme", "Ac me")


def test_match_keys_stand_in_the_order_of_trust() -> None:
    ann = Contact(
        given_name="Ann",
        surname="  BERG ",
        display_name="Berg, Ann",
        company="Acme  Ltd",
        emails=(Email("Ann@x.example"), Email("a@y.example"), Email("ann@X.example")),
        phones=(mobile("425 555 0100"),),
        custom=(CustomField("Employee Number", "A1"), CustomField("site", "9")),
    )

    assert match_keys(
        ann, ("custom:employee number", "email", "phone", "nameAndCompany"), "US"
    ) == (
        "custom:employee number:a1",
        "email:ann@x.example",
        "email:a@y.example",
        "phone:+14255550100",
        "nameAndCompany:ann berg\nacme ltd",
    )


def test_a_phone_matches_whatever_its_kind_but_only_when_complete_and_not_a_fax() -> None:
    def keys(*phones: Phone) -> tuple[str, ...]:
        return match_keys(Contact(phones=phones), ("phone",))

    assert keys(mobile("425 555 0100")) == keys(Phone(PhoneKind.HOME, "+1 425 555 0100"))
    assert keys(mobile("555 0100"), mobile("123"), mobile("reception")) == ()
    assert keys(Phone(PhoneKind.BUSINESS_FAX, "+1 425 555 0100")) == ()


def test_a_phone_is_read_in_the_region_of_who_said_it() -> None:
    here, there = mobile("020 7946 0018"), mobile("(425) 555-0100")
    contact = Contact(phones=(here, there))

    assert match_keys(contact, ("phone",), "US", {here: "GB"}) == (
        "phone:+442079460018",
        "phone:+14255550100",
    )


def test_name_and_company_needs_both_and_falls_back_to_the_display_name() -> None:
    rule = ("nameAndCompany",)
    split = Contact(given_name="Ann", surname="Berg", company="Acme")

    assert match_keys(Contact(display_name="ann berg", company="ACME"), rule) == match_keys(
        split, rule
    )
    assert match_keys(Contact(display_name="Ann Berg"), rule) == ()
    assert match_keys(Contact(company="Acme"), rule) == ()


def test_an_address_of_an_office_is_the_key_of_who_has_no_other() -> None:
    office, own = Email("Info@x.example"), Email("ann@x.example")
    assert match_keys(Contact(emails=(office, own)), ("email",)) == ("email:ann@x.example",)
    assert match_keys(Contact(emails=(office, Email(" "))), ("email",)) == ("email:info@x.example",)


def test_blank_values_match_nothing() -> None:
    blank = Contact(emails=(Email(" "),), custom=(CustomField("site", " "),))

    assert match_keys(blank, ("email", "custom:site")) == ()


@pytest.mark.parametrize("rules", [(), ("name",), ("custom:",), ("email", "custom: ")])
def test_a_match_on_that_cannot_be_is_refused(rules: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match="matchOn"):
        validate_match_on(rules)


def test_every_known_match_on_is_accepted() -> None:
    validate_match_on(("email", "phone", "nameAndCompany", "custom:employee number"))


def test_an_event_is_known_by_its_uid_and_the_day_that_it_is_the_occurrence_of() -> None:
    series = Event(uid="040000008200E0", subject="Review")
    one = msgspec.structs.replace(series, original_start="2026-12-01")

    assert match_keys(series, ("email",)) == match_keys(Event(uid=series.uid), ("phone",)) != ()
    assert match_keys(one, ()) != match_keys(series, ())
    assert match_keys(Event(subject="Review"), ("email",)) == ()
    assert matched_fields(("email",), EVENTS) == {"uid", "original_start"}


def test_an_exception_of_a_series_is_told_by_the_day_that_the_rule_has_it_on() -> None:
    moved = Occurrence("2026-12-01", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
    cancelled = Occurrence("2026-12-01", cancelled=True)

    assert element_key("exceptions", moved) == element_key("exceptions", cancelled)
    assert element_kind(moved) is None


COUNTRIES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
digits = st.text("0123456789", min_size=3, max_size=13)
written = st.builds(
    lambda country, parts: f"+{country}" + "".join(parts),
    st.sampled_from(COUNTRIES) | st.integers(1, 999),
    st.lists(digits | st.sampled_from([" ", "-", ".", "(", ")", "(0)", " ("]), max_size=6),
)


@settings(max_examples=500, deadline=None)
@given(written)
def test_an_international_number_that_is_read_quickly_reads_as_the_library_reads_it(
    number: str,
) -> None:
    assert international(number) in (None, parsed(number, "US"))


def test_the_usual_international_numbers_are_read_quickly() -> None:
    for number in ("+14255550100", "+1 (425) 555-0100", "+49 30 123456", "+44 20.7946.0018"):
        assert international(number) is not None
    for number in ("+49 (0)30 123456", "425 555 0100", "+1 425 555 0100 x7", "+39 06 1234567"):
        assert international(number) is None
