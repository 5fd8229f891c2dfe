"""How change notifications are delivered."""

from __future__ import annotations

import msgspec


class Terms(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What the admin endpoint may set."""

    latency: float = 0.0
    """Seconds from a change to its delivery, on the simulator's clock.

    https://learn.microsoft.com/graph/change-notifications-overview (latency), of contacts: less
    than a minute on average, three minutes at most; of events: unknown.
    """
    patience: float = 10.0
    """Seconds of real time that an endpoint has for its answer."""
    most: int = 100
    """Notifications in one delivery. The documents name no number."""
    ca_file: str = ""
    """PEM of an authority that endpoints' certificates may be from; blank: the system's only."""
