"""Templates: a text field made of others, `{surname}, {givenName}`.

A pair of brackets that has a field in it vanishes when one of its fields is blank, so
`{surname}[, {givenName}][ ({company})]` leaves no comma and no empty parentheses behind. What is
left has its blanks collapsed. A template whose fields are all blank makes nothing, and the field
stays as it was.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import msgspec

from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.field_names import field_named
from cirahub_sync.model.kind import Content

Affixes = tuple[tuple[str, str], ...]
"""Prefixes and suffixes, the innermost first."""

_SLOT = re.compile(r"\{(\w+)\}")
_GROUP = re.compile(r"\[([^\[\]]*\{\w+\}[^\[\]]*)\]")


class Slot(msgspec.Struct, frozen=True, array_like=True, tag=True):
    field: str


class Group(msgspec.Struct, frozen=True, array_like=True, tag=True):
    parts: tuple[str | Slot, ...]


class Template(msgspec.Struct, frozen=True, array_like=True):
    """Made by `parse_template`, or as `Template((value,))` for a constant."""

    parts: tuple[str | Slot | Group, ...]
    affixes: Affixes = ()
    """Of the steps that come after it."""

    @property
    def inputs(self) -> frozenset[str]:
        """The fields that it is made of."""
        found: set[str] = set()
        for part in self.parts:
            within = part.parts if isinstance(part, Group) else (part,)
            found |= {one.field for one in within if isinstance(one, Slot)}
        return frozenset(found)

    def fill(self, item: Content, otherwise: str) -> str:
        """What it makes of the item's fields; of `otherwise` if those are all blank."""
        inputs = self.inputs
        if inputs and not any(getattr(item, field).strip() for field in inputs):
            return affixed(otherwise, self.affixes)
        text = "".join(_made(part, item) for part in self.parts)
        return affixed(" ".join(text.split()) if inputs else text, self.affixes)


def _made(part: str | Slot | Group, item: Content) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Slot):
        text: str = getattr(item, part.field)
        return text.strip()
    made = [_made(one, item) for one in part.parts]
    whole = all(text for one, text in zip(part.parts, made, strict=True) if isinstance(one, Slot))
    return "".join(made) if whole else ""


def affixed(value: str, affixes: Affixes) -> str:
    """A blank value stays blank."""
    if not value.strip():
        return value
    for prefix, suffix in affixes:
        value = f"{prefix}{value}{suffix}"
    return value


def stripped(value: str, affixes: Affixes) -> str:
    """Also when a service trimmed the ends, and blank when nothing but the affix is left."""
    for prefix, suffix in reversed(affixes):
        if value.strip() == (prefix or suffix).strip():
            return ""
        for start in (prefix, prefix.lstrip()):
            if start and value.startswith(start):
                value = value[len(start) :]
                break
        for end in (suffix, suffix.rstrip()):
            if end and value.endswith(end):
                value = value[: -len(end)]
                break
    return value


def parse_template(text: str, among: Collection[str]) -> Template:
    """Raises ConfigurationError for a name that is none of the fields `among`, for a brace that
    belongs to no name, and for a text without any."""
    parts: list[str | Slot | Group] = []
    end = 0
    for found in _GROUP.finditer(text):
        parts += _slots(text[end : found.start()], among)
        parts.append(Group(tuple(_slots(found.group(1), among))))
        end = found.end()
    parts += _slots(text[end:], among)
    template = Template(tuple(parts))
    if not template.inputs:
        raise ConfigurationError(
            "mapping: a template needs at least one field in braces, like {surname}; use setValue "
            "for a text that is always the same"
        )
    return template


def _slots(text: str, among: Collection[str]) -> list[str | Slot]:
    parts: list[str | Slot] = []
    end = 0
    for found in _SLOT.finditer(text):
        parts.append(_literal(text[end : found.start()]))
        parts.append(Slot(field_named(found.group(1), where="template", among=among)))
        end = found.end()
    parts.append(_literal(text[end:]))
    return [part for part in parts if part]


def _literal(text: str) -> str:
    if "{" in text or "}" in text:
        raise ConfigurationError(
            "mapping: a brace in a template belongs to no field; write fields like {surname}, and "
            "no other braces"
        )
    return text
