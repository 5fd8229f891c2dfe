"""Query strings of FindItem: what Exchange has of the Advanced Query Syntax, dates left out.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/querystring-querystringtype:
words are compared by their beginnings and without regard to case; a phrase in quotes word for word
and in order, or with an asterisk behind it by the beginning of each word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from cirahub_simulator.calendar.text import as_text
from cirahub_simulator.ews.attachment import attachments_of
from cirahub_simulator.ews.errors import EwsError, not_supported
from cirahub_simulator.ews.kinds import kind_of
from cirahub_simulator.ews.markup import text_of
from cirahub_simulator.ews.property import Reading
from cirahub_simulator.graph.contact import Contact

Test = Callable[[Reading], bool]

_PART = re.compile(
    r"\s*(?:(?P<mark>[()+-])|(?P<property>\w+):"
    r'|"(?P<phrase>[^"]*)"(?P<star>\*?)|(?P<word>[^\s()"]+))'
)
_WORD = re.compile(r"\w+")
_PROPERTIES = {
    "attachment": "attachment",
    "bcc": "participants",
    "body": "body",
    "cc": "participants",
    "content": "body",
    "from": "from",
    "kind": "kind",
    "participants": "participants",
    "subject": "subject",
    "to": "participants",
}
_MOST = 100
"""Words and marks of a query string; it is read by recursion."""
_KINDS = {"contacts": True, "meetings": False}
"""Whether it is contacts; there are no items of the other kinds."""


def read_query(text: str) -> Test:
    """The test that a query string is. Raises EwsError."""
    return _Parser(text).parse()


class _Parser:
    """Recursive descent; NOT binds closest, then AND, which need not be written, then OR."""

    def __init__(self, text: str) -> None:
        self._parts = list(_PART.finditer(text))
        if len(self._parts) > _MOST:
            raise EwsError("ErrorRestrictionTooComplex", "The query string is too complex.")
        self._at = 0

    def parse(self) -> Test:
        test = self._either("")
        if self._at != len(self._parts):
            raise _wrong()
        return test

    def _either(self, name: str) -> Test:
        tests = [self._both(name)]
        while self._take("OR"):
            tests.append(self._both(name))
        return lambda reading: any(test(reading) for test in tests)

    def _both(self, name: str) -> Test:
        tests = [self._single(name)]
        while self._at < len(self._parts) and self._next() not in (")", "OR"):
            if self._next() in ("AND", "+"):
                self._at += 1
            tests.append(self._single(name))
        return lambda reading: all(test(reading) for test in tests)

    def _single(self, name: str) -> Test:
        if self._take("NOT") or self._take("-"):
            test = self._single(name)
            return lambda reading: not test(reading)
        if self._take("("):
            test = self._either(name)
            if not self._take(")"):
                raise _wrong()
            return test
        if self._at == len(self._parts):
            raise _wrong()
        part = self._parts[self._at]
        self._at += 1
        if part["property"] is not None:
            known = _PROPERTIES.get(part["property"].lower())
            if known is None:
                raise not_supported(f"a query string with {part['property']}")
            return self._single(known)
        if part["mark"] is not None:
            raise _wrong()
        if name == "kind":
            wanted = _KINDS.get((part["word"] or part["phrase"] or "").lower())
            return lambda reading: isinstance(reading.item, Contact) is wanted
        if part["word"] is not None:
            return partial(_has, name, _words(part["word"]), exact=False, together=False)
        return partial(_has, name, _words(part["phrase"]), exact=not part["star"], together=True)

    def _next(self) -> str:
        part = self._parts[self._at]
        return part["mark"] or part["word"] or ""

    def _take(self, what: str) -> bool:
        found = self._at < len(self._parts) and self._next() == what
        self._at += found
        return found


def _has(name: str, wanted: list[str], reading: Reading, *, exact: bool, together: bool) -> bool:
    """Whether a property, or any where none is named, has words."""

    def same(word: str, found: str) -> bool:
        return found == word if exact else found.startswith(word)

    for text in _texts(reading, name):
        words = _words(text)
        if together:
            runs = range(len(words) - len(wanted) + 1)
            if any(all(map(same, wanted, words[start:])) for start in runs):
                return True
        elif all(any(same(word, found) for found in words) for word in wanted):
            return True
    return False


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _texts(reading: Reading, name: str) -> list[str]:
    """What an item has under the name of a property; blank: all that is looked through."""
    subject = kind_of(reading.item).properties["item:Subject"].render(reading)
    found: dict[str, list[str | None]] = {
        "subject": [None if subject is None else text_of(subject)],
        "attachment": [one.name for one in attachments_of(reading.mailbox, reading.item)],
    }
    if isinstance(reading.item, Contact):
        fields = reading.item.fields
        found["body"] = [fields.personal_notes]
        found["names"] = [
            fields.display_name,
            fields.given_name,
            fields.surname,
            fields.company_name,
            fields.job_title,
            *(one.address for one in fields.email_addresses),
        ]
    else:
        event = reading.item.fields
        found["body"] = [as_text(event.body)]
        found["from"] = [reading.item.organizer.name, reading.item.organizer.address]
        found["participants"] = [
            text
            for attendee in event.attendees
            for text in (attendee.email_address.name, attendee.email_address.address)
        ]
        found["names"] = [event.location.display_name]
    groups = list(found.values()) if not name else [found.get(name, [])]
    return [text for group in groups for text in group if text]


def _wrong() -> EwsError:
    return EwsError("ErrorInvalidArgument", "The query string is not well formed.")
