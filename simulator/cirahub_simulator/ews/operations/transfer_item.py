"""MoveItem and CopyItem: [MS-OXWSCORE] 3.1.4.7 and 3.1.4.1.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/moveitem-operation: into
another mailbox, or into public folders, no new id is answered.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from cirahub_simulator.calendar.event import Instance
from cirahub_simulator.ews.attachment import copy_attachments
from cirahub_simulator.ews.call import Call
from cirahub_simulator.ews.errors import EwsError
from cirahub_simulator.ews.item_properties import item_id
from cirahub_simulator.ews.kinds import kind_of
from cirahub_simulator.ews.markup import Element, find, is_true, text_of
from cirahub_simulator.ews.messages import each, wrapped
from cirahub_simulator.ews.property import Item
from cirahub_simulator.graph.body import ContactBody
from cirahub_simulator.graph.contact import Contact, ContactFields
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox


def move(call: Call) -> list[Element]:
    """A message for each item moved."""
    return _answer(call, "MoveItem", keep=False)


def copy(call: Call) -> list[Element]:
    """A message for each item copied."""
    return _answer(call, "CopyItem", keep=True)


def _answer(call: Call, operation: str, *, keep: bool) -> list[Element]:
    wanted = find(call.request, "m:ReturnNewItemIds")
    ids_wanted = wanted is None or is_true(text_of(wanted))

    def one(node: Element) -> Iterator[Element]:
        target, folder = call.target_folder(call.request, "m:ToFolderId")
        mailbox, item = call.item_of(node)
        if isinstance(item, Instance):
            raise EwsError(
                "ErrorCalendarCannotMoveOrCopyOccurrence",
                "A single occurrence can't be moved or copied.",
            )
        if target is not mailbox:
            copy_item(mailbox, target, folder, item)
            if not keep:
                _purge(mailbox, item)
            yield wrapped("m:Items", [])
            return
        there = copy_item(mailbox, target, folder, item) if keep else _move(mailbox, folder, item)
        shown = wrapped(f"t:{kind_of(there).element}", [item_id(call.reading(target, there))])
        yield wrapped("m:Items", [shown] if ids_wanted else [])

    ids = call.folders_of(call.request, "m:ItemIds")
    return each(operation, ids, one, required="m:Items")


def _purge(mailbox: Mailbox, item: Item) -> None:
    if isinstance(item, Contact):
        mailbox.purge_contact(item)
    else:
        mailbox.calendars.purge_item(item, send=False)


def _move(mailbox: Mailbox, folder: Folder, item: Item) -> Item:
    if isinstance(item, Contact):
        return mailbox.move_contact(item, folder)
    assert not isinstance(item, Instance)
    if folder is mailbox.bin_folder:
        if item.immutable_id not in mailbox.calendars.bin:
            mailbox.calendars.delete_item(item, send=False)
        return item
    calendar = mailbox.calendars.of_folder(folder)
    if calendar is None:
        raise _not_there()
    return mailbox.calendars.move_event(item, calendar)


def copy_item(source: Mailbox, target: Mailbox, folder: Folder, item: Item) -> Item:
    """A copy of an item in a folder of the same or another mailbox. Raises EwsError."""
    if isinstance(item, Contact):
        fields = msgspec.convert(msgspec.to_builtins(item.fields), ContactFields)
        made = target.create_contact(folder, ContactBody(fields, frozenset(), dict(item.extended)))
        made.places = dict(item.places)
        copy_attachments(source, item, target, made)
        return made
    calendar = target.calendars.of_folder(folder)
    if calendar is None:
        raise _not_there()
    event = target.calendars.create_event(calendar, item.fields, item.extended, send=False)
    copy_attachments(source, item, target, event)
    return event


def _not_there() -> EwsError:
    return EwsError(
        "ErrorCannotCreateCalendarItemInNonCalendarFolder",
        "An appointment can be in a calendar only.",
    )
