"""Notifications: what happened in a mailbox since a place in its history, as events.

[MS-OXWSNTIF] 2.2.4. The mailbox's log knows writes, arrivals and departures: a departure from one
folder with an arrival in another is a move; a copy is told as created.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from cirahub_simulator.ews.contents import changes_in
from cirahub_simulator.ews.identifiers import ews_id
from cirahub_simulator.ews.markup import Element, add, boolean, element
from cirahub_simulator.ews.property import Item
from cirahub_simulator.ews.subscription import Subscription, write_watermark
from cirahub_simulator.graph.changes import Change
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox

MOST = 50
"""Events of one answer to GetEvents."""


class _Event(NamedTuple):
    position: int
    kind: str
    time: float
    what: str
    """FolderId or ItemId."""
    id: str
    change_key: str
    parent: str
    old_id: str = ""
    old_parent: str = ""

    def element(self, watermark: str | None) -> Element:
        made = element(f"t:{self.kind}")
        if watermark is not None:
            add(made, "t:Watermark", watermark)
        add(made, "t:TimeStamp", f"{datetime.fromtimestamp(self.time, UTC):%Y-%m-%dT%H:%M:%SZ}")
        add(made, f"t:{self.what}", Id=ews_id(self.id), ChangeKey=self.change_key)
        add(made, "t:ParentFolderId", Id=ews_id(self.parent))
        if self.old_id:
            add(made, f"t:Old{self.what}", Id=ews_id(self.old_id))
            add(made, "t:OldParentFolderId", Id=ews_id(self.old_parent))
        return made


def pull(subscription: Subscription, position: int) -> Element:
    """The Notification that GetEvents answers."""
    mailbox = subscription.mailbox
    found = _wanted(subscription, position)
    told = found[:MOST]
    made = element("m:Notification")
    add(made, "t:SubscriptionId", subscription.id)
    add(made, "t:PreviousWatermark", write_watermark(mailbox, position))
    add(made, "t:MoreEvents", boolean(len(found) > len(told)))
    for event in told:
        made.append(event.element(write_watermark(mailbox, event.position)))
    if not told:
        status = add(made, "t:StatusEvent")
        add(status, "t:Watermark", write_watermark(mailbox, mailbox.sequence))
    return made


def stream(subscription: Subscription, namespace: str) -> Element | None:
    """The Notification that a stream tells next, if there is anything; it is told once.

    `namespace` is `Switches.stream_notification`.
    """
    found = _wanted(subscription, subscription.position)
    subscription.position = subscription.mailbox.sequence
    if not found:
        return None
    made = element("m:Notification" if namespace == "messages" else "t:Notification")
    add(made, "t:SubscriptionId", subscription.id)
    made.extend(event.element(None) for event in found)
    return made


def _wanted(subscription: Subscription, position: int) -> list[_Event]:
    folders = subscription.folders
    return [
        event
        for event in sorted(_events(subscription.mailbox, position))
        if event.kind in subscription.events
        and (folders is None or not folders.isdisjoint((event.parent, event.old_parent)))
    ]


def _events(mailbox: Mailbox, position: int) -> Iterator[_Event]:
    yield from _of_folders(mailbox, position)
    changes: list[tuple[Change[Item], Folder]] = []
    for folder in mailbox.folders(mailbox.root):
        log = changes_in(mailbox, folder)
        changes += ((log[index], folder) for index in range(log.after(position), len(log)))
    changes.sort(key=lambda pair: pair[0].sequence)
    left: dict[str, tuple[Change[Item], Folder]] = {}
    for change, folder in changes:
        if change.removed:
            left[change.item.immutable_id] = (change, folder)
            continue
        before = left.pop(change.item.immutable_id, None) if change.placed else None
        kind = "MovedEvent" if before else "CreatedEvent" if change.placed else "ModifiedEvent"
        event = _of_item(change, kind, folder)
        if before is not None:
            event = event._replace(old_id=before[0].id, old_parent=before[1].id)
        yield event
    for change, folder in left.values():
        yield _of_item(change, "DeletedEvent", folder)


def _of_item(change: Change[Item], kind: str, folder: Folder) -> _Event:
    return _Event(
        change.sequence,
        kind,
        change.time,
        "ItemId",
        change.id,
        change.item.change_key,
        folder.id,
    )


def _of_folders(mailbox: Mailbox, position: int) -> Iterator[_Event]:
    log = mailbox.folder_changes
    for index in range(log.after(position), len(log)):
        change = log[index]
        kind = "Deleted" if change.removed else "Created" if change.placed else "Modified"
        yield _Event(
            change.sequence,
            f"{kind}Event",
            change.time,
            "FolderId",
            change.id,
            mailbox.folder_change_key(change.item),
            change.parent_id if change.removed else change.item.parent_id,
        )
