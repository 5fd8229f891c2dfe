"""Puts records into a world."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cirahub_simulator.calendar.errors import CalendarError
from cirahub_simulator.calendar.fields import Address
from cirahub_simulator.directory import (
    Account,
    Application,
    ClientSecret,
    ExchangeServer,
    FederatedCredential,
    Group,
    OrgContact,
    Tenant,
    User,
)
from cirahub_simulator.entra.token import ROLE_TEMPLATES
from cirahub_simulator.graph.errors import GraphError
from cirahub_simulator.graph.event_seed import add_event
from cirahub_simulator.graph.seed import add_contacts, add_public_contacts, mailbox_of
from cirahub_simulator.keyvault.vault import Vault
from cirahub_simulator.seed import record
from cirahub_simulator.world import World

ORGANISATION = Path(__file__).with_name("organisation.jsonl")
"""The organisation that the simulator ships."""
FAR_FUTURE = datetime(2299, 12, 31, tzinfo=UTC)
"""When a secret expires that says nothing of it; the portal's own "never"."""


class SeedError(Exception):
    """A line that can't be loaded; the message names the file, the line and the field."""


def secrets() -> Iterator[str]:
    """Client secrets and passwords of the shipped organisation, for who looks that nobody says
    them."""
    decoder = msgspec.json.Decoder(record.Record)
    for line in ORGANISATION.read_bytes().splitlines():
        match decoder.decode(line):
            case record.SecretRecord(value=value):
                yield value
            case record.AccountRecord(password=password):
                yield password


def load_file(world: World, path: Path) -> None:
    """Load a seed file. Raises SeedError, and OSError when it can't be read."""
    load(world, path.read_bytes().splitlines(), str(path))


def load(world: World, lines: Iterable[bytes], source: str) -> None:
    """Load lines; `source` names them in errors. Raises SeedError."""
    decoder = msgspec.json.Decoder(record.Record)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            _apply(world, decoder.decode(line))
        except (msgspec.MsgspecError, GraphError, CalendarError, ValueError) as error:
            raise SeedError(f"{source}, line {number}: {error}") from error


def _apply(world: World, entry: record.Record) -> None:
    match entry:
        case record.TenantRecord():
            world.directory.add_tenant(
                Tenant(entry.id, entry.domain, entry.display_name, cloud=entry.cloud)
            )
        case record.UserRecord():
            fields = msgspec.structs.asdict(entry)
            tenant = _tenant(world, fields.pop("tenant"))
            world.directory.add_user(User(tenant_id=tenant.id, **fields))
        case record.GroupRecord():
            fields = msgspec.structs.asdict(entry)
            tenant = _tenant(world, fields.pop("tenant"))
            world.directory.add_group(Group(tenant_id=tenant.id, **fields))
        case record.OrgContactRecord():
            fields = msgspec.structs.asdict(entry)
            tenant = _tenant(world, fields.pop("tenant"))
            world.directory.add_org_contact(OrgContact(tenant_id=tenant.id, **fields))
        case record.ApplicationRecord():
            _apply_application(world, entry)
        case record.VaultRecord():
            tenant = _tenant(world, entry.tenant)
            vault = world.vaults.setdefault(
                entry.name, Vault(entry.name, tenant.id, cloud=tenant.cloud)
            )
            if entry.name not in tenant.vaults:
                tenant.vaults.append(entry.name)
            for client_id, permissions in entry.access.items():
                vault.allow(client_id, set(permissions))
        case record.SecretRecord():
            if entry.vault not in world.vaults:
                raise ValueError(f"vault {entry.vault!r} is not in an earlier line")
            world.vaults[entry.vault].put(
                entry.name,
                entry.value,
                int(world.clock.time()),
                enabled=entry.enabled,
                not_before=entry.not_before,
                expires=entry.expires,
                content_type=entry.content_type,
                tags=entry.tags,
            )
        case record.ContactRecord():
            user = world.directory.find_user(entry.mailbox)
            if user is None or not user.has_mailbox:
                raise ValueError(f"mailbox {entry.mailbox!r} is not in an earlier line")
            add_contacts(world, user.id, entry.folder, [entry.contact])
        case record.ExchangeServerRecord():
            given = msgspec.structs.asdict(entry)
            if entry.hybrid_tenant:
                given["hybrid_tenant"] = _tenant(world, entry.hybrid_tenant).id
            world.directory.add_exchange_server(ExchangeServer(**given))
        case record.AccountRecord():
            _apply_account(world, entry)
        case record.PublicContactRecord():
            add_public_contacts(
                world, _server(world, entry.server).id, entry.folder, [entry.contact]
            )
        case record.EventRecord():
            _apply_event(world, entry)


def _apply_event(world: World, entry: record.EventRecord) -> None:
    user = world.directory.find_user(entry.mailbox)
    if user is None or not user.has_mailbox:
        raise ValueError(f"mailbox {entry.mailbox!r} is not in an earlier line")
    organizer = entry.organizer
    add_event(
        world,
        mailbox_of(world, user.id),
        entry.event,
        calendar=entry.calendar,
        uid=entry.uid,
        organizer=Address(name=organizer.name, address=organizer.address) if organizer else None,
        response=entry.response,
        cancelled=entry.cancelled,
        exceptions=entry.exceptions,
    )


def _apply_application(world: World, entry: record.ApplicationRecord) -> None:
    unknown = set().union(*entry.directory_roles.values()) - ROLE_TEMPLATES.keys()
    if unknown:
        raise ValueError(f"there is no role of Entra ID {min(unknown)!r} here")
    world.directory.add_application(
        Application(
            client_id=entry.client_id,
            display_name=entry.display_name,
            home_tenant_id=_tenant(world, entry.home_tenant).id,
            secrets=[
                ClientSecret(secret.value, secret.expires or FAR_FUTURE, secret.name)
                for secret in entry.secrets
            ],
            federated=[
                FederatedCredential(f.issuer, f.subject, f.audiences) for f in entry.federated
            ],
            certificates=[
                x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
                for pem in entry.certificates
            ],
            requested=set(entry.requested),
            redirect_uris=list(entry.redirect_uris),
            granted={
                _tenant(world, tenant).id: set(roles) for tenant, roles in entry.granted.items()
            },
            directory_roles={
                _tenant(world, tenant).id: set(roles)
                for tenant, roles in entry.directory_roles.items()
            },
        )
    )


def _apply_account(world: World, entry: record.AccountRecord) -> None:
    if ":" in entry.password or "\n" in entry.password:
        raise ValueError("a password must not have a colon or a line break in it")
    fields = msgspec.structs.asdict(entry)
    for name in ("server", "account", "password", "impersonates", "full_access"):
        del fields[name]
    server = _server(world, entry.server)
    user = User(tenant_id=server.id, mail=entry.user_principal_name, **fields)
    world.directory.add_user(user)
    server.accounts[user.id] = Account(entry.account, entry.password)
    if entry.impersonates:
        server.impersonators.add(user.id)
    for address in entry.full_access:
        other = world.directory.addressee(server.id, address)
        if other is None:
            raise ValueError(f"mailbox {address!r} is not in an earlier line")
        server.full_access.setdefault(other.id, set()).add(user.id)


def _server(world: World, name: str) -> ExchangeServer:
    server = world.directory.exchange_server(name)
    if server is None:
        raise ValueError(f"Exchange Server {name!r} is not in an earlier line")
    return server


def _tenant(world: World, name: str) -> Tenant:
    tenant = world.directory.tenant(name)
    if tenant is None:
        raise ValueError(f"tenant {name!r} is not in an earlier line")
    return tenant
