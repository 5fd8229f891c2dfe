"""The directory's JSON, as far as we read it: users, mail contacts and groups.

https://learn.microsoft.com/graph/api/resources/user, …/orgcontact and …/group. What has never been
set may be left out of a delta (https://learn.microsoft.com/graph/api/user-delta).
"""

from __future__ import annotations

import msgspec

from cirahub_sync.endpoints.graph.wire import Removal


class WireUser(msgspec.Struct, rename="camel", kw_only=True):
    id: str
    account_enabled: bool | None = None
    user_type: str | None = None
    show_in_address_list: bool | None = None
    display_name: str | None = None
    given_name: str | None = None
    surname: str | None = None
    job_title: str | None = None
    department: str | None = None
    company_name: str | None = None
    office_location: str | None = None
    mail: str | None = None
    proxy_addresses: list[str] | None = None
    other_mails: list[str] | None = None
    business_phones: list[str] | None = None
    mobile_phone: str | None = None
    fax_number: str | None = None
    street_address: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


class WirePhone(msgspec.Struct, rename="camel"):
    """https://learn.microsoft.com/graph/api/resources/phone"""

    number: str | None = None
    type: str | None = None


class WireOffice(msgspec.Struct, rename="camel"):
    """https://learn.microsoft.com/graph/api/resources/physicalofficeaddress"""

    street: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country_or_region: str | None = None
    office_location: str | None = None


class WireOrgContact(msgspec.Struct, rename="camel", kw_only=True):
    id: str
    display_name: str | None = None
    given_name: str | None = None
    surname: str | None = None
    job_title: str | None = None
    department: str | None = None
    company_name: str | None = None
    mail: str | None = None
    mail_nickname: str | None = None
    proxy_addresses: list[str] | None = None
    phones: list[WirePhone] | None = None
    addresses: list[WireOffice] | None = None


class WireGroup(msgspec.Struct, rename="camel", kw_only=True):
    id: str
    display_name: str | None = None
    mail: str | None = None
    mail_enabled: bool | None = None
    proxy_addresses: list[str] | None = None


class ObjectKey(msgspec.Struct):
    """What tells which object an entry is of, and whether it is gone."""

    id: str
    removed: Removal | None = msgspec.field(default=None, name="@removed")


class Page(msgspec.Struct):
    value: list[msgspec.Raw]
    next: str | None = msgspec.field(default=None, name="@odata.nextLink")
    delta: str | None = msgspec.field(default=None, name="@odata.deltaLink")


Members = dict[str, msgspec.Raw]
"""An object's members as they came: which of them there are says what was told."""

USER = msgspec.json.Decoder(WireUser)
ORG_CONTACT = msgspec.json.Decoder(WireOrgContact)
GROUP = msgspec.json.Decoder(WireGroup)
KEY = msgspec.json.Decoder(ObjectKey)
PAGE = msgspec.json.Decoder(Page)
MEMBERS = msgspec.json.Decoder(Members)
