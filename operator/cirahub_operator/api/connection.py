"""`Connection`: a tenant or a server, and how to sign in to it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from cirahub_operator.api.meta import (
    AGE_COLUMN,
    API_VERSION,
    READY_COLUMNS,
    Column,
    Guid,
    Kind,
    Model,
    ObjectName,
    Resource,
    Rule,
    Status,
)
from cirahub_operator.api.text import Matching, Region
from cirahub_sync.configuration import Cloud, MailboxAccess, MailboxRights, SignInScheme
from cirahub_sync.origins import HOSTS

PERMISSIONS = 10
"""How many a status lists at most."""

VaultUrl = Annotated[
    str,
    Matching(
        pattern="^https://[a-zA-Z0-9-]{3,24}[.]vault[.](azure[.]net|usgovcloudapi[.]net|azure[.]cn)/?$",
        message="write the vault's address, like https://contoso-kv.vault.azure.net",
        max_length=128,
    ),
]


class Microsoft365(Model):
    """A Microsoft 365 tenant."""

    field_rules: ClassVar[dict[str, tuple[Rule, ...]]] = {
        "tenantID": (
            Rule(
                rule="self == oldSelf",
                message="tenantID can't be changed: create another Connection for another tenant "
                "and Spokes that name it",
            ),
        )
    }

    tenant_id: Guid = Field(
        alias="tenantID",
        description="The tenant's id (a GUID; in the Entra admin centre under Overview).",
    )
    mailbox_access: MailboxAccess = Field(
        default=MailboxAccess.CONSENT,
        description="How the application comes to its access to mailboxes: by permissions that an "
        "administrator consents to, or by Exchange's role-based access control for applications, "
        "of which no token tells: then those for contacts and calendars are not asked for.",
    )


class ExchangeServer(Model):
    """An Exchange Server of your own, spoken to by Exchange Web Services."""

    field_rules: ClassVar[dict[str, tuple[Rule, ...]]] = {
        "host": (
            Rule(
                rule="self == oldSelf",
                message="host can't be changed: create another Connection for another server and "
                "Spokes that name it",
            ),
        )
    }

    host: Annotated[
        str,
        Matching(
            pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)+(:[0-9]{1,5})?$",
            message="write the server's name in small letters, like mail.contoso.com, with no path",
            max_length=253,
        ),
    ] = Field(
        description="The server's name, under which it has /EWS/Exchange.asmx, and which its "
        "certificate is for; with a port if that is not 443."
    )
    mailbox_access: MailboxRights = Field(
        default=MailboxRights.IMPERSONATION,
        description="By which right the account opens mailboxes: Impersonation (the management "
        "role ApplicationImpersonation) or Delegate (Full Access to each).",
    )
    trusted_certificates: (
        Annotated[
            str,
            Matching(
                pattern="^\\s*-----BEGIN CERTIFICATE-----",
                message="write the certificates in PEM, each from -----BEGIN CERTIFICATE-----",
                max_length=32768,
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="Certificates of the authorities that the server's certificate is signed by, "
        "in PEM. With it, no others are trusted; without it, those that the operator's image "
        "trusts.",
    )


class WorkloadIdentity(Model):
    """Sign-in without any secret: the token of a Kubernetes ServiceAccount is exchanged for one of
    the app registration, which has a federated credential for that ServiceAccount."""

    client_id: Guid = Field(
        alias="clientID", description="The application (client) id of the app registration."
    )
    service_account_name: ObjectName | None = Field(
        default=None,
        description="A ServiceAccount of this namespace that carries the annotation "
        '`cirahub.io/allow-token-requests: "true"`. Without it, the operator\'s own identity is '
        "used, if its administrator has granted that to this namespace.",
    )


class KeyVaultSecret(Model):
    """A secret in an Azure Key Vault."""

    vault_url: VaultUrl = Field(
        alias="vaultURL",
        description="The vault's address, for example https://contoso-kv.vault.azure.net.",
    )
    name: Annotated[str, StringConstraints(max_length=127, pattern=r"^[0-9a-zA-Z-]+$")] = Field(
        description="The secret's name in the vault."
    )
    version: Annotated[str, StringConstraints(max_length=32, pattern=r"^[0-9a-f]{32}$")] | None = (
        Field(default=None, description="The secret's version; without it, the current one.")
    )


class SecretKey(Model):
    """A value in a Secret of the same namespace."""

    name: ObjectName = Field(description="The Secret's metadata.name.")
    key: Annotated[
        str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")
    ] = Field(description="The key in its data.")


class ClientSecret(Model):
    """Sign-in with an app registration's client secret."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="[has(self.keyVault), has(self.secretRef)].exists_one(x, x)",
            message="say where the client secret is: set exactly one of keyVault (recommended) "
            "and secretRef",
            holds=lambda self: (self.key_vault is None) != (self.secret_ref is None),
        ),
        Rule(
            rule="has(self.keyVault) == has(self.workloadIdentity)",
            message="workloadIdentity opens the vault: set it with keyVault, and leave it out with "
            "secretRef",
            holds=lambda self: (self.key_vault is None) == (self.workload_identity is None),
        ),
    )

    client_id: Guid = Field(
        alias="clientID", description="The application (client) id of the app registration."
    )
    key_vault: KeyVaultSecret | None = Field(
        default=None, description="The client secret is in an Azure Key Vault."
    )
    workload_identity: WorkloadIdentity | None = Field(
        default=None, description="Who opens the vault; required with keyVault."
    )
    secret_ref: SecretKey | None = Field(
        default=None,
        description="The client secret is in a Kubernetes Secret. For a laptop; keep it in a vault "
        "everywhere else.",
    )


