"""Guards of identity: keys, and what people said about it."""

from __future__ import annotations

from prove.breakage import Breakage

_ENGINE = "sync/cirahub_sync/engine"
_TESTS = "tests/engine/test_merging.py::"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=2,
        what="edits of merged items seem to have seen each other",
        file="sync/cirahub_sync/model/edit.py",
        old="            seen = max(seen, self.joined, other.joined)",
        new="            seen = min(seen, self.base)",
        tests=_TESTS + "test_values_of_merged_items_conflict_as_those_of_people_who_never_met",
    ),
    Breakage(
        guards=7,
        what="a stamp with an id that was merged away is of nobody",
        file=f"{_ENGINE}/relink.py",
        old="item=self._tx.redirects.resolve(stamp.item))",
        new="item=stamp.item)",
        tests=_TESTS + "test_a_copy_with_the_stamp_of_an_item_that_was_merged_away_is_known",
    ),
    Breakage(
        guards=6,
        what="two own contacts of one mailbox are merged",
        file=f"{_ENGINE}/unite.py",
        old="    for spoke in sorted(first & second):",
        new="    for spoke in sorted(first & second & set()):",
        tests=_TESTS + "test_two_own_contacts_of_one_mailbox_are_not_merged_by_command_either",
    ),
    Breakage(
        guards=2,
        what="keys stay what they were when matchOn changes",
        file=f"{_ENGINE}/keys.py",
        old="        if tx.keys_key() == key:",
        new="        if tx.keys_key() is not None:",
        tests="tests/engine/test_match_keys.py::"
        "test_a_matchon_that_changes_neither_merges_nor_splits_what_is_there",
    ),
    Breakage(
        guards=6,
        what="others' contacts match what is never adopted",
        file=f"{_ENGINE}/keys.py",
        old="    if natives and all(",
        new="    if not natives and all(",
        tests="tests/engine/test_adopt.py::"
        "test_contacts_that_are_never_adopted_stay_by_themselves_whoever_comes_first",
    ),
    Breakage(
        guards=2,
        what="an own contact that adds nothing to its item never gets what the item has",
        file="sync/cirahub_sync/engine/natives.py",
        old="            tx.pending.reconsider(run.uid, linked)\n",
        new="            pass\n",
        tests="tests/engine/test_matching.py::"
        "test_an_own_contact_that_adds_nothing_to_its_item_gets_what_the_item_has",
    ),
    Breakage(
        guards=7,
        what="two people of one office are one person",
        file="sync/cirahub_sync/model/normalise.py",
        old=' and one.partition("@")[0] not in SHARED_MAILBOXES]',
        new="]",
        tests="tests/engine/test_matching.py::"
        "test_people_who_have_an_address_of_their_office_in_common_stay_apart",
    ),
    Breakage(
        guards=7,
        what="what a round does not show holds the places of what it shows anew",
        file=f"{_ENGINE}/natives.py",
        old="        gone = self._forget_gone(own)",
        new="        gone: set[str] = set()",
        tests="tests/engine/test_matching.py::"
        "test_a_mailbox_that_was_moved_has_the_same_people_by_other_ids",
    ),
    Breakage(
        guards=7,
        what="what a round is still to show has gone",
        file=f"{_ENGINE}/natives.py",
        old="        gone = unseen.keys() - self._tx.staging.holds(self._run.uid, list(unseen))",
        new="        gone = set(unseen)",
        tests="tests/engine/test_matching.py::"
        "test_a_second_contact_that_a_round_shows_first_is_a_duplicate_all_the_same",
    ),
)
