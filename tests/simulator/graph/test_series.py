"""Series: their days, their instances, and what one instance has of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.simulator.graph.calendars import (
    BERLIN,
    EVENTS,
    MONTH,
    VIEW,
    at,
    kinds,
    meeting,
    starts,
    weekly,
)
from tests.simulator.graph.cloud import Client

YEARS = "startDateTime=2026-01-01T00:00:00Z&endDateTime=2030-12-31T00:00:00Z"


def days(client: Client, made: dict[str, Any], window: str = YEARS) -> list[str]:
    """The days of a series, by its instances."""
    path = f"{EVENTS}/{made['id']}/instances?{window}&$top=1000"
    return [text[:10] for text in starts(client.get(path).items)]


def series(first: str, pattern: dict[str, Any], **span: Any) -> dict[str, Any]:
    """A series of four, unless `span` says otherwise."""
    span = {"type": "numbered", "numberOfOccurrences": 4} | span
    recurrence = {"pattern": {"interval": 1} | pattern, "range": span | {"startDate": first}}
    return meeting(first, recurrence=recurrence)


@pytest.mark.parametrize(
    ("first", "pattern", "expected"),
    [
        ("2026-01-30", {"type": "daily", "interval": 2}, ["01-30", "02-01", "02-03", "02-05"]),
        (
            "2026-01-06",
            {
                "type": "weekly",
                "interval": 2,
                "daysOfWeek": ["sunday", "tuesday"],
                "firstDayOfWeek": "monday",
            },
            ["01-06", "01-11", "01-20", "01-25"],
        ),
        (
            "2026-01-06",
            {
                "type": "weekly",
                "interval": 2,
                "daysOfWeek": ["sunday", "tuesday"],
                "firstDayOfWeek": "sunday",
            },
            ["01-06", "01-18", "01-20", "02-01"],
        ),
        (
            "2026-01-31",
            {"type": "absoluteMonthly", "dayOfMonth": 31},
            ["01-31", "02-28", "03-31", "04-30"],
        ),
        (
            "2026-01-15",
            {"type": "absoluteMonthly", "dayOfMonth": 15, "interval": 3},
            ["01-15", "04-15", "07-15", "10-15"],
        ),
        (
            "2026-01-08",
            {"type": "relativeMonthly", "daysOfWeek": ["thursday"], "index": "second"},
            ["01-08", "02-12", "03-12", "04-09"],
        ),
        (
            "2026-01-30",
            {
                "type": "relativeMonthly",
                "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
                "index": "last",
            },
            ["01-30", "02-27", "03-31", "04-30"],
        ),
        (
            "2026-02-28",
            {"type": "absoluteYearly", "dayOfMonth": 29, "month": 2},
            ["2026-02-28", "2027-02-28", "2028-02-29", "2029-02-28"],
        ),
        (
            "2026-11-26",
            {
                "type": "relativeYearly",
                "daysOfWeek": ["thursday"],
                "index": "fourth",
                "month": 11,
            },
            ["2026-11-26", "2027-11-25", "2028-11-23", "2029-11-22"],
        ),
    ],
)
def test_a_pattern_falls_on_its_days(
    client: Client, first: str, pattern: dict[str, Any], expected: list[str]
) -> None:
    made = client.post(EVENTS, series(first, pattern))
    assert made.status == 201
    assert days(client, made.json) == [d if len(d) > 5 else f"2026-{d}" for d in expected]
    assert made.json["recurrence"]["pattern"]["type"] == pattern["type"]


@pytest.mark.parametrize(
    ("span", "count"),
    [
        ({"type": "endDate", "endDate": "2026-12-28"}, 4),
        ({"type": "endDate", "endDate": "2026-12-27"}, 3),
        ({"type": "numbered", "numberOfOccurrences": 2, "endDate": "0001-01-01"}, 2),
        ({"type": "noEnd", "endDate": "0001-01-01"}, 213),
    ],
)
def test_a_range_ends_a_series(client: Client, span: dict[str, Any], count: int) -> None:
    sent = weekly()
    sent["recurrence"]["range"] = span | {"startDate": "2026-12-07"}
    made = client.post(EVENTS, sent).json
    assert len(days(client, made)) == count
    echoed = client.patch(f"{EVENTS}/{made['id']}", {"recurrence": made["recurrence"]})
    assert echoed.json["recurrence"] == made["recurrence"]


@pytest.mark.parametrize(
    ("first", "pattern", "span", "code"),
    [
        ("2026-01-06", {"type": "weekly"}, {}, "ErrorPropertyValidationFailure"),
        ("2026-01-06", {"type": "daily", "interval": 0}, {}, "ErrorPropertyValidationFailure"),
        ("2026-01-06", {"type": "absoluteMonthly"}, {}, "ErrorPropertyValidationFailure"),
        (
            "2026-01-06",
            {"type": "absoluteYearly", "dayOfMonth": 6},
            {},
            "ErrorPropertyValidationFailure",
        ),
        ("2026-01-06", {"type": "daily"}, {"type": "endDate"}, "ErrorPropertyValidationFailure"),
        (
            "2026-01-06",
            {"type": "daily"},
            {"numberOfOccurrences": 0},
            "ErrorPropertyValidationFailure",
        ),
        (
            "2026-01-06",
            {"type": "daily"},
            {"recurrenceTimeZone": "Nowhere"},
            "TimeZoneNotSupportedException",
        ),
        (
            "2026-01-06",
            {"type": "weekly", "daysOfWeek": ["monday"]},
            {"type": "endDate", "endDate": "2026-01-07"},
            "ErrorRecurrenceHasNoOccurrence",
        ),
    ],
)
def test_what_never_recurs_is_refused(
    client: Client, first: str, pattern: dict[str, Any], span: dict[str, Any], code: str
) -> None:
    refused = client.post(EVENTS, series(first, pattern, **span))
    assert (refused.status, refused.code) == (400, code)


def test_a_range_begins_on_the_day_of_the_start(client: Client) -> None:
    sent = weekly()
    sent["recurrence"]["range"]["startDate"] = "2026-12-14"
    assert client.post(EVENTS, sent).code == "ErrorPropertyValidationFailure"


def test_a_series_keeps_its_time_of_day_when_clocks_change(client: Client) -> None:
    made = client.post(EVENTS, weekly("2027-03-15", zone=BERLIN)).json
    spring = "startDateTime=2027-03-01T00:00:00Z&endDateTime=2027-05-01T00:00:00Z"
    path = f"{EVENTS}/{made['id']}/instances?{spring}"
    assert [text[11:] for text in starts(client.get(path).items)] == ["08:00"] * 2 + ["07:00"] * 2
    local = client.get(path, prefer=f'outlook.timezone="{BERLIN}"').items
    assert [text[11:] for text in starts(local)] == ["09:00"] * 4


def test_instances_point_to_their_master(client: Client) -> None:
    made = client.post(EVENTS, weekly(zone=BERLIN)).json
    instances = client.get(f"{VIEW}?{MONTH}").items
    assert kinds(instances) == ["occurrence"] * 4
    assert {event["seriesMasterId"] for event in instances} == {made["id"]}
    assert [event["originalStart"] for event in instances][:2] == [
        "2026-12-07T08:00:00Z",
        "2026-12-14T08:00:00Z",
    ]
    assert len({event["id"] for event in instances}) == 4
    assert len({event["iCalUId"] for event in instances}) == 4
    assert {event["iCalUId"][40:] for event in instances} == {made["iCalUId"][40:]}
    alone = client.get(f"{EVENTS}/{instances[1]['id']}").json
    assert (alone["type"], alone["recurrence"]) == ("occurrence", None)
    assert alone["start"] == instances[1]["start"]
    refused = client.get(f"{EVENTS}/{alone['id']}/instances?{MONTH}")
    assert (refused.status, refused.code) == (400, "ErrorInvalidRequest")


def test_writing_to_an_occurrence_makes_it_an_exception(client: Client) -> None:
    made = client.post(EVENTS, weekly(subject="Team")).json
    second = client.get(f"{VIEW}?{MONTH}").items[1]["id"]
    moved = {"start": at("2026-12-15T11:00:00"), "end": at("2026-12-15T12:00:00")}
    changed = client.patch(f"{EVENTS}/{second}", moved).json
    assert (changed["id"], changed["type"]) == (second, "exception")
    assert changed["originalStart"] == "2026-12-14T09:00:00Z"
    client.patch(f"{EVENTS}/{made['id']}", {"subject": "Crew", "categories": ["Blue"]})
    client.patch(f"{EVENTS}/{second}", {"categories": []})
    view = client.get(f"{VIEW}?{MONTH}").items
    assert kinds(view) == ["occurrence", "exception", "occurrence", "occurrence"]
    assert starts(view)[1] == "2026-12-15T11:00"
    assert {event["subject"] for event in view} == {"Crew"}
    assert [event["categories"] for event in view] == [["Blue"], [], ["Blue"], ["Blue"]]
    expanded = client.get(f"{EVENTS}/{made['id']}?$expand=exceptionOccurrences").json
    assert [event["id"] for event in expanded["exceptionOccurrences"]] == [second]


def test_a_master_tells_of_its_exceptions_in_the_documents_words(client: Client) -> None:
    """https://learn.microsoft.com/graph/api/event-get: the example of a series master."""
    made = client.post(EVENTS, weekly(subject="Team")).json
    second, third = (event["id"] for event in client.get(f"{VIEW}?{MONTH}").items[1:3])
    client.patch(f"{EVENTS}/{second}", {"subject": "Crew"})
    client.delete(f"{EVENTS}/{third}")
    select = "$select=subject,start,exceptionOccurrences,cancelledOccurrences"

    shown = client.get(f"{EVENTS}/{made['id']}?{select}&$expand=exceptionOccurrences").json

    assert shown["subject"] == "Team"
    assert len(shown["cancelledOccurrences"]) == 1
    [exception] = shown["exceptionOccurrences"]
    assert exception.keys() == {"id", "subject", "start"}
    assert (exception["id"], exception["subject"]) == (second, "Crew")
    assert "exceptionOccurrences" not in client.get(f"{EVENTS}/{made['id']}?{select}").json