class CertificateSecret(Model):
    """A Secret of the same namespace that holds a certificate and its private key."""

    name: ObjectName = Field(description="The Secret's metadata.name.")
    key: (
        Annotated[
            str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")
        ]
        | None
    ) = Field(
        default=None,
        description="The key in its data whose value is PEM with both. Without it, the Secret is "
        "of the type kubernetes.io/tls, as cert-manager makes them: tls.crt and tls.key.",
    )


class ClientCertificate(Model):
    """Sign-in with a certificate whose public part is registered with the app registration."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="[has(self.keyVault), has(self.secretRef)].exists_one(x, x)",
            message="say where the certificate is: set exactly one of keyVault (recommended) and "
            "secretRef",
            holds=lambda self: (self.key_vault is None) != (self.secret_ref is None),
        ),
        Rule(
            rule="has(self.keyVault) == has(self.workloadIdentity)",
            message="workloadIdentity opens the vault: set it with keyVault, and leave it out with "
            "secretRef",
            holds=lambda self: (self.key_vault is None) == (self.workload_identity is None),
        ),
    )

    client_id: Guid = Field(
        alias="clientID", description="The application (client) id of the app registration."
    )
    key_vault: KeyVaultSecret | None = Field(
        default=None,
        description="The certificate is in an Azure Key Vault, with an exportable private key. Its "
        "name is that of the secret through which the key is read.",
    )
    workload_identity: WorkloadIdentity | None = Field(
        default=None, description="Who opens the vault; required with keyVault."
    )
    secret_ref: CertificateSecret | None = Field(
        default=None,
        description="The certificate is in a Kubernetes Secret. For a laptop; keep it in a vault "
        "everywhere else.",
    )


class VaultReader(WorkloadIdentity):
    """Who opens a vault that belongs to no tenant of the Connection's."""

    tenant_id: Guid = Field(
        alias="tenantID", description="The tenant of the app registration and of the vault."
    )


