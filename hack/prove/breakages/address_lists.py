"""What is promised of a global address list as a source."""

from __future__ import annotations

from prove.breakage import Breakage

LISTS = "Address lists"
_LIST = "sync/cirahub_sync/endpoints/graph/address_list"
_CHANGES = "tests/endpoints/graph/address_list/test_changes.py::"
_READS = "tests/endpoints/graph/address_list/test_list.py::"
_PASSES = "tests/engine/test_address_list.py::"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=7,
        what="mail contacts that a hub has made are somebody's own",
        file=f"{_LIST}/codec.py",
        old='    if not wire.mail or made_by_us(wire.mail_nickname or ""):\n',
        new="    if not wire.mail:\n",
        tests=_PASSES + "test_mail_contacts_that_a_hub_has_made_are_nobodys_own",
    ),
    Breakage(
        guards=LISTS,
        what="what a delta leaves out counts as deleted",
        file=f"{_LIST}/delta.py",
        old="        if not fresh:\n",
        new="        if not raws:\n",
        tests=_CHANGES + "test_each_change_is_told_whole_however_little_of_it_the_delta_tells",
    ),
    Breakage(
        guards=LISTS,
        what="a lagging replica overrules what a delta has told",
        file=f"{_LIST}/delta.py",
        old="_encode(whole | told)",
        new="_encode(told | whole)",
        tests=_CHANGES + "test_what_a_delta_tells_counts_before_what_a_lagging_replica_answers",
    ),
    Breakage(
        guards=LISTS,
        what="who is known not to be in the list is asked for again",
        file=f"{_LIST}/endpoint.py",
        old="[each for each in ids if each not in self._delta.left]",
        new="list(ids)",
        tests=_CHANGES + "test_who_leaves_the_list_and_stays_in_the_directory_is_removed",
    ),
    Breakage(
        guards=LISTS,
        what="an application that may read names only reads on",
        file=f"{_LIST}/objects.py",
        old="LIST_ROLES_THAT_DO[Listed.USERS].isdisjoint(roles)",
        new="not LIST_ROLES_THAT_DO[Listed.USERS]",
        tests=_PASSES + "test_an_application_that_may_read_names_only_takes_nobodys_phone_away",
    ),
    Breakage(
        guards=9,
        what="a list in which nobody is left is believed",
        file=f"{_LIST}/delta.py",
        old="            return None if unseen else Removed(item)\n",
        new="            return Removed(item)\n",
        tests=_PASSES + "test_a_list_that_suddenly_reads_empty_deletes_nothing",
    ),
    Breakage(
        guards=LISTS,
        what="who leaves while a round from nothing is read is passed over",
        file=f"{_LIST}/delta.py",
        old="            unseen = self._shown is not None and item not in self._shown\n",
        new="            unseen = True\n",
        tests=_CHANGES + "test_who_leaves_the_list_while_a_round_from_nothing_is_read_is_removed",
    ),
    Breakage(
        guards=LISTS,
        what="a choice that changes is read from where the one before had come to",
        file=f"{_LIST}/delta.py",
        old="(position.tenant, position.shape) != (self._tenant, _shape(self._target))",
        new="position.tenant != self._tenant",
        tests=_PASSES + "test_a_choice_that_changes_brings_and_takes_whom_it_is_about",
    ),
    Breakage(
        guards=16,
        what="a list of which something else is chosen is another one",
        file="sync/cirahub_sync/engine/context.py",
        old="self.config.target.identity)",
        new="self.config.target)",
        tests=_PASSES + "test_after_a_lost_store_nobody_of_the_list_is_there_twice",
    ),
    Breakage(
        guards=LISTS,
        what="addresses are read that nobody chose",
        file=f"{_LIST}/listing.py",
        old="if self.others and MoreAddresses.OTHER_MAILS in more else",
        new="if self.others else",
        tests=_READS + "test_no_address_is_asked_for_that_was_not_chosen",
    ),
    Breakage(
        guards=LISTS,
        what="an address list may be two-way",
        file="operator/cirahub_operator/api/spoke.py",
        old="self.global_address_list is None or self.direction is not Direction.TWO_WAY",
        new="self.direction in Direction",
        tests="tests/operator/test_refusals.py::test_the_command_line_refuses",
    ),
)
