"""The laws of lenses (see `model.mapping`), for every rule and any composition of them."""

from __future__ import annotations

import msgspec
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cirahub_sync.configuration import FieldPolicy, Flow, MappingRule, PhoneForm, Policy
from cirahub_sync.model.contact import LIST_FIELDS, Contact, Email, Phone, PhoneKind
from cirahub_sync.model.mapping import Lens, compile_lens
from cirahub_sync.model.normalise import caseless, element_key, same_value
from cirahub_sync.model.section import Section

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
START, END = "-- ours --", "-- theirs --"
SECTION = Section(START, END)
REGION, HUB = "DE", "US"

texts = st.sampled_from(["", " ", "Ann", "[X] ", "[X] Ann", "Ann (Ext)", "é"])
lines = st.sampled_from(["", "a", " b", START, END, f"> {START}", f"> > {END}", f" {START}", ">"])
notes = st.lists(lines, max_size=7).map("\n".join)
addresses = st.sampled_from(["a@old.example", "a@new.example", "b@x.example", "broken"])
numbers = st.sampled_from(
    [
        "030 123456",
        "+49 30 123456",
        "0049 30/123456",
        "425-555-0101",
        "+1 (425) 555 0101",
        "+1 425 555 0101 ext. 7",
        "5550101",
        "110",
        "+39 06 698 1234",
        "extension 5",
    ]
)
phones = st.lists(
    st.builds(Phone, st.sampled_from([PhoneKind.HOME, PhoneKind.MOBILE]), numbers), max_size=4
).map(tuple)
contacts = st.builds(
    Contact,
    display_name=texts,
    job_title=texts,
    company=texts,
    notes=notes,
    emails=st.lists(addresses, unique=True, max_size=3).map(lambda a: tuple(map(Email, a))),
    phones=phones,
    categories=st.lists(st.sampled_from(["CiraHub", "Red"]), unique=True).map(tuple),
)
rules = st.lists(
    st.sampled_from(
        [
            MappingRule(field="displayName", prefix="[X] "),
            MappingRule(field="displayName", suffix=" (Ext)"),
            MappingRule(field="jobTitle", set_value="Partner"),
            MappingRule(field="displayName", template="{company}[: {surname}]"),
            MappingRule(add_category="CiraHub"),
            *(MappingRule(phone_format=form) for form in PhoneForm),
        ]
    ),
    max_size=5,
)
domains = st.sampled_from([(), (MappingRule(replace_domain=("old.example", "new.example")),)])


def _composed(policies: tuple[Policy, ...]) -> st.SearchStrategy[Flow]:
    return st.builds(
        lambda found, moved, exclude, decided: Flow(
            mapping=(*found, *moved),
            exclude=exclude,
            policies=tuple(FieldPolicy(policy, (field,)) for field, policy in decided.items()),
        ),
        rules,
        domains,
        st.sampled_from([(), ("notes",)]),
        st.dictionaries(st.sampled_from(["emails", "manager"]), st.sampled_from(policies)),
    ).filter(lambda flow: not (flow.policies and any(r.replace_domain for r in flow.mapping)))


contributing = _composed((Policy.OVERWRITE, Policy.KEEP, Policy.CLEAR)).map(
    lambda flow: compile_lens(flow, toward_hub=True, region=REGION, hub_region=HUB)
)
receiving = st.tuples(_composed(tuple(Policy)), st.booleans()).map(
    lambda made: compile_lens(_with_section(*made), toward_hub=False, region=REGION, hub_region=HUB)
)


def _with_section(flow: Flow, enclosed: bool) -> Flow:
    if not enclosed or "notes" in flow.exclude:
        return flow
    step = MappingRule(notes_between=(START, END))
    return msgspec.structs.replace(flow, mapping=(*flow.mapping, step))


@UNHURRIED
@given(contributing, contacts)
def test_what_a_contributor_has_comes_back_to_it_to_the_letter(lens: Lens, item: Contact) -> None:
    back = lens.to_spoke(lens.to_hub(item), item)

    assert set(back.emails) == set(item.emails)
    assert msgspec.structs.replace(back, emails=item.emails) == item


