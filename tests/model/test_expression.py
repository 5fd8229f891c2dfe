"""Filters in CEL: what they see, what is refused at once, and what an evaluation can cost."""

from __future__ import annotations

import pytest

from cirahub_sync.configuration import Condition, Filter, Operator
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.contact import Contact, CustomField, Email, Phone, PhoneKind
from cirahub_sync.model.expression import LONGEST, Expression, compile_expression
from cirahub_sync.model.field_names import MANIFEST_NAMES
from cirahub_sync.model.filter import Clause, asks_for_spokes, compile_judge, fields_of

ANN = Contact(
    display_name="Ann Baker",
    job_title="Head of Sales",
    company="Contoso",
    emails=(Email("ann@contoso.com", "Ann"), Email("ann@example.org")),
    phones=(Phone(PhoneKind.MOBILE, "+14255550101"),),
    categories=("VIP",),
    custom=(CustomField("Grade", "7"),),
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("item.jobTitle.startsWith('Head') && size(item.emails) == 2", True),
        ("item.company == item.companyName", True),
        ("item.emails.exists(e, e.address.endsWith('@contoso.com') && e.name == 'Ann')", True),
        ("item.phones.all(p, p.kind == 'mobile' && p.number.matches('^[+]1'))", True),
        ("'VIP' in item.categories && !('Private' in item.categories)", True),
        ("item.custom.exists(c, c.name == 'Grade' && int(c.value) > 7)", False),
        ("item.addresses.filter(a, a.postalCode != '').size() > 0", False),
        ("item.jobTitle.matches('^(e+)+$')", False),
    ],
)
def test_an_expression_sees_the_contact_in_the_words_of_manifests(text: str, holds: bool) -> None:
    assert compile_expression(text, sourced=False)(ANN) is holds


def test_every_field_of_a_contact_can_be_asked_for() -> None:
    for name, field in MANIFEST_NAMES.items():
        expression = Expression(f"size(item.{name}) >= 0", sourced=False)
        assert expression.fields == {field}
        assert expression(ANN) is True
        assert expression(Contact()) is True


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("item.nope == 'x'", "line 1, column 5: undeclared reference to 'item.nope'; item has "),
        ("true &&\n item.nope == 'x'", "line 2, column 6: undeclared"),
        ("item.jobTitle > 3", "line 1, column 15: found no matching overload for '_>_'"),
        ("item.jobTitle ==", "line 1, column 17: the syntax is not that of CEL"),
        ("item.jobTitle == 'ann@contoso.com", "the syntax is not that of CEL"),
        ("item.jobTitle", "it has to say true or false"),
        ("  ", "it is blank"),
        ("spokes.size() > 0", "undeclared reference to 'spokes'"),
        ("item.emails.exists(e, e.nope == 'x')", "something that it has not got"),
        ("item.jobTitle.matches('(')", "is none of RE2"),
        ("item.jobTitle.matches('(?=a)b')", "is none of RE2"),
        ("dyn(item.jobTitle) > 3", "compares or combines what can't be"),
        ("(" * 40 + "true" + ")" * 40, "nested too deeply"),
        ("'" + "a" * LONGEST + "' == ''", f"{LONGEST} are allowed"),
        ("[1].map(a, a + a) == [2]", "map(...) is not allowed"),
        ("[1].map // so\n (a, a + a) == [2]", "map(...) is not allowed"),
    ],
)
def test_what_can_never_be_evaluated_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        compile_expression(text, sourced=False)
    assert str(refused.value).startswith("filter: expression: ")
    assert says in str(refused.value)
    assert "contoso" not in str(refused.value), "a literal may be personal data"


def test_iterations_are_bounded() -> None:
    numbers = "[" + ",".join("1" * 100) + "]"
    text = f"{numbers}.all(a, {numbers}.all(b, {numbers}.all(c, a + b + c > 0)))"
    with pytest.raises(ConfigurationError, match="iterates too often"):
        compile_expression(text, sourced=False)


def test_what_depends_on_the_contact_is_neither_true_nor_false() -> None:
    first = compile_expression("item.emails[0].address == 'ann@contoso.com'", sourced=False)
    assert first(ANN) is True
    assert first(Contact()) is None


def test_an_expression_stands_beside_the_conditions_and_is_asked_last() -> None:
    judge = compile_judge(
        Filter(
            all=(Condition("company", Operator.IN, ("Contoso",)),),
            expression="item.emails[1].address.endsWith('.org')",
        )
    )
    assert (judge.judge(ANN).admits, judge.judge(ANN).clause) == (True, Clause.EXPRESSION)
    assert judge.judge(Contact()).clause is Clause.ALL, "so it need not be evaluated"
    other = Contact(company="Contoso", emails=(Email("a@x.example"), Email("b@x.example")))
    assert (judge.judge(other).admits, judge.judge(other).unjudged) == (False, False)
    nobody = judge.judge(Contact(company="Contoso"))
    assert (nobody.admits, nobody.unjudged, nobody.clause) == (False, True, Clause.EXPRESSION)
    assert judge.admits(Contact(company="Contoso")) is None


def test_on_the_way_out_it_may_ask_for_spokes() -> None:
    spec = Filter(expression="'default/ada' in spokes && item.notes == ''")
    assert asks_for_spokes(spec)
    assert fields_of(spec) == {"notes"}
    judge = compile_judge(spec, sourced=True)
    assert judge.admits(ANN, ["default/ada"]) is True
    assert judge.admits(ANN, ["default/ben"]) is False
    assert not asks_for_spokes(Filter(expression="item.notes == 'spokes'"))
