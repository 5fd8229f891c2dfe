"""Events fold as contacts do, but for who has a say in them."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cirahub_sync.configuration import ConflictPolicy, Flow
from cirahub_sync.engine.fold import Folded, fold
from cirahub_sync.engine.rules import FoldInput, Rules
from cirahub_sync.model.decision import Decision
from cirahub_sync.model.edit import Awareness, OwnEdits
from cirahub_sync.model.event import Event, Occurrence, Role
from cirahub_sync.model.kind import EVENTS, as_event
from cirahub_sync.model.mapping import compile_lens
from cirahub_sync.model.observe import record

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NEWEST = Rules(ConflictPolicy.NEWEST, kind=EVENTS)
MANUAL = Rules(ConflictPolicy.MANUAL, kind=EVENTS)
NATIVE = compile_lens(Flow(), toward_hub=True, kind=EVENTS)
COPY = compile_lens(Flow(), toward_hub=False, kind=EVENTS)

NINE = "DTSTART;TZID=UTC:20261201T090000\nDTEND;TZID=UTC:20261201T100000"
TEN = "DTSTART;TZID=UTC:20261201T100000\nDTEND;TZID=UTC:20261201T110000"
DAILY = f"{NINE}\nRRULE:FREQ=DAILY;COUNT=10"
MOVED = Occurrence("2026-12-02", start="2026-12-02T15:00:00", end="2026-12-02T16:00:00")
CANCELLED = Occurrence("2026-12-02", cancelled=True)
RENAMED = Occurrence("2026-12-03", subject="Review (last)")
REVIEW = Event(subject="Review", schedule=NINE, uid="u1")
SERIES = msgspec.structs.replace(REVIEW, schedule=DAILY)


def when(seq: int, base: int = 0, time: float | None = None) -> Awareness:
    at = float(seq) if time is None else time
    return Awareness(seq, base, at, at)


def native(spoke: str, event: Event, seq: int, rank: int = 0) -> FoldInput:
    own = record(
        OwnEdits(),
        shadow=None,
        observed=event,
        lens=NATIVE,
        when=when(seq),
        native_first_sight=True,
    ).own
    return FoldInput(spoke, rank, native=True, own=own)


def edited(
    spoke: str, before: Event, after: Event, seq: int, *, base: int = 0, of: FoldInput | None = None
) -> FoldInput:
    """What the user of a copy, or of an event of the spoke's own (`of`), made of it."""
    own = record(
        of.own if of is not None else OwnEdits(),
        shadow=before,
        observed=after,
        lens=NATIVE if of is not None else COPY,
        when=when(seq, base),
        native_first_sight=False,
    ).own
    return FoldInput(spoke, 0, native=of is not None, own=own)


def but(event: Event, **changes: object) -> Event:
    return msgspec.structs.replace(event, **changes)


def shown(folded: Folded) -> Event:
    return as_event(folded.content)


def test_two_who_move_start_and_end_at_once_make_no_meeting_that_neither_meant() -> None:
    start = "DTSTART;TZID=UTC:20261201T083000\nDTEND;TZID=UTC:20261201T100000"
    end = "DTSTART;TZID=UTC:20261201T090000\nDTEND;TZID=UTC:20261201T113000"

    folded = fold(
        [
            native("a", REVIEW, 1),
            edited("b", REVIEW, but(REVIEW, schedule=start), 3, base=2),
            edited("c", REVIEW, but(REVIEW, schedule=end), 4, base=2),
        ],
        NEWEST,
    )

    assert shown(folded).schedule == end
    assert [(c.field, c.loser_spoke, c.value) for c in folded.conflicts] == [
        ("schedule", "b", start)
    ]


def test_exceptions_of_a_series_merge_each_by_itself() -> None:
    folded = fold(
        [
            native("a", SERIES, 1),
            edited("b", SERIES, but(SERIES, exceptions=(MOVED,)), 3, base=2),
            edited("c", SERIES, but(SERIES, exceptions=(RENAMED,)), 4, base=2),
        ],
        NEWEST,
    )

    assert shown(folded).exceptions == (MOVED, RENAMED)
    assert folded.conflicts == ()


def test_one_occurrence_that_two_changed_at_once_is_a_conflict_whose_loser_is_kept() -> None:
    folded = fold(
        [
            native("a", SERIES, 1),
            edited("b", SERIES, but(SERIES, exceptions=(MOVED,)), 3, base=2),
            edited("c", SERIES, but(SERIES, exceptions=(CANCELLED,)), 4, base=2),
        ],
        NEWEST,
    )

    assert shown(folded).exceptions == (CANCELLED,)
    assert [(c.field, c.winner_spoke, c.loser_spoke, c.value) for c in folded.conflicts] == [
        ("exceptions", "c", "b", MOVED)
    ]


def test_an_exception_to_a_day_that_the_series_no_longer_has_is_none() -> None:
    series = but(SERIES, exceptions=(MOVED,))
    weekly = f"{NINE}\nRRULE:FREQ=WEEKLY;BYDAY=TU"

    folded = fold(
        [native("a", series, 1), edited("b", series, but(series, schedule=weekly), 3, base=2)],
        NEWEST,
    )

    assert shown(folded).schedule == weekly
    assert shown(folded).exceptions == ()


