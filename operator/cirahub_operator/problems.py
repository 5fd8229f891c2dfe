"""From an engine's error to the problem that a condition states."""

from __future__ import annotations

from cirahub_sync.engine.report import Problem
from cirahub_sync.errors import (
    AccessDeniedError,
    CirahubError,
    CredentialError,
    ThrottledError,
)


def problem_of(error: CirahubError) -> Problem:
    return Problem(
        reason=error.reason,
        message=str(error),
        stalled=error.stalled,
        retry_after=error.retry_after if isinstance(error, ThrottledError) else None,
        access=isinstance(error, CredentialError | AccessDeniedError),
    )
