"""What the semantics promise of two spokes that keep changing a field back and forth."""

from __future__ import annotations

from prove.breakage import Breakage

FLIPS = "Flips"
_ENGINE = "sync/cirahub_sync/engine"
_FLIPS = "tests/engine/test_flips.py::"
_FROZEN = "tests/engine/test_frozen.py::"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=FLIPS,
        what="what flips is noticed by nobody",
        file=f"{_ENGINE}/chunk.py",
        old="        if self._taken_back:",
        new="        if False:",
        tests=_FLIPS + "test_a_field_flipped_three_times_in_24_hours_between_two_writers_is_frozen",
    ),
    Breakage(
        guards=FLIPS,
        what="flips count for ever",
        file=f"{_ENGINE}/flips.py",
        old="[one for one in flips if last.at - one.at <= FLIPS_COUNT_FOR]",
        new="list(flips)",
        tests=_FROZEN + "test_two_spokes_that_take_turns_three_times_in_a_day_are_rivals",
    ),
    Breakage(
        guards=FLIPS,
        what="who merely edits is taken for one that flips",
        file="sync/cirahub_sync/model/observe.py",
        old="                if said is not None and same_value(field, said.value, value):",
        new="                if said is not None:",
        tests=_FLIPS + "test_two_people_who_write_one_field_in_turn_flip_nothing",
    ),
    Breakage(
        guards=FLIPS,
        what="who wrote third decides what stands",
        file=f"{_ENGINE}/flips.py",
        old="    holder = min(turns, key=lambda one: one.said).spoke",
        new="    holder = turns[-1].spoke",
        tests=_FLIPS + "test_a_frozen_field_stays_at_what_was_there_first",
    ),
    Breakage(
        guards=FLIPS,
        what="a frozen field is written to those who flip it",
        file=f"{_ENGINE}/judging.py",
        old="            frozen=known.frozen.get(item.id, ()),",
        new="            frozen=(),",
        tests=_FLIPS + "test_neither_writer_is_written_a_frozen_field_any_more",
    ),
    Breakage(
        guards=FLIPS,
        what="the fold listens to the writers of a frozen field",
        file=f"{_ENGINE}/fold.py",
        old="        folded = fold(held(inputs, standing), rules, decisions, explain=explain)",
        new="        folded = fold(inputs, rules, decisions, explain=explain)",
        tests=_FROZEN + "test_of_two_writers_what_the_holder_said_then_stands",
    ),
    Breakage(
        guards=FLIPS,
        what="what a frozen field's writers say is lost",
        file=f"{_ENGINE}/fold.py",
        old="            conflicts=(*folded.conflicts, *conflicts),",
        new="            conflicts=folded.conflicts,",
        tests=_FLIPS + "test_what_the_writers_of_a_frozen_field_write_changes_nothing_and_is_kept",
    ),
    Breakage(
        guards=FLIPS,
        what="a freeze outlives what its writers say",
        file=f"{_ENGINE}/refold.py",
        old="    if freezes and ended(tx, freezes, inputs):",
        new="    if False:",
        tests=_FLIPS + "test_a_freeze_goes_with_a_field_that_never_syncs_any_more",
    ),
    Breakage(
        guards=FLIPS,
        what="flips outlive who made them",
        file=f"{_ENGINE}/leave.py",
        old="        tx.flips.forget(uid)\n",
        new="",
        tests=_FLIPS + "test_flips_go_with_either_of_their_writers",
    ),
    Breakage(
        guards=FLIPS,
        what="who was not shown a frozen field overrules who wrote it meanwhile",
        file=f"{_ENGINE}/frozen.py",
        old="_replace(when, base=min(when.base, seq)) if when.seq > seq else when",
        new="when",
        tests=_FLIPS + "test_who_was_not_shown_a_frozen_field_overrules_nobody_in_it",
    ),
    Breakage(
        guards=FLIPS,
        what="what is thawed is not written to those who had frozen it",
        file=f"{_ENGINE}/flips.py",
        old="        tx.pending.reconsider(one.spoke, [freeze.item])",
        new="        pass",
        tests=_FLIPS + "test_a_person_s_decision_ends_a_freeze",
    ),
)
