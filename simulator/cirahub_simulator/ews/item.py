"""Items: the properties that all of them have, and the shapes in which they are answered.

[MS-OXWSCORE] 2.2.4.24 (ItemType) and 2.2.4.26 (ItemResponseShapeType);
https://learn.microsoft.com/exchange/client-developer/exchange-web-services/property-sets-and-response-shapes-in-ews-in-exchange
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from locale import windows_locale

from cirahub_simulator.ews import contact as contacts
from cirahub_simulator.ews import mapi
from cirahub_simulator.ews.absent import is_absent
from cirahub_simulator.ews.body import read_body, write_body
from cirahub_simulator.ews.draft import Draft, extended_of
from cirahub_simulator.ews.errors import EwsError, not_requestable, schema_violation
from cirahub_simulator.ews.identifiers import ews_id
from cirahub_simulator.ews.markup import (
    Element,
    add,
    boolean,
    children,
    element,
    find,
    is_true,
    local_name,
    text_of,
)
from cirahub_simulator.ews.moments import read_moment
from cirahub_simulator.ews.property import Property, Reading, Value
from cirahub_simulator.ews.property_path import Path, read_path

CONTACT_CLASS = "IPM.Contact"
SENSITIVITIES = {"Normal": 0, "Personal": 1, "Private": 2, "Confidential": 3}
"""SensitivityChoicesType and PidTagSensitivity ([MS-OXCMSG] 2.2.1.13)."""
IMPORTANCES = {"Low": 0, "Normal": 1, "High": 2}
"""ImportanceChoicesType and PidTagImportance ([MS-OXCMSG] 2.2.1.11)."""
LONGEST_FOUND = 255
"""Characters of a text that FindItem answers.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/finditem-operation
"""
RIGHTS = ("CreateAssociated", "CreateContents", "CreateHierarchy", "Delete", "Modify", "Read")


def item_id(reading: Reading) -> Element:
    """The ItemId."""
    contact = reading.contact
    return element("t:ItemId", Id=ews_id(contact.id), ChangeKey=contact.change_key)


def folder_change_key(reading: Reading) -> Element:
    """The ParentFolderId."""
    folder = reading.contact.folder
    return element(
        "t:ParentFolderId",
        Id=ews_id(folder.id),
        ChangeKey=reading.mailbox.folder_change_key(folder),
    )


def rights() -> list[Element]:
    """The content of EffectiveRights of somebody who may do everything."""
    return [element(f"t:{name}", "true") for name in (*RIGHTS, "ViewPrivateItems")]


def _choice(name: str, canonical: str, numbers: dict[str, int], default: str) -> Property:
    names = {str(number): choice for choice, number in numbers.items()}

    def read(reading: Reading) -> Value:
        return names.get(reading.contact.extended.get(canonical, ""), default)

    def write(draft: Draft, node: Element | None) -> None:
        number = None if node is None else numbers.get(text_of(node))
        if node is not None and number is None:
            raise schema_violation(f"The '{name}' element is invalid: '{text_of(node)}'.")
        draft.put_extended(canonical, None if number is None else str(number))

    return Property(f"item:{name}", read, write)


def _write_class(draft: Draft, node: Element | None) -> None:
    text = None if node is None else text_of(node)
    if text is not None and not text.upper().startswith(CONTACT_CLASS.upper()):
        raise EwsError("ErrorObjectTypeChanged", "The type of the object changed.")
    draft.put_extended(mapi.MESSAGE_CLASS, None if text == CONTACT_CLASS else text)


def _write_subject(draft: Draft, node: Element | None) -> None:
    """A contact's subject is its display name: [MS-OXOCNTC] 2.2.1.1.1, PidTagSubject."""
    draft.put_extended(_SUBJECT, None if node is None else text_of(node))


_SUBJECT = "String 0x37"


