"""A calendar of a mailbox on the simulator's Exchange Server, its user, and an endpoint into it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.endpoints.diary import NAME, WINDOW, Diary
from tests.endpoints.exchange.conftest import OLGA, Office, open_fence

from cirahub_sync.configuration import CalendarTarget
from cirahub_sync.endpoints.exchange.calendars.endpoint import CalendarEndpoint
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.model.window import Span


def asked(office: Office, operation: str) -> int:
    """How many requests of an operation there were."""
    return operations(office).count(operation)


def operations(office: Office) -> list[str]:
    """What was asked for, sign-in's own steps aside."""
    entries = office.world.journal.entries()
    return [entry.operation for entry in entries if entry.status != 401]


def calendar_endpoint(
    session: ExchangeSession, name: str = NAME, *, span: Span = WINDOW
) -> CalendarEndpoint:
    return CalendarEndpoint(session, CalendarTarget(OLGA, name), open_fence, span)


@pytest.fixture
async def calendar(session: ExchangeSession) -> AsyncIterator[CalendarEndpoint]:
    """Opened on a calendar of its own."""
    endpoint = calendar_endpoint(session)
    await endpoint.open(create=True)
    yield endpoint
    await endpoint.close()


@pytest.fixture
def diary(office: Office, calendar: CalendarEndpoint) -> Diary:
    return Diary(office.mailbox, office.world)
