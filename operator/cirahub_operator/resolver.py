"""From resources to what a pass needs. Pure: shared by the operator and by `cirahub pass`.

Connections stay within their namespace, and a Hub has Spokes of other ones only if it admits them.
What can't be resolved becomes a problem of the object that names it, and stops nothing else.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import msgspec

from cirahub_operator.api import Connection, DeletionPolicy, Hub, Metadata, Spoke, SpokeSet
from cirahub_operator.api.auth import (
    BasicAuth,
    ClientCertificate,
    ClientSecret,
    VaultReader,
    WorkloadIdentity,
)
from cirahub_operator.api.behaviour import Behaviour
from cirahub_operator.api.duration import seconds
from cirahub_operator.api.spoke import SpokeSpec
from cirahub_operator.api.spoke_set import SpokeTemplate
from cirahub_operator.flows import filter_config, flow_config
from cirahub_operator.origin import SecretOrigin
from cirahub_operator.places import UnresolvedError, check_directory, check_place
from cirahub_sync.configuration import (
    AddressBookTarget,
    AddressListTarget,
    AnyTarget,
    Auth,
    CalendarTarget,
    CardDavServer,
    ClientCertificateAuth,
    ClientSecretAuth,
    ConnectionConfig,
    DailyLimits,
    DeletionLimits,
    ExchangeServer,
    FieldRule,
    HubConfig,
    ItemKind,
    KeyVaultReference,
    MailboxAccess,
    MailboxTarget,
    MailContactsTarget,
    PasswordAuth,
    PrivateItems,
    PublicFolderTarget,
    SecretFile,
    SpokeConfig,
    Window,
    WorkloadIdentityAuth,
)
from cirahub_sync.engine.report import Problem
from cirahub_sync.spoke_set import LeaverLimits, MemberSource, SpokeSetConfig

if TYPE_CHECKING:
    from cirahub_operator.settings import OwnIdentity

_NAMES = uuid.UUID("5b1f9a3e-6d2c-4c55-9d0b-3f0a1f3f7c11")


class Trust(Protocol):
    """Who may sign in as the operator itself."""

    def allows(self, namespace: str, tenant: str, vault: str | None) -> bool: ...


@dataclass(frozen=True)
class GrantedTrust:
    """The operator's: only what its administrator has granted."""

    grants: Sequence[OwnIdentity] = ()

    def allows(self, namespace: str, tenant: str, vault: str | None) -> bool:
        return any(
            grant.namespace == namespace
            and grant.tenant.lower() == tenant.lower()
            and (vault is None or vault in grant.vaults)
            for grant in self.grants
        )


class FullTrust:
    """The command line's: whoever runs it wrote the manifests and owns the identity."""

    def allows(self, namespace: str, tenant: str, vault: str | None) -> bool:
        return True


@dataclass(frozen=True)
class Resolution:
    """A hub with everything that hangs on it."""

    hub: HubConfig
    spokes: Mapping[str, SpokeConfig]
    """Those that can take part, by their labels."""
    sets: Mapping[str, SpokeSetConfig] = field(default_factory=dict)
    """The same of SpokeSets."""
    problems: Mapping[str, Problem] = field(default_factory=dict)
    """The others, by their labels, and why they can't."""


def resolve(
    hub: Hub,
    spokes: Sequence[Spoke],
    connections: Mapping[str, Connection],
    *,
    trust: Trust,
    invalid: Mapping[str, str] | None = None,
    sets: Sequence[SpokeSet] = (),
) -> Resolution:
    """`spokes` and `sets` are those that name the hub; `connections` all that they name, by
    `namespace/name`; `invalid`, connections that exist and don't parse, by the same, with the
    reason.

    A Spoke that is being deleted needs nobody's admission: what it left behind is to be erased
    with the means that it came with."""
    resolved: dict[str, SpokeConfig] = {}
    resolved_sets: dict[str, SpokeSetConfig] = {}
    problems: dict[str, Problem] = {}
    used: dict[str, ConnectionConfig] = {}

    def used_by(one: Spoke | SpokeSet, name: str = "") -> ConnectionConfig:
        found = _connection_of(one, connections, invalid or {}, name=name)
        key = found.metadata.key
        if key not in used:
            used[key] = connection_config(found, trust=trust)
        return used[key]

    declared: list[Spoke | SpokeSet] = [*sorted(spokes, key=lambda one: one.label), *sets]
    for one in declared:
        name = one.label
        if not hub.admits(one.metadata.namespace) and not one.metadata.deleting:
            problems[name] = not_admitted(one)
            continue
        try:
            connection = used_by(one)
            _check_kind(one, hub)
            check_place(one, connection)
            others = one.spec.directories - {one.spec.connection_ref.name}
            directories = [used_by(one, other) for other in sorted(others)]
            if len(others) < len(one.spec.directories):
                check_directory(connection)
            for directory in directories:
                check_directory(directory)
            if isinstance(one, SpokeSet):
                resolved_sets[name] = set_config(one, connection, directories)
            else:
                resolved[name] = spoke_config(one, connection, directories)
        except UnresolvedError as error:
            problems[name] = error.problem
    return Resolution(hub_config(hub), resolved, resolved_sets, problems)