class BasicAuth(Model):
    """Sign-in to an Exchange Server with an account's name and password."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="[has(self.keyVault), has(self.secretRef)].exists_one(x, x)",
            message="say where the password is: set exactly one of keyVault (recommended) and "
            "secretRef",
            holds=lambda self: (self.key_vault is None) != (self.secret_ref is None),
        ),
        Rule(
            rule="has(self.keyVault) == has(self.workloadIdentity)",
            message="workloadIdentity opens the vault: set it with keyVault, and leave it out with "
            "secretRef",
            holds=lambda self: (self.key_vault is None) == (self.workload_identity is None),
        ),
    )

    username: Annotated[
        str,
        Matching(
            pattern=r"^([^\\@\s:]+\\[^\\@\s:]+|[^\\@\s:]+@[^\\@\s:]+)$",
            message=r"write the account as DOMAIN\name or name@domain.example",
            max_length=320,
        ),
    ] = Field(
        description=r"The account, as DOMAIN\name or by its user principal name, "
        "name@domain.example."
    )
    scheme: SignInScheme = Field(
        default=SignInScheme.NTLM,
        description="How the password is proved: by NTLM, or by Basic, which sends it (over TLS). "
        "Nothing else is tried, whatever the server offers.",
    )
    key_vault: KeyVaultSecret | None = Field(
        default=None,
        description="The password is in an Azure Key Vault. The secret's tag `cirahub-hosts` has "
        "to name exchangeServer.host.",
    )
    workload_identity: VaultReader | None = Field(
        default=None, description="Who opens the vault; required with keyVault."
    )
    secret_ref: SecretKey | None = Field(
        default=None,
        description="The password is in a Kubernetes Secret, whose annotation `cirahub.io/hosts` "
        "has to name exchangeServer.host.",
    )


class Auth(Model):
    """How to sign in; exactly one of its fields."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="[has(self.workloadIdentity), has(self.clientCertificate), "
            "has(self.clientSecret), has(self.basic)].exists_one(x, x)",
            message="set exactly one of auth.workloadIdentity (recommended), "
            "auth.clientCertificate, auth.clientSecret and, for an Exchange Server, auth.basic",
            holds=lambda self: (
                [
                    self.workload_identity,
                    self.client_certificate,
                    self.client_secret,
                    self.basic,
                ].count(None)
                == 3
            ),
        ),
    )

    workload_identity: WorkloadIdentity | None = Field(
        default=None, description="Without a secret, by federation."
    )
    client_certificate: ClientCertificate | None = Field(
        default=None, description="With a certificate, whose private key is kept elsewhere."
    )
    client_secret: ClientSecret | None = Field(
        default=None, description="With a client secret, which is kept elsewhere."
    )
    basic: BasicAuth | None = Field(
        default=None,
        description="For an Exchange Server: with a password, which is kept elsewhere.",
    )


def _vault_rule(auth: str) -> Rule:
    """The vault of a way to sign in is in the Connection's cloud."""

    def holds(spec: ConnectionSpec) -> bool:
        kept = {
            "clientSecret": spec.auth.client_secret,
            "clientCertificate": spec.auth.client_certificate,
            "basic": spec.auth.basic,
        }[auth]
        if kept is None or kept.key_vault is None:
            return True
        return kept.key_vault.vault_url.rstrip("/").endswith(HOSTS[spec.cloud].vault_suffix)

    return Rule(
        rule=f"!has(self.auth.{auth}) || !has(self.auth.{auth}.keyVault) || "
        f"self.auth.{auth}.keyVault.vaultURL.matches("
        "self.cloud == 'China' ? '[.]vault[.]azure[.]cn/?$' : "
        "self.cloud.startsWith('USGov') ? '[.]vault[.]usgovcloudapi[.]net/?$' : "
        "'[.]vault[.]azure[.]net/?$')",
        message=f"auth.{auth}.keyVault.vaultURL is in another cloud: vaults end in "
        ".vault.azure.net in the cloud Global, in .vault.usgovcloudapi.net in USGov and "
        "USGovDoD, and in .vault.azure.cn in China",
        holds=holds,
    )


