"""What is taken out of sharing a service's limits: turns, places, lanes."""

from __future__ import annotations

from prove.breakage import Breakage

QUOTAS = "Quotas"
_THROTTLE = "sync/cirahub_sync/throttle.py"
_QUEUE = "sync/cirahub_sync/turns.py"
_TESTS = "tests/endpoints/test_throttle.py"
_LANES = "tests/engine/test_lanes.py"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=QUOTAS,
        what="a small change waits behind all first syncs of an application",
        file=_THROTTLE,
        old="turn = self._queue.join(cost, small=cost <= self._small)",
        new="turn = self._queue.join(cost, small=False)",
        tests=f"{_TESTS}::test_a_small_change_passes_those_who_fill_other_mailboxes",
    ),
    Breakage(
        guards=QUOTAS,
        what="a small change waits behind the first sync of its mailbox",
        file=_THROTTLE,
        old="lane.gate.passed(small=cost <= lane.most)",
        new="lane.gate.passed(small=False)",
        tests=f"{_TESTS}::test_a_small_change_passes_those_who_fill_the_same_mailbox",
    ),
    Breakage(
        guards=QUOTAS,
        what="small changes keep first syncs waiting for as long as there are any",
        file=_QUEUE,
        old="self._small_is_next = waiting is self._large",
        new="self._small_is_next = True",
        tests=f"{_TESTS}::test_small_changes_leave_every_other_turn_to_large_ones",
    ),
    Breakage(
        guards=QUOTAS,
        what="an application sends as much as all mailboxes take",
        file=_THROTTLE,
        old="            self._window.take(now, turn.cost)\n",
        new="",
        tests=f"{_TESTS}::test_the_application_as_a_whole_has_a_limit",
    ),
    Breakage(
        guards=QUOTAS,
        what="more requests are on their way than there are connections",
        file=_THROTTLE,
        old="while self._running < self._places and self._opening is None:",
        new="while self._opening is None:",
        tests=f"{_TESTS}::test_no_more_are_on_their_way_than_there_are_connections",
    ),
    Breakage(
        guards=QUOTAS,
        what="a session has fewer connections than requests on their way",
        file="sync/cirahub_sync/network.py",
        old="limit=connections",
        new="limit=100",
        tests="tests/endpoints/graph/test_connections.py",
    ),
    Breakage(
        guards=QUOTAS,
        what="who is cancelled with its turn keeps a place for good",
        file=_QUEUE,
        old="            if not self.given_up:\n                give_back()\n",
        new="",
        tests=f"{_TESTS}::test_who_gives_up_its_turn_takes_nobody_s_place",
    ),
    Breakage(
        guards=QUOTAS,
        what="who waits for a turn does not see that its mailbox refuses",
        file=_THROTTLE,
        old="if lane.paused_until <= now:",
        new="if True:",
        tests=f"{_TESTS}::test_who_waits_for_a_turn_sees_a_refusal_that_came_meanwhile",
    ),
    Breakage(
        guards=QUOTAS,
        what="a process that is busy takes on more receivers",
        file="sync/cirahub_sync/engine/lanes.py",
        old="if loop.time() - due < BUSY:",
        new="if True:",
        tests=f"{_LANES}::test_there_are_no_more_lanes_while_the_process_itself_is_busy",
    ),
    Breakage(
        guards=QUOTAS,
        what="a process that waits takes on no more receivers",
        file="sync/cirahub_sync/engine/lanes.py",
        old="if loop.time() - due < BUSY:",
        new="if False:",
        tests=f"{_LANES}::test_there_are_more_lanes_while_answers_are_waited_for",
    ),
    Breakage(
        guards=QUOTAS,
        what="a pass has more in hand the more receivers it has",
        file="sync/cirahub_sync/engine/errands.py",
        old="return min(CHUNK, IN_HAND // max(1, min(receivers, MOST_RECEIVERS)))",
        new="return CHUNK",
        tests=f"{_LANES}::test_what_a_pass_has_in_hand_does_not_grow_with_its_receivers",
    ),
    Breakage(
        guards=QUOTAS,
        what="a change waits for first syncs of its hub",
        file="sync/cirahub_sync/engine/push.py",
        old="return sorted(busy, key=lambda run: last - run.row.mark)",
        new="return busy",
        tests="tests/engine/test_delivery.py::"
        "test_a_change_does_not_wait_for_first_syncs_of_the_same_hub",
    ),
    Breakage(
        guards=QUOTAS,
        what="the simulator lets an application send as much as it likes",
        file="simulator/cirahub_simulator/throttle.py",
        old="if limits.app_requests is not None:",
        new="if False:",
        tests="tests/simulator/test_throttle.py::"
        "test_an_application_has_a_limit_over_all_mailboxes",
    ),
)
