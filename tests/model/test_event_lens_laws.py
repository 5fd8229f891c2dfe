"""The laws of lenses (see `model.mapping`) for events."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cirahub_sync.configuration import FieldPolicy, Flow, MappingRule, Policy
from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.event import INBOUND, INITIAL, INNER, LOCAL, SHARED, Event, Occurrence, Role
from cirahub_sync.model.kind import EVENTS
from cirahub_sync.model.limits import changed_fields
from cirahub_sync.model.mapping import Lens, compile_lens

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
PREFIX = MappingRule(field="subject", prefix="[X] ")
BUSY = MappingRule(field="subject", set_value="Busy")

texts = st.sampled_from(["", "Review", "[X] ", "[X] Review", "Plan (Ext)", "é"])
days = [f"2026-12-0{day}" for day in range(1, 6)]


@st.composite
def exceptions(draw: st.DrawFn) -> tuple[Occurrence, ...]:
    found = []
    for day in sorted(draw(st.lists(st.sampled_from(days), unique=True, max_size=3))):
        moved = draw(st.sampled_from(["", f"{day}T10:00:00"]))
        found.append(
            Occurrence(day, cancelled=True)
            if draw(st.booleans())
            else Occurrence(
                day,
                start=moved,
                end=moved,
                subject=draw(texts),
                body=draw(texts),
                location=draw(texts),
            )
        )
    return tuple(one for one in found if one.says)  # as every endpoint reads them


events = st.builds(
    Event,
    subject=texts,
    body=texts,
    location=texts,
    schedule=st.just("DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261202\nRRULE:FREQ=DAILY"),
    exceptions=exceptions(),
    uid=st.sampled_from(["", "u1"]),
    role=st.sampled_from(["", *Role]),
    response=st.sampled_from(["", "accepted"]),
    show_as=st.sampled_from(["", "free"]),
    reminder=st.sampled_from(["", "15"]),
    sensitivity=st.sampled_from(["", "private"]),
    categories=st.sampled_from([(), ("Red",)]),
)
steps = st.lists(
    st.sampled_from(
        [
            PREFIX,
            BUSY,
            MappingRule(field="subject", suffix=" (Ext)"),
            MappingRule(field="body", set_value=""),
            MappingRule(field="subject", template="{subject}[, {body}]"),
        ]
    ),
    max_size=3,
).map(tuple)
excluded = st.lists(st.sampled_from(["location", "exceptions"]), unique=True).map(tuple)
cleared = st.sampled_from([(), (FieldPolicy(Policy.CLEAR, ("location",)),)])
initial = st.lists(
    st.sampled_from(
        [
            MappingRule(field="showAs", set_value="free"),
            MappingRule(field="reminder", set_value="5"),
            MappingRule(add_category="Shared"),
        ]
    ),
    unique_by=lambda rule: (rule.field, rule.add_category),
).map(tuple)
toward_hub = st.builds(Flow, mapping=steps, exclude=excluded).map(
    lambda flow: compile_lens(flow, toward_hub=True, kind=EVENTS)
)
toward_spoke = st.builds(
    lambda mapping, first, exclude, policies: Flow(
        mapping=(*mapping, *first),
        exclude=() if policies else exclude,
        policies=policies,
    ),
    steps,
    initial,
    excluded,
    cleared,
).map(lambda flow: compile_lens(flow, toward_hub=False, kind=EVENTS))


def texts_of(event: Event) -> set[str]:
    return {
        text
        for one in (event, *event.exceptions)
        for field in INNER
        if (text := getattr(one, field).strip())
    }


@UNHURRIED
@given(toward_hub, events)
def test_what_comes_back_to_where_it_is_native_is_what_was_there(lens: Lens, event: Event) -> None:
    assert lens.to_spoke(lens.to_hub(event), event) == event


@UNHURRIED
@given(toward_hub, events, events)
def test_nothing_that_is_a_mailboxes_own_is_written_where_an_event_is_native(
    lens: Lens, event: Event, hub: Event
) -> None:
    shown = lens.to_spoke(hub, event)

    assert not {*changed_fields(event, shown)} & (INBOUND | LOCAL)


@UNHURRIED
@given(toward_hub, events)
def test_the_hub_hears_nothing_that_is_a_mailboxes_own(lens: Lens, event: Event) -> None:
    heard = lens.to_hub(event)

    assert all(not getattr(heard, field) for field in LOCAL)
    assert all(getattr(heard, field) == getattr(event, field) for field in INBOUND)


@UNHURRIED
@given(toward_spoke, events, events)
def test_a_copy_has_nothing_that_says_whose_an_event_is(
    lens: Lens, event: Event, held: Event
) -> None:
    made = lens.to_spoke(event)

    assert all(not getattr(made, field) for field in INBOUND)
    assert all(not getattr(made, field) for field in LOCAL - INITIAL)
    kept = lens.to_spoke(event, held)
    assert all(getattr(kept, field) == getattr(held, field) for field in INBOUND | LOCAL)


@UNHURRIED
@given(toward_spoke, events, events)
def test_a_copy_is_told_back_as_what_it_was_made_of(lens: Lens, event: Event, held: Event) -> None:
    hub = msgspec.structs.replace(event, **dict.fromkeys(INBOUND | LOCAL - {"categories"}, ""))
    hub = msgspec.structs.replace(hub, categories=())
    back = lens.to_hub(lens.to_spoke(hub, held))

    for field in SHARED & lens.fields - lens.read_only:
        if field == "exceptions":
            shown = lens.to_spoke(hub, held).exceptions
            assert lens.elements_to_hub(field, shown) == hub.exceptions
        elif field == "subject" and hub.subject.strip() in ("[X]", ""):
            assert getattr(back, field) in (hub.subject, "")
        else:
            assert getattr(back, field) == getattr(hub, field)


@UNHURRIED
@given(toward_spoke, events, events)
def test_showing_a_copy_again_changes_nothing(lens: Lens, event: Event, held: Event) -> None:
    shown = lens.to_spoke(event, held)

    assert lens.to_spoke(event, shown) == shown


@UNHURRIED
@given(events)
def test_free_and_busy_times_tell_no_text_of_any_occurrence(event: Event) -> None:
    flow = Flow(mapping=(BUSY,), exclude=("body", "location"))

    for lens in (
        compile_lens(flow, toward_hub=False, kind=EVENTS),
        compile_lens(flow, toward_hub=True, kind=EVENTS),
    ):
        shown = lens.to_spoke(event) if not lens.toward_hub else lens.to_hub(event)
        assert texts_of(shown) <= {"Busy"}
        assert shown.schedule == event.schedule
        cancelled = {one.original for one in event.exceptions if one.cancelled or one.start}
        assert {one.original for one in shown.exceptions} == cancelled


def test_a_copy_whose_exceptions_lose_their_text_tells_nothing_of_them() -> None:
    prefixed, busy = (
        compile_lens(Flow(mapping=(rule,)), toward_hub=False, kind=EVENTS)
        for rule in (PREFIX, BUSY)
    )

    assert "exceptions" not in prefixed.read_only
    assert "exceptions" in busy.read_only


def test_a_copy_gets_what_its_mapping_says_of_a_mailboxes_own_fields_when_it_is_made() -> None:
    flow = Flow(
        mapping=(MappingRule(field="showAs", set_value="free"), MappingRule(add_category="Shared"))
    )
    lens = compile_lens(flow, toward_hub=False, kind=EVENTS)
    event = Event(subject="Review", show_as="busy", categories=("Red",))

    made = lens.to_spoke(event)

    assert (made.show_as, made.categories) == ("free", ("Shared",))
    assert lens.key != compile_lens(Flow(), toward_hub=False, kind=EVENTS).key


@pytest.mark.parametrize(
    ("rule", "toward"),
    [
        (MappingRule(field="showAs", set_value="free"), True),
        (MappingRule(field="showAs", prefix="x"), False),
        (MappingRule(field="role", set_value="organizer"), False),
        (MappingRule(field="uid", set_value="u1"), False),
        (MappingRule(field="schedule", set_value="now"), False),
        (MappingRule(field="response", set_value="accepted"), False),
        (MappingRule(add_category="Shared"), True),
        (MappingRule(field="subject", template="{role}"), False),
    ],
)
def test_a_mapping_can_not_make_what_is_not_its_to_make(rule: MappingRule, toward: bool) -> None:
    with pytest.raises(ConfigurationError):
        compile_lens(Flow(mapping=(rule,)), toward_hub=toward, kind=EVENTS)


@pytest.mark.parametrize("name", ["uid", "role", "showAs", "categories", "schedule"])
def test_a_flow_can_not_leave_out_what_makes_an_event_or_never_passes(name: str) -> None:
    with pytest.raises(ConfigurationError):
        compile_lens(Flow(exclude=(name,)), toward_hub=True, kind=EVENTS)
