"""Query options, read once: `$select`, `$filter`, `$orderby`, `$top`, `$skip`, `$count`, `$expand`.

https://learn.microsoft.com/graph/query-parameters: the `$` may be left out, names have no case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from cirahub_simulator.graph.errors import GraphError, bad_request
from cirahub_simulator.graph.extended_property import canonical_id
from cirahub_simulator.graph.filter import Predicate, Schema, compile_filter

MAX_TOP = 1000
"""Of mailboxes: https://learn.microsoft.com/graph/api/user-list-messages ("between 1 and 1000")."""

_SYSTEM = frozenset(
    (
        "select",
        "filter",
        "orderby",
        "top",
        "skip",
        "count",
        "expand",
        "search",
        "format",
        "skiptoken",
        "deltatoken",
    )
)
_EXPANDED = {
    "singlevalueextendedproperties": "singleValueExtendedProperties",
    "multivalueextendedproperties": "multiValueExtendedProperties",
    "extensions": "extensions",
}
"""What is expanded with a filter by id."""
_EXPAND = re.compile(r"\w+\s*\(\s*\$filter\s*=\s*(?P<filter>.*)\)")
_ID_TERM = re.compile(r"\s*\(*\s*id\s+eq\s+'((?:[^']|'')*)'\s*\)*\s*")


@dataclass(frozen=True, slots=True)
class Query:
    """What a request asks of a collection or an object."""

    select: tuple[str, ...] = ()
    """Empty: everything."""
    filter: str | None = None
    order: tuple[tuple[str, bool], ...] = ()
    """Property and whether descending."""
    top: int | None = None
    skip: int = 0
    count: bool = False
    expand: tuple[str, ...] = ()
    extended_ids: frozenset[str] = frozenset()
    """Canonical ids of the extended properties to expand."""
    multiple_ids: frozenset[str] = frozenset()
    """The same of those with several values."""
    extension_ids: frozenset[str] = frozenset()
    """Ids or names of the open extensions to expand; empty with `extensions` in `expand`: all."""
    search: str | None = None
    skip_token: str | None = None
    delta_token: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    """The system options as they came, by lower-case name without `$`."""

    def predicate(self, schema: Schema) -> Predicate | None:
        """The filter, if there is one."""
        return None if self.filter is None else compile_filter(self.filter, schema)


NOTHING = Query()


def parse_query(
    raw: str,
    *,
    type_name: str,
    properties: frozenset[str],
    max_top: int,
    sortable: frozenset[str] = frozenset(),
) -> Query:
    """Read the options of a raw query string. Raises GraphError.

    `sortable`: paths that `$orderby` may name besides properties.
    """
    if not raw:
        return NOTHING
    given: dict[str, str] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        lower = name.lower().removeprefix("$")
        if lower in _SYSTEM:
            if lower in given:
                raise bad_request(f"Query option '{name}' was specified more than once.")
            given[lower] = value
        elif name.startswith("$"):
            raise bad_request(f"The query parameter '{name}' is not supported.")
    top = _number("top", given)
    if top is not None and top > max_top:
        raise bad_request(
            f"The limit of '{max_top}' for Top query has been exceeded. "
            f"The value from the incoming request is '{top}'."
        )
    expand, ids = _expand(given.get("expand", ""))
    return Query(
        select=_select(given.get("select", ""), type_name, properties),
        filter=given.get("filter") or None,
        order=_order(given.get("orderby", ""), type_name, properties | sortable),
        top=top,
        skip=_number("skip", given) or 0,
        count=_boolean("count", given),
        expand=expand,
        extended_ids=frozenset(map(canonical_id, ids["singleValueExtendedProperties"])),
        multiple_ids=frozenset(
            canonical_id(text, multiple=True) for text in ids["multiValueExtendedProperties"]
        ),
        extension_ids=frozenset(ids["extensions"]),
        search=given.get("search"),
        skip_token=given.get("skiptoken"),
        delta_token=given.get("deltatoken"),
        given=given,
    )


def _number(name: str, given: Mapping[str, str]) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise bad_request(
            f"Invalid value '{text}' for ${name} query option found. "
            f"The ${name} query option requires a non-negative integer value."
        )
    return int(text)


def _boolean(name: str, given: Mapping[str, str]) -> bool:
    text = given.get(name, "false").lower()
    if text not in ("true", "false"):
        raise bad_request(f"Invalid value '{text}' for ${name} query option found.")
    return text == "true"


def _select(text: str, type_name: str, properties: frozenset[str]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if "*" in names:
        return ()
    canonical = {name.lower(): name for name in properties}
    chosen = []
    for name in names:
        if name.lower() in _EXPANDED:
            continue
        if name.lower() not in canonical:
            raise unknown(name, type_name)
        chosen.append(canonical[name.lower()])
    return tuple(chosen)


def _order(text: str, type_name: str, properties: frozenset[str]) -> tuple[tuple[str, bool], ...]:
    terms = []
    for term in filter(None, (part.strip() for part in text.split(","))):
        name, _, direction = term.partition(" ")
        if name not in properties:
            raise unknown(name, type_name)
        if direction.strip().lower() not in ("", "asc", "desc"):
            raise bad_request(f"Syntax error in $orderby: '{term}'.")
        terms.append((name, direction.strip().lower() == "desc"))
    return tuple(terms)


def unknown(name: str, type_name: str) -> GraphError:
    """A property that the type doesn't have, in a query option."""
    return bad_request(
        f"Could not find a property named '{name}' on type '{type_name}'.",
        "RequestBroker--ParseUri",
    )


def _expand(text: str) -> tuple[tuple[str, ...], dict[str, set[str]]]:
    """The names to expand, and the ids that filters of those name."""
    names: list[str] = []
    ids: dict[str, set[str]] = {name: set() for name in _EXPANDED.values()}
    for part in _split(text):
        name = part.partition("(")[0].strip()
        known = _EXPANDED.get(name.lower())
        names.append(known or name)
        if known is None or (known == "extensions" and "(" not in part):
            continue
        match = _EXPAND.fullmatch(part.strip())
        terms = re.split(r"\bor\b(?=\s*\(*\s*id\s+eq)", match["filter"]) if match else []
        found = [_ID_TERM.fullmatch(term) for term in terms]
        if not found or not all(found):
            raise bad_request(
                f"{known} are expanded with ($filter=id eq '{{id}}' or id eq '{{id}}')."
            )
        ids[known].update(term[1].replace("''", "'") for term in found if term)
    return tuple(names), ids


def _split(text: str) -> list[str]:
    """Split at commas outside parentheses and quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for position, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif not quoted and character in "()":
            depth += 1 if character == "(" else -1
        elif character == "," and depth == 0 and not quoted:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return [part for part in parts if part.strip()]