def hub_not_found(spoke_namespace: str, hub: str, leaving: str = "") -> Problem:
    """`leaving`: what to say of one that was deleted and is not erased yet."""
    advice = leaving or "create it, or delete this Spoke and create one that names another"
    return Problem(
        "HubNotFound", f"there is no Hub {hub!r} in namespace {spoke_namespace}; {advice}"
    )


def not_admitted(spoke: Spoke | SpokeSet) -> Problem:
    """The same whether there is such a Hub or not: who names it has no business to know."""
    namespace, name = spoke.hub_namespace, spoke.spec.hub_ref.name
    return Problem(
        "NotAdmitted",
        f"namespace {namespace} has no Hub {name!r} that admits Spokes of namespace "
        f"{spoke.metadata.namespace}: have that namespace listed in spec.allowedNamespaces of the "
        f"Hub, or delete this {spoke.kind} and create one that names a Hub of its own namespace",
        stalled=True,
    )


def _check_kind(spoke: Spoke | SpokeSet, hub: Hub) -> None:
    """Raises UnresolvedError for a mailbox in a hub of events, and the other way around."""
    if spoke.spec.item_kind is hub.spec.item_kind:
        return
    held, wanted = _PLACES[spoke.spec.item_kind], _PLACES[hub.spec.item_kind]
    kind, field, what = spoke.kind, "spec.template", held[0]
    if isinstance(spoke, Spoke):
        field = "spec"
        what = "global address list" if spoke.spec.global_address_list else held[0]
        what = "public folder" if spoke.spec.public_folder else what
        what = "address book" if spoke.spec.address_book else what
    raise UnresolvedError(
        Problem(
            "ItemKindMismatch",
            f"Hub {spoke.spec.hub_ref.name!r} holds {wanted[1]}, and this {kind} is a {what}: "
            f"delete it, and create one with {field}.{wanted[0]}, or one that names a Hub of "
            f"{held[1]}",
            stalled=True,
        )
    )


_PLACES = {ItemKind.CONTACT: ("mailbox", "contacts"), ItemKind.EVENT: ("calendar", "events")}
"""The field of a Spoke, and what is in such a place."""


def lasting_uid(kind: str, key: str) -> str:
    """An identity that comes from an object's name (`namespace/name`), so that it stays when the
    object is made again: from the same Git in another cluster, or out of a file."""
    return str(uuid.uuid5(_NAMES, f"{kind} {key}"))


def hub_config(hub: Hub) -> HubConfig:
    """The hub's uid goes into the marks on its copies. It is not the resource's: that changes when
    a cluster is built anew, and the copies would be nobody's then, and made a second time."""
    spec = hub.spec
    return HubConfig(
        uid=lasting_uid("Hub", hub.metadata.key),
        name=hub.metadata.key,
        match_on=spec.match_on,
        conflict_policy=spec.conflict_policy,
        field_rules=tuple(
            FieldRule(field=one.field, policy=one.policy, lists=one.lists)
            for one in spec.conflicts.fields
        ),
        priority=tuple(
            name if "/" in name else f"{hub.metadata.namespace}/{name}"
            for name in spec.conflicts.priority
        ),
        deletion=DeletionLimits(
            grace_period=seconds(spec.deletion.grace_period),
            max_count=spec.deletion.max_count,
            max_percent=spec.deletion.max_percent,
            allowed_by=spec.deletion.allowed_by,
            keep_for=seconds(spec.deletion.keep_for),
            per_day=DailyLimits(
                max_count=spec.deletion.per_day.max_count,
                max_percent=spec.deletion.per_day.max_percent,
            ),
        ),
        approval=spec.approval,
        plan_expiry=seconds(spec.plan_expiry),
        default_region=spec.default_region,
        group_interval=seconds(spec.group_interval),
        photo_interval=None if spec.photos is None else seconds(spec.photos.interval),
        item_kind=spec.item_kind,
        window=Window()
        if spec.window is None
        else Window(past=seconds(spec.window.past), future=seconds(spec.window.future)),
    )


