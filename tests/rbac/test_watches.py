"""Watches that are refused."""

from __future__ import annotations

from itertools import islice

from cirahub_operator.handlers.lifecycle import settings


def test_a_watch_that_is_refused_is_never_given_up() -> None:
    """Kopf ends when a watch does: one namespace's would end all others'."""
    waits = settings().networking.error_backoffs
    assert not isinstance(waits, float | int)
    for _ in range(2):
        first = list(islice(waits, 1000))
        assert len(first) == 1000
        assert max(first) == first[-1] == 15.0
