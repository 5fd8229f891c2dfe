"""`Office365-REST-Python-Client`, used as the examples in its repository show.

https://github.com/vgrem/office365-rest-python-client/tree/master/examples/outlook
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.seed.generate import CIRAHUB

if TYPE_CHECKING:
    from office365.graph_client import GraphClient

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ANNA = "anna.bergstrom@contoso.example"


@pytest.fixture
def client() -> GraphClient:
    from office365.graph_client import GraphClient

    return GraphClient(tenant="contoso.example").with_client_secret(
        CIRAHUB, "simulated-contoso-secret"
    )


def test_contacts_folders_and_delta(client: GraphClient, simulator: EmbeddedSimulator) -> None:
    anna = client.users[ANNA]
    shown = [one["contact"] for one in simulator.admin.contacts(ANNA) if not one["folder"]]
    every = anna.contacts.get_all(page_size=25).execute_query()
    assert len(every) == len(shown)

    folder = anna.contact_folders.add("Hub").execute_query()
    contact = folder.contacts.add(
        "Pavel", "Bansky", "pavelb@contoso.example", "+1 732 555 0102"
    ).execute_query()
    contact.set_property("jobTitle", "Chef").update().execute_query()
    (found,) = folder.contacts.get().execute_query()
    assert found.properties["jobTitle"] == "Chef"
    assert found.properties["displayName"] == "Pavel Bansky"

    (tracked,) = folder.contacts.delta.get_all().execute_query()
    assert tracked.properties["id"] == contact.id
    contact.delete_object().execute_query()
    assert len(folder.contacts.get().execute_query()) == 0
    folder.delete_object().execute_query()
    left = anna.contact_folders.get_all().execute_query()
    assert "Hub" not in [one.properties["displayName"] for one in left]


def test_events(client: GraphClient, simulator: EmbeddedSimulator) -> None:
    events = client.users[ANNA].calendar.events
    made = events.add(
        subject="Stand-up",
        body="Every day",
        start=datetime(2026, 12, 1, 9, 0, tzinfo=UTC),
        end=datetime(2026, 12, 1, 9, 15, tzinfo=UTC),
    ).execute_query()
    found = events.filter("subject eq 'Stand-up'").get().execute_query()
    assert [one.id for one in found] == [made.id]
    made.set_property("subject", "Stand up").update().execute_query()
    again = client.users[ANNA].events[made.id].get().execute_query()
    assert again.properties["subject"] == "Stand up"
    made.delete_object().execute_query()
    left = client.users[ANNA].calendar.events.get_all().execute_query()
    assert made.id not in [one.id for one in left]
    assert simulator.admin.messages() == [], "nobody was invited"


def test_a_batch(client: GraphClient) -> None:
    """Several requests in one, by `execute_batch`."""
    contacts = client.users[ANNA].contacts
    made = [contacts.add("Given", f"Surname {number}") for number in range(5)]
    client.execute_batch()
    assert len({one.id for one in made}) == 5