def spoke_config(
    spoke: Spoke, connection: ConnectionConfig, directories: Sequence[ConnectionConfig] = ()
) -> SpokeConfig:
    """`directories` are those besides the connection's own in which its filters look for groups."""
    spec = spoke.spec
    place = spec.mailbox or spec.calendar
    address = "" if place is None else place.address
    target = _target(spec, address, spoke.metadata.namespace)
    made = _behaving(spec, target, connection, directories, spoke.metadata)
    if spec.first_sync is None:
        return made
    return msgspec.structs.replace(made, stages=spec.first_sync.stages)


def set_config(
    one: SpokeSet, connection: ConnectionConfig, directories: Sequence[ConnectionConfig] = ()
) -> SpokeSetConfig:
    """Its uid comes from its name: members are the same ones when it is declared anew."""
    spec, metadata = one.spec, one.metadata
    uid = lasting_uid("SpokeSet", metadata.key)
    target = _target(spec.template, "", metadata.namespace)
    template = _behaving(spec.template, target, connection, directories, metadata)
    return SpokeSetConfig(
        uid=uid,
        name=metadata.key,
        source=MemberSource(
            mailboxes=spec.members.mailboxes,
            groups=spec.members.groups,
            filter=spec.members.filter or "",
            excluding=spec.members.excluding,
            opt_in=spec.members.opt_in or "",
            opt_out=spec.members.opt_out or "",
        ),
        template=msgspec.structs.replace(template, uid=uid),
        interval=seconds(spec.interval),
        suspend=spec.suspend,
        retain=spec.deletion_policy is DeletionPolicy.RETAIN,
        leavers=LeaverLimits(
            grace_period=seconds(spec.leaving.grace_period),
            max_count=spec.leaving.max_count,
            max_percent=spec.leaving.max_percent,
        ),
        asked=metadata.requested_at or "",
    )


def _behaving(
    spec: Behaviour,
    target: AnyTarget,
    connection: ConnectionConfig,
    directories: Sequence[ConnectionConfig],
    metadata: Metadata,
) -> SpokeConfig:
    return SpokeConfig(
        uid=metadata.uid,
        name=metadata.key,
        connection=connection,
        target=target,
        direction=spec.direction,
        contributes=flow_config(spec.contributes, metadata.namespace),
        receives=flow_config(spec.receives, metadata.namespace),
        on_user_delete=spec.on_user_delete,
        verify_interval=seconds(spec.verify_interval),
        never_sync=spec.never_sync,
        adopt=spec.adopt,
        default_region=spec.default_region or connection.default_region,
        directories=tuple(directories),
        private_items=spec.private_items or PrivateItems.SKIP,
        photos=spec.photos,
    )


def _target(spec: SpokeSpec | SpokeTemplate, address: str, namespace: str) -> AnyTarget:
    if spec.calendar is not None:
        return CalendarTarget(address=address, name=spec.calendar.name)
    if spec.mailbox is not None:
        return MailboxTarget(address=address, folder=spec.mailbox.folder)
    if isinstance(spec, SpokeSpec) and spec.public_folder is not None:
        return PublicFolderTarget(
            path=spec.public_folder.path, content_mailbox=spec.public_folder.content_mailbox or ""
        )
    if isinstance(spec, SpokeSpec) and spec.address_book is not None:
        book = spec.address_book
        return AddressBookTarget(name=book.name or "", path=book.path or "")
    if isinstance(spec, SpokeSpec) and spec.global_address_list is not None:
        chosen = spec.global_address_list
        if spec.makes_mail_contacts:
            hide = None if chosen.hide is None else filter_config(chosen.hide, namespace)
            return MailContactsTarget(hide)
        return AddressListTarget(
            include=chosen.include,
            hidden=chosen.hidden,
            guests=chosen.guests,
            disabled=chosen.disabled,
            more_addresses=chosen.more_addresses,
        )
    raise UnresolvedError(
        Problem(
            "InvalidSpec",
            "set mailbox, publicFolder, addressBook, calendar or globalAddressList",
            stalled=True,
        )
    )


def connection_config(connection: Connection, *, trust: Trust) -> ConnectionConfig:
    """Raises UnresolvedError when it asks for an identity that it may not use."""
    spec = connection.spec
    tenant, server, books = spec.microsoft365, spec.exchange_server, spec.card_dav
    return ConnectionConfig(
        uid=connection.metadata.uid,
        name=connection.metadata.key,
        auth=_auth(connection, trust),
        cloud=spec.cloud,
        mailbox_access=MailboxAccess.CONSENT if tenant is None else tenant.mailbox_access,
        default_region=spec.default_region or "",
        exchange_server=None
        if server is None
        else ExchangeServer(
            host=server.host.removesuffix(":443"),
            rights=server.mailbox_access,
            trusted=server.trusted_certificates or "",
        ),
        card_dav=None
        if books is None
        else CardDavServer(
            host=books.host, path=books.path, trusted=books.trusted_certificates or ""
        ),
    )


