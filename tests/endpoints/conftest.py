"""What all tests over sockets share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_loop() -> Iterator[None]:
    """pytest-asyncio makes a loop to restore after each test where there is none, and never closes
    it; the warning about it is an error here."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()
