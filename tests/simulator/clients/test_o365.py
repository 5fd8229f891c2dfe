"""`O365` (python-o365), used as its documentation shows.

https://o365.github.io/python-o365/latest/usage/addressbook.html and …/calendar.html.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.seed.generate import CIRAHUB

pytestmark = [
    # The library warns of its own modules.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::SyntaxWarning"),
]

ANNA = "anna.bergstrom@contoso.example"
UTC = ZoneInfo("UTC")


@pytest.fixture
def account() -> Any:
    from O365 import Account  # type: ignore[import-untyped]
    from O365.utils.token import MemoryTokenBackend  # type: ignore[import-untyped]

    account = Account(
        (CIRAHUB, "simulated-contoso-secret"),
        auth_flow_type="credentials",
        tenant_id="contoso.example",
        token_backend=MemoryTokenBackend(),
        timezone="UTC",
        requests_delay=0,
    )
    assert account.authenticate()
    return account


def test_contacts(account: Any, simulator: EmbeddedSimulator) -> None:
    book = account.address_book(resource=ANNA)
    shown = [one["contact"] for one in simulator.admin.contacts(ANNA) if not one["folder"]]
    # Fewer than there are, so that it takes pages.
    assert len(list(book.get_contacts(limit=None, batch=25))) == len(shown)

    contact = book.new_contact()
    contact.name, contact.surname = "Pavel", "Bansky"
    contact.emails.add(("Pavel Bansky", "pavelb@contoso.example"))
    contact.job_title = "Cook"
    contact.business_phones = ["+1 732 555 0102"]
    contact.personal_notes = "Met in Praha"
    contact.categories = ["Board"]
    assert contact.save()

    def found() -> Any:
        query = book.q().equals("surname", "Bansky")
        (one,) = book.get_contacts(query=query)
        return one

    assert (found().full_name, found().job_title) == ("Pavel Bansky", "Cook")
    assert (found().main_email, found().personal_notes) == (
        "pavelb@contoso.example",
        "Met in Praha",
    )
    assert found().categories == ["Board"]
    contact = found()
    contact.job_title = "Chef"
    assert contact.save()
    assert found().job_title == "Chef"
    assert found().business_phones == ["+1 732 555 0102"], "what was not sent is left alone"
    assert contact.delete()
    assert len(list(book.get_contacts(limit=None))) == len(shown)


def test_folders(account: Any) -> None:
    book = account.address_book(resource=ANNA)
    names = {one.name for one in book.get_folders()}
    assert book.create_child_folder("Hub")
    folder = book.get_folder(folder_name="Hub")
    folder.root = False  # the library takes every folder of an address book for its root
    assert list(folder.get_contacts()) == []
    assert folder.update_folder_name("Hub of all")
    assert {one.name for one in book.get_folders()} == names | {"Hub of all"}
    assert folder.delete()
    assert {one.name for one in book.get_folders()} == names


def test_queries(account: Any) -> None:
    book = account.address_book(resource=ANNA)
    every = list(book.get_contacts(limit=None))
    query = book.q().startswith("display_name", "Ha")
    chosen = list(book.get_contacts(limit=None, query=query))
    wanted = [one.display_name for one in every if one.display_name.startswith("Ha")]
    assert sorted(one.display_name for one in chosen) == sorted(wanted) != []
    ordered = [one.display_name for one in book.get_contacts(limit=None, order_by="displayName")]
    assert len(ordered) == len(every)
    assert ordered == sorted(ordered, key=str.casefold)


def test_calendars_and_events(account: Any, simulator: EmbeddedSimulator) -> None:
    schedule = account.schedule(resource=ANNA)
    calendar = schedule.new_calendar("Rota")
    assert calendar.name == "Rota"
    event = calendar.new_event()
    event.subject = "Stand-up"
    event.start = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
    event.end = datetime(2026, 12, 1, 9, 15, tzinfo=UTC)
    event.location = "Room 1"
    event.recurrence.set_daily(1, start=date(2026, 12, 1), occurrences=3)
    assert event.save()

    found = list(
        calendar.get_events(
            include_recurring=True,
            start_recurring=datetime(2026, 11, 30, tzinfo=UTC),
            end_recurring=datetime(2026, 12, 10, tzinfo=UTC),
        )
    )
    assert [one.subject for one in found] == ["Stand-up"] * 3
    assert sorted(one.start.day for one in found) == [1, 2, 3]
    assert {one.location["displayName"] for one in found} == {"Room 1"}

    event.subject = "Stand up"
    assert event.save()
    (master,) = calendar.get_events(include_recurring=False)
    assert master.subject == "Stand up"
    assert master.delete()
    assert calendar.delete()
    assert "Rota" not in [one.name for one in schedule.list_calendars()]
    assert simulator.admin.messages() == [], "nobody was invited"


def test_the_directory(account: Any) -> None:
    users = list(account.directory().get_users(limit=None))
    assert ANNA in [one.user_principal_name for one in users]
