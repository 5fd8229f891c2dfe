"""The cmdlets: mail contacts made, changed and removed; recipients and public folders listed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias, TypeVar

from cirahub_simulator.exchange_admin import errors, properties
from cirahub_simulator.exchange_admin.opath import compile_filter
from cirahub_simulator.exchange_admin.parameters import Parameters
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.mail_contacts import MailContact
from cirahub_simulator.world import World

Record: TypeAlias = dict[str, object]
Cmdlet: TypeAlias = Callable[[World, str, Mapping[str, object]], list[Record]]
"""Of a world, in a tenant, with parameters. Raises CmdletError."""

Found = TypeVar("Found")

_ASKED = ("Identity", "Filter", "ResultSize", "RecipientTypeDetails")
_SETTLING = 10.0


def new_mail_contact(world: World, tenant: str, given: Mapping[str, object]) -> list[Record]:
    """https://learn.microsoft.com/powershell/module/exchangepowershell/new-mailcontact"""
    allowed = (
        "Name",
        "ExternalEmailAddress",
        "Alias",
        "DisplayName",
        "FirstName",
        "LastName",
        "Initials",
    )
    asked = Parameters(given, allowed)
    name = asked.required("Name", 64)
    address = asked.address("ExternalEmailAddress")
    alias = asked.alias("Alias") or "".join(one for one in name if one.isalnum())[:64]
    now = world.clock.time()
    made = MailContact(
        id=str(uuid.uuid4()),
        tenant_id=tenant,
        guid=str(uuid.uuid4()),
        name=name,
        alias=alias,
        display_name=asked.text("DisplayName", 256) or name,
        external_email_address=address,
        changed=now,
        created=now,
        first_name=asked.text("FirstName", 64),
        last_name=asked.text("LastName", 64),
        initials=asked.text("Initials", 6),
        proxies=[f"SMTP:{address}"],
    )
    _check_unique(world, made)
    world.mail_contacts.put(made)
    return [properties.of_mail_contact(made)]


def set_mail_contact(world: World, tenant: str, given: Mapping[str, object]) -> list[Record]:
    """https://learn.microsoft.com/powershell/module/exchangepowershell/set-mailcontact"""
    allowed = (
        "Identity",
        "Alias",
        "Name",
        "DisplayName",
        "ExternalEmailAddress",
        "HiddenFromAddressListsEnabled",
    )
    asked = Parameters(given, allowed)
    contact = _named(world, tenant, asked.required("Identity"))
    changed = _copy(contact)
    if "Alias" in asked:
        changed.alias = asked.alias("Alias")
    if "Name" in asked:
        changed.name = asked.required("Name", 64)
    if "DisplayName" in asked:
        changed.display_name = asked.required("DisplayName", 256)
    if "ExternalEmailAddress" in asked:
        changed.external_email_address = asked.address("ExternalEmailAddress")
        changed.proxies = [f"SMTP:{changed.external_email_address}"]
    if "HiddenFromAddressListsEnabled" in asked:
        changed.hidden = asked.flag("HiddenFromAddressListsEnabled")
    _check_unique(world, changed)
    world.mail_contacts.put(changed)
    return []


def set_contact(world: World, tenant: str, given: Mapping[str, object]) -> list[Record]:
    """https://learn.microsoft.com/powershell/module/exchangepowershell/set-contact"""
    asked = Parameters(given, ("Identity", "CountryOrRegion", *properties.CONTACT))
    contact = _named(world, tenant, asked.required("Identity"), as_contact=True)
    changed = _copy(contact)
    for name, (attribute, most) in properties.CONTACT.items():
        if name in asked:
            setattr(changed, attribute, asked.text(name, most))
    if "CountryOrRegion" in asked:
        text = asked.text("CountryOrRegion")
        known = properties.country(text) if text else ""
        if known is None:
            if world.switches.contact_countries == "known":
                raise errors.invalid(
                    "CountryOrRegion", text, "Microsoft.Exchange.Data.Directory.CountryInfo"
                )
            known = text
        changed.country_or_region = known
    world.mail_contacts.put(changed)
    return []


