"""exchangelib, used as its documentation shows: https://ecederstrand.github.io/exchangelib/"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from exchangelib import (
    BASIC,
    DELEGATE,
    IMPERSONATION,
    NTLM,
    OAUTH2,
    Account,
    CalendarItem,
    Configuration,
    Contact,
    Credentials,
    EWSDate,
    EWSDateTime,
    EWSTimeZone,
    ExtendedProperty,
    FaultTolerance,
    FileAttachment,
    Identity,
    OAuth2AuthorizationCodeCredentials,
    Q,
)
from exchangelib.errors import ErrorItemNotFound, UnauthorizedError
from exchangelib.folders import Contacts
from exchangelib.indexed_properties import EmailAddress, PhoneNumber, PhysicalAddress
from exchangelib.properties import AlternateId
from exchangelib.protocol import BaseProtocol, close_connections
from exchangelib.recurrence import Recurrence, WeeklyPattern
from exchangelib.services import GetPersona
from tests.simulator.conftest import ANNA, SignIn

from cirahub_simulator.client import AdminClient
from cirahub_simulator.process import EmbeddedSimulator

from .conftest import HOST, OLGA, PATH, PAUL, SERVICE
from .pictures import jpeg


class Stamp(ExtendedProperty):  # type: ignore[misc]
    """As the documentation registers one."""

    property_set_id = "c11ff724-aa03-4555-9952-8fa248a11c3e"
    property_name = "Stamp"
    property_type = "String"


@pytest.fixture(autouse=True)
def trust(simulator: EmbeddedSimulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The documentation's way to a CA of one's own."""
    ca_file = simulator.endpoints.ca_file

    class Adapter(requests.adapters.HTTPAdapter):
        def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
            super().cert_verify(conn=conn, url=url, verify=ca_file, cert=cert)

    monkeypatch.setattr(BaseProtocol, "HTTP_ADAPTER_CLS", Adapter)
    yield
    close_connections()


@pytest.fixture
def stamp() -> Iterator[None]:
    Contact.register("stamp", Stamp)
    yield
    Contact.deregister("stamp")


def open_account(
    simulator: EmbeddedSimulator,
    name: str = "ADATUM\\olga",
    password: str = "simulated-olga-password",
    *,
    auth_type: str | None = BASIC,
    address: str = OLGA,
    access_type: str = DELEGATE,
    **more: Any,
) -> Account:
    configuration = Configuration(
        service_endpoint=simulator.endpoints.exchange(HOST) + PATH,
        credentials=Credentials(name, password),
        auth_type=auth_type,
        **more,
    )
    return Account(address, config=configuration, autodiscover=False, access_type=access_type)


@pytest.fixture
def account(simulator: EmbeddedSimulator) -> Account:
    return open_account(simulator)


def test_both_ways_to_sign_in_work(simulator: EmbeddedSimulator) -> None:
    for auth_type in (BASIC, NTLM, None):
        account = open_account(simulator, auth_type=auth_type)
        assert account.contacts.name == "Contacts"
        assert account.version.api_version == "Exchange2016"
        close_connections()
    with pytest.raises(UnauthorizedError):
        open_account(simulator, password="wrong").root.refresh()


def test_a_contact_s_life(account: Account, stamp: None) -> None:
    contact = Contact(
        account=account,
        folder=account.contacts,
        given_name="Zoë",
        surname="Ångström",
        display_name="Zoë Ångström",
        email_addresses=[EmailAddress(email="zoe@x.example", label="EmailAddress2")],
        phone_numbers=[
            PhoneNumber(label="MobilePhone", phone_number="+47 1"),
            PhoneNumber(label="BusinessFax", phone_number="+47 2"),
        ],
        physical_addresses=[PhysicalAddress(label="Home", street="Street 1", city="Oslo")],
        categories=["Red", "Blå"],
        birthday=EWSDate(1980, 2, 29),
        children=["Bo"],
        companies=["One", "Two"],
        body="Notes",
        stamp="mine",
    )
    contact.save()
    got = account.contacts.get(stamp="mine")
    assert (got.id, got.changekey) == (contact.id, contact.changekey)
    assert [(e.label, e.email) for e in got.email_addresses] == [("EmailAddress2", "zoe@x.example")]
    assert {n.label: n.phone_number for n in got.phone_numbers} == {
        "MobilePhone": "+47 1",
        "BusinessFax": "+47 2",
    }
    assert got.birthday == EWSDate(1980, 2, 29)
    assert (got.body, got.categories, got.companies) == ("Notes", ["Red", "Blå"], ["One", "Two"])
    got.job_title = "Buyer"
    got.birthday = None
    got.phone_numbers = [PhoneNumber(label="Pager", phone_number="+47 3")]
    got.save(update_fields=["job_title", "birthday", "phone_numbers"])
    again = account.contacts.get(id=got.id, changekey=got.changekey)
    assert (again.job_title, again.birthday) == ("Buyer", None)
    assert {n.label: n.phone_number for n in again.phone_numbers} == {"Pager": "+47 3"}
    again.save()
    again.move_to_trash()
    assert account.trash.filter(stamp="mine").count() == 1
    with pytest.raises(ErrorItemNotFound):
        contact.refresh()


