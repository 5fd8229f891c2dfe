"""What notifications promise: they are hints, forged ones are none, and nothing depends on them."""

from __future__ import annotations

from prove.breakage import Breakage

NOTIFICATIONS = "Notifications"
_TELL = "sync/cirahub_sync/engine/notified.py"
_ASK = "sync/cirahub_sync/engine/subscriptions.py"
_HEAR = "sync/cirahub_sync/notifications.py"
_NOTIFIED = "tests/engine/test_notified.py::"
_SUBSCRIPTIONS = "tests/engine/test_subscriptions.py::"
_STORE = "tests/store/test_notifications.py::"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=NOTIFICATIONS,
        what="who knows an id needs no secret",
        file=_HEAR,
        old="    return hmac.compare_digest(digest_of(notification.client_state), kept) and known",
        new="    hmac.compare_digest(digest_of(notification.client_state), kept)\n    return known",
        tests=_STORE + "test_what_does_not_prove_itself_is_counted_and_changes_nothing",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="what is told while a spoke is read is forgotten with what was told before",
        file="sync/cirahub_sync/store/notifications.py",
        old="delete(notified).where(notified.c.spoke == spoke, notified.c.times == times)",
        new="delete(notified).where(notified.c.spoke == spoke, notified.c.times >= times)",
        tests=_NOTIFIED + "test_what_is_told_while_a_spoke_is_read_is_looked_at_in_the_next_pass",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="a two-way spoke is written to without having been read",
        file=_TELL,
        old="    if not overlooked:\n        return []\n",
        new="    if overlooked:\n        return []\n",
        tests=_NOTIFIED + "test_what_a_user_changed_meanwhile_is_read_before_it_is_written_over",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="who was never read is written to",
        file=_TELL,
        old="if run.uid in context.notified or run.uid not in settled]",
        new="if run.uid in context.notified]",
        tests=_NOTIFIED + "test_a_pass_over_what_was_told_of_reads_whoever_was_never_read",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="a spoke that fails is ready once a pass has not looked at it",
        file=_TELL,
        old="            run.report.problem = before.problem\n",
        new="            pass\n",
        tests=_NOTIFIED
        + "test_a_spoke_that_fails_is_told_as_failing_by_passes_that_do_not_look_at_it",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="a member of a set that fails is ready once a pass has not looked at it",
        file="sync/cirahub_sync/engine/set_conclusion.py",
        old="    if problem is None and failed and run.overlooked:\n        return\n",
        new="",
        tests=_NOTIFIED + "test_a_member_that_fails_stays_failed_until_a_pass_looks_at_it",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="what was told of a spoke that can't be read has passes follow each other",
        file=_TELL,
        old="context.notified.items() if uid not in readable}\n",
        new="context.notified.items() if not uid}\n",
        tests=_NOTIFIED
        + "test_what_is_told_of_a_spoke_that_can_not_be_read_waits_for_no_pass_of_its_own",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="a spoke is not looked at once more when it is subscribed to",
        file=_ASK,
        old="            tx.notified.record([row.spoke for row in made], self._context.clock())\n",
        new="",
        tests=_SUBSCRIPTIONS
        + "test_what_happened_between_the_reading_and_the_subscription_is_looked_at",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="a subscription is renewed when it has ended",
        file=_ASK,
        old="RENEWED_AT = 2 / 3\n",
        new="RENEWED_AT = 1.0\n",
        tests=_SUBSCRIPTIONS + "test_a_subscription_is_renewed_when_a_third_of_its_life_is_left",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="a refusal is asked about at every pass",
        file=_ASK,
        old="            due_at=self._context.clock() + pause,\n",
        new="            due_at=self._context.clock(),\n",
        tests=_SUBSCRIPTIONS
        + "test_an_endpoint_that_does_not_answer_is_told_with_the_spoke_and_holds_up_nothing",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="services go on telling of who has left",
        file="sync/cirahub_sync/leaving.py",
        old="                await clear(context, run, job)\n"
        "            await unsubscribe(context, context.runs)\n",
        new="                await clear(context, run, job)\n",
        tests=_SUBSCRIPTIONS + "test_nobody_is_told_of_a_spoke_any_more_that_is_not_read",
    ),
    Breakage(
        guards=NOTIFICATIONS,
        what="what tells of the same for another installation is ended",
        file="sync/cirahub_sync/endpoints/graph/subscriptions.py",
        old="                if one.notification_url == url:\n",
        new="                if one.notification_url:\n",
        tests=_SUBSCRIPTIONS + "test_what_tells_of_the_same_for_somebody_else_is_left_alone",
    ),
)
