"""Whoever follows delta answers as documented ends up with what the folder holds.

Under every setting of what is open about them, except those that lose items by themselves.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from tests.simulator.graph.cloud import ADA, Client

from cirahub_simulator.graph.seed import mailbox_of

CONTACTS = f"/users/{ADA}/contacts"
DELTA = f"/users/{ADA}/contactFolders/contacts/contacts/delta"
SETTINGS = list(
    product(
        ("oldest-first", "newest-first", "shuffled"), (False, True), (False, True), (False, True)
    )
)


class Replica:
    """A reader that keeps what it was told, page by page."""

    def __init__(self, client: Client, *, immutable_ids: bool) -> None:
        self._client = client
        self._prefer = "odata.maxpagesize=3"
        if immutable_ids:
            self._prefer += ', IdType="ImmutableId"'
        self._url = DELTA
        self.contacts: dict[str, Any] = {}

    def read_page(self) -> bool:
        """Read on; whether the round is done."""
        answer = self._client.get(self._url, prefer=self._prefer)
        assert answer.status == 200
        for item in answer.items:
            if "@removed" in item:
                self.contacts.pop(item["id"], None)
            else:
                self.contacts[item["id"]] = item["surname"]
        done = "@odata.deltaLink" in answer.json
        self._url = answer.json["@odata.deltaLink" if done else "@odata.nextLink"]
        return done

    def truth(self) -> dict[str, Any]:
        """What the folder holds."""
        listed = self._client.get(f"{CONTACTS}?$top=1000", prefer=self._prefer).items
        return {item["id"]: item["surname"] for item in listed}


@pytest.mark.parametrize(("order", "repeats", "empty", "immutable_ids"), SETTINGS)
def test_a_reader_ends_up_with_what_is_there(
    switched: Callable[..., Client], order: str, repeats: bool, empty: bool, immutable_ids: bool
) -> None:
    client = switched(delta_order=order, delta_repeats=repeats, delta_empty_first_page=empty)
    chance = random.Random(f"{order}{repeats}{empty}{immutable_ids}")
    mailbox = mailbox_of(client.service.world, ADA)
    aside = mailbox.create_folder(mailbox.default_folder, "Aside")
    replica = Replica(client, immutable_ids=immutable_ids)
    for number in range(300):
        here = list(mailbox.default_folder.contacts.values())
        there = list(aside.contacts.values())
        match chance.choice(("create", "create", "change", "delete", "leave", "return", "read")):
            case "create":
                client.post(CONTACTS, {"givenName": "A", "surname": str(number)})
            case "change" if here:
                url = f"{CONTACTS}/{chance.choice(here).immutable_id}"
                client.patch(url, {"surname": str(number)})
            case "delete" if here:
                client.delete(f"{CONTACTS}/{chance.choice(here).id}")
            case "leave" if here:
                mailbox.move_contact(chance.choice(here), aside)
            case "return" if there:
                mailbox.move_contact(chance.choice(there), mailbox.default_folder)
            case _:
                replica.read_page()
    while not replica.read_page():
        pass
    assert replica.contacts == replica.truth() != {}
