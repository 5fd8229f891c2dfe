"""Resolved configuration: what a pass needs to know of hubs, spokes and connections.

The operator makes these from custom resources, `cirahub pass` from manifest files. They carry
no secret: only where one is kept. `uid`s are stable across restarts (the resource's UID, or a
digest of its namespaced name for manifests), names are for people.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import msgspec

from cirahub_sync.errors import ConfigurationError


class Direction(StrEnum):
    CONTRIBUTE = "Contribute"
    TWO_WAY = "TwoWay"
    RECEIVE = "Receive"

    @property
    def contributes(self) -> bool:
        return self is not Direction.RECEIVE

    @property
    def receives(self) -> bool:
        return self is not Direction.CONTRIBUTE


class ItemKind(StrEnum):
    """What a hub is a collection of."""

    CONTACT = "Contact"
    EVENT = "Event"


class ConflictPolicy(StrEnum):
    NEWEST = "Newest"
    HUB = "Hub"
    PRIORITY = "Priority"
    MANUAL = "Manual"


class ListPolicy(StrEnum):
    """What becomes of lists that spokes have filled unaware of each other."""

    UNION = "Union"
    SOURCE_WINS = "SourceWins"
    INTERSECT = "Intersect"


class Approval(StrEnum):
    """Whether what a pass would write waits for a person."""

    AUTOMATIC = "Automatic"
    MANUAL = "Manual"


class OnUserDelete(StrEnum):
    REMEMBER = "Remember"
    RESTORE = "Restore"


class Adopt(StrEnum):
    """What becomes of a mailbox's own contacts when they are seen for the first time."""

    MATCH = "Match"
    """One that matches an item of the hub is that item from then on."""
    NEVER = "Never"
    """Each is an item of its own; neither does it match others, nor do others match it."""


class PrivateItems(StrEnum):
    """What a spoke contributes of events that their owner marked private or confidential."""

    SKIP = "Skip"
    """Nothing."""
    MASK = "Mask"
    """When they are."""


class Cloud(StrEnum):
    """Microsoft's clouds, each with hosts of its own."""

    GLOBAL = "Global"
    US_GOV = "USGov"
    US_GOV_DOD = "USGovDoD"
    CHINA = "China"


class Operator(StrEnum):
    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    CONTAINS = "Contains"
    STARTS_WITH = "StartsWith"


class Condition(msgspec.Struct, frozen=True, omit_defaults=True):
    """A condition on one field. `field` is a name of the contact in camel case (`companyName` is
    `company`; see `model.filter`), or `category`, or `domain` (of any e-mail address).
    Text compares case-folded. For list fields, true if any element matches."""

    field: str
    operator: Operator
    values: tuple[str, ...] = ()
    connection: str = ""
    """Of `group`: the name of the connection whose directory has it; blank: the spoke's own."""


class Filter(msgspec.Struct, frozen=True, omit_defaults=True):
    """Admits an item when every `all`, at least one `any` (if given), no `none` and the
    `expression` (if given; see `model.expression`) holds."""

    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()
    none: tuple[Condition, ...] = ()
    expression: str = ""


class PhoneForm(StrEnum):
    """How phone numbers are written: +14255550101, +1 425-555-0101 or (425) 555-0101."""

    E164 = "E164"
    INTERNATIONAL = "International"
    NATIONAL = "National"


class Policy(StrEnum):
    """Whether the side that a flow leads to takes the value that comes."""

    OVERWRITE = "Overwrite"
    FILL_IF_BLANK = "FillIfBlank"
    """Only where it has none of its own; what it has stays, and does not come back."""
    CLEAR = "Clear"
    """It gets a blank instead."""
    KEEP = "Keep"
    """It keeps what it has, or has not."""


class FieldPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    policy: Policy
    fields: tuple[str, ...]


class MappingRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a mapping, in the direction of the flow it stands in. Exactly one of the
    actions is set. `prefix`, `suffix`, `add_category`, `replace_domain`, `phone_format` and
    `notes_between` (the lines around a receiver's part of the notes) have an inverse;
    `set_value` and `template` (see `model.template`) have none, so that field is read-only on the
    far side."""

    field: str = ""
    prefix: str = ""
    suffix: str = ""
    set_value: str | None = None
    add_category: str = ""
    replace_domain: tuple[str, str] | None = None
    template: str = ""
    phone_format: PhoneForm | None = None
    notes_between: tuple[str, str] | None = None


class Flow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One direction of a spoke: which items pass, which of their fields, changed how.
    `include` empty means every field; `exclude` wins over `include`."""

    filter: Filter = Filter()
    mapping: tuple[MappingRule, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    policies: tuple[FieldPolicy, ...] = ()


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
    """Where it leads to; None: to Microsoft 365."""

    @property
    def tenant_id(self) -> str:
        """In which mailboxes have their names: a tenant, or an Exchange Server by its host."""
        if self.exchange_server is not None:
            return self.exchange_server.host
        if isinstance(self.auth, PasswordAuth):
            raise ConfigurationError(f"connection {self.name}: only servers take passwords")
        return self.auth.tenant_id


class Listed(StrEnum):
    """What a tenant's directory lists."""

    USERS = "Users"
    CONTACTS = "Contacts"
    """Mail contacts of the organisation."""
    GROUPS = "Groups"
    """Groups that have an address."""


class MailboxTarget(msgspec.Struct, frozen=True, tag="mailbox", omit_defaults=True):
    """A contact folder of a mailbox. `folder` is a path of display names from the mailbox's
    default contact folder, separated by `/` (`Team/External`); blank is the default folder."""

    address: str
    folder: str = ""

    kind: ClassVar[ItemKind] = ItemKind.CONTACT
    """Of the items that it holds."""
    noun: ClassVar[str] = "folder of this mailbox"

    @property
    def identity(self) -> MailboxTarget:
        """What of it never changes."""
        return self


class CalendarTarget(msgspec.Struct, frozen=True, tag="calendar", omit_defaults=True):
    """A calendar of a mailbox, by its display name; blank is the default calendar."""

    address: str
    name: str = ""

    kind: ClassVar[ItemKind] = ItemKind.EVENT
    noun: ClassVar[str] = "calendar of this mailbox"

    @property
    def identity(self) -> CalendarTarget:
        return self


class MoreAddresses(StrEnum):
    """Addresses of somebody in the address list besides the primary one."""

    ALIASES = "Aliases"
    """Others that reach the same mailbox."""
    OTHER_MAILS = "OtherMails"
    """Those that the directory keeps for reaching the person elsewhere."""


class AddressListTarget(msgspec.Struct, frozen=True, tag="globalAddressList", omit_defaults=True):
    """The global address list of the connection's tenant: who of its directory has an address, and
    which of them. What is chosen may change without its being another list."""

    include: tuple[Listed, ...] = (Listed.USERS, Listed.CONTACTS)
    hidden: bool = False
    """Also who is marked as not to be shown."""
    guests: bool = False
    disabled: bool = False
    """Also accounts that can't sign in."""
    more_addresses: tuple[MoreAddresses, ...] = ()

    kind: ClassVar[ItemKind] = ItemKind.CONTACT
    noun: ClassVar[str] = "address list for this hub"

    @property
    def identity(self) -> AddressListTarget:
        return AddressListTarget()


class PublicFolderTarget(msgspec.Struct, frozen=True, tag="publicFolder", omit_defaults=True):
    """A public folder with contacts, by its path of display names below the root, separated by
    `/`."""

    path: str
    content_mailbox: str = ""
    """Address of the public folder mailbox that has its content; blank: the server finds it."""

    address: ClassVar[str] = ""
    kind: ClassVar[ItemKind] = ItemKind.CONTACT
    noun: ClassVar[str] = "public folder"

    @property
    def identity(self) -> PublicFolderTarget:
        return PublicFolderTarget(self.path)


class MailContactsTarget(msgspec.Struct, frozen=True, tag="mailContacts", omit_defaults=True):
    """The mail contacts that a hub makes in the global address list of the connection's tenant.
    Address lists don't show those that `hide` admits; None: that is administrators' affair."""

    hide: Filter | None = None
    kind: ClassVar[ItemKind] = ItemKind.CONTACT
    noun: ClassVar[str] = "address list for this hub"

    @property
    def identity(self) -> MailContactsTarget:
        return MailContactsTarget()


AnyTarget = (
    MailboxTarget | CalendarTarget | AddressListTarget | MailContactsTarget | PublicFolderTarget
)
"""What a spoke may be."""


class SpokeConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    uid: str
    name: str
    connection: ConnectionConfig
    target: AnyTarget
    direction: Direction = Direction.CONTRIBUTE
    contributes: Flow = Flow()
    receives: Flow = Flow()
    on_user_delete: OnUserDelete = OnUserDelete.REMEMBER
    verify_interval: float = 86_400.0
    """Seconds between looks at a Receive spoke for what its user did to the copies."""
    never_sync: tuple[str, ...] = ()
    """Fields, by their names in manifests, that pass in neither direction and are not kept."""
    adopt: Adopt = Adopt.MATCH
    default_region: str = ""
    """ISO 3166 region in which its phone numbers without a country code are read, for matching and
    by a mapping that formats them; blank: the hub's."""
    private_items: PrivateItems = PrivateItems.SKIP
    stages: tuple[int, ...] = ()
    """Of its first sync, ascending: how many items may have come before a person lets more in.
    After the last of them, all. None: nobody is asked."""
    photos: bool = True
    """Whether photos of contacts are read and written there, where the hub syncs any."""
    directories: tuple[ConnectionConfig, ...] = ()
    """Connections, other than its own, in whose directories its filters look for groups."""


class DeletedBy(StrEnum):
    """Whose deletion an item dies of."""

    ANY_CONTRIBUTOR = "AnyContributor"
    ALL_CONTRIBUTORS = "AllContributors"
    NEVER = "Never"


class DailyLimits(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of a receiver, in any 24 hours; None: twice what one pass may."""

    max_count: int | None = None
    max_percent: int | None = None


class DeletionLimits(msgspec.Struct, frozen=True, omit_defaults=True):
    grace_period: float = 86_400.0
    """Seconds between an item's last contribution going and its copies being deleted."""
    max_count: int = 50
    max_percent: int = 20
    """Of a receiver's copies, in one pass. Deletions above either limit wait for approval."""
    per_day: DailyLimits = DailyLimits()
    allowed_by: DeletedBy = DeletedBy.ALL_CONTRIBUTORS
    keep_for: float = 2_592_000.0
    """Seconds for which what a spoke's user deleted or changed can be brought back."""

    @property
    def kept(self) -> float:
        """For how long it is: never less than a deletion has its grace."""
        return max(self.keep_for, self.grace_period)


class FieldRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is different about one field; `field` as in Condition. None: as for the others."""

    field: str
    policy: ConflictPolicy | None = None
    lists: ListPolicy | None = None


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far back and ahead of now events are looked at, in seconds."""

    past: float = 30 * 86_400.0
    future: float = 365 * 86_400.0


class HubConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    uid: str
    name: str
    match_on: tuple[str, ...] = ("email",)
    """Keys in order: `email`, `phone`, `nameAndCompany`, `custom:NAME`."""
    conflict_policy: ConflictPolicy = ConflictPolicy.NEWEST
    field_rules: tuple[FieldRule, ...] = ()
    priority: tuple[str, ...] = ()
    """Names of spokes, `namespace/name`, that Priority prefers, the first one most."""
    deletion: DeletionLimits = DeletionLimits()
    approval: Approval = Approval.AUTOMATIC
    plan_expiry: float = 86_400.0
    """Seconds for which a plan can be approved, and its approval counts (Manual)."""
    default_region: str = "US"
    """ISO 3166 region of phone numbers without a country code, where a spoke has none itself."""
    item_kind: ItemKind = ItemKind.CONTACT
    window: Window = Window()
    """Of a hub of events."""
    group_interval: float = 900.0
    """Seconds between two readings of a group that a filter names."""
    photo_interval: float | None = None
    """Seconds between two looks at a photo that does not change. None: photos are not synced."""
