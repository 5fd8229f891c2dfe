"""Connections through which an access was refused in a pass."""

from __future__ import annotations

from collections.abc import Iterable

from cirahub_sync.engine.context import SpokeRun
from cirahub_sync.errors import AccessDeniedError


def suspects(runs: Iterable[SpokeRun]) -> set[str]:
    """By their uids: of a spoke that was refused something, its own, and those whose directories
    its filters ask."""
    return {
        connection.uid
        for run in runs
        if run.report.problem is not None
        and not run.overlooked
        and run.report.problem.reason == AccessDeniedError.reason
        for connection in (run.config.connection, *run.config.directories)
    }
