"""Writes what the simulator knows of the schemas of Exchange Web Services.

The published schemas are in the project's shared folder and no part of the repository; the
simulator refuses requests as they say without reading them. This takes from them what a request may
be made of (names, order, numbers, types), for the operations that the simulator has, and writes it
as a table. `--check` compares. Without the schemas there is nothing to do.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
from lxml import etree
from tests.contract.ews import Contract

from cirahub_simulator.ews.schema import DIGEST, Digest, Particle, Record, Scalar
from cirahub_simulator.ews.service import NAMES

XS = "{http://www.w3.org/2001/XMLSchema}"
_PARTICLES = tuple(XS + name for name in ("sequence", "choice", "element", "group", "any"))
_BOUNDS = ("minInclusive", "maxInclusive", "minLength", "maxLength")


class _Schemas:
    """The two schemas, by the prefixes `m` and `t`."""

    def __init__(self, folder: Path) -> None:
        self._types: dict[str, etree._Element] = {}
        self._elements: dict[str, etree._Element] = {}
        self._named_groups: dict[str, etree._Element] = {}
        self._groups: dict[str, list[str]] = {}
        """What may stand in an element's place."""
        for prefix, file in (("m", "messages.xsd"), ("t", "types.xsd")):
            for node in etree.parse(folder / file).getroot():
                name = node.get("name")
                if node.tag in (XS + "complexType", XS + "simpleType"):
                    self._types[f"{prefix}:{name}"] = node
                elif node.tag == XS + "group":
                    self._named_groups[f"{prefix}:{name}"] = node
                elif node.tag == XS + "element":
                    self._elements[f"{prefix}:{name}"] = node
                    head = node.get("substitutionGroup")
                    if head is not None:
                        self._groups.setdefault(_named(head, prefix), []).append(f"{prefix}:{name}")
        self.digest = Digest()

    def operation(self, name: str) -> None:
        """Take in an operation with everything that its request may have."""
        self.digest.operations[name] = self._type_of(self._elements[f"m:{name}"], "m")

    def _type_of(self, element: etree._Element, prefix: str) -> str:
        """The name of an element's or attribute's type; an unnamed one gets the owner's."""
        given = element.get("type")
        if given is not None:
            name = _named(given, prefix)
            node = self._types.get(name)
        else:
            kinds = (XS + "complexType", XS + "simpleType")
            node = next((child for child in element if child.tag in kinds), None)
            owner = next(
                (one.get("name") for one in element.iterancestors() if one.get("name")), ""
            )
            name = f"{prefix}:{owner}.{element.get('name', '')}"
        if node is not None:
            self._take(name, node, name.partition(":")[0])
        return name

    def _take(self, name: str, node: etree._Element, prefix: str) -> None:
        if name in self.digest.records or name in self.digest.scalars:
            return
        if node.tag == XS + "simpleType":
            self.digest.scalars[name] = Scalar()
            self.digest.scalars[name] = self._scalar(name, node, prefix)
            return
        self.digest.records[name] = Record()
        record = Record()
        self._fill(record, node, prefix)
        self.digest.records[name] = record

    def _scalar(self, name: str, node: etree._Element, prefix: str) -> Scalar:
        listed = node.find(XS + "list")
        if listed is not None:
            return Scalar(items=self._inner(name, listed, "itemType", prefix))
        union = node.find(XS + "union")
        if union is not None:
            members = [_named(one, prefix) for one in (union.get("memberTypes") or "").split()]
            for member in members:
                if member in self._types:
                    self._take(member, self._types[member], member.partition(":")[0])
            for number, inner in enumerate(union.iterfind(XS + "simpleType")):
                members.append(f"{name}.{number}")
                self._take(members[-1], inner, prefix)
            return Scalar(any_of=members)
        restriction = node.find(XS + "restriction")
        assert restriction is not None, name
        made = Scalar(base=self._inner(name, restriction, "base", prefix))
        made.values = [one.get("value", "") for one in restriction.iterfind(XS + "enumeration")]
        pattern = restriction.find(XS + "pattern")
        made.pattern = None if pattern is None else pattern.get("value")
        for bound in _BOUNDS:
            found = restriction.find(XS + bound)
            if found is not None:
                made.bounds[bound] = int(found.get("value", ""))
        return made

    def _inner(self, name: str, node: etree._Element, attribute: str, prefix: str) -> str:
        given = node.get(attribute)
        if given is None:
            inner = node.find(XS + "simpleType")
            assert inner is not None, name
            self._take(f"{name}.", inner, prefix)
            return f"{name}."
        found = _named(given, prefix)
        if found in self._types:
            self._take(found, self._types[found], found.partition(":")[0])
        return found

    def _fill(self, record: Record, node: etree._Element, prefix: str) -> None:
        """Add what a complex type has of its own."""
        for child in node:
            if child.tag in (XS + "complexContent", XS + "simpleContent"):
                self._fill(record, child, prefix)
            elif child.tag in (XS + "extension", XS + "restriction"):
                base = _named(child.get("base", ""), prefix)
                above = self._types.get(base)
                if above is not None and above.tag == XS + "complexType":
                    self._take(base, above, base.partition(":")[0])
                    record.base = base
                else:
                    record.text = self._inner(base, child, "base", prefix)
                self._fill(record, child, prefix)
            elif child.tag == XS + "attribute":
                name = child.get("name")
                if name is not None:
                    record.attributes[name] = self._type_of(child, prefix)
                    if child.get("use") == "required":
                        record.required.append(name)
            elif child.tag in _PARTICLES:
                record.content.append(self._particle(child, prefix))

    def _particle(self, node: etree._Element, prefix: str) -> Particle:
        made = Particle(
            least=int(node.get("minOccurs", "1")),
            most=None if node.get("maxOccurs") == "unbounded" else int(node.get("maxOccurs", "1")),
        )
        if node.tag == XS + "any":
            made.kind = "any"
            return made
        if node.tag == XS + "group":
            made.kind, made.name = "group", _named(node.get("ref", ""), prefix)
            owner = made.name.partition(":")[0]
            inner = next(one for one in self._named_groups[made.name] if one.tag in _PARTICLES)
            self.digest.groups[made.name] = self._particle(inner, owner)
            return made
        if node.tag == XS + "element":
            return self._element(made, node, prefix)
        made.kind = "choice" if node.tag == XS + "choice" else "sequence"
        made.parts = [self._particle(child, prefix) for child in node if child.tag in _PARTICLES]
        return made

    def _element(self, made: Particle, node: etree._Element, prefix: str) -> Particle:
        reference = node.get("ref")
        if reference is None:
            made.name, made.type = f"{prefix}:{node.get('name')}", self._type_of(node, prefix)
            return made
        name = _named(reference, prefix)
        if name in self.digest.groups:
            made.kind, made.name = "group", name
            return made
        members = [name, *self._groups.get(name, ())]
        if len(members) > 1:
            # What they contain may have them again.
            self.digest.groups[name] = Particle()
        found = []
        for member in members:
            element = self._elements[member]
            if element.get("abstract") != "true":
                owner = member.partition(":")[0]
                found.append(Particle(name=member, type=self._type_of(element, owner)))
        if len(found) == 1:
            made.name, made.type = found[0].name, found[0].type
        else:
            made.kind, made.name = "group", name
            self.digest.groups[name] = Particle(kind="choice", parts=found)
        return made


