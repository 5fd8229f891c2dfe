"""Extended properties, of single values and of several: their ids, and how they are asked for.

https://learn.microsoft.com/graph/api/resources/extended-properties-overview: an id is
`{type} {guid} Name {name}`, `{type} {guid} Id {0x…}` or, in the MAPI-defined range,
`{type} 0x{tag}`. The string name is compared with regard to case, the rest is not
(https://learn.microsoft.com/graph/api/singlevaluelegacyextendedproperty-get).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from cirahub_simulator.graph.contact import ExtendedValue
from cirahub_simulator.graph.errors import bad_request

_GUID = r"\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?"
_NAMED = re.compile(rf"(\w+)\s+{_GUID}\s+(?i:name)\s+(\S.*)")
_NUMBERED = re.compile(rf"(\w+)\s+{_GUID}\s+(?i:id)\s+0[xX]([0-9a-fA-F]+)")
_TAGGED = re.compile(r"(\w+)\s+0[xX]([0-9a-fA-F]+)")

TYPES = {
    name.lower(): name
    for name in (
        "ApplicationTime",
        "Binary",
        "Boolean",
        "CLSID",
        "Currency",
        "Double",
        "Float",
        "Integer",
        "Long",
        "Short",
        "String",
        "SystemTime",
    )
}
"""The single-value MAPI types."""

ARRAY_TYPES = {
    f"{lower}array": f"{name}Array" for lower, name in TYPES.items() if lower != "boolean"
}
"""The types of multi-value properties: https://learn.microsoft.com/graph/api/resources/extended-properties-overview"""


@lru_cache(maxsize=1024)
def canonical_id(text: str, *, multiple: bool = False) -> str:
    """The one spelling of an id that the mailbox keeps. Raises GraphError for what is no id.

    `multiple`: of a property with several values.
    """
    if match := _NAMED.fullmatch(text):
        kind, rest = match[1], f"{{{match[2].lower()}}} Name {match[3]}"
    elif match := _NUMBERED.fullmatch(text):
        kind, rest = match[1], f"{{{match[2].lower()}}} Id 0x{int(match[3], 16):x}"
    elif match := _TAGGED.fullmatch(text):
        kind, rest = match[1], f"0x{int(match[2], 16):x}"
    else:
        raise bad_request(
            f"The extended property id '{text}' is malformed.", "ErrorInvalidProperty"
        )
    types = ARRAY_TYPES if multiple else TYPES
    if kind.lower() not in types:
        what = "multi-value" if multiple else "single-value"
        raise bad_request(
            f"'{kind}' is not a type of a {what} extended property.", "ErrorInvalidProperty"
        )
    return f"{types[kind.lower()]} {rest}"


def read_values(values: Iterable[ExtendedValue]) -> dict[str, str | None]:
    """What a request writes, by canonical id; None removes a property."""
    return {canonical_id(value.id): value.value for value in values}


def expanded(extended: dict[str, str], ids: frozenset[str]) -> list[dict[str, str]]:
    """The member that `$expand` adds. Nothing is added when none of the ids is there."""
    return [{"id": name, "value": value} for name, value in extended.items() if name in ids]


class MultipleValue(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """https://learn.microsoft.com/graph/api/resources/multivaluelegacyextendedproperty"""

    id: str
    value: list[str] | None = None


def read_multiple(values: object) -> dict[str, list[str] | None]:
    """What a request writes of multi-value properties, by canonical id; None removes one.

    Raises GraphError, and msgspec.ValidationError for what has another shape.
    """
    read = msgspec.convert(values or [], list[MultipleValue])
    return {canonical_id(value.id, multiple=True): value.value for value in read}


def expanded_multiple(
    extended: Mapping[str, list[str]], ids: frozenset[str]
) -> list[dict[str, object]]:
    """The member that `$expand` adds."""
    return [{"id": name, "value": value} for name, value in extended.items() if name in ids]
