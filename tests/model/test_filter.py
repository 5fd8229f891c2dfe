"""Which items a filter admits."""

from __future__ import annotations

import pytest

from cirahub_sync.configuration import Condition, Filter, Operator
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.contact import (
    AddressKind,
    Contact,
    CustomField,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)
from cirahub_sync.model.event import Event
from cirahub_sync.model.filter import compile_filter
from cirahub_sync.model.kind import CONTACTS, EVENTS, Kind

ANN = Contact(
    job_title="Chief Engineer",
    company="Acme",
    emails=(Email("ann@Acme.example"), Email("ann@home.example")),
    phones=(Phone(PhoneKind.MOBILE, "+1 425 555 0100"),),
    addresses=(PostalAddress(AddressKind.HOME, city="Berlin"),),
    categories=("Partner", "VIP"),
    custom=(CustomField("Site", "North"),),
)


def holds(field: str, operator: Operator, *values: str) -> bool:
    return compile_filter(Filter(all=(Condition(field, operator, values),)))(ANN) is True


@pytest.mark.parametrize(
    ("field", "operator", "values"),
    [
        ("jobTitle", Operator.IN, ["x", " chief ENGINEER"]),
        ("jobTitle", Operator.NOT_IN, ["engineer"]),
        ("department", Operator.NOT_IN, ["engineer"]),
        ("companyName", Operator.EXISTS, []),
        ("department", Operator.DOES_NOT_EXIST, []),
        ("jobTitle", Operator.CONTAINS, ["cook", "ENGIN"]),
        ("jobTitle", Operator.STARTS_WITH, ["cook", "CHIEF"]),
        ("category", Operator.IN, ["vip"]),
        ("categories", Operator.STARTS_WITH, ["part"]),
        ("domain", Operator.IN, ["home.EXAMPLE"]),
        ("emails", Operator.STARTS_WITH, ["ann@acme"]),
        ("phones", Operator.STARTS_WITH, ["+1"]),
        ("addresses", Operator.IN, ["berlin"]),
        ("children", Operator.DOES_NOT_EXIST, []),
        ("imAddresses", Operator.DOES_NOT_EXIST, []),
        ("custom:site", Operator.IN, ["north"]),
    ],
)
def test_a_condition_that_holds(field: str, operator: Operator, values: list[str]) -> None:
    assert holds(field, operator, *values)


@pytest.mark.parametrize(
    ("field", "operator", "values"),
    [
        ("jobTitle", Operator.IN, ["engineer"]),
        ("category", Operator.NOT_IN, ["vip"]),
        ("department", Operator.EXISTS, []),
        ("company", Operator.DOES_NOT_EXIST, []),
        ("jobTitle", Operator.CONTAINS, ["cook"]),
        ("jobTitle", Operator.STARTS_WITH, ["engineer"]),
        ("domain", Operator.IN, ["example"]),
        ("custom:other", Operator.EXISTS, []),
    ],
)
def test_a_condition_that_does_not_hold(field: str, operator: Operator, values: list[str]) -> None:
    assert not holds(field, operator, *values)


YES = Condition("company", Operator.EXISTS)
NO = Condition("company", Operator.DOES_NOT_EXIST)


@pytest.mark.parametrize(
    ("spec", "admitted"),
    [
        (Filter(), True),
        (Filter(all=(YES, YES)), True),
        (Filter(all=(YES, NO)), False),
        (Filter(any=(NO, YES)), True),
        (Filter(any=(NO, NO)), False),
        (Filter(none=(NO, NO)), True),
        (Filter(none=(NO, YES)), False),
        (Filter(all=(YES,), any=(YES,), none=(YES,)), False),
    ],
)
def test_every_all_at_least_one_any_and_no_none(spec: Filter, admitted: bool) -> None:
    assert compile_filter(spec)(ANN) is admitted


@pytest.mark.parametrize("field", ["job_title", "JobTitle", "", "custom", "custom:", "birth"])
def test_an_unknown_field_is_refused_with_the_fields_there_are(field: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        holds(field, Operator.EXISTS)

    assert repr(field) in str(refused.value)
    for allowed in ("jobTitle", "category", "domain", "custom:NAME"):
        assert allowed in str(refused.value)


@pytest.mark.parametrize(
    ("operator", "values"),
    [(Operator.IN, ()), (Operator.CONTAINS, ("a", " ")), (Operator.EXISTS, ("a",))],
)
def test_values_that_do_not_fit_the_operator_are_refused(
    operator: Operator, values: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigurationError, match="'company'"):
        holds("company", operator, *values)


STANDUP = Event(
    subject="Stand-up",
    schedule="DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261125\nRRULE:FREQ=DAILY",
    categories=("Team",),
    sensitivity="private",
)


@pytest.mark.parametrize(
    ("field", "operator", "values", "admitted"),
    [
        ("subject", Operator.STARTS_WITH, ("stand",), True),
        ("location", Operator.EXISTS, (), False),
        ("category", Operator.IN, ("team",), True),
        ("sensitivity", Operator.IN, ("private", "confidential"), True),
        ("allDay", Operator.IN, ("true",), True),
        ("recurring", Operator.IN, ("false",), False),
    ],
)
def test_a_filter_of_events(
    field: str, operator: Operator, values: tuple[str, ...], admitted: bool
) -> None:
    spec = Filter(all=(Condition(field, operator, values),))

    assert compile_filter(spec, EVENTS)(STANDUP) is admitted


@pytest.mark.parametrize(("field", "kind"), [("subject", CONTACTS), ("companyName", EVENTS)])
def test_a_filter_names_fields_of_the_hubs_kind_only(field: str, kind: Kind) -> None:
    spec = Filter(all=(Condition(field, Operator.EXISTS),))

    with pytest.raises(ConfigurationError, match=field):
        compile_filter(spec, kind)
