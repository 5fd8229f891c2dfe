"""Collections: filtering, ordering and paging of what is in memory.

Outlook pages by `$skip`, ten at a time unless `$top` says otherwise:
https://learn.microsoft.com/graph/paging and https://learn.microsoft.com/graph/query-parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode

from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.errors import bad_request
from cirahub_simulator.graph.filter import Schema
from cirahub_simulator.graph.query import Query

PAGE_SIZE = 10

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A page of a collection."""

    items: list[Item]
    total: int
    next_link: str | None


def matching(
    items: Iterable[Item],
    query: Query,
    schema: Schema,
    properties: Callable[[Item], Mapping[str, object]],
) -> list[Item]:
    """The items that the query's filter admits, in the order it asks for. Raises GraphError."""
    if query.search is not None:
        raise bad_request("The query parameter '$search' is not supported on this resource.")
    predicate = query.predicate(schema)
    found = [item for item in items if predicate is None or predicate(properties(item))]
    for name, descending in reversed(query.order):
        found.sort(key=lambda item: _key(properties(item).get(name)), reverse=descending)
    return found


def page_of(
    call: Call, query: Query, found: list[Item], window: Mapping[str, str] | None = None
) -> Page[Item]:
    """The page that the query asks for; `window` are options of no query that links keep."""
    size = query.top if query.top is not None else call.preferences.max_page_size or PAGE_SIZE
    end = query.skip + size
    items = found[query.skip : end]
    next_link = None
    if end < len(found) and items:
        options = dict(window or {})
        options |= {f"${name}": value for name, value in query.given.items() if name != "skip"}
        options["$skip"] = str(end)
        next_link = call.link(urlencode(options, safe="$", quote_via=quote))
    return Page(items, len(found), next_link)


def _key(value: object) -> tuple[bool, str]:
    if isinstance(value, str):
        return (True, value.casefold())
    return (value is not None, str(value))
