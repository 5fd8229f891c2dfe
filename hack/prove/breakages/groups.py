"""What filters on groups promise: all members or none, and nobody moved by what can't be read."""

from __future__ import annotations

from prove.breakage import Breakage

GROUPS = "Filters"
_ENGINE = "sync/cirahub_sync/engine/groups.py"
_READER = "sync/cirahub_sync/endpoints/graph/groups.py"
_PASSES = "tests/engine/test_groups.py::"
_READS = "tests/endpoints/graph/test_groups.py::"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=GROUPS,
        what="members of nested groups are left out",
        file=_READER,
        old="/transitiveMembers?",
        new="/members?",
        tests=_PASSES + "test_members_of_a_group_pass_those_of_nested_groups_too",
    ),
    Breakage(
        guards=GROUPS,
        what="a group ends with its first page",
        file=_READER,
        old="            page = self._session.path(got.next) if got.next else None\n",
        new="            page = None\n",
        tests=_READS + "test_every_member_of_every_nested_group_is_read_page_by_page",
    ),
    Breakage(
        guards=GROUPS,
        what="a membership that is hidden reads as empty",
        file=_READER,
        old="        if hidden:\n",
        new="        if not found.id:\n",
        tests=_READS + "test_a_hidden_membership_is_no_empty_group",
    ),
    Breakage(
        guards=GROUPS,
        what="members that may not be read count as nobody",
        file="sync/cirahub_sync/endpoints/graph/person.py",
        old="    if not (addresses or name):\n",
        new="    if not shown.id:\n",
        tests=_PASSES + "test_nobody_comes_or_goes_because_a_group_cannot_be_read",
    ),
    Breakage(
        guards=GROUPS,
        what="a group that can't be read has no members",
        file=_ENGINE,
        old="            problems[wanted.key] = problem_of(error)\n",
        new="            problems[wanted.key] = problem_of(error)\n"
        "            found[wanted.key] = Reading(context.clock(), frozenset())\n",
        tests=_PASSES + "test_nobody_comes_or_goes_because_a_group_cannot_be_read",
    ),
    Breakage(
        guards=GROUPS,
        what="nothing says that a group can't be read",
        file="sync/cirahub_sync/engine/sync_pass.py",
        old="            run.fail(run.unread)\n",
        new="            pass\n",
        tests=_PASSES + "test_nobody_comes_or_goes_because_a_group_cannot_be_read",
    ),
    Breakage(
        guards=GROUPS,
        what="a spoke whose group was never read is synced all the same",
        file=_ENGINE,
        old="        if key not in kept:\n            run.fail(",
        new="        if key not in kept:\n            _said(",
        tests=_PASSES + "test_before_its_group_was_read_nothing_is_synced_with_a_spoke",
    ),
    Breakage(
        guards=GROUPS,
        what="who joins or leaves is not judged again at receivers",
        file=_ENGINE,
        old="    elif not groups.receives.isdisjoint(news.changed):\n",
        new="    elif news is None:\n",
        tests=_PASSES + "test_who_joins_a_group_comes_and_who_leaves_it_goes_after_the_grace",
    ),
    Breakage(
        guards=GROUPS,
        what="who joins or leaves is not judged again at contributors",
        file=_ENGINE,
        old="        if remotes:\n            read_anew",
        new="        if not remotes:\n            read_anew",
        tests=_PASSES + "test_who_joins_a_group_is_contributed_and_who_leaves_it_no_more",
    ),
    Breakage(
        guards=GROUPS,
        what="everybody is judged again when somebody joins",
        file=_ENGINE,
        old="    if not groups.receives.isdisjoint(news.fresh):\n",
        new="    if groups.receives:\n",
        tests=_PASSES + "test_only_those_are_judged_again_whose_addresses_are_concerned",
    ),
    Breakage(
        guards=GROUPS,
        what="a change is lost on who was away",
        file=_ENGINE,
        old="            if groups is not None and groups.any:\n",
        new="            if groups is None:\n",
        tests=_PASSES + "test_a_spoke_that_was_away_while_its_group_changed_catches_up",
    ),
    Breakage(
        guards=GROUPS,
        what="a group is read at every pass",
        file=_ENGINE,
        old="kept[key].read_at <= before",
        new="kept[key].read_at >= 0",
        tests=_PASSES + "test_a_group_is_read_once_for_all_who_ask_and_not_before_its_interval",
    ),
    Breakage(
        guards=GROUPS,
        what="one connection learns what another may read",
        file="sync/cirahub_sync/engine/grouped.py",
        old="    parts = (connection.uid, connection.tenant_id.lower(), ref.group)\n",
        new="    parts = (connection.tenant_id.lower(), ref.group)\n",
        tests=_PASSES + "test_what_one_connection_may_read_nobody_learns_through_another",
    ),
    Breakage(
        guards=GROUPS,
        what="what no filter names any more is kept",
        file=_ENGINE,
        old="    if left_over and not context.erasing:\n",
        new="    if left_over and context.erasing:\n",
        tests=_PASSES + "test_what_no_filter_names_any_more_is_not_kept",
    ),
)
