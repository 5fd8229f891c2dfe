"""People who change things while something else happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from cirahub_simulator.client import AdminClient

EVERY = 0.2
EDITS = 3
"""Each third change is an edit of what came before."""
DELETIONS = 10
"""Each tenth is a deletion, as long as some are allowed."""
SHARED = 4
"""Each fourth newcomer is known to two mailboxes."""
FIELDS = ("jobTitle", "department")
"""What the first who knows somebody says of them, and what the second: they never disagree."""
DOMAIN = "arrivals.example"


@dataclass(slots=True)
class Arrival:
    """Somebody whom mailboxes have come to know."""

    number: int
    contacts: dict[str, str] = field(default_factory=dict)
    """Ids by mailbox."""
    fields: dict[str, str] = field(default_factory=dict)
    """What the mailboxes say that nobody else says."""

    @property
    def name(self) -> str:
        return f"Arrival {self.number}"

    @property
    def address(self) -> str:
        return f"arrival-{self.number}@{DOMAIN}"


class Load:
    """New contacts in mailboxes that contribute, edits of them, and deletions if any are allowed:
    of as many people as `deletions` says at most, which a hub's guard has to let pass."""

    def __init__(
        self,
        admin: AdminClient,
        mailboxes: Sequence[str],
        *,
        every: float = EVERY,
        deletions: int = 0,
    ) -> None:
        self._admin = admin
        self._mailboxes = mailboxes
        self._every = every
        self._may_delete = deletions
        self._there: list[Arrival] = []
        self.created = self.edits = self.deletions = 0

    @property
    def expected(self) -> Mapping[str, Mapping[str, str]]:
        """What is said of whom, by address."""
        return {arrival.address: arrival.fields for arrival in self._there}

    def contacts(self, mailbox: str) -> set[str]:
        """Ids of those that it was given, and still has."""
        return {one.contacts[mailbox] for one in self._there if mailbox in one.contacts}

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Until the end of the block. Raises what went wrong with it."""
        ended = threading.Event()
        failures: list[BaseException] = []

        def run() -> None:
            try:
                while not ended.wait(self._every):
                    self._change()
            except BaseException as error:  # raised again where somebody waits for it
                failures.append(error)

        thread = threading.Thread(target=run, name="load", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        if failures:
            raise failures[0]

    def _change(self) -> None:
        changes = self.created + self.edits + self.deletions
        if self._there and changes % EDITS == 0:
            self._edit()
        elif self._may_delete > self.deletions and changes % DELETIONS == DELETIONS - 1:
            self._delete()
        else:
            self._create()

    def _create(self) -> None:
        arrival = Arrival(self.created)
        knowing = 2 if self.created % SHARED == SHARED - 1 else 1
        for author, said in enumerate(FIELDS[:knowing]):
            mailbox = self._mailboxes[(arrival.number + author) % len(self._mailboxes)]
            value = f"Number {arrival.number}"
            contact = {
                "displayName": arrival.name,
                "emailAddresses": [{"address": arrival.address, "name": arrival.name}],
                said: value,
            }
            made = self._admin.create_contact(mailbox, contact)
            arrival.contacts[mailbox] = str(made["id"])
            arrival.fields[said] = value
        self._there.append(arrival)
        self.created += 1

    def _edit(self) -> None:
        self.edits += 1
        arrival = self._there[self.edits % len(self._there)]
        author = self.edits % len(arrival.contacts)
        mailbox, contact = list(arrival.contacts.items())[author]
        value = f"Edit {self.edits}"
        self._admin.update_contact(mailbox, contact, {FIELDS[author]: value})
        arrival.fields[FIELDS[author]] = value

    def _delete(self) -> None:
        """Who came last, whom perhaps nobody has read yet, and who was there first, in turn. Of who
        is known to two mailboxes, by the second: the first goes on saying what it says."""
        arrival = self._there[-1 if self.deletions % 2 else 0]
        mailbox, contact = list(arrival.contacts.items())[-1]
        self._admin.delete_contact(mailbox, contact)
        del arrival.contacts[mailbox], arrival.fields[FIELDS[len(arrival.contacts)]]
        if not arrival.contacts:
            self._there.remove(arrival)
        self.deletions += 1