@UNHURRIED
@given(receiving, contacts, contacts)
def test_what_the_hub_has_comes_back_from_a_receiver_whatever_that_held(
    lens: Lens, item: Contact, held: Contact
) -> None:
    assume(all(map(_unambiguous, item.phones)))
    back = lens.to_hub(lens.to_spoke(item, held))

    for field in lens.fields - lens.read_only - lens.filled - LIST_FIELDS:
        assert same_value(field, getattr(back, field), getattr(item, field)), field
    assert _keys(back) == _keys(item)
    assert set(back.categories) == {c for c in item.categories if caseless(c) not in lens.pinned}


@UNHURRIED
@given(receiving, contacts, contacts)
def test_showing_the_same_again_changes_nothing(lens: Lens, item: Contact, held: Contact) -> None:
    shown = lens.to_spoke(item, held)

    assert lens.to_spoke(item, shown) == shown
    assert lens.blended(lens.to_spoke(item), held) == shown, "as when what is held is read later"


@UNHURRIED
@given(receiving, contacts, contacts, contacts)
def test_a_receiver_forgets_what_the_hub_had_before(
    lens: Lens, first: Contact, second: Contact, held: Contact
) -> None:
    """But for a user's notes that read as the hub's do: those are taken for ours."""
    theirs = (held.notes.strip(), SECTION.put("", held.notes).strip())
    assume(first.notes.strip() not in theirs)
    assume(second.notes.strip() not in theirs)
    twice = lens.to_spoke(second, lens.to_spoke(first, held))
    once = lens.to_spoke(second, held)

    for field in lens.fields - lens.filled - {"notes"}:
        assert getattr(twice, field) == getattr(once, field), field
    assert same_value("notes", twice.notes, once.notes)


@UNHURRIED
@given(receiving, contacts, contacts)
def test_a_receivers_own_item_loses_nothing_that_is_left_to_it(
    lens: Lens, item: Contact, held: Contact
) -> None:
    spared = lens.spared(item, held)

    for field in lens.filled:
        assert getattr(spared, field) == (getattr(held, field) or getattr(item, field))
    assert lens.spared(spared, held) == spared


@UNHURRIED
@given(notes, notes)
def test_a_section_gives_back_what_was_put_in_and_leaves_the_rest(ours: str, text: str) -> None:
    put = SECTION.put(ours, text)

    assert (SECTION.get(put) or "").strip() == ours.strip()
    assert SECTION.put(ours, put) == put
    assert SECTION.put(SECTION.get(put) or "", put) == put
    if SECTION.get(text) is None and text.strip() and text.strip() != ours.strip():
        assert put.startswith(text)
        assert SECTION.put("", put) == text


@UNHURRIED
@given(notes, notes, notes, notes)
def test_what_stands_around_a_section_is_its_users(
    above: str, below: str, ours: str, others: str
) -> None:
    assume(SECTION.get(above) is None and START not in above and others.strip())
    text = f"{above}\n{START}\nsomething else\n{END}\n{below}"

    put = SECTION.put(others, text)

    assert put.startswith(f"{above}\n{START}\n")
    assert put.endswith(f"\n{END}\n{below}")
    assert SECTION.put(ours, put) == SECTION.put(ours, text)


@UNHURRIED
@given(numbers, st.sampled_from(list(PhoneForm)), st.booleans())
def test_a_formatted_number_is_the_same_number(
    number: str, form: PhoneForm, toward_hub: bool
) -> None:
    flow = Flow(mapping=(MappingRule(phone_format=form),))
    lens = compile_lens(flow, toward_hub=toward_hub, region=REGION, hub_region=HUB)
    source, target = (REGION, HUB) if toward_hub else (HUB, REGION)
    phone = Phone(PhoneKind.HOME, number)

    item = Contact(phones=(phone,))
    (shown,) = (lens.to_hub(item) if toward_hub else lens.to_spoke(item)).phones

    if shown != phone:
        assert element_key("phones", shown, target) == element_key("phones", phone, source)


def _keys(item: Contact) -> list[str]:
    return [element_key("phones", phone, HUB) for phone in item.phones]


def _unambiguous(phone: Phone) -> bool:
    """Not one that is no number in the hub's region, and is one in the mailbox's."""
    return phone.number not in {"5550101", "030 123456", "0049 30/123456"}
