"""Filters of recipient cmdlets: OPATH, as far as `-Filter` needs it.

https://learn.microsoft.com/powershell/exchange/recipient-filters and
https://learn.microsoft.com/powershell/exchange/filter-properties: comparisons don't regard case;
`-like` takes `*` at the start and the end of a text; a property of several values matches if any
does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from cirahub_simulator.exchange_admin.errors import bad_filter

Values = Mapping[str, object]
Matches = Callable[[Values], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<mark>[()])|(?P<text>'(?:[^']|'')*'|\"[^\"]*\")|(?P<word>[$-]?\w+))", re.UNICODE
)
_COMPARISONS = frozenset(("-eq", "-ne", "-like", "-notlike"))
_CONSTANTS = {"$true": "true", "$false": "false", "$null": ""}


def compile_filter(text: str) -> Matches:
    """A predicate over a recipient's properties by name. Raises CmdletError."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[str] = []
        end = 0
        while text[end:].strip():
            match = _TOKEN.match(text, end)
            if match is None:
                raise bad_filter(text)
            self._tokens.append(match.group().strip())
            end = match.end()

    def whole(self) -> Matches:
        found = self._either()
        if self._tokens:
            raise bad_filter(self._text)
        return found

    def _either(self) -> Matches:
        parts = [self._both()]
        while self._next("-or"):
            parts.append(self._both())
        return lambda values: any(part(values) for part in parts)

    def _both(self) -> Matches:
        parts = [self._one()]
        while self._next("-and"):
            parts.append(self._one())
        return lambda values: all(part(values) for part in parts)

    def _one(self) -> Matches:
        if self._next("-not"):
            inner = self._one()
            return lambda values: not inner(values)
        if self._next("("):
            inner = self._either()
            if not self._next(")"):
                raise bad_filter(self._text)
            return inner
        return self._comparison()

    def _comparison(self) -> Matches:
        if len(self._tokens) < 3:
            raise bad_filter(self._text)
        name, operator, value = (self._tokens.pop(0) for _ in range(3))
        operator = operator.lower()
        if operator not in _COMPARISONS or not name.isidentifier():
            raise bad_filter(self._text)
        wanted = self._value(value)
        pattern = re.compile(
            ".*".join(re.escape(part) for part in wanted.split("*"))
            if "like" in operator
            else re.escape(wanted),
            re.IGNORECASE | re.DOTALL,
        )
        negated = operator in ("-ne", "-notlike")

        def matches(values: Values) -> bool:
            known = {key.lower(): found for key, found in values.items()}
            if name.lower() not in known:
                raise bad_filter(self._text)
            return any(map(pattern.fullmatch, _texts(known[name.lower()]))) != negated

        return matches

    def _value(self, token: str) -> str:
        if token[0] in "'\"":
            return token[1:-1].replace("''", "'")
        if token.lower() in _CONSTANTS:
            return _CONSTANTS[token.lower()]
        raise bad_filter(self._text)

    def _next(self, token: str) -> bool:
        if self._tokens and self._tokens[0].lower() == token:
            self._tokens.pop(0)
            return True
        return False


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(one) for one in value]
    if isinstance(value, bool):
        return [str(value).lower()]
    return [str(value or "")]
