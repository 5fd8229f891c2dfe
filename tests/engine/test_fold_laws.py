"""Laws of the fold, over random histories."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.engine.history import (
    LISTS,
    N0,
    N1,
    N2,
    NEWEST,
    PRIORITY,
    History,
)

from cirahub_sync.configuration import ConflictPolicy, ListPolicy
from cirahub_sync.engine.fold import Folded, fold
from cirahub_sync.engine.rules import FoldInput, Rules
from cirahub_sync.model.contact import (
    Contact,
    CustomField,
    Element,
    Email,
    Phone,
    PhoneKind,
)
from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.model.kind import as_contact
from cirahub_sync.model.normalise import keyed

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ELEMENTS: dict[str, list[Element]] = {
    "emails": [Email("a@x.example"), Email("A@x.example", "A"), Email("b@x.example")],
    "phones": [
        Phone(PhoneKind.MOBILE, N0),
        Phone(PhoneKind.MOBILE, N1),
        Phone(PhoneKind.MOBILE, N2),
        Phone(PhoneKind.HOME, N0),
    ],
    "categories": ["Red", "red", "Blue"],
    "custom": [CustomField("n", "1"), CustomField("N", "1"), CustomField("n", "2")],
}
SPOKES = ("a", "b", "c")
contacts = st.builds(
    Contact,
    company=st.sampled_from(["", "Acme", "Brown"]),
    title=st.sampled_from(["", "Dr"]),
    **{
        field: st.lists(st.sampled_from(elements), max_size=3).map(
            lambda found, field=field: tuple(keyed(field, found).values())  # type: ignore[misc]
        )
        for field, elements in ELEMENTS.items()
    },
)
times = st.tuples(st.integers(0, 5), st.integers(0, 3)).map(lambda t: (t[0], t[0] + t[1]))
one_field = st.sampled_from(["company", "title", *LISTS])
actions = st.sampled_from(["arrives", "edits", "edits", "receives", "decides"])
step = st.tuples(actions, st.sampled_from(SPOKES), contacts, one_field, times)
steps = st.lists(step, max_size=12)
Step = tuple[str, str, Contact, str, tuple[int, int]]


def only(field: str, old: Contact, new: Contact) -> Contact:
    return msgspec.structs.replace(old, **{field: getattr(new, field)})


def decide_one(history: History, content: Contact, pick: int) -> None:
    """One of what is undecided, one way or another."""
    undecided = history.fold().undecided
    if undecided:
        conflict = undecided[pick % len(undecided)]
        sides = [c for c in conflict.contenders if c.spoke]
        if conflict.field in LISTS or pick % 2:
            history.decides(conflict, sides[pick % len(sides)])
        else:
            history.decides(conflict, getattr(content, conflict.field))


def live(script: Sequence[Step], rules: Rules) -> History:
    history = History(rules)
    for action, spoke, content, field, (lower, upper) in script:
        if action == "decides":
            decide_one(history, content, lower)
        elif spoke not in history.shadow:
            if action == "arrives":
                history.arrives(spoke, content, lower=lower, upper=upper)
            elif action == "receives":
                history.own[spoke] = OwnEdits()
                history.receives(spoke)
        elif action == "edits":
            edited = only(field, history.shadow[spoke], content)
            history.edits(spoke, edited, lower=lower, upper=upper)
        else:
            history.receives(spoke)
    return history


def shown(contact: Contact) -> dict[str, object]:
    """Everything but the order of lists."""
    found: dict[str, object] = {"company": contact.company, "title": contact.title}
    for field in LISTS:
        found[field] = keyed(field, getattr(contact, field))
    return found


def listing(policy: ConflictPolicy, mode: ListPolicy) -> Rules:
    return Rules(policy, lists=dict.fromkeys(LISTS, mode), order=PRIORITY.order)


all_rules = st.builds(listing, st.sampled_from(ConflictPolicy), st.sampled_from(ListPolicy))


@settings(UNHURRIED, max_examples=300)
@given(steps, all_rules, step)
def test_what_an_author_who_saw_the_hub_leaves_behind_is_what_the_hub_then_shows(
    script: list[Step], rules: Rules, last: Step
) -> None:
    history = live(script, rules)
    _, spoke, content, field, time = last
    edited = only(field, history.receives(spoke), content)

    history.edits(spoke, edited, lower=time[0], upper=time[1])

    assert shown(as_contact(history.fold().content)) == shown(edited)


@settings(UNHURRIED, max_examples=100)
@given(steps, all_rules)
def test_the_order_of_the_inputs_decides_nothing(script: list[Step], rules: Rules) -> None:
    history = live(script, rules)
    inputs, decisions = history.inputs(), history.decisions
    expected = fold(inputs, rules, decisions)

    assert all(fold(p, rules, decisions) == expected for p in itertools.permutations(inputs))
    assert fold(inputs, rules, decisions[::-1]) == expected


@settings(UNHURRIED, max_examples=100)
@given(steps, all_rules, st.sampled_from(SPOKES))
def test_an_input_taken_away_leaves_nothing_behind(
    script: list[Step], rules: Rules, leaver: str
) -> None:
    history = live(script, rules)
    others = [item for item in history.inputs() if item.spoke != leaver]
    blank = [FoldInput(leaver, 0, native=False, own=OwnEdits())]
    decisions = [one for one in history.decisions if not one.concerns(leaver)]

    left = fold(others, rules, decisions)

    assert left == fold(others, rules, history.decisions)
    assert left == fold([*others, *blank], rules, history.decisions)
    assert leaver not in {c.winner_spoke for c in left.conflicts}
    assert leaver not in {c.loser_spoke for c in left.conflicts}
    assert leaver not in {c.spoke for one in left.undecided for c in one.contenders}


@settings(UNHURRIED, max_examples=200)
@given(steps, st.sampled_from(ListPolicy), st.integers(0, 5))
def test_what_a_person_decided_is_decided(script: list[Step], mode: ListPolicy, pick: int) -> None:
    history = live(script, listing(ConflictPolicy.MANUAL, mode))
    undecided = history.fold().undecided
    if not undecided:
        return
    conflict = undecided[pick % len(undecided)]
    sides = [c for c in conflict.contenders if c.spoke]
    chosen = sides[pick % len(sides)]

    history.decides(conflict, chosen)

    folded = history.fold()
    assert conflict not in folded.undecided
    shown = getattr(folded.content, conflict.field)
    if conflict.field not in LISTS:
        assert shown == chosen.values[0]
        assert all(one.field != conflict.field for one in folded.undecided)
    elif chosen.key:
        # Who saw the chosen element may have spelled it otherwise since.
        assert chosen.key in keyed(conflict.field, shown)


@settings(UNHURRIED, max_examples=100)
@given(steps, all_rules)
@example([], NEWEST)
def test_folding_what_was_folded_changes_nothing(script: list[Step], rules: Rules) -> None:
    content = as_contact(live(script, rules).fold().content)
    again = History(rules)

    again.arrives("a", content)

    assert again.fold() == Folded(content, (), alive=True)


@settings(UNHURRIED, max_examples=100)
@given(steps, all_rules)
def test_every_value_of_the_hub_is_a_value_that_some_spoke_has_itself(
    script: list[Step], rules: Rules
) -> None:
    history = live(script, rules)
    content = history.fold().content

    for field in ("company", "title"):
        value = getattr(content, field)
        values = [o.scalars[field].value for o in history.own.values() if field in o.scalars]
        values += [one.value for one in history.decisions if one.field == field]
        assert not value or value in values
    for field in LISTS:
        own = [e.element for o in history.own.values() for e in o.elements.get(field, {}).values()]
        assert all(element in own for element in getattr(content, field))


@settings(UNHURRIED, max_examples=200)
@given(steps, all_rules)
def test_a_fold_that_tells_its_winners_is_the_same_fold_and_names_who_said_each_value(
    script: list[Step], rules: Rules
) -> None:
    history = live(script, rules)

    told = fold(history.inputs(), rules, history.decisions, explain=True)

    assert msgspec.structs.replace(told, wins=()) == history.fold()
    said = {field for own in history.own.values() for field in own.scalars}
    assert sorted(win.field for win in told.wins if not win.key) == sorted(said)
    elements = {(f, key) for f in LISTS for key in keyed(f, getattr(told.content, f))}
    assert {(win.field, win.key) for win in told.wins if win.key} == elements
    for win in told.wins:
        value = getattr(told.content, win.field)
        if win.key:
            assert history.own[win.spoke].elements[win.field][win.key].element in value
        elif win.spoke:
            assert history.own[win.spoke].scalars[win.field].value == value
        else:
            assert value in {one.value for one in history.decisions if one.field == win.field}
