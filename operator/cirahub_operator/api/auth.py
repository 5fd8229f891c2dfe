"""How a Connection signs in, and where what it takes is kept."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from cirahub_operator.api.meta import Guid, Model, ObjectName, Rule
from cirahub_operator.api.text import Matching
from cirahub_sync.configuration import SignInScheme

VaultUrl = Annotated[
    str,
    Matching(
        pattern="^https://[a-zA-Z0-9-]{3,24}[.]vault[.](azure[.]net|usgovcloudapi[.]net|azure[.]cn)/?$",
        message="write the vault's address, like https://contoso-kv.vault.azure.net",
        max_length=128,
    ),
]


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


def _kept(what: str) -> tuple[Rule, ...]:
    """Of what is kept elsewhere, in a vault or in a Secret."""
    return (
        Rule(
            rule="[has(self.keyVault), has(self.secretRef)].exists_one(x, x)",
            message=f"say where {what} is: set exactly one of keyVault (recommended) and secretRef",
            holds=lambda self: (self.key_vault is None) != (self.secret_ref is None),
        ),
        Rule(
            rule="has(self.keyVault) == has(self.workloadIdentity)",
            message="workloadIdentity opens the vault: set it with keyVault, and leave it out with "
            "secretRef",
            holds=lambda self: (self.key_vault is None) == (self.workload_identity is None),
        ),
    )


class ClientSecret(Model):
    """Sign-in with an app registration's client secret."""

    rules: ClassVar[tuple[Rule, ...]] = _kept("the client secret")

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

    rules: ClassVar[tuple[Rule, ...]] = _kept("the certificate")

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
    """Sign-in to an Exchange Server or a CardDAV server with an account's name and password."""

    rules: ClassVar[tuple[Rule, ...]] = _kept("the password")

    username: Annotated[
        str,
        Matching(
            pattern=r"^([^\\@\s:]+\\[^\\@\s:]+|[^\\@\s:]+(@[^\\@\s:]+)?)$",
            message=r"write the account as DOMAIN\name, name@domain.example or, for a CardDAV "
            "server, by its name alone",
            max_length=320,
        ),
    ] = Field(
        description=r"The account, as DOMAIN\name or by its user principal name, "
        "name@domain.example; of a CardDAV server, as it is signed in with there."
    )
    scheme: SignInScheme = Field(
        default=SignInScheme.NTLM,
        description="How the password is proved: by NTLM, or by Basic, which sends it (over TLS). "
        "Nothing else is tried, whatever the server offers. A CardDAV server takes Basic only.",
    )
    key_vault: KeyVaultSecret | None = Field(
        default=None,
        description="The password is in an Azure Key Vault. The secret's tag `cirahub-hosts` has "
        "to name the server's host: exchangeServer.host, or that of cardDAV.url.",
    )
    workload_identity: VaultReader | None = Field(
        default=None, description="Who opens the vault; required with keyVault."
    )
    secret_ref: SecretKey | None = Field(
        default=None,
        description="The password is in a Kubernetes Secret, whose annotation `cirahub.io/hosts` "
        "has to name the server's host: exchangeServer.host, or that of cardDAV.url.",
    )


class Auth(Model):
    """How to sign in; exactly one of its fields."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            rule="[has(self.workloadIdentity), has(self.clientCertificate), "
            "has(self.clientSecret), has(self.basic)].exists_one(x, x)",
            message="set exactly one of auth.workloadIdentity (recommended), "
            "auth.clientCertificate, auth.clientSecret and, for an Exchange Server or a CardDAV "
            "server, auth.basic",
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
        description="For an Exchange Server or a CardDAV server: with a password, which is kept "
        "elsewhere.",
    )
