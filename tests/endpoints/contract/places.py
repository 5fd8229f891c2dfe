"""Every endpoint that the suite holds to the protocol. A new one joins by an object of its own
(`place.Place`) in this list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from tests.endpoints.graph.conftest import answers

from .address_books import AddressBook
from .exchange_server import ExchangeCalendar, ExchangeContacts, PublicContacts
from .mail_contacts import MailContacts
from .microsoft365 import AddressList, GraphCalendar, GraphContacts
from .place import Trait

PLACES: dict[str, Any] = {
    "graph-contacts": GraphContacts,
    "graph-calendar": GraphCalendar,
    "graph-address-list": AddressList,
    "exchange-contacts": ExchangeContacts,
    "exchange-public-folder": PublicContacts,
    "exchange-calendar": ExchangeCalendar,
    "mail-contacts": MailContacts,
    "address-book": AddressBook,
}


def _places(*traits: Trait) -> pytest.MarkDecorator:
    return _in(
        {name: place for name, place in PLACES.items() if place.traits.issuperset(traits)},
    )


def _in(places: Mapping[str, Callable[[], Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("place", places.values(), ids=places, indirect=True)


everywhere = _places()
where_we_write = _places(Trait.WRITES)
where_changes_are_told = _places(Trait.DELTA)
in_collections = _places(Trait.COLLECTION)
where_there_is_a_bin = _places(Trait.BIN)
where_dates_are_told = _places(Trait.DATES)
in_calendars = _places(Trait.CALENDAR)


def in_calendars_with(*questions: str) -> pytest.MarkDecorator:
    """In calendars; in that of Microsoft Graph with each answer to these questions, which its
    documents leave open (switches of the simulator)."""
    calendars = {name: one for name, one in PLACES.items() if Trait.CALENDAR in one.traits}
    calendars |= {
        f"graph-calendar, {name}": partial(GraphCalendar, switches)
        for name, switches in answers(*questions).items()
    }
    return _in(calendars)
