"""What sets of spokes promise: nobody leaves by mistake, and who leaves is erased."""

from __future__ import annotations

from prove.breakage import Breakage

SETS = "Sets"
_MEMBERS = "sync/cirahub_sync/engine/set_members.py"
_READER = "sync/cirahub_sync/engine/set_reading.py"
_TESTS = "tests/engine/test_sets.py::"
_LEAVERS = "tests/engine/test_set_leavers.py::"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=SETS,
        what="a group that can't be read has no members",
        file=_MEMBERS,
        old="            self._report.problem = self._unread(problem)\n            return\n",
        new="            self._report.problem = self._unread(problem)\n"
        "            found = {each.id: each for each in self._listed().values()}\n",
        tests=_TESTS + "test_an_unreadable_group_changes_nothing_and_says_so",
    ),
    Breakage(
        guards=SETS,
        what="a group that reads empty is believed",
        file=_MEMBERS,
        old="        emptied = not found\n",
        new="        emptied = found is None\n",
        tests=_LEAVERS + "test_a_group_that_suddenly_reads_empty_erases_nobody",
    ),
    Breakage(
        guards=SETS,
        what="any number of members may leave at once",
        file=_MEMBERS,
        old="len(leavers) <= allowed and today <= 2 * allowed",
        new="allowed",
        tests=_LEAVERS + "test_too_many_leavers_wait_for_approval_and_go_with_it",
    ),
    Breakage(
        guards=SETS,
        what="many small readings empty a set",
        file=_MEMBERS,
        old=" and today <= 2 * allowed",
        new="",
        tests=_LEAVERS + "test_many_small_readings_cannot_do_what_one_large_one_may_not",
    ),
    Breakage(
        guards=SETS,
        what="who leaves is not erased",
        file=_MEMBERS,
        old="                erase_at=self._now + self._one.leavers.grace_period,\n",
        new="                erase_at=self._now + 1e12,\n",
        tests=_LEAVERS + "test_who_joins_gets_everything_and_who_leaves_is_erased_after_the_grace",
    ),
    Breakage(
        guards=SETS,
        what="who opted out is a member all the same",
        file=_READER,
        old="        if source.opt_out:\n",
        new="        if source.opt_out and not source.groups:\n",
        tests=_TESTS + "test_who_opted_out_is_left_alone",
    ),
    Breakage(
        guards=SETS,
        what="a member keeps its target from a Spoke",
        file=_MEMBERS,
        old="                elif owner is not None:\n",
        new="                elif owner is not None and row.suspended:\n",
        tests=_TESTS + "test_a_spoke_that_comes_later_goes_on_with_the_member_s_copies",
    ),
    Breakage(
        guards=SETS,
        what="a Spoke that comes later finds its target taken",
        file="sync/cirahub_sync/engine/comeback.py",
        old="    return tx.members.by_uid(owner) is not None\n",
        new="    return False\n",
        tests=_TESTS + "test_a_spoke_that_comes_later_goes_on_with_the_member_s_copies",
    ),
    Breakage(
        guards=SETS,
        what="a mailbox that is not there is asked for at every pass",
        file=_MEMBERS,
        old="                    if row.retry_at <= self._now:\n",
        new="                    if row.retry_at >= 0.0:\n",
        tests=_TESTS + "test_a_member_without_a_mailbox_is_isolated_and_tried_ever_more_rarely",
    ),
    Breakage(
        guards=SETS,
        what="a filter that shows fewer users than it counts is believed",
        file="sync/cirahub_sync/endpoints/graph/directory.py",
        old="        if len(found) < counted:\n",
        new="        if not counted:\n",
        tests="tests/endpoints/graph/test_directory.py::"
        "test_fewer_users_than_are_counted_are_no_answer",
    ),
)
