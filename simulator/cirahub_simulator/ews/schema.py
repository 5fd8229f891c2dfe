"""Whether a request is what the schema says: names, their order, how often, and values.

Exchange validates each request against messages.xsd and types.xsd and refuses what breaks them with
the fault ErrorSchemaValidation, an element out of its place among them
(https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode). What the
schemas allow is in `schema.json`, which `tests/contract/ews_digest.py` takes out of the published
ones; the words of a violation are those of .NET's validator, which Exchange passes on.
"""

from __future__ import annotations

import re
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec
from lxml import etree

from cirahub_simulator.ews.errors import schema_violation
from cirahub_simulator.ews.markup import MESSAGES, TYPES, Element, children, local_name

DIGEST = Path(__file__).with_name("schema.json")

_PREFIXES = {MESSAGES: "m", TYPES: "t"}
_NAMESPACES = {prefix: namespace for namespace, prefix in _PREFIXES.items()}
_PLAIN = {
    "boolean": r"true|false|1|0",
    "int": r"[+-]?\d+",
    "integer": r"[+-]?\d+",
    "short": r"[+-]?\d+",
    "long": r"[+-]?\d+",
    "unsignedShort": r"\+?\d+",
    "unsignedInt": r"\+?\d+",
    "nonNegativeInteger": r"\+?\d+",
    "double": r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|-?INF|NaN",
    "dateTime": r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?",
    "date": r"-?\d{4,}-\d\d-\d\d(Z|[+-]\d\d:\d\d)?",
    "time": r"\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?",
    "duration": r"-?P(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?",
    "base64Binary": r"([A-Za-z0-9+/]\s*)*={0,2}\s*",
}
"""The lexical forms of XML Schema's own types, as far as requests have them; others are texts."""


class Particle(msgspec.Struct, omit_defaults=True):
    """A part of what an element contains: an element, or several in order or to choose from."""

    kind: Literal["element", "sequence", "choice", "group", "any"] = "element"
    name: str = ""
    """Of an element or a group."""
    type: str = ""
    least: int = 1
    most: int | None = 1
    """None: as many as one likes."""
    parts: list[Particle] = []


class Record(msgspec.Struct, omit_defaults=True):
    """A type with elements or attributes."""

    base: str = ""
    """Whose elements come first, and whose attributes it has too."""
    content: list[Particle] = []
    attributes: dict[str, str] = {}
    required: list[str] = []
    text: str | None = None
    """The type of the text, where there are no elements."""


class Scalar(msgspec.Struct, omit_defaults=True):
    """A type of texts."""

    base: str = ""
    values: list[str] = []
    pattern: str | None = None
    bounds: dict[str, int] = {}
    items: str = ""
    """The type of each word of a list."""
    any_of: list[str] = []


class Digest(msgspec.Struct):
    """What requests may be made of."""

    operations: dict[str, str] = msgspec.field(default_factory=dict)
    """The type of each operation's element."""
    others: list[str] = msgspec.field(default_factory=list)
    """Elements of the published operations that the simulator doesn't have."""
    groups: dict[str, Particle] = msgspec.field(default_factory=dict)
    """What stands in several places, by name; what an element's substitutes are among them."""
    records: dict[str, Record] = msgspec.field(default_factory=dict)
    scalars: dict[str, Scalar] = msgspec.field(default_factory=dict)


@lru_cache(maxsize=1)
def _digest() -> Digest:
    return msgspec.json.decode(DIGEST.read_bytes(), type=Digest)


@lru_cache(maxsize=1024)
def _record(kind: str) -> Record | None:
    """A type with what it has of the types that it extends."""
    own = _digest().records.get(kind)
    above = None if own is None or not own.base else _record(own.base)
    if own is None or above is None:
        return own
    return Record(
        content=[*above.content, *own.content],
        attributes=above.attributes | own.attributes,
        required=[*above.required, *own.required],
        text=own.text or above.text,
    )


def is_published(operation: str) -> bool:
    """Whether Exchange has an operation, by the name of its request's element."""
    return operation in _digest().operations or operation in _digest().others


def check_request(operation: Element) -> None:
    """Raises SoapFaultError for the first thing that the schema does not allow."""
    name = local_name(operation)
    kind = _digest().operations.get(name)
    if name == "FindPeople":
        # Whether these are refused is open (`Switches.find_people_traversal`).
        operation = deepcopy(operation)
        operation.attrib.pop("Traversal", None)
        for query in operation.iterfind(f"{{{MESSAGES}}}QueryString"):
            query.attrib.clear()
    if kind is not None:
        _check(operation, kind)


def _check(node: Element, kind: str) -> None:
    record = _record(kind) or Record(text=kind)
    _check_attributes(node, record)
    if record.text is not None:
        _check_text(node, record.text)
        return
    if any(text and text.strip() for text in (node.text, *(child.tail for child in node))):
        raise schema_violation(f"The element {_quoted(_name(node))} cannot contain text.")
    inside = list(children(node))
    names = [_name(child) for child in inside]
    types = _Matching(names).match(record.content)
    if isinstance(types, _Misfit):
        raise schema_violation(types.words(node, inside))
    for child, found in zip(inside, types, strict=True):
        if found:
            _check(child, found)


