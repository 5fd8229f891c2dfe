"""How a tenant or a server is reached, and who signs in to it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from cirahub_sync.errors import ConfigurationError


class Cloud(StrEnum):
    """Microsoft's clouds, each with hosts of its own."""

    GLOBAL = "Global"
    US_GOV = "USGov"
    US_GOV_DOD = "USGovDoD"
    CHINA = "China"


class KeyVaultReference(msgspec.Struct, frozen=True, omit_defaults=True):
    vault_url: str
    name: str
    version: str = ""


class SecretFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A secret handed over as a value that was read from a Kubernetes Secret (`secretRef`) or a
    file. `origin` says where from, for messages; the value is fetched by a callback at sign-in
    and is never part of the configuration."""

    origin: str


class WorkloadIdentityAuth(msgspec.Struct, frozen=True, tag="workloadIdentity", omit_defaults=True):
    """No secret: a Kubernetes token is exchanged for one of Entra (federated assertion)."""

    tenant_id: str
    client_id: str
    service_account: str = ""
    """`namespace/name` for TokenRequest; blank means the token projected into our own pod."""


class ClientSecretAuth(msgspec.Struct, frozen=True, tag="clientSecret", omit_defaults=True):
    """An application's client secret, kept in a Key Vault (opened by `vault_identity`) or handed
    over through `secret`. Exactly one of `key_vault` and `secret` is set."""

    tenant_id: str
    client_id: str
    key_vault: KeyVaultReference | None = None
    vault_identity: WorkloadIdentityAuth | None = None
    secret: SecretFile | None = None


class ClientCertificateAuth(
    msgspec.Struct, frozen=True, tag="clientCertificate", omit_defaults=True
):
    """A certificate that is registered with the application: PEM or PFX, with its private key, in
    a Key Vault; or PEM handed over through `secret`. Otherwise as ClientSecretAuth."""

    tenant_id: str
    client_id: str
    key_vault: KeyVaultReference | None = None
    """Of the secret that has the certificate's name."""
    vault_identity: WorkloadIdentityAuth | None = None
    secret: SecretFile | None = None


EntraAuth = WorkloadIdentityAuth | ClientSecretAuth | ClientCertificateAuth
"""Of an application, at Entra ID."""


class SignInScheme(StrEnum):
    """How a password is proved to a server; it is not negotiated."""

    NTLM = "NTLM"
    BASIC = "Basic"


class PasswordAuth(msgspec.Struct, frozen=True, tag="basic", omit_defaults=True):
    """An account's name and password, which has to name its server; kept as ClientSecretAuth's."""

    username: str
    scheme: SignInScheme = SignInScheme.NTLM
    key_vault: KeyVaultReference | None = None
    vault_identity: WorkloadIdentityAuth | None = None
    secret: SecretFile | None = None


Auth = EntraAuth | PasswordAuth


class MailboxAccess(StrEnum):
    """How the application comes to its access to mailboxes."""

    CONSENT = "Consent"
    """App roles that an administrator consented to; they stand in every token."""
    EXCHANGE = "ExchangeRBAC"
    """Exchange's role-based access control for applications; no token tells of it."""


class MailboxRights(StrEnum):
    """By which right of Exchange Server an account opens other people's mailboxes."""

    IMPERSONATION = "Impersonation"
    """The management role of that name: it acts as their owners."""
    DELEGATE = "Delegate"
    """Full Access to each mailbox: it acts as itself."""


class ExchangeServer(msgspec.Struct, frozen=True, omit_defaults=True):
    host: str
    """Its name in small letters, as certificates and secrets have it; with a port if not 443."""
    rights: MailboxRights = MailboxRights.IMPERSONATION
    trusted: str = ""
    """Certificates in PEM that are trusted there and no others; blank: the system's."""


class CardDavServer(msgspec.Struct, frozen=True, omit_defaults=True):
    host: str
    """As ExchangeServer's."""
    path: str = ""
    """Where address books are looked for; blank: where the server says (RFC 6764)."""
    trusted: str = ""


class ConnectionConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    uid: str
    name: str
    """`namespace/name`."""
    auth: Auth
    cloud: Cloud = Cloud.GLOBAL
    mailbox_access: MailboxAccess = MailboxAccess.CONSENT
    default_region: str = ""
    """ISO 3166 region of the tenant's phone numbers, where a spoke names none. Blank: the hub's."""
    exchange_server: ExchangeServer | None = None
    """Where it leads to; with neither this nor the next: to Microsoft 365."""
    card_dav: CardDavServer | None = None

    @property
    def server(self) -> ExchangeServer | CardDavServer | None:
        """One of the customer's own; None: Microsoft's."""
        return self.exchange_server or self.card_dav

    @property
    def tenant_id(self) -> str:
        """In which mailboxes have their names: a tenant, or a server by its host."""
        if self.server is not None:
            return self.server.host
        if isinstance(self.auth, PasswordAuth):
            raise ConfigurationError(f"connection {self.name}: only servers take passwords")
        return self.auth.tenant_id
