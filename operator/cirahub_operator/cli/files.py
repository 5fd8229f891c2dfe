"""What a laptop hands over at sign-in: Secrets from the manifests, and a projected token."""

from __future__ import annotations

from collections.abc import Mapping

from cirahub_operator.origin import SecretOrigin
from cirahub_operator.projected import projected_token
from cirahub_sync.configuration import SecretFile
from cirahub_sync.errors import CredentialError
from cirahub_sync.identity.base import AccessToken, Material


class FileCredentials:
    def __init__(self, secrets: Mapping[SecretOrigin, Material]) -> None:
        self._secrets = secrets

    async def secret(self, reference: SecretFile) -> Material:
        origin = SecretOrigin.parse(reference.origin)
        values = [
            self._secrets.get(SecretOrigin(origin.namespace, origin.name, key))
            for key in origin.keys
        ]
        found = [value for value in values if value is not None]
        if len(found) < len(values):
            raise CredentialError(
                f"{reference.origin} is in none of the files: add a manifest of that Secret",
                reason="SecretNotFound",
            )
        return Material(value="\n".join(one.value for one in found), hosts=found[0].hosts)

    async def service_account_token(self, service_account: str, audience: str) -> AccessToken:
        if service_account:
            raise CredentialError(
                f"ServiceAccount {service_account}: only a cluster can issue its tokens; without "
                "one, sign in with clientSecret and secretRef, or leave serviceAccountName out "
                "and set AZURE_FEDERATED_TOKEN_FILE",
                reason="NoCluster",
            )
        return await projected_token()
