"""What is promised of earlier moments: what is kept, and what putting back does, and never does."""

from __future__ import annotations

from prove.breakage import Breakage

EARLIER = "Earlier moments"
_ENGINE = "sync/cirahub_sync/engine"
_REWIND = "tests/engine/test_rewind.py::"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=EARLIER,
        what="edits that are superseded are not kept",
        file=f"{_ENGINE}/history.py",
        old="            self._rows.append(Earlier(self._run.uid, item, seq, before))",
        new="            del before",
        tests=_REWIND + "test_an_item_reads_again_as_it_did_at_a_moment",
    ),
    Breakage(
        guards=EARLIER,
        what="what is put back does not count",
        file=f"{_ENGINE}/inputs.py",
        old="in tx.rewound.counting(ids).items():",
        new="in dict[str, list[Word]]().items():",
        tests=_REWIND + "test_an_item_reads_again_as_it_did_at_a_moment",
    ),
    Breakage(
        guards=EARLIER,
        what="what is put back stands against what is said later",
        file="sync/cirahub_sync/model/earlier.py",
        old="edit.when.seq > seq or field in always",
        new="field in always",
        tests=_REWIND + "test_what_is_put_back_is_not_written_to_a_mailbox_that_only_contributes",
    ),
    Breakage(
        guards=EARLIER,
        what="an item that is made anew is what was put back of the former",
        file=f"{_ENGINE}/natives.py",
        old="        natives_come(tx, run.uid, linked)\n",
        new="",
        tests=_REWIND + "test_an_own_item_that_is_made_anew_says_what_it_says",
    ),
    Breakage(
        guards=EARLIER,
        what="a mailbox that is put back loses what was added",
        file=f"{_ENGINE}/rewind.py",
        old="if part.changed and not (spoke and part.added)]",
        new="if part.changed]",
        tests=_REWIND + "test_what_a_mailbox_s_user_added_since_stays",
    ),
    Breakage(
        guards=EARLIER,
        what="what a filter keeps out can be put back",
        file=f"{_ENGINE}/history.py",
        old="        if not admitted or role_of(own) == Role.MASKED.value:",
        new="        if role_of(own) == Role.MASKED.value:",
        tests=_REWIND + "test_what_a_filter_kept_out_since_is_not_put_back",
    ),
    Breakage(
        guards=EARLIER,
        what="what never syncs can be put back",
        file=f"{_ENGINE}/rejudge.py",
        old="    refold(context, tx, strip(tx, run.uid, never, CHUNK), by=run.uid)\n",
        new="",
        tests=_REWIND + "test_of_what_never_syncs_nothing_is_kept_and_nothing_put_back",
    ),
    Breakage(
        guards=EARLIER,
        what="whose an event is, is put back",
        file=f"{_ENGINE}/inputs.py",
        old="    return kind.inbound | kind.identity",
        new="    return kind.inbound - kind.inbound",
        tests=_REWIND + "test_an_event_is_put_back_but_never_whose_it_is",
    ),
    Breakage(
        guards=EARLIER,
        what="a decision made since stands",
        file=f"{_ENGINE}/rewind.py",
        old="switched = {} if spoke else _switched(said, moment.seq)",
        new="switched = {} if said else _switched(said, moment.seq)",
        tests=_REWIND + "test_a_decision_made_since_counts_no_more",
    ),
    Breakage(
        guards=EARLIER,
        what="earlier values are kept for ever",
        file=f"{_ENGINE}/push.py",
        old="            tx.earlier.expire(gone)\n",
        new="",
        tests=_REWIND + "test_a_time_of_which_nothing_is_known_is_refused_with_since_when_it_is",
    ),
    Breakage(
        guards=15,
        what="a leaver's past stays",
        file=f"{_ENGINE}/leave.py",
        old="forget_of(tx, uid, CHUNK)",
        new="[]",
        tests=_REWIND + "test_a_spoke_that_leaves_takes_its_past_and_what_was_put_back_along",
    ),
    Breakage(
        guards=15,
        what="what others said before tells what a leaver had put in",
        file=f"{_ENGINE}/traces.py",
        old="    tx.earlier.rewrite(items, lambda row: _logged(row, logged.get(_key(row))))\n",
        new="",
        tests=_REWIND + "test_what_others_said_before_does_not_tell_what_a_leaver_had_put_in",
    ),
)
