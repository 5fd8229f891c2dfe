"""The Entra directory: tenants, their users and groups, and the applications that may sign in to
them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from cirahub_simulator.clouds import CloudName


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a verified token: an application acting in one tenant."""

    tenant_id: str
    client_id: str
    roles: frozenset[str]
    """App roles of the token's resource, e.g. `Contacts.ReadWrite`."""


@dataclass(slots=True)
class Tenant:
    """One Microsoft 365 organisation."""

    id: str
    domain: str
    """The primary domain, e.g. `contoso.example`; it stands for the id wherever Entra takes one."""
    display_name: str
    vaults: list[str] = field(default_factory=list)
    """Names of its key vaults."""
    cloud: CloudName = "Global"
    """Which of Microsoft's clouds it lives in."""


@dataclass(slots=True, kw_only=True)
class User:
    """A user object. Attributes are Graph's, in Python's spelling."""

    id: str
    tenant_id: str
    user_principal_name: str
    display_name: str
    mail: str | None = None
    given_name: str | None = None
    surname: str | None = None
    job_title: str | None = None
    department: str | None = None
    company_name: str | None = None
    office_location: str | None = None
    mobile_phone: str | None = None
    business_phones: list[str] = field(default_factory=list)
    proxy_addresses: list[str] = field(default_factory=list)
    """As `SMTP:ada@contoso.example`, the primary one in capitals."""
    other_mails: list[str] = field(default_factory=list)
    preferred_language: str | None = None
    account_enabled: bool = True
    user_type: str = "Member"
    """`Member` or `Guest`."""
    mail_nickname: str | None = None
    street_address: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    fax_number: str | None = None
    show_in_address_list: bool | None = None
    """Documented as not to be used: https://learn.microsoft.com/graph/api/resources/user"""
    external_user_state: str | None = None
    """Of a guest: `PendingAcceptance` or `Accepted`."""
    has_mailbox: bool = True
    """Whether Exchange Online keeps a mailbox for the user; without one, mailbox requests fail."""


@dataclass(slots=True, kw_only=True)
class OrgContact:
    """A mail contact of the organisation. Attributes are Graph's, in Python's spelling."""

    id: str
    tenant_id: str
    display_name: str
    mail: str
    mail_nickname: str
    given_name: str | None = None
    surname: str | None = None
    job_title: str | None = None
    department: str | None = None
    company_name: str | None = None
    addresses: list[dict[str, str | None]] = field(default_factory=list)
    """https://learn.microsoft.com/graph/api/resources/physicalofficeaddress"""
    phones: list[dict[str, str]] = field(default_factory=list)
    """https://learn.microsoft.com/graph/api/resources/phone"""
    proxy_addresses: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Group:
    """A group object. Attributes are Graph's, in Python's spelling."""

    id: str
    tenant_id: str
    display_name: str
    description: str | None = None
    mail: str | None = None
    mail_nickname: str = ""
    mail_enabled: bool = False
    security_enabled: bool = True
    group_types: list[str] = field(default_factory=list)
    """`Unified` for a Microsoft 365 group, `DynamicMembership` for one with a rule."""
    visibility: str | None = None
    """`Public`, `Private`, `HiddenMembership` or nothing."""
    proxy_addresses: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    """Ids of users and groups, as they were added. Nested groups may be members of each other."""


@dataclass(slots=True)
class Account:
    """How a user signs in to an Exchange Server: the account in its domain."""

    name: str
    """sAMAccountName; `DOMAIN\\name` and the userPrincipalName both sign in."""
    password: str = field(repr=False)
    locked: bool = False


