"""What cmdlets tell of recipients, and what of a contact they set.

Properties: https://learn.microsoft.com/powershell/exchange/filter-properties. The most that a text
may have is its attribute's rangeUpper in Active Directory's published schema
(https://learn.microsoft.com/windows/win32/adschema/attributes-all): givenName 64, info 1024, …
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files

from cirahub_simulator.directory import Group, User
from cirahub_simulator.mail_contacts import MailContact

CONTACT: dict[str, tuple[str, int]] = {
    "AssistantName": ("assistant_name", 256),
    "City": ("city", 128),
    "Company": ("company", 64),
    "Department": ("department", 64),
    "DisplayName": ("display_name", 256),
    "Fax": ("fax", 64),
    "FirstName": ("first_name", 64),
    "HomePhone": ("home_phone", 64),
    "Initials": ("initials", 6),
    "LastName": ("last_name", 64),
    "MobilePhone": ("mobile_phone", 64),
    "Notes": ("notes", 1024),
    "Office": ("office", 128),
    "Pager": ("pager", 64),
    "Phone": ("phone", 64),
    "PostalCode": ("postal_code", 40),
    "StateOrProvince": ("state_or_province", 128),
    "StreetAddress": ("street_address", 1024),
    "Title": ("title", 128),
    "WebPage": ("web_page", 2048),
}
"""By property, which is the parameter of Set-Contact as well: its attribute, and the most that it
takes. CountryOrRegion is no text."""


def of_contact(found: MailContact) -> dict[str, object]:
    """https://learn.microsoft.com/powershell/module/exchangepowershell/get-contact"""
    values: dict[str, object] = {
        name: getattr(found, attribute) for name, (attribute, _) in CONTACT.items()
    }
    return values | {
        "CountryOrRegion": found.country_or_region or None,
        "Guid": found.guid,
        "Identity": found.name,
        "Name": found.name,
        "RecipientType": "MailContact",
        "RecipientTypeDetails": "MailContact",
        "WhenChangedUTC": _moment(found.changed),
        "WhenCreatedUTC": _moment(found.created),
        "WindowsEmailAddress": found.external_email_address,
    }


def of_mail_contact(found: MailContact) -> dict[str, object]:
    """https://learn.microsoft.com/powershell/module/exchangepowershell/get-mailcontact"""
    return {
        "Alias": found.alias,
        "DisplayName": found.display_name,
        "EmailAddresses": list(found.proxies),
        "ExternalDirectoryObjectId": found.id,
        "ExternalEmailAddress": f"SMTP:{found.external_email_address}",
        "Guid": found.guid,
        "HiddenFromAddressListsEnabled": found.hidden,
        "Identity": found.name,
        "Name": found.name,
        "PrimarySmtpAddress": found.external_email_address,
        "RecipientType": "MailContact",
        "RecipientTypeDetails": "MailContact",
        "WhenChangedUTC": _moment(found.changed),
        "WhenCreatedUTC": _moment(found.created),
    }


def of_user(user: User) -> dict[str, object]:
    """What Get-Recipient tells of a mailbox."""
    return {
        "Alias": user.mail_nickname or user.user_principal_name.partition("@")[0],
        "DisplayName": user.display_name,
        "EmailAddresses": user.proxy_addresses or [f"SMTP:{user.mail or user.user_principal_name}"],
        "ExternalDirectoryObjectId": user.id,
        "HiddenFromAddressListsEnabled": user.show_in_address_list is False,
        "Name": user.display_name,
        "RecipientType": "UserMailbox",
        "RecipientTypeDetails": "UserMailbox",
    }


def of_group(group: Group) -> dict[str, object]:
    """What Get-Recipient tells of a group with an address."""
    unified = "Unified" in group.group_types
    return {
        "Alias": group.mail_nickname,
        "DisplayName": group.display_name,
        "EmailAddresses": [f"SMTP:{group.mail}"],
        "ExternalDirectoryObjectId": group.id,
        "HiddenFromAddressListsEnabled": False,
        "Name": group.display_name,
        "RecipientType": "MailUniversalDistributionGroup",
        "RecipientTypeDetails": "GroupMailbox" if unified else "MailUniversalDistributionGroup",
    }


def country(text: str) -> str | None:
    """The name of a country that is given by its name or its code of ISO 3166; None: no such one.

    https://learn.microsoft.com/powershell/module/exchangepowershell/set-contact takes either, and
    shows the name. The names here are those of the time zone database.
    """
    wanted = text.casefold()
    for line in (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text("utf-8").splitlines():
        code, _, name = line.partition("\t")
        if not line.startswith("#") and wanted in (code.casefold(), name.casefold()):
            return name
    return None


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
