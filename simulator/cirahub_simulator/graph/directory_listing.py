"""Collections of directory objects: paged by tokens, and some queries only with a header.

Pages have 100 objects by default and at most 999 (https://learn.microsoft.com/graph/api/user-list,
https://learn.microsoft.com/graph/api/group-list-transitivemembers). Counts, casts and some filters
are advanced queries, which need `ConsistencyLevel: eventual` and, but for `/$count`, `$count=true`
(https://learn.microsoft.com/graph/aad-advanced-queries).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec

from cirahub_simulator.graph import errors
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.filter import Schema
from cirahub_simulator.graph.listing import matching
from cirahub_simulator.graph.query import Query
from cirahub_simulator.graph.search import compile_search
from cirahub_simulator.wire import Response

PAGE_SIZE = 100
MAX_TOP = 999

_ADVANCED_FILTER = re.compile(r"\b(?:ne|not)\b|\bendswith\s*\(|\bcontains\s*\(", re.IGNORECASE)

Item = TypeVar("Item")


def directory_query(call: Call, type_name: str, properties: frozenset[str]) -> Query:
    """The query options of a request for directory objects. Raises GraphError."""
    query = call.query(type_name, properties, MAX_TOP)
    if query.expand:
        raise errors.not_simulated("$expand of directory objects")
    if "skip" in query.given:
        raise errors.bad_request("$skip is not supported by the service.", "Request_BadRequest")
    return query


def page_of(
    call: Call,
    query: Query,
    context: str,
    found: Sequence[Item],
    values: Callable[[Item], Mapping[str, object]],
) -> Response:
    """The page that the query asks for."""
    start = _position(query.skip_token)
    size = query.top if query.top is not None else PAGE_SIZE
    page = found[start : start + size]
    next_link = None
    if start + size < len(found) and page:
        options = {f"${name}": v for name, v in query.given.items() if name != "skiptoken"}
        options["$skiptoken"] = f"{start + size:08x}"
        next_link = call.link(urlencode(options, safe="$", quote_via=quote))
    return call.page(
        context,
        [msgspec.json.encode(values(item)) for item in page],
        count=len(found) if query.count and eventual(call) else None,
        next_link=next_link,
    )


def eventual(call: Call) -> bool:
    """Whether the request puts up with an index that may lag behind."""
    return call.request.headers.get("consistencylevel", "").lower() == "eventual"


def require_eventual(call: Call) -> None:
    """What `/$count` needs. Raises GraphError."""
    if not eventual(call):
        raise errors.bad_request("$count is not currently supported.", "Request_UnsupportedQuery")


def refuse_unless_advanced(call: Call, query: Query, *, cast: bool = False) -> None:
    """Refuse what is an advanced query and does not say so. Raises GraphError."""
    filtered = query.filter is not None
    advanced = filtered and _ADVANCED_FILTER.search(query.filter or "") is not None
    if (cast or advanced or (filtered and query.order)) and not (eventual(call) and query.count):
        raise errors.bad_request(
            "Unsupported or invalid query filter clause specified: it needs "
            "'ConsistencyLevel: eventual' and $count=true.",
            "Request_UnsupportedQuery",
        )


def found_in(
    call: Call,
    items: Iterable[Item],
    query: Query,
    schema: Schema,
    properties: Callable[[Item], Mapping[str, object]],
) -> list[Item]:
    """The items that the query's search and filter admit, in its order. Raises GraphError."""
    if query.search is not None:
        if not eventual(call):
            raise errors.bad_request(
                "Request with $search query parameter only works through MSGraph with a special "
                "request header: 'ConsistencyLevel: eventual'",
                "Request_UnsupportedQuery",
            )
        test = compile_search(query.search, schema)
        items = [item for item in items if test(properties(item))]
    return matching(items, replace(query, search=None), schema, properties)


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(token, 16)
    except ValueError as error:
        raise errors.bad_request(
            "Skip token is not valid.", "Directory_ExpiredPageToken"
        ) from error