def test_extended_properties_of_an_instance_are_its_masters_and_its_own(client: Client) -> None:
    first, second = (
        f"String {{66f5a359-4659-4830-9070-00040ec6ac6e}} Name {name}" for name in ("One", "Two")
    )
    expand = f"$expand=singleValueExtendedProperties($filter=id eq '{first}' or id eq '{second}')"
    client.post(EVENTS, weekly(singleValueExtendedProperties=[{"id": first, "value": "a"}]))
    instance = client.get(f"{VIEW}?{MONTH}").items[0]["id"]
    client.patch(
        f"{EVENTS}/{instance}", {"singleValueExtendedProperties": [{"id": second, "value": "b"}]}
    )
    shown = [
        [value["value"] for value in event["singleValueExtendedProperties"]]
        for event in client.get(f"{VIEW}?{MONTH}&{expand}").items
    ]
    assert shown == [["a", "b"], ["a"], ["a"], ["a"]]


@pytest.mark.parametrize(
    ("start", "end", "fits"),
    [
        ("2026-12-07T10:00", "2026-12-07T11:00", True),
        ("2026-12-07T09:30", "2026-12-07T10:30", False),
        ("2026-12-21T08:00", "2026-12-21T09:00", True),
        ("2026-12-21T08:00", "2026-12-21T09:30", False),
        ("2026-12-24T08:00", "2026-12-24T09:00", False),
    ],
)
def test_an_exception_passes_no_other_instance(
    client: Client, start: str, end: str, fits: bool
) -> None:
    client.post(EVENTS, weekly())
    second = client.get(f"{VIEW}?{MONTH}").items[1]["id"]
    answer = client.patch(f"{EVENTS}/{second}", {"start": at(start), "end": at(end)})
    assert answer.status == (200 if fits else 400)
    if not fits:
        assert answer.code == "ErrorOccurrenceCrossingBoundary"


