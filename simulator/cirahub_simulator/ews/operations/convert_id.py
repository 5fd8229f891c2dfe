"""ConvertId: [MS-OXWSCVTID] 3.1.4.1."""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call, attribute, child
from cirahub_simulator.ews.errors import not_supported, schema_violation
from cirahub_simulator.ews.identifiers import decode, encode
from cirahub_simulator.ews.markup import Element, children, element, local_name
from cirahub_simulator.ews.messages import each

FORMATS = ("EwsLegacyId", "EwsId", "EntryId", "HexEntryId", "StoreId", "OwaId")
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def answer(call: Call) -> list[Element]:
    """A message for each id."""
    destination = attribute(call.request, "DestinationFormat", FORMATS)
    ids = list(children(child(call.request, "m:SourceIds")))
    if not ids:
        raise schema_violation("The element 'SourceIds' is empty.")

    def one(node: Element) -> Iterator[Element]:
        if local_name(node) != "AlternateId":
            raise not_supported(f"converting an {local_name(node)}")
        source = attribute(node, "Format", FORMATS)
        text, mailbox = node.get("Id"), node.get("Mailbox")
        if text is None or not mailbox:
            raise schema_violation("An 'AlternateId' has no Id or no Mailbox.")
        converted = encode(decode(text, source), destination)
        made = element("m:AlternateId", Format=destination, Id=converted, Mailbox=mailbox)
        made.set(_TYPE, "t:AlternateIdType")
        if (archive := node.get("IsArchive")) is not None:
            made.set("IsArchive", archive)
        yield made

    return each("ConvertId", ids, one)
