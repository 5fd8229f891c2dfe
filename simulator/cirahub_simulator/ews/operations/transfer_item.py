"""MoveItem and CopyItem: [MS-OXWSCORE] 3.1.4.7 and 3.1.4.1.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/moveitem-operation: into
another mailbox, or into public folders, no new id is answered.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from cirahub_simulator.ews.call import Call
from cirahub_simulator.ews.item import item_id
from cirahub_simulator.ews.markup import Element, find, is_true, text_of
from cirahub_simulator.ews.messages import each, wrapped
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
        mailbox, contact = call.item_of(node)
        if target is not mailbox:
            _copy(target, folder, contact)
            if not keep:
                mailbox.purge_contact(contact)
            yield wrapped("m:Items", [])
            return
        there = _copy(target, folder, contact) if keep else mailbox.move_contact(contact, folder)
        shown = wrapped("t:Contact", [item_id(call.reading(target, there))])
        yield wrapped("m:Items", [shown] if ids_wanted else [])

    ids = call.folders_of(call.request, "m:ItemIds")
    return each(operation, ids, one, required="m:Items")


def _copy(target: Mailbox, folder: Folder, contact: Contact) -> Contact:
    fields = msgspec.convert(msgspec.to_builtins(contact.fields), ContactFields)
    made = target.create_contact(folder, ContactBody(fields, frozenset(), dict(contact.extended)))
    made.places = dict(contact.places)
    return made