def _categories() -> Property:
    def read(reading: Reading) -> Value:
        return contacts.strings(reading.contact.fields.categories) or None

    def write(draft: Draft, node: Element | None) -> None:
        draft.put("categories", contacts.read_strings(node))

    return Property("item:Categories", read, write)


def _size(reading: Reading) -> Value:
    """Not Exchange's own arithmetic, but it grows with the item."""
    contact = reading.contact
    return 600 + len(contact.encode(contact.id)) + sum(len(v) for v in contact.extended.values())


def _stored(
    name: str, canonical: str, keep: Callable[[Element], str], default: str | None = None
) -> Property:
    """A property that is kept as the MAPI property that it is."""

    def write(draft: Draft, node: Element | None) -> None:
        draft.put_extended(canonical, None if node is None else keep(node))

    return Property(f"item:{name}", lambda r: r.contact.extended.get(canonical, default), write)


def _read_culture(reading: Reading) -> Value:
    """Kept as PidTagMessageLocaleId, a number of [MS-LCID]."""
    number = reading.contact.extended.get(mapi.LOCALE)
    return "en-US" if number is None else windows_locale[int(number)].replace("_", "-")


def _write_culture(draft: Draft, node: Element | None) -> None:
    name = "en-US" if node is None else text_of(node)
    number = _CULTURES.get(name.lower())
    if number is None:
        raise EwsError("ErrorItemSavePropertyError", f"The culture {name!r} is not supported.")
    draft.put_extended(mapi.LOCALE, None if name == "en-US" else str(number))


_CULTURES = {name.replace("_", "-").lower(): lcid for lcid, name in windows_locale.items()}


def _read_only(name: str, read: Callable[[Reading], Value]) -> Property:
    return Property(f"item:{name}", read)


def _text_body(reading: Reading) -> Value:
    text = reading.contact.fields.personal_notes
    return element("t:TextBody", text, BodyType="Text") if text else None


ITEM = (
    _read_only("ItemId", item_id),
    _read_only("ParentFolderId", folder_change_key),
    Property(
        "item:ItemClass",
        lambda r: r.contact.extended.get(mapi.MESSAGE_CLASS, CONTACT_CLASS),
        _write_class,
    ),
    Property(
        "item:Subject",
        lambda r: r.contact.extended.get(_SUBJECT) or r.contact.fields.display_name or None,
        _write_subject,
    ),
    _choice("Sensitivity", mapi.SENSITIVITY, SENSITIVITIES, "Normal"),
    Property("item:Body", lambda r: read_body(r.contact, r.body_type), write_body),
    _read_only("Attachments", lambda _: None),
    _read_only("DateTimeReceived", lambda r: r.contact.created),
    _read_only("Size", _size),
    _categories(),
    _choice("Importance", mapi.IMPORTANCE, IMPORTANCES, "Normal"),
    _stored("InReplyTo", mapi.IN_REPLY_TO, text_of),
    _read_only("IsSubmitted", lambda _: False),
    _read_only("IsDraft", lambda _: False),
    _read_only("IsFromMe", lambda _: False),
    _read_only("IsResend", lambda _: False),
    _read_only("IsUnmodified", lambda _: False),
    _read_only("InternetMessageHeaders", lambda _: None),
    _read_only("DateTimeSent", lambda r: r.contact.created),
    _read_only("DateTimeCreated", lambda r: r.contact.created),
    _read_only("ResponseObjects", lambda _: None),
    _stored("ReminderDueBy", mapi.REMINDER_TIME, lambda node: read_moment(text_of(node))),
    _stored(
        "ReminderIsSet",
        mapi.REMINDER_SET,
        lambda node: boolean(is_true(text_of(node))),
        "false",
    ),
    _read_only("ReminderNextTime", lambda _: None),
    _stored("ReminderMinutesBeforeStart", mapi.REMINDER_DELTA, text_of, "0"),
    _read_only("DisplayCc", lambda _: ""),
    _read_only("DisplayTo", lambda _: ""),
    _read_only("DisplayBcc", lambda _: None),
    _read_only("HasAttachments", lambda _: False),
    Property("item:Culture", _read_culture, _write_culture),
    _read_only("EffectiveRights", lambda _: rights()),
    _read_only("LastModifiedName", lambda r: r.owner),
    _read_only("LastModifiedTime", lambda r: r.contact.modified),
    _read_only("IsAssociated", lambda _: False),
    _read_only("WebClientReadFormQueryString", lambda _: None),
    _read_only("WebClientEditFormQueryString", lambda _: None),
    _read_only("ConversationId", lambda _: None),
    _read_only("UniqueBody", lambda _: None),
    _read_only("Flag", lambda _: None),
    _read_only("StoreEntryId", lambda _: None),
    _read_only("InstanceKey", lambda _: None),
    _read_only("NormalizedBody", lambda _: None),
    _read_only("EntityExtractionResult", lambda _: None),
    _read_only("PolicyTag", lambda _: None),
    _read_only("ArchiveTag", lambda _: None),
    _read_only("RetentionDate", lambda _: None),
    _read_only("Preview", lambda r: (r.contact.fields.personal_notes or "")[:255] or None),
    _read_only("TextBody", _text_body),
)
"""In the order of the schema. ExtendedProperty comes between HasAttachments and Culture."""

