"""A first sync in stages brings what a person has let in, and no more."""

from __future__ import annotations

from prove.breakage import Breakage

_STAGES = "sync/cirahub_sync/engine/first_sync.py"
_TESTS = "tests/engine/test_stages.py"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards="First sync",
        what="a stage lets everything in",
        file=_STAGES,
        old="    return new[room:]\n",
        new="    return ()\n",
        tests=f"{_TESTS}::test_a_stage_lets_in_as_many_as_it_says_and_the_others_wait",
    ),
    Breakage(
        guards="First sync",
        what="the mailbox's own contacts are changed without a stage",
        file="sync/cirahub_sync/engine/plan.py",
        old="        arrives=shadow.native and replica is None,\n",
        new="",
        tests=f"{_TESTS}::test_own_contacts_that_are_changed_for_the_first_time_take_places_too",
    ),
    Breakage(
        guards="First sync",
        what="what is there waits for a stage",
        file=_STAGES,
        old="if one.arrives), key",
        new="if one.action), key",
        tests=f"{_TESTS}::test_copies_that_an_earlier_spoke_left_behind_let_nobody_in",
    ),
    Breakage(
        guards="First sync",
        what="an approval of an earlier first sync lets in",
        file=_STAGES,
        old="int(row.joined_at * 1000), target",
        new="target",
        tests=f"{_TESTS}::test_who_was_erased_begins_with_the_first_stage",
    ),
    Breakage(
        guards="First sync",
        what="the first sync is never over",
        file=_STAGES,
        old="    tx.update_spoke(row.uid, allowed=None)\n",
        new="",
        tests=f"{_TESTS}::test_after_the_last_stage_the_first_sync_is_over_for_good",
    ),
    Breakage(
        guards="First sync",
        what="a mailbox that received without stages is asked about",
        file="sync/cirahub_sync/engine/deliver.py",
        old="if not (self.run.config.stages or self.run.row.allowed is None):",
        new="if False:",
        tests=f"{_TESTS}::test_a_mailbox_that_has_had_its_first_sync_has_no_stages",
    ),
    Breakage(
        guards="First sync",
        what="a lost store begins with the first stage",
        file="sync/cirahub_sync/engine/relink.py",
        old="        recognised(self._tx, self._run, row.stamp, item.id)\n",
        new="",
        tests=f"{_TESTS}::test_after_a_lost_store_what_is_there_tells_how_far_it_had_come",
    ),
    Breakage(
        guards="First sync",
        what="whatever copy is found tells how far a first sync had come",
        file=_STAGES,
        old="made_for.spoke == run.uid and under_way",
        new="under_way",
        tests=f"{_TESTS}::test_copies_that_an_earlier_spoke_left_behind_let_nobody_in",
    ),
    Breakage(
        guards="First sync",
        what="who waits and is no more waits for ever",
        file=_STAGES,
        old="    if gone := tx.arrivals.orphaned(run.uid, STAGE, most):\n        return gone\n",
        new="",
        tests=f"{_TESTS}::test_an_erasure_waits_for_no_stage",
    ),
    Breakage(
        guards="First sync",
        what="what is not to be there keeps its place",
        file=_STAGES,
        old="        tx.arrivals.remove(run.uid, gone)\n",
        new="        assert gone is not None\n",
        tests=f"{_TESTS}::test_what_never_arrived_gives_its_place_to_another",
    ),
    Breakage(
        guards="First sync",
        what="who comes back begins with the first stage",
        file="sync/cirahub_sync/store/departure.py",
        old="        removals,\n        arrivals,\n        flips,\n        photos,\n",
        new="        removals,\n        flips,\n        photos,\n",
        tests=f"{_TESTS}::test_who_leaves_and_comes_back_goes_on_with_the_stage_it_was_in",
    ),
    Breakage(
        guards="First sync",
        what="what a mailbox keeps to itself waits for a stage as well",
        file="sync/cirahub_sync/engine/rejudge.py",
        old="list(tx.pending.by_item(run.uid, touched))",
        new="[]",
        tests=f"{_TESTS}::test_own_contacts_wait_for_no_stage_where_the_mailbox_only_receives",
    ),
)
