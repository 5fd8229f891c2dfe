"""GetAttachment: [MS-OXWSATT] 3.1.4.3."""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.attachment import render
from cirahub_simulator.ews.call import Call
from cirahub_simulator.ews.markup import Element
from cirahub_simulator.ews.messages import each, wrapped


def answer(call: Call) -> list[Element]:
    """A message for each attachment."""

    def one(node: Element) -> Iterator[Element]:
        _, item, attachment = call.attachment_of(node)
        yield wrapped("m:Attachments", [render(item, attachment, whole=True)])

    ids = call.folders_of(call.request, "m:AttachmentIds")
    return each("GetAttachment", ids, one, required="m:Attachments")
