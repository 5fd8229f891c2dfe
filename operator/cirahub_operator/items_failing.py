"""Items of a spoke that don't get through, as a condition says it."""

from __future__ import annotations

from cirahub_operator.conditions import ITEMS_FAILING, Statement, plural
from cirahub_operator.unjudged import unjudged
from cirahub_sync.engine.report import SpokeReport

_FULL = "ErrorQuotaExceeded"
"""What Exchange says of a mailbox without room, over Exchange Web Services as the code alone."""


def items_failing(report: SpokeReport) -> list[Statement]:
    """Of what does not get through, the kind that most needs somebody to look at it."""
    if (one := report.rejected) is not None:
        reason = "ItemsRejected"
        message = (
            f"the service refuses {plural(one.count, 'item')} (item {one.example}: {one.error}); "
            "correct it in the mailbox that it comes from: it is sent again when it changes, and "
            "once a day"
        )
    elif (one := report.unreadable) is not None:
        reason = "ItemsUnreadable"
        message = (
            f"{plural(one.count, 'item')} can't be read, or judged by the filter's expression "
            f"({one.example}); fetched again with growing pauses; if that does not help, correct "
            "the item, or the expression, or report it"
        )
    elif (one := report.unjudged) is not None:
        reason, message = "ItemsUnjudged", unjudged(one)
    elif (one := report.undelivered) is not None:
        reason = "ItemsUndelivered"
        message = (
            f"{plural(one.count, 'item')} could not be delivered (item {one.example}: "
            f"{one.error}); sent again with growing pauses, of an hour at most"
        )
        if one.error.startswith("507") or _FULL in one.error:
            message += "; the mailbox is full: make room in it, or raise its quota"
    else:
        return []
    return [Statement(ITEMS_FAILING, True, reason, message)]