def test_the_event_has_the_uid_of_where_it_is_native_and_nobodys_role() -> None:
    organised = native("a", but(REVIEW, role=Role.ORGANIZER), 1)

    folded = fold([organised, native("b", but(REVIEW, role=Role.ATTENDEE), 2)], NEWEST)

    assert (shown(folded).uid, shown(folded).role) == ("u1", "")


def test_the_organisers_event_is_what_the_organiser_has_however_late_others_see_it() -> None:
    old = native("b", but(REVIEW, subject="Old", role=Role.ATTENDEE), 9)
    organised = native("a", but(REVIEW, subject="New", role=Role.ORGANIZER), 1, rank=5)

    folded = fold([old, organised], NEWEST)

    assert shown(folded).subject == "New"
    assert folded.conflicts == ()
    assert shown(fold([old], NEWEST)).subject == "Old"


@pytest.mark.parametrize("role", [*Role])
def test_an_edit_of_a_copy_of_what_is_read_only_at_its_source_is_a_conflict(role: Role) -> None:
    source = native("a", but(REVIEW, role=role), 1)
    moved = edited("b", REVIEW, but(REVIEW, schedule=TEN), 5, base=4)

    folded = fold([source, moved], NEWEST)

    assert shown(folded).schedule == NINE
    (conflict,) = folded.conflicts
    assert conflict.read_only
    assert (conflict.field, conflict.loser_spoke, conflict.value) == ("schedule", "b", TEN)


def test_an_occurrence_that_is_changed_in_a_copy_of_a_meeting_is_such_a_conflict() -> None:
    source = native("a", but(SERIES, role=Role.ORGANIZER), 1)
    copy = edited("b", SERIES, but(SERIES, exceptions=(CANCELLED,)), 5, base=4)

    folded = fold([source, copy], NEWEST)

    assert shown(folded).exceptions == ()
    assert [(c.field, c.value, c.read_only) for c in folded.conflicts] == [
        ("exceptions", CANCELLED, True)
    ]


def test_nobody_decides_against_an_organiser() -> None:
    source = native("a", but(REVIEW, role=Role.ORGANIZER), 1)
    copy = edited("b", REVIEW, but(REVIEW, schedule=TEN), 5, base=4)
    decision = Decision("schedule", 7, 7.0, spoke="b")

    assert shown(fold([source, copy], MANUAL, [decision])).schedule == NINE
    assert fold([source, copy], MANUAL, [decision]).undecided == ()


def test_who_knows_only_the_time_yields_to_who_was_invited() -> None:
    masked = native("a", Event(subject="Private", schedule=NINE, uid="u1", role=Role.MASKED), 5)
    invited = native("b", but(REVIEW, role=Role.ATTENDEE), 1)

    assert shown(fold([masked, invited], NEWEST)).subject == "Review"
    assert shown(fold([masked], NEWEST)).subject == "Private"


texts = st.sampled_from(["", "Review", "Plan"])
lists = st.sampled_from([(), (MOVED,), (CANCELLED,), (MOVED, RENAMED), (RENAMED,)])
states = st.builds(
    Event,
    subject=texts,
    body=texts,
    schedule=st.sampled_from([DAILY, NINE, TEN]),
    exceptions=lists,
    uid=st.just("u1"),
    role=st.sampled_from(["", "", *Role]),
)


@st.composite
def inputs(draw: st.DrawFn) -> list[FoldInput]:
    made = []
    for seq, spoke in enumerate("abcd"[: draw(st.integers(1, 4))], 1):
        one = native(spoke, draw(states), seq, rank=draw(st.integers(0, 2)))
        before, after = draw(states), draw(states)
        base = draw(st.integers(0, 4))
        shape = draw(st.sampled_from(["native", "edited", "copy"]))
        if shape == "edited":
            one = edited(spoke, before, after, seq + 4, base=base, of=one)
        elif shape == "copy":
            one = edited(spoke, before, after, seq + 4, base=base)
        made.append(one)
    return made


@UNHURRIED
@given(inputs(), st.sampled_from([NEWEST, MANUAL]))
def test_the_order_of_the_inputs_does_not_count(made: list[FoldInput], rules: Rules) -> None:
    results = {msgspec.json.encode(fold(order, rules)) for order in permutations(made)}

    assert len(results) == 1


@UNHURRIED
@given(inputs(), st.sampled_from([NEWEST, MANUAL]))
def test_what_was_folded_folds_into_itself(made: list[FoldInput], rules: Rules) -> None:
    content = shown(fold(made, rules))

    assert shown(fold([native("z", content, 1)], rules)) == content


@UNHURRIED
@given(inputs())
def test_no_edit_of_the_copies_of_a_meeting_changes_it(made: list[FoldInput]) -> None:
    meeting = native("z", but(SERIES, role=Role.ORGANIZER), 99)
    others = [one for one in made if one.own.scalars.get("role") is None]

    assert shown(fold([meeting, *others], NEWEST)) == shown(fold([meeting], NEWEST))


@UNHURRIED
@given(inputs())
def test_nothing_of_whose_it_is_or_a_mailboxes_own_comes_out(made: list[FoldInput]) -> None:
    content = shown(fold(made, NEWEST))

    assert content.role == ""
    assert all(not getattr(content, field) for field in EVENTS.local)
