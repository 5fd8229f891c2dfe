"""GetItem: [MS-OXWSCORE] 3.1.4.4."""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call, child
from cirahub_simulator.ews.item import read_shape
from cirahub_simulator.ews.markup import Element
from cirahub_simulator.ews.messages import each, wrapped


def answer(call: Call) -> list[Element]:
    """A message for each item."""
    shape_node = child(call.request, "m:ItemShape")

    def one(node: Element) -> Iterator[Element]:
        shape = read_shape(shape_node, call.envelope.version)
        mailbox, item = call.item_of(node)
        reading = call.reading(mailbox, item, shape.body_type)
        yield wrapped("m:Items", [shape.render(reading)])

    ids = call.folders_of(call.request, "m:ItemIds")
    return each("GetItem", ids, one, required="m:Items")
