"""DeleteAttachment: [MS-OXWSATT] 3.1.4.2."""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.attachment import detach
from cirahub_simulator.ews.call import Call
from cirahub_simulator.ews.identifiers import ews_id
from cirahub_simulator.ews.markup import Element, element
from cirahub_simulator.ews.messages import each


def answer(call: Call) -> list[Element]:
    """A message for each attachment, with the new change key of its item."""

    def one(node: Element) -> Iterator[Element]:
        mailbox, item, attachment = call.attachment_of(node)
        detach(mailbox, item, attachment)
        root = element("m:RootItemId")
        root.set("RootItemId", ews_id(item.id))
        root.set("RootItemChangeKey", item.change_key)
        yield root

    return each("DeleteAttachment", call.folders_of(call.request, "m:AttachmentIds"), one)