def test_querysets_filter_sort_page_and_count(account: Account) -> None:
    folder = Contacts(parent=account.contacts, name="Many")
    folder.save()
    made = account.bulk_create(
        folder=folder,
        items=[
            Contact(
                display_name=f"N{n:03}",
                given_name=f"N{n:03}",
                surname="Even" if n % 2 == 0 else "Odd",
            )
            for n in range(120)
        ],
    )
    assert len(made) == 120
    odd = folder.filter(surname="Odd")
    assert odd.count() == 60
    first = list(odd.order_by("-given_name").values_list("given_name", flat=True)[:2])
    assert first == ["N119", "N117"]
    either = Q(given_name="N001") | Q(given_name__startswith="N11")
    assert folder.filter(either).count() == 11
    folder.all().page_size = 25
    assert len({item.given_name for item in folder.all()}) == 120
    updated = account.bulk_update(
        [(item, ["company_name"]) for item in _named(folder.all(), "A. Datum")]
    )
    assert len(updated) == 120
    assert folder.filter(company_name="A. Datum").count() == 120
    moved = account.bulk_move(ids=list(folder.filter(surname="Even")), to_folder=account.contacts)
    assert len(moved) == 60
    copied = account.bulk_copy(ids=moved[:3], to_folder=folder)
    assert len(copied) == 3
    folder.all().delete()
    assert folder.all().count() == 0
    folder.refresh()
    assert folder.total_count == 0
    folder.delete()
    assert "Many" not in {child.name for child in account.contacts.children}


def _named(items: Any, company: str) -> Iterator[Any]:
    for item in items:
        item.company_name = company
        yield item


def test_a_folder_is_synchronised(account: Account, admin: AdminClient) -> None:
    folder = account.contacts
    everything = [kind for kind, _ in folder.sync_items(max_changes_returned=20)]
    assert everything == ["create"] * folder.all().count()
    assert list(folder.sync_items()) == []
    made = admin.create_contact(OLGA, {"givenName": "By Graph", "displayName": "By Graph"})
    ((kind, item),) = folder.sync_items()
    assert (kind, item.display_name) == ("create", "By Graph")
    admin.update_contact(OLGA, made["id"], {"jobTitle": "Buyer"})
    ((kind, item),) = folder.sync_items()
    assert (kind, item.job_title) == ("update", "Buyer")
    admin.delete_contact(OLGA, made["id"])
    ((kind, gone),) = folder.sync_items()
    assert (kind, gone.id) == ("delete", item.id)


def test_the_hierarchy_is_walked_and_synchronised(account: Account) -> None:
    assert "Customers" in account.root.tree()
    assert (account.contacts / "Customers" / "Archive").folder_class == "IPF.Contact"
    list(account.root.sync_hierarchy())
    folder = Contacts(parent=account.contacts, name="New")
    folder.save()
    assert [(kind, found.name) for kind, found in account.root.sync_hierarchy()] == [
        ("create", "New")
    ]
    folder.name = "Renamed"
    folder.save()
    folder.move(to_folder=account.contacts / "Customers")
    folder.empty()
    folder.wipe()
    kinds = [kind for kind, _ in account.root.sync_hierarchy()]
    assert kinds == ["update"]


def test_public_folders_are_read_and_written(account: Account) -> None:
    folder = account.public_folders_root / "Company Contacts"
    assert folder.all().count() == 12
    Contact(account=account, folder=folder, display_name="Shared").save()
    assert folder.get(display_name="Shared").display_name == "Shared"


