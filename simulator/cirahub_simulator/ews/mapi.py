"""MAPI properties: how EWS names them, and which fields of a contact they are.

[MS-OXPROPS] and [MS-OXOCNTC]; a property that is no field is kept in the item's extended
properties, under the spelling that Graph has for it, so that both services see the same one.
"""

from __future__ import annotations

import msgspec

from cirahub_simulator.graph.extended_property import TYPES

PROPERTY_SETS = {
    "Meeting": "6ed8da90-450b-101b-98da-00aa003f1305",
    "Appointment": "00062002-0000-0000-c000-000000000046",
    "Common": "00062008-0000-0000-c000-000000000046",
    "PublicStrings": "00020329-0000-0000-c000-000000000046",
    "Address": "00062004-0000-0000-c000-000000000046",
    "InternetHeaders": "00020386-0000-0000-c000-000000000046",
    "CalendarAssistant": "11000e07-b51b-40d6-af21-caa85edab1d0",
    "UnifiedMessaging": "4442858e-a9e3-4e80-b900-317a210cc15b",
    "Task": "00062003-0000-0000-c000-000000000046",
    "Sharing": "00062040-0000-0000-c000-000000000046",
}
"""DistinguishedPropertySetType ([MS-OXWSXPROP] 2.1.3) by [MS-OXPROPS] 1.3.2."""

ARRAYS = frozenset(
    f"{kind}Array"
    for kind in (
        "ApplicationTime",
        "Binary",
        "CLSID",
        "Currency",
        "Double",
        "Float",
        "Integer",
        "Long",
        "Object",
        "Short",
        "String",
        "SystemTime",
    )
)
"""The multi-value types of MapiPropertyTypeType."""

KINDS = frozenset(TYPES.values()) | ARRAYS
"""The types that a request may use: not Error, Null and Object ([MS-OXWSXPROP] 2.1.7)."""

_ADDRESS = "{00062004-0000-0000-c000-000000000046}"
_COMMON = "{00062008-0000-0000-c000-000000000046}"

FIELDS = {
    "String 0x3001": "display_name",
    "String 0x3a05": "generation",
    "String 0x3a06": "given_name",
    "String 0x3a0a": "initials",
    "String 0x3a11": "surname",
    "String 0x3a16": "company_name",
    "String 0x3a17": "job_title",
    "String 0x3a18": "department",
    "String 0x3a19": "office_location",
    "String 0x3a1c": "mobile_phone",
    "String 0x3a30": "assistant_name",
    "String 0x3a44": "middle_name",
    "String 0x3a45": "title",
    "String 0x3a46": "profession",
    "String 0x3a48": "spouse_name",
    "String 0x3a4e": "manager",
    "String 0x3a4f": "nick_name",
    "String 0x3a51": "business_home_page",
    f"String {_ADDRESS} Id 0x8005": "file_as",
    f"String {_ADDRESS} Id 0x802c": "yomi_given_name",
    f"String {_ADDRESS} Id 0x802d": "yomi_surname",
    f"String {_ADDRESS} Id 0x802e": "yomi_company_name",
}
"""Canonical id and the contact's field of it ([MS-OXOCNTC] 2.2.1)."""

SLOTS = {
    "String 0x3a08": ("business_phones", 0),
    "String 0x3a1b": ("business_phones", 1),
    "String 0x3a09": ("home_phones", 0),
    "String 0x3a2f": ("home_phones", 1),
    f"String {_ADDRESS} Id 0x8062": ("im_addresses", 0),
}
"""Canonical id and the place in a list of the contact."""

EMAILS = {
    f"String {_ADDRESS} Id 0x{0x8080 + 16 * index + offset:x}": (index, attribute)
    for index in range(3)
    for offset, attribute in ((0, "name"), (3, "address"))
}
"""PidLidEmail1DisplayName, PidLidEmail1EmailAddress and those of the other two."""

BIRTHDAY = "SystemTime 0x3a42"
HTML = "Binary 0x1013"
MESSAGE_CLASS = "String 0x1a"
SENSITIVITY = "Integer 0x36"
IMPORTANCE = "Integer 0x17"
REMINDER_SET = f"Boolean {_COMMON} Id 0x8503"
REMINDER_TIME = f"SystemTime {_COMMON} Id 0x8502"
REMINDER_DELTA = f"Integer {_COMMON} Id 0x8501"
SUBJECT = "String 0x37"
LOCALE = "Integer 0x3ff1"
ARTICLE_NUMBER = "Integer 0xe23"
CREATED = "SystemTime 0x3007"
MODIFIED = "SystemTime 0x3008"
"""PidTagInternetArticleNumber, PidTagCreationTime, PidTagLastModificationTime ([MS-OXPROPS]): the
store's own. Gateways such as DavMail list folders by the first and pass over items without one."""
IN_REPLY_TO = "String 0x1042"
WEDDING = "SystemTime 0x3a41"
FILE_AS_MAPPING = f"Integer {_ADDRESS} Id 0x8006"
POSTAL_ADDRESS_INDEX = f"Integer {_ADDRESS} Id 0x8022"
MILEAGE = f"String {_COMMON} Id 0x8534"
COMPANIES = f"StringArray {_COMMON} Id 0x8539"

PHONES = {
    "AssistantPhone": "String 0x3a2e",
    "BusinessFax": "String 0x3a24",
    "Callback": "String 0x3a02",
    "CarPhone": "String 0x3a1e",
    "CompanyMainPhone": "String 0x3a57",
    "HomeFax": "String 0x3a25",
    "Isdn": "String 0x3a2d",
    "OtherFax": "String 0x3a23",
    "OtherTelephone": "String 0x3a1f",
    "Pager": "String 0x3a21",
    "PrimaryPhone": "String 0x3a1a",
    "RadioPhone": "String 0x3a1d",
    "Telex": "String 0x3a2c",
    "TtyTddPhone": "String 0x3a4b",
}
"""Phone numbers that are no field of Graph's contact ([MS-OXOCNTC] 2.2.1.4)."""


def read_array(stored: str) -> list[str]:
    """The values of a multi-value property as the mailbox keeps it."""
    return msgspec.json.decode(stored, type=list[str])


def write_array(values: list[str]) -> str:
    """The values of a multi-value property as the mailbox keeps them."""
    return msgspec.json.encode(values).decode()
