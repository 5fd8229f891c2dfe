"""DeleteItem: [MS-OXWSCORE] 3.1.4.3.

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/deleting-items-by-using-ews-in-exchange:
what is soft-deleted goes to the Deletions folder of Recoverable Items. An occurrence is taken out
of its series, and a soft-deleted appointment is gone: this simulator keeps none of either.
"""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call, attribute
from cirahub_simulator.ews.errors import EwsError
from cirahub_simulator.ews.markup import Element
from cirahub_simulator.ews.messages import each
from cirahub_simulator.ews.operations.create_item import SENDING
from cirahub_simulator.ews.operations.delete_folder import DISPOSALS
from cirahub_simulator.ews.property import Item
from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.mailbox import Mailbox


def answer(call: Call) -> list[Element]:
    """A message for each item."""
    disposal = attribute(call.request, "DeleteType", DISPOSALS)
    sending = call.request.get("SendMeetingCancellations")
    if sending is not None:
        attribute(call.request, "SendMeetingCancellations", SENDING)

    def one(node: Element) -> Iterator[Element]:
        mailbox, item = call.item_of(node)
        if not isinstance(item, Contact) and sending is None:
            raise EwsError(
                "ErrorSendMeetingCancellationsRequired",
                "SendMeetingCancellations attribute is required for calendar items.",
            )
        dispose(mailbox, item, disposal, send=sending != "SendToNone")
        yield from ()

    return each("DeleteItem", call.folders_of(call.request, "m:ItemIds"), one)


def dispose(mailbox: Mailbox, item: Item, disposal: str, *, send: bool = False) -> None:
    """Delete an item."""
    if not isinstance(item, Contact):
        if disposal == "MoveToDeletedItems":
            mailbox.calendars.delete_item(item, send=send)
        else:
            mailbox.calendars.purge_item(item, send=send)
    elif disposal == "HardDelete":
        mailbox.purge_contact(item)
    elif disposal == "SoftDelete":
        mailbox.move_contact(item, mailbox.distinguished["recoverableitemsdeletions"])
    else:
        mailbox.delete_contact(item)
