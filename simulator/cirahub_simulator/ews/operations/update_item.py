"""UpdateItem: [MS-OXWSCORE] 3.1.4.9.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/updateitem: a change key
is needed unless the resolution is AlwaysOverwrite; NeverOverwrite fails when it is not the current
one, the other two write. AutoResolve keeps a Sensitivity that became stricter in between: the one
example of what [MS-OXWSCORE] 3.1.4.9.4.1 says it keeps "in some cases".
"""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews import mapi
from cirahub_simulator.ews.call import Call, attribute, child
from cirahub_simulator.ews.contact_item import ContactEditor
from cirahub_simulator.ews.errors import EwsError, not_supported, schema_violation
from cirahub_simulator.ews.event_editor import EventEditor
from cirahub_simulator.ews.item import read_extended_value
from cirahub_simulator.ews.item_properties import SENSITIVITIES, item_id
from cirahub_simulator.ews.kinds import Editor, kind_of
from cirahub_simulator.ews.markup import (
    Element,
    add,
    children,
    element,
    local_name,
    name,
    text_of,
)
from cirahub_simulator.ews.messages import each, wrapped
from cirahub_simulator.ews.property import Item
from cirahub_simulator.ews.property_path import PATHS, Path, find_path
from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.mailbox import Mailbox

RESOLUTIONS = ("NeverOverwrite", "AutoResolve", "AlwaysOverwrite")
SENDING = (
    "SendToNone",
    "SendOnlyToAll",
    "SendOnlyToChanged",
    "SendToAllAndSaveCopy",
    "SendToChangedAndSaveCopy",
)
"""CalendarItemUpdateOperationType."""


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
        mailbox, item = call.item_of(target)
        stale = _is_stale(item, target.get("ChangeKey"), resolution)
        editor = _editor(call, mailbox, item)
        kind = kind_of(item)
        kept = 0
        for change in children(child(node, "t:Updates")):
            if stale and resolution == "AutoResolve" and _loosens(item, change):
                kept += 1
            else:
                _apply(editor, kind.element, change)
        shown = wrapped(f"t:{kind.element}", [item_id(call.reading(mailbox, editor.save()))])
        yield wrapped("m:Items", [shown])
        conflicts = element("m:ConflictResults")
        add(conflicts, "t:Count", str(kept))
        yield conflicts

    return each("UpdateItem", changes, one, required="m:Items")


def _editor(call: Call, mailbox: Mailbox, item: Item) -> Editor:
    if isinstance(item, Contact):
        return ContactEditor(mailbox, item.folder, item)
    if call.request.get("SendMeetingInvitationsOrCancellations") is None:
        raise EwsError(
            "ErrorSendMeetingInvitationsOrCancellationsRequired",
            "SendMeetingInvitationsOrCancellations attribute is required for calendar items.",
        )
    sending = attribute(call.request, "SendMeetingInvitationsOrCancellations", SENDING)
    return EventEditor(
        mailbox, item.calendar.folder, call.time_zone, item, send=sending != "SendToNone"
    )


def _is_stale(item: Item, change_key: str | None, resolution: str) -> bool:
    """Whether the item was written since the change key. Raises EwsError."""
    if resolution == "AlwaysOverwrite":
        return False
    if not change_key:
        raise EwsError(
            "ErrorChangeKeyRequiredForWriteOperations",
            "A change key is required for this operation.",
        )
    if resolution == "NeverOverwrite" and change_key != item.change_key:
        raise EwsError(
            "ErrorIrresolvableConflict",
            "The send or update operation could not be performed because the change key passed in "
            "the request does not match the current change key for the item.",
        )
    return change_key != item.change_key


def _loosens(item: Item, change: Element) -> bool:
    """Whether a change makes an item less confidential than it is."""
    if find_path(change).uri != "item:Sensitivity":
        return False
    wanted = next(
        (text_of(node) for node in change.iter() if node.tag == name("t:Sensitivity")), "Normal"
    )
    if isinstance(item, Contact):
        there = int(item.extended.get(mapi.SENSITIVITY, "0"))
    else:
        there = SENSITIVITIES[item.fields.sensitivity.capitalize()]
    return SENSITIVITIES.get(wanted, 0) < there


def _apply(editor: Editor, element_name: str, change: Element) -> None:
    kind = local_name(change)
    path = find_path(change)
    if kind == "DeleteItemField":
        _delete(editor, path)
        return
    if kind not in ("SetItemField", "AppendToItemField"):
        raise schema_violation(f"The element 'Updates' has '{kind}' in it.")
    item = next((one for one in children(change) if local_name(one) not in PATHS), None)
    if item is None:
        raise schema_violation(f"The element '{kind}' has no item in it.")
    if local_name(item) not in (element_name, "Item"):
        raise not_supported(f"updating a {element_name} by a {local_name(item)}")
    entries = list(children(item))
    if len(entries) != 1:
        raise EwsError(
            "ErrorIncorrectUpdatePropertyCount",
            "Each change description has to name one property alone.",
        )
    if kind == "AppendToItemField":
        editor.append(path.uri, _same(entries[0], path.uri.partition(":")[2]))
    elif path.extended:
        given, value = read_extended_value(_same(entries[0], "ExtendedProperty"))
        if given.uri != path.uri:
            raise _mismatch()
        editor.put_extended(path, value)
    elif path.key is not None:
        editor.put_indexed(path, item)
    else:
        editor.put(path.uri, _same(entries[0], path.uri.partition(":")[2]))


def _delete(editor: Editor, path: Path) -> None:
    if path.extended:
        editor.put_extended(path, None)
    elif path.key is not None:
        editor.put_indexed(path, None)
    else:
        editor.drop(path.uri)


def _same(entry: Element, wanted: str) -> Element:
    if local_name(entry) != wanted:
        raise _mismatch()
    return entry


def _mismatch() -> EwsError:
    return EwsError(
        "ErrorUpdatePropertyMismatch", "The property in the update expression is not in the item."
    )
