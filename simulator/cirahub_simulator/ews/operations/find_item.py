"""FindItem: [MS-OXWSSRCH] 3.1.4.2."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cirahub_simulator.ews.call import Call, attribute, child
from cirahub_simulator.ews.errors import not_supported
from cirahub_simulator.ews.item import read_shape
from cirahub_simulator.ews.markup import Element, add, element, find
from cirahub_simulator.ews.messages import each
from cirahub_simulator.ews.property import Reading
from cirahub_simulator.ews.restriction import read_restriction
from cirahub_simulator.ews.search import item_values
from cirahub_simulator.ews.view import in_order, page, read_order, read_view

_NOT_SIMULATED = (
    "SeekToConditionPageItemView",
    "GroupBy",
    "DistinguishedGroupBy",
    "QueryString",
)


def answer(call: Call) -> list[Element]:
    """A message for each folder."""
    request = call.request
    traversal = attribute(request, "Traversal", ("Shallow", "SoftDeleted", "Associated"))
    shape_node = child(request, "m:ItemShape")

    def one(node: Element) -> Iterator[Element]:
        for name in _NOT_SIMULATED:
            if find(request, f"m:{name}") is not None:
                raise not_supported(name)
        shape = read_shape(shape_node, found=True)
        view = read_view(request, "Item")
        orders = read_order(request)
        test = read_restriction(find(request, "m:Restriction"))
        mailbox, folder = call.folder_of(node)
        held = folder.contacts.values() if traversal == "Shallow" else ()
        readings = [call.reading(mailbox, contact) for contact in held]
        found = [
            reading
            for reading in _named(readings, find(request, "m:ContactsView"))
            if test is None or test(partial(item_values, reading))
        ]
        root = element("m:RootFolder")
        shown = page(in_order(found, orders, item_values), view, root)
        add(root, "t:Items").extend(shape.render(reading) for reading in shown)
        yield root

    return each("FindItem", call.folders_of(request, "m:ParentFolderIds"), one)


def _named(readings: list[Reading], view: Element | None) -> list[Reading]:
    """What a ContactsView means: display names from InitialName to FinalName.

    https://learn.microsoft.com/exchange/client-developer/web-service-reference/contactsview
    """
    if view is None:
        return readings
    first, last = view.get("InitialName"), view.get("FinalName")
    if first is not None:
        readings = [r for r in readings if _name(r) >= first.casefold()]
    if last is not None:
        readings = [r for r in readings if _name(r) <= last.casefold()]
    return readings


def _name(reading: Reading) -> str:
    return (reading.contact.fields.display_name or "").casefold()
