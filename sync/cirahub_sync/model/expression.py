"""Expressions: filters in CEL, for what conditions can't say.

An expression sees a contact's fields under the names of manifests as `item.jobTitle` and, on the
way out of the hub, `spokes`, the names of those that contribute the item. Each field is a variable
of its own type, so that a misspelled one, or a comparison that can't be, is found when the
expression is compiled. The language: https://github.com/cel-expr/cel-spec.

What an evaluation may cost is bounded: by the length of the text, by the library's limits of
nesting (32) and iterations (10,000), by regular expressions that take linear time (RE2), and by
leaving out `map`, whose results could double at each step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from cirahub_sync.errors import ConfigurationError
from cirahub_sync.model.contact import (
    LIST_FIELDS,
    AddressKind,
    Contact,
    CustomField,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)
from cirahub_sync.model.field_names import MANIFEST_NAMES, manifest_name
from cirahub_sync.model.kind import Content

if TYPE_CHECKING:
    from cel_expr_python import cel

LONGEST = 2048
"""Characters of an expression, and so of all its literals together."""
_SHARED = 256
_SPOKES = "spokes"
_ELEMENTS = (Email, Phone, PostalAddress, CustomField)
_Plain = str | list[str] | list[dict[str, str]]

_BLANK = Contact()
_FULL = Contact(
    emails=(Email(""),),
    phones=(Phone(PhoneKind.OTHER, ""),),
    addresses=(PostalAddress(AddressKind.OTHER),),
    im_addresses=("",),
    categories=("",),
    children=("",),
    custom=(CustomField("", ""),),
)
_PLACE = re.compile(r"<input>:(\d+):(\d+): ([^\n]*)")
_TELLING = ("undeclared reference to ", "found no matching overload for ")
_MAP = re.compile(r"\bmap(\s|//[^\n]*\n)*\(")
_NEVER = {
    "Key not found": "it asks an element of a list for something that it has not got",
    "invalid regular expression": "a regular expression in it is none of RE2",
    "No matching overloads": "it compares or combines what can't be",
    "recursion": "it is nested too deeply; 32 levels are allowed",
    "budget": "it iterates too often; 10,000 times are allowed",
}
"""What no contact can mend, by what the library says of it."""


class Expression:
    """Compiled. `fields` are those of the contact that it asks for."""

    __slots__ = ("_names", "_program", "asks_for_spokes", "fields")

    def __init__(self, text: str, *, sourced: bool) -> None:
        _refuse_at_sight(text)
        from cel_expr_python import cel  # not at the top: few filters are expressions

        variables = _variables(sourced=sourced)
        try:
            self._program = cel.NewEnv(variables=variables).compile(text)
        except RuntimeError as error:
            raise _refused(_where(str(error))) from None
        if self._program.return_type() != cel.Type.BOOL:
            raise _refused("it has to say true or false, and does not")
        mentioned = [name for name in variables if name.rpartition(".")[2] in text]
        asked = [name for name in mentioned if not _compiles_without(text, variables, name)]
        self.asks_for_spokes = _SPOKES in asked
        self._names = [
            (name, MANIFEST_NAMES[name.removeprefix("item.")]) for name in asked if name != _SPOKES
        ]
        self.fields = frozenset(field for _, field in self._names)
        for contact in (_BLANK, _FULL):
            said = self._evaluate(contact, ())
            for known, why in _NEVER.items():
                if isinstance(said, str) and known in said:
                    raise _refused(why)

    def __call__(self, item: Content, spokes: Collection[str] = ()) -> bool | None:
        """Whether it holds; None if it can't be evaluated for this item, a contact."""
        said = self._evaluate(item, spokes)
        return None if isinstance(said, str) else said

    def _evaluate(self, item: Content, spokes: Collection[str]) -> bool | str:
        data: dict[str, _Plain] = {
            name: _plain(getattr(item, field)) for name, field in self._names
        }
        if self.asks_for_spokes:
            data[_SPOKES] = sorted(spokes)
        try:
            value = self._program.eval(data=data).plain_value()
        except RuntimeError as error:
            return str(error)
        return value if value is True or value is False else str(value)


@lru_cache(maxsize=_SHARED)
def compile_expression(text: str, *, sourced: bool) -> Expression:
    """The same object for texts that are alike. `sourced`: it may ask for `spokes`. Raises
    ConfigurationError, which says where and what, and quotes no literal."""
    return Expression(text, sourced=sourced)


def _refuse_at_sight(text: str) -> None:
    if not text.strip():
        raise _refused("it is blank; leave it out")
    if len(text) > LONGEST:
        raise _refused(f"it has {len(text)} characters; {LONGEST} are allowed")
    if _MAP.search(text):
        raise _refused("map(...) is not allowed; exists, all, exists_one and filter are")


def _variables(*, sourced: bool) -> Mapping[str, cel.Type]:
    from cel_expr_python import cel

    text = cel.Type.STRING
    texts, objects = cel.Type.List(text), cel.Type.List(cel.Type.Map(text, text))
    known = {
        f"item.{name}": text
        if field not in LIST_FIELDS
        else (texts if isinstance(getattr(_FULL, field)[0], str) else objects)
        for name, field in MANIFEST_NAMES.items()
    }
    return {**known, _SPOKES: texts} if sourced else known


def _compiles_without(text: str, variables: Mapping[str, cel.Type], name: str) -> bool:
    from cel_expr_python import cel

    others = {one: kind for one, kind in variables.items() if one != name}
    try:
        cel.NewEnv(variables=others).compile(text)
    except RuntimeError:
        return False
    return True


def _object(kind: type) -> Callable[[object], dict[str, str]]:
    names = [(manifest_name(one), one) for one in kind.__struct_fields__]  # type: ignore[attr-defined]
    return lambda element: {name: str(getattr(element, one)) for name, one in names}


_OBJECTS = {kind: _object(kind) for kind in _ELEMENTS}


def _plain(value: str | tuple[object, ...]) -> _Plain:
    if isinstance(value, str):
        return value
    if value and not isinstance(value[0], str):
        return [_OBJECTS[type(one)](one) for one in value]  # type: ignore[index]
    return [str(one) for one in value]


def _where(said: str) -> str:
    for known, why in _NEVER.items():
        if known in said:
            return why
    found = _PLACE.search(said)
    if found is None:
        return "it can't be understood"
    line, column, what = found.groups()
    what = what.removesuffix(" (in container '')")
    if not what.startswith(_TELLING):
        what = "the syntax is not that of CEL"  # it would quote what stands there
    elif "'item" in what:
        what += "; item has " + ", ".join(MANIFEST_NAMES)
    return f"line {line}, column {column}: {what}"


def _refused(why: str) -> ConfigurationError:
    return ConfigurationError(f"filter: expression: {why}")