def _connection_of(
    spoke: Spoke | SpokeSet,
    connections: Mapping[str, Connection],
    invalid: Mapping[str, str],
    *,
    name: str = "",
) -> Connection:
    """The one of that name, or its own."""
    name = name or spoke.spec.connection_ref.name
    namespace = spoke.metadata.namespace
    key = f"{namespace}/{name}"
    if key in connections:
        return connections[key]
    if key in invalid:
        message = f"Connection {name!r} in namespace {namespace} is not valid: {invalid[key]}"
        raise UnresolvedError(Problem("ConnectionInvalid", message, stalled=True))
    raise UnresolvedError(
        Problem(
            "ConnectionNotFound",
            f"there is no Connection {name!r} in namespace {namespace}; create it, or delete this "
            f"{spoke.kind} and create one that names another",
        )
    )


def _auth(connection: Connection, trust: Trust) -> Auth:
    auth = connection.spec.auth
    if auth.basic is not None:
        return PasswordAuth(
            auth.basic.username, auth.basic.scheme, *_place(connection, auth.basic, trust)
        )
    tenant = _tenant(connection)
    if auth.workload_identity is not None:
        return _workload_identity(connection, auth.workload_identity, trust, vault=None)
    if auth.client_certificate is not None:
        place = _place(connection, auth.client_certificate, trust)
        return ClientCertificateAuth(tenant, auth.client_certificate.client_id, *place)
    if auth.client_secret is not None:
        place = _place(connection, auth.client_secret, trust)
        return ClientSecretAuth(tenant, auth.client_secret.client_id, *place)
    raise UnresolvedError(
        Problem(
            "InvalidSpec",
            "spec.auth: set workloadIdentity, clientCertificate, clientSecret or basic",
            stalled=True,
        )
    )


def _tenant(connection: Connection) -> str:
    if not connection.tenant_id:
        raise UnresolvedError(
            Problem(
                "InvalidSpec",
                "spec: set microsoft365, exchangeServer with its tenantID, or auth.basic",
                stalled=True,
            )
        )
    return connection.tenant_id


_TLS_KEYS = "tls.crt,tls.key"
"""Of a Secret of the type kubernetes.io/tls. Source: Kubernetes' documentation, "TLS Secrets"."""


def _place(
    connection: Connection, kept: ClientSecret | ClientCertificate | BasicAuth, trust: Trust
) -> tuple[KeyVaultReference | None, WorkloadIdentityAuth | None, SecretFile | None]:
    """Where a secret or a certificate is kept: the vault and who opens it, or a Secret."""
    if kept.key_vault is not None and kept.workload_identity is not None:
        vault = kept.key_vault.vault_url.rstrip("/").lower()
        reference = KeyVaultReference(
            vault_url=vault, name=kept.key_vault.name, version=kept.key_vault.version or ""
        )
        identity = _workload_identity(
            connection, kept.workload_identity, trust, vault=urlsplit(vault).netloc
        )
        return reference, identity, None
    if kept.secret_ref is not None:
        origin = SecretOrigin(
            connection.metadata.namespace, kept.secret_ref.name, kept.secret_ref.key or _TLS_KEYS
        )
        return None, None, SecretFile(origin=str(origin))
    raise UnresolvedError(
        Problem(
            "InvalidSpec",
            "spec.auth: set keyVault with workloadIdentity, or secretRef",
            stalled=True,
        )
    )


def _workload_identity(
    connection: Connection, identity: WorkloadIdentity, trust: Trust, *, vault: str | None
) -> WorkloadIdentityAuth:
    namespace = connection.metadata.namespace
    tenant = identity.tenant_id if isinstance(identity, VaultReader) else _tenant(connection)
    account = identity.service_account_name
    if account is None and not trust.allows(namespace, tenant, vault):
        grant = f"namespace={namespace},tenant={tenant}" + (f",vault={vault}" if vault else "")
        raise UnresolvedError(
            Problem(
                "OwnIdentityNotAllowed",
                f"namespace {namespace} may not use the operator's own identity for this: set "
                "serviceAccountName, or have the operator started with "
                f"--own-identity {grant}",
                stalled=True,
            )
        )
    return WorkloadIdentityAuth(
        tenant_id=tenant,
        client_id=identity.client_id,
        service_account="" if account is None else f"{namespace}/{account}",
    )
