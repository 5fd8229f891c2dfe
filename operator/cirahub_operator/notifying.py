"""Services that do not tell of changes although they were asked to, as conditions say it."""

from __future__ import annotations

from cirahub_operator.conditions import NOTIFICATIONS_FAILING, Statement, plural
from cirahub_sync.engine.report import SetReport, SpokeReport


def not_told(report: SpokeReport) -> list[Statement]:
    """Of a Spoke. It is ready all the same: it is read at its Hub's interval."""
    if report.unsubscribed is None:
        return []
    found = report.unsubscribed
    return [Statement(NOTIFICATIONS_FAILING, True, found.reason, found.message)]


def members_not_told(report: SetReport) -> list[Statement]:
    """Of a SpokeSet."""
    if not report.unsubscribed:
        return []
    message = (
        f"of {plural(report.unsubscribed, 'member')} the service does not tell of changes; they "
        "are read at the Hub's interval meanwhile, and it is asked again with growing pauses "
        "(docs/notifications.md)"
    )
    return [Statement(NOTIFICATIONS_FAILING, True, "MembersNotTold", message)]
