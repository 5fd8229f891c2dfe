"""FindPeople: [MS-OXWSPERS] 3.1.4.1.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/findpeople-operation: of
one folder of contacts, or of the whole organisation; a query string is looked for at the beginning
of names and addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cirahub_simulator.ews import errors
from cirahub_simulator.ews.call import Call, child
from cirahub_simulator.ews.contents import items_in
from cirahub_simulator.ews.envelope import error_message, success
from cirahub_simulator.ews.markup import Element, add, children, element, find, text_of
from cirahub_simulator.ews.persona import render, values_of
from cirahub_simulator.ews.property import Reading
from cirahub_simulator.ews.restriction import read_restriction
from cirahub_simulator.ews.view import in_order, page, read_order, read_view
from cirahub_simulator.graph.contact import Contact


def answer(call: Call) -> Element:
    """The whole answer: there are no messages in it."""
    try:
        return _find(call)
    except errors.SoapFaultError:
        raise
    except errors.EwsError as error:
        return error_message(element("m:FindPeopleResponse"), error)


def _find(call: Call) -> Element:
    request = call.request
    query = find(request, "m:QueryString")
    if call.world.switches.find_people_traversal == "refused":
        for name in (*request.attrib, *(() if query is None else query.attrib)):
            raise errors.schema_violation(f"The '{name}' attribute is not declared.")
    if find(request, "m:AggregationRestriction") is not None:
        raise errors.not_supported("FindPeople with AggregationRestriction")
    wanted = "" if query is None else text_of(query).strip().casefold()
    test = read_restriction(find(request, "m:Restriction"))
    found = [
        one
        for one in _people(call)
        if _begins(one, wanted) and (test is None or test(partial(values_of, one)))
    ]
    found = in_order(found, read_order(request), values_of)
    shape = find(request, "m:PersonaShape")
    base = "Default" if shape is None else text_of(child(shape, "t:BaseShape"))
    paging = element("m:Paging")
    view = read_view(request, "Item")
    shown = page(found, view, paging)
    made = success("m:FindPeopleResponse")
    people = add(made, "m:People")
    people.extend(render(one, whole=base == "AllProperties") for one in shown)
    add(made, "m:TotalNumberOfPeopleInView", str(len(found)))
    first = "0" if found else "-1"
    add(made, "m:FirstMatchingRowIndex", first)
    add(made, "m:FirstLoadedRowIndex", str(view.offset) if found else "-1")
    return made


def _people(call: Call) -> Iterator[Reading]:
    parent = find(call.request, "m:ParentFolderId")
    if parent is None:
        mailbox = call.own_mailbox()
        folder = mailbox.default_folder
    else:
        mailbox, folder = call.folder_of(next(children(parent)))
    for item in items_in(mailbox, folder):
        if isinstance(item, Contact):
            yield call.reading(mailbox, item)


def _begins(reading: Reading, wanted: str) -> bool:
    fields = reading.contact.fields
    addresses = (one.address for one in fields.email_addresses)
    names = (fields.display_name, fields.given_name, fields.surname, *addresses)
    return any((name or "").casefold().startswith(wanted) for name in names)