class ConnectionSpec(Model):
    """A tenant or a server, and how to sign in to it."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="[has(self.microsoft365), has(self.exchangeServer)].exists_one(x, x)",
            message="say where it leads to: set exactly one of microsoft365 and exchangeServer",
            holds=lambda self: (self.microsoft365 is None) != (self.exchange_server is None),
        ),
        Rule(
            rule="has(self.exchangeServer) == has(self.auth.basic)",
            message="auth.basic is how to sign in to an exchangeServer, and the only way; leave it "
            "out with microsoft365",
            holds=lambda self: (self.exchange_server is None) == (self.auth.basic is None),
        ),
        Rule(
            rule="has(self.microsoft365) == has(oldSelf.microsoft365)",
            message="a Connection can't change between Microsoft 365 and an Exchange Server: "
            "create another one, and Spokes that name it",
        ),
        _vault_rule("clientSecret"),
        _vault_rule("clientCertificate"),
        _vault_rule("basic"),
    )
    field_rules: ClassVar[dict[str, tuple[Rule, ...]]] = {
        "cloud": (
            Rule(
                rule="self == oldSelf",
                message="cloud can't be changed: create another Connection for another cloud",
            ),
        )
    }

    microsoft365: Microsoft365 | None = Field(
        default=None, description="The Microsoft 365 tenant to sign in to."
    )
    exchange_server: ExchangeServer | None = Field(
        default=None, description="The Exchange Server to sign in to."
    )
    cloud: Cloud = Field(
        default=Cloud.GLOBAL,
        description="Which of Microsoft's clouds the tenant, or the key vault, lives in.",
    )
    auth: Auth = Field(description="How to sign in; exactly one of its fields.")
    default_region: Region | None = Field(
        default=None,
        description="ISO 3166 region in which phone numbers of the tenant without a country code "
        "are read, for Spokes that name none. Without it, the Hub's.",
    )


Permissions = Annotated[
    tuple[Annotated[str, StringConstraints(max_length=128)], ...], Field(max_length=PERMISSIONS)
]


class ConnectionStatus(Status):
    """How signing in goes."""

    last_check_time: datetime | None = Field(
        default=None, description="When signing in was last tried."
    )
    credential_expiry_time: datetime | None = Field(
        default=None,
        description="When the client secret or the certificate ends, by the vault's word or the "
        "certificate's own, whichever is sooner. Absent if nothing ends, or nobody says when.",
    )
    consent_link: Annotated[str, StringConstraints(max_length=512)] | None = Field(
        default=None,
        description="Where an administrator of the tenant consents to the application; there while "
        "consent is missing.",
    )
    permissions_missing: Permissions | None = Field(
        default=None, description="Application permissions that are needed and not granted."
    )
    permissions_in_excess: Permissions | None = Field(
        default=None,
        description="Application permissions that are granted and not needed, at most ten.",
    )


class Connection(Resource):
    """A tenant or a server, and how to sign in to it. Spokes name it; no secret is part of it."""

    definition: ClassVar[Kind] = Kind(
        kind="Connection",
        plural="connections",
        singular="connection",
        short=("cconn",),
        columns=(
            *READY_COLUMNS,
            Column(
                name="Tenant",
                path=".spec.microsoft365.tenantID",
                wide=True,
                description="The tenant's id.",
            ),
            Column(
                name="Server",
                path=".spec.exchangeServer.host",
                wide=True,
                description="The Exchange Server's name.",
            ),
            Column(
                name="Last Check",
                path=".status.lastCheckTime",
                type="date",
                description="When signing in was last tried.",
            ),
            AGE_COLUMN,
        ),
    )

    api_version: Literal["cirahub.io/v1alpha1"] = API_VERSION
    kind: Literal["Connection"] = "Connection"
    spec: ConnectionSpec
    status: ConnectionStatus = ConnectionStatus()

    @property
    def client_id(self) -> str:
        """Of the application that it signs in as; blank if it is none."""
        auth = self.spec.auth
        given = auth.workload_identity or auth.client_certificate or auth.client_secret
        return "" if given is None else given.client_id

    @property
    def leads_to(self) -> str:
        """For messages."""
        if self.spec.microsoft365 is not None:
            return f"tenant {self.spec.microsoft365.tenant_id}"
        return self.spec.exchange_server.host if self.spec.exchange_server is not None else ""
