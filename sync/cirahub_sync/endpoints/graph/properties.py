"""Extended properties: what Graph's contact has no field for, and our stamp.

Ids have the forms of https://learn.microsoft.com/graph/api/resources/extended-properties-overview.
They are compared without regard to case, except for the name of a named property.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from cirahub_sync.model.contact import PhoneKind

STAMP = "String {6d0d4d5c-5f2c-4b0e-9a35-0c1f7a6e2b84} Name CiraHubItem"
"""Our stamp's text. The property set is our own, so that nobody else's tool shows or uses it."""

_PUBLIC_STRINGS = "String {00020329-0000-0000-c000-000000000046} Name "
"""PS_PUBLIC_STRINGS ([MS-OXPROPS] 1.3.2), where Outlook keeps its users' own fields."""

PHONES: dict[str, PhoneKind] = {
    "String 0x3a24": PhoneKind.BUSINESS_FAX,
    "String 0x3a25": PhoneKind.HOME_FAX,
    "String 0x3a23": PhoneKind.OTHER_FAX,
    "String 0x3a21": PhoneKind.PAGER,
    "String 0x3a1f": PhoneKind.OTHER,
}
"""[MS-OXOCNTC] 2.2.1.4: PidTagBusinessFaxNumber, PidTagHomeFaxNumber, PidTagPrimaryFaxNumber (the
field that Outlook labels "Other Fax"), PidTagPagerTelephoneNumber, PidTagOtherTelephoneNumber."""

PHONE_IDS: dict[PhoneKind, str] = {kind: tag for tag, kind in PHONES.items()}


def custom_id(name: str) -> str:
    """The id of a custom field. The name's case counts."""
    return _PUBLIC_STRINGS + name


def custom_name(canonical: str) -> str | None:
    """The custom field that a canonical id names; None for any other property."""
    if canonical.startswith(_PUBLIC_STRINGS):
        return canonical[len(_PUBLIC_STRINGS) :]
    return None


@lru_cache(maxsize=1024)
def canonical(text: str) -> str:
    """One spelling for an id as a service may write it."""
    lowered = text.lower()
    cut = lowered.find(" name ")
    if cut >= 0:
        kind, _, rest = lowered[:cut].partition(" ")
        return f"{kind.capitalize()} {rest} Name {text[cut + 6 :]}"
    kind, _, rest = lowered.partition(" ")
    return f"{kind.capitalize()} {rest}"


def quoted(text: str) -> str:
    """An OData string literal: a quote is doubled (OData 4.01 ABNF, `string`)."""
    return "'" + text.replace("'", "''") + "'"


def expansion(ids: Iterable[str]) -> str:
    """The value of `$expand` that brings these properties along.

    https://learn.microsoft.com/graph/api/singlevaluelegacyextendedproperty-get
    """
    condition = " or ".join(f"id eq {quoted(each)}" for each in ids)
    return f"singleValueExtendedProperties($filter={condition})"


def read_ids(custom_names: Sequence[str]) -> tuple[str, ...]:
    """Every property that makes an item complete."""
    return (STAMP, *PHONES, *(custom_id(name) for name in custom_names))


def stamp_equals(key: str) -> str:
    """The value of `$filter` that finds one stamp."""
    return (
        f"singleValueExtendedProperties/any(ep: ep/id eq {quoted(STAMP)} "
        f"and ep/value eq {quoted(key)})"
    )


def stamp_exists() -> str:
    """The value of `$filter` that finds every stamped item.

    https://learn.microsoft.com/graph/api/singlevaluelegacyextendedproperty-get gives `ne null` as
    the way to ask for any value.
    """
    return f"singleValueExtendedProperties/any(ep: ep/id eq {quoted(STAMP)} and ep/value ne null)"
