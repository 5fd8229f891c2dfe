"""`$search` on collections of directory objects.

https://learn.microsoft.com/graph/search-query-parameter#using-search-on-directory-object-collections:
clauses `"property:text"` in quotes, `AND` and `OR` between them, parentheses around them. Names and
descriptions are taken apart into words and compared word by word, each by its beginning
(https://learn.microsoft.com/graph/api/user-list finds "Oscar Ward" by "displayName:wa"); anything
else is compared by its own beginning.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cirahub_simulator.graph.errors import GraphError, bad_request
from cirahub_simulator.graph.filter import Predicate, Schema

_PART = re.compile(r'\s*(?:"(?P<clause>(?:[^"\\]|\\.)*)"|(?P<mark>[()]|AND\b|OR\b))')
_WORD = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_HUMP = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])")
_MOST = 100
"""Clauses and marks of a search; it is read by recursion."""
_TOKENIZED = frozenset(("displayName", "description"))


def compile_search(text: str, schema: Schema) -> Predicate:
    """The test that a search is. Raises GraphError."""
    return _Parser(text, schema).parse()


class _Parser:
    """Recursive descent; AND binds closer than OR."""

    def __init__(self, text: str, schema: Schema) -> None:
        self._text = text
        self._schema = schema
        self._parts: list[tuple[str, str]] = []
        self._at = 0
        position = 0
        while text[position:].strip():
            match = _PART.match(text, position)
            if match is None or match.lastgroup is None:
                raise self._error()
            self._parts.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        if len(self._parts) > _MOST:
            raise self._error()

    def parse(self) -> Predicate:
        test = self._either()
        if self._at != len(self._parts):
            raise self._error()
        return test

    def _either(self) -> Predicate:
        tests = [self._both()]
        while self._mark("OR"):
            tests.append(self._both())
        return lambda entity: any(test(entity) for test in tests)

    def _both(self) -> Predicate:
        tests = [self._single()]
        while self._mark("AND"):
            tests.append(self._single())
        return lambda entity: all(test(entity) for test in tests)

    def _single(self) -> Predicate:
        if self._mark("("):
            test = self._either()
            if not self._mark(")"):
                raise self._error()
            return test
        if self._at == len(self._parts) or self._parts[self._at][0] != "clause":
            raise self._error()
        self._at += 1
        return self._clause(re.sub(r"\\(.)", r"\1", self._parts[self._at - 1][1]))

    def _clause(self, clause: str) -> Predicate:
        name, colon, wanted = clause.partition(":")
        kind = self._schema.properties.get(name)
        if not colon or kind not in ("string", "strings"):
            raise self._error()
        test = _has_words(wanted) if name in _TOKENIZED else _begins(wanted)
        return lambda entity: any(test(value) for value in _texts(entity.get(name)))

    def _mark(self, mark: str) -> bool:
        found = self._at < len(self._parts) and self._parts[self._at] == ("mark", mark)
        self._at += found
        return found

    def _error(self) -> GraphError:
        return bad_request(f"Syntax error in $search: '{self._text}'.", "Request_BadRequest")


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]


def _begins(wanted: str) -> Callable[[str], bool]:
    text = wanted.strip().casefold()
    return lambda value: value.casefold().startswith(text)


def _has_words(wanted: str) -> Callable[[str], bool]:
    words = _words(wanted)

    def test(value: str) -> bool:
        found = _words(value) | _joined(value)
        return all(any(one.startswith(word) for one in found) for word in words)

    return test


def _words(text: str) -> set[str]:
    """The words and symbols of a text: spaces, numbers, symbols and humps part them."""
    return {one.casefold() for one in _WORD.findall(_HUMP.sub(" ", text))}


def _joined(text: str) -> set[str]:
    """What nothing but symbols parts, put together."""
    return {re.sub(r"\W|_", "", word).casefold() for word in text.split()}
