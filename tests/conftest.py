"""For every test: the cluster's fixtures, and a loop that is closed by whoever made it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Generator, Iterator

import pytest

pytest_plugins = ["cluster.fixtures", "postgres.fixtures", "tests.keeps", "tests.silence.plugin"]


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Two more than there are cores: much of the time all that runs waits for an operator's next
    look, a retry or a lease. With one more, a quarter of the processors' time was left over."""
    return (yield) + 2


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was collected stays to the end: half a million objects that every collection of garbage
    would go through."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def own_loop() -> Iterator[None]:
    """pytest-asyncio makes a loop to restore after each test where there is none, and never closes
    it; the warning about it is an error here."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(scope="session", autouse=True)
def no_foreign_authorities() -> Iterator[None]:
    """MSAL prefers these variables to the authorities that it is given."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            patch.delenv(name, raising=False)
        yield
