"""Every endpoint that the suite holds to the protocol. A new one joins by an object of its own
(`place.Place`) in this list."""

from __future__ import annotations

from typing import Any

import pytest

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
}


def _places(*traits: Trait) -> pytest.MarkDecorator:
    names = [name for name, place in PLACES.items() if place.traits.issuperset(traits)]
    return pytest.mark.parametrize("place", names, indirect=True)


everywhere = _places()
where_we_write = _places(Trait.WRITES)
where_changes_are_told = _places(Trait.DELTA)
in_collections = _places(Trait.COLLECTION)
