"""Microsoft Graph: the global address list of a tenant as an endpoint that is only read."""

from cirahub_sync.endpoints.graph.address_list.endpoint import AddressListEndpoint

__all__ = ["AddressListEndpoint"]
