"""Requests for groups: list, count, get, who is in them, and what a user is in.

https://learn.microsoft.com/graph/api/resources/group. Members that an application may not read are
shown all the same, with their type and id and nothing else
(https://learn.microsoft.com/graph/permissions-overview, inaccessible member objects).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cirahub_simulator.directory import Group, User
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
from cirahub_simulator.graph.query import Query
from cirahub_simulator.graph.roles import (
    require_groups,
    require_memberships,
    sees_hidden,
    sees_users,
)
from cirahub_simulator.graph.user_requests import DEFAULT as USER_DEFAULT
from cirahub_simulator.graph.user_requests import SCHEMA as USER_SCHEMA
from cirahub_simulator.graph.user_requests import TYPE as USER_TYPE
from cirahub_simulator.graph.user_requests import find_user
from cirahub_simulator.graph.user_requests import values_of as values_of_user
from cirahub_simulator.wire import Response

TYPE = "microsoft.graph.group"
OBJECT_TYPE = "microsoft.graph.directoryObject"
HIDDEN = "HiddenMembership"

PROPERTIES: dict[str, str] = {
    "id": "id",
    "description": "description",
    "displayName": "display_name",
    "groupTypes": "group_types",
    "mail": "mail",
    "mailEnabled": "mail_enabled",
    "mailNickname": "mail_nickname",
    "proxyAddresses": "proxy_addresses",
    "securityEnabled": "security_enabled",
    "visibility": "visibility",
}
_KINDS: dict[str, Kind] = {
    "groupTypes": "strings",
    "proxyAddresses": "strings",
    "mailEnabled": "boolean",
    "securityEnabled": "boolean",
}
SCHEMA = Schema(TYPE, {name: _KINDS.get(name, "string") for name in PROPERTIES})
_OF_MEMBERS = frozenset((*PROPERTIES, *USER_SCHEMA.properties))
_CASTS = ("", "user", "group", "orgContact")
_Found = User | Group


def list_groups(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/group-list"""
    require_groups(call.request.client)
    query = _query(call)
    return page_of(call, query, "groups", _matching(call, query), lambda g: shown(g, query.select))


