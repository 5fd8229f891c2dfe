"""People who change things while something else happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cirahub_simulator.client import AdminClient

EVERY = 0.2
EDITS = 3
"""Each third change is an edit of what came before."""
DOMAIN = "arrivals.example"


class Load:
    """New contacts in mailboxes that contribute, and edits of them."""

    def __init__(self, admin: AdminClient, mailboxes: Sequence[str]) -> None:
        self._admin = admin
        self._mailboxes = mailboxes
        self.expected: dict[str, str] = {}
        """Job titles by address."""
        self.edits = 0
        self._made: list[tuple[str, str, str]] = []
        """Address, mailbox and id."""

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Until the end of the block. Raises what went wrong with it."""
        ended = threading.Event()
        failures: list[BaseException] = []

        def run() -> None:
            try:
                while not ended.wait(EVERY):
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
        if self._made and (len(self._made) + self.edits) % EDITS == 0:
            self._edit()
        else:
            self._create()

    def _create(self) -> None:
        number = len(self._made)
        mailbox = self._mailboxes[number % len(self._mailboxes)]
        address, title = f"arrival-{number}@{DOMAIN}", f"Number {number}"
        contact = {
            "displayName": f"Arrival {number}",
            "emailAddresses": [{"address": address, "name": f"Arrival {number}"}],
            "jobTitle": title,
        }
        made = self._admin.create_contact(mailbox, contact)
        self._made.append((address, mailbox, str(made["id"])))
        self.expected[address] = title

    def _edit(self) -> None:
        self.edits += 1
        address, mailbox, contact = self._made[self.edits % len(self._made)]
        title = f"Edit {self.edits}"
        self._admin.update_contact(mailbox, contact, {"jobTitle": title})
        self.expected[address] = title
