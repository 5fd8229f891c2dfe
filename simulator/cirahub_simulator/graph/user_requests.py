"""Requests for users: list, count, get, delta.

https://learn.microsoft.com/graph/api/resources/user; `$count` and some filters are advanced
queries, which need `ConsistencyLevel: eventual`
(https://learn.microsoft.com/graph/aad-advanced-queries).
"""

from __future__ import annotations

from collections.abc import Iterable

from cirahub_simulator.directory import User
from cirahub_simulator.graph import errors
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.directory_listing import (
    directory_query,
    found_in,
    page_of,
    refuse_unless_advanced,
    require_eventual,
)
from cirahub_simulator.graph.filter import Kind, Schema
from cirahub_simulator.graph.object_delta import Tracked
from cirahub_simulator.graph.query import Query
from cirahub_simulator.graph.roles import BASIC_PROFILE, require_users
from cirahub_simulator.wire import Response

TYPE = "microsoft.graph.user"

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
    "proxyAddresses": "proxy_addresses",
    "otherMails": "other_mails",
    "mailNickname": "mail_nickname",
    "streetAddress": "street_address",
    "city": "city",
    "state": "state",
    "postalCode": "postal_code",
    "country": "country",
    "faxNumber": "fax_number",
    "showInAddressList": "show_in_address_list",
    "externalUserState": "external_user_state",
}
DEFAULT = tuple(_PROPERTIES)[:11]
"""What a user without `$select` shows: https://learn.microsoft.com/graph/api/user-get"""

_KINDS: dict[str, Kind] = {
    "businessPhones": "strings",
    "proxyAddresses": "strings",
    "otherMails": "strings",
    "accountEnabled": "boolean",
    "showInAddressList": "boolean",
}
_LISTS = frozenset(name for name, kind in _KINDS.items() if kind == "strings")
SCHEMA = Schema(TYPE, {name: _KINDS.get(name, "string") for name in _PROPERTIES})


def list_users(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-list"""
    whole = require_users(call.request.client)
    query = _query(call)
    return page_of(
        call, query, "users", _found(call, query), lambda u: values_of(u, query.select, whole=whole)
    )


def count_users(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-list (the header is required)"""
    require_users(call.request.client)
    require_eventual(call)
    return call.number(len(_found(call, _query(call))))


def get_user(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-get"""
    whole = require_users(call.request.client)
    query = _query(call)
    user = find_user(call)
    if user is None:
        raise errors.no_such_resource(call.route.user)
    return call.entity(200, "users/$entity", values_of(user, query.select, whole=whole))


def get_manager(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-list-manager: nobody here has one."""
    require_users(call.request.client)
    raise errors.no_such_resource("manager" if find_user(call) is not None else call.route.user)


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
            value = [] if name in _LISTS else None
        values[name] = value
    return values


def _query(call: Call) -> Query:
    return directory_query(call, TYPE, frozenset(_PROPERTIES))


def _found(call: Call, query: Query) -> list[User]:
    refuse_unless_advanced(call, query)
    return found_in(call, visible_users(call), query, SCHEMA, _filterable)


def _filterable(user: User) -> dict[str, object]:
    return values_of(user, _PROPERTIES, whole=True)


TRACKED = Tracked(
    type_name=TYPE,
    context="users",
    properties=tuple(name for name in _PROPERTIES if name != "id"),
    selectable=frozenset(_PROPERTIES),
    objects=lambda call: {user.id: user for user in visible_users(call)},
    values=lambda user, select, whole: values_of(user, select, whole=whole),
    admit=require_users,
    restorable=True,
)
"""https://learn.microsoft.com/graph/api/user-delta"""
