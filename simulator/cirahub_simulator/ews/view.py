"""Pages and order of what a Find operation found.

[MS-OXWSSRCH] 2.2.4.3 (paging) and 2.2.4.18 (SortOrder);
https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-perform-paged-searches-by-using-ews-in-exchange
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from cirahub_simulator.ews.errors import EwsError, schema_violation
from cirahub_simulator.ews.markup import Element, boolean, children, find, local_name
from cirahub_simulator.ews.property_path import Path, find_path

Found = TypeVar("Found")

MOST = 1000
"""Items of a page, whatever the request wants.

EWSFindCountLimit of the default throttling policy:
https://learn.microsoft.com/exchange/client-developer/exchange-web-services/ews-throttling-in-exchange
"""


class View(NamedTuple):
    """Which part of a list is wanted."""

    kind: str = "all"
    """`indexed`, `fractional` or `all`."""
    offset: int = 0
    from_end: bool = False
    numerator: int = 0
    denominator: int = 1
    most: int = MOST


def read_view(request: Element, what: str) -> View:
    """The page view of a request, `what` being Item or Folder. Raises EwsError, SoapFaultError."""
    indexed = find(request, f"m:IndexedPage{what}View")
    if indexed is not None:
        offset = _number(indexed, "Offset")
        if offset < 0:
            raise EwsError("ErrorInvalidIndexedPagingParameters", "Offset must not be negative.")
        base = indexed.get("BasePoint")
        if base not in ("Beginning", "End"):
            raise schema_violation(f"The 'BasePoint' attribute is invalid: '{base}'.")
        return View("indexed", offset, base == "End", most=_most(indexed))
    fractional = find(request, f"m:FractionalPage{what}View")
    if fractional is not None:
        numerator, denominator = (
            _number(fractional, "Numerator"),
            _number(fractional, "Denominator"),
        )
        if denominator <= 0 or not 0 <= numerator <= denominator:
            raise EwsError(
                "ErrorInvalidFractionalPagingParameters",
                "The numerator or denominator of the fractional paging is invalid.",
            )
        return View(
            "fractional", numerator=numerator, denominator=denominator, most=_most(fractional)
        )
    return View(most=_most(find(request, f"m:{what}sView")))


def _number(node: Element, name: str) -> int:
    try:
        return int(node.get(name, ""))
    except ValueError as error:
        raise schema_violation(f"The '{name}' attribute is missing or is no number.") from error


def _most(node: Element | None) -> int:
    if node is None or node.get("MaxEntriesReturned") is None:
        return MOST
    most = _number(node, "MaxEntriesReturned")
    if most < 1:
        raise EwsError("ErrorInvalidPagingMaxRows", "MaxEntriesReturned must be greater than zero.")
    return min(most, MOST)


def page(found: Sequence[Found], view: View, root: Element) -> Sequence[Found]:
    """The part of a list that a view wants; the attributes of paging go onto `root`.

    IndexedPagingOffset is where the next page begins, counted from the base point.
    """
    total = len(found)
    root.set("TotalItemsInView", str(total))
    if view.from_end:
        end = max(total - view.offset, 0)
        begin = max(end - view.most, 0)
        root.set("IndexedPagingOffset", str(min(view.offset + view.most, total)))
        last = begin == 0
    else:
        begin = view.offset
        if view.kind == "fractional":
            begin = total * view.numerator // view.denominator
        end = min(begin + view.most, total)
        last = end >= total
        if view.kind == "fractional":
            root.set("NumeratorOffset", str(end))
            root.set("AbsoluteDenominator", str(total))
        elif view.kind == "indexed" or not last:
            root.set("IndexedPagingOffset", str(end))
    root.set("IncludesLastItemInRange", boolean(last))
    return found[begin:end]


def read_order(request: Element) -> list[tuple[Path, bool]]:
    """Paths and whether each goes downwards. Raises EwsError, SoapFaultError."""
    node = find(request, "m:SortOrder")
    orders = []
    for child in [] if node is None else list(children(node)):
        order = child.get("Order")
        if local_name(child) != "FieldOrder" or order not in ("Ascending", "Descending"):
            raise schema_violation("The element 'SortOrder' has no valid FieldOrder.")
        orders.append((find_path(child), order == "Descending"))
    return orders


def in_order(
    found: list[Found],
    orders: Sequence[tuple[Path, bool]],
    look: Callable[[Found, Path], Sequence[str]],
) -> list[Found]:
    """A list sorted; what lacks the property goes first."""
    for path, downwards in reversed(orders):
        keys = {id(one): _key(look(one, path)) for one in found}
        found = sorted(found, key=lambda one: keys[id(one)], reverse=downwards)
    return found


def _key(values: Sequence[str]) -> tuple[int, float, str]:
    if not values:
        return (0, 0.0, "")
    try:
        return (1, float(values[0]), "")
    except ValueError:
        return (2, 0.0, values[0].casefold())