def remove_mail_contact(world: World, tenant: str, given: Mapping[str, object]) -> list[Record]:
    """https://learn.microsoft.com/powershell/module/exchangepowershell/remove-mailcontact"""
    asked = Parameters(given, ("Identity",))
    world.mail_contacts.remove(_named(world, tenant, asked.required("Identity")))
    return []


def get_mail_contact(world: World, tenant: str, given: Mapping[str, object]) -> list[Record]:
    """https://learn.microsoft.com/powershell/module/exchangepowershell/get-mailcontact"""
    asked = Parameters(given, _ASKED)
    if "Identity" in asked:
        return [properties.of_mail_contact(_named(world, tenant, asked.required("Identity")))]
    return _matching(asked, map(properties.of_mail_contact, world.mail_contacts.of(tenant)))


def get_contact(world: World, tenant: str, given: Mapping[str, object]) -> list[Record]:
    """https://learn.microsoft.com/powershell/module/exchangepowershell/get-contact"""
    asked = Parameters(given, _ASKED)
    if "Identity" in asked:
        found = _named(world, tenant, asked.required("Identity"), as_contact=True)
        return [properties.of_contact(found)]
    return _matching(asked, map(properties.of_contact, world.mail_contacts.of(tenant)))


def get_recipient(world: World, tenant: str, given: Mapping[str, object]) -> list[Record]:
    """https://learn.microsoft.com/powershell/module/exchangepowershell/get-recipient"""
    asked = Parameters(given, _ASKED)
    everybody = _recipients(world, tenant)
    if "Identity" not in asked:
        return _matching(asked, everybody)
    identity = asked.required("Identity").lower()
    found = [
        one
        for one in everybody
        if identity in {str(one[name]).lower() for name in ("Alias", "Name")} | _addresses(one)
    ]
    if not found:
        raise errors.not_found(asked.required("Identity"))
    return found


def get_public_folder(world: World, tenant: str, given: Mapping[str, object]) -> list[Record]:
    """https://learn.microsoft.com/powershell/module/exchangepowershell/get-publicfolder"""
    asked = Parameters(given, ("Identity", "Recurse", "GetChildren", "ResultSize"))
    identity = asked.text("Identity") or "\\"
    every = [one for one, _ in _counted(world, tenant)]
    here = [one for one in every if str(one["Identity"]).lower() == identity.lower()]
    if not here:
        raise errors.not_found(identity)
    below = identity.rstrip("\\").lower() + "\\"
    inside = [
        one
        for one in every
        if one is not here[0] and str(one["Identity"]).lower().startswith(below)
    ]
    if asked.flag("Recurse"):
        return here + inside
    if asked.flag("GetChildren"):
        return [one for one in inside if "\\" not in str(one["Identity"])[len(below) :]]
    return here


def get_public_folder_statistics(
    world: World, tenant: str, given: Mapping[str, object]
) -> list[Record]:
    """https://learn.microsoft.com/powershell/module/exchangepowershell/get-publicfolderstatistics"""
    Parameters(given, ("ResultSize",))
    return [
        {"EntryId": one["EntryId"], "ItemCount": count, "Name": one["Name"]}
        for one, count in _counted(world, tenant)
    ]


def get_mail_public_folder(world: World, tenant: str, given: Mapping[str, object]) -> list[Record]:
    """https://learn.microsoft.com/powershell/module/exchangepowershell/get-mailpublicfolder

    No public folder here has an address.
    """
    Parameters(given, _ASKED)
    return []


CMDLETS: dict[str, Cmdlet] = {
    "Get-Contact": get_contact,
    "Get-MailContact": get_mail_contact,
    "Get-MailPublicFolder": get_mail_public_folder,
    "Get-PublicFolder": get_public_folder,
    "Get-PublicFolderStatistics": get_public_folder_statistics,
    "Get-Recipient": get_recipient,
    "New-MailContact": new_mail_contact,
    "Remove-MailContact": remove_mail_contact,
    "Set-Contact": set_contact,
    "Set-MailContact": set_mail_contact,
}


