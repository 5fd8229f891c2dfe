"""What is in a folder, whatever kind it is of, and what happened there."""

from __future__ import annotations

from cirahub_simulator.calendar.event import Instance
from cirahub_simulator.ews.property import Item
from cirahub_simulator.graph.changes import Change, ChangeLog
from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox


def items_in(mailbox: Mailbox, folder: Folder) -> list[Item]:
    """A folder's items: contacts, single appointments and series, in the order they came."""
    found: list[Item] = list(folder.contacts.values())
    calendar = mailbox.calendars.of_folder(folder)
    if calendar is not None:
        found += calendar.events.values()
    if folder is mailbox.bin_folder:
        found += mailbox.calendars.bin.values()
    return found


def count_in(mailbox: Mailbox, folder: Folder) -> int:
    """How many items are in a folder, those below it aside."""
    calendar = mailbox.calendars.of_folder(folder)
    count = len(folder.contacts) + (0 if calendar is None else len(calendar.events))
    return count + (len(mailbox.calendars.bin) if folder is mailbox.bin_folder else 0)


def find_item(mailbox: Mailbox, item_id: str) -> Item | None:
    """The item of an id, in whatever folder it is."""
    return mailbox.find_contact(item_id) or mailbox.calendars.find(item_id)


def folder_of(mailbox: Mailbox, item: Item) -> Folder:
    """Where an item is."""
    if isinstance(item, Contact):
        return item.folder
    event = item.event if isinstance(item, Instance) else item
    if event.immutable_id in mailbox.calendars.bin:
        return mailbox.bin_folder
    return event.calendar.folder


def is_in(mailbox: Mailbox, item: Item, folder: Folder) -> bool:
    """Whether an item is (still) in a folder."""
    there: Item | None
    if isinstance(item, Contact):
        there = folder.contacts.get(item.immutable_id)
    elif folder is mailbox.bin_folder:
        there = mailbox.calendars.bin.get(item.immutable_id)
    else:
        calendar = mailbox.calendars.of_folder(folder)
        there = None if calendar is None else calendar.events.get(item.immutable_id)
    return there is item


def changes_in(mailbox: Mailbox, folder: Folder) -> ChangeLog[Item]:
    """Everything that happened in a folder, in order."""
    calendar = mailbox.calendars.of_folder(folder)
    changes: list[Change[Item]] = [*folder.changes]
    if calendar is not None:
        changes += calendar.changes
    if folder is mailbox.bin_folder:
        changes += mailbox.calendars.bin_changes
    changes.sort(key=lambda change: change.sequence)
    made: ChangeLog[Item] = ChangeLog()
    for change in changes:
        made.append(change)
    return made
