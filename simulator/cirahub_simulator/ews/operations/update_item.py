"""UpdateItem: [MS-OXWSCORE] 3.1.4.9.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/updateitem: a change key
is needed unless the resolution is AlwaysOverwrite; NeverOverwrite fails when it is not the current
one, the other two write.
"""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.body import append_body
from cirahub_simulator.ews.call import Call, attribute, child
from cirahub_simulator.ews.contact import write_indexed
from cirahub_simulator.ews.draft import Draft
from cirahub_simulator.ews.errors import (
    EwsError,
    not_appendable,
    not_deletable,
    not_settable,
    not_supported,
    schema_violation,
)
from cirahub_simulator.ews.item import PROPERTIES, item_id, read_extended_value
from cirahub_simulator.ews.markup import Element, add, children, element, local_name
from cirahub_simulator.ews.messages import each, wrapped
from cirahub_simulator.ews.property_path import PATHS, Path, find_path
from cirahub_simulator.graph.contact import Contact

RESOLUTIONS = ("NeverOverwrite", "AutoResolve", "AlwaysOverwrite")


def answer(call: Call) -> list[Element]:
    """A message for each item."""
    request = call.request
    resolution = attribute(request, "ConflictResolution", RESOLUTIONS)
    changes = list(children(child(request, "m:ItemChanges")))
    if not changes:
        raise schema_violation("The element 'ItemChanges' is empty.")

    def one(node: Element) -> Iterator[Element]:
        target = next(children(node), None)
        if local_name(node) != "ItemChange" or target is None:
            raise schema_violation("The element 'ItemChanges' has no valid ItemChange.")
        mailbox, contact = call.item_of(target)
        _check(contact, target.get("ChangeKey"), resolution)
        draft = Draft(contact)
        for change in children(child(node, "t:Updates")):
            _apply(draft, change)
        mailbox.update_contact(contact, draft.body())
        contact.places = draft.places()
        shown = wrapped("t:Contact", [item_id(call.reading(mailbox, contact))])
        yield wrapped("m:Items", [shown])
        conflicts = element("m:ConflictResults")
        add(conflicts, "t:Count", "0")
        yield conflicts

    return each("UpdateItem", changes, one, required="m:Items")


def _check(contact: Contact, change_key: str | None, resolution: str) -> None:
    if resolution == "AlwaysOverwrite":
        return
    if not change_key:
        raise EwsError(
            "ErrorChangeKeyRequiredForWriteOperations",
            "A change key is required for this operation.",
        )
    if resolution == "NeverOverwrite" and change_key != contact.change_key:
        raise EwsError(
            "ErrorIrresolvableConflict",
            "The send or update operation could not be performed because the change key passed in "
            "the request does not match the current change key for the item.",
        )


def _apply(draft: Draft, change: Element) -> None:
    kind = local_name(change)
    path = find_path(change)
    if kind == "DeleteItemField":
        _delete(draft, path)
        return
    if kind not in ("SetItemField", "AppendToItemField"):
        raise schema_violation(f"The element 'Updates' has '{kind}' in it.")
    item = next((one for one in children(change) if local_name(one) not in PATHS), None)
    if item is None:
        raise schema_violation(f"The element '{kind}' has no item in it.")
    if local_name(item) not in ("Contact", "Item"):
        raise not_supported(f"updating a {local_name(item)}")
    entries = list(children(item))
    if len(entries) != 1:
        raise EwsError(
            "ErrorIncorrectUpdatePropertyCount",
            "Each change description has to name one property alone.",
        )
    if kind == "AppendToItemField":
        if path.uri != "item:Body":
            raise not_appendable(str(path))
        append_body(draft, _same(entries[0], "Body"))
    elif path.extended:
        given, value = read_extended_value(_same(entries[0], "ExtendedProperty"))
        if given.uri != path.uri:
            raise _mismatch()
        draft.put_extended(path.uri, value)
    elif path.key is not None:
        write_indexed(draft, path.uri, path.key, item)
    else:
        found = PROPERTIES.get(path.uri)
        if found is None or found.write is None:
            raise not_settable(str(path))
        found.write(draft, _same(entries[0], found.name))


def _delete(draft: Draft, path: Path) -> None:
    if path.extended:
        draft.put_extended(path.uri, None)
        return
    if path.key is not None:
        write_indexed(draft, path.uri, path.key, None)
        return
    found = PROPERTIES.get(path.uri)
    if found is None or found.write is None or path.uri == "item:ItemClass":
        raise not_deletable(str(path))
    found.write(draft, None)


def _same(entry: Element, name: str) -> Element:
    if local_name(entry) != name:
        raise _mismatch()
    return entry


def _mismatch() -> EwsError:
    return EwsError(
        "ErrorUpdatePropertyMismatch", "The property in the update expression is not in the item."
    )
