"""Requests for the organisation that the caller is in.

https://learn.microsoft.com/graph/api/organization-list and
https://learn.microsoft.com/graph/api/organization-get.
"""

from __future__ import annotations

from cirahub_simulator.directory import Tenant
from cirahub_simulator.graph import errors
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.directory_listing import directory_query, page_of
from cirahub_simulator.graph.roles import require_organization
from cirahub_simulator.wire import Response

TYPE = "microsoft.graph.organization"
_EMPTY_LISTS = (
    "businessPhones",
    "marketingNotificationEmails",
    "securityComplianceNotificationMails",
    "securityComplianceNotificationPhones",
    "technicalNotificationMails",
)
_UNKNOWN = (
    "city",
    "country",
    "countryLetterCode",
    "deletedDateTime",
    "onPremisesLastSyncDateTime",
    "onPremisesSyncEnabled",
    "postalCode",
    "preferredLanguage",
    "state",
    "street",
)
PROPERTIES = frozenset(
    (*_EMPTY_LISTS, *_UNKNOWN, "id", "displayName", "tenantType", "verifiedDomains")
)


def list_organizations(call: Call) -> Response:
    """A collection of one."""
    tenants = _visible(call)
    query = directory_query(call, TYPE, PROPERTIES)
    return page_of(call, query, "organization", tenants, lambda one: _values(one, query.select))


def get_organization(call: Call) -> Response:
    """The caller's own, by its id."""
    query = directory_query(call, TYPE, PROPERTIES)
    wanted = call.route.organization.lower()
    found = next((one for one in _visible(call) if one.id.lower() == wanted), None)
    if found is None:
        raise errors.no_such_resource(call.route.organization)
    return call.entity(200, "organization/$entity", _values(found, query.select))


def _visible(call: Call) -> list[Tenant]:
    client = call.request.client
    require_organization(client)
    tenants = call.world.directory.tenants()
    return [one for one in tenants if client is None or one.id == client.tenant_id]


def _values(tenant: Tenant, select: tuple[str, ...]) -> dict[str, object]:
    domain = {
        "capabilities": "Email, OfficeCommunicationsOnline",
        "isDefault": True,
        "isInitial": True,
        "name": tenant.domain,
        "type": "Managed",
    }
    values: dict[str, object] = {
        "id": tenant.id,
        "displayName": tenant.display_name,
        "tenantType": "AAD",
        "verifiedDomains": [domain],
        **{name: [] for name in _EMPTY_LISTS},
        **dict.fromkeys(_UNKNOWN),
    }
    return {name: values[name] for name in select} if select else values
