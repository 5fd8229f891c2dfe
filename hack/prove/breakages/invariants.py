"""The engine's guards, by the number of the design's invariant; but for 12 (`trust`) and 15
(`leaving`)."""

from __future__ import annotations

from prove.breakage import Breakage

PASSES = "Passes"
_ENGINE = "sync/cirahub_sync/engine"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=1,
        what="a delivered item is not recognised as delivered",
        file=f"{_ENGINE}/plan.py",
        old="if replica.fingerprint == made.fingerprint:",
        new="if not made.fingerprint:",
        tests="tests/engine/test_noop.py::"
        "test_a_receiver_whose_filter_changes_but_admits_the_same_is_not_written_to",
    ),
    Breakage(
        guards=2,
        what="what failed is not kept as pending",
        file=f"{_ENGINE}/postpone.py",
        old="    known = tx.pending.by_item(run.uid, [judgement.item]).get(judgement.item)\n"
        "    attempts",
        new="    return\n    known = None\n    attempts",
        tests="tests/engine/test_delivery.py::test_what_failed_is_pending_until_it_is_delivered",
    ),
    Breakage(
        guards=3,
        what="creates without an answer are not looked for",
        file=f"{_ENGINE}/recover.py",
        old="found = await endpoint.find([intent.key for intent in intents])",
        new="found: Mapping[str, Sequence[RemoteItem]] = {}",
        tests="tests/engine/test_delivery.py::"
        "test_creates_that_took_effect_but_answered_504_are_adopted",
    ),
    Breakage(
        guards=4,
        what="the cursor is kept before its items are",
        file=f"{_ENGINE}/pull.py",
        old="cursor = msgspec.structs.replace(cursor, next=None, staged=page.cursor)",
        new="cursor = Cursor(cursor=page.cursor, rounds=cursor.rounds + 1)",
        tests="tests/engine/test_directions.py::"
        "test_a_contact_arrives_in_a_receiving_mailbox_with_its_values",
    ),
    Breakage(
        guards=5,
        what="no intent is written before a request leaves",
        file=f"{_ENGINE}/deliver.py",
        old="        tx.intents.put([one.intent for one in letters])",
        new="        tx.intents.put([])",
        tests="tests/engine/test_delivery.py::"
        "test_creates_that_took_effect_but_answered_504_are_adopted",
    ),
    Breakage(
        guards=5,
        what="a receiver's mark moves before what it stands for has an outcome",
        file=f"{_ENGINE}/deliver.py",
        old="            if upto is not None and not letters:",
        new="            if upto is not None:",
        tests="tests/engine/test_delivery.py::"
        "test_what_a_receiver_was_refused_before_anything_left_is_sent_when_it_is_let_in",
    ),
    Breakage(
        guards=6,
        what="a user's copy of a copy is taken for ours",
        file=f"{_ENGINE}/relink.py",
        old="elif replica is not None and self._tx.intents.abandoned([row.stamp]):",
        new="elif replica is not None:",
        tests="tests/engine/test_matching.py::"
        "test_a_copy_of_a_copy_that_a_user_makes_is_the_user_s_own",
    ),
    Breakage(
        guards=7,
        what="copies in a two-way spoke are taken for its own",
        file=f"{_ENGINE}/acknowledge.py",
        old="        if run.config.direction.contributes:\n            shadow = earlier",
        new="        if False:\n            shadow = earlier",
        tests="tests/engine/test_directions.py::"
        "test_edits_of_different_fields_on_both_sides_both_survive",
    ),
    Breakage(
        guards=8,
        what="two-way is the default",
        file="operator/cirahub_operator/api/behaviour.py",
        old="default=Direction.CONTRIBUTE",
        new="default=Direction.TWO_WAY",
        tests="tests/operator/test_resolver.py::"
        "test_a_spoke_contributes_and_receives_nothing_unless_it_is_told_to",
    ),
    Breakage(
        guards=9,
        what="deletions do not wait",
        file=f"{_ENGINE}/plan.py",
        old="wait_until=0.0 if item.erased or withdrawn or merged else "
        "since + limits.grace_period,",
        new="wait_until=0.0,",
        tests="tests/engine/test_deletions.py::"
        "test_a_deletion_at_the_source_waits_for_the_grace_period",
    ),
    Breakage(
        guards=9,
        what="deletions are not bounded",
        file=f"{_ENGINE}/guard.py",
        old="if len(guarded) > allowance(limits, holding.copies):",
        new="if len(guarded) > 1_000_000:",
        tests="tests/engine/test_deletions.py::test_deletions_above_the_limit_wait_for_approval",
    ),
    Breakage(
        guards=9,
        what="deletions of many passes are not bounded",
        file=f"{_ENGINE}/guard.py",
        old="return len(today) > daily_allowance(limits, before)",
        new="return before < 0",
        tests="tests/engine/test_deletions.py::"
        "test_many_small_passes_cannot_do_what_one_large_one_may_not",
    ),
    Breakage(
        guards=9,
        what="a deletion that was sent and not answered is not counted",
        file=f"{_ENGINE}/deliver.py",
        old="tx.removals.put(self.run.uid, self._removed(letters), self._context.clock())",
        new="pass",
        tests="tests/engine/test_deletions.py::"
        "test_a_deletion_whose_answer_was_lost_counts_once_and_counts",
    ),
    Breakage(
        guards=9,
        what="what a user deletes is not kept",
        file=f"{_ENGINE}/departure.py",
        old="        keep(context, tx, shadow)\n        condemn",
        new="        condemn",
        tests="tests/engine/test_restore.py::test_a_deletion_is_undone_within_its_grace",
    ),
    Breakage(
        guards=9,
        what="what was brought back does not count",
        file=f"{_ENGINE}/inputs.py",
        old="for row in rows if kept or row.restored]",
        new="for row in rows if kept]",
        tests="tests/engine/test_restore.py::test_a_deletion_is_undone_within_its_grace",
    ),
    Breakage(
        guards=9,
        what="what others have revives what one deleted",
        file=f"{_ENGINE}/refold.py",
        old="if not folded.alive or item_id in condemned:",
        new="if not folded.alive:",
        tests="tests/engine/test_deleting.py::"
        "test_with_any_contributor_an_item_dies_of_the_first_deletion",
    ),
    Breakage(
        guards=15,
        what="what a leaver's user had deleted stays",
        file=f"{_ENGINE}/leave.py",
        old="            tx.departed.remove(uid, gone)",
        new="            gone = []",
        tests="tests/engine/test_deleting.py::test_erasing_a_spoke_takes_what_its_user_had_deleted",
    ),
    Breakage(
        guards=9,
        what="a source that reads empty is believed",
        file=f"{_ENGINE}/merge.py",
        old="if approval in context.approved:",
        new="if approval:",
        tests="tests/engine/test_deletions.py::"
        "test_a_source_that_suddenly_reads_empty_deletes_nothing",
    ),
    Breakage(
        guards=11,
        what="the text of a foreign exception is told",
        file=f"{_ENGINE}/context.py",
        old='f"an unexpected {type(error).__name__} at {where};',
        new='f"an unexpected {error!r} at {where};',
        tests="tests/engine/test_privacy.py::"
        "test_an_unexpected_error_is_told_by_its_type_and_place_alone",
    ),
    Breakage(
        guards=12,
        what="links to another origin are followed",
        file="sync/cirahub_sync/endpoints/graph/session.py",
        old='if parts is None or origin != origin_of(self.origin) or parts.path[:6] != "/v1.0/":',
        new="if parts is None:",
        tests="tests/endpoints/graph/test_delta.py::test_a_link_to_another_origin_is_not_followed",
    ),
    Breakage(
        guards=13,
        what="a broken spoke ends the pass",
        file=f"{_ENGINE}/context.py",
        old="        except CirahubError as error:\n            run.fail(problem_of(error))",
        new="        except CirahubError as error:\n            raise",
        tests="tests/engine/test_isolation.py::test_a_broken_spoke_stops_no_other_and_recovers",
    ),
    Breakage(
        guards=14,
        what="a wrong key is not noticed",
        file="sync/cirahub_sync/store/opening.py",
        old="            keyring.verify(database)\n",
        new="            database.migrate()\n",
        tests="tests/engine/test_isolation.py::test_a_wrong_key_opens_nothing_and_changes_nothing",
    ),
    Breakage(
        guards=16,
        what="nothing is verified before the first create",
        file=f"{_ENGINE}/deliver.py",
        old="while not (self.run.pristine or self.run.uid in known) and any(",
        new="while False and any(",
        tests="tests/engine/test_store_loss.py::"
        "test_a_store_restored_from_before_duplicates_nothing",
    ),
    Breakage(
        guards=PASSES,
        what="a pass delivers what it looks at first, and leaves the rest",
        file=f"{_ENGINE}/deliver.py",
        old="self._left = bool(due) or tx.items.last_seq() > seq",
        new="self._left = bool(due)",
        tests="tests/engine/test_one_pass.py::test_a_pass_delivers_more_than_it_looks_at_at_a_time",
    ),
    Breakage(
        guards=PASSES,
        what="what is due again waits where a pass has other changes",
        file=f"{_ENGINE}/deliver.py",
        old="self._left = bool(due) or tx.items.last_seq() > seq",
        new="self._left = tx.items.last_seq() > seq",
        tests="tests/engine/test_one_pass.py::test_what_is_due_again_goes_with_what_changed",
    ),
)
