"""CreateItem: [MS-OXWSCORE] 3.1.4.2, for contacts [MS-OXWSCONT] 3.1.4.2, for appointments
[MS-OXWSMTGS] 3.1.4.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews import meeting_reply
from cirahub_simulator.ews.attachment import attach
from cirahub_simulator.ews.call import Call, attribute, child
from cirahub_simulator.ews.contact_item import ContactEditor
from cirahub_simulator.ews.errors import EwsError, not_supported, schema_violation
from cirahub_simulator.ews.event_editor import EventEditor
from cirahub_simulator.ews.item import read_extended_value
from cirahub_simulator.ews.item_properties import item_id
from cirahub_simulator.ews.kinds import CALENDAR_ITEM, CONTACT, Editor, Kind
from cirahub_simulator.ews.markup import Element, children, find, local_name
from cirahub_simulator.ews.messages import each, wrapped
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox

SENDING = ("SendToNone", "SendOnlyToAll", "SendToAllAndSaveCopy")
"""CalendarItemCreateOrDeleteOperationType."""


def answer(call: Call) -> list[Element]:
    """A message for each item to make, or response object to send."""
    request = call.request
    items = list(children(child(request, "m:Items")))
    if not items:
        raise schema_violation("The element 'Items' is empty.")

    def one(node: Element) -> Iterator[Element]:
        if local_name(node) in meeting_reply.NAMES:
            meeting_reply.reply(call, node)
            yield wrapped("m:Items", [])
            return
        kind, mailbox, editor = _editor(call, local_name(node))
        files: list[Element] = []
        for entry in children(node):
            if local_name(entry) == "Attachments":
                files += children(entry)
            else:
                write(editor, kind, entry)
        for file in files:
            if local_name(file) != "FileAttachment":
                raise not_supported(f"creating an {local_name(file)}")
        item = editor.save()
        for file in files:
            attach(mailbox, item, file)
        shown = wrapped(f"t:{kind.element}", [item_id(call.reading(mailbox, item))])
        yield wrapped("m:Items", [shown])

    return each("CreateItem", items, one, required="m:Items")


def _editor(call: Call, name: str) -> tuple[Kind, Mailbox, Editor]:
    if name == "Contact":
        mailbox, folder = _target(call, "contacts")
        return CONTACT, mailbox, ContactEditor(mailbox, folder)
    if name == "CalendarItem":
        if call.request.get("SendMeetingInvitations") is None:
            raise EwsError(
                "ErrorSendMeetingInvitationsRequired",
                "SendMeetingInvitations attribute is required for calendar items.",
            )
        send = attribute(call.request, "SendMeetingInvitations", SENDING) != "SendToNone"
        mailbox, folder = _target(call, "calendar")
        return (
            CALENDAR_ITEM,
            mailbox,
            EventEditor(mailbox, folder, call.time_zone, send=send),
        )
    raise not_supported(f"creating a {name}")


def write(editor: Editor, kind: Kind, entry: Element) -> None:
    """Set one property of an item. Raises EwsError."""
    name = local_name(entry)
    if name == "ExtendedProperty":
        path, value = read_extended_value(entry)
        editor.put_extended(path, value)
        return
    for uri in (f"{kind.prefix}:{name}", f"item:{name}"):
        if uri in kind.properties:
            editor.put(uri, entry)
            return
    raise EwsError("ErrorInvalidPropertySet", f"Set action is invalid for property. ({name})")


def _target(call: Call, distinguished: str) -> tuple[Mailbox, Folder]:
    if find(call.request, "m:SavedItemFolderId") is not None:
        return call.target_folder(call.request, "m:SavedItemFolderId")
    mailbox = call.own_mailbox()
    return mailbox, mailbox.distinguished[distinguished]
