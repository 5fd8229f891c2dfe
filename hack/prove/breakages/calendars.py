"""What is promised of events."""

from __future__ import annotations

from prove.breakage import Breakage

CALENDARS = "Calendars"
_MODEL = "sync/cirahub_sync/model"
_ENGINE = "sync/cirahub_sync/engine"
_LENS = "tests/model/test_event_lens_laws.py::"
_FOLD = "tests/engine/test_event_fold.py::"
_PLAN = "tests/engine/test_event_plan.py::"
_WINDOW = "tests/engine/test_event_window.py::"
_SCHEDULE = "tests/model/test_schedule.py::"
_GRAPH = "sync/cirahub_sync/endpoints/graph/calendars"
_APPOINTMENTS = "sync/cirahub_sync/endpoints/appointments"
_PUSH = "tests/endpoints/graph/calendars/test_push.py::"
_WRITES = "tests/endpoints/contract/test_appointments.py::"
_VIEW = "tests/endpoints/graph/calendars/test_view.py::"
_CODEC = "tests/endpoints/graph/calendars/test_codec.py::"
_HUB = "tests/engine/test_calendars.py::"
_EWS = "sync/cirahub_sync/endpoints/exchange/calendars"
_EWS_PUSH = "tests/endpoints/exchange/calendars/test_push.py::"
_EWS_WINDOW = "tests/endpoints/exchange/calendars/test_window.py::"
_EWS_BETWEEN = "test_people_who_are_invited_between_the_look_and_the_write_are_told_nothing"

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
        tests=_WINDOW
        + "test_what_leaves_the_window_is_no_deletion_and_what_was_moved_out_is_looked_for",
    ),
    Breakage(
        guards=CALENDARS,
        what="what was moved out of the window is taken for deleted",
        file=f"{_ENGINE}/pull.py",
        old="staged += await _unshown(context, run, endpoint, [*retried, *staged])",
        new="pass",
        tests=_WINDOW
        + "test_what_leaves_the_window_is_no_deletion_and_what_was_moved_out_is_looked_for",
    ),
    Breakage(
        guards=CALENDARS,
        what="what is ahead of the window is forgotten",
        file=f"{_ENGINE}/deliver.py",
        old="        await_window(self._context, run, tx, judgements)\n",
        new="",
        tests=_WINDOW + "test_a_copy_is_made_when_its_event_comes_into_the_window",
    ),
    Breakage(
        guards=10,
        what="an event to which somebody invited people is written to all the same",
        file=f"{_GRAPH}/items.py",
        old="return bool(codec.role_of(self.wire))",
        new="return False",
        tests=_WRITES
        + "test_who_has_attendees_is_left_alone_whoever_put_them_there "
        + _HUB
        + "test_an_event_that_somebody_invites_people_to_is_left_alone_from_then_on",
    ),
    Breakage(
        guards=10,
        what="people who are invited to one occurrence of a series are not noticed",
        file=f"{_GRAPH}/codec.py",
        old="invited = bool(wire.attendees) or any(",
        new="invited = bool(wire.attendees) or all(",
        tests=_CODEC + "test_an_exception_with_attendees_makes_its_series_read_only",
    ),
    Breakage(
        guards=10,
        what="an event is written to as it was looked at, whatever became of it meanwhile",
        file=f"{_GRAPH}/letters.py",
        old='head("PATCH", path, if_match=self._etag(operation.id), prefer=(TEXT,))',
        new='head("PATCH", path, prefer=(TEXT,))',
        tests=_PUSH
        + "test_people_who_are_invited_between_the_look_and_the_write_are_not_written_to",
    ),
    Breakage(
        guards=CALENDARS,
        what="an exception that did not get through is forgotten",
        file=f"{_ENGINE}/deliver.py",
        old="if outcome.missing is None:",
        new="if True:",
        tests=_HUB
        + "test_exceptions_that_do_not_get_through_are_sent_again_and_nothing_is_made_twice",
    ),
    Breakage(
        guards=CALENDARS,
        what="a series that is found again by its stamp counts as whole",
        file=f"{_ENGINE}/recover.py",
        old="            and context.fingerprint(remote.content) != intent.fingerprint\n",
        new="            and False\n",
        tests=_HUB + "test_a_series_whose_making_was_interrupted_gets_its_exceptions",
    ),
    Breakage(
        guards=CALENDARS,
        what="the changes of a series whose master is never shown are lost",
        file=f"{_GRAPH}/delta.py",
        old="        if lost:\n",
        new="        if False:\n",
        tests=_VIEW + "test_a_change_of_one_occurrence_is_one_of_its_series",
    ),
    Breakage(
        guards=CALENDARS,
        what="an occurrence changes and its series has the etag that it had",
        file=f"{_GRAPH}/items.py",
        old="    if not inner:\n",
        new="    if True:\n",
        tests="tests/endpoints/graph/calendars/test_items.py::"
        "test_a_series_has_another_etag_when_one_of_its_occurrences_has",
    ),
    Breakage(
        guards=CALENDARS,
        what="the window moves and the calendar is looked at through the old one",
        file=f"{_GRAPH}/delta.py",
        old="if window != self._window:",
        new="if False:",
        tests=_VIEW + "test_the_token_of_another_window_or_calendar_has_expired",
    ),
    Breakage(
        guards=CALENDARS,
        what="a zone is written over and over by the name that Windows has for it",
        file=f"{_MODEL}/limits.py",
        old="return held if held and shows(held) == shown else shown",
        new="return shown",
        tests=_HUB + "test_zones_that_windows_calls_the_same_are_not_written_over_and_over",
    ),
    Breakage(
        guards=CALENDARS,
        what="a rule that Exchange has not is written as another one",
        file=f"{_APPOINTMENTS}/times.py",
        old="if shortens(rule.by_month_day, rule.by_month) and not rule.clamped:",
        new="if False:",
        tests=_CODEC + "test_what_exchange_cannot_say_is_refused_and_not_said_otherwise",
    ),
    Breakage(
        guards=CALENDARS,
        what="a calendar is read into what an earlier hub of contacts held",
        file=f"{_ENGINE}/registration.py",
        old="if kept is None or _decode(kept).item_kind is hub.item_kind:",
        new="if True:",
        tests=_HUB
        + "test_a_hub_that_is_made_again_of_another_kind_waits_for_the_erasure_of_the_first",
    ),
    Breakage(
        guards=CALENDARS,
        what="a mailbox is read into a hub of events",
        file="operator/cirahub_operator/resolver.py",
        old="if spoke.spec.item_kind is hub.spec.item_kind:",
        new="if True:",
        tests="tests/operator/test_resolver.py::"
        "test_a_spoke_of_another_kind_than_its_hub_stops_alone",
    ),
    Breakage(
        guards=10,
        what="an event with attendees is written to over EWS",
        file=f"{_EWS}/items.py",
        old="if codec.role_of(self.element, self.exceptions):",
        new="if False:",
        tests=_WRITES + "test_who_has_attendees_is_left_alone_whoever_put_them_there",
    ),
    Breakage(
        guards=10,
        what="attendees of one occurrence alone are not seen over EWS",
        file=f"{_EWS}/codec.py",
        old="(item, *(exceptions[each] for each, _ in modified(item) if each in exceptions))",
        new="(item,)",
        tests=_WRITES + "test_who_has_attendees_is_left_alone_whoever_put_them_there",
    ),
    Breakage(
        guards=10,
        what="a deletion over EWS tells those who were invited meanwhile",
        file=f"{_EWS}/letters.py",
        old="_DELETE = b' SendMeetingCancellations=\"SendToNone\"'",
        new="_DELETE = b' SendMeetingCancellations=\"SendToAllAndSaveCopy\"'",
        tests=_EWS_PUSH + _EWS_BETWEEN,
    ),
    Breakage(
        guards=10,
        what="an update over EWS is written over what was not looked at",
        file=f"{_EWS}/letters.py",
        old="    looks_first = True\n",
        new="    looks_first = False\n",
        tests=_EWS_PUSH + _EWS_BETWEEN,
    ),
    Breakage(
        guards=CALENDARS,
        what="an appointment is written out of the schema's order",
        file=f"{_EWS}/letters.py",
        old='f"{sent.early}{stamp}{sent.late}"',
        new='f"{stamp}{sent.early}{sent.late}"',
        tests=_WRITES + "test_what_is_made_is_stamped_and_comes_back_whole",
    ),
    Breakage(
        guards=CALENDARS,
        what="days of an event that is there become midnights of another zone",
        file=f"{_EWS}/codec.py",
        old='_midnights(zone_id(there)) if is_all_day(there) else ""',
        new='""',
        tests=_EWS_PUSH + "test_days_stay_midnights_of_where_they_were_made",
    ),
    Breakage(
        guards=CALENDARS,
        what="a sync state goes on after the window has moved",
        file=f"{_EWS}/delta.py",
        old="if window != self._window:",
        new="if False:",
        tests=_EWS_WINDOW + "test_the_token_of_another_window_or_calendar_has_expired",
    ),
)
