"""Which items pass between a spoke and its hub, and what of them, changed how."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Operator(StrEnum):
    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    CONTAINS = "Contains"
    STARTS_WITH = "StartsWith"


class Condition(msgspec.Struct, frozen=True, omit_defaults=True):
    """A condition on one field. `field` is a name of the contact in camel case (`companyName` is
    `company`; see `model.filter`), or `category`, or `domain` (of any e-mail address).
    Text compares case-folded. For list fields, true if any element matches."""

    field: str
    operator: Operator
    values: tuple[str, ...] = ()
    connection: str = ""
    """Of `group`: the name of the connection whose directory has it; blank: the spoke's own."""


class Filter(msgspec.Struct, frozen=True, omit_defaults=True):
    """Admits an item when every `all`, at least one `any` (if given), no `none` and the
    `expression` (if given; see `model.expression`) holds."""

    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()
    none: tuple[Condition, ...] = ()
    expression: str = ""


class PhoneForm(StrEnum):
    """How phone numbers are written: +14255550101, +1 425-555-0101 or (425) 555-0101."""

    E164 = "E164"
    INTERNATIONAL = "International"
    NATIONAL = "National"


class Policy(StrEnum):
    """Whether the side that a flow leads to takes the value that comes."""

    OVERWRITE = "Overwrite"
    FILL_IF_BLANK = "FillIfBlank"
    """Only where it has none of its own; what it has stays, and does not come back."""
    CLEAR = "Clear"
    """It gets a blank instead."""
    KEEP = "Keep"
    """It keeps what it has, or has not."""


class FieldPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    policy: Policy
    fields: tuple[str, ...]


class MappingRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a mapping, in the direction of the flow it stands in. Exactly one of the
    actions is set. `prefix`, `suffix`, `add_category`, `replace_domain`, `phone_format` and
    `notes_between` (the lines around a receiver's part of the notes) have an inverse;
    `set_value` and `template` (see `model.template`) have none, so that field is read-only on the
    far side."""

    field: str = ""
    prefix: str = ""
    suffix: str = ""
    set_value: str | None = None
    add_category: str = ""
    replace_domain: tuple[str, str] | None = None
    template: str = ""
    phone_format: PhoneForm | None = None
    notes_between: tuple[str, str] | None = None


class Flow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One direction of a spoke: which items pass, which of their fields, changed how.
    `include` empty means every field; `exclude` wins over `include`."""

    filter: Filter = Filter()
    mapping: tuple[MappingRule, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    policies: tuple[FieldPolicy, ...] = ()
