"""The properties that items of every kind have: [MS-OXWSCORE] 2.2.4.24 (ItemType)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from locale import windows_locale
from typing import TypeVar

from cirahub_simulator.ews import attachment, mapi
from cirahub_simulator.ews.attachment import attachments_of
from cirahub_simulator.ews.errors import EwsError, schema_violation
from cirahub_simulator.ews.identifiers import ews_id
from cirahub_simulator.ews.markup import Element, children, element, text_of
from cirahub_simulator.ews.property import Property, Reading, Value

Draft = TypeVar("Draft")

NAMES = (
    "ItemId",
    "ParentFolderId",
    "ItemClass",
    "Subject",
    "Sensitivity",
    "Body",
    "Attachments",
    "DateTimeReceived",
    "Size",
    "Categories",
    "Importance",
    "InReplyTo",
    "IsSubmitted",
    "IsDraft",
    "IsFromMe",
    "IsResend",
    "IsUnmodified",
    "InternetMessageHeaders",
    "DateTimeSent",
    "DateTimeCreated",
    "ResponseObjects",
    "ReminderDueBy",
    "ReminderIsSet",
    "ReminderNextTime",
    "ReminderMinutesBeforeStart",
    "DisplayCc",
    "DisplayTo",
    "DisplayBcc",
    "HasAttachments",
    "Culture",
    "EffectiveRights",
    "LastModifiedName",
    "LastModifiedTime",
    "IsAssociated",
    "WebClientReadFormQueryString",
    "WebClientEditFormQueryString",
    "ConversationId",
    "UniqueBody",
    "Flag",
    "StoreEntryId",
    "InstanceKey",
    "NormalizedBody",
    "EntityExtractionResult",
    "PolicyTag",
    "ArchiveTag",
    "RetentionDate",
    "Preview",
    "TextBody",
)
"""In the order of the schema. ExtendedProperty comes between HasAttachments and Culture."""
AFTER_EXTENDED = NAMES.index("Culture")

SENSITIVITIES = {"Normal": 0, "Personal": 1, "Private": 2, "Confidential": 3}
"""SensitivityChoicesType and PidTagSensitivity ([MS-OXCMSG] 2.2.1.13)."""
IMPORTANCES = {"Low": 0, "Normal": 1, "High": 2}
"""ImportanceChoicesType and PidTagImportance ([MS-OXCMSG] 2.2.1.11)."""
RIGHTS = ("CreateAssociated", "CreateContents", "CreateHierarchy", "Delete", "Modify", "Read")
_CULTURES = {name.replace("_", "-").lower(): lcid for lcid, name in windows_locale.items()}


def rights() -> list[Element]:
    """The content of EffectiveRights of somebody who may do everything."""
    return [element(f"t:{name}", "true") for name in (*RIGHTS, "ViewPrivateItems")]


def item_id(reading: Reading) -> Element:
    """The ItemId."""
    item = reading.item
    return element("t:ItemId", Id=ews_id(item.id), ChangeKey=item.change_key)


def _parent(reading: Reading) -> Element:
    folder = reading.folder
    return element(
        "t:ParentFolderId",
        Id=ews_id(folder.id),
        ChangeKey=reading.mailbox.folder_change_key(folder),
    )


def _attachments(reading: Reading) -> Value:
    found = attachments_of(reading.mailbox, reading.item)
    return [attachment.render(reading.item, one) for one in found] or None


def read_culture(reading: Reading) -> Value:
    """Kept as PidTagMessageLocaleId, a number of [MS-LCID]."""
    number = reading.item.extended.get(mapi.LOCALE)
    return "en-US" if number is None else windows_locale[int(number)].replace("_", "-")


def locale_of(node: Element | None) -> str | None:
    """What is kept of a Culture. Raises EwsError."""
    name = "en-US" if node is None else text_of(node)
    number = _CULTURES.get(name.lower())
    if number is None:
        raise EwsError("ErrorItemSavePropertyError", f"The culture {name!r} is not supported.")
    return None if name == "en-US" else str(number)


def strings(values: Iterable[str]) -> list[Element]:
    """The content of an ArrayOfStringsType."""
    return [element("t:String", value) for value in values]


def read_strings(node: Element | None) -> list[str]:
    """The values of an ArrayOfStringsType."""
    return [] if node is None else [text_of(child) for child in children(node)]


def number_of(name: str, node: Element | None, numbers: dict[str, int]) -> str | None:
    """What MAPI keeps of an enumeration. Raises SoapFaultError."""
    if node is None:
        return None
    number = numbers.get(text_of(node))
    if number is None:
        raise schema_violation(f"The '{name}' element is invalid: '{text_of(node)}'.")
    return str(number)


def _shared(uri: str, read: Callable[[Reading], Value]) -> Property[object]:
    return Property(uri, read)


_SHARED: dict[str, Property[object]] = {
    entry.name: entry
    for entry in (
        _shared("item:ItemId", item_id),
        _shared("item:ParentFolderId", _parent),
        _shared("item:DateTimeReceived", lambda r: r.item.created),
        _shared("item:IsSubmitted", lambda _: False),
        _shared("item:IsDraft", lambda _: False),
        _shared("item:IsFromMe", lambda _: False),
        _shared("item:IsResend", lambda _: False),
        _shared("item:IsUnmodified", lambda _: False),
        _shared("item:DateTimeSent", lambda r: r.item.created),
        _shared("item:DateTimeCreated", lambda r: r.item.created),
        _shared("item:DisplayCc", lambda _: ""),
        _shared("item:DisplayTo", lambda _: ""),
        _shared("item:Attachments", _attachments),
        _shared("item:HasAttachments", lambda r: bool(attachments_of(r.mailbox, r.item))),
        _shared("item:EffectiveRights", lambda _: rights()),
        _shared("item:LastModifiedName", lambda r: r.owner),
        _shared("item:LastModifiedTime", lambda r: r.item.modified),
        _shared("item:IsAssociated", lambda _: False),
    )
}


def item_properties(own: Iterable[Property[Draft]]) -> tuple[Property[Draft], ...]:
    """ItemType's properties, some of them a kind's own."""
    given = {entry.name: entry for entry in own}
    return tuple(
        given.get(name) or _SHARED.get(name) or Property(f"item:{name}", lambda _: None)
        for name in NAMES
    )
