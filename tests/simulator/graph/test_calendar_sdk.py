"""Calendars with `msgraph-sdk`, used as its documentation shows, over real sockets."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.headers_collection import HeadersCollection
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.calendar import Calendar
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.day_of_week import DayOfWeek
from msgraph.generated.models.event import Event
from msgraph.generated.models.event_type import EventType
from msgraph.generated.models.free_busy_status import FreeBusyStatus
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.location import Location
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.patterned_recurrence import PatternedRecurrence
from msgraph.generated.models.recurrence_pattern import RecurrencePattern
from msgraph.generated.models.recurrence_pattern_type import RecurrencePatternType
from msgraph.generated.models.recurrence_range import RecurrenceRange
from msgraph.generated.models.recurrence_range_type import RecurrenceRangeType
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core.tasks.page_iterator import PageIterator  # type: ignore[import-untyped]
from tests.simulator.conftest import ANNA

from cirahub_simulator.process import EmbeddedSimulator
from cirahub_simulator.seed.generate import CIRAHUB

if TYPE_CHECKING:
    from msgraph.generated.users.item.calendar_view.delta.delta_get_response import (
        DeltaGetResponse,
    )
    from msgraph.generated.users.item.calendar_view.delta.delta_request_builder import (
        DeltaRequestBuilder,
    )

pytestmark = [
    # The SDK warns of its own code when its request builders are imported, which it does late.
    pytest.mark.filterwarnings("ignore:GetQueryParameters is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This class is deprecated:DeprecationWarning"),
]

START, END = "2027-09-01T00:00:00Z", "2028-01-01T00:00:00Z"
PACIFIC = "Pacific Standard Time"


@pytest.fixture(autouse=True)
def _granted(simulator: EmbeddedSimulator) -> None:
    """The application may write calendars."""
    simulator.admin.grant(CIRAHUB, "contoso.example", ["Calendars.ReadWrite"])


def moment(text: str, zone: str = PACIFIC) -> DateTimeTimeZone:
    return DateTimeTimeZone(date_time=text, time_zone=zone)


async def test_calendars(graph_client: GraphServiceClient) -> None:
    """https://learn.microsoft.com/graph/api/user-post-calendars and its neighbours."""
    calendars = graph_client.users.by_user_id(ANNA).calendars
    made = await calendars.post(Calendar(name="Volunteer"))
    assert made is not None
    assert made.id is not None
    renamed = await calendars.by_calendar_id(made.id).patch(Calendar(name="Social events"))
    assert renamed is not None
    listed = await calendars.get()
    assert listed is not None
    assert [calendar.name for calendar in listed.value or []][-1] == "Social events"
    await calendars.by_calendar_id(made.id).delete()
    with pytest.raises(ODataError) as gone:
        await calendars.by_calendar_id(made.id).get()
    assert gone.value.error is not None
    assert gone.value.error.code == "ErrorItemNotFound"
    default = await graph_client.users.by_user_id(ANNA).calendar.get()
    assert default is not None
    assert default.is_default_calendar is True


async def test_events(graph_client: GraphServiceClient) -> None:
    """https://learn.microsoft.com/graph/api/user-post-events, event-get, event-update, -delete."""
    events = graph_client.users.by_user_id(ANNA).events
    made = await events.post(
        Event(
            subject="Let's go for lunch",
            body=ItemBody(content_type=BodyType.Html, content="Does noon work for you?"),
            start=moment("2027-04-15T12:00:00"),
            end=moment("2027-04-15T14:00:00"),
            location=Location(display_name="Harry's Bar"),
            allow_new_time_proposals=True,
            transaction_id="7E163156-7762-4BEB-A1C6-729EA81755A7",
        )
    )
    assert made is not None
    assert made.id is not None
    assert made.type is EventType.SingleInstance
    assert made.start is not None
    assert made.start.date_time == "2027-04-15T19:00:00.0000000"
    assert made.location is not None
    assert made.location.unique_id == "Harry's Bar"

    configuration: RequestConfiguration[object] = RequestConfiguration()
    configuration.headers.add("Prefer", f'outlook.timezone="{PACIFIC}"')
    event = events.by_event_id(made.id)
    got = await event.get(request_configuration=configuration)  # type: ignore[arg-type]
    assert got is not None
    assert got.start is not None
    assert (got.start.date_time, got.start.time_zone) == ("2027-04-15T12:00:00.0000000", PACIFIC)

    changed = await event.patch(Event(show_as=FreeBusyStatus.Oof, categories=["Red"]))
    assert changed is not None
    assert changed.show_as is FreeBusyStatus.Oof
    assert changed.subject == "Let's go for lunch"
    await event.delete()
    with pytest.raises(ODataError):
        await event.get()