def test_a_service_account_impersonates(simulator: EmbeddedSimulator) -> None:
    account = open_account(
        simulator,
        SERVICE,
        "simulated-svc-cirahub-password",
        address=PAUL,
        access_type=IMPERSONATION,
    )
    Contact(account=account, folder=account.contacts, display_name="By service").save()
    assert any(
        one["contact"]["displayName"] == "By service" for one in simulator.admin.contacts(PAUL)
    )


def test_exchange_online_shows_what_graph_shows(
    simulator: EmbeddedSimulator, sign_in: SignIn, admin: AdminClient
) -> None:
    token = sign_in.token(scope="https://outlook.office365.com/.default")
    credentials = OAuth2AuthorizationCodeCredentials(
        access_token={"access_token": token, "token_type": "Bearer", "expires_in": 3000},
        identity=Identity(primary_smtp_address=ANNA),
    )
    configuration = Configuration(
        service_endpoint=simulator.endpoints.outlook + PATH,
        credentials=credentials,
        auth_type=OAUTH2,
    )
    account = Account(ANNA, config=configuration, autodiscover=False, access_type=IMPERSONATION)
    held = [one for one in admin.contacts(ANNA) if one["folder"] == []]
    assert account.contacts.all().count() == len(held)
    Contact(account=account, folder=account.contacts, display_name="By EWS").save()
    assert "By EWS" in {one["contact"]["displayName"] for one in admin.contacts(ANNA)}


def test_a_busy_server_is_waited_for(simulator: EmbeddedSimulator, admin: AdminClient) -> None:
    account = open_account(simulator, retry_policy=FaultTolerance(max_wait=20))
    assert account.contacts.all().count() > 0
    admin.add_rule(
        kind="status",
        service="ews",
        operation="FindItem",
        status=500,
        code="ErrorServerBusy",
        retry_after=1,
        count=1,
    )
    assert account.contacts.all().count() > 0
    assert [entry["status"] for entry in admin.requests(operation="FindItem")] == [200, 500, 200]


def test_names_ids_and_zones(account: Account) -> None:
    assert account.version.build.major_version == 15
    (found,) = account.protocol.resolve_names(["paul"])
    assert found.email_address == PAUL
    ((mailbox, contact),) = account.protocol.resolve_names(["paul"], return_full_contact_data=True)
    assert (mailbox.email_address, contact.surname) == (PAUL, "Lefèvre")
    item = account.contacts.all()[0]
    (converted,) = account.protocol.convert_ids(
        [AlternateId(id=item.id, format="EwsId", mailbox=OLGA)], "HexEntryId"
    )
    assert bytes.fromhex(converted.id)
    assert len(list(account.protocol.get_timezones())) > 100


def test_an_appointment_s_life(account: Account) -> None:
    zone = EWSTimeZone("Europe/Berlin")
    item = CalendarItem(
        account=account,
        folder=account.calendar,
        subject="Planning",
        body="Agenda",
        location="Room 1",
        categories=["Red"],
        start=EWSDateTime(2027, 3, 22, 10, 0, tzinfo=zone),
        end=EWSDateTime(2027, 3, 22, 11, 30, tzinfo=zone),
        reminder_minutes_before_start=30,
    )
    item.save()
    got = account.calendar.get(subject="Planning")
    assert (got.id, got.location, got.body) == (item.id, "Room 1", "Agenda")
    assert got.start == item.start
    assert got.end - got.start == timedelta(minutes=90)
    got.subject = "Planned"
    got.start = EWSDateTime(2027, 3, 22, 10, 30, tzinfo=zone)
    got.save()
    assert account.calendar.get(subject="Planned").start == got.start
    day = CalendarItem(
        account=account,
        folder=account.calendar,
        subject="Day off",
        start=EWSDate(2027, 3, 23),
        end=EWSDate(2027, 3, 23),
        is_all_day=True,
    )
    day.save()
    off = account.calendar.get(subject="Day off")
    assert (off.is_all_day, off.start, off.end) == (True, day.start, day.end)
    shown = account.calendar.view(
        start=EWSDateTime(2027, 3, 22, tzinfo=zone), end=EWSDateTime(2027, 3, 24, tzinfo=zone)
    )
    assert {one.subject for one in shown} == {"Planned", "Day off"}
    off.move_to_trash()
    got.delete()
    assert account.calendar.all().count() == 0
    assert account.trash.filter(subject="Day off").count() == 1