def test_an_exception_has_no_recurrence(client: Client) -> None:
    made = client.post(EVENTS, weekly()).json
    second = client.get(f"{VIEW}?{MONTH}").items[1]["id"]
    refused = client.patch(f"{EVENTS}/{second}", {"recurrence": made["recurrence"]})
    assert refused.code == "ErrorPropertyValidationFailure"


def test_a_deleted_occurrence_is_cancelled(client: Client) -> None:
    made = client.post(EVENTS, weekly()).json
    first, second, third, _ = (event["id"] for event in client.get(f"{VIEW}?{MONTH}").items)
    client.patch(f"{EVENTS}/{third}", {"subject": "x"})
    for gone in (second, third):
        assert client.delete(f"{EVENTS}/{gone}").status == 204
        assert client.get(f"{EVENTS}/{gone}").code == "ErrorItemNotFound"
    assert client.post(f"{EVENTS}/{first}/permanentDelete").status == 204
    assert starts(client.get(f"{VIEW}?{MONTH}").items) == ["2026-12-28T09:00"]
    master = client.get(f"{EVENTS}/{made['id']}?$select=subject,cancelledOccurrences").json
    assert master["cancelledOccurrences"] == [
        f"OID.{made['id']}.2026-12-{day}" for day in ("07", "14", "21")
    ]
    assert "cancelledOccurrences" not in client.get(f"{EVENTS}/{made['id']}").json


