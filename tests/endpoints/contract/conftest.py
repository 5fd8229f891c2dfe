"""Each test of the suite says in which places it has to pass (`places`)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from cirahub_sync.endpoints.base import Endpoint

from .place import Place, Session, opened


@pytest.fixture
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    async with request.param() as place:
        yield place


@pytest.fixture
async def session(place: Place) -> AsyncIterator[Session]:
    async with place.session() as session:
        yield session


@pytest.fixture
async def endpoint(session: Session) -> AsyncIterator[Endpoint]:
    """Opened on a folder of its own."""
    endpoint = await opened(session)
    yield endpoint
    await endpoint.close()
