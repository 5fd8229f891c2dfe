"""Where an administrator consents to an application."""

from __future__ import annotations

from cirahub_sync.configuration import Cloud
from cirahub_sync.origins import HOSTS


def consent_link(cloud: Cloud, tenant: str, client: str) -> str:
    """For the whole tenant.

    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    """
    return f"{HOSTS[cloud].authority}/{tenant}/adminconsent?client_id={client}"
