"""What is promised of events."""

from __future__ import annotations

from prove.breakage import Breakage

CALENDARS = "Calendars"
_MODEL = "sync/cirahub_sync/model"
_ENGINE = "sync/cirahub_sync/engine"
_LENS = "tests/model/test_event_lens_laws.py::"
_FOLD = "tests/engine/test_event_fold.py::"
_PLAN = "tests/engine/test_event_plan.py::"
_SCHEDULE = "tests/model/test_schedule.py::"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=10,
        what="an event is written to where it has attendees",
        file=f"{_ENGINE}/plan.py",
        old="if shadow is not None and read_only(shadow.content):",
        new="if False:",
        tests=_PLAN + "test_nothing_is_written_to_an_event_with_attendees_whatever_became_of_it",
    ),
    Breakage(
        guards=10,
        what="it is forgotten that an event has attendees when a filter keeps it out",
        file=f"{_MODEL}/kind.py",
        old="if isinstance(content, Event) and content.role:",
        new="if False:",
        tests=_PLAN + "test_what_a_filter_keeps_out_is_still_known_to_be_read_only",
    ),
    Breakage(
        guards=CALENDARS,
        what="what says whose an event is passes on into copies",
        file=f"{_MODEL}/mapping.py",
        old="    if toward_hub:\n        fields |= kind.inbound",
        new="    fields |= kind.inbound",
        tests=_LENS + "test_a_copy_has_nothing_that_says_whose_an_event_is",
    ),
    Breakage(
        guards=CALENDARS,
        what="what a mailbox has for itself is written where it is native",
        file=f"{_MODEL}/mapping.py",
        old="*((*rules.computed, *kind.inbound) if toward_hub else ())",
        new="*(rules.computed if toward_hub else ())",
        tests=_LENS + "test_nothing_that_is_a_mailboxes_own_is_written_where_an_event_is_native",
    ),
    Breakage(
        guards=CALENDARS,
        what="free and busy times tell what an occurrence is about",
        file=f"{_MODEL}/mapping.py",
        old="silent = (*self._hidden, *rules.computed, *self._cleared)\n            self._inner",
        new="silent = ()\n            self._inner",
        tests=_LENS + "test_free_and_busy_times_tell_no_text_of_any_occurrence",
    ),
    Breakage(
        guards=CALENDARS,
        what="an edit of a copy changes a meeting",
        file=f"{_ENGINE}/authority.py",
        old="if its == role]",
        new='if its in (role, "")]',
        tests=_FOLD + "test_an_edit_of_a_copy_of_what_is_read_only_at_its_source_is_a_conflict",
    ),
    Breakage(
        guards=CALENDARS,
        what="an edit of a copy of a meeting is lost without a trace",
        file=f"{_ENGINE}/authority.py",
        old="    if not it.others:",
        new="    if True:",
        tests=_FOLD + "test_an_edit_of_a_copy_of_what_is_read_only_at_its_source_is_a_conflict",
    ),
    Breakage(
        guards=CALENDARS,
        what="of two changes of one occurrence the loser is not kept",
        file=f"{_ENGINE}/lists.py",
        old="    if field in rules.kind.contested:",
        new="    if False:",
        tests=_FOLD
        + "test_one_occurrence_that_two_changed_at_once_is_a_conflict_whose_loser_is_kept",
    ),
    Breakage(
        guards=CALENDARS,
        what="an event outlives what its organiser deleted",
        file=f"{_ENGINE}/departure.py",
        old="return allowed_by is not DeletedBy.NEVER",
        new="return False",
        tests=_PLAN + "test_an_event_dies_with_its_organisers_and_not_with_one_of_the_invited",
    ),
    Breakage(
        guards=CALENDARS,
        what="a month that is too short for a day is left out as in another system",
        file=f"{_MODEL}/schedule.py",
        old="    if rule.clamped:  #",
        new="    if False:  #",
        tests=_SCHEDULE
        + "test_a_month_without_the_day_has_no_occurrence_or_its_last_day_as_the_rule_says",
    ),
    Breakage(
        guards=CALENDARS,
        what="a private event is contributed",
        file=f"{_ENGINE}/context.py",
        old="return not (isinstance(item, Event) and private(item)) and admits(item)",
        new="return admits(item)",
        tests=_PLAN + "test_an_event_that_its_owner_keeps_private_is_not_contributed",
    ),
    Breakage(
        guards=CALENDARS,
        what="a field that never syncs hides that an event is private",
        file="sync/cirahub_sync/endpoints/masking.py",
        old="        content = item.content\n",
        new="        content = super()._item(item).content\n",
        tests="tests/endpoints/test_masking.py::test_a_private_event_is_masked_however_it_is_read",
    ),
    Breakage(
        guards=CALENDARS,
        what="what leaves the window is taken for deleted",
        file=f"{_ENGINE}/merge.py",
        old="                spare(tx, run, context.span, cursor.round)",
        new="                pass",
        tests=_PLAN
        + "test_what_leaves_the_window_is_no_deletion_and_what_was_moved_out_is_looked_for",
    ),
    Breakage(
        guards=CALENDARS,
        what="what was moved out of the window is taken for deleted",
        file=f"{_ENGINE}/pull.py",
        old="staged += await _unshown(context, run, endpoint, [*retried, *staged])",
        new="pass",
        tests=_PLAN
        + "test_what_leaves_the_window_is_no_deletion_and_what_was_moved_out_is_looked_for",
    ),
    Breakage(
        guards=CALENDARS,
        what="what is ahead of the window is forgotten",
        file=f"{_ENGINE}/deliver.py",
        old="        await_window(self._context, run, tx, judgements)\n",
        new="",
        tests=_PLAN + "test_a_copy_is_made_when_its_event_comes_into_the_window",
    ),
)
