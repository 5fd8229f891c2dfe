"""The aliases of mail contacts that we make."""

from __future__ import annotations

import msgspec
import pytest

from cirahub_sync.endpoints.alias import alias_of, aliases_begin, item_of, made_by_us
from cirahub_sync.endpoints.base import Stamp

STAMP = Stamp("prod-eu", "5f0c", "00112233445566778899aabbccddeeff", "gal", "0190aa")


def test_an_alias_fits_into_an_exchange_alias_and_needs_no_quoting() -> None:
    alias = alias_of(STAMP)

    assert len(alias) <= 64
    assert set(alias) <= set("abcdefghijklmnopqrstuvwxyz234567-")


def test_the_item_is_read_back_from_the_alias_in_any_case() -> None:
    assert item_of(alias_of(STAMP)) == STAMP.item
    assert item_of(alias_of(STAMP).upper()) == STAMP.item


def test_every_attempt_and_every_spoke_has_the_same_alias() -> None:
    other = msgspec.structs.replace(STAMP, spoke="another", attempt="0190bb")

    assert alias_of(other) == alias_of(STAMP)


@pytest.mark.parametrize("field", ["installation", "hub", "item"])
def test_another_installation_hub_or_item_has_another_alias(field: str) -> None:
    other = msgspec.structs.replace(STAMP, **{field: STAMP.item[::-1]})

    assert alias_of(other) != alias_of(STAMP)
    assert made_by_us(alias_of(other))


def test_a_hub_s_aliases_begin_alike() -> None:
    begins = aliases_begin(STAMP.installation, STAMP.hub)

    assert alias_of(STAMP).startswith(begins)
    assert not alias_of(msgspec.structs.replace(STAMP, hub="other")).startswith(begins)


@pytest.mark.parametrize("alias", ["", "ann", "cirahub-", "cirahub-ann", f"x{alias_of(STAMP)}"])
def test_other_people_s_aliases_are_not_ours(alias: str) -> None:
    assert not made_by_us(alias)
    assert item_of(alias) is None