@dataclass(slots=True, kw_only=True)
class ExchangeServer:
    """An Exchange Server organisation: its users are not in Entra, and Graph doesn't see them."""

    id: str
    domain: str
    """The primary SMTP domain, e.g. `adatum.example`."""
    host: str
    """Where Exchange Web Services are, e.g. `mail.adatum.example`."""
    netbios_domain: str
    display_name: str
    accounts: dict[str, Account] = field(default_factory=dict)
    """By user id."""
    impersonators: set[str] = field(default_factory=set)
    """Ids of users who hold the management role ApplicationImpersonation.

    https://learn.microsoft.com/exchange/client-developer/exchange-web-services/impersonation-and-ews-in-exchange
    """
    full_access: dict[str, set[str]] = field(default_factory=dict)
    """By the id of a mailbox's user: who else has the permission Full Access on it."""
    hybrid_tenant: str = ""
    """Id of the tenant whose tokens for `https://{host}` it takes besides accounts; blank: none.

    https://learn.microsoft.com/microsoft-365/enterprise/configure-exchange-server-for-hybrid-modern-authentication
    """
    partner_enabled: bool = True
    """Whether the server has the tenant's applications among its partners (Set-PartnerApplication):
    https://learn.microsoft.com/powershell/module/exchange/set-partnerapplication
    """


@dataclass(slots=True)
class ClientSecret:
    """One of an application's passwords."""

    value: str = field(repr=False)
    expires: datetime
    """UTC."""
    name: str = ""
    """A label for the admin endpoint; never sent on the wire."""


@dataclass(frozen=True, slots=True)
class FederatedCredential:
    """Tokens of this issuer, subject and audience are accepted instead of a secret.

    https://learn.microsoft.com/graph/api/resources/federatedidentitycredential
    """

    issuer: str
    subject: str
    audiences: tuple[str, ...] = ("api://AzureADTokenExchange",)


@dataclass(slots=True, kw_only=True)
class Application:
    """An application registration and the tenants in which it has a service principal."""

    client_id: str
    display_name: str
    home_tenant_id: str
    secrets: list[ClientSecret] = field(default_factory=list)
    federated: list[FederatedCredential] = field(default_factory=list)
    certificates: list[bytes] = field(default_factory=list)
    """DER of each registered certificate."""
    requested: set[str] = field(default_factory=set)
    """Graph app roles that its registration asks for: what an administrator consents to.

    https://learn.microsoft.com/graph/api/resources/requiredresourceaccess
    """
    redirect_uris: list[str] = field(default_factory=list)
    """Where a browser may be sent back to."""
    granted: dict[str, set[str]] = field(default_factory=dict)
    """Graph app roles that an administrator consented to, by tenant id.

    A tenant that is missing here has no service principal of the application at all.
    """
    directory_roles: dict[str, set[str]] = field(default_factory=dict)
    """Roles of Entra ID that its service principal is assigned, by tenant id: by their names.

    https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
    """
    enabled: bool = True
    blocked: bool = False
    """Whether a Conditional Access policy of its home tenant blocks it.

    https://learn.microsoft.com/entra/identity/conditional-access/workload-identity: policies apply
    to service principals in the tenant in which they are registered, and to no others.
    """


