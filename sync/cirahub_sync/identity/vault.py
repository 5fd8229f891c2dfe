"""A secret in Azure Key Vault, read with a workload identity.

https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret. The vault's challenge names an
authority and a resource. Neither decides where a credential goes: the token is always our own
cloud's, for Key Vault, of our own tenant, and a challenge that wants another is refused.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Self

from azure.core.credentials import AccessToken as AzureToken
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline.transport import AioHttpTransport
from azure.keyvault.secrets.aio import SecretClient

from cirahub_sync.configuration import Cloud, KeyVaultReference
from cirahub_sync.errors import (
    CirahubError,
    ConfigurationError,
    CredentialError,
    EndpointUnavailableError,
    ProtocolError,
)
from cirahub_sync.identity.base import HOSTS_TAG, Material, TokenProvider, hosts_in
from cirahub_sync.network import Route
from cirahub_sync.origins import HOSTS, Origins

_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
"""https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates"""
_VAULT = "https://[0-9a-z-]{3,24}"
"""https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates, "DNS
suffixes" and "vault-name"."""
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_OF_THE_READER = frozenset({"ClientNotFound", "ClientDisabled", "ConsentMissing"})
"""Said of the vault's reader, these must not be taken for the application's own."""
_UNAVAILABLE = frozenset({408, 429, 500, 502, 503, 504})


class VaultSecret:
    """One secret of one vault."""

    def __init__(
        self,
        reference: KeyVaultReference,
        tokens: TokenProvider,
        *,
        tenant_id: str,
        cloud: Cloud,
        origins: Origins,
        name: str,
    ) -> None:
        """`tokens` signs in the vault's reader, of `tenant_id`. Raises ConfigurationError."""
        suffix = HOSTS[cloud].vault_suffix
        form = re.compile(rf"({_VAULT}{re.escape(suffix)})/?", re.ASCII | re.IGNORECASE)
        named = form.fullmatch(reference.vault_url)
        if named is None:
            raise ConfigurationError(
                f"{name}: keyVault.vaultURL has to be like https://my-vault{suffix}, with a host "
                f"of the connection's cloud ({cloud})"
            )
        if not _NAME.fullmatch(reference.name) or not _NAME.fullmatch(reference.version or "x"):
            raise ConfigurationError(
                f"{name}: keyVault.name and keyVault.version consist of letters, digits and dashes"
            )
        url = named[1].lower()
        vault = url.removeprefix("https://")
        self._what = f"{name}: secret {reference.name} in {vault}"
        self._reference = reference
        self._route = Route(url, origins, self._what)
        self._tokens = tokens
        self._credential = _OwnCredential(
            tokens, scope=f"https://{suffix[1:]}/.default", tenant_id=tenant_id, what=self._what
        )

    async def close(self) -> None:
        """The tokens of the vault's reader go with it."""
        await self._tokens.close()

    async def read(self) -> Material:
        """The secret as it is now, with its attributes (`nbf`, `exp`) and content type.

        Raises CredentialError and EndpointUnavailableError.
        """
        client = SecretClient(
            self._route.url,
            self._credential,
            transport=AioHttpTransport(session=self._route.session()),
            verify_challenge_resource=not self._route.rewritten,
            permit_redirects=False,
            retry_total=2,
            retry_backoff_factor=0.2,
            retry_backoff_max=2,
            connection_timeout=10,
            read_timeout=30,
        )
        async with client:
            try:
                secret = await client.get_secret(
                    self._reference.name, self._reference.version or None
                )
            except HttpResponseError as error:
                # The remote's words stay out of the chain: they may quote what was sent.
                raise self._failure(error) from None
            except (ServiceRequestError, ServiceResponseError) as error:
                raise EndpointUnavailableError(
                    f"{self._what} cannot be reached ({type(error).__name__}); check the vault's "
                    "name, its firewall and private endpoint, and the certificate authority",
                    reason="VaultUnreachable",
                ) from error
            except ValueError as error:
                raise CredentialError(
                    f"{self._what}: the vault's challenge is not one of Key Vault; nothing was "
                    "sent. Check keyVault.vaultURL and the network in between",
                    reason="AuthorityMismatch",
                ) from error
            except (AttributeError, TypeError, RecursionError) as error:
                # The client takes an answer's shape for granted.
                raise self._garbled() from error
        if secret.value is not None and not isinstance(secret.value, str):
            raise self._garbled()
        if not secret.value:
            raise CredentialError(
                f"{self._what} is empty; store the client secret's value", reason="SecretNotFound"
            )
        told = secret.properties
        return Material(
            value=secret.value,
            content_type=told.content_type or "",
            not_before=told.not_before.timestamp() if told.not_before else None,
            expires=told.expires_on.timestamp() if told.expires_on else None,
            hosts=hosts_in((told.tags or {}).get(HOSTS_TAG)),
        )

    def _garbled(self) -> ProtocolError:
        return ProtocolError(
            f"{self._what}: the answer is none of Key Vault's; will be tried again. If it "
            "persists, check the network in between"
        )

    def _failure(self, error: HttpResponseError) -> CirahubError:
        status = error.status_code or 0
        codes = _codes(error)
        text = f"{self._what}: Key Vault answered {' '.join((str(status), *codes))}"
        if status in _UNAVAILABLE:
            return EndpointUnavailableError(
                f"{text}; will be tried again", reason="VaultUnreachable"
            )
        if "SecretDisabled" in codes:
            return CredentialError(
                f"{text}; enable the secret, or name another version", reason="SecretDisabled"
            )
        if "SecretNotYetValid" in codes:
            return CredentialError(
                f"{text}; its date of activation is still ahead: store a version that is valid "
                "now, or wait",
                reason="NotYetValid",
                stalled=False,
            )
        if "SecretExpired" in codes:
            return CredentialError(
                f"{text}; the secret's own date has passed: store a new version of it",
                reason="SecretExpired",
            )
        if status == 404:
            return CredentialError(
                f"{text}; correct keyVault.name or keyVault.version, or store the secret",
                reason="SecretNotFound",
            )
        if status == 401 or isinstance(error, ClientAuthenticationError):
            return CredentialError(
                f"{text}; the vault does not accept the identity's token: the vault and the "
                "identity have to be of one tenant",
                reason="VaultForbidden",
            )
        if status == 403:
            return CredentialError(
                f"{text}; give the identity the role Key Vault Secrets User on the vault or the "
                "secret, and let it through the vault's firewall",
                reason="VaultForbidden",
            )
        return CredentialError(f"{text}, which is unexpected; check keyVault.vaultURL")


