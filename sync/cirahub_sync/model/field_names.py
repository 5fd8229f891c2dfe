"""The names that manifests use for an item's fields: camel case (`jobTitle` is `job_title`)."""

from __future__ import annotations

from collections.abc import Collection

from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.contact import FIELDS
from cirahub_sync.model.kind import EVENTS


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


MANIFEST_NAMES: dict[str, str] = {_camel(field): field for field in FIELDS}
"""Of contacts: field by manifest name. `companyName`, the word of Graph and vCard tools, is
`company` too."""
MANIFEST_NAMES["companyName"] = "company"
EVENT_NAMES: dict[str, str] = {_camel(field): field for field in EVENTS.fields}
MANIFEST_FIELDS: dict[str, str] = {**MANIFEST_NAMES, **EVENT_NAMES}
"""Of items of any kind."""


def manifest_name(field: str) -> str:
    """What a manifest calls a field of an item."""
    return _camel(field)


def field_named(name: str, *, where: str, among: Collection[str] = FIELDS) -> str:
    """The field that a manifest calls `name`, of a contact or `among` others. Raises
    ConfigurationError, which names the field, the place (`where`) and what is allowed there."""
    field = MANIFEST_FIELDS.get(name)
    if field is None or field not in among:
        raise unknown_field(
            name, where=where, allowed=[n for n, f in MANIFEST_FIELDS.items() if f in among]
        )
    return field


def unknown_field(name: str, *, where: str, allowed: Collection[str]) -> ConfigurationError:
    return ConfigurationError(
        f"{where}: {name!r} is not a field that can stand here; use one of {', '.join(allowed)}"
    )
