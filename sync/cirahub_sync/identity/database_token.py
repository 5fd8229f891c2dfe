"""A token of Entra in a password's place: how Azure's databases let a workload in.

Sources: learn.microsoft.com, "Use Microsoft Entra ID for authentication with Azure Database for
PostgreSQL", "Use Microsoft Entra authentication" of Azure SQL; of the clouds, `az cloud show
--query endpoints.ossrdbmsResourceId`, and `suffixes.sqlServerHostname`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from cirahub_sync.configuration import Cloud
from cirahub_sync.errors import ConfigurationError, CredentialError, EndpointUnavailableError
from cirahub_sync.identity.entra import Assertion, EntraClient, Granted
from cirahub_sync.origins import HOSTS, Origins

_DOMAINS: Mapping[Cloud, str] = {
    Cloud.GLOBAL: "database.windows.net",
    Cloud.US_GOV: "database.usgovcloudapi.net",
    Cloud.US_GOV_DOD: "database.usgovcloudapi.net",
    Cloud.CHINA: "database.chinacloudapi.cn",
}
_INJECTED = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE")
"""By the workload-identity webhook, with AZURE_AUTHORITY_HOST, which is the global cloud's where it
is not set. Sources: azure-workload-identity, "Mutating Admission Webhook"; azure-identity's
README, "Environment variables"."""
_TOO_SHORT = 30.0
"""Seconds of life that a token needs for a server to be asked with it."""
_RETRY_RENEWAL = 60.0


class DatabaseToken:
    """Called for each new connection; one that there is goes on when its token ends. A token is
    renewed after half of its life, and while that fails it serves to its end. `database` is the
    URL of what it is for."""

    def __init__(
        self,
        origins: Origins,
        database: str,
        *,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._origins = origins
        self._sql_server = database.startswith("mssql")
        self._environment = environment
        self._clock = clock
        self._granted: Granted | None = None
        self._renew_at = self._ends_at = float("-inf")

    def __call__(self) -> str:
        """Waits for Entra, if there is none that serves. Raises ConfigurationError,
        CredentialError and EndpointUnavailableError."""
        now = self._clock()
        if self._granted is not None and now < self._renew_at:
            return self._granted.token
        try:
            self._granted = self._sign_in()
        except (CredentialError, EndpointUnavailableError):
            if self._granted is None or now >= self._ends_at - _TOO_SHORT:
                raise
            self._renew_at = now + _RETRY_RENEWAL
        else:
            self._renew_at = now + self._granted.expires_in / 2
            self._ends_at = now + self._granted.expires_in
        return self._granted.token

    def _sign_in(self) -> Granted:
        missing = [name for name in _INJECTED if not self._environment.get(name)]
        if missing:
            raise ConfigurationError(
                f"login=entra wants a workload identity, and {', '.join(missing)} is not set; "
                'label the pod azure.workload.identity/use: "true" and annotate its '
                "ServiceAccount (the chart's workloadIdentity), or give password_file instead"
            )
        tenant, client, file = (self._environment[name] for name in _INJECTED)
        cloud = _cloud(self._environment.get("AZURE_AUTHORITY_HOST", ""))
        entra = EntraClient(
            tenant_id=tenant,
            client_id=client,
            cloud=cloud,
            origins=self._origins,
            name="the database's login",
            clock=self._clock,
        )
        host = _DOMAINS[cloud] if self._sql_server else f"ossrdbms-aad.{_DOMAINS[cloud]}"
        return entra.acquire_now(f"https://{host}/.default", _assertion(Path(file)))


def _assertion(file: Path) -> Assertion:
    """The kubelet renews what is in the file."""
    try:
        return Assertion(file.read_text(encoding="ascii").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialError(
            f"the projected token {file} (AZURE_FEDERATED_TOKEN_FILE) cannot be read "
            f"({type(error).__name__}); check the volume that the workload-identity webhook mounts",
            reason="TokenNotFound",
        ) from error


def _cloud(authority: str) -> Cloud:
    """Raises ConfigurationError."""
    if not authority:
        return Cloud.GLOBAL
    for cloud, hosts in HOSTS.items():
        if hosts.authority == authority.rstrip("/").lower():
            return cloud
    raise ConfigurationError(
        f"AZURE_AUTHORITY_HOST is {authority!r}, the authority of none of Microsoft's clouds; "
        "correct it"
    )