class _OwnCredential:
    """What azure-core asks for a token: ours, whatever the challenge names.

    Implements azure.core.credentials_async.AsyncTokenCredential.
    """

    def __init__(self, tokens: TokenProvider, *, scope: str, tenant_id: str, what: str) -> None:
        self._tokens = tokens
        self._scope = scope
        self._tenant_id = tenant_id
        self._what = what

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_options: Any,
    ) -> AzureToken:
        if scopes != (self._scope,) or (
            tenant_id is not None and tenant_id.lower() != self._tenant_id.lower()
        ):
            raise CredentialError(
                f"{self._what}: the vault asks for a token of another tenant or resource, which "
                f"it does not get; the vault has to be in tenant {self._tenant_id}",
                reason="AuthorityMismatch",
            )
        if claims is not None:
            await self._tokens.invalidate()
        try:
            token = await self._tokens.token(self._scope)
        except CredentialError as error:
            if error.reason not in _OF_THE_READER:
                raise
            raise CredentialError(
                f"{self._what}: {error}", reason="VaultIdentityRejected", stalled=error.stalled
            ) from error
        return AzureToken(token.token, int(token.expires_on))

    async def close(self) -> None:
        """The provider belongs to whoever made it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.close()


def _codes(error: HttpResponseError) -> list[str]:
    """The error's code and the inner one: `Forbidden`, `ForbiddenByRbac`, `SecretDisabled`."""
    details = error.error
    if details is None:
        return []
    inner = details.innererror if isinstance(details.innererror, dict) else {}
    return [
        code
        for code in (details.code, inner.get("code"))
        if isinstance(code, str) and _CODE.fullmatch(code)
    ]
