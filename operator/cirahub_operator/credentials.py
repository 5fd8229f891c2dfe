"""What the cluster hands over at sign-in: values of Secrets, and tokens of ServiceAccounts.

Lives in the engine's loop, with a connection to the API server of its own. What may be handed
over to whom is decided before, in the resolver; only what the API alone knows is checked here.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from cirahub_operator.api.meta import HOSTS_ANNOTATION, TOKEN_OPT_IN
from cirahub_operator.cluster import Cluster
from cirahub_operator.errors import ClusterRefusedError, ClusterUnreachableError
from cirahub_operator.origin import SecretOrigin
from cirahub_operator.projected import projected_token
from cirahub_sync.configuration import SecretFile
from cirahub_sync.errors import CredentialError, EndpointUnavailableError
from cirahub_sync.identity.base import AccessToken, Material, hosts_in

TOKEN_SECONDS = 3600
"""What the workload-identity webhook asks for, too; the API server refuses less than 600."""


class ClusterCredentials:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @classmethod
    async def connect(cls) -> ClusterCredentials:
        return cls(await Cluster.connect())

    async def close(self) -> None:
        await self._cluster.close()

    async def secret(self, reference: SecretFile) -> Material:
        origin = SecretOrigin.parse(reference.origin)
        try:
            found = await self._cluster.secret(origin.namespace, origin.name, origin.keys)
        except ClusterUnreachableError as error:
            raise EndpointUnavailableError(f"{reference.origin}: {error}") from error
        except ClusterRefusedError as error:
            raise CredentialError(str(error), reason="SecretForbidden") from error
        if found is None:
            raise CredentialError(
                f"{reference.origin} does not exist: create the Secret with that key, or correct "
                "secretRef",
                reason="SecretNotFound",
            )
        try:
            texts = [base64.b64decode(one, validate=True).decode().strip() for one in found.values]
        except (binascii.Error, UnicodeDecodeError):
            # The cause stays out of the chain: it holds what could not be read.
            raise CredentialError(
                f"{reference.origin} is not text: put the value of the client secret or password "
                "there, as it is, or a certificate and its key in PEM",
                reason="SecretInvalid",
            ) from None
        hosts = hosts_in(found.annotations.get(HOSTS_ANNOTATION))
        return Material(value="\n".join(texts), hosts=hosts)

    async def service_account_token(self, service_account: str, audience: str) -> AccessToken:
        if not service_account:
            return await projected_token()
        namespace, _, name = service_account.partition("/")
        try:
            account = await self._cluster.service_account(namespace, name)
            if account is None:
                raise CredentialError(
                    f"ServiceAccount {service_account} does not exist: create it, or correct "
                    "serviceAccountName",
                    reason="ServiceAccountNotFound",
                )
            if account.annotations.get(TOKEN_OPT_IN) != "true":
                raise CredentialError(
                    f"ServiceAccount {service_account} does not let Connections sign in with it; "
                    f"if they may: kubectl annotate serviceaccount {name} -n {namespace} "
                    f"{TOKEN_OPT_IN}=true",
                    reason="ServiceAccountNotAllowed",
                )
            token, expires = await self._cluster.request_token(
                namespace, name, audience=audience, seconds=TOKEN_SECONDS
            )
        except ClusterUnreachableError as error:
            raise EndpointUnavailableError(f"token of {service_account}: {error}") from error
        except ClusterRefusedError as error:
            raise CredentialError(
                f"token of ServiceAccount {service_account}: {error}", reason="TokenForbidden"
            ) from error
        return AccessToken(token, datetime.fromisoformat(expires).timestamp())