class Directory:
    """Every object, with the look-ups that the services need."""

    def __init__(self) -> None:
        self._tenants: dict[str, Tenant] = {}
        self._tenant_names: dict[str, str] = {}
        self._users: dict[str, User] = {}
        self._user_names: dict[str, str] = {}
        self._groups: dict[str, Group] = {}
        self._org_contacts: dict[str, OrgContact] = {}
        self._applications: dict[str, Application] = {}
        self._exchange_servers: dict[str, ExchangeServer] = {}

    def add_tenant(self, tenant: Tenant) -> None:
        """Add a tenant; its id and its domain both name it from now on."""
        self._tenants[tenant.id] = tenant
        self._tenant_names[tenant.id.lower()] = tenant.id
        self._tenant_names[tenant.domain.lower()] = tenant.id

    def add_user(self, user: User) -> None:
        """Add or replace a user."""
        self.remove_user(user.id)
        self._users[user.id] = user
        self._user_names[user.id.lower()] = user.id
        self._user_names[user.user_principal_name.lower()] = user.id

    def remove_user(self, user_id: str) -> User | None:
        """Take a user out; return what was there."""
        user = self._users.pop(user_id, None)
        if user is not None:
            self._user_names.pop(user.id.lower(), None)
            self._user_names.pop(user.user_principal_name.lower(), None)
        return user

    def add_org_contact(self, contact: OrgContact) -> None:
        """Add or replace a mail contact."""
        self._org_contacts[contact.id] = contact

    def remove_org_contact(self, contact_id: str) -> OrgContact | None:
        """Take a mail contact out; return what was there."""
        return self._org_contacts.pop(contact_id, None)

    def org_contacts(self, tenant_id: str | None = None) -> list[OrgContact]:
        """All mail contacts, or a tenant's, in the order they were added."""
        found = self._org_contacts.values()
        return [contact for contact in found if tenant_id in (None, contact.tenant_id)]

    def add_group(self, group: Group) -> None:
        """Add or replace a group."""
        self._groups[group.id.lower()] = group

    def remove_group(self, group_id: str) -> Group | None:
        """Take a group out; return what was there."""
        return self._groups.pop(group_id.lower(), None)

    def add_application(self, application: Application) -> None:
        """Add or replace an application."""
        self._applications[application.client_id.lower()] = application

    def remove_application(self, client_id: str) -> Application | None:
        """Take an application out; return what was there."""
        return self._applications.pop(client_id.lower(), None)

    def tenant(self, id_or_domain: str) -> Tenant | None:
        """The tenant of this id or domain, in any case."""
        tenant_id = self._tenant_names.get(id_or_domain.lower())
        return None if tenant_id is None else self._tenants[tenant_id]

    def tenants(self) -> list[Tenant]:
        """All tenants, in the order they were added."""
        return list(self._tenants.values())

    def user(self, tenant_id: str, id_or_name: str) -> User | None:
        """The tenant's user of this id or userPrincipalName, in any case.

        A mail address that differs from the userPrincipalName does not name a user.
        https://learn.microsoft.com/graph/api/user-get ("{id | userPrincipalName}")
        """
        user_id = self._user_names.get(id_or_name.lower())
        if user_id is None:
            return None
        user = self._users[user_id]
        return user if user.tenant_id == tenant_id else None

    def find_user(self, id_or_name: str) -> User | None:
        """The user of this id or userPrincipalName in whichever tenant, for the admin endpoint."""
        user_id = self._user_names.get(id_or_name.lower())
        return None if user_id is None else self._users[user_id]

    def users(self, tenant_id: str | None = None) -> list[User]:
        """All users, or a tenant's, in the order they were added."""
        return [u for u in self._users.values() if tenant_id is None or u.tenant_id == tenant_id]

    def group(self, tenant_id: str, group_id: str) -> Group | None:
        """The tenant's group of this id."""
        found = self._groups.get(group_id.lower())
        return found if found is not None and found.tenant_id == tenant_id else None

    def find_group(self, group_id: str) -> Group | None:
        """The group of this id in whichever tenant, for the admin endpoint."""
        return self._groups.get(group_id.lower())

    def groups(self, tenant_id: str | None = None) -> list[Group]:
        """All groups, or a tenant's, in the order they were added."""
        return [g for g in self._groups.values() if tenant_id is None or g.tenant_id == tenant_id]

    def add_exchange_server(self, server: ExchangeServer) -> None:
        """Add or replace an Exchange Server organisation."""
        self._exchange_servers[server.id] = server

    def exchange_servers(self) -> list[ExchangeServer]:
        """All Exchange Server organisations, in the order they were added."""
        return list(self._exchange_servers.values())

    def exchange_server(self, id_or_domain: str) -> ExchangeServer | None:
        """The Exchange Server organisation of this id or domain, in any case."""
        name = id_or_domain.lower()
        found = (s for s in self._exchange_servers.values() if name in (s.id, s.domain.lower()))
        return next(found, None)

    def hybrid_hosts(self, tenant_id: str) -> frozenset[str]:
        """The hosts of the Exchange Servers that take a tenant's tokens."""
        servers = self._exchange_servers.values()
        return frozenset(one.host for one in servers if one.hybrid_tenant == tenant_id)

    def addressee(self, organisation_id: str, address: str) -> User | None:
        """The user of a tenant or an Exchange Server organisation who has this address."""
        wanted = address.lower()
        for user in self.users(organisation_id):
            if wanted in (user.user_principal_name.lower(), (user.mail or "").lower()):
                return user
        return None

    def application(self, client_id: str) -> Application | None:
        """The application of this client id."""
        return self._applications.get(client_id.lower())

    def applications(self) -> list[Application]:
        """All applications, in the order they were added."""
        return list(self._applications.values())
