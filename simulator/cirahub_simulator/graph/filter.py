"""`$filter`: the part of OData's expressions that Outlook and the directory answer.

Grammar: OData 4.01 URL conventions 5.1.1; what mailboxes support of it:
https://learn.microsoft.com/graph/api/user-list-contacts (e-mail addresses) and
https://learn.microsoft.com/graph/api/singlevaluelegacyextendedproperty-get (extended properties).
Strings compare without case, as Exchange and the directory do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cirahub_simulator.graph.errors import bad_request
from cirahub_simulator.graph.extended_property import canonical_id

Kind = Literal[
    "string",
    "boolean",
    "number",
    "moment",
    "strings",
    "emails",
    "objects",
    "extended",
    "complex",
]
Predicate = Callable[[Mapping[str, object]], bool]
_Scope = Mapping[str, object]
_Value = Callable[[_Scope], object]
_Test = Callable[[_Scope], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')"
    r"|(?P<moment>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_$][\w.]*(?:/[A-Za-z_][\w]*)*)"
    r"|(?P<mark>[(),:/]))"
)
_COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
_TEXT_FUNCTIONS = ("contains", "startswith", "endswith")


@dataclass(frozen=True, slots=True)
class Schema:
    """What can be named in an expression."""

    type_name: str
    properties: Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class _Operand:
    value: _Value
    role: Literal["plain", "literal", "property id"] = "plain"


class _Parser:
    """Recursive descent from text to a predicate."""

    def __init__(self, text: str, schema: Schema) -> None:
        self._text = text
        self._schema = schema
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        self._variables: dict[str, Kind] = {}
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise self._error(f"at position {position}")
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()

    def parse(self) -> Predicate:
        test = self._either()
        if self._at != len(self._tokens):
            raise self._error(f"'{self._tokens[self._at][1]}' is not expected")
        return lambda entity: test({"": entity})

    def _either(self) -> _Test:
        tests = [self._both()]
        while self._word("or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda scope: any(t(scope) for t in tests)

    def _both(self) -> _Test:
        tests = [self._single()]
        while self._word("and"):
            tests.append(self._single())
        return tests[0] if len(tests) == 1 else lambda scope: all(t(scope) for t in tests)

    def _single(self) -> _Test:
        if self._word("not"):
            test = self._single()
            return lambda scope: not test(scope)
        if self._mark("("):
            test = self._either()
            self._expect(")")
            return test
        kind, text = self._next()
        if kind == "word" and text.lower() in _TEXT_FUNCTIONS:
            return self._text_function(text.lower())
        if kind == "word" and text.lower().endswith(("/any", "/all")):
            return self._lambda(text)
        return self._comparison(self._operand(kind, text))

    def _text_function(self, name: str) -> _Test:
        self._expect("(")
        subject = self._operand(*self._next()).value
        self._expect(",")
        part = self._operand(*self._next()).value
        self._expect(")")

        def test(scope: _Scope) -> bool:
            have, want = subject(scope), part(scope)
            if not isinstance(have, str) or not isinstance(want, str):
                return False
            if name == "contains":
                return want in have
            return have.startswith(want) if name == "startswith" else have.endswith(want)

        return test

    def _lambda(self, word: str) -> _Test:
        path, _, quantifier = word.rpartition("/")
        kind = self._schema.properties.get(path)
        if kind not in ("strings", "emails", "objects", "extended"):
            raise self._unknown(path)
        self._expect("(")
        _, variable = self._next()
        self._expect(":")
        self._variables[variable] = kind
        test = self._either()
        self._expect(")")
        del self._variables[variable]
        combine = any if quantifier.lower() == "any" else all

        def apply(scope: _Scope) -> bool:
            entity = scope[""]
            values = entity.get(path) if isinstance(entity, Mapping) else None
            items = values if isinstance(values, list) else []
            return combine(test({**scope, variable: item}) for item in items)

        return apply

    def _comparison(self, left: _Operand) -> _Test:
        if self._at == len(self._tokens):
            value = left.value
            return lambda scope: value(scope) is True
        kind, operator = self._next()
        if kind == "word" and operator.lower() == "in":
            self._expect("(")
            tests = [self._compare("eq", left, self._operand(*self._next()))]
            while self._mark(","):
                tests.append(self._compare("eq", left, self._operand(*self._next())))
            self._expect(")")
            return lambda scope: any(t(scope) for t in tests)
        if kind != "word" or operator.lower() not in _COMPARISONS:
            self._at -= 1
            value = left.value
            return lambda scope: value(scope) is True
        return self._compare(operator.lower(), left, self._operand(*self._next()))

    def _compare(self, operator: str, left: _Operand, right: _Operand) -> _Test:
        if right.role == "property id":
            left, right = right, left
        first, second = left.value, right.value
        if left.role == "property id":
            text = self._literal_of(right)
            wanted = canonical_id(text)
            if operator != "eq":
                raise self._error("an extended property's id takes eq only")
            return lambda scope: first(scope) == wanted
        if operator == "eq":
            return lambda scope: first(scope) == second(scope)
        if operator == "ne":
            return lambda scope: first(scope) != second(scope)

        def ordered(scope: _Scope) -> bool:
            one, other = first(scope), second(scope)
            if isinstance(one, str) and isinstance(other, str):
                return _in_order(operator, (one > other) - (one < other))
            if isinstance(one, float) and isinstance(other, float):
                return _in_order(operator, (one > other) - (one < other))
            if isinstance(one, datetime) and isinstance(other, datetime):
                return _in_order(operator, (one > other) - (one < other))
            return False

        return ordered

    def _literal_of(self, operand: _Operand) -> str:
        at = self._tokens[self._at - 1]
        if operand.role != "literal" or at[0] != "string":
            raise self._error("an extended property's id is compared with a string")
        return _unquote(at[1])

    def _operand(self, kind: str, text: str) -> _Operand:
        if kind == "string":
            value = _unquote(text).casefold()
            return _Operand(lambda _: value, "literal")
        if kind == "number":
            number = float(text)
            return _Operand(lambda _: number, "literal")
        if kind == "moment":
            try:
                moment = datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00Z")
            except ValueError as error:
                raise self._error(f"{text}: {error}") from error
            return _Operand(lambda _: moment, "literal")
        if kind != "word":
            raise self._error(f"'{text}' is not expected")
        lower = text.lower()
        if lower in ("true", "false", "null"):
            constant = {"true": True, "false": False, "null": None}[lower]
            return _Operand(lambda _: constant, "literal")
        if lower in ("tolower", "toupper"):
            self._expect("(")
            inner = self._operand(*self._next())
            self._expect(")")
            return inner
        if lower == "cast":
            return self._cast()
        return self._path(text)

    def _cast(self) -> _Operand:
        self._expect("(")
        inner = self._operand(*self._next()).value
        self._expect(",")
        _, type_name = self._next()
        self._expect(")")
        numeric = type_name.removeprefix("Edm.") in ("Int16", "Int32", "Int64", "Double", "Single")

        def value(scope: _Scope) -> object:
            plain = inner(scope)
            if numeric and isinstance(plain, str):
                try:
                    return float(plain)
                except ValueError:
                    return None
            return plain

        return _Operand(value)

    def _path(self, text: str) -> _Operand:
        root, _, rest = text.partition("/")
        if root in self._variables:
            return self._element(root, rest)
        kind = self._schema.properties.get(root)
        if kind is None or (bool(rest) != (kind == "complex")):
            raise self._unknown(text)
        if kind == "complex":
            return _Operand(lambda scope: _fold(_walk(_member(scope[""], root), rest)))
        if kind == "number":
            return _Operand(lambda scope: _number(_member(scope[""], root)))
        if kind == "moment":
            return _Operand(lambda scope: _moment(_member(scope[""], root)))
        return _Operand(lambda scope: _fold(_member(scope[""], root)))

    def _element(self, variable: str, rest: str) -> _Operand:
        kind = self._variables[variable]
        if kind == "strings" and not rest:
            return _Operand(lambda scope: _fold(scope[variable]))
        if kind == "emails":
            if rest != "address":
                # https://learn.microsoft.com/graph/api/user-list-contacts: address alone
                raise self._error(f"emailAddresses can't be filtered by '{rest}'")
            return _Operand(lambda scope: _fold(_member(scope[variable], rest)))
        if kind == "objects" and rest:
            return _Operand(lambda scope: _fold(_walk(scope[variable], rest)))
        if kind == "extended" and rest == "id":
            return _Operand(lambda scope: _member(scope[variable], rest), "property id")
        if kind == "extended" and rest == "value":
            return _Operand(lambda scope: _fold(_member(scope[variable], rest)))
        raise self._unknown(f"{variable}/{rest}")

    def _next(self) -> tuple[str, str]:
        if self._at == len(self._tokens):
            raise self._error("it ends too early")
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _word(self, word: str) -> bool:
        return self._take("word", word)

    def _mark(self, mark: str) -> bool:
        return self._take("mark", mark)

    def _take(self, kind: str, text: str) -> bool:
        if self._at < len(self._tokens):
            have = self._tokens[self._at]
            if have[0] == kind and have[1].lower() == text:
                self._at += 1
                return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._mark(mark):
            raise self._error(f"'{mark}' is missing")

    def _error(self, reason: str) -> Exception:
        return bad_request(f"Invalid filter clause '{self._text}': {reason}.")

    def _unknown(self, name: str) -> Exception:
        return bad_request(
            f"Invalid filter clause: Could not find a property named '{name}' on type "
            f"'{self._schema.type_name}'."
        )


def _unquote(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _fold(value: object) -> object:
    if isinstance(value, str):
        return value.casefold()
    return value


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None


def _walk(value: object, path: str) -> object:
    for name in path.split("/"):
        value = _member(value, name)
    return value


def _number(value: object) -> object:
    return float(value) if isinstance(value, int) else None


def _moment(value: object) -> object:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def _in_order(operator: str, difference: int) -> bool:
    if operator == "gt":
        return difference > 0
    if operator == "ge":
        return difference >= 0
    return difference < 0 if operator == "lt" else difference <= 0


def compile_filter(text: str, schema: Schema) -> Predicate:
    """The predicate over an entity's properties. Raises GraphError for what it can't read."""
    return _Parser(text, schema).parse()
