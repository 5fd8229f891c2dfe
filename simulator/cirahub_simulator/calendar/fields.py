"""What may be written about an appointment.

Nested values have the shape in which Graph writes them:
https://learn.microsoft.com/graph/api/resources/event and the types that it names.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from cirahub_simulator.calendar.recurrence import Recurrence
from cirahub_simulator.calendar.zone import Moment

NEVER = "0001-01-01T00:00:00Z"
"""The time of a response that was never given."""

ResponseType = Literal[
    "none", "organizer", "tentativelyAccepted", "accepted", "declined", "notResponded"
]
ShowAs = Literal["unknown", "free", "tentative", "busy", "oof", "workingElsewhere"]
Sensitivity = Literal["normal", "personal", "private", "confidential"]
Importance = Literal["low", "normal", "high"]


class _Value(msgspec.Struct, rename="camel", frozen=True, kw_only=True, omit_defaults=True):
    pass


class Address(_Value, frozen=True):
    """https://learn.microsoft.com/graph/api/resources/emailaddress"""

    name: str | None = None
    address: str | None = None


class Response(msgspec.Struct, frozen=True):
    """https://learn.microsoft.com/graph/api/resources/responsestatus"""

    response: ResponseType = "none"
    time: str | None = NEVER


class TimeSlot(_Value, frozen=True):
    """https://learn.microsoft.com/graph/api/resources/timeslot, kept as it came."""

    start: dict[str, str]
    end: dict[str, str]


class Attendee(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """https://learn.microsoft.com/graph/api/resources/attendee"""

    type: Literal["required", "optional", "resource"] = "required"
    status: Response = Response()
    email_address: Address = Address()
    proposed_new_time: TimeSlot | msgspec.UnsetType = msgspec.UNSET


class PostalAddress(_Value, frozen=True):
    """https://learn.microsoft.com/graph/api/resources/physicaladdress"""

    type: str | None = None
    street: str | None = None
    city: str | None = None
    state: str | None = None
    country_or_region: str | None = None
    postal_code: str | None = None


class Coordinates(_Value, frozen=True):
    """https://learn.microsoft.com/graph/api/resources/outlookgeocoordinates"""

    accuracy: float | None = None
    altitude: float | None = None
    altitude_accuracy: float | None = None
    latitude: float | None = None
    longitude: float | None = None


class Location(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """https://learn.microsoft.com/graph/api/resources/location"""

    display_name: str = ""
    location_email_address: str | msgspec.UnsetType = msgspec.UNSET
    location_uri: str | msgspec.UnsetType = msgspec.UNSET
    location_type: Literal[
        "default",
        "conferenceRoom",
        "homeAddress",
        "businessAddress",
        "geoCoordinates",
        "streetAddress",
        "hotel",
        "restaurant",
        "localBusiness",
        "postalAddress",
    ] = "default"
    unique_id: str | msgspec.UnsetType = msgspec.UNSET
    unique_id_type: Literal["unknown", "locationStore", "directory", "private", "bing"] = "unknown"
    address: PostalAddress = PostalAddress()
    coordinates: Coordinates = Coordinates()


NOWHERE = Location()


class Body(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """https://learn.microsoft.com/graph/api/resources/itembody"""

    content_type: Literal["text", "html"] = "html"
    content: str = ""


class EventFields(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment, or what a single instance of a series shows."""

    start: Moment
    end: Moment
    subject: str | None = ""
    body: Body = Body()
    categories: tuple[str, ...] = ()
    importance: Importance = "normal"
    sensitivity: Sensitivity = "normal"
    show_as: ShowAs = "busy"
    is_all_day: bool = False
    is_reminder_on: bool = True
    reminder_minutes_before_start: int = 15
    locations: tuple[Location, ...] = ()
    attendees: tuple[Attendee, ...] = ()
    response_requested: bool = True
    allow_new_time_proposals: bool = True
    hide_attendees: bool = False
    is_online_meeting: bool = False
    online_meeting_provider: str = "unknown"
    recurrence: Recurrence | None = None

    @property
    def location(self) -> Location:
        """All the places in one.

        https://learn.microsoft.com/graph/api/resources/event: location and locations correspond.
        """
        if len(self.locations) == 1:
            return self.locations[0]
        names = "; ".join(place.display_name for place in self.locations if place.display_name)
        return Location(display_name=names) if names else NOWHERE


INSTANCE_FIELDS = frozenset(EventFields.__struct_fields__) - {"recurrence"}
"""What one instance of a series may have of its own."""
