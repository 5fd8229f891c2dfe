"""Extended properties: what a contact of EWS has no field for, or none that can be written, and our
stamp. They are the same properties that Graph shows: a mailbox may be seen through both."""

from __future__ import annotations

from cirahub_sync.endpoints.exchange.wire import TYPES, Element, attribute, escaped

STAMP = (
    '<t:ExtendedFieldURI PropertySetId="6d0d4d5c-5f2c-4b0e-9a35-0c1f7a6e2b84" '
    'PropertyName="CiraHubItem" PropertyType="String"/>'
)
"""Our stamp's text. See `endpoints.graph.properties.STAMP`."""

TITLE = '<t:ExtendedFieldURI PropertyTag="0x3a45" PropertyType="String"/>'
"""PidTagDisplayNamePrefix; EWS has it in CompleteName only, which is read-only."""


def _address(number: int) -> str:
    return (
        '<t:ExtendedFieldURI DistinguishedPropertySetId="Address" '
        f'PropertyId="{number}" PropertyType="String"/>'
    )


YOMI = {
    "yomi_given_name": _address(0x802C),
    "yomi_surname": _address(0x802D),
    "yomi_company": _address(0x802E),
}
"""PidLidYomiFirstName, PidLidYomiLastName, PidLidYomiCompanyName ([MS-OXOCNTC] 2.2.1.1). EWS's own
PhoneticFirstName and PhoneticLastName are read-only."""


def custom(name: str) -> str:
    """A custom field, among PS_PUBLIC_STRINGS ([MS-OXPROPS] 1.3.2). The name's case counts."""
    return (
        '<t:ExtendedFieldURI DistinguishedPropertySetId="PublicStrings" '
        f'PropertyName="{attribute(name)}" PropertyType="String"/>'
    )


def value(path: str, text: str) -> str:
    return f"<t:ExtendedProperty>{path}<t:Value>{escaped(text)}</t:Value></t:ExtendedProperty>"


def stamp_equals(keys: list[str]) -> str:
    """The restriction that finds any of these stamps."""
    each = [
        f"<t:IsEqualTo>{STAMP}<t:FieldURIOrConstant>"
        f'<t:Constant Value="{attribute(key)}"/></t:FieldURIOrConstant></t:IsEqualTo>'
        for key in keys
    ]
    return each[0] if len(each) == 1 else f"<t:Or>{''.join(each)}</t:Or>"


def stamp_exists() -> str:
    """The restriction that finds every stamped item."""
    return f"<t:Exists>{STAMP}</t:Exists>"


Key = tuple[str, ...]
"""An extended property's path, however an answer spells it."""


def key_of(path: Element) -> Key:
    """Of an ExtendedFieldURI. Only what names the property counts."""
    tag = (path.get("PropertyTag") or "").lower()
    if tag:
        return ("tag", f"0x{int(tag, 16):x}" if tag.startswith("0x") else tag)
    where = path.get("DistinguishedPropertySetId") or (path.get("PropertySetId") or "").lower()
    return (where, path.get("PropertyName") or path.get("PropertyId") or "")


STAMP_KEY: Key = ("6d0d4d5c-5f2c-4b0e-9a35-0c1f7a6e2b84", "CiraHubItem")
TITLE_KEY: Key = ("tag", "0x3a45")
YOMI_KEYS: dict[Key, str] = {
    ("Address", str(0x802C)): "yomi_given_name",
    ("Address", str(0x802D)): "yomi_surname",
    ("Address", str(0x802E)): "yomi_company",
}


def custom_key(name: str) -> Key:
    return ("PublicStrings", name)


def values(item: Element) -> dict[Key, str]:
    """An item's extended properties that have text."""
    found: dict[Key, str] = {}
    for each in item.iterchildren(f"{TYPES}ExtendedProperty"):
        path, content = each.find(f"{TYPES}ExtendedFieldURI"), each.find(f"{TYPES}Value")
        if path is not None and content is not None and content.text:
            found[key_of(path)] = content.text
    return found
