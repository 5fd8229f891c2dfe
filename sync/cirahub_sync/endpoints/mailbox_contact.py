"""What a contact of a mailbox has room for, whichever of Exchange's services shows it.

[MS-OXOCNTC] has three e-mail addresses, three addresses for instant messages, and one postal
address of a kind; business and home have two numbers each, the others one.
"""

from __future__ import annotations

from cirahub_sync.endpoints.base import Limits
from cirahub_sync.model.contact import FIELDS, AddressKind, PhoneKind

LIMITS = Limits(
    fields=frozenset(FIELDS),
    emails=3,
    im_addresses=3,
    phones={
        PhoneKind.BUSINESS: 2,
        PhoneKind.HOME: 2,
        PhoneKind.MOBILE: 1,
        PhoneKind.BUSINESS_FAX: 1,
        PhoneKind.HOME_FAX: 1,
        PhoneKind.OTHER_FAX: 1,
        PhoneKind.PAGER: 1,
        PhoneKind.OTHER: 1,
    },
    addresses=dict.fromkeys(AddressKind, 1),
)