async def test_a_series_its_instances_and_their_delta(graph_client: GraphServiceClient) -> None:
    """https://learn.microsoft.com/graph/api/event-list-instances,
    https://learn.microsoft.com/graph/delta-query-events."""
    from msgraph.generated.users.item.calendar_view import calendar_view_request_builder as views
    from msgraph.generated.users.item.calendar_view.delta import delta_request_builder as deltas
    from msgraph.generated.users.item.events.item.instances import (
        instances_request_builder as instances,
    )

    anna = graph_client.users.by_user_id(ANNA)
    made = await anna.events.post(
        Event(
            subject="Tuesdays",
            start=moment("2027-09-07T12:00:00"),
            end=moment("2027-09-07T14:00:00"),
            recurrence=PatternedRecurrence(
                pattern=RecurrencePattern(
                    type=RecurrencePatternType.Weekly,
                    interval=1,
                    days_of_week=[DayOfWeek.Tuesday],
                ),
                range=RecurrenceRange(
                    type=RecurrenceRangeType.Numbered,
                    start_date=date(2027, 9, 7),
                    number_of_occurrences=12,
                ),
            ),
        )
    )
    assert made is not None
    assert made.id is not None
    assert made.type is EventType.SeriesMaster

    page = await anna.events.by_event_id(made.id).instances.get(
        request_configuration=RequestConfiguration(
            query_parameters=instances.InstancesRequestBuilder.InstancesRequestBuilderGetQueryParameters(
                start_date_time=START, end_date_time=END
            )
        )
    )
    assert page is not None
    found: list[Event] = []

    def take(event: Event) -> bool:
        found.append(event)
        return True

    await PageIterator(page, graph_client.request_adapter).iterate(take)
    assert len(found) == 12
    second = found[1].id
    assert second is not None
    changed = await anna.events.by_event_id(second).patch(Event(subject="Wednesday"))
    assert changed is not None
    assert changed.type is EventType.Exception

    view = await anna.calendar_view.get(
        request_configuration=RequestConfiguration(
            query_parameters=views.CalendarViewRequestBuilder.CalendarViewRequestBuilderGetQueryParameters(
                top=50, start_date_time=START, end_date_time=END
            )
        )
    )
    assert view is not None
    ours = [event for event in view.value or [] if event.series_master_id == made.id]
    assert [event.subject for event in ours][:3] == ["Tuesdays", "Wednesday", "Tuesdays"]

    parameters = deltas.DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(
        start_date_time=START, end_date_time=END
    )
    delta = anna.calendar_view.delta
    first = await delta.get(
        request_configuration=RequestConfiguration(
            query_parameters=parameters, headers=_pages_of(5)
        )
    )
    told, link = await _rest(delta, first)
    series = [event for event in told if made.id in (event.id, event.series_master_id)]
    assert len(series) == 13
    assert series[0].id == made.id

    await anna.events.by_event_id(second).delete()
    told, _ = await _rest(delta, await delta.with_url(link).get())
    gone = [event.id for event in told if "@removed" in event.additional_data]
    assert gone == [second]


async def _rest(
    delta: DeltaRequestBuilder, answer: DeltaGetResponse | None
) -> tuple[list[Event], str]:
    """The rest of a round from an answer on, and its deltaLink."""
    told: list[Event] = []
    while answer is not None:
        told += answer.value or []
        if answer.odata_delta_link is not None:
            return told, answer.odata_delta_link
        assert answer.odata_next_link is not None
        answer = await delta.with_url(answer.odata_next_link).get()
    raise AssertionError("a round without an end")


def _pages_of(size: int) -> HeadersCollection:
    headers = HeadersCollection()
    headers.add("Prefer", f"odata.maxpagesize={size}")
    return headers
