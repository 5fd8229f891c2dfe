"""Mail contacts as Exchange keeps them, and what the directory that Graph reads knows of them.

Exchange makes and changes them; the directory hears of it, at once or later (`org_contact_delay`).
What Graph shows of one is an orgContact: https://learn.microsoft.com/graph/api/resources/orgcontact.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from cirahub_simulator.clock import Clock
from cirahub_simulator.directory import Directory, OrgContact
from cirahub_simulator.switches import Switches

_DELAYS = {"none": 0.0, "five-minutes": 300.0}


@dataclass(slots=True, kw_only=True)
class MailContact:
    """A mail contact. Attributes are the cmdlets' properties, in Python's spelling; blank: none.

    https://learn.microsoft.com/powershell/module/exchangepowershell/set-contact and set-mailcontact
    """

    id: str
    """ExternalDirectoryObjectId: the orgContact's id."""
    tenant_id: str
    guid: str
    name: str
    alias: str
    display_name: str
    external_email_address: str
    """Without `SMTP:`."""
    changed: float
    """Seconds since the epoch."""
    created: float
    hidden: bool = False
    first_name: str = ""
    last_name: str = ""
    initials: str = ""
    title: str = ""
    company: str = ""
    department: str = ""
    office: str = ""
    phone: str = ""
    mobile_phone: str = ""
    home_phone: str = ""
    fax: str = ""
    pager: str = ""
    assistant_name: str = ""
    web_page: str = ""
    notes: str = ""
    street_address: str = ""
    city: str = ""
    state_or_province: str = ""
    postal_code: str = ""
    country_or_region: str = ""
    proxies: list[str] = field(default_factory=list)
    """As `SMTP:ada@fabrikam.example`."""

    def org_contact(self) -> OrgContact:
        """What Graph shows of it.

        One address, and one phone of each of the kinds mobile, business and businessFax:
        https://learn.microsoft.com/graph/api/resources/orgcontact.
        """
        address = {
            "city": self.city or None,
            "countryOrRegion": self.country_or_region or None,
            "officeLocation": self.office or None,
            "postalCode": self.postal_code or None,
            "state": self.state_or_province or None,
            "street": self.street_address or None,
        }
        phones = {
            "mobile": self.mobile_phone,
            "business": self.phone,
            "businessFax": self.fax,
        }
        return OrgContact(
            id=self.id,
            tenant_id=self.tenant_id,
            display_name=self.display_name,
            mail=self.external_email_address,
            mail_nickname=self.alias,
            given_name=self.first_name or None,
            surname=self.last_name or None,
            job_title=self.title or None,
            department=self.department or None,
            company_name=self.company or None,
            addresses=[address] if any(address.values()) else [],
            phones=[{"type": kind, "number": n} for kind, n in phones.items() if n],
            proxy_addresses=list(self.proxies),
        )


class MailContacts:
    """Those of every tenant. Mail contacts that were put into the directory are here as well."""

    def __init__(
        self, directory: Directory, clock: Clock, switches: Callable[[], Switches]
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._switches = switches
        self._contacts: dict[str, MailContact] = {}
        """By id."""
        self._told: set[str] = set()
        """Ids that the directory knew at some time."""
        self._late: list[tuple[float, str, OrgContact | None]] = []
        """What the directory has still to hear: from when on, of which, and what it is then."""

    def of(self, tenant_id: str) -> list[MailContact]:
        """A tenant's, in the order they were added."""
        for found in self._directory.org_contacts(tenant_id):
            if found.id not in self._told:
                self._told.add(found.id)
                self._contacts[found.id] = self._seeded(found)
        return [one for one in self._contacts.values() if one.tenant_id == tenant_id]

    def put(self, contact: MailContact) -> None:
        """Add or change one."""
        contact.changed = self._clock.time()
        self._contacts[contact.id] = contact
        self._tell(contact.id, contact.org_contact())

    def remove(self, contact: MailContact) -> None:
        """Take one out."""
        del self._contacts[contact.id]
        self._tell(contact.id, None)

    def replicate(self) -> None:
        """Let the directory know what it is due to know by now."""
        now = self._clock.time()
        due = [one for one in self._late if one[0] <= now]
        self._late = [one for one in self._late if one[0] > now]
        for _, contact_id, shown in due:
            self._show(contact_id, shown)

    def _tell(self, contact_id: str, shown: OrgContact | None) -> None:
        self._told.add(contact_id)
        delay = _DELAYS[self._switches().org_contact_delay]
        if delay:
            self._late.append((self._clock.time() + delay, contact_id, shown))
        else:
            self._show(contact_id, shown)

    def _show(self, contact_id: str, shown: OrgContact | None) -> None:
        if shown is None:
            self._directory.remove_org_contact(contact_id)
        else:
            self._directory.add_org_contact(copy.deepcopy(shown))

    def _seeded(self, found: OrgContact) -> MailContact:
        phones = {str(one["type"]): str(one["number"]) for one in found.phones}
        address = found.addresses[0] if found.addresses else {}
        now = self._clock.time()
        return MailContact(
            id=found.id,
            tenant_id=found.tenant_id,
            guid=str(uuid.uuid5(uuid.UUID(found.tenant_id), found.id)),
            name=found.display_name,
            alias=found.mail_nickname,
            display_name=found.display_name,
            external_email_address=found.mail,
            changed=now,
            created=now,
            first_name=found.given_name or "",
            last_name=found.surname or "",
            title=found.job_title or "",
            department=found.department or "",
            company=found.company_name or "",
            office=address.get("officeLocation") or "",
            phone=phones.get("business", ""),
            mobile_phone=phones.get("mobile", ""),
            fax=phones.get("businessFax", ""),
            street_address=address.get("street") or "",
            city=address.get("city") or "",
            state_or_province=address.get("state") or "",
            postal_code=address.get("postalCode") or "",
            country_or_region=address.get("countryOrRegion") or "",
            proxies=list(found.proxy_addresses) or [f"SMTP:{found.mail}"],
        )