def _named(qualified: str, prefix: str) -> str:
    """A reference as `t:Name`, `m:Name` or `xs:string`."""
    given, _, local = qualified.rpartition(":")
    return f"{given or prefix}:{local}"


def render(folder: Path) -> str:
    """The table, a type a line."""
    schemas = _Schemas(folder)
    for name in sorted(NAMES):
        schemas.operation(name)
    found = schemas.digest
    others = sorted(name for name in Contract(folder).operations if name not in NAMES)
    rooms = [f' "others": {msgspec.json.encode(others).decode()}']
    for key, table in (
        ("operations", found.operations),
        ("groups", found.groups),
        ("records", found.records),
        ("scalars", found.scalars),
    ):
        lines = ",\n".join(
            f"  {msgspec.json.encode(name).decode()}: {msgspec.json.encode(table[name]).decode()}"
            for name in sorted(table)
        )
        rooms.append(f' "{key}": {{\n{lines}\n }}')
    return "{\n" + ",\n".join(rooms) + "\n}\n"


def main(arguments: list[str]) -> int:
    """Write the table, or compare; 1 when it is not what the schemas say."""
    folder = Contract.folder()
    if folder is None:
        sys.stderr.write("ews/schema.json: left, the published schemas are not here\n")
        return 0
    text = render(folder)
    if "--check" not in arguments:
        DIGEST.write_text(text, encoding="utf-8")
        return 0
    if DIGEST.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{DIGEST.name} is not what the schemas say: make generate\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
