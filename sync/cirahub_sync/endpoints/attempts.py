"""Attempts at a request: how long one may take, how many a read has, and what is known of one that
was not answered."""

from __future__ import annotations

import msgspec

from cirahub_sync.errors import EndpointUnavailableError
from cirahub_sync.lease_terms import LeaseTerms


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long a request may take and how often a read is repeated. In seconds."""

    connect: float = 15.0
    answer: float = 100.0
    """For one read as a whole."""
    write: float = LeaseTerms().write
    """For one write as a whole."""
    attempts: int = 5
    pause: float = 0.5
    """Before the second attempt; doubles from one to the next, with jitter."""
    longest_pause: float = 120.0
    """A service that asks for more than this is left alone: ThrottledError."""

    def pause_after(self, attempt: int, jitter: float) -> float:
        """`attempt` from 1, `jitter` from 0 to 1."""
        return self.pause * 2.0 ** (attempt - 1) * (0.5 + jitter)


class NotSentError(EndpointUnavailableError):
    """The request did not leave: surely without effect."""


class AnswerLostError(EndpointUnavailableError):
    """The request left and its answer did not come, or not whole."""
