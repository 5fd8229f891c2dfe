"""Mappings as lenses: what each rule does, its inverse, and the laws."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cirahub_sync.configuration import FieldPolicy, Flow, MappingRule, PhoneForm, Policy
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.contact import FIELDS, Contact, Email
from cirahub_sync.model.mapping import Lens, compile_lens
from cirahub_sync.model.normalise import caseless

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def contributes(*rules: MappingRule) -> Lens:
    return compile_lens(Flow(mapping=rules), toward_hub=True)


def receives(*rules: MappingRule) -> Lens:
    return compile_lens(Flow(mapping=rules), toward_hub=False)


def emails(*addresses: str) -> Contact:
    return Contact(emails=tuple(Email(a) for a in addresses))


PREFIX = MappingRule(field="displayName", prefix="[X] ")
SUFFIX = MappingRule(field="displayName", suffix=" (Ext)")
CATEGORY = MappingRule(add_category="CiraHub")
DOMAIN = MappingRule(replace_domain=("old.example", "new.example"))
CONSTANT = MappingRule(field="jobTitle", set_value="Partner")
TEMPLATE = MappingRule(field="displayName", template="{company}[: {jobTitle}]")


def test_without_rules_an_item_is_the_same_object_on_both_sides() -> None:
    item = Contact(company="Acme")

    assert contributes().to_hub(item) is item
    assert contributes().to_spoke(item, Contact(company="Brown")) is item
    assert contributes().fields == frozenset(FIELDS)


def test_prefix_and_suffix_are_put_on_along_the_flow_and_taken_off_against_it() -> None:
    plain, marked = Contact(display_name="Ann"), Contact(display_name="[X] Ann (Ext)")

    assert contributes(PREFIX, SUFFIX).to_hub(plain) == marked
    assert contributes(PREFIX, SUFFIX).to_spoke(marked, plain) == plain
    assert receives(PREFIX, SUFFIX).to_spoke(plain) == marked
    assert receives(PREFIX, SUFFIX).to_hub(marked) == plain


def test_a_blank_field_gets_no_prefix() -> None:
    assert receives(PREFIX).to_spoke(Contact(company="Acme")) == Contact(company="Acme")


@pytest.mark.parametrize("value", ["Ann", "Ann "])
def test_a_prefix_that_is_not_there_is_not_taken_off(value: str) -> None:
    assert receives(PREFIX).to_hub(Contact(display_name=value)).display_name == value


def test_a_field_with_nothing_but_the_affix_left_is_blank() -> None:
    assert receives(PREFIX).to_hub(Contact(display_name="[X]")) == Contact()
    assert receives(SUFFIX).to_hub(Contact(display_name="(Ext)")) == Contact()


def test_an_affix_whose_outer_blanks_a_service_trimmed_is_still_taken_off() -> None:
    rule = MappingRule(field="displayName", suffix=" - Ext ")

    assert receives(rule).to_hub(Contact(display_name="Ann - Ext")).display_name == "Ann"


def test_an_added_category_is_there_once_and_does_not_come_back() -> None:
    item = Contact(categories=("Red",))
    marked = Contact(categories=("Red", "CiraHub"))

    assert receives(CATEGORY).to_spoke(item) == marked
    assert receives(CATEGORY).to_spoke(Contact(categories=("cirahub",))).categories == ("cirahub",)
    assert receives(CATEGORY).to_hub(marked) == item


def test_a_spoke_that_has_the_added_category_itself_keeps_it() -> None:
    own = Contact(categories=("cirahub", "Red"))
    other = Contact(categories=("Red",))
    lens = contributes(CATEGORY)

    assert lens.to_spoke(lens.to_hub(own), own) == own
    assert lens.to_spoke(lens.to_hub(other), other) == other
    assert lens.to_spoke(Contact(categories=("Blue",)), own).categories == ("Blue", "cirahub")


def test_a_domain_is_replaced_along_the_flow_and_restored_against_it() -> None:
    old, new = emails("ann@old.example", "b@c.example"), emails("ann@new.example", "b@c.example")

    assert contributes(DOMAIN).to_hub(old) == new
    assert contributes(DOMAIN).to_spoke(new) == old
    assert receives(DOMAIN).to_spoke(old) == new
    assert receives(DOMAIN).to_hub(new) == old


def test_an_address_keeps_the_domain_it_has_at_its_source() -> None:
    own = emails("ann@new.example", "bob@OLD.example")
    lens = contributes(DOMAIN)

    assert lens.to_hub(own) == emails("ann@new.example", "bob@new.example")
    assert lens.to_spoke(lens.to_hub(own), own) == own
    renamed = Contact(emails=(Email("ann@new.example", "Ann"), Email("bob@new.example", "Bob")))
    assert lens.to_spoke(renamed, own).emails == (
        Email("ann@new.example", "Ann"),
        Email("bob@OLD.example", "Bob"),
    )


def test_two_addresses_that_become_one_are_one_in_the_hub_and_stay_two_at_their_source() -> None:
    own = emails("ann@old.example", "ann@new.example")
    lens = contributes(DOMAIN)

    assert lens.to_hub(own) == emails("ann@new.example")
    assert lens.to_spoke(lens.to_hub(own), own) == own


def test_a_constant_is_read_only_for_a_receiver() -> None:
    lens = receives(CONSTANT)

    assert lens.read_only == {"job_title"}
    assert lens.to_spoke(Contact(job_title="Cook", company="A")) == Contact(
        job_title="Partner", company="A"
    )
    assert lens.to_hub(Contact(job_title="Partner", company="A")) == Contact(company="A")


def test_a_contributors_constant_hides_its_own_value_and_leaves_it_alone() -> None:
    lens = contributes(CONSTANT)
    own = Contact(job_title="Cook")

    assert lens.read_only == frozenset()
    assert lens.to_hub(own) == Contact(job_title="Partner")
    assert lens.to_spoke(Contact(job_title="Boss"), own) == own
    assert lens.to_spoke(Contact(job_title="Boss")) == Contact()


def test_later_rules_work_on_what_earlier_ones_made() -> None:
    prefixed = MappingRule(field="jobTitle", prefix="Our ")

    assert receives(CONSTANT, prefixed).to_spoke(Contact()).job_title == "Our Partner"
    assert receives(prefixed, CONSTANT).to_spoke(Contact(job_title="x")).job_title == "Partner"


def test_a_template_is_read_only_for_a_receiver_and_hides_a_contributors_own_value() -> None:
    item = Contact(display_name="Ann", company="Acme", job_title="Cook")
    made = msgspec.structs.replace(item, display_name="Acme: Cook")

    assert receives(TEMPLATE).read_only == {"display_name"}
    assert receives(TEMPLATE).to_spoke(item) == made
    assert receives(TEMPLATE).to_hub(made).display_name == ""
    assert contributes(TEMPLATE).to_hub(item) == made
    assert contributes(TEMPLATE).to_spoke(made, item) == item
    assert contributes(TEMPLATE).concerned(["company"]) == ("company", "display_name")
    assert receives(TEMPLATE).concerned(["company"]) == ("company",)


def test_a_template_works_on_fields_that_pass_only() -> None:
    with pytest.raises(ConfigurationError, match="'company'"):
        compile_lens(Flow(mapping=(TEMPLATE,), exclude=("company",)), toward_hub=False)


def test_a_prefix_after_a_template_is_put_before_what_it_makes_and_one_before_it_is_lost() -> None:
    item = Contact(company="Acme")

    assert receives(TEMPLATE, PREFIX).to_spoke(item).display_name == "[X] Acme"
    assert receives(PREFIX, TEMPLATE).to_spoke(item).display_name == "Acme"
    assert receives(TEMPLATE, PREFIX).to_spoke(Contact(display_name="Ann")) == Contact(
        display_name="[X] Ann"
    )


@pytest.mark.parametrize("toward_hub", [True, False])
def test_a_field_that_is_excluded_passes_in_neither_direction(toward_hub: bool) -> None:
    lens = compile_lens(Flow(exclude=("notes", "phones")), toward_hub=toward_hub)
    item = Contact(company="Acme", notes="private")

    assert not lens.fields & {"notes", "phones"}
    assert lens.to_hub(item) == Contact(company="Acme")
    assert lens.to_spoke(item) == Contact(company="Acme")
    assert lens.to_spoke(item, Contact(notes="mine")) == Contact(company="Acme", notes="mine")


def test_only_included_fields_pass_and_exclusion_wins() -> None:
    flow = Flow(include=("displayName", "companyName", "notes"), exclude=("notes",))

    assert compile_lens(flow, toward_hub=True).fields == {"display_name", "company"}


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        (Flow(include=("display_name",)), "'display_name'.*displayName"),
        (Flow(exclude=("nope",)), "'nope'"),
        (Flow(mapping=(MappingRule(field="phones", prefix="x"),)), "'phones'"),
        (Flow(mapping=(MappingRule(field="notes", prefix="x"),), exclude=("notes",)), "'notes'"),
        (Flow(mapping=(MappingRule(field="notes", prefix=" "),)), "blank"),
        (Flow(mapping=(MappingRule(field="notes"),)), "exactly one"),
        (Flow(mapping=(MappingRule(field="notes", template="{nope}"),)), "'nope'"),
        (Flow(mapping=(MappingRule(notes_between=("a", "b")),)), "notesBetween is for receives"),
        (Flow(mapping=(MappingRule(notes_between=("a", " a ")),)), "two different lines"),
        (Flow(mapping=(MappingRule(notes_between=("a", "b\nc")),)), "two different lines"),
        (Flow(mapping=(MappingRule(field="emails", phone_format=PhoneForm.E164),)), "on phones"),
        (Flow(policies=(FieldPolicy(Policy.FILL_IF_BLANK, ("notes",)),)), "is for receives"),
        (Flow(policies=(FieldPolicy(Policy.KEEP, ("notes", "notes")),)), "has two"),
        (Flow(policies=(FieldPolicy(Policy.KEEP, ("nope",)),)), "'nope'"),
        (
            Flow(mapping=(PREFIX,), policies=(FieldPolicy(Policy.CLEAR, ("displayName",)),)),
            "'displayName'",
        ),
        (Flow(mapping=(MappingRule(field="notes", prefix="a", suffix="b"),)), "exactly one"),
        (Flow(mapping=(MappingRule(field="notes", add_category="X"),)), "addCategory"),
        (Flow(mapping=(MappingRule(add_category=" "),)), "blank"),
        (Flow(mapping=(CATEGORY,), exclude=("categories",)), "do not pass"),
        (Flow(mapping=(DOMAIN,), exclude=("emails",)), "do not pass"),
        (Flow(mapping=(MappingRule(replace_domain=("a.b", "A.b")),)), "no inverse"),
        (Flow(mapping=(MappingRule(replace_domain=("a.b", "x@c.d")),)), "two domains"),
        (Flow(mapping=(MappingRule(replace_domain=("", "c.d")),)), "two domains"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(flow: Flow, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        compile_lens(flow, toward_hub=True)


def test_a_field_can_not_be_left_to_the_mailbox_and_added_to() -> None:
    kept = FieldPolicy(Policy.FILL_IF_BLANK, ("categories",))

    with pytest.raises(ConfigurationError, match="categories can't be left to the mailbox"):
        compile_lens(Flow(mapping=(CATEGORY,), policies=(kept,)), toward_hub=False)


@pytest.mark.parametrize(
    "second",
    [("b.example", "new.example"), ("new.example", "c.example"), ("old.example", "c.example")],
)
def test_domains_that_meet_have_no_inverse_and_are_refused(second: tuple[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="no inverse"):
        contributes(DOMAIN, MappingRule(replace_domain=second))


def test_lenses_have_the_same_key_exactly_when_they_map_alike() -> None:
    assert receives(PREFIX, DOMAIN).key == receives(DOMAIN, PREFIX).key
    keys = {
        receives().key,
        receives(PREFIX).key,
        receives(SUFFIX).key,
        receives(PREFIX, SUFFIX).key,
        receives(CATEGORY).key,
        receives(DOMAIN).key,
        receives(CONSTANT).key,
        receives(TEMPLATE).key,
        receives(MappingRule(field="displayName", template="{company}")).key,
        contributes(PREFIX).key,
        compile_lens(Flow(exclude=("notes",)), toward_hub=False).key,
    }
    assert len(keys) == 11
    everything = compile_lens(Flow(include=("displayName",), mapping=(PREFIX,)), toward_hub=False)
    assert everything.key not in keys


# Laws

texts = st.sampled_from(["", " ", "Ann", "[X] ", "[X] Ann", "[X] [X] Ann", "Ann (Ext)", "é"])
addresses = st.sampled_from(
    ["a@old.example", "A@Old.example", "a@new.example", "b@x.example", "broken", "c@old.example"]
)


def distinct(found: list[str]) -> tuple[str, ...]:
    return tuple({caseless(text): text for text in found}.values())


contacts = st.builds(
    Contact,
    display_name=texts,
    job_title=texts,
    company=texts,
    notes=texts,
    emails=st.lists(addresses, max_size=4).map(lambda a: tuple(Email(e) for e in distinct(a))),
    categories=st.lists(st.sampled_from(["CiraHub", "cirahub", "Red"]), max_size=3).map(distinct),
)
rules = st.lists(
    st.sampled_from(
        [
            PREFIX,
            SUFFIX,
            CATEGORY,
            CONSTANT,
            TEMPLATE,
            MappingRule(field="displayName", prefix="[Y] "),
            MappingRule(field="company", suffix=" é"),
        ]
    ),
    max_size=5,
)
flows = st.builds(
    lambda found, domains, exclude: Flow(mapping=(*found, *domains), exclude=exclude),
    rules,
    st.sampled_from([(), (DOMAIN,)]),
    st.sampled_from([(), ("notes",)]),
)


@UNHURRIED
@given(flows, contacts)
def test_what_a_contributor_has_comes_back_to_it_unchanged(flow: Flow, item: Contact) -> None:
    lens = compile_lens(flow, toward_hub=True)

    back = lens.to_spoke(lens.to_hub(item), item)

    assert set(back.emails) == set(item.emails)
    assert msgspec.structs.replace(back, emails=item.emails) == item


@UNHURRIED
@given(flows, contacts)
def test_what_a_receiver_shows_comes_back_to_the_hub_unchanged(flow: Flow, item: Contact) -> None:
    lens = compile_lens(flow, toward_hub=False)
    back = lens.to_hub(lens.to_spoke(item))

    for field in lens.fields - lens.read_only - {"emails", "categories"}:
        assert getattr(back, field) == getattr(item, field)
    assert set(back.categories) == {c for c in item.categories if caseless(c) not in lens.pinned}
    if not any("new.example" in e.address or "Old" in e.address for e in item.emails):
        assert back.emails == item.emails


@UNHURRIED
@given(flows, contacts)
def test_what_a_receiver_shows_is_shown_the_same_after_coming_back(
    flow: Flow, item: Contact
) -> None:
    lens = compile_lens(flow, toward_hub=False)
    shown = lens.to_spoke(item)

    again = lens.to_spoke(lens.to_hub(shown), shown)

    if "display_name" not in lens.read_only:
        assert again.display_name == shown.display_name
    assert [caseless(e.address) for e in again.emails] == [
        caseless(e.address) for e in shown.emails
    ]


@UNHURRIED
@given(flows, contacts, st.booleans())
def test_fields_map_alone_as_they_do_in_an_item(
    flow: Flow, item: Contact, toward_hub: bool
) -> None:
    lens = compile_lens(flow, toward_hub=toward_hub)
    mapped = lens.to_hub(item)

    for field in ("display_name", "company", "job_title"):
        if field not in lens.read_only:
            assert lens.scalar_to_hub(field, item) == getattr(mapped, field)
    alone = {caseless(e.address) for e in lens.elements_to_hub("emails", item.emails)}  # type: ignore[union-attr]
    assert alone == {caseless(e.address) for e in mapped.emails}
    assert set(lens.elements_to_hub("categories", item.categories)) <= set(mapped.categories)


def test_flows_that_are_alike_share_a_lens() -> None:
    one, other = (Flow(mapping=(MappingRule(add_category="Hub"),)) for _ in range(2))

    assert compile_lens(one, toward_hub=True) is compile_lens(other, toward_hub=True)
    assert compile_lens(one, toward_hub=True) is not compile_lens(one, toward_hub=False)
