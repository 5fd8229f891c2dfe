"""`Connection`: a tenant or a server, and how to sign in to it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, StringConstraints

from cirahub_operator.api.auth import Auth
from cirahub_operator.api.meta import (
    AGE_COLUMN,
    API_VERSION,
    READY_COLUMNS,
    Column,
    Guid,
    Kind,
    Model,
    Resource,
    Rule,
    Status,
)
from cirahub_operator.api.text import Matching, Region
from cirahub_sync.configuration import Cloud, MailboxAccess, MailboxRights, SignInScheme
from cirahub_sync.origins import HOSTS

PERMISSIONS = 10
"""How many a status lists at most."""


Certificates = Annotated[
    str,
    Matching(
        pattern="^\\s*-----BEGIN CERTIFICATE-----",
        message="write the certificates in PEM, each from -----BEGIN CERTIFICATE-----",
        max_length=32768,
    ),
]
_TRUSTED = (
    "Certificates of the authorities that the server's certificate is signed by, in PEM. With it, "
    "no others are trusted; without it, those that the operator's image trusts."
)


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
    tenant_id: Guid | None = Field(
        default=None,
        alias="tenantID",
        description="The tenant whose tokens the server takes (hybrid modern authentication), in "
        "which its name is registered; required with every auth but basic.",
    )
    mailbox_access: MailboxRights = Field(
        default=MailboxRights.IMPERSONATION,
        description="By which right the account opens mailboxes: Impersonation (the management "
        "role ApplicationImpersonation) or Delegate (Full Access to each).",
    )
    trusted_certificates: Certificates | None = Field(default=None, description=_TRUSTED)


class CardDavServer(Model):
    """A CardDAV server: Nextcloud, Radicale, and others."""

    field_rules: ClassVar[dict[str, tuple[Rule, ...]]] = {
        "url": (
            Rule(
                rule="self == oldSelf",
                message="url can't be changed: create another Connection for another server and "
                "Spokes that name it",
            ),
        )
    }

    url: Annotated[
        str,
        Matching(
            pattern=r"^https://[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)+(:[0-9]{1,5})?(/[^\s?#]*)?$",
            message="write the server's address with its name in small letters, like "
            "https://dav.contoso.com or https://cloud.contoso.com/remote.php/dav/",
            max_length=512,
        ),
    ] = Field(
        description="The server's address, over https. Without a path, the server is asked where "
        "the account's address books are, by /.well-known/carddav; with one, that path is."
    )
    trusted_certificates: Certificates | None = Field(default=None, description=_TRUSTED)

    @property
    def host(self) -> str:
        """As certificates and secrets have it."""
        return urlsplit(self.url).netloc.removesuffix(":443")

    @property
    def path(self) -> str:
        """Unquoted; blank if the server is to say."""
        path = unquote(urlsplit(self.url).path)
        return "" if path == "/" else path


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
            rule="[has(self.microsoft365), has(self.exchangeServer), has(self.cardDAV)]"
            ".exists_one(x, x)",
            message="say where it leads to: set exactly one of microsoft365, exchangeServer and "
            "cardDAV",
            holds=lambda self: (
                [self.microsoft365, self.exchange_server, self.card_dav].count(None) == 2
            ),
        ),
        Rule(
            rule="!has(self.auth.basic) || !has(self.microsoft365)",
            message="auth.basic is a way to sign in to an exchangeServer or a cardDAV server; "
            "leave it out with microsoft365",
            holds=lambda self: self.auth.basic is None or self.microsoft365 is None,
        ),
        Rule(
            rule="!has(self.cardDAV) || (has(self.auth.basic) && self.auth.basic.scheme == "
            "'Basic')",
            message="a CardDAV server is signed in to with an account's name and password, by "
            "Basic: set auth.basic with scheme: Basic",
            holds=lambda self: (
                self.card_dav is None
                or (self.auth.basic is not None and self.auth.basic.scheme is SignInScheme.BASIC)
            ),
        ),
        Rule(
            rule="!has(self.exchangeServer) || !has(self.auth.basic) || "
            "self.auth.basic.username.contains('@') || "
            "self.auth.basic.username.contains('\\\\')",
            message=r"auth.basic.username: write the account as DOMAIN\name or "
            "name@domain.example, as an Exchange Server knows it",
            holds=lambda self: (
                self.exchange_server is None
                or self.auth.basic is None
                or not {"\\", "@"}.isdisjoint(self.auth.basic.username)
            ),
        ),
        Rule(
            rule="!has(self.exchangeServer) || "
            "has(self.exchangeServer.tenantID) != has(self.auth.basic)",
            message="exchangeServer.tenantID is the tenant whose tokens the server takes: set it "
            "with auth.workloadIdentity, auth.clientCertificate or auth.clientSecret, and leave it "
            "out with auth.basic",
            holds=lambda self: (
                self.exchange_server is None
                or (self.exchange_server.tenant_id is None) != (self.auth.basic is None)
            ),
        ),
        Rule(
            rule="!has(self.exchangeServer) || has(self.auth.basic) || "
            "self.exchangeServer.mailboxAccess == 'Impersonation'",
            message="exchangeServer.mailboxAccess: Delegate is for an account, which signs in by "
            "auth.basic; an application acts in the owners' place: leave it out",
            holds=lambda self: (
                self.exchange_server is None
                or self.auth.basic is not None
                or self.exchange_server.mailbox_access is MailboxRights.IMPERSONATION
            ),
        ),
        Rule(
            rule="has(self.microsoft365) == has(oldSelf.microsoft365) && "
            "has(self.cardDAV) == has(oldSelf.cardDAV)",
            message="a Connection can't change between Microsoft 365, an Exchange Server and a "
            "CardDAV server: create another one, and Spokes that name it",
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
    card_dav: CardDavServer | None = Field(
        default=None, alias="cardDAV", description="The CardDAV server to sign in to."
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
                name="URL",
                path=".spec.cardDAV.url",
                wide=True,
                description="The CardDAV server's address.",
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
    def tenant_id(self) -> str:
        """Of the application that it signs in as; blank if it is none."""
        place = self.spec.microsoft365 or self.spec.exchange_server
        return "" if place is None else place.tenant_id or ""

    @property
    def leads_to(self) -> str:
        """For messages."""
        if self.spec.microsoft365 is not None:
            return f"tenant {self.spec.microsoft365.tenant_id}"
        if self.spec.card_dav is not None:
            return self.spec.card_dav.host
        return self.spec.exchange_server.host if self.spec.exchange_server is not None else ""
