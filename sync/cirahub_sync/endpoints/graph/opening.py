"""Which endpoint a target of Microsoft 365 has."""

from __future__ import annotations

from collections.abc import Sequence

from cirahub_sync.configuration import CalendarTarget, MailboxTarget
from cirahub_sync.endpoints.base import Capabilities, Endpoint, Fence
from cirahub_sync.endpoints.graph.calendars import CalendarEndpoint, open_calendar
from cirahub_sync.endpoints.graph.endpoint import GraphEndpoint, open_endpoint
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.model.window import Span


def capabilities_of(target: MailboxTarget | CalendarTarget) -> Capabilities:
    calendar = isinstance(target, CalendarTarget)
    return (CalendarEndpoint if calendar else GraphEndpoint).capabilities


def open_target(
    target: MailboxTarget | CalendarTarget,
    session: GraphSession,
    fence: Fence,
    *,
    custom_names: Sequence[str],
    span: Span,
) -> Endpoint:
    """Over its connection's session. Sends nothing yet. `custom_names` are of contacts, `span` is
    what is looked at of a calendar."""
    if isinstance(target, CalendarTarget):
        return open_calendar(session.connection, target, session, fence, span)
    return open_endpoint(session.connection, target, session, fence, custom_names=custom_names)
