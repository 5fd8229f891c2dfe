"""A stage for each module: a control plane, the simulator and the operator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.narration import Narration
from demo.stage import Stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage(Narration()) as stage:
        yield stage
