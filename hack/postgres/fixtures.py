"""A pytest plugin: a server per run (per worker under xdist), started at first use.

Register it by ``pytest_plugins = ["postgres.fixtures"]`` in the topmost conftest.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from postgres.errors import ProgramsMissingError
from postgres.programs import Programs
from postgres.server import Server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Skipped where there is none to start, but not in CI."""
    try:
        Programs.find()
    except ProgramsMissingError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    with Server.running() as server:
        yield server
