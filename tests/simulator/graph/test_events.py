"""Events: what is kept of what is written, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.simulator.graph.calendars import (
    BERLIN,
    EVENTS,
    IMMUTABLE,
    MONTH,
    VIEW,
    at,
    kinds,
    meeting,
    starts,
    weekly,
)
from tests.simulator.graph.cloud import ADA, Client

from cirahub_simulator.graph.seed import mailbox_of
from cirahub_simulator.world import World

STAMP = "String {66f5a359-4659-4830-9070-00040ec6ac6e} Name Stamp"
STAMPED = [{"id": STAMP, "value": "mine"}]


def test_what_is_written_is_read(client: Client) -> None:
    sent = meeting(
        subject="Zählerstand ☕",
        body={"contentType": "text", "content": "one\ntwo & <three>"},
        location={"displayName": "Room 1"},
        categories=["Blue"],
        importance="high",
        sensitivity="private",
        showAs="oof",
        reminderMinutesBeforeStart=30,
        isReminderOn=False,
    )
    made = client.post(EVENTS, sent)
    assert made.status == 201
    got = client.get(f"{EVENTS}/{made.json['id']}", prefer='outlook.body-content-type="text"')
    assert 'outlook.body-content-type="text"' in got.headers["Preference-Applied"]
    assert got.json["@odata.etag"] == f'W/"{got.json["changeKey"]}"'
    for name in ("subject", "body", "categories", "importance", "sensitivity", "showAs"):
        assert got.json[name] == sent[name]
    assert got.json["bodyPreview"] == "one\ntwo & <three>"
    assert (got.json["reminderMinutesBeforeStart"], got.json["isReminderOn"]) == (30, False)
    assert got.json["location"]["displayName"] == "Room 1"
    assert got.json["locations"] == [got.json["location"]]
    assert got.json["start"] == at("2026-12-07T09:00:00.0000000")
    assert (got.json["type"], got.json["seriesMasterId"]) == ("singleInstance", None)
    assert got.json["organizer"]["emailAddress"]["address"] == "ada@contoso.example"
    assert (got.json["isOrganizer"], got.json["responseStatus"]["response"]) == (True, "organizer")
    assert "originalStart" not in got.json
    assert "transactionId" not in got.json


def test_an_event_without_more_has_outlooks_defaults(client: Client) -> None:
    made = client.post(EVENTS, {"start": at("2026-12-07T09:00"), "end": at("2026-12-07T09:00")})
    event = made.json
    assert (event["showAs"], event["sensitivity"], event["importance"]) == (
        "busy",
        "normal",
        "normal",
    )
    assert (event["reminderMinutesBeforeStart"], event["isReminderOn"]) == (15, True)
    assert event["body"] == {"contentType": "html", "content": ""}
    assert (event["attendees"], event["locations"], event["recurrence"]) == ([], [], None)


@pytest.mark.parametrize(
    ("written", "original"),
    [("W. Europe Standard Time", "W. Europe Standard Time"), (BERLIN, BERLIN)],
)
def test_times_are_shown_in_utc_unless_a_zone_is_preferred(
    client: Client, written: str, original: str
) -> None:
    made = client.post(EVENTS, meeting(zone=written)).json
    assert made["start"] == at("2026-12-07T08:00:00.0000000")
    assert made["originalStartTimeZone"] == original
    got = client.get(f"{EVENTS}/{made['id']}", prefer='outlook.timezone="Eastern Standard Time"')
    assert got.json["start"] == at("2026-12-07T03:00:00.0000000", "Eastern Standard Time")
    assert got.headers["Preference-Applied"] == 'outlook.timezone="Eastern Standard Time"'
    unknown = client.get(f"{EVENTS}/{made['id']}", prefer='outlook.timezone="Nowhere"')
    assert (unknown.status, unknown.code) == (400, "TimeZoneNotSupportedException")


@pytest.mark.parametrize(
    ("setting", "shown"), [("as-sent", BERLIN), ("windows", "W. Europe Standard Time")]
)
def test_a_zone_may_be_called_by_its_other_name(
    switched: Callable[..., Client], setting: str, shown: str
) -> None:
    made = switched(zone_names=setting).post(EVENTS, weekly(zone=BERLIN)).json
    assert (made["originalStartTimeZone"], made["originalEndTimeZone"]) == (shown, shown)
    assert made["recurrence"]["range"]["recurrenceTimeZone"] == shown


def test_a_time_with_an_offset_is_that_instant(client: Client) -> None:
    sent = meeting() | {"start": at("2026-12-07T09:00:00+02:00", BERLIN)}
    assert client.post(EVENTS, sent).json["start"]["dateTime"] == "2026-12-07T07:00:00.0000000"


def test_an_all_day_event_is_midnight_to_midnight_in_every_zone(client: Client) -> None:
    day = {
        "subject": "Holiday",
        "isAllDay": True,
        "start": at("2026-12-24T00:00:00", "Pacific Standard Time"),
        "end": at("2026-12-25T00:00:00", "Pacific Standard Time"),
    }
    made = client.post(EVENTS, day).json
    assert made["start"] == at("2026-12-24T00:00:00.0000000")
    tokyo = client.get(f"{EVENTS}/{made['id']}", prefer='outlook.timezone="Asia/Tokyo"').json
    assert tokyo["end"] == at("2026-12-25T00:00:00.0000000", "Asia/Tokyo")
    # What is kept is the instant: filters and views go by it.
    found = client.get(f"{EVENTS}?$filter=start/dateTime ge '2026-12-24T08:00:00'").items
    assert [event["id"] for event in found] == [made["id"]]
    night = "startDateTime=2026-12-25T06:00:00Z&endDateTime=2026-12-25T07:00:00Z"
    assert len(client.get(f"{VIEW}?{night}").items) == 1


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"start": at("2026-12-24T09:00:00")}, "ErrorPropertyValidationFailure"),
        ({"end": at("2026-12-25T09:00:00")}, "ErrorPropertyValidationFailure"),
        ({"end": at("2026-12-24T00:00:00")}, "ErrorPropertyValidationFailure"),
        ({"end": at("2026-12-25T00:00:00", "Asia/Tokyo")}, "ErrorPropertyValidationFailure"),
        ({"isAllDay": False, "end": at("2026-12-23")}, "RequestBodyRead"),
        (
            {"isAllDay": False, "end": at("2026-12-23T00:00:00")},
            "ErrorCalendarEndDateIsEarlierThanStartDate",
        ),
        ({"isAllDay": False, "end": at("2036-12-23T00:00:00")}, "ErrorCalendarDurationIsTooLong"),
        ({"start": at("2026-12-24T00:00:00", "Nowhere")}, "TimeZoneNotSupportedException"),
        ({"start": None}, "ErrorPropertyValidationFailure"),
        ({"end": {}}, "RequestBodyRead"),
        ({"showAs": "asleep"}, "RequestBodyRead"),
        ({"colour": "red"}, "RequestBodyRead"),
        ({"attendees": "all"}, "RequestBodyRead"),
    ],
)
def test_what_an_event_can_not_be_is_refused(
    client: Client, wrong: dict[str, Any], code: str
) -> None:
    day = {"isAllDay": True, "start": at("2026-12-24T00:00:00"), "end": at("2026-12-25T00:00:00")}
    made = client.post(EVENTS, day).json
    client.judged = False
    refused = client.post(EVENTS, day | wrong)
    assert (refused.status, refused.code) == (400, code)
    assert client.patch(f"{EVENTS}/{made['id']}", wrong).code == code
    [kept] = client.get(EVENTS).items
    assert kept["changeKey"] == made["changeKey"]


def test_an_update_writes_what_it_names(client: Client) -> None:
    made = client.post(EVENTS, meeting(location={"displayName": "A"}, categories=["Blue"])).json
    path = f"{EVENTS}/{made['id']}"
    changed = client.patch(path, {"subject": "New", "categories": []}).json
    assert (changed["subject"], changed["categories"]) == ("New", [])
    assert changed["location"] == made["location"]
    assert changed["changeKey"] != made["changeKey"]
    both = [{"displayName": "B"}, {"displayName": "C"}]
    moved = client.patch(path, {"locations": both}).json
    assert [place["displayName"] for place in moved["locations"]] == ["B", "C"]
    assert moved["location"]["displayName"] == "B; C"
    assert client.patch(path, {"location": {"displayName": ""}}).json["locations"] == []


def test_enumerations_are_read_in_any_case(client: Client) -> None:
    client.judged = False
    body = {"contentType": "HTML", "content": "x"}
    made = client.post(EVENTS, meeting(showAs="WorkingElsewhere", body=body)).json
    assert made["showAs"] == "workingElsewhere"


@pytest.mark.parametrize("setting", ["wrapped", "as-sent"])
def test_html_may_come_back_as_a_whole_document(
    switched: Callable[..., Client], setting: str
) -> None:
    client = switched(event_body=setting)
    sent = {"contentType": "html", "content": "<p>Hello <b>you</b></p>"}
    made = client.post(EVENTS, meeting(body=sent)).json
    assert made["bodyPreview"] == "Hello you"
    content = made["body"]["content"]
    assert (content == sent["content"]) is (setting == "as-sent")
    assert sent["content"] in content
    again = client.patch(f"{EVENTS}/{made['id']}", {"body": made["body"]}).json
    assert again["body"]["content"] == content


@pytest.mark.parametrize(
    ("setting", "status"), [("conflict", 409), ("bad-request", 400), ("existing", 201)]
)
def test_a_transaction_creates_one_event(
    switched: Callable[..., Client], setting: str, status: int
) -> None:
    client = switched(duplicate_transaction=setting)
    made = client.post(EVENTS, meeting(transactionId="t-1")).json
    assert made["transactionId"] == "t-1"
    again = client.post(EVENTS, meeting(transactionId="t-1", subject="Other"))
    assert again.status == status
    if status == 201:
        assert again.json["id"] == made["id"]
    else:
        assert again.code == "ErrorDuplicateTransactionId"
    assert [event["subject"] for event in client.get(EVENTS).items] == ["Meeting"]
    client.delete(f"{EVENTS}/{made['id']}")
    assert client.post(EVENTS, meeting(transactionId="t-1")).status == status
    assert client.get(EVENTS).items == []


def test_a_transaction_id_can_not_be_changed(client: Client) -> None:
    path = f"{EVENTS}/{client.post(EVENTS, meeting(transactionId='t-1')).json['id']}"
    assert client.patch(path, {"transactionId": "t-1", "subject": "x"}).status == 200
    assert client.patch(path, {"transactionId": "t-2"}).code == "ErrorPropertyValidationFailure"


def test_extended_properties_are_filtered_and_expanded(client: Client) -> None:
    made = client.post(EVENTS, meeting(singleValueExtendedProperties=STAMPED)).json
    client.post(EVENTS, meeting())
    assert "singleValueExtendedProperties" not in made
    expand = f"$expand=singleValueExtendedProperties($filter=id eq '{STAMP}')"
    assert (
        client.get(f"{EVENTS}/{made['id']}?{expand}").json["singleValueExtendedProperties"]
        == STAMPED
    )
    ours = (
        f"$filter=singleValueExtendedProperties/any(ep: ep/id eq '{STAMP}' and ep/value eq 'mine')"
    )
    [found] = client.get(f"{EVENTS}?{ours}&{expand}").items
    assert found["id"] == made["id"]
    assert client.get(f"{VIEW}?{MONTH}&{expand}").items[0]["singleValueExtendedProperties"]
    client.patch(
        f"{EVENTS}/{made['id']}",
        {"singleValueExtendedProperties": [{"id": STAMP, "value": None}]},
    )
    assert client.get(f"{EVENTS}?{ours}").items == []


def test_lists_are_filtered_ordered_and_paged(client: Client) -> None:
    for hour, name in enumerate("DACB"):
        client.post(EVENTS, meeting(start=f"1{hour}:00", end=f"1{hour}:30", subject=name))
    ordered = client.get(f"{EVENTS}?$orderby=start/dateTime desc&$select=subject&$top=3")
    assert [event["subject"] for event in ordered.items] == ["B", "C", "A"]
    assert set(ordered.items[0]) == {"@odata.etag", "id", "subject"}
    rest = client.get(ordered.json["@odata.nextLink"]).items
    assert [event["subject"] for event in rest] == ["D"]
    late = client.get(f"{EVENTS}?$filter=start/dateTime ge '2026-12-07T12:00'&$count=true")
    assert (late.json["@odata.count"], len(late.items)) == (2, 2)
    single = client.get(f"{EVENTS}?$filter=subject eq 'a' and type eq 'singleInstance'")
    assert len(single.items) == 1
    assert client.get(f"{EVENTS}/$count?$filter=reminderMinutesBeforeStart gt 10").json == 4
    assert client.get(f"{EVENTS}?$filter=organizer/emailAddress/name eq 'x'").items == []
    ours = "$filter=organizer/emailAddress/address eq 'ada@contoso.example'"
    assert len(client.get(f"{EVENTS}?{ours}").items) == 4
    assert client.get(f"{EVENTS}?$filter=colour eq 'x'").status == 400


@pytest.mark.parametrize(("setting", "count"), [("default-calendar", 1), ("whole-mailbox", 2)])
def test_events_of_a_user_may_be_those_of_all_calendars(
    switched: Callable[..., Client], setting: str, count: int
) -> None:
    client = switched(events_list=setting)
    team = client.post(f"/users/{ADA}/calendars", {"name": "Team"}).json["id"]
    client.post(f"/users/{ADA}/calendars/{team}/events", meeting())
    client.post(EVENTS, meeting())
    assert len(client.get(EVENTS).items) == count
    assert len(client.get(f"/users/{ADA}/calendar/events").items) == 1


def test_a_view_has_what_overlaps_it(client: Client) -> None:
    for start, end in (("08:00", "09:00"), ("08:30", "09:30"), ("09:30", "11:00")):
        client.post(EVENTS, meeting(start=start, end=end))
    window = "startDateTime=2026-12-07T10:00:00%2B01:00&endDateTime=2026-12-07T10:00:00Z"
    assert starts(client.get(f"{VIEW}?{window}").items) == ["2026-12-07T08:30", "2026-12-07T09:30"]
    assert starts(client.get(f"{VIEW}?{window.replace('%2B', '+')}").items) != []


def test_pages_of_a_view_keep_its_window(client: Client) -> None:
    for number in range(10, 22):
        client.post(EVENTS, meeting(f"2026-12-{number}"))
    client.post(EVENTS, meeting("2027-01-10"))
    first = client.get(f"{VIEW}?{MONTH}&$select=start")
    rest = client.get(first.json["@odata.nextLink"])
    assert (len(first.items), len(rest.items)) == (10, 2)
    assert "@odata.nextLink" not in rest.json


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "ErrorInvalidParameter"),
        ("startDateTime=2026-12-01T00:00:00Z", "ErrorInvalidParameter"),
        ("startDateTime=x&endDateTime=2026-12-01T00:00:00Z", "ErrorInvalidParameter"),
        ("startDateTime=2026-12-01&endDateTime=2026-11-01", "ErrorInvalidParameter"),
        ("startDateTime=2020-12-01&endDateTime=2026-11-01", "ErrorCalendarViewRangeTooBig"),
    ],
)
def test_a_view_needs_a_window(client: Client, query: str, code: str) -> None:
    for path in (VIEW, f"{VIEW}/delta"):
        assert client.get(f"{path}?{query}").code == code


def test_a_deleted_event_is_in_the_bin_and_a_purged_one_is_gone(client: Client) -> None:
    first, second = (client.post(EVENTS, meeting(), prefer=IMMUTABLE).json["id"] for _ in "ab")
    assert client.delete(f"{EVENTS}/{first}").status == 204
    assert client.get(f"{EVENTS}/{first}").status == 200
    assert client.post(f"{EVENTS}/{second}/permanentDelete").status == 204
    assert client.get(f"{EVENTS}/{second}").code == "ErrorItemNotFound"
    assert client.get(EVENTS).items == []
    assert client.delete(f"{EVENTS}/{first}").status == 204
    assert client.get(f"{EVENTS}/{first}").code == "ErrorItemNotFound"


def test_ids_change_with_the_calendar_and_immutable_ones_do_not(
    client: Client, world: World
) -> None:
    made = client.post(EVENTS, weekly()).json
    fixed = client.get(f"{EVENTS}/{made['id']}", prefer=IMMUTABLE).json["id"]
    calendars = mailbox_of(world, ADA).calendars
    team = calendars.create_calendar("Team")
    item = calendars.item(made["id"])
    assert item.master is None
    calendars.move_event(calendars.default.events[fixed], team)
    assert client.get(f"{EVENTS}/{made['id']}").code == "ErrorItemNotFound"
    found = client.get(f"/users/{ADA}/calendars/{team.id}/events", prefer=IMMUTABLE).items
    assert [event["id"] for event in found] == [fixed]
    view = f"/users/{ADA}/calendars/{team.id}/calendarView?{MONTH}"
    instances = client.get(view, prefer=IMMUTABLE).items
    assert {event["seriesMasterId"] for event in instances} == {fixed}
    assert client.get(f"{EVENTS}/{instances[0]['id']}").json["type"] == "occurrence"


def test_etags_are_compared(client: Client) -> None:
    made = client.post(EVENTS, meeting()).json
    path = f"{EVENTS}/{made['id']}"
    client.patch(path, {"subject": "x"})
    stale = {"if_match": made["@odata.etag"]}
    assert client.patch(path, {"subject": "y"}, **stale).code == "ErrorIrresolvableConflict"
    assert client.delete(path, **stale).status == 412
    assert client.delete(path, if_match=client.get(path).json["@odata.etag"]).status == 204


def test_single_instances_and_masters_are_listed(client: Client) -> None:
    client.post(EVENTS, meeting())
    client.post(EVENTS, weekly())
    assert kinds(client.get(EVENTS).items) == ["singleInstance", "seriesMaster"]


def test_what_is_not_simulated_says_so(client: Client) -> None:
    made = client.post(EVENTS, weekly()).json["id"]
    assert client.post(EVENTS, meeting(attachments=[])).status == 501
    assert client.get(f"{EVENTS}?$expand=calendar").status == 501
    assert client.get(f"{EVENTS}/{made}/instances/delta?{MONTH}").status == 501
    assert client.get(f"{EVENTS}/{made}/nothing").status == 400
