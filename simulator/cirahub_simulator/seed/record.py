"""The seed format: JSON Lines, each line one record, told apart by `kind`.

A record may refer to records of earlier lines: a user to its tenant, contacts and
events to their mailbox.
Field names are Graph's where Graph has the object.
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from cirahub_simulator.calendar.fields import ResponseType
from cirahub_simulator.clouds import CloudName
from cirahub_simulator.keyvault.vault import Permission


class _Record(
    msgspec.Struct,
    kw_only=True,
    rename="camel",
    tag_field="kind",
    tag=lambda name: name.removesuffix("Record").lower(),
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """What all records share: camelCase names, no unknown fields."""


class TenantRecord(_Record):
    """A Microsoft 365 tenant. `domain` stands for the id wherever a record takes a tenant."""

    id: str
    domain: str
    display_name: str
    cloud: CloudName = "Global"


class UserRecord(_Record):
    """A user and, unless `hasMailbox` is false, an empty mailbox."""

    id: str
    tenant: str
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
    business_phones: list[str] = []
    proxy_addresses: list[str] = []
    other_mails: list[str] = []
    preferred_language: str | None = None
    account_enabled: bool = True
    user_type: str = "Member"
    mail_nickname: str | None = None
    street_address: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    fax_number: str | None = None
    show_in_address_list: bool | None = None
    external_user_state: str | None = None
    has_mailbox: bool = True


class OrgContactRecord(_Record):
    """A mail contact of a tenant's address list."""

    id: str
    tenant: str
    display_name: str
    mail: str
    mail_nickname: str
    given_name: str | None = None
    surname: str | None = None
    job_title: str | None = None
    department: str | None = None
    company_name: str | None = None
    addresses: list[dict[str, str | None]] = []
    phones: list[dict[str, str]] = []
    proxy_addresses: list[str] = []


class GroupRecord(_Record):
    """A group. `members` are ids of users and groups of its tenant, which may come later."""

    id: str
    tenant: str
    display_name: str
    description: str | None = None
    mail: str | None = None
    mail_nickname: str = ""
    mail_enabled: bool = False
    security_enabled: bool = True
    group_types: list[str] = []
    visibility: str | None = None
    proxy_addresses: list[str] = []
    members: list[str] = []


class SecretOfApplication(
    msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A client secret; it expires in the far future unless it says otherwise."""

    value: str
    expires: datetime | None = None
    name: str = ""


class Federation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A federated credential. The issuer `cluster` is whatever `--cluster-issuer` says."""

    issuer: str
    subject: str
    audiences: tuple[str, ...] = ("api://AzureADTokenExchange",)


class ApplicationRecord(_Record):
    """An application. `granted` maps a tenant to Graph app roles; naming a tenant is consent.
    `requested` are the roles that its consent page asks for; `directory_roles` maps a tenant to
    roles of Entra ID that it is assigned there."""

    client_id: str
    display_name: str
    home_tenant: str
    secrets: list[SecretOfApplication] = []
    federated: list[Federation] = []
    certificates: list[str] = []
    """PEM."""
    requested: list[str] = []
    redirect_uris: list[str] = []
    granted: dict[str, list[str]] = {}
    directory_roles: dict[str, list[str]] = {}


class VaultRecord(_Record):
    """A key vault and what each client id may do with its secrets."""

    name: str
    tenant: str
    access: dict[str, list[Permission]] = {}


class SecretRecord(_Record):
    """A vault's secret. Two records of one name make two versions."""

    vault: str
    name: str
    value: str
    enabled: bool = True
    not_before: int | None = None
    """Seconds since the epoch."""
    expires: int | None = None
    content_type: str | None = None
    tags: dict[str, str] = {}


class ContactRecord(_Record):
    """A contact of a mailbox. `contact` is Graph's JSON, extended properties included."""

    mailbox: str
    """Id or userPrincipalName."""
    contact: dict[str, object]
    folder: list[str] = []
    """Display names below the default folder; missing ones are made."""


class ExchangeServerRecord(_Record):
    """An Exchange Server organisation. Its domain stands for the id, as a tenant's does."""

    id: str
    domain: str
    host: str
    netbios_domain: str
    display_name: str
    hybrid_tenant: str = ""
    """Id or domain of the tenant whose tokens it takes."""


class AccountRecord(_Record):
    """A mailbox on an Exchange Server, and the account that signs in to it."""

    server: str
    id: str
    user_principal_name: str
    """Its e-mail address as well."""
    display_name: str
    account: str
    """Its name within the NetBIOS domain."""
    password: str
    given_name: str | None = None
    surname: str | None = None
    job_title: str | None = None
    department: str | None = None
    company_name: str | None = None
    mobile_phone: str | None = None
    business_phones: list[str] = []
    impersonates: bool = False
    """Whether it holds the management role ApplicationImpersonation."""
    full_access: list[str] = []
    """Whose mailboxes it may open besides: userPrincipalNames of earlier lines."""


class PublicContactRecord(_Record):
    """A contact of a public folder. `contact` is Graph's JSON, as in a mailbox."""

    server: str
    folder: list[str]
    """Display names below the root of the public folders; missing ones are made."""
    contact: dict[str, object]


class Organizer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who called a meeting."""

    name: str
    address: str


class EventRecord(_Record):
    """An event of a mailbox. `event` is Graph's JSON, extended properties included."""

    mailbox: str
    """Id or userPrincipalName."""
    event: dict[str, object]
    calendar: str = ""
    """A calendar's name; one that is missing is made. Empty: the default one."""
    uid: str | None = None
    """What all copies of a meeting share."""
    organizer: Organizer | None = None
    """Of somebody else's meeting."""
    response: ResponseType | None = None
    cancelled: list[date] = []
    """Days on which a series has no instance."""
    exceptions: dict[date, dict[str, object]] = {}
    """What instances of a series have of their own, by day."""


Record = (
    TenantRecord
    | UserRecord
    | GroupRecord
    | OrgContactRecord
    | ApplicationRecord
    | VaultRecord
    | SecretRecord
    | ContactRecord
    | ExchangeServerRecord
    | AccountRecord
    | PublicContactRecord
    | EventRecord
)


def schema() -> bytes:
    """JSON Schema of a line."""
    body = msgspec.json.schema(Record, schema_hook=_anything)
    titled = {"title": "A line of a cirahub-simulator seed file", **body}
    return msgspec.json.format(msgspec.json.encode(titled), indent=2)


def _anything(kind: type) -> dict[str, object]:
    """Graph's own JSON is described by Graph."""
    if kind is object:
        return {"description": "Any value, as Graph takes it."}
    raise NotImplementedError(kind)
