"""Requests for users: list, count, get, delta.

https://learn.microsoft.com/graph/api/resources/user; `$count` and some filters are advanced
queries, which need `ConsistencyLevel: eventual`
(https://learn.microsoft.com/graph/aad-advanced-queries).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, urlencode

import msgspec

from cirahub_simulator.directory import User
from cirahub_simulator.graph import errors
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.filter import Kind, Schema
from cirahub_simulator.graph.listing import matching
from cirahub_simulator.graph.query import Query
from cirahub_simulator.graph.roles import BASIC_PROFILE, require_users
from cirahub_simulator.wire import Response

TYPE = "microsoft.graph.user"
PAGE_SIZE = 100
MAX_TOP = 999
"""https://learn.microsoft.com/graph/api/user-list: 100 by default, at most 999."""

_PROPERTIES: dict[str, str] = {
    "businessPhones": "business_phones",
    "displayName": "display_name",
    "givenName": "given_name",
    "jobTitle": "job_title",
    "mail": "mail",
    "mobilePhone": "mobile_phone",
    "officeLocation": "office_location",
    "preferredLanguage": "preferred_language",
    "surname": "surname",
    "userPrincipalName": "user_principal_name",
    "id": "id",
    "accountEnabled": "account_enabled",
    "companyName": "company_name",
    "department": "department",
    "userType": "user_type",
}
DEFAULT = tuple(_PROPERTIES)[:11]
"""What a user without `$select` shows: https://learn.microsoft.com/graph/api/user-get"""

_KINDS: dict[str, Kind] = {"businessPhones": "strings", "accountEnabled": "boolean"}
SCHEMA = Schema(TYPE, {name: _KINDS.get(name, "string") for name in _PROPERTIES})

_ADVANCED_FILTER = re.compile(r"\b(?:ne|not)\b|\bendswith\s*\(|\bcontains\s*\(", re.IGNORECASE)


def list_users(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-list"""
    whole = require_users(call.request.client)
    query = _query(call)
    found = _found(call, query)
    start = _position(query.skip_token)
    size = query.top if query.top is not None else PAGE_SIZE
    page = found[start : start + size]
    next_link = None
    if start + size < len(found) and page:
        options = {f"${name}": v for name, v in query.given.items() if name != "skiptoken"}
        options["$skiptoken"] = f"{start + size:08x}"
        next_link = call.link(urlencode(options, safe="$", quote_via=quote))
    return call.page(
        "users",
        [msgspec.json.encode(values_of(user, query.select, whole=whole)) for user in page],
        count=len(found) if query.count and _eventual(call) else None,
        next_link=next_link,
    )


def count_users(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-list (the header is required)"""
    require_users(call.request.client)
    if not _eventual(call):
        raise errors.bad_request("$count is not currently supported.", "Request_UnsupportedQuery")
    return call.number(len(_found(call, _query(call))))


def get_user(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-get"""
    whole = require_users(call.request.client)
    query = _query(call)
    user = find_user(call)
    if user is None:
        raise errors.no_such_resource(call.route.user)
    return call.entity(200, "users/$entity", values_of(user, query.select, whole=whole))


def find_user(call: Call) -> User | None:
    """The user that the path names, among those of the caller's tenant."""
    client = call.request.client
    directory = call.world.directory
    if client is None:
        return directory.find_user(call.route.user)
    return directory.user(client.tenant_id, call.route.user)


def visible_users(call: Call) -> list[User]:
    """The users of the caller's tenant."""
    client = call.request.client
    return call.world.directory.users(None if client is None else client.tenant_id)


def values_of(user: User, select: Iterable[str], *, whole: bool) -> dict[str, object]:
    """A user's members; an application that sees basic profiles only is answered null."""
    values: dict[str, object] = {}
    for name in tuple(select) or DEFAULT:
        value = getattr(user, _PROPERTIES[name])
        if not whole and name not in BASIC_PROFILE:
            value = [] if name == "businessPhones" else None
        values[name] = value
    return values


def _query(call: Call) -> Query:
    query = call.query(TYPE, frozenset(_PROPERTIES), MAX_TOP)
    if query.expand:
        raise errors.not_simulated("$expand of users")
    if "skip" in query.given:
        raise errors.bad_request("$skip is not supported by the service.", "Request_BadRequest")
    return query


def _found(call: Call, query: Query) -> list[User]:
    advanced = query.filter is not None and _ADVANCED_FILTER.search(query.filter) is not None
    if (advanced or (query.filter is not None and query.order)) and not (
        _eventual(call) and query.count
    ):
        raise errors.bad_request(
            "Unsupported or invalid query filter clause specified: it needs "
            "'ConsistencyLevel: eventual' and $count=true.",
            "Request_UnsupportedQuery",
        )
    return matching(visible_users(call), query, SCHEMA, _filterable)


def _filterable(user: User) -> dict[str, object]:
    return values_of(user, _PROPERTIES, whole=True)


def _eventual(call: Call) -> bool:
    return call.request.headers.get("consistencylevel", "").lower() == "eventual"


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(token, 16)
    except ValueError as error:
        raise errors.bad_request(
            "Skip token is not valid.", "Directory_ExpiredPageToken"
        ) from error
