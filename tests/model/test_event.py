"""What an event is made of."""

from __future__ import annotations

from cirahub_sync.model.event import FIELDS, INBOUND, INITIAL, LIST_FIELDS, LOCAL, SHARED


def test_every_field_is_shared_or_inbound_or_local_and_only_one_of_them() -> None:
    assert set(FIELDS) == SHARED | INBOUND | LOCAL
    assert len(SHARED) + len(INBOUND) + len(LOCAL) == len(FIELDS)
    assert INITIAL <= LOCAL
    assert set(FIELDS) >= LIST_FIELDS


def test_there_is_nothing_of_an_event_that_could_hold_those_who_are_invited() -> None:
    """Invariant 10: what can't be said can't be written into a copy."""
    assert set(FIELDS) == {
        "subject",
        "body",
        "location",
        "schedule",
        "exceptions",
        "uid",
        "original_start",
        "role",
        "response",
        "show_as",
        "reminder",
        "sensitivity",
        "categories",
    }
