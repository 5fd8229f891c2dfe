"""From an object of the directory to the contact that it is in the address list, if it is in it.

In the list is who has an address (`mail`): licences say nothing, since shared mailboxes, rooms and
people whose mailbox is on-premises have none. `showInAddressList` is documented as not to be used,
and is null for most (github.com/microsoftgraph/microsoft-graph-docs, issue 5380): only a false one
says something. Exchange's own switch is shown nowhere in Graph; nor is, to an application, that of
a group.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cirahub_sync.configuration import AddressListTarget, MoreAddresses
from cirahub_sync.endpoints.alias import made_by_us
from cirahub_sync.endpoints.base import Limits
from cirahub_sync.endpoints.graph.address_list.wire import (
    WireGroup,
    WireOffice,
    WireOrgContact,
    WirePhone,
    WireUser,
)
from cirahub_sync.model.contact import (
    AddressKind,
    Contact,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)

LIMITS = Limits(
    fields=frozenset(
        {
            "display_name",
            "given_name",
            "surname",
            "job_title",
            "department",
            "company",
            "office_location",
            "emails",
            "phones",
            "addresses",
        }
    ),
    im_addresses=0,
    phones=dict.fromkeys(PhoneKind, 1),
    addresses={AddressKind.BUSINESS: 1},
)
_GUEST = "guest"
_SMTP = "smtp:"
_PHONES = {
    "business": PhoneKind.BUSINESS,
    "home": PhoneKind.HOME,
    "mobile": PhoneKind.MOBILE,
    "businessfax": PhoneKind.BUSINESS_FAX,
    "homefax": PhoneKind.HOME_FAX,
    "otherfax": PhoneKind.OTHER_FAX,
    "pager": PhoneKind.PAGER,
}
"""Members of phoneType; any other is a phone of another kind."""


def user(wire: WireUser, target: AddressListTarget) -> Contact | None:
    """None for one that is not in the list."""
    if (
        not wire.mail
        or (wire.account_enabled is False and not target.disabled)
        or ((wire.user_type or "").lower() == _GUEST and not target.guests)
        or (wire.show_in_address_list is False and not target.hidden)
    ):
        return None
    phones = [Phone(PhoneKind.BUSINESS, number) for number in wire.business_phones or () if number]
    if wire.mobile_phone:
        phones.append(Phone(PhoneKind.MOBILE, wire.mobile_phone))
    if wire.fax_number:
        phones.append(Phone(PhoneKind.BUSINESS_FAX, wire.fax_number))
    office = WireOffice(
        wire.street_address,
        wire.city,
        wire.state,
        wire.postal_code,
        wire.country,
        wire.office_location,
    )
    emails = _emails(wire.mail, wire.proxy_addresses, wire.other_mails, target.more_addresses)
    return _person(wire, office, emails, phones)


def org_contact(wire: WireOrgContact, target: AddressListTarget) -> Contact | None:
    """None for one that is not in the list, and for one that we made: copies are never copied."""
    if not wire.mail or made_by_us(wire.mail_nickname or ""):
        return None
    office = next(iter(wire.addresses or ()), WireOffice())
    emails = _emails(wire.mail, wire.proxy_addresses, None, target.more_addresses)
    return _person(wire, office, emails, [_phone(one) for one in wire.phones or () if one.number])


def group(wire: WireGroup, target: AddressListTarget) -> Contact | None:
    """None for one that takes no mail."""
    if not (wire.mail and wire.mail_enabled):
        return None
    return Contact(
        display_name=wire.display_name or "",
        emails=_emails(wire.mail, wire.proxy_addresses, None, target.more_addresses),
    )


def _person(
    wire: WireUser | WireOrgContact,
    office: WireOffice,
    emails: tuple[Email, ...],
    phones: Iterable[Phone],
) -> Contact:
    address = PostalAddress(
        AddressKind.BUSINESS,
        (office.street or "").replace("\r\n", "\n"),
        office.city or "",
        office.state or "",
        office.postal_code or "",
        office.country_or_region or "",
    )
    return Contact(
        display_name=wire.display_name or "",
        given_name=wire.given_name or "",
        surname=wire.surname or "",
        job_title=wire.job_title or "",
        department=wire.department or "",
        company=wire.company_name or "",
        office_location=office.office_location or "",
        emails=emails,
        phones=tuple(phones),
        addresses=() if address == PostalAddress(address.kind) else (address,),
    )


def _emails(
    primary: str,
    proxies: Iterable[str] | None,
    others: Iterable[str] | None,
    more: Sequence[MoreAddresses],
) -> tuple[Email, ...]:
    """Each address once, in whatever case it is written, the primary one first."""
    found = {primary.lower(): primary}
    if MoreAddresses.ALIASES in more:
        for proxy in proxies or ():
            if proxy[: len(_SMTP)].lower() == _SMTP:
                address = proxy[len(_SMTP) :]
                found.setdefault(address.lower(), address)
    if MoreAddresses.OTHER_MAILS in more:
        for address in others or ():
            found.setdefault(address.lower(), address)
    return tuple(Email(address) for address in found.values() if address)


def _phone(wire: WirePhone) -> Phone:
    return Phone(_PHONES.get((wire.type or "").lower(), PhoneKind.OTHER), wire.number or "")
