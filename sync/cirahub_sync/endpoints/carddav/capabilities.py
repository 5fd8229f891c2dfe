"""What contacts can show in an address book: known without a connection to one."""

from __future__ import annotations

from cirahub_sync.endpoints.base import Capabilities, Limits
from cirahub_sync.model.contact import AddressKind, PhoneKind

_MANY = 1000
"""A vCard has no limit of its own."""
BATCH_SIZE = 20
"""Items that are read, written and read again together."""

FIELDS: tuple[str, ...] = (
    "display_name",
    "given_name",
    "middle_name",
    "surname",
    "title",
    "generation",
    "nickname",
    "yomi_given_name",
    "yomi_surname",
    "yomi_company",
    "company",
    "department",
    "job_title",
    "profession",
    "business_home_page",
    "birthday",
    "notes",
    "emails",
    "phones",
    "addresses",
    "im_addresses",
    "categories",
    "custom",
)
"""Those that vCards have properties for, in both versions, which others read."""

LIMITS = Limits(
    fields=frozenset(FIELDS),
    phones=dict.fromkeys(PhoneKind, _MANY),
    addresses=dict.fromkeys(AddressKind, _MANY),
)
CAPABILITIES = Capabilities(
    limits=LIMITS, permanent_delete=True, honours_if_match=True, batch=BATCH_SIZE
)
"""RFC 6352 6.3.2.3 takes strong etags for granted, and RFC 9110 13.1.1 refuses a stale one. There
is no bin."""
