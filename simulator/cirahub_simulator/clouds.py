"""Microsoft's clouds: each with hosts, resources and an issuer of its own.

https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud (Entra),
https://learn.microsoft.com/graph/deployments (Graph) and
https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates (vaults);
of databases, `ossrdbmsResourceId` and `sqlServerHostname` of `az cloud show`
(github.com/Azure/azure-cli, src/azure-cli-core/azure/cli/core/cloud.py), and
https://learn.microsoft.com/azure/azure-sql/database/authentication-aad-overview.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CloudName = Literal["Global", "USGov", "USGovDoD", "China"]


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where a cloud's services are, and what they call themselves."""

    name: CloudName
    authority: str
    graph: str
    vault_suffix: str
    databases: str
    """The resource that tokens for PostgreSQL and MySQL name."""
    sql: str
    """The resource that tokens for Azure SQL name."""
    issuer: str
    """Of v1.0 tokens, before the tenant's id."""
    instance: str
    """`cloud_instance_name` of the tenant's configuration."""
    region: str
    """`tenant_region_scope`; beside it, `sub_region` tells the two of the US Government apart."""
    sub_region: str = ""

    @property
    def vault(self) -> str:
        """The resource that tokens for vaults name."""
        return f"https://{self.vault_suffix.removeprefix('.')}"

    @property
    def resources(self) -> tuple[str, ...]:
        """That are other ones in another cloud."""
        return (self.graph, self.vault, self.databases, self.sql)


CLOUDS: dict[CloudName, Cloud] = {
    cloud.name: cloud
    for cloud in (
        Cloud(
            "Global",
            "https://login.microsoftonline.com",
            "https://graph.microsoft.com",
            ".vault.azure.net",
            "https://ossrdbms-aad.database.windows.net",
            "https://database.windows.net",
            "https://sts.windows.net/",
            "microsoftonline.com",
            "EU",
        ),
        Cloud(
            "USGov",
            "https://login.microsoftonline.us",
            "https://graph.microsoft.us",
            ".vault.usgovcloudapi.net",
            "https://ossrdbms-aad.database.usgovcloudapi.net",
            "https://database.usgovcloudapi.net",
            "https://sts.windows.net/",
            "microsoftonline.us",
            "USGov",
            "DODCON",
        ),
        Cloud(
            "USGovDoD",
            "https://login.microsoftonline.us",
            "https://dod-graph.microsoft.us",
            ".vault.usgovcloudapi.net",
            "https://ossrdbms-aad.database.usgovcloudapi.net",
            "https://database.usgovcloudapi.net",
            "https://sts.windows.net/",
            "microsoftonline.us",
            "USGov",
            "DOD",
        ),
        Cloud(
            "China",
            "https://login.partner.microsoftonline.cn",
            "https://microsoftgraph.chinacloudapi.cn",
            ".vault.azure.cn",
            "https://ossrdbms-aad.database.chinacloudapi.cn",
            "https://database.chinacloudapi.cn",
            "https://sts.chinacloudapi.cn/",
            "partner.microsoftonline.cn",
            "AS",
        ),
    )
}
