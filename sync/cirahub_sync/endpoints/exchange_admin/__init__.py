"""Exchange Online's cmdlets: mail contacts in the global address list of a tenant as an endpoint.

Microsoft documents the cmdlets and not the service that its PowerShell module posts them to, so
what runs them is behind `runner.CmdletRunner`: a worker with PowerShell could take its place.
"""

from cirahub_sync.endpoints.exchange_admin.endpoint import MailContactsEndpoint
from cirahub_sync.endpoints.exchange_admin.session import AdminSession

__all__ = ["AdminSession", "MailContactsEndpoint"]