def test_moving_a_series_drops_its_exceptions(client: Client) -> None:
    made = client.post(EVENTS, weekly()).json
    first, second, *_ = (event["id"] for event in client.get(f"{VIEW}?{MONTH}").items)
    client.patch(f"{EVENTS}/{first}", {"subject": "x"})
    client.delete(f"{EVENTS}/{second}")
    path = f"{EVENTS}/{made['id']}"
    client.patch(path, {"subject": "y"})
    assert kinds(client.get(f"{VIEW}?{MONTH}").items) == ["exception", "occurrence", "occurrence"]
    tuesday = {"start": at("2026-12-08T09:00:00"), "end": at("2026-12-08T10:00:00")}
    moved = client.patch(path, tuesday).json
    assert moved["recurrence"]["range"]["startDate"] == "2026-12-08"
    assert starts(client.get(f"{VIEW}?{MONTH}").items)[0] == "2026-12-14T09:00"
    assert kinds(client.get(f"{VIEW}?{MONTH}").items) == ["occurrence"] * 3


def test_an_event_becomes_a_series_and_a_series_an_event(client: Client) -> None:
    made = client.post(EVENTS, meeting(zone=BERLIN)).json
    path = f"{EVENTS}/{made['id']}"
    daily = {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "numbered", "startDate": "2026-12-07", "numberOfOccurrences": 3},
    }
    master = client.patch(path, {"recurrence": daily}).json
    assert (master["id"], master["type"]) == (made["id"], "seriesMaster")
    assert master["recurrence"]["range"]["recurrenceTimeZone"] == BERLIN
    assert len(client.get(f"{VIEW}?{MONTH}").items) == 3
    assert client.patch(path, {"recurrence": None}).json["type"] == "singleInstance"
    assert kinds(client.get(f"{VIEW}?{MONTH}").items) == ["singleInstance"]


@pytest.mark.parametrize("listed", [False, True])
def test_exceptions_may_be_listed_among_events(
    switched: Callable[..., Client], listed: bool
) -> None:
    client = switched(events_list_exceptions=listed)
    client.post(EVENTS, weekly())
    client.patch(f"{EVENTS}/{client.get(f'{VIEW}?{MONTH}').items[0]['id']}", {"subject": "x"})
    assert kinds(client.get(EVENTS).items) == ["seriesMaster", "exception"][: 1 + listed]
