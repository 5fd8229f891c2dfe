"""Delta queries on calendar views: windows, series, removals, and what Microsoft leaves open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.simulator.graph.calendars import (
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

DELTA = f"{VIEW}/delta?{MONTH}"


@pytest.mark.parametrize(
    "path",
    [
        DELTA,
        f"{VIEW}/delta()?{MONTH}",
        f"/users/{ADA}/calendar/calendarView/delta?{MONTH}",
        f"/users/{ADA}/calendar/events/delta?{MONTH}",
        f"{EVENTS}/delta?{MONTH}",
    ],
)
def test_a_first_round_tells_the_window_and_the_next_what_changed(
    client: Client, path: str
) -> None:
    first = client.post(EVENTS, meeting()).json["id"]
    second = client.post(EVENTS, meeting("2026-12-08")).json["id"]
    client.post(EVENTS, meeting("2027-01-08"))
    told, link = client.round(path)
    assert [event["id"] for event in told] == [first, second]
    assert told[0]["@odata.type"] == "#microsoft.graph.event"
    assert set(told[0]) - {"@odata.type"} == set(client.get(EVENTS).items[0])
    assert client.round(link)[0] == []
    client.patch(f"{EVENTS}/{first}", {"subject": "x"})
    client.delete(f"{EVENTS}/{second}")
    told, link = client.round(link)
    assert [(event["id"], "@removed" in event) for event in told] == [
        (first, False),
        (second, True),
    ]
    assert told[1] == {
        "@odata.type": "#microsoft.graph.event",
        "id": second,
        "@removed": {"reason": "deleted"},
    }
    assert client.round(link)[0] == []


def test_the_token_keeps_the_window_and_shows_times_as_preferred(client: Client) -> None:
    _, link = client.round(DELTA)
    client.post(EVENTS, meeting())
    [told], _ = client.round(link, prefer='outlook.timezone="Asia/Tokyo"')
    assert told["start"] == at("2026-12-07T18:00:00.0000000", "Asia/Tokyo")


def test_calendars_have_deltas_of_their_own(client: Client) -> None:
    team = client.post(f"/users/{ADA}/calendars", {"name": "Team"}).json["id"]
    path = f"/users/{ADA}/calendars/{team}/calendarView/delta?{MONTH}"
    _, link = client.round(path)
    _, default = client.round(DELTA)
    client.post(f"/users/{ADA}/calendars/{team}/events", meeting())
    assert len(client.round(link)[0]) == 1
    assert client.round(default)[0] == []
    assert client.get(f"{VIEW}/delta?{link.partition('?')[2]}").status == 400


@pytest.mark.parametrize("outside", [True, False])
def test_what_leaves_the_window_is_removed(switched: Callable[..., Client], outside: bool) -> None:
    client = switched(view_delta_outside=outside)
    inside = client.post(EVENTS, meeting()).json["id"]
    _, link = client.round(DELTA)
    later = {"start": at("2027-02-01T09:00:00"), "end": at("2027-02-01T10:00:00")}
    client.patch(f"{EVENTS}/{inside}", later)
    told, link = client.round(link)
    assert [(event["id"], "@removed" in event) for event in told] == [(inside, True)]
    client.patch(f"{EVENTS}/{inside}", {"subject": "never seen"})
    other = client.post(EVENTS, meeting("2027-03-01")).json["id"]
    told, link = client.round(link)
    assert [event["id"] for event in told] == ([inside, other] if outside else [])
    assert all("@removed" in event for event in told)
    client.patch(f"{EVENTS}/{inside}", meeting())
    assert starts(client.round(link)[0]) == ["2026-12-07T09:00"]


@pytest.mark.parametrize("masters", [True, False])
@pytest.mark.parametrize("occurrences", ["short", "whole"])
def test_a_series_is_told_by_its_instances(
    switched: Callable[..., Client], masters: bool, occurrences: str
) -> None:
    client = switched(view_delta_masters=masters, view_delta_occurrences=occurrences)
    master = client.post(EVENTS, weekly(count=6)).json["id"]
    second = client.get(f"{VIEW}?{MONTH}").items[1]["id"]
    client.patch(f"{EVENTS}/{second}", {"subject": "x"})
    told, _ = client.round(DELTA)
    expected = ["occurrence", "exception", "occurrence", "occurrence"]
    assert kinds(told) == (["seriesMaster", *expected] if masters else expected)
    instances = told[1:] if masters else told
    assert {event["seriesMasterId"] for event in instances} == {master}
    assert instances[1]["subject"] == "x"
    short = {"@odata.type", "@odata.etag", "seriesMasterId", "type", "id", "start", "end"}
    assert (set(instances[0]) == short) is (occurrences == "short")
    assert instances[0]["start"] == at("2026-12-07T09:00:00.0000000")


@pytest.mark.parametrize("setting", ["whole", "changed"])
def test_a_change_of_an_instance_is_told_with_its_series(
    switched: Callable[..., Client], setting: str
) -> None:
    client = switched(view_delta_series=setting)
    master = client.post(EVENTS, weekly()).json["id"]
    told, link = client.round(DELTA)
    second, third = told[2]["id"], told[3]["id"]
    client.patch(f"{EVENTS}/{second}", {"subject": "x"})
    client.delete(f"{EVENTS}/{third}")
    told, link = client.round(link)
    whole = ["seriesMaster", "occurrence", "exception", "occurrence", "-"]
    assert kinds(told) == (whole if setting == "whole" else ["seriesMaster", "exception", "-"])
    assert told[-1]["id"] == third
    client.patch(f"{EVENTS}/{master}", {"subject": "y"})
    told, _ = client.round(link)
    assert kinds(told) == ["seriesMaster", "occurrence", "exception", "occurrence"]


def test_instances_that_a_series_has_no_more_are_removed(client: Client) -> None:
    made = client.post(EVENTS, weekly()).json
    told, link = client.round(DELTA)
    tuesday = {
        "start": at("2026-12-08T09:00:00"),
        "end": at("2026-12-08T10:00:00"),
        "recurrence": weekly("2026-12-08", "tuesday", count=2)["recurrence"],
    }
    client.patch(f"{EVENTS}/{made['id']}", tuesday)
    client.patch(f"{EVENTS}/{made['id']}", {"subject": "x"})
    after, link = client.round(link)
    assert kinds(after) == ["seriesMaster", "occurrence", "occurrence", "-", "-", "-", "-"]
    assert {event["id"] for event in after[3:]} == {event["id"] for event in told[1:]}
    client.patch(f"{EVENTS}/{made['id']}", {"recurrence": None})
    after, link = client.round(link)
    assert kinds(after) == ["singleInstance", "-", "-"]
    assert client.round(link)[0] == []


def test_a_deleted_series_takes_its_instances_along(client: Client) -> None:
    made = client.post(EVENTS, weekly()).json
    told, link = client.round(DELTA)
    client.patch(f"{EVENTS}/{made['id']}", {"recurrence": weekly(count=2)["recurrence"]})
    client.delete(f"{EVENTS}/{made['id']}")
    gone, link = client.round(link)
    assert {event["id"] for event in gone} == {event["id"] for event in told}
    assert all("@removed" in event for event in gone)
    assert client.round(link)[0] == []
    assert client.round(DELTA)[0] == []


def test_an_exception_that_is_moved_out_of_the_window_is_removed(client: Client) -> None:
    client.post(EVENTS, weekly("2026-12-14"))
    told, link = client.round(DELTA)
    last = told[-1]["id"]
    assert starts(told)[-1] == "2026-12-28T09:00"
    later = {"start": at("2027-01-02T09:00:00"), "end": at("2027-01-02T10:00:00")}
    client.patch(f"{EVENTS}/{last}", later)
    told, link = client.round(link)
    assert kinds(told) == ["seriesMaster", "occurrence", "occurrence", "-"]
    assert told[-1]["id"] == last
    client.patch(f"{EVENTS}/{last}", {"start": at("2026-12-29T09:00:00"), **_end("29")})
    told, _ = client.round(link)
    assert starts(told)[-1] == "2026-12-29T09:00"


def _end(day: str) -> dict[str, dict[str, str]]:
    return {"end": at(f"2026-12-{day}T10:00:00")}


def test_a_series_is_paged_like_anything_else(client: Client) -> None:
    client.post(EVENTS, weekly())
    client.post(EVENTS, meeting())
    first = client.get(DELTA, prefer="odata.maxpagesize=2")
    assert "odata.maxpagesize=2" in first.headers["Preference-Applied"]
    assert kinds(first.items) == ["seriesMaster", "occurrence"]
    told, link = client.round(first.json["@odata.nextLink"], prefer="odata.maxpagesize=2")
    assert kinds(told) == ["occurrence"] * 3 + ["singleInstance"]
    assert client.round(link)[0] == []


def test_a_series_that_changes_while_it_is_paged_is_told_again(client: Client) -> None:
    made = client.post(EVENTS, weekly()).json
    client.post(EVENTS, meeting(subject="other"))
    first = client.get(DELTA, prefer="odata.maxpagesize=3")
    client.patch(f"{EVENTS}/{made['id']}", {"subject": "new"})
    told, link = client.round(first.json["@odata.nextLink"])
    assert kinds(told) == ["singleInstance", "seriesMaster"] + ["occurrence"] * 4
    assert told[1]["subject"] == "new"
    assert client.round(link)[0] == []


def test_ids_are_of_the_preferred_kind(client: Client, world: World) -> None:
    made = client.post(EVENTS, weekly()).json
    told, _ = client.round(DELTA)
    fixed, link = client.round(DELTA, prefer=IMMUTABLE)
    assert not {event["id"] for event in told} & {event["id"] for event in fixed}
    assert {event["seriesMasterId"] for event in fixed[1:]} == {fixed[0]["id"]}
    client.delete(f"{EVENTS}/{made['id']}")
    gone, _ = client.round(link, prefer=IMMUTABLE)
    assert {event["id"] for event in gone} == {event["id"] for event in fixed}
    calendars = mailbox_of(world, ADA).calendars
    calendars.move_event(calendars.bin[fixed[0]["id"]], calendars.default)
    back, _ = client.round(link, prefer=IMMUTABLE)
    assert [event["id"] for event in back] == [event["id"] for event in fixed]
    assert all("@removed" not in event for event in back)


def test_a_moved_event_is_removed_here_and_new_there(client: Client, world: World) -> None:
    made = client.post(EVENTS, meeting()).json["id"]
    calendars = mailbox_of(world, ADA).calendars
    team = calendars.create_calendar("Team")
    _, here = client.round(DELTA)
    _, there = client.round(f"/users/{ADA}/calendars/{team.id}/calendarView/delta?{MONTH}")
    [event] = calendars.default.events.values()
    calendars.move_event(event, team)
    assert [(e["id"], "@removed" in e) for e in client.round(here)[0]] == [(made, True)]
    assert starts(client.round(there)[0]) == ["2026-12-07T09:00"]


@pytest.mark.parametrize("order", ["newest-first", "shuffled"])
def test_entries_of_a_page_come_in_any_order(switched: Callable[..., Client], order: str) -> None:
    client = switched(delta_order=order)
    client.post(EVENTS, weekly())
    told = starts(client.round(DELTA)[0])
    assert told != sorted(told)
    assert len(set(told)) == 4


def test_entries_can_repeat(switched: Callable[..., Client]) -> None:
    client = switched(delta_repeats=True)
    client.post(EVENTS, weekly(count=2))
    for hour in ("14", "15", "16"):
        client.post(EVENTS, meeting("2026-12-24", f"{hour}:00", f"{hour}:30"))
    told, link = client.round(DELTA, prefer="odata.maxpagesize=2")
    assert [text[8:13] for text in starts(told)] == [
        "07T09",
        "07T09",
        "07T09",
        "14T09",
        "24T14",
        "24T14",
        "24T15",
        "24T16",
    ]
    assert client.round(link)[0] == []


def test_a_round_can_begin_with_an_empty_page(switched: Callable[..., Client]) -> None:
    client = switched(delta_empty_first_page=True)
    client.post(EVENTS, weekly())
    first = client.get(DELTA)
    assert first.items == []
    assert len(client.round(first.json["@odata.nextLink"])[0]) == 5


def test_changes_can_take_a_while_to_show(switched: Callable[..., Client]) -> None:
    client = switched(delta_delay="five-seconds")
    client.post(EVENTS, meeting())
    told, link = client.round(DELTA)
    assert told == []
    client.service.world.clock.advance(timedelta(seconds=6))
    assert starts(client.round(link)[0]) == ["2026-12-07T09:00"]


@pytest.mark.parametrize("setting", ["refused", "ignored"])
def test_select_is_not_for_delta(switched: Callable[..., Client], setting: str) -> None:
    client = switched(view_delta_select=setting)
    client.post(EVENTS, meeting())
    answer = client.get(f"{DELTA}&$select=subject")
    if setting == "refused":
        assert (answer.status, answer.code) == (400, "ErrorInvalidUrlQuery")
    else:
        assert "start" in answer.items[0]


@pytest.mark.parametrize("setting", ["ignored", "refused", "honoured"])
def test_expand_is_not_for_delta(switched: Callable[..., Client], setting: str) -> None:
    stamp = "String {66f5a359-4659-4830-9070-00040ec6ac6e} Name Stamp"
    client = switched(delta_expand=setting)
    client.post(EVENTS, meeting(singleValueExtendedProperties=[{"id": stamp, "value": "x"}]))
    answer = client.get(f"{DELTA}&$expand=singleValueExtendedProperties($filter=id eq '{stamp}')")
    if setting == "refused":
        assert answer.code == "ErrorInvalidUrlQuery"
    else:
        assert "singleValueExtendedProperties" not in answer.items[0]


@pytest.mark.parametrize("option", ["$filter=subject eq 'x'", "$orderby=subject", "$search=x"])
def test_other_options_are_refused(client: Client, option: str) -> None:
    assert client.get(f"{DELTA}&{option}").code == "ErrorInvalidUrlQuery"


def test_an_expired_token_is_gone(client: Client, world: World) -> None:
    client.post(EVENTS, weekly())
    skip = client.get(DELTA, prefer="odata.maxpagesize=2").json["@odata.nextLink"]
    _, link = client.round(DELTA)
    mailbox_of(world, ADA).expire_delta_tokens()
    for old in (skip, link):
        gone = client.get(old)
        assert (gone.status, gone.code) == (410, "SyncStateNotFound")
    assert len(client.round(DELTA)[0]) == 5
