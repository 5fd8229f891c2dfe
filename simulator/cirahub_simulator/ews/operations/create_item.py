"""CreateItem: [MS-OXWSCORE] 3.1.4.2, and for contacts [MS-OXWSCONT] 3.1.4.2."""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call, child
from cirahub_simulator.ews.draft import Draft
from cirahub_simulator.ews.errors import (
    EwsError,
    not_settable,
    not_supported,
    schema_violation,
)
from cirahub_simulator.ews.item import PROPERTIES, item_id, read_extended_value
from cirahub_simulator.ews.markup import Element, children, find, local_name
from cirahub_simulator.ews.messages import each, wrapped
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox


def answer(call: Call) -> list[Element]:
    """A message for each item to make."""
    request = call.request
    items = list(children(child(request, "m:Items")))
    if not items:
        raise schema_violation("The element 'Items' is empty.")

    def one(node: Element) -> Iterator[Element]:
        if local_name(node) != "Contact":
            raise not_supported(f"creating a {local_name(node)}")
        mailbox, folder = _target(call)
        draft = Draft()
        for entry in children(node):
            write(draft, entry)
        contact = mailbox.create_contact(folder, draft.body())
        contact.places = draft.places()
        shown = wrapped("t:Contact", [item_id(call.reading(mailbox, contact))])
        yield wrapped("m:Items", [shown])

    return each("CreateItem", items, one, required="m:Items")


def write(draft: Draft, entry: Element) -> None:
    """Set one property of an item. Raises EwsError."""
    name = local_name(entry)
    if name == "ExtendedProperty":
        path, value = read_extended_value(entry)
        draft.put_extended(path.uri, value)
        return
    found = PROPERTIES.get(f"contacts:{name}") or PROPERTIES.get(f"item:{name}")
    if found is None:
        raise EwsError("ErrorInvalidPropertySet", f"Set action is invalid for property. ({name})")
    if found.write is None:
        raise not_settable(found.uri)
    found.write(draft, entry)


def _target(call: Call) -> tuple[Mailbox, Folder]:
    if find(call.request, "m:SavedItemFolderId") is not None:
        return call.target_folder(call.request, "m:SavedItemFolderId")
    mailbox = call.own_mailbox()
    return mailbox, mailbox.default_folder
