"""What is taken out of taking notifications in: who is believed, and what a stranger can do."""

from __future__ import annotations

from prove.breakage import Breakage

NOTIFICATIONS = "Notifications"
_OPERATOR = "operator/cirahub_operator"
_TESTS = "tests/operator/test_notifications.py"
_PASSES = "tests/operator/test_schedule.py"
_SIMULATOR = "simulator/cirahub_simulator"
_SIMULATED = "tests/simulator/graph"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=NOTIFICATIONS,
        what="what could not be recorded is answered as if it had been",
        file=f"{_OPERATOR}/notifications.py",
        old='            return self._counted("failed", 503)\n        self._failing = False',
        new='            return self._counted("failed", 202)\n        self._failing = False',
        tests=f"{_TESTS}::test_what_cannot_be_recorded_is_asked_for_again_and_said_once",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="a guesser is told that it guessed wrong",
        file=f"{_OPERATOR}/notifications.py",
        old="        return _said(202)\n",
        new="        return _said(202 if heard.known else 403)\n",
        tests=f"{_TESTS}::test_a_guesser_learns_nothing_and_wakes_nobody",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="a token with markup is reflected",
        file=f"{_OPERATOR}/notifications.py",
        old="[^\\x00-\\x1f\\x7f<>]",
        new="[^\\x00-\\x1f\\x7f]",
        tests=f"{_TESTS}::test_what_is_no_token_is_not_answered",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="a body without an announced length may be of any size",
        file=f"{_OPERATOR}/notifications.py",
        old="        if size > LARGEST_BODY:\n            return None\n",
        new="",
        tests=f"{_TESTS}::test_what_is_too_large_is_refused_before_it_is_read",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="what is compressed is unpacked",
        file=f"{_OPERATOR}/notifications.py",
        old="            auto_decompress=False,\n",
        new="",
        tests=f"{_TESTS}::test_what_is_compressed_is_not_unpacked",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="a stranger's text is logged",
        file=f"{_OPERATOR}/notifications.py",
        old="            logger=_MUTE,\n",
        new="",
        tests=f"{_TESTS}::test_no_word_of_a_stranger_is_logged",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="a renewed certificate is used after a restart only",
        file=f"{_OPERATOR}/server_certificate.py",
        old="                self._current = self._load()\n            except",
        new="                self._load()\n            except",
        tests=f"{_TESTS}::test_a_new_certificate_is_used_without_a_restart",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="a stand-by of a newer version migrates the store under the one that leads",
        file="sync/cirahub_sync/store/database.py",
        old="        if not forward:\n",
        new="        if False:\n",
        tests="tests/store/test_notifications.py",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="what was told moves the interval's clock",
        file=f"{_OPERATOR}/reconcile/schedule.py",
        old="    if not notified:\n        memory.failures =",
        new="    if True:\n        memory.failures =",
        tests=f"{_PASSES}::test_a_pass_that_was_asked_for_leaves_the_interval_s_clock_alone",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="a flood of notifications is a flood of passes",
        file=f"{_OPERATOR}/reconcile/schedule.py",
        old="report.problem is None and now >= memory.notified_from:",
        new="report.problem is None:",
        tests=f"{_PASSES}::test_what_was_told_of_is_due_after_a_pause_and_behind_every_other_cause",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="the simulator subscribes an endpoint that does not decode its token",
        file=f"{_SIMULATOR}/notification/delivery.py",
        old="and body == token.encode()",
        new="",
        tests=f"{_SIMULATED}/test_notifications.py",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="the simulator gives up what was not accepted at once",
        file=f"{_SIMULATOR}/notification/delivery.py",
        old="if now - one.since >= GIVE_UP]",
        new="]",
        tests=f"{_SIMULATED}/test_notifications.py::test_what_is_not_accepted_is_tried_again",
    ),
)
