"""What happened in a mailbox since a subscription was last told, as change notifications.

https://learn.microsoft.com/graph/api/resources/changenotification; the example of
https://learn.microsoft.com/graph/outlook-change-notifications-overview has the members' values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from cirahub_simulator.graph.changes import Change, ChangeLog
from cirahub_simulator.graph.identifiers import etag
from cirahub_simulator.notification.subscription import (
    ChangeType,
    LifecycleEvent,
    Subscription,
    moment,
)

if TYPE_CHECKING:
    from cirahub_simulator.graph.mailbox import Mailbox


class Told(NamedTuple):
    """A change that a subscription hears of."""

    sequence: int
    time: float
    """When it happened, in seconds since the epoch, on the simulator's clock."""
    change_type: ChangeType
    value: dict[str, object]
    """The element of `value` in the body."""


def changes_of(subscription: Subscription, *, deletions: bool = True) -> list[Told]:
    """Everything since its position that it asked for, in order; its position is now the end.

    What comes into a folder is created there, and what leaves it is deleted, moved or not.
    `deletions`: whether those of contacts are told.
    """
    mailbox = subscription.mailbox
    found: list[Told] = []
    muted = subscription.kind == "Contact" and not deletions
    for log in _logs(mailbox, subscription):
        for index in range(log.after(subscription.position), len(log)):
            told = _told(subscription, log[index])
            if muted and told.change_type == "deleted":
                continue
            if told.change_type in subscription.change_types:
                found.append(told)
    subscription.position = mailbox.sequence
    found.sort(key=lambda one: one.sequence)
    return found


def lifecycle(subscription: Subscription, event: LifecycleEvent) -> dict[str, object]:
    """https://learn.microsoft.com/graph/change-notifications-lifecycle-events (structure)"""
    return {**_head(subscription), "lifecycleEvent": event}


def _logs(mailbox: Mailbox, subscription: Subscription) -> Iterator[ChangeLog[Any]]:
    if subscription.kind == "Contact":
        for folder in mailbox.folders():
            if subscription.folder in ("", folder.id):
                yield folder.changes
        return
    for calendar in mailbox.calendars.all():
        if subscription.folder in ("", calendar.id):
            yield calendar.changes


def _told(subscription: Subscription, change: Change[Any]) -> Told:
    change_type: ChangeType = "updated"
    if change.removed:
        change_type = "deleted"
    elif change.placed:
        change_type = "created"
    kind = subscription.kind
    item_id = change.item.immutable_id if subscription.immutable_ids else change.id
    path = f"Users/{subscription.mailbox.user_id}/{kind}s/{item_id}"
    value = {
        **_head(subscription),
        "changeType": change_type,
        "resource": path,
        "resourceData": {
            "@odata.type": f"#Microsoft.Graph.{kind}",
            "@odata.id": path,
            "@odata.etag": etag(change.item.change_key),
            "id": item_id,
        },
    }
    return Told(change.sequence, change.time, change_type, value)


def _head(subscription: Subscription) -> dict[str, object]:
    return {
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": moment(subscription.expires),
        "clientState": subscription.client_state,
        "tenantId": subscription.tenant_id,
    }
