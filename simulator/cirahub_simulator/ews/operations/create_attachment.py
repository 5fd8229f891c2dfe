"""CreateAttachment: [MS-OXWSATT] 3.1.4.1. Items as attachments are not simulated."""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.attachment import attach, identifier
from cirahub_simulator.ews.call import Call, child
from cirahub_simulator.ews.errors import not_supported
from cirahub_simulator.ews.identifiers import ews_id
from cirahub_simulator.ews.markup import Element, children, element, local_name
from cirahub_simulator.ews.messages import each, wrapped


def answer(call: Call) -> list[Element]:
    """A message for each attachment."""
    parent = child(call.request, "m:ParentItemId")

    def one(node: Element) -> Iterator[Element]:
        mailbox, item = call.item_of(parent)
        if local_name(node) != "FileAttachment":
            raise not_supported(f"creating an {local_name(node)}")
        made = attach(mailbox, item, node)
        shown = element("t:FileAttachment")
        shown.append(identifier(item, made, ews_id(item.id), item.change_key))
        yield wrapped("m:Attachments", [shown])

    given = children(child(call.request, "m:Attachments"))
    return each("CreateAttachment", given, one, required="m:Attachments")
