"""FindItem: [MS-OXWSSRCH] 3.1.4.2."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from cirahub_simulator.calendar.zone import UTC_NAME, Window
from cirahub_simulator.ews.call import Call, attribute, child
from cirahub_simulator.ews.contents import items_in
from cirahub_simulator.ews.errors import EwsError, not_supported
from cirahub_simulator.ews.item import ItemShape, read_shape
from cirahub_simulator.ews.markup import Element, add, boolean, element, find, text_of
from cirahub_simulator.ews.messages import each
from cirahub_simulator.ews.moments import local_moment
from cirahub_simulator.ews.property import Reading
from cirahub_simulator.ews.query_string import Test, read_query
from cirahub_simulator.ews.restriction import read_restriction
from cirahub_simulator.ews.search import item_values
from cirahub_simulator.ews.view import MOST, in_order, page, read_order, read_view
from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox

_NOT_SIMULATED = (
    "SeekToConditionPageItemView",
    "GroupBy",
    "DistinguishedGroupBy",
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
        shape = read_shape(shape_node, call.envelope.version, found=True)
        view = read_view(request, "Item")
        orders = read_order(request)
        test = read_restriction(find(request, "m:Restriction"))
        said = _query(request)
        mailbox, folder = call.folder_of(node)
        calendar_view = find(request, "m:CalendarView")
        if calendar_view is not None:
            yield _view(call, mailbox, folder, calendar_view, shape)
            return
        held = items_in(mailbox, folder) if traversal == "Shallow" else []
        readings = [call.reading(mailbox, item) for item in held]
        found = [
            reading
            for reading in _named(readings, find(request, "m:ContactsView"))
            if (test is None or test(partial(item_values, reading)))
            and (said is None or said(reading))
        ]
        root = element("m:RootFolder")
        shown = page(in_order(found, orders, item_values), view, root)
        add(root, "t:Items").extend(shape.render(reading) for reading in shown)
        yield root

    return each("FindItem", call.folders_of(request, "m:ParentFolderIds"), one)


def _query(request: Element) -> Test | None:
    """The test of a QueryString, which goes with no restriction. Raises EwsError."""
    node = find(request, "m:QueryString")
    if node is None or not text_of(node).strip():
        return None
    if find(request, "m:Restriction") is not None:
        raise EwsError(
            "ErrorUnsupportedQueryFilter", "A query string can't be used with a restriction."
        )
    return read_query(text_of(node))


def _view(call: Call, mailbox: Mailbox, folder: Folder, view: Element, shape: ItemShape) -> Element:
    """What a CalendarView shows: series expanded, in order of time.

    https://learn.microsoft.com/exchange/client-developer/web-service-reference/calendarview: at
    most two years; neither restriction nor order go with it.
    """
    calendar = mailbox.calendars.of_folder(folder)
    if calendar is None:
        raise EwsError(
            "ErrorCalendarFolderIsInvalidForCalendarView",
            "A calendar view is of a calendar folder.",
        )
    others = ("Restriction", "SortOrder", "QueryString")
    if any(find(call.request, f"m:{name}") is not None for name in others):
        raise EwsError(
            "ErrorUnsupportedQueryFilter",
            "Restrictions, sort order and query strings can't be used with a calendar view.",
        )
    start, end = (
        local_moment(view.get(name, ""), UTC_NAME, call.time_zone).instant
        for name in ("StartDate", "EndDate")
    )
    if end < start:
        raise EwsError(
            "ErrorCalendarEndDateIsEarlierThanStartDate", "EndDate is earlier than StartDate."
        )
    if end - start > _WIDEST:
        raise EwsError(
            "ErrorCalendarViewRangeTooBig", "The calendar view is of more than two years."
        )
    found = mailbox.calendars.view(calendar, Window(start, end))
    most = int(view.get("MaxEntriesReturned", str(MOST)))
    shown = found[: min(most, MOST)]
    root = element(
        "m:RootFolder",
        TotalItemsInView=str(len(found)),
        IncludesLastItemInRange=boolean(len(shown) == len(found)),
    )
    add(root, "t:Items").extend(shape.render(call.reading(mailbox, item)) for item in shown)
    return root


_WIDEST = timedelta(days=2 * 366)


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
    if not isinstance(reading.item, Contact):
        return ""
    return (reading.item.fields.display_name or "").casefold()
