"""What applications keep with an object besides its fields: properties of several values, and open
extensions. Few objects have any.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field

import msgspec

from cirahub_simulator.graph.extended_property import expanded_multiple, read_multiple
from cirahub_simulator.graph.open_extension import (
    Extensions,
    check_absent,
    find_extension,
    read_extension,
    shown_extension,
)
from cirahub_simulator.graph.query import Query

EXPANDABLE = frozenset(
    ("singleValueExtendedProperties", "multiValueExtendedProperties", "extensions")
)
"""What `$expand` takes of contacts and of events."""


@dataclass(frozen=True, slots=True)
class OwnData:
    """Own data as a request writes it."""

    multiple: Mapping[str, list[str] | None] = field(default_factory=dict)
    """Multi-value extended properties by canonical id; None removes one."""
    extensions: Mapping[str, dict[str, object]] = field(default_factory=dict)
    """Open extensions to create along, by name."""

    def check(self, extensions: Extensions) -> None:
        """Raises GraphError for an extension that an object has already."""
        for name in self.extensions:
            check_absent(extensions, name)

    def write(self, multiple: MutableMapping[str, list[str]], extensions: Extensions) -> None:
        """Put it where an object keeps it."""
        extensions.update(self.extensions)
        for name, values in self.multiple.items():
            if values is None:
                multiple.pop(name, None)
            else:
                multiple[name] = values


NO_DATA = OwnData()


def take_own_data(members: dict[str, object]) -> OwnData:
    """Take own data out of the members of an object.

    Raises GraphError, and msgspec.ValidationError for what has another shape.
    """
    multiple = members.pop("multiValueExtendedProperties", None)
    extensions = members.pop("extensions", None)
    if multiple is None and extensions is None:
        return NO_DATA
    found: Extensions = {}
    for given in msgspec.convert(extensions or [], list[dict[str, object]]):
        name, data = read_extension(given)
        check_absent(found, name)
        found[name] = data
    return OwnData(read_multiple(multiple), found)


def expanded_own_data(
    query: Query, multiple: Mapping[str, list[str]], extensions: Extensions
) -> dict[str, object]:
    """The members that `$expand` adds."""
    more: dict[str, object] = {}
    if values := expanded_multiple(multiple, query.multiple_ids):
        more["multiValueExtendedProperties"] = values
    if "extensions" in query.expand:
        names = {find_extension(extensions, wanted) for wanted in query.extension_ids}
        more["extensions"] = [
            shown_extension(name, data)
            for name, data in extensions.items()
            if not query.extension_ids or name in names
        ]
    return more
