"""A vCard as the lines that it has: those that nobody changes stay as they are, byte for byte.

Versions 3.0 (RFC 2426) and 4.0 (RFC 6350) have one grammar of lines, which vobject reads. Its
components are not used: they decode and encode what they don't know, and lose some of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property
from typing import TypeVar

VERSIONS = ("3.0", "4.0")
_WIDTH = 75
"""Octets of a line, without its end (RFC 2426 2.6, RFC 6350 3.2)."""
_LOGICAL = re.compile(r"\r?\n(?![ \t])")
_FOLD = re.compile(r"\r?\n[ \t]")
_HEAD = re.compile(r"(?:([A-Za-z0-9-]+)\.)?([A-Za-z0-9_-]+)[;:]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PIECES = re.compile(r"\\.|.", re.DOTALL)
_LABEL = "X-ABLABEL"
"""What Apple calls a property of the same group: nothing by itself."""


Element = TypeVar("Element")


class CardError(Exception):
    """A text that is no vCard of ours to read. Without any of it."""


class Line:
    """A property, as it stands and as it is read. Never changes."""

    def __init__(self, raw: str) -> None:
        """`raw`: with its folds, without its end."""
        self.raw = raw
        self._text = _FOLD.sub("", raw) if "\n" in raw else raw
        head = _HEAD.match(self._text)
        self.group = "" if head is None else (head[1] or "").upper()
        self.name = "" if head is None else head[2].upper()
        """Blank of a line that is no property; in capitals, as names are compared."""
        self._bare = head.end() if head is not None and head[0].endswith(":") else None
        """Where the value begins, if there is no parameter before it."""

    @cached_property
    def _parsed(self) -> tuple[Sequence[Sequence[str]], str]:
        if self._bare is not None:
            return (), self._text[self._bare :]
        # Not at the top: a run in which nothing changed meets no card.
        from vobject.base import ParseError, parseLine

        try:
            _, parameters, value, _ = parseLine(self._text)
        except ParseError:
            return (), self._text.partition(":")[2]
        return parameters, value

    @property
    def value(self) -> str:
        """Still escaped."""
        return self._parsed[1]

    @cached_property
    def types(self) -> frozenset[str]:
        """Of the parameter TYPE, in small letters; 2.1 wrote them without its name."""
        found: set[str] = set()
        for name, *values in self._parsed[0]:
            if name.upper() == "TYPE":
                found.update(one for value in values for one in value.lower().split(","))
            elif not values:
                found.add(name.lower())
        return frozenset(found)

    def parameter(self, name: str) -> str:
        """Its first value; blank if there is none."""
        for given, *values in self._parsed[0]:
            if given.upper() == name and values:
                return values[0]
        return ""

    def with_value(self, value: str) -> Line:
        """Everything before the value as it is."""
        before = self._text[: len(self._text) - len(self.value)]
        return made(before, value)


class Card:
    """The lines between BEGIN and END, to be changed in place."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.lines = list(lines)

    def named(self, name: str) -> list[Line]:
        return [line for line in self.lines if line.name == name]

    def first(self, name: str) -> Line | None:
        return next((line for line in self.lines if line.name == name), None)

    def text(self, name: str) -> str:
        """Of the first one, read; blank if there is none."""
        line = self.first(name)
        return "" if line is None else unescape(line.value)

    def replace(self, old: Line, new: Line | None) -> None:
        """None: without it, and without a label that was its alone."""
        at = next(at for at, line in enumerate(self.lines) if line is old)
        if new is not None:
            self.lines[at] = new
            return
        del self.lines[at]
        if old.group:
            left = [line for line in self.lines if line.group == old.group]
            if all(line.name == _LABEL for line in left):
                self.lines = [line for line in self.lines if line.group != old.group]

    def put(self, name: str, value: str) -> None:
        """The first one's value, or a new one's. Blank: without it."""
        line = self.first(name)
        if line is None:
            if value:
                self.append(made(f"{name}:", value))
        else:
            self.replace(line, line.with_value(value) if value else None)

    def append(self, line: Line) -> None:
        """After others of its name."""
        last = max(
            (at for at, one in enumerate(self.lines) if one.name == line.name),
            default=len(self.lines) - 1,
        )
        self.lines.insert(last + 1, line)

    def relist(
        self,
        lines: Iterable[Line],
        read: Callable[[Line], Element | None],
        wanted: Iterable[Element],
        write: Callable[[Element, Line | None], Line],
        kind: Callable[[Element], object],
    ) -> None:
        """Have `wanted` in the place of what `lines` read as. A line that is read as None is left
        alone; one whose element stays is too; one whose element is replaced by another of its
        `kind` keeps its parameters and its group."""
        left = list(wanted)
        gone: list[tuple[Line, Element]] = []
        for line in lines:
            element = read(line)
            if element is None:
                continue
            if element in left:
                left.remove(element)
            else:
                gone.append((line, element))
        for element in left:
            found = next((one for one in gone if kind(one[1]) == kind(element)), None)
            if found is None:
                self.append(write(element, None))
            else:
                gone.remove(found)
                self.replace(found[0], write(element, found[0]))
        for line, _ in gone:
            self.replace(line, None)

    def __str__(self) -> str:
        inside = "".join(f"{line.raw}\r\n" for line in self.lines)
        return f"BEGIN:VCARD\r\n{inside}END:VCARD\r\n"


