"""DeleteItem: [MS-OXWSCORE] 3.1.4.3.

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/deleting-items-by-using-ews-in-exchange:
what is soft-deleted goes to the Deletions folder of Recoverable Items.
"""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call, attribute
from cirahub_simulator.ews.markup import Element
from cirahub_simulator.ews.messages import each
from cirahub_simulator.ews.operations.delete_folder import DISPOSALS
from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.mailbox import Mailbox


def answer(call: Call) -> list[Element]:
    """A message for each item."""
    disposal = attribute(call.request, "DeleteType", DISPOSALS)

    def one(node: Element) -> Iterator[Element]:
        mailbox, contact = call.item_of(node)
        dispose(mailbox, contact, disposal)
        yield from ()

    return each("DeleteItem", call.folders_of(call.request, "m:ItemIds"), one)


def dispose(mailbox: Mailbox, contact: Contact, disposal: str) -> None:
    """Delete an item."""
    if disposal == "HardDelete":
        mailbox.purge_contact(contact)
    elif disposal == "SoftDelete":
        mailbox.move_contact(contact, mailbox.distinguished["recoverableitemsdeletions"])
    else:
        mailbox.delete_contact(contact)