def count_groups(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/group-list (the header is required)"""
    require_groups(call.request.client)
    require_eventual(call)
    return call.number(len(_matching(call, _query(call))))


def get_group(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/group-get"""
    require_groups(call.request.client)
    query = _query(call)
    return call.entity(200, "groups/$entity", shown(_named(call), query.select))


def list_members(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/group-list-members,
    https://learn.microsoft.com/graph/api/group-list-transitivemembers"""
    require_groups(call.request.client)
    return _list(call, _members(call), groups_seen=True)


def count_members(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/group-list-transitivemembers (example 2)"""
    require_groups(call.request.client)
    require_eventual(call)
    return call.number(len(_cast(call, _members(call))))


def list_groups_of_user(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-list-memberof,
    https://learn.microsoft.com/graph/api/user-list-transitivememberof"""
    seen = require_memberships(call.request.client)
    return _list(call, _memberships(call), groups_seen=seen)


def _named(call: Call) -> Group:
    client, directory = call.request.client, call.world.directory
    found = (
        directory.find_group(call.route.group)
        if client is None
        else directory.group(client.tenant_id, call.route.group)
    )
    if found is None:
        raise errors.no_such_resource(call.route.group)
    return found


def _query(call: Call) -> Query:
    return directory_query(call, TYPE, frozenset(PROPERTIES))


def _matching(call: Call, query: Query) -> list[Group]:
    refuse_unless_advanced(call, query)
    return found_in(call, visible_groups(call), query, SCHEMA, lambda group: shown(group, ()))


def visible_groups(call: Call) -> list[Group]:
    """The groups of the caller's tenant."""
    client = call.request.client
    return call.world.directory.groups(None if client is None else client.tenant_id)


def shown(group: Group, select: Iterable[str]) -> dict[str, object]:
    """A group's properties; all of them without `select`."""
    return {name: getattr(group, PROPERTIES[name]) for name in tuple(select) or PROPERTIES}


def _members(call: Call) -> list[_Found]:
    """In the order in which they are met; nobody twice, whatever goes round in circles."""
    return list(_walk(call, _named(call), {}))


def _walk(call: Call, group: Group, met: dict[str, None]) -> Iterator[_Found]:
    if group.visibility == HIDDEN and not sees_hidden(call.request.client):
        if call.switches.hidden_membership == "refused":
            raise errors.directory_access_denied()
        return
    directory = call.world.directory
    nested: list[Group] = []
    for member in group.members:
        found = directory.user(group.tenant_id, member) or directory.group(group.tenant_id, member)
        if found is None or found.id in met:
            continue
        met[found.id] = None
        yield found
        if isinstance(found, Group):
            nested.append(found)
    if call.route.transitive:
        for each in nested:
            yield from _walk(call, each, met)


def _memberships(call: Call) -> list[_Found]:
    user = find_user(call)
    if user is None:
        raise errors.no_such_resource(call.route.user)
    groups = call.world.directory.groups(user.tenant_id)
    hidden = sees_hidden(call.request.client)
    found: dict[str, Group] = {}
    fresh = [user.id]
    while fresh:
        above = [
            group
            for group in groups
            if group.id not in found
            and not {*group.members}.isdisjoint(fresh)
            and (hidden or group.visibility != HIDDEN)
        ]
        found |= {group.id: group for group in above}
        fresh = [group.id for group in above] if call.route.transitive else []
    return list(found.values())


def _cast(call: Call, found: list[_Found]) -> list[_Found]:
    cast = call.route.cast
    if cast not in _CASTS:
        raise errors.bad_request(
            f"The cast to '{cast}' is not supported here.", "Request_UnsupportedQuery"
        )
    if cast == "user":
        return [each for each in found if isinstance(each, User)]
    if cast == "group":
        return [each for each in found if isinstance(each, Group)]
    return [] if cast else found


def _list(call: Call, found: list[_Found], *, groups_seen: bool) -> Response:
    cast = call.route.cast
    properties = {"user": frozenset(USER_SCHEMA.properties), "group": frozenset(PROPERTIES)}
    query = directory_query(call, OBJECT_TYPE, properties.get(cast, _OF_MEMBERS))
    refuse_unless_advanced(call, query, cast=bool(cast))
    chosen = _cast(call, found)
    if query.filter is not None or query.search is not None or query.order:
        if cast not in properties:
            raise errors.not_simulated("$filter, $search and $orderby of members without a cast")
        schema = USER_SCHEMA if cast == "user" else SCHEMA
        chosen = found_in(call, chosen, query, schema, _whole)
    whole = sees_users(call.request.client)
    context = {"user": "users", "group": "groups"}.get(cast, "directoryObjects")
    return page_of(
        call,
        query,
        context,
        chosen,
        lambda each: _member(each, query.select, whole=whole, groups_seen=groups_seen),
    )


def _member(
    each: _Found, select: tuple[str, ...], *, whole: bool | None, groups_seen: bool
) -> Mapping[str, object]:
    """A member, with what of it the application may see. `whole` is of users; see `sees_users`."""
    if isinstance(each, User):
        kind, known = USER_TYPE, USER_SCHEMA.properties
        names = tuple(name for name in select if name in known) if select else USER_DEFAULT
        values = dict.fromkeys(names) if whole is None else values_of_user(each, names, whole=whole)
    else:
        kind, known = TYPE, SCHEMA.properties
        names = tuple(name for name in select if name in known) if select else tuple(PROPERTIES)
        values = shown(each, names) if groups_seen else dict.fromkeys(names)
    if select and not names:
        values = {}
    return {"@odata.type": f"#{kind}", **values, "id": each.id}


def _whole(each: _Found) -> dict[str, object]:
    if isinstance(each, User):
        return values_of_user(each, USER_SCHEMA.properties, whole=True)
    return shown(each, ())