def test_a_series_and_its_occurrences(account: Account) -> None:
    zone = EWSTimeZone("Europe/Berlin")
    master = CalendarItem(
        account=account,
        folder=account.calendar,
        subject="Weekly",
        start=EWSDateTime(2027, 3, 22, 10, 0, tzinfo=zone),
        end=EWSDateTime(2027, 3, 22, 11, 0, tzinfo=zone),
        recurrence=Recurrence(
            pattern=WeeklyPattern(interval=1, weekdays=["Monday", "Wednesday"]),
            start=EWSDate(2027, 3, 22),
            number=4,
        ),
    )
    master.save()
    got = account.calendar.get(subject="Weekly")
    assert got.recurrence == master.recurrence
    second = got.occurrence(index=2)
    second.refresh()
    second.subject = "Other"
    second.save(update_fields=["subject"])
    got.occurrence(index=3).delete()
    got.refresh()
    assert [one.original_start.date() for one in got.modified_occurrences] == [EWSDate(2027, 3, 24)]
    assert len(got.deleted_occurrences) == 1
    shown = account.calendar.view(
        start=EWSDateTime(2027, 3, 1, tzinfo=zone), end=EWSDateTime(2027, 5, 1, tzinfo=zone)
    )
    assert [one.subject for one in shown] == ["Weekly", "Other", "Weekly"]
    got.delete()
    assert account.calendar.all().count() == 0


def test_attachments_and_a_photo(account: Account) -> None:
    contact = Contact(account=account, folder=account.contacts, display_name="Zoë")
    contact.save()
    contact.attach(
        [
            FileAttachment(name="notes.txt", content=b"notes"),
            FileAttachment(name="me.jpg", content=jpeg(48, 48), is_contact_photo=True),
        ]
    )
    got = account.contacts.get(id=contact.id, changekey=contact.changekey)
    assert {one.name: one.content for one in got.attachments} == {
        "notes.txt": b"notes",
        "ContactPicture.jpg": jpeg(48, 48),
    }
    assert got.has_picture is True
    got.detach(got.attachments)
    again = account.contacts.get(id=contact.id, changekey=got.changekey)
    assert (again.attachments, again.has_picture) == ([], False)


def test_notifications_are_pulled_and_streamed(account: Account, admin: AdminClient) -> None:
    folder = account.contacts
    with folder.pull_subscription() as (subscription, watermark):
        made = admin.create_contact(OLGA, {"givenName": "By Graph"})
        (told,) = folder.get_events(subscription, watermark)
        assert [type(event).__name__ for event in told.events] == ["CreatedEvent"]
        (later,) = folder.get_events(subscription, told.events[-1].watermark)
        assert [type(event).__name__ for event in later.events] == ["StatusEvent"]
    with folder.streaming_subscription() as subscription:
        admin.update_contact(OLGA, made["id"], {"jobTitle": "Buyer"})
        (told,) = folder.get_streaming_events(
            subscription, connection_timeout=1, max_notifications_returned=1
        )
        assert [type(event).__name__ for event in told.events] == ["ModifiedEvent"]


def test_settings_are_kept_beside_a_folder(account: Account) -> None:
    folder = account.contacts
    folder.create_user_configuration(name="Mine", dictionary={"colour": "red", "size": 7})
    got = folder.get_user_configuration(name="Mine")
    assert got.dictionary == {"colour": "red", "size": 7}
    folder.update_user_configuration(name="Mine", xml_data=b"<a/>")
    assert folder.get_user_configuration(name="Mine").xml_data == b"<a/>"
    folder.delete_user_configuration(name="Mine")
    with pytest.raises(ErrorItemNotFound):
        folder.get_user_configuration(name="Mine")


def test_contacts_are_people(account: Account) -> None:
    Contact(
        account=account, folder=account.contacts, display_name="Zoë Persona", surname="Persona"
    ).save()
    found = [one for one in account.contacts.people() if one.display_name == "Zoë Persona"]
    (got,) = GetPersona(account=account).call(personas=found)
    assert (got.display_name, got.surname) == ("Zoë Persona", "Persona")