def _copy(contact: MailContact) -> MailContact:
    """So that a refusal changes nothing."""
    values = {name: getattr(contact, name) for name in MailContact.__slots__}
    return MailContact(**values | {"proxies": list(contact.proxies)})


def _named(world: World, tenant: str, identity: str, *, as_contact: bool = False) -> MailContact:
    """By anything that identifies it. Raises CmdletError.

    https://learn.microsoft.com/powershell/module/exchangepowershell/set-mailcontact: name, alias,
    address and GUID among others; of set-contact: the same without alias and address.
    """
    wanted = identity.lower()
    documented = as_contact and world.switches.contact_identity == "documented"
    for found in world.mail_contacts.of(tenant):
        names = {found.name.lower(), found.guid.lower()}
        if not documented:
            names |= {found.alias.lower(), found.external_email_address.lower()}
        if wanted in names:
            fresh = world.clock.time() - found.created < _SETTLING
            if as_contact and fresh and world.switches.contact_settles == "ten-seconds":
                break
            return found
    raise errors.not_found(identity)


def _matching(asked: Parameters, found: Iterable[Record]) -> list[Record]:
    text = asked.text("Filter")
    matches = compile_filter(text) if text else None
    details = asked.text("RecipientTypeDetails").lower()
    return [
        one
        for one in found
        if (matches is None or matches(one))
        and (not details or str(one["RecipientTypeDetails"]).lower() == details)
    ]


def _recipients(world: World, tenant: str) -> Iterator[Record]:
    yield from map(properties.of_mail_contact, world.mail_contacts.of(tenant))
    yield from _others(world, tenant)


def _others(world: World, tenant: str) -> Iterator[Record]:
    yield from (properties.of_user(u) for u in world.directory.users(tenant) if u.has_mailbox)
    yield from (properties.of_group(g) for g in world.directory.groups(tenant) if g.mail)


def _addresses(recipient: Record) -> set[str]:
    listed = recipient["EmailAddresses"]
    assert isinstance(listed, list)
    return {str(one).partition(":")[2].lower() for one in listed}


def _check_unique(world: World, contact: MailContact) -> None:
    """Name, alias and address are nobody else's in the organisation. Raises CmdletError."""
    name, alias = contact.name.lower(), contact.alias.lower()
    address = contact.external_email_address.lower()
    for other in world.mail_contacts.of(contact.tenant_id):
        if other.id == contact.id:
            continue
        if other.name.lower() == name:
            raise errors.name_taken(contact.name)
        if other.alias.lower() == alias:
            raise errors.alias_taken(contact.alias, other.name)
        if other.external_email_address.lower() == address:
            raise errors.address_taken(contact.external_email_address, other.name)
    for recipient in _others(world, contact.tenant_id):
        if str(recipient["Alias"]).lower() == alias:
            raise errors.alias_taken(contact.alias, str(recipient["Name"]))
        if address in _addresses(recipient):
            raise errors.address_taken(contact.external_email_address, str(recipient["Name"]))


def _counted(world: World, tenant: str) -> list[tuple[Record, int]]:
    """Every public folder, with the number of its items."""
    public = world.public_folders.get(tenant)
    listed = [(_public_folder("IPM_SUBTREE", "\\", "", "root"), 0)]
    if public is None:
        return listed
    paths: dict[str, str] = {}

    def path(folder: Folder) -> str:
        if folder.distinguished or folder.parent is None:
            return ""
        if folder.id not in paths:
            paths[folder.id] = f"{path(folder.parent)}\\{folder.display_name}"
        return paths[folder.id]

    listed += [
        (
            _public_folder(folder.display_name, path(folder), folder.folder_class, folder.id),
            len(folder.contacts),
        )
        for folder in public.folders(public.distinguished["publicfoldersroot"])
        if path(folder)
    ]
    return listed


def _public_folder(name: str, identity: str, folder_class: str, entry: str) -> Record:
    parent = identity.rpartition("\\")[0] or "\\"
    return {
        "EntryId": entry.encode().hex().upper(),
        "FolderClass": folder_class,
        "Identity": identity,
        "MailEnabled": False,
        "Name": name,
        "ParentPath": "" if identity == "\\" else parent,
    }