PROPERTIES = {entry.uri: entry for entry in (*ITEM, *contacts.PROPERTIES)}
_ORDER = {uri: number for number, uri in enumerate(PROPERTIES)}
_AFTER_EXTENDED = _ORDER["item:Culture"]

DEFAULT = frozenset(("item:ItemId", "item:Subject", "item:Body", "item:HasAttachments"))
NOT_IN_ALL = frozenset(("item:ConversationId", "item:UniqueBody", "item:Preview", "item:TextBody"))
"""What AllProperties does not mean, and has to be asked for."""
NOT_FOUND = frozenset(
    (
        "item:Attachments",
        "item:Body",
        "item:InternetMessageHeaders",
        "item:NormalizedBody",
        "item:ResponseObjects",
        "item:TextBody",
        "item:UniqueBody",
        "contacts:CompleteName",
    )
)
"""What FindItem and SyncFolderItems don't answer: GetItem does."""


@dataclass(frozen=True, slots=True)
class ItemShape:
    """What of an item is answered."""

    uris: tuple[str, ...]
    indexed: tuple[Path, ...]
    extended: tuple[Path, ...]
    body_type: str
    found: bool
    """Whether it is FindItem's, which cuts long texts."""

    def render(self, reading: Reading) -> Element:
        """The item."""
        made = element("t:Contact")
        entries: dict[str, Element] = {}
        for uri in self.uris:
            if _ORDER[uri] < _AFTER_EXTENDED:
                self._append(made, PROPERTIES[uri], reading)
        for path in self.extended:
            value = extended_of(reading.contact, path.uri)
            if value is not None:
                made.append(self._extended(path, value))
        whole = {uri for uri in self.uris if _ORDER[uri] >= _AFTER_EXTENDED}
        for path in self.indexed:
            entry = contacts.indexed_element(reading.contact, path.uri, path.key or "")
            if entry is not None and entry[0] not in whole:
                _merge(entries, entry[0], entry[1])
        for uri in sorted({*whole, *entries}, key=_ORDER.__getitem__):
            if uri in entries:
                made.append(entries[uri])
            else:
                self._append(made, PROPERTIES[uri], reading)
        return made

    def _append(self, made: Element, entry: Property, reading: Reading) -> None:
        node = entry.render(reading)
        if node is None:
            return
        if self.found and node.text is not None and len(node.text) > LONGEST_FOUND:
            node.text = node.text[:LONGEST_FOUND]
        made.append(node)

    def _extended(self, path: Path, value: str) -> Element:
        made = element("t:ExtendedProperty")
        made.append(path.to_element())
        if path.uri.partition(" ")[0] in mapi.ARRAYS:
            values = add(made, "t:Values")
            for one in mapi.read_array(value):
                add(values, "t:Value", one)
        else:
            text = path.uri.startswith("String ") and self.found
            add(made, "t:Value", value[:LONGEST_FOUND] if text else value)
        return made


