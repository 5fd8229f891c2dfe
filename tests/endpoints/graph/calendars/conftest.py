"""A calendar of a mailbox in the simulator, its user, and an endpoint into it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.endpoints.diary import NAME, WINDOW, Diary
from tests.endpoints.graph.conftest import Cloud, open_fence

from cirahub_sync.configuration import CalendarTarget
from cirahub_sync.endpoints.graph.calendars import CalendarEndpoint
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.model.window import Span


def calendar_endpoint(
    session: GraphSession,
    name: str = NAME,
    *,
    span: Span = WINDOW,
    user: str = "ada",
) -> CalendarEndpoint:
    target = CalendarTarget(f"{user}@contoso.example", name)
    return CalendarEndpoint(session, target, open_fence, span)


@pytest.fixture
async def calendar(session: GraphSession) -> AsyncIterator[CalendarEndpoint]:
    """Opened on a calendar of its own."""
    endpoint = calendar_endpoint(session)
    await endpoint.open(create=True)
    yield endpoint
    await endpoint.close()


@pytest.fixture
def diary(cloud: Cloud, calendar: CalendarEndpoint) -> Diary:
    return Diary(cloud.mailbox, cloud.world)
