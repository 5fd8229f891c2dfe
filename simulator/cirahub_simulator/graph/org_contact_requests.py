"""Requests for organizational contacts, the mail contacts of a tenant's address list: list, count,
get. They are read-only: https://learn.microsoft.com/graph/api/resources/orgcontact.
"""

from __future__ import annotations

from collections.abc import Iterable

from cirahub_simulator.directory import OrgContact
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
from cirahub_simulator.graph.roles import require_org_contacts
from cirahub_simulator.wire import Response

TYPE = "microsoft.graph.orgContact"

_PROPERTIES: dict[str, str] = {
    "id": "id",
    "addresses": "addresses",
    "companyName": "company_name",
    "department": "department",
    "displayName": "display_name",
    "givenName": "given_name",
    "jobTitle": "job_title",
    "mail": "mail",
    "mailNickname": "mail_nickname",
    "phones": "phones",
    "proxyAddresses": "proxy_addresses",
    "surname": "surname",
}
_KINDS: dict[str, Kind] = {
    "addresses": "objects",
    "phones": "objects",
    "proxyAddresses": "strings",
}
SCHEMA = Schema(TYPE, {name: _KINDS.get(name, "string") for name in _PROPERTIES})


def list_org_contacts(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/orgcontact-list"""
    require_org_contacts(call.request.client)
    query = directory_query(call, TYPE, frozenset(_PROPERTIES))
    return page_of(
        call, query, "contacts", _found(call, query), lambda found: _values(found, query.select)
    )


def count_org_contacts(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/orgcontact-list (the header is required)"""
    require_org_contacts(call.request.client)
    require_eventual(call)
    return call.number(len(_found(call, directory_query(call, TYPE, frozenset(_PROPERTIES)))))


def get_org_contact(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/orgcontact-get"""
    require_org_contacts(call.request.client)
    query = directory_query(call, TYPE, frozenset(_PROPERTIES))
    found = _visible(call).get(call.route.contact.lower())
    if found is None:
        raise errors.no_such_resource(call.route.contact)
    return call.entity(200, "contacts/$entity", _values(found, query.select))


def _values(found: OrgContact, select: Iterable[str]) -> dict[str, object]:
    return {name: getattr(found, _PROPERTIES[name]) for name in tuple(select) or _PROPERTIES}


def _visible(call: Call) -> dict[str, OrgContact]:
    client = call.request.client
    call.world.mail_contacts.replicate()
    found = call.world.directory.org_contacts(None if client is None else client.tenant_id)
    return {contact.id: contact for contact in found}


def _found(call: Call, query: Query) -> list[OrgContact]:
    refuse_unless_advanced(call, query)
    return found_in(
        call, _visible(call).values(), query, SCHEMA, lambda found: _values(found, _PROPERTIES)
    )


TRACKED = Tracked(
    type_name=TYPE,
    context="contacts",
    properties=tuple(_PROPERTIES)[1:],
    selectable=frozenset(_PROPERTIES),
    objects=_visible,
    values=lambda found, select, _: _values(found, select),
    admit=require_org_contacts,
)
"""https://learn.microsoft.com/graph/api/orgcontact-delta"""
