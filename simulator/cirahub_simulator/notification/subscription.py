"""Subscriptions to change notifications: what an application wants to hear of, and until when.

https://learn.microsoft.com/graph/api/resources/subscription
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cirahub_simulator.graph.mailbox import Mailbox

ChangeType = Literal["created", "updated", "deleted"]
LifecycleEvent = Literal["reauthorizationRequired", "subscriptionRemoved", "missed"]

MOST_PER_MAILBOX = 1000
"""Of all applications: https://learn.microsoft.com/graph/outlook-change-notifications-overview"""

AUTHORIZED = 3600.0
"""Seconds for which what was shown with a create, a renewal or a reauthorisation is good.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks (authentication): an access
token, which usually expires within an hour.
"""


@dataclass(slots=True, kw_only=True)
class Subscription:
    """One of them. Times are seconds since the epoch, on the simulator's clock."""

    client_id: str
    tenant_id: str
    resource: str
    """As it was asked for."""
    mailbox: Mailbox
    kind: Literal["Contact", "Event"]
    folder: str
    """Id of the one folder or calendar. Blank: all of the mailbox."""
    change_types: frozenset[ChangeType]
    notification_url: str
    lifecycle_url: str
    """Blank: it hears nothing of its own life."""
    client_state: str | None
    expires: float
    position: int
    """The number of the mailbox's last write that it was told of, or that was there before."""
    immutable_ids: bool = False
    """https://learn.microsoft.com/graph/outlook-immutable-id: asked for when it was created."""
    authorized_until: float = 0.0
    challenged: bool = False
    """Whether it was asked to be authorised anew, and has not been since."""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Subscriptions:
    """Those of a world."""

    def __init__(self) -> None:
        self._held: dict[str, Subscription] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Subscription]:
        return iter(list(self._held.values()))

    def add(self, subscription: Subscription) -> None:
        """A new one."""
        self._held[subscription.id] = subscription

    def find(self, subscription_id: str) -> Subscription | None:
        """The one of an id."""
        return self._held.get(subscription_id)

    def remove(self, subscription: Subscription) -> None:
        """End one, if it hasn't ended."""
        self._held.pop(subscription.id, None)

    def of_mailbox(self, user_id: str) -> int:
        """How many a mailbox has, of all applications."""
        return sum(one.mailbox.user_id == user_id for one in self._held.values())


def moment(time: float) -> str:
    """Graph's date and time of seconds since the epoch."""
    at = datetime.fromtimestamp(time, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
