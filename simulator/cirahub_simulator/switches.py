"""What Microsoft leaves open: a field for every behaviour that sources don't settle.

Tests run under every plausible setting. A value is one of the field's `Literal` choices or a bool,
so that the command line and the admin endpoint can list and set all of them without knowing any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """One setting of everything that is open. The defaults are the likeliest behaviour."""

    throttle_code: Literal["TooManyRequests", "ApplicationThrottled"] = "ApplicationThrottled"
    """`error.code` of a 429 from a mailbox.

    https://learn.microsoft.com/graph/throttling shows `TooManyRequests` in its example; reports of
    Outlook throttling show `ApplicationThrottled`, "Application is over its MailboxConcurrency
    limit."
    """
    concurrency_per: Literal["app-and-mailbox", "mailbox"] = "app-and-mailbox"
    """What the limit of four concurrent requests is counted for.

    https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits says the limits
    "apply to the combination of app ID and mailbox"; the error's own name is MailboxConcurrency.
    """