def parse(text: str) -> Card:
    """Raises CardError for what is not one vCard of a version that is known."""
    raw = [line for line in _LOGICAL.split(text.removeprefix("\ufeff")) if line.strip()]
    ends = [line.strip().upper() for line in (*raw[:1], *raw[-1:])]
    if ends != ["BEGIN:VCARD", "END:VCARD"]:
        raise CardError("no vCard")
    card = Card(Line(line.rstrip("\r")) for line in raw[1:-1])
    if card.first("BEGIN") is not None:
        raise CardError("several vCards in one")
    if card.text("VERSION").strip() not in VERSIONS:
        raise CardError("a vCard of another version than 3.0 and 4.0")
    return card


def made(before: str, value: str) -> Line:
    """A line of ours, folded (RFC 6350 3.2). `before` ends with the colon; `value` is escaped."""
    return Line(_folded(f"{before}{value}"))


def _folded(text: str) -> str:
    """In lines of so many octets, the blank that a further one begins with included, and no
    character torn apart. vobject, which does that a character at a time, took as much of the
    processor for the cards of a first sync as their TLS."""
    octets = text.encode()
    if len(octets) <= _WIDTH:
        return text
    pieces: list[bytes] = []
    start, end = 0, _WIDTH
    while end < len(octets):
        while octets[end] & 0xC0 == 0x80:  # in the middle of a character (RFC 3629 3)
            end -= 1
        pieces.append(octets[start:end])
        start, end = end, end + _WIDTH - 1
    pieces.append(octets[start:])
    return b"\r\n ".join(pieces).decode()


def escape(text: str) -> str:
    """A text as a value (RFC 6350 3.4), or as a component of one."""
    text = plain(text)
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    text = text.replace(";", "\\;").replace(",", "\\,")
    return text.replace("\n", "\\n")


def plain(text: str) -> str:
    """Without what can't be said, and with line ends of one kind."""
    if text.isprintable():
        return text
    return _controls().sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


@cache
def _controls() -> re.Pattern[str]:
    """What neither a vCard nor XML can say. Takes milliseconds to compile."""
    return re.compile("[^\t\n\x20-\x7e\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def unescape(value: str) -> str:
    if "\\" not in value:
        return value
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def split(value: str, separator: str) -> list[str]:
    """The components of a value, still escaped: one at least."""
    if "\\" not in value:
        return value.split(separator)
    parts = [""]
    for piece in _PIECES.findall(value):
        if piece == separator:
            parts.append("")
        else:
            parts[-1] += piece
    return parts