def _check_attributes(node: Element, record: Record) -> None:
    for name, value in node.attrib.items():
        if name.startswith("{"):
            continue
        kind = record.attributes.get(name)
        if kind is None:
            raise schema_violation(f"The '{name}' attribute is not declared.")
        if (why := _wrong(str(value), kind)) is not None:
            raise schema_violation(f"The '{name}' attribute is invalid - {why}")
    for name in record.required:
        if node.get(name) is None:
            raise schema_violation(f"The required attribute '{name}' is missing.")


def _check_text(node: Element, kind: str) -> None:
    if next(children(node), None) is not None:
        raise schema_violation(
            f"The element '{local_name(node)}' cannot contain child elements: it is text only."
        )
    if (why := _wrong(node.text or "", kind)) is not None:
        raise schema_violation(f"The '{local_name(node)}' element is invalid - {why}")


def _wrong(text: str, kind: str) -> str | None:
    """What is wrong with a value, in words; None when nothing is."""
    scalar = _digest().scalars.get(kind)
    prefix, _, local = kind.partition(":")
    if scalar is None:
        form = _PLAIN.get(local) if prefix == "xs" else None
        if form is None or re.fullmatch(form, text.strip()):
            return None
        return f"The string '{text}' is not a valid {local[:1].upper()}{local[1:]} value."
    value = text.strip()
    if scalar.items:
        return next(
            (why for word in value.split() if (why := _wrong(word, scalar.items)) is not None), None
        )
    if scalar.any_of:
        return None if any(_wrong(text, one) is None for one in scalar.any_of) else _failed(text)
    if (why := _wrong(text, scalar.base)) is not None:
        return why
    right = (
        (not scalar.values or value in scalar.values)
        and (scalar.pattern is None or re.fullmatch(scalar.pattern, text) is not None)
        and _within(text, scalar.bounds)
    )
    return None if right else _failed(text)


def _within(text: str, bounds: dict[str, int]) -> bool:
    for name, bound in bounds.items():
        measure = len(text) if name.endswith("Length") else int(text)
        if measure < bound if name.startswith("min") else measure > bound:
            return False
    return True


def _failed(text: str) -> str:
    return f"The value '{text}' is invalid according to its datatype."


def _name(node: Element) -> str:
    found = etree.QName(node)
    return f"{_PREFIXES.get(found.namespace or '', '?')}:{found.localname}"


class _Misfit:
    """Where elements stop being what their parent contains."""

    def __init__(self, at: int, expected: list[str]) -> None:
        self._at = at
        self._expected = expected

    def words(self, node: Element, inside: list[Element]) -> str:
        """What .NET says of it."""
        if self._at < len(inside):
            what = f"has invalid child element {_quoted(_name(inside[self._at]))}."
        else:
            what = "has incomplete content."
        expected = ", ".join(_quoted(name) for name in self._expected)
        hint = f" List of possible elements expected: {expected}." if expected else ""
        return f"The element {_quoted(_name(node))} {what}{hint}"


def _quoted(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"'{local}' in namespace '{_NAMESPACES.get(prefix, '')}'"


class _Matching:
    """The children of one element against what it contains.

    The schemas are deterministic: one reading at a time, without going back.
    """

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._types = [""] * len(names)
        self._farthest = 0
        self._expected: list[str] = []

    def match(self, content: list[Particle]) -> list[str] | _Misfit:
        """The type of each child, or where they stop fitting."""
        at = 0
        for particle in content:
            following = self._repeat(particle, at)
            if following is None:
                return _Misfit(self._farthest, self._expected)
            at = following
        if at != len(self._names):
            self._want(at, "")
            return _Misfit(self._farthest, self._expected)
        return self._types

    def _repeat(self, particle: Particle, at: int) -> int | None:
        count = 0
        while particle.most is None or count < particle.most:
            following = self._once(particle, at)
            if following is None or following == at:
                break
            at, count = following, count + 1
        if count < particle.least and self._once(particle, at) != at:
            return None
        return at

    def _once(self, particle: Particle, at: int) -> int | None:
        match particle.kind:
            case "element":
                return self._element(particle, at)
            case "group":
                return self._repeat(_digest().groups[particle.name], at)
            case "any":
                return at + 1 if at < len(self._names) else None
            case "choice":
                empty = None
                for part in particle.parts:
                    following = self._repeat(part, at)
                    if following is not None and following > at:
                        return following
                    empty = at if following == at else empty
                return at if not particle.parts else empty
            case "sequence":
                place: int | None = at
                for part in particle.parts:
                    place = None if place is None else self._repeat(part, place)
                return place

    def _element(self, particle: Particle, at: int) -> int | None:
        if at < len(self._names) and self._names[at] == particle.name:
            self._types[at] = particle.type
            return at + 1
        self._want(at, particle.name)
        return None

    def _want(self, at: int, name: str) -> None:
        if at > self._farthest:
            self._farthest, self._expected = at, []
        if at == self._farthest and name and name not in self._expected:
            self._expected.append(name)
