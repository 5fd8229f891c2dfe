"""Every endpoint that the suite holds to the protocol. A new one joins by an object of its own
(`place.Place`) in this list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from cirahub_sync.endpoints.base import Endpoint

from .exchange_contacts import ExchangeContacts, PublicContacts
from .graph_contacts import GraphContacts
from .place import Place, Session

PLACES: dict[str, Any] = {
    "graph": GraphContacts,
    "exchange": ExchangeContacts,
    "public-folder": PublicContacts,
}


@pytest.fixture(params=list(PLACES))
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    async with PLACES[request.param]() as place:
        yield place


@pytest.fixture
async def session(place: Place) -> AsyncIterator[Session]:
    async with place.session() as session:
        yield session


@pytest.fixture
async def endpoint(session: Session) -> AsyncIterator[Endpoint]:
    """Opened on a folder of its own."""
    endpoint = session.endpoint()
    await endpoint.open(create=True)
    yield endpoint
    await endpoint.close()
