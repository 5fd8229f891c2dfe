"""What a CardDAV server answered, and which of our errors it is.

Of a failed answer only the status, the conditions that were not met and our own request id are
kept: what else it says may name people.
"""

from __future__ import annotations

from cirahub_sync.endpoints.carddav import wire
from cirahub_sync.endpoints.carddav.wire import Multistatus, UnreadableError
from cirahub_sync.endpoints.graph.answers import DEFAULT_RETRY_AFTER, RETRIABLE, Answer
from cirahub_sync.errors import (
    AccessDeniedError,
    CirahubError,
    CredentialError,
    CursorExpiredError,
    EndpointUnavailableError,
    ProtocolError,
    TargetNotFoundError,
    ThrottledError,
)

KNOWN = frozenset(
    {
        "address-data-conversion",
        "max-resource-size",
        "need-privileges",
        "no-uid-conflict",
        "number-of-matches-within-limits",
        "quota-not-exceeded",
        "sufficient-disk-space",
        "supported-address-data",
        "supported-address-data-conversion",
        "supported-report",
        "valid-address-data",
        "valid-sync-token",
    }
)
"""Conditions of RFC 3744 7.1.1, 4331, 6352 6.3.2.1 and 8.6-8.7, and 6578 3.2: what may be told."""


def unmet(answer: Answer) -> frozenset[str]:
    """Which conditions of a request were not met."""
    return wire.conditions(answer.body) & KNOWN


def summary(answer: Answer) -> str:
    """For messages and logs: no content, no remote text but the conditions."""
    return " ".join(
        (str(answer.status), *sorted(unmet(answer)), f"request {answer.client_request_id}")
    )


def read(answer: Answer, what: str) -> Multistatus:
    """Raises what a failed answer is, and ProtocolError for one that can't be read."""
    if answer.status != 207:
        raise failure(answer, what)
    try:
        return wire.read(answer.body)
    except UnreadableError as error:
        raise ProtocolError(
            f"{what}: the answer of the CardDAV server cannot be read ({summary(answer)}); will "
            "be tried again"
        ) from error


def failure(answer: Answer, what: str) -> CirahubError:
    """The error that a failed answer is. `what` names the object."""
    text = f"{what}: the CardDAV server answered {summary(answer)}"
    if answer.status == 401:
        return CredentialError(
            f"{text}; the password was refused: check that the account exists and is not locked"
        )
    if "valid-sync-token" in unmet(answer):
        return CursorExpiredError(f"{text}; the round starts from nothing")
    if answer.status == 403:
        return AccessDeniedError(
            f"{text}; have the account's rights on this address book widened: it has to read it, "
            "and where the spoke receives, to write there"
        )
    if answer.status in (404, 410):
        return TargetNotFoundError(
            f"{text}; it does not exist (any more): restore it, or delete the spoke that names it"
        )
    if answer.status == 429 or (answer.status == 503 and answer.retry_after is not None):
        return ThrottledError(
            f"{text}; comes right by itself", retry_after=answer.retry_after or DEFAULT_RETRY_AFTER
        )
    if answer.status in RETRIABLE or answer.status >= 500:
        return EndpointUnavailableError(f"{text}; will be tried again")
    return ProtocolError(
        f"{text}, which this request should not meet: check that the Connection's url leads to a "
        "CardDAV server"
    )
