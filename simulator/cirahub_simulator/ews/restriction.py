"""Restrictions: which items or folders a Find operation means.

[MS-OXWSSRCH] 2.2.4; https://learn.microsoft.com/exchange/client-developer/web-service-reference/restriction.
What an item doesn't have compares with nothing: only IsNotEqualTo and Not hold for it.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from cirahub_simulator.ews.errors import EwsError, schema_violation
from cirahub_simulator.ews.markup import Element, children, find, local_name
from cirahub_simulator.ews.moments import moment_of
from cirahub_simulator.ews.property_path import PATHS, Path, find_path, read_path

Values: TypeAlias = Sequence[str]
"""What a property has: nothing, a value, or several."""
Look: TypeAlias = Callable[[Path], Values]
"""Looks a property of the object at hand up. Raises EwsError for a path that can't be searched."""
Test: TypeAlias = Callable[[Look], bool]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "IsEqualTo": operator.eq,
    "IsGreaterThan": operator.gt,
    "IsGreaterThanOrEqualTo": operator.ge,
    "IsLessThan": operator.lt,
    "IsLessThanOrEqualTo": operator.le,
}
_DEEPEST = 64
_MODES = ("FullString", "Prefixed", "Substring", "PrefixOnWords", "ExactPhrase")


def read_restriction(node: Element | None) -> Test | None:
    """The test of a Restriction; None where there is none. Raises EwsError, SoapFaultError."""
    if node is None:
        return None
    inner = list(children(node))
    if len(inner) != 1:
        raise schema_violation("The element 'Restriction' has not exactly one search expression.")
    return _read(inner[0], 0)


def _read(node: Element, depth: int) -> Test:
    if depth > _DEEPEST:
        raise EwsError("ErrorRestrictionTooComplex", "The restriction is too complex.")
    match local_name(node):
        case "And" | "Or" as kind:
            tests = [_read(child, depth + 1) for child in children(node)]
            if not tests:
                raise schema_violation(f"The element '{kind}' is empty.")
            combine = all if kind == "And" else any
            return lambda look: combine(test(look) for test in tests)
        case "Not":
            inner = list(children(node))
            if len(inner) != 1:
                raise schema_violation("The element 'Not' has not exactly one search expression.")
            negated = _read(inner[0], depth + 1)
            return lambda look: not negated(look)
        case "Exists":
            path = find_path(node)
            return lambda look: bool(look(path))
        case "Contains":
            return _contains(node)
        case "Excludes":
            return _excludes(node)
        case "IsNotEqualTo":
            path, other = _operands(node)
            return lambda look: not _any(operator.eq, look(path), _other(look, other))
        case kind if kind in _COMPARISONS:
            path, other = _operands(node)
            compare = _COMPARISONS[kind]
            return lambda look: _any(compare, look(path), _other(look, other))
        case kind:
            raise schema_violation(f"The element '{kind}' is no search expression.")


def _operands(node: Element) -> tuple[Path, Path | str]:
    path = find_path(node)
    other = find(node, "t:FieldURIOrConstant")
    inner = [] if other is None else list(children(other))
    if len(inner) != 1:
        raise schema_violation(f"The element '{local_name(node)}' has nothing to compare with.")
    if local_name(inner[0]) in PATHS:
        return path, read_path(inner[0])
    return path, inner[0].get("Value", "")


def _other(look: Look, other: Path | str) -> Values:
    return (other,) if isinstance(other, str) else look(other)


def _any(compare: Callable[[Any, Any], bool], values: Values, others: Values) -> bool:
    return any(compare(*_alike(value, other)) for value in values for other in others)


def _alike(left: str, right: str) -> tuple[object, object]:
    """Both as numbers or moments where both are, else as texts without regard to case.

    Exchange compares texts by the mailbox's sort order, which ignores case.
    """
    try:
        return float(left), float(right)
    except ValueError:
        first, second = moment_of(left), moment_of(right)
        if first is not None and second is not None:
            return first, second
        return left.casefold(), right.casefold()


def _contains(node: Element) -> Test:
    path = find_path(node)
    constant = find(node, "t:Constant")
    if constant is None:
        raise schema_violation("The element 'Contains' has no Constant.")
    mode = node.get("ContainmentMode", "FullString")
    if mode not in _MODES:
        raise schema_violation(f"The 'ContainmentMode' attribute is invalid: '{mode}'.")
    fold = _folding(node.get("ContainmentComparison", "Exact"))
    wanted = fold(constant.get("Value", ""))

    def holds(text: str) -> bool:
        found = fold(text)
        match mode:
            case "FullString":
                return found == wanted
            case "Prefixed":
                return found.startswith(wanted)
            case "Substring":
                return wanted in found
            case "PrefixOnWords":
                return re.search(rf"(?<!\w){re.escape(wanted)}", found) is not None
            case _:
                return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", found) is not None

    return lambda look: any(holds(value) for value in look(path))


def _folding(comparison: str) -> Callable[[str], str]:
    """ContainmentComparisonType: what two texts may differ in."""
    loose = comparison.startswith("Loose")
    case = loose or "IgnoreCase" in comparison
    marks = loose or "NonSpac" in comparison

    def fold(text: str) -> str:
        if marks:
            decomposed = unicodedata.normalize("NFD", text)
            text = "".join(char for char in decomposed if not unicodedata.combining(char))
        return text.casefold() if case else text

    return fold


def _excludes(node: Element) -> Test:
    path = find_path(node)
    bitmask = find(node, "t:Bitmask")
    text = "" if bitmask is None else bitmask.get("Value", "")
    try:
        mask = int(text, 16) if text.lower().startswith("0x") else int(text)
    except ValueError as error:
        raise schema_violation("The element 'Excludes' has no Bitmask with a number.") from error

    def holds(look: Look) -> bool:
        return all(value.lstrip("-").isdigit() and not int(value) & mask for value in look(path))

    return holds
