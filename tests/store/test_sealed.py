"""What items hold, sealed for their rows, and remembered once it was opened."""

from __future__ import annotations

import os

import pytest

from cirahub_sync.errors import KeyUnavailableError
from cirahub_sync.model.contact import Contact
from cirahub_sync.recent import Recent
from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.sealed import SealedItems

ADA = Contact(display_name="Ada Lovelace")


@pytest.fixture
def items() -> SealedItems:
    return SealedItems(Cipher(os.urandom(32), 1), "hub")


def test_what_was_sealed_is_opened_once_for_all_who_read_it(items: SealedItems) -> None:
    sealed = items.seal("ada", ADA)
    first = items.open("ada", sealed)
    assert first == ADA
    assert items.open("ada", bytes(bytearray(sealed))) is first


def test_what_was_sealed_for_one_item_opens_for_no_other(items: SealedItems) -> None:
    sealed = items.seal("ada", ADA)
    items.open("ada", sealed)
    with pytest.raises(KeyUnavailableError):
        items.open("grace", sealed)


def test_what_was_made_first_is_forgotten_first() -> None:
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return name

    recent: Recent[str] = Recent(2)
    for name in ("a", "b", "a", "c", "b", "a"):
        assert recent.get(name, lambda name=name: make(name)) == name  # type: ignore[misc]
    assert made == ["a", "b", "c", "a"]
