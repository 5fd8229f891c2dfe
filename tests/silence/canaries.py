"""What must never be said: the people's data that went over the wire in a test run, whichever it
was, and the secrets of the simulated organisations.

Nothing is planted for this alone: every address, phone number, note, subject and full name that a
mailbox held is a canary, from the recordings that the simulators of the run made. Left out are the
addresses of mailboxes that Spokes lead to, which manifests name, and texts that are too short or
too common to be told from what anybody says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

WORD = re.compile(r"\w+")
ADDRESS = re.compile(r"(?<![\w.+'’-])[\w.+'’-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
PHONE = re.compile(r"(?<![\d+])\+?\d[\d ().-]{6,24}\d(?: ?(?:x|ext\.?) ?\d{1,8})?")
"""From where a run begins, and no longer than may be: what is long is a photo or an attachment."""
MAILBOX = re.compile(r"/users/([^/?]+@[^/?]+)")
XML_TEXT = re.compile(r"<t:(Subject|Body|Location|Street|DisplayName|FullName)[^>]*>([^<]{10,})<")
XML_OWNER = re.compile(r"<t:(?:PrimarySmtpAddress|SmtpAddress)>([^<]+)<")
TEXTS = frozenset({"displayName", "personalNotes", "subject", "bodyPreview", "street", "content"})
PHONES = frozenset({"mobilePhone", "homePhones", "businessPhones", "faxNumber"})
CONTACT = frozenset({"emailAddresses", "givenName", "surname", "companyName"})
ADDRESSES = frozenset({"address", "mail", "otherMails", "imAddresses"})
SHORTEST = 10
"""Characters of a text that is told from what anybody says; of two words at least."""
SECRETS = (
    re.compile(r"\beyJ[\w-]{16,}\.[\w-]{16,}\."),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
)
"""A token, a key: whatever is in them."""


@dataclass
class Canaries:
    addresses: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    texts: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """By their first two words."""
    secrets: set[str] = field(default_factory=set)
    mailboxes: set[str] = field(default_factory=set)
    """What manifests name."""

    def counts(self) -> dict[str, int]:
        return {
            "addresses": len(self.addresses - self.mailboxes),
            "phone numbers": len(self.phones),
            "names and texts": sum(map(len, self.texts.values())),
            "secrets": len(self.secrets),
        }

    def of_exchange(self, record: dict[str, Any]) -> None:
        """A request and its answer, as the simulator recorded them."""
        self.mailboxes.update(unquote(one).lower() for one in MAILBOX.findall(record["path"]))
        for body in (record["request_body"], record["body"]):
            if body[:1] in "{[":
                try:
                    self._told(json.loads(body), record["path"])
                except ValueError:
                    continue  # half an answer, by a fault
            elif body.lstrip()[:1] == "<":
                self._xml(body)

    def text(self, text: str) -> None:
        words = WORD.findall(text)
        if len(text) >= SHORTEST and len(words) > 1 and not text.isnumeric():
            self.texts.setdefault((words[0], words[1]), set()).add(text.strip())

    def found(self, said: str) -> Iterator[tuple[str, str]]:
        """Kind and value of each canary in a text."""
        for address in ADDRESS.findall(said):
            if address.lower() in self.addresses and address.lower() not in self.mailboxes:
                yield "address", address
        for phone in PHONE.findall(said):
            if phone in self.phones:
                yield "phone number", phone
        words = WORD.findall(said)
        for pair in pairwise(words):
            for text in self.texts.get(pair, ()):
                if text in said:
                    yield "text", text
        for secret in self.secrets:
            if secret in said:
                yield "secret", secret
        for pattern in SECRETS:
            yield from (("secret", one) for one in pattern.findall(said))

    def _told(self, value: Any, path: str, *, person: bool = False) -> None:
        if isinstance(value, list):
            for one in value:
                self._told(one, path, person=person)
        elif isinstance(value, dict):
            self.mailboxes.update(
                unquote(one).lower() for one in MAILBOX.findall(str(value.get("url", "")))
            )
            person = person or bool(CONTACT & value.keys()) or "subject" in value
            for name, inner in value.items():
                self._field(name, inner, path, person=person)

    def _field(self, name: str, value: Any, path: str, *, person: bool) -> None:
        if isinstance(value, dict | list) and name not in PHONES | ADDRESSES:
            self._told(value, path, person=person)
        elif name in ADDRESSES:
            self.addresses.update(one.lower() for one in _strings(value) if "@" in one)
        elif name in PHONES:
            self.phones.update(one for one in _strings(value) if PHONE.fullmatch(one))
        elif name in TEXTS and person and isinstance(value, str):
            self.text(value)

    def _xml(self, body: str) -> None:
        self.mailboxes.update(one.lower() for one in XML_OWNER.findall(body))
        self.addresses.update(one.lower() for one in ADDRESS.findall(body))
        if "<t:Contact>" in body or "<t:CalendarItem>" in body:
            for _, text in XML_TEXT.findall(body):
                self.text(text)


def _strings(value: Any) -> Iterable[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def gathered(recordings: Iterable[Path], secrets: Iterable[str]) -> Canaries:
    found = Canaries(secrets=set(secrets))
    for recording in recordings:
        with recording.open() as lines:
            for line in lines:
                found.of_exchange(json.loads(line))
    return found
