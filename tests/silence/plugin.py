"""A pytest plugin: have the run say what it says where `judge.py` hears it, if CI asks for it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from tests.silence.heard import listen

from cirahub_operator.errors import OperatorError
from cirahub_operator.logs import QUIET
from cirahub_operator.metrics import Metrics
from cirahub_sync.errors import CirahubError

CHILD = Path(__file__).parent / "child"
_metrics: list[Metrics] = []
_ear = listen(product=False, quiet=(*QUIET, "httpx", "httpcore"))
"""The last two are of the SDK's, with which tests talk to the simulator."""


def _hook(ear: Any) -> None:
    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = f"{CHILD}{os.pathsep}{path}" if path else str(CHILD)
    logging.getLogger().setLevel(logging.INFO)  # as in production
    for root in (CirahubError, OperatorError):
        root.__init__ = _telling(root.__init__, ear)  # type: ignore[method-assign]
    made = Metrics.__init__

    def kept(metrics: Metrics) -> None:
        made(metrics)
        _metrics.append(metrics)

    Metrics.__init__ = kept  # type: ignore[method-assign, assignment]


def _telling(original: Any, ear: Any) -> Any:
    def made(error: Exception, *arguments: Any, **named: Any) -> None:
        original(error, *arguments, **named)
        ear.note("error", str(error))

    return made


if _ear is not None:
    _hook(_ear)


@pytest.fixture(autouse=True)
def exposed() -> Iterator[None]:
    """What a scrape would have shown at the end of each test."""
    yield
    while _metrics:
        metrics = _metrics.pop()
        if _ear is not None:
            _ear.note("metric", generate_latest(metrics.registry).decode())