def _merge(entries: dict[str, Element], uri: str, entry: Element) -> None:
    dictionary = entries.setdefault(uri, element(f"t:{uri.partition(':')[2]}"))
    for there in dictionary:
        if there.get("Key") == entry.get("Key"):
            there.extend(list(entry))
            there[:] = sorted(there, key=lambda part: _PARTS.index(local_name(part)))
            return
    dictionary.append(entry)


_PARTS = tuple(contacts.ADDRESS_PARTS)


def read_shape(node: Element, *, found: bool = False, bodies: bool = False) -> ItemShape:
    """An ItemShape. Raises EwsError, SoapFaultError.

    `found` is FindItem's and SyncFolderItems'; with `bodies`, what these leave out is answered when
    it is asked for by name.
    """
    base = find(node, "t:BaseShape")
    kind = "" if base is None else text_of(base)
    if kind == "IdOnly":
        uris = {"item:ItemId"}
    elif kind == "Default":
        uris = {*DEFAULT, *contacts.DEFAULT}
    elif kind == "AllProperties":
        uris = {uri for uri in PROPERTIES if uri not in NOT_IN_ALL}
    else:
        raise schema_violation(f"The 'BaseShape' element is invalid: '{kind}'.")
    if found:
        uris -= NOT_FOUND
    body = find(node, "t:BodyType")
    more = find(node, "t:AdditionalProperties")
    indexed, extended = [], []
    for path in [] if more is None else [read_path(child) for child in children(more)]:
        if path.extended:
            extended.append(path)
        elif path.key is not None:
            indexed.append(path)
        elif is_absent(path.uri):
            continue
        elif path.uri not in PROPERTIES or (found and not bodies and path.uri in NOT_FOUND):
            raise not_requestable(str(path))
        else:
            uris.add(path.uri)
    return ItemShape(
        tuple(sorted(uris, key=_ORDER.__getitem__)),
        tuple(indexed),
        tuple(dict.fromkeys(extended)),
        "Best" if body is None else text_of(body),
        found,
    )


def read_extended_value(node: Element) -> tuple[Path, str]:
    """An ExtendedProperty: its path, and its value as the mailbox keeps it."""
    path: Path | None = None
    value: str | None = None
    for child in children(node):
        match local_name(child):
            case "ExtendedFieldURI":
                path = read_path(child)
            case "Value":
                value = text_of(child)
            case "Values":
                value = mapi.write_array([text_of(one) for one in children(child)])
            case other:
                raise schema_violation(f"The element 'ExtendedProperty' has '{other}' in it.")
    if path is None or value is None:
        raise schema_violation("The element 'ExtendedProperty' has no path or no value.")
    array = path.uri.partition(" ")[0] in mapi.ARRAYS
    if array != (find(node, "t:Values") is not None):
        raise EwsError(
            "ErrorInvalidExtendedPropertyValue",
            "The value of the extended property does not fit its type.",
        )
    return path, _checked(path, value)


def _checked(path: Path, value: str) -> str:
    """A value that its type allows. Raises EwsError."""
    try:
        match path.uri.partition(" ")[0]:
            case "Integer" | "Short" | "Long":
                return str(int(value))
            case "Boolean":
                return {"true": "true", "1": "true", "false": "false", "0": "false"}[value.lower()]
            case "Double" | "Float":
                float(value)
            case _:
                return value
    except (ValueError, KeyError) as error:
        raise EwsError(
            "ErrorInvalidExtendedPropertyValue",
            "The value of the extended property does not fit its type.",
        ) from error
    return value
